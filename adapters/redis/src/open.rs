//! How a game is found, or begun.

use std::hash::{BuildHasher as _, RandomState};

use liveops_adapters::Tls;
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::{Horizon, Notice};
use liveops_core::time::Timestamp;
use parking_lot::Mutex;
use redis::{
    Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, Pipeline, ProtocolVersion,
    TlsCertificates, Value,
};

use crate::error::{Fault, lost_partition, misconfigured};
use crate::inner::{Inner, script_value};
use crate::keys::{self, Layout};
use crate::link::Link;
use crate::node::Node;
use crate::options::{FeedSetting, Options, PARTITIONS_MAX};
use crate::reply;
use crate::script;
use crate::tail::FollowedSoFar;

/// Of the layout of keys and values.
const SCHEMA: u64 = 1;
/// The first version with what scripts need: to be refused before they begin where there is no memory left.
const VERSION_MIN: u64 = 7;

pub(crate) async fn single(url: &str, options: Options) -> Result<Inner, StoreError> {
    let client = client(url, options.tls.as_ref())?;
    let timeout = options.timeout;
    open(Link::single(client, timeout), options).await
}

pub(crate) async fn cluster(urls: &[String], options: Options) -> Result<Inner, StoreError> {
    if urls.is_empty() {
        return Err(misconfigured("at least one address of a cluster"));
    }
    let clients = urls.iter().map(|url| client(url, options.tls.as_ref())).collect::<Result<_, _>>()?;
    let timeout = options.timeout;
    open(Link::cluster(clients, timeout), options).await
}

async fn open(link: Link, options: Options) -> Result<Inner, StoreError> {
    if !(1..=PARTITIONS_MAX).contains(&options.partitions) {
        return Err(misconfigured("from 1 to 1024 partitions"));
    }
    for node in link.masters().await.map_err(|fault| fault.of_reading())? {
        check(&node, link.is_cluster(), options.no_persistence).await?;
    }
    let layout = Layout::new(&options.game, options.partitions);
    let mut store = Inner {
        link,
        layout,
        generation: String::new(),
        outbox_entries: options.outbox_entries.max(1),
        feed_len: None,
        replicas: options.replicas,
        clock_ahead_max: options.clock_ahead_max,
        giant: Mutex::default(),
        followed: FollowedSoFar::default(),
    };
    let kept = store.take_place(options.partitions).await?;
    store.set_feed(kept, options.feed).await?;
    Ok(store)
}

fn client(url: &str, tls: Option<&Tls>) -> Result<Client, StoreError> {
    let info: ConnectionInfo =
        url.into_connection_info().map_err(|_| misconfigured("an address as redis://host:6379/0"))?;
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    let info = info.set_redis_settings(settings);
    let wrong = |_| misconfigured("an address that this build can use, and certificates in PEM");
    if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
        return if tls.is_none() {
            Client::open(info).map_err(wrong)
        } else {
            Err(misconfigured("an address that begins with rediss://, as there are certificates"))
        };
    }
    // Whatever else the program has linked, this is what was tested.
    _ = rustls::crypto::ring::default_provider().install_default();
    let Some(tls) = tls else { return Client::open(info).map_err(wrong) };
    tls.config()?;
    let client_tls = tls
        .client_pem()
        .map(|(certificates, key)| ClientTlsConfig { client_cert: certificates.to_vec(), client_key: key.to_vec() });
    let root_cert = tls.roots_pem().map(<[u8]>::to_vec);
    Client::build_with_tls(info, TlsCertificates { client_tls, root_cert }).map_err(wrong)
}

/// Whether a server can be relied upon. `INFO` may be asked where `CONFIG` may not.
async fn check(node: &Node, is_cluster: bool, no_persistence: bool) -> Result<(), StoreError> {
    let mut commands = Pipeline::new();
    commands.cmd("INFO");
    for script in script::every() {
        commands.cmd("SCRIPT").arg("LOAD").arg(script.body);
    }
    let answers = node.send(&commands).await.map_err(|fault| fault.of_reading())?;
    let info = match answers.into_iter().next() {
        Some(Value::ServerError(error)) => return Err(Fault::Answer(error.code().to_owned()).of_reading()),
        Some(value) => reply::bytes(value).map_err(|fault| fault.of_reading())?.unwrap_or_default(),
        None => return Err(Fault::Strange.of_reading()),
    };
    let info = String::from_utf8_lossy(&info);
    let is = |name: &str, wanted: &str| of(&info, name) == Some(wanted);
    let major = of(&info, "redis_version").and_then(|version| version.split('.').next()?.parse::<u64>().ok());
    let refused = if major.is_none_or(|major| major < VERSION_MIN) {
        "Redis 7 or later"
    } else if is("cluster_enabled", "1") != is_cluster {
        if is_cluster { "servers of a cluster" } else { "connect_cluster, as the server is of a cluster" }
    } else if !is("maxmemory_policy", "noeviction") {
        "maxmemory-policy noeviction: a cache forgets, a store may not"
    } else if !is("aof_enabled", "1") && !no_persistence {
        "appendonly yes, or allow_no_persistence"
    } else {
        return Ok(());
    };
    Err(misconfigured(refused))
}

fn of<'i>(info: &'i str, name: &str) -> Option<&'i str> {
    let of_line = |line: &'i str| line.strip_prefix(name)?.strip_prefix(':').map(str::trim);
    info.lines().find_map(of_line)
}

impl Inner {
    /// Finds the game, or begins it; and gives the length of its feed.
    async fn take_place(&mut self, partitions: u16) -> Result<Option<u64>, StoreError> {
        let first = keys::time_text(Timestamp::MIN);
        let mut call = script::OPEN.call(&[&self.layout.global]);
        call.arg(entropy()).arg(partitions).arg(SCHEMA).arg(&first);
        let value = script_value(script::OPEN.run_one(&self.link, self.global_ask(call), self.replicas).await)?;
        let [generation, found, schema, ready, feed] = reply::fields(value).map_err(|fault| fault.of_reading())?;
        let number =
            |digits: Option<Vec<u8>>| digits.and_then(|digits| keys::cursor_of(&digits)).ok_or(StoreErrorKind::Corrupt);
        let generation = generation.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(StoreErrorKind::Corrupt)?;
        if number(schema)? > SCHEMA {
            return Err(StoreErrorKind::TooNew.into());
        }
        if number(found)? != u64::from(partitions) {
            return Err(misconfigured("the number of partitions that the game was begun with"));
        }
        self.generation = generation;
        match number(ready)? {
            0 => self.begin(&first).await?,
            1 => {}
            _ => {
                return Err(misconfigured(
                    "a game whose restoration came to its end: remove its keys and restore it again",
                ));
            }
        }
        feed.map(|digits| keys::cursor_of(&digits).ok_or_else(|| StoreErrorKind::Corrupt.into())).transpose()
    }

    /// Begins every partition, also if somebody else did or was stopped half way.
    async fn begin(&self, first: &str) -> Result<(), StoreError> {
        let answers = self.everywhere(&script::BEGIN, |part| {
            let mut call = self.call(&script::BEGIN, &[&part.meta]);
            call.arg(first);
            call
        });
        for answer in answers.await {
            let owner = reply::bytes(script_value(answer)?).map_err(|fault| fault.of_writing())?;
            if owner.as_deref() != Some(self.generation.as_bytes()) {
                return Err(lost_partition());
            }
        }
        self.set_global("r", "1").await
    }

    pub(crate) async fn set_global(&self, field: &str, value: &str) -> Result<(), StoreError> {
        let mut call = self.global_call(&script::SET);
        call.arg(field).arg(value);
        script_value(script::SET.run_one(&self.link, self.global_ask(call), self.replicas).await)?;
        Ok(())
    }

    /// Brings the game's feed to what it is to be. A length of 0 is none.
    async fn set_feed(&mut self, kept: Option<u64>, setting: FeedSetting) -> Result<(), StoreError> {
        let kept = kept.unwrap_or(0);
        let wanted = match setting {
            FeedSetting::Kept => kept,
            FeedSetting::Of(len_max) => len_max.max(1),
            FeedSetting::Off => 0,
        };
        self.feed_len = Some(wanted).filter(|len_max| *len_max > 0);
        if wanted == kept {
            return Ok(());
        }
        if (wanted > 0) != (kept > 0) {
            let horizon: Horizon = self.game_horizon().await?;
            let notice = Notice::Advanced(horizon).encode();
            let flag = self.feed_flag();
            let answers = self.everywhere(&script::FEED, |part| {
                let mut call = self.call(&script::FEED, &[&part.meta, &part.outbox, &part.consumers]);
                call.arg(flag).arg(&notice);
                call
            });
            for answer in answers.await {
                script_value(answer)?;
            }
        }
        self.set_global("l", &wanted.to_string()).await
    }
}

/// A name that nobody else takes.
pub(crate) fn entropy() -> String {
    let random = RandomState::new();
    let time = std::time::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_nanos());
    format!("{:016x}{:016x}", random.hash_one((std::process::id(), time)), random.hash_one(time))
}
