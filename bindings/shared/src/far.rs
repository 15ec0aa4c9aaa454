//! Stores over a network, which any number of processes share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use liveops_adapters::{Runtime, Tls};
use liveops_core::error::StoreError;
use liveops_core::store::{BlockOn as _, Blocking, FullStore};
use liveops_core::{Error, Timestamp};
use liveops_postgres::PostgresStore;
use liveops_redis::RedisStore;

/// Batches under way at once, at most: more than a server's round trip to its own machine needs, and few enough threads.
const LANES_MAX: usize = 8;

/// A server, or a cluster, and how a game there is opened.
#[derive(Clone)]
pub struct Far {
    /// Which.
    pub server: Server,
    /// How long it may take to connect, and to answer.
    pub timeout: Duration,
    /// Change sets that the feed holds at most, 0 for none; `None`: as the game there says.
    pub feed: Option<u64>,
    /// Entries that are kept for boards that are behind.
    pub outbox_entries: u64,
    /// Whom to trust and who this is, for an address that asks for TLS.
    pub certificates: Option<Certificates>,
    /// How far the game may be advanced ahead of the server's clock.
    pub clock_ahead_max: Option<Duration>,
}

/// What kind of server, and where.
#[derive(Clone)]
pub enum Server {
    /// Redis.
    Redis {
        /// One server; or some of a cluster's.
        urls: Urls,
        /// Into how many parts the players are spread.
        partitions: u16,
        /// How many replicas must have a commit.
        replicas: u16,
        /// Whether a server will do that keeps no log of what it writes.
        allow_no_persistence: bool,
    },
    /// PostgreSQL.
    Postgres {
        /// The database.
        url: String,
        /// Connections at most.
        connections: usize,
        /// In how many rows the horizon is.
        horizon_copies: u16,
        /// Whether events are written into a table for people.
        events: bool,
    },
}

/// Where Redis is.
#[derive(Clone)]
pub enum Urls {
    /// One server.
    One(String),
    /// Some servers of a cluster.
    Cluster(Vec<String>),
}

/// In PEM.
#[derive(Clone, Default)]
pub struct Certificates {
    /// The authorities to trust; the system's if none are named.
    pub authorities: Option<Vec<u8>>,
    /// What this client shows: a chain and its private key.
    pub client: Option<(Vec<u8>, Vec<u8>)>,
}

impl Certificates {
    /// Of what was given.
    ///
    /// Errors: for a certificate without its key, or a key without its certificate.
    pub fn of(
        authorities: Option<Vec<u8>>,
        certificate: Option<Vec<u8>>,
        key: Option<Vec<u8>>,
    ) -> Result<Option<Self>, &'static str> {
        let client = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err("a certificate goes with its key"),
        };
        Ok((authorities.is_some() || client.is_some()).then_some(Self { authorities, client }))
    }

    fn tls(&self) -> Tls {
        let mut tls = Tls::default();
        if let Some(pem) = &self.authorities {
            tls = tls.roots(&pem[..]);
        }
        if let Some((certificates, key)) = &self.client {
            tls = tls.client(&certificates[..], &key[..]);
        }
        tls
    }
}

impl Far {
    /// Into how many lanes submits are worth cutting.
    pub(crate) fn lanes(&self) -> usize {
        match self.server {
            Server::Redis { .. } => LANES_MAX,
            Server::Postgres { connections, .. } => connections.clamp(1, LANES_MAX),
        }
    }

    /// Waits until there is a connection, and until the boards are here.
    pub(crate) fn connect(&self, game: &str) -> Result<FarStore, StoreError> {
        let tls = self.certificates.as_ref().map(Certificates::tls);
        match &self.server {
            Server::Redis { urls, partitions, replicas, allow_no_persistence } => {
                let options = liveops_redis::Options::new(game)
                    .partitions(*partitions)
                    .timeout(self.timeout)
                    .outbox_entries(self.outbox_entries)
                    .replicas(*replicas)
                    .clock_ahead_max(self.clock_ahead_max);
                let options = match self.feed {
                    Some(0) => options.no_feed(),
                    Some(len_max) => options.feed(len_max),
                    None => options,
                };
                let options = if *allow_no_persistence { options.allow_no_persistence() } else { options };
                let options = if let Some(tls) = tls { options.tls(tls) } else { options };
                let store = match urls {
                    Urls::One(url) => RedisStore::connect_blocking(url, options),
                    Urls::Cluster(urls) => RedisStore::connect_cluster_blocking(urls, options),
                };
                Ok(FarStore::Redis(Arc::new(store?)))
            }
            Server::Postgres { url, connections, horizon_copies, events } => {
                let options = liveops_postgres::Options::new(game)
                    .connections(*connections)
                    .timeout(self.timeout)
                    .outbox_entries(self.outbox_entries)
                    .horizon_copies(*horizon_copies)
                    .events(*events)
                    .clock_ahead_max(self.clock_ahead_max);
                let options = match self.feed {
                    Some(0) => options.no_feed(),
                    Some(len_max) => options.feed(len_max),
                    None => options,
                };
                let options = if let Some(tls) = tls { options.tls(tls) } else { options };
                Ok(FarStore::Postgres(Arc::new(PostgresStore::connect_blocking(url, options)?)))
            }
        }
    }
}

/// Neither addresses, in which passwords stand, nor keys.
impl fmt::Debug for Far {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = match self.server {
            Server::Redis { .. } => "Redis",
            Server::Postgres { .. } => "Postgres",
        };
        f.debug_struct("Far").field("server", &server).field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// A game that is open there.
#[derive(Clone)]
pub enum FarStore {
    /// In Redis.
    Redis(Arc<Blocking<RedisStore, Runtime>>),
    /// In PostgreSQL.
    Postgres(Arc<Blocking<PostgresStore, Runtime>>),
}

impl FarStore {
    /// As engines have it.
    pub(crate) fn full(&self) -> Arc<dyn FullStore> {
        match self {
            Self::Redis(store) => Arc::clone(store) as _,
            Self::Postgres(store) => Arc::clone(store) as _,
        }
    }

    /// What the server's clock says. Waits for it.
    pub fn now(&self) -> Result<Timestamp, Error> {
        let asked = match self {
            Self::Redis(store) => store.runtime().block_on(store.inner().now()),
            Self::Postgres(store) => store.runtime().block_on(store.inner().now()),
        };
        Ok(asked.map_err(StoreError::from)??)
    }
}
