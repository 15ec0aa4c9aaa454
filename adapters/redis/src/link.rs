//! The way to one server or to a cluster. Commands for many partitions go out at once, in one piece to each server.
//!
//! A cluster's slots are looked up here and not by `redis`'s own cluster client: that one sends again by itself what may have
//! been done, and afterwards says of it only that there was no connection. Here whatever was sent is known to have been.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use parking_lot::{Mutex, RwLock};
use redis::{Client, Cmd, ConnectionAddr, Pipeline, Value};

use crate::error::Fault;
use crate::keys::SLOTS;
use crate::node::Node;

/// How often a command follows a slot that moves before it is given up.
const REDIRECTS_MAX: u32 = 8;
/// How long the first wait lasts for keys that are on their way, in milliseconds; each further one twice as long.
const TRY_AGAIN_MILLIS: u64 = 5;

/// A command and the slot of its keys.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) slot: u16,
    pub(crate) command: Cmd,
}

/// The answer to one command; a server's error is a fault.
pub(crate) type Answer = Result<Value, Fault>;

#[derive(Debug)]
pub(crate) struct Link {
    seeds: Vec<Arc<Node>>,
    is_cluster: bool,
    timeout: Duration,
    map: RwLock<Arc<Map>>,
    /// The map may be wrong.
    stale: AtomicBool,
    mapping: tokio::sync::Mutex<()>,
    /// Everybody met, by address.
    known: Mutex<BTreeMap<(String, u16), Arc<Node>>>,
    /// How many connections there were so far, to anybody.
    made: Arc<AtomicU64>,
}

/// Who owns which slot.
#[derive(Debug, Default)]
struct Map {
    masters: Vec<Arc<Node>>,
    /// By slot: which of the masters; empty where one has all.
    owners: Vec<u16>,
}

impl Map {
    fn owner(&self, slot: u16) -> Option<&Arc<Node>> {
        let owner = if self.owners.is_empty() { 0 } else { *self.owners.get(usize::from(slot))? };
        self.masters.get(usize::from(owner))
    }
}

/// Where a command goes next.
#[derive(Clone)]
enum Route {
    Owner,
    Moved(Arc<Node>),
    /// There for once, while its slot moves.
    Asking(Arc<Node>),
}

/// What goes to one server.
struct Group {
    node: Arc<Node>,
    steps: Vec<Step>,
}

/// One command of it, by its place among all.
struct Step {
    at: usize,
    asking: bool,
}

/// What a server said to one; with a fault, what stood beside its code.
type Said = Result<Value, (Fault, String)>;

impl Link {
    pub(crate) fn single(client: Client, timeout: Duration) -> Self {
        Self::new(vec![client], false, timeout)
    }

    pub(crate) fn cluster(clients: Vec<Client>, timeout: Duration) -> Self {
        Self::new(clients, true, timeout)
    }

    fn new(clients: Vec<Client>, is_cluster: bool, timeout: Duration) -> Self {
        let made = Arc::new(AtomicU64::new(0));
        let node = |client| Arc::new(Node::new(client, timeout, Arc::clone(&made)));
        let seeds: Vec<_> = clients.into_iter().map(node).collect();
        let map = if is_cluster { Map::default() } else { Map { masters: seeds.clone(), owners: Vec::new() } };
        Self {
            seeds,
            is_cluster,
            timeout,
            map: RwLock::new(map.into()),
            stale: AtomicBool::new(is_cluster),
            mapping: tokio::sync::Mutex::new(()),
            known: Mutex::default(),
            made,
        }
    }

    pub(crate) const fn is_cluster(&self) -> bool {
        self.is_cluster
    }

    /// How many connections there were so far. Another number than before: whoever answers now may be another, or have fallen.
    pub(crate) fn connections(&self) -> u64 {
        self.made.load(Ordering::Acquire)
    }

    /// Every server that owns a slot.
    pub(crate) async fn masters(&self) -> Result<Vec<Arc<Node>>, Fault> {
        Ok(self.map().await?.masters.clone())
    }

    /// The answer to one command.
    pub(crate) async fn one(&self, ask: Ask) -> Answer {
        self.all(&[ask]).await.pop().unwrap_or(Err(Fault::Strange))
    }

    /// The answers to many, in order. Those for one server come to it in order.
    pub(crate) async fn all(&self, asks: &[Ask]) -> Vec<Answer> {
        self.exchange(asks, None).await
    }

    /// The same of commands that write: what fewer than so many replicas of its server have in time counts as lost.
    pub(crate) async fn all_replicated(&self, asks: &[Ask], replicas: u16) -> Vec<Answer> {
        self.exchange(asks, (replicas > 0).then_some(replicas)).await
    }

    async fn exchange(&self, asks: &[Ask], replicas: Option<u16>) -> Vec<Answer> {
        let mut answers: Vec<Answer> = asks.iter().map(|_| Err(Fault::NotSent(String::new()))).collect();
        let mut pending: Vec<(usize, Route)> = (0..asks.len()).map(|at| (at, Route::Owner)).collect();
        for turn in 0..=REDIRECTS_MAX {
            if pending.is_empty() {
                break;
            }
            let groups = match self.map().await {
                Ok(map) => self.groups(&map, asks, std::mem::take(&mut pending), &mut answers),
                Err(fault) => {
                    for (at, _) in pending {
                        answers[at] = Err(fault.clone());
                    }
                    break;
                }
            };
            let sent = join_all(groups.iter().map(|group| self.send(group, asks, replicas))).await;
            for (group, sent) in groups.iter().zip(sent) {
                for (step, answer) in group.steps.iter().zip(sent) {
                    let next = self.route_after(&group.node, &answer, turn).filter(|_| turn < REDIRECTS_MAX);
                    pending.extend(next.map(|route| (step.at, route)));
                    answers[step.at] = answer.map_err(|(fault, _)| fault);
                }
            }
            let is_on_its_way =
                |(at, _): &(usize, Route)| matches!(&answers[*at], Err(fault) if fault.code() == "TRYAGAIN");
            if pending.iter().any(is_on_its_way) {
                tokio::time::sleep(Duration::from_millis(TRY_AGAIN_MILLIS << turn)).await;
            }
            pending.sort_by_key(|(at, _)| *at);
        }
        answers
    }

    /// By server, and in order for each.
    fn groups(&self, map: &Map, asks: &[Ask], pending: Vec<(usize, Route)>, answers: &mut [Answer]) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for (at, route) in pending {
            let (node, asking) = match route {
                Route::Owner => (map.owner(asks[at].slot).cloned(), false),
                Route::Moved(node) => (Some(node), false),
                Route::Asking(node) => (Some(node), true),
            };
            let step = Step { at, asking };
            let Some(node) = node else {
                self.stale.store(true, Ordering::Release);
                answers[at] = Err(Fault::NotSent("nobody owns the slot".to_owned()));
                continue;
            };
            match groups.iter_mut().find(|group| Arc::ptr_eq(&group.node, &node)) {
                Some(group) => group.steps.push(step),
                None => groups.push(Group { node, steps: vec![step] }),
            }
        }
        groups
    }

    /// Where a command goes on to that was not done; `None` if that is its answer. With each fault comes what the server said
    /// beside the code.
    fn route_after(&self, node: &Arc<Node>, answer: &Said, turn: u32) -> Option<Route> {
        let Err((fault, detail)) = answer else { return None };
        if !self.is_cluster {
            return None;
        }
        match fault {
            Fault::Answer(code) => match code.as_str() {
                "MOVED" => {
                    self.stale.store(true, Ordering::Release);
                    self.named(node, detail).map(Route::Moved)
                }
                "ASK" => self.named(node, detail).map(Route::Asking),
                "TRYAGAIN" => Some(Route::Owner),
                "CLUSTERDOWN" | "READONLY" | "MASTERDOWN" | "LOADING" => {
                    self.stale.store(true, Ordering::Release);
                    None
                }
                _ => None,
            },
            // Somebody else may own the slot by now.
            Fault::NotSent(_) => {
                self.stale.store(true, Ordering::Release);
                (turn == 0).then_some(Route::Owner)
            }
            _ => {
                self.stale.store(true, Ordering::Release);
                None
            }
        }
    }

    async fn send(&self, group: &Group, asks: &[Ask], replicas: Option<u16>) -> Vec<Said> {
        let Group { node, steps } = group;
        let mut commands = Pipeline::with_capacity(steps.len() + 1);
        for step in steps {
            if step.asking {
                commands.add_command(redis::cmd("ASKING"));
            }
            commands.add_command(asks[step.at].command.clone());
        }
        let sent = if let Some(replicas) = replicas {
            let mut wait = redis::cmd("WAIT");
            // Answered before the connection is given up.
            wait.arg(replicas).arg(u64::try_from(self.timeout.as_millis() / 2).unwrap_or(u64::MAX).max(1));
            commands.add_command(wait);
            node.send_and_wait(&commands).await
        } else {
            node.send(&commands).await
        };
        let mut sent = match sent {
            Ok(sent) => sent,
            Err(fault) => return steps.iter().map(|_| Err((fault.clone(), String::new()))).collect(),
        };
        let reached =
            replicas.is_none_or(|wanted| matches!(sent.pop(), Some(Value::Int(got)) if got >= i64::from(wanted)));
        let mut sent = sent.into_iter();
        let said = |step: &Step| {
            if step.asking {
                sent.next();
            }
            match sent.next() {
                Some(Value::ServerError(error)) => {
                    let detail = error.details().unwrap_or_default().to_owned();
                    Err((Fault::Answer(error.code().to_owned()), detail))
                }
                Some(_) if !reached => {
                    Err((Fault::Lost("fewer replicas than asked for have it".to_owned()), String::new()))
                }
                Some(value) => Ok(value),
                None => Err((Fault::Strange, String::new())),
            }
        };
        steps.iter().map(said).collect()
    }

    /// The server that `MOVED` or `ASK` names: a slot and an address.
    fn named(&self, asked: &Node, detail: &str) -> Option<Arc<Node>> {
        let (host, port) = detail.split_ascii_whitespace().nth(1)?.rsplit_once(':')?;
        self.node(asked, host, port.parse().ok()?)
    }

    async fn map(&self) -> Result<Arc<Map>, Fault> {
        if !self.stale.load(Ordering::Acquire) {
            return Ok(Arc::clone(&self.map.read()));
        }
        let waited = tokio::time::timeout(self.timeout, self.mapping.lock()).await;
        let _one = waited.map_err(|_| Fault::NotSent("no map of the cluster in time".to_owned()))?;
        if !self.stale.load(Ordering::Acquire) {
            return Ok(Arc::clone(&self.map.read()));
        }
        let known: Vec<_> = self.map.read().masters.iter().chain(&self.seeds).cloned().collect();
        let mut fault = Fault::NotSent("nobody of the cluster answers".to_owned());
        for node in known {
            match self.map_by(&node).await {
                Ok(map) => {
                    let map = Arc::new(map);
                    *self.map.write() = Arc::clone(&map);
                    self.stale.store(false, Ordering::Release);
                    return Ok(map);
                }
                Err(found) => fault = found,
            }
        }
        Err(match fault {
            // Nothing of what was to be sent was.
            Fault::Lost(text) => Fault::NotSent(text),
            Fault::Answer(code) if code == "ERR" => Fault::Refused("the server is not of a cluster".to_owned()),
            fault => fault,
        })
    }

    async fn map_by(&self, asked: &Arc<Node>) -> Result<Map, Fault> {
        let mut commands = Pipeline::new();
        commands.cmd("CLUSTER").arg("SLOTS");
        let Some(slots) = asked.send(&commands).await?.pop() else { return Err(Fault::Strange) };
        if let Value::ServerError(error) = &slots {
            return Err(Fault::Answer(error.code().to_owned()));
        }
        let Value::Array(ranges) = slots else { return Err(Fault::Strange) };
        let mut map = Map { masters: Vec::new(), owners: vec![u16::MAX; usize::from(SLOTS)] };
        for range in &ranges {
            let Value::Array(range) = range else { return Err(Fault::Strange) };
            let [Value::Int(from), Value::Int(through), Value::Array(master), ..] = &range[..] else {
                return Err(Fault::Strange);
            };
            let [host, Value::Int(port), ..] = &master[..] else { return Err(Fault::Strange) };
            let host = match host {
                Value::BulkString(host) => String::from_utf8_lossy(host).into_owned(),
                Value::SimpleString(host) => host.clone(),
                _ => String::new(),
            };
            let node = self.node(asked, &host, u16::try_from(*port).unwrap_or(0)).ok_or(Fault::Strange)?;
            let at = map.masters.iter().position(|known| Arc::ptr_eq(known, &node)).unwrap_or_else(|| {
                map.masters.push(node);
                map.masters.len() - 1
            });
            for slot in *from..=*through {
                let owner = usize::try_from(slot).ok().and_then(|slot| map.owners.get_mut(slot));
                *owner.ok_or(Fault::Strange)? = u16::try_from(at).unwrap_or(u16::MAX);
            }
        }
        Ok(map)
    }

    /// The server at an address, reached as the one is that named it; without a host it is that one's.
    fn node(&self, asked: &Node, host: &str, port: u16) -> Option<Arc<Node>> {
        let info = asked.client().get_connection_info().clone();
        let addr = match info.addr() {
            ConnectionAddr::Tcp(own, _) => ConnectionAddr::Tcp(or_own(host, own), port),
            ConnectionAddr::TcpTls { host: own, insecure, tls_params, .. } => ConnectionAddr::TcpTls {
                host: or_own(host, own),
                port,
                insecure: *insecure,
                tls_params: tls_params.clone(),
            },
            _ => return None,
        };
        let name = match &addr {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => (host.clone(), *port),
            _ => return None,
        };
        let mut known = self.known.lock();
        if let Some(node) = known.get(&name) {
            return Some(Arc::clone(node));
        }
        let client = Client::open(info.set_addr(addr)).ok()?;
        let node = Arc::new(Node::new(client, self.timeout, Arc::clone(&self.made)));
        known.insert(name, Arc::clone(&node));
        Some(node)
    }
}

fn or_own(host: &str, own: &str) -> String {
    if host.is_empty() || host == "?" { own.to_owned() } else { host.to_owned() }
}
