//! A Redis cluster of one's own.

use std::time::Duration;

use crate::redis::{Redis, cluster_cli};

const FORMING_MILLIS_MAX: u64 = 60_000;
const STEP_MILLIS: u64 = 50;
/// After so long without a word a master is taken for dead.
const NODE_TIMEOUT_MILLIS: &str = "2000";

/// Masters, then their replicas, on ports of the loopback.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Redis>,
    masters: usize,
}

impl RedisCluster {
    /// Starts so many masters, with so many replicas each, and waits until every one of them calls the cluster whole.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub fn start(masters: usize, replicas_each: usize, arguments: &[&str]) -> Result<Self, String> {
        let settings = ["--cluster-enabled", "yes", "--cluster-node-timeout", NODE_TIMEOUT_MILLIS];
        let settings = [&settings, &["--repl-diskless-sync-delay", "0"][..], arguments].concat();
        let nodes = (0..masters * (1 + replicas_each)).map(|_| Redis::start_on_port(&settings));
        let cluster = Self { nodes: nodes.collect::<Result<_, _>>()?, masters };
        let mut create = vec!["create".to_owned()];
        create.extend(cluster.nodes.iter().map(address));
        create.extend(["--cluster-replicas".to_owned(), replicas_each.to_string(), "--cluster-yes".to_owned()]);
        cluster_cli(&create)?;
        cluster.whole()?;
        Ok(cluster)
    }

    /// Where clients find its masters.
    pub fn urls(&self) -> Vec<String> {
        self.nodes[..self.masters].iter().map(Redis::url).collect()
    }

    /// Masters as they were at the start, then replicas.
    pub fn nodes(&self) -> &[Redis] {
        &self.nodes
    }

    /// The same, to be ended and started again.
    pub fn nodes_mut(&mut self) -> &mut [Redis] {
        &mut self.nodes
    }

    /// Waits until every node that runs sees every slot served, and every replica has its master's data.
    ///
    /// # Errors
    /// It takes too long.
    pub fn whole(&self) -> Result<(), String> {
        let is_whole = |node: &Redis| {
            node.cli(&["cluster", "info"]).is_ok_and(|info| info.contains("cluster_state:ok"))
                && node
                    .cli(&["info", "replication"])
                    .is_ok_and(|info| !info.contains("role:slave") || info.contains("master_link_status:up"))
        };
        let everywhere = || self.nodes.iter().filter(|node| node.pid().is_some()).all(is_whole);
        wait_for("the cluster is not whole", everywhere)
    }

    /// The slot of a key.
    ///
    /// # Errors
    /// The first node does not answer.
    pub fn slot_of(&self, key: &str) -> Result<u16, String> {
        let slot = self.alive()?.cli(&["cluster", "keyslot", key])?;
        slot.parse().map_err(|_| format!("`{slot}` is no slot"))
    }

    /// Which node serves a slot now, as a place in [`Self::nodes`].
    ///
    /// # Errors
    /// None does.
    pub fn owner_of(&self, slot: u16) -> Result<usize, String> {
        let shards = self.alive()?.cli(&["cluster", "nodes"])?;
        let serves = |line: &&str| {
            line.split_whitespace().skip(8).any(|range| {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let slots = first.parse::<u16>().ok().zip(last.parse::<u16>().ok());
                slots.is_some_and(|(first, last)| (first..=last).contains(&slot))
            })
        };
        let line = shards.lines().find(serves).ok_or_else(|| format!("nobody serves slot {slot}"))?;
        self.at(line).ok_or_else(|| format!("a strange node: {line}"))
    }

    /// Moves a slot with all its keys to another node, as an operator would while clients write.
    ///
    /// # Errors
    /// A node refuses, or there is no such node.
    pub fn move_slot(&self, slot: u16, to: usize) -> Result<(), String> {
        let from = self.nodes.get(self.owner_of(slot)?).ok_or("no such node")?;
        let to = self.nodes.get(to).ok_or("no such node")?;
        let (slot, port) = (slot.to_string(), to.port().unwrap_or_default().to_string());
        let (from_id, to_id) = (from.cli(&["cluster", "myid"])?, to.cli(&["cluster", "myid"])?);
        to.cli(&["cluster", "setslot", &slot, "importing", &from_id])?;
        from.cli(&["cluster", "setslot", &slot, "migrating", &to_id])?;
        loop {
            let keys = from.cli(&["cluster", "getkeysinslot", &slot, "10"])?;
            if keys.is_empty() {
                break;
            }
            for key in keys.lines() {
                from.cli(&["migrate", "127.0.0.1", &port, key, "0", "10000"])?;
            }
        }
        // The new owner first: nobody is sent to somebody who does not know yet.
        to.cli(&["cluster", "setslot", &slot, "node", &to_id])?;
        for node in self.nodes[..self.masters].iter().filter(|node| node.pid().is_some()) {
            node.cli(&["cluster", "setslot", &slot, "node", &to_id])?;
        }
        Ok(())
    }

    /// The replica of a master, as a place in [`Self::nodes`].
    ///
    /// # Errors
    /// It has none.
    pub fn replica_of(&self, master: usize) -> Result<usize, String> {
        let master = self.nodes.get(master).ok_or("no such node")?;
        let id = master.cli(&["cluster", "myid"])?;
        // Who follows whom is heard of by and by, like everything in a cluster.
        let mut replica = None;
        wait_for("it has no replica", || {
            let nodes = master.cli(&["cluster", "nodes"]).unwrap_or_default();
            let line = nodes.lines().find(|line| line.split_whitespace().nth(3) == Some(&id));
            replica = line.and_then(|line| self.at(line));
            replica.is_some()
        })?;
        replica.ok_or_else(|| "it has no replica".to_owned())
    }

    /// Waits until a replica has everything that its master has now. `WAIT` says so of what its own connection wrote alone.
    ///
    /// # Errors
    /// There is no such node, or it takes too long.
    pub fn replicated(&self, master: usize, replica: usize) -> Result<(), String> {
        let of = |at: usize| self.nodes.get(at).ok_or("no such node");
        let (master, replica) = (of(master)?, of(replica)?);
        let wanted = offset(master, "master_repl_offset:").ok_or("the master says no offset")?;
        wait_for("the replica has not everything", || {
            offset(replica, "slave_repl_offset:").is_some_and(|reached| reached >= wanted)
        })
    }

    /// Makes a replica the master of its slots, whether or not the old master agrees or lives.
    ///
    /// # Errors
    /// It refuses, or does not become one.
    pub fn promote(&self, replica: usize) -> Result<(), String> {
        let replica = self.nodes.get(replica).ok_or("no such node")?;
        replica.cli(&["cluster", "failover", "takeover"])?;
        let is_master = || replica.cli(&["role"]).is_ok_and(|role| role.starts_with("master"));
        wait_for("the replica is no master", is_master)?;
        // The others hear of it by and by.
        let id = replica.cli(&["cluster", "myid"])?;
        let heard = |node: &Redis| {
            node.cli(&["cluster", "nodes"]).is_ok_and(|nodes| {
                nodes
                    .lines()
                    .any(|line| line.starts_with(&id) && line.contains("master") && line.split_whitespace().count() > 8)
            })
        };
        wait_for("the others do not know the new master", || {
            self.nodes.iter().filter(|node| node.pid().is_some()).all(heard)
        })
    }

    /// The place of the node that a line of `CLUSTER NODES` is about.
    fn at(&self, line: &str) -> Option<usize> {
        let port: u16 = line.split([':', '@']).nth(1)?.parse().ok()?;
        self.nodes.iter().position(|node| node.port() == Some(port))
    }

    fn alive(&self) -> Result<&Redis, String> {
        self.nodes.iter().find(|node| node.pid().is_some()).ok_or_else(|| "no node runs".to_owned())
    }
}

fn address(node: &Redis) -> String {
    format!("127.0.0.1:{}", node.port().unwrap_or_default())
}

/// How far a node is in the stream that replicas follow.
fn offset(node: &Redis, name: &str) -> Option<u64> {
    let info = node.cli(&["info", "replication"]).ok()?;
    info.lines().find_map(|line| line.strip_prefix(name))?.trim().parse().ok()
}

fn wait_for(otherwise: &str, mut until: impl FnMut() -> bool) -> Result<(), String> {
    for _ in 0..FORMING_MILLIS_MAX / STEP_MILLIS {
        if until() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(STEP_MILLIS));
    }
    Err(format!("{otherwise} after {FORMING_MILLIS_MAX} ms"))
}
