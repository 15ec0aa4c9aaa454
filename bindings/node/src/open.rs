//! Engines opened over their stores, and closed.

use std::sync::Arc;
use std::time::Duration;

use liveops_bindings::{Certificates, Far, Opening, Server, Shared, Start, StoreChoice, Urls};
use liveops_core::{Code, Timestamp};
use liveops_sqlite::Sync;
use napi::bindgen_prelude::{AsyncTask, Either, Uint8Array};
use napi::{Env, Task};
use napi_derive::napi;
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::failure::{Argument, Failure, OrThrow as _, Result};
use crate::memory::{Moved, tell};
use crate::rules::Rules;
use crate::writer::Writer;

/// Where the state is kept: in one of these, or in memory.
#[napi(object, object_to_js = false)]
#[expect(missing_debug_implementations, reason = "an address may hold a password")]
pub struct StoreOptions {
    /// Entries of the feed at most, 0 for none; without a number as the store says.
    pub feed: Option<u32>,
    /// In a file.
    pub file: Option<FileOptions>,
    /// Over a network.
    pub far: Option<FarOptions>,
}

/// A file, and how it is opened.
#[napi(object)]
#[derive(Debug)]
pub struct FileOptions {
    /// Which.
    pub path: String,
    /// Whether a commit counts as written before the disk says so.
    pub normal: bool,
    /// How long to wait for another process to close the file.
    pub wait_millis: u32,
    /// Whether a network's file system will do.
    pub allow_network_file_system: bool,
}

/// Redis or PostgreSQL, and how a game there is opened.
#[napi(object, object_to_js = false)]
#[expect(missing_debug_implementations, reason = "an address may hold a password")]
pub struct FarOptions {
    /// One server, or some of a cluster's.
    pub urls: Vec<String>,
    /// Whether it is a cluster.
    pub cluster: bool,
    /// How long it may take to connect, and to answer.
    pub timeout_millis: u32,
    /// Entries that are kept for boards that are behind.
    pub outbox_entries: u32,
    /// How far the game may be advanced ahead of the server's clock.
    pub clock_ahead_millis: Option<u32>,
    /// Authorities to trust, in PEM.
    pub tls_ca: Option<Uint8Array>,
    /// What to show, in PEM.
    pub tls_certificate: Option<Uint8Array>,
    /// Its key, in PEM.
    pub tls_key: Option<Uint8Array>,
    /// What Redis alone is told.
    pub redis: Option<RedisOptions>,
    /// What PostgreSQL alone is told.
    pub postgres: Option<PostgresOptions>,
}

/// What Redis alone is told.
#[napi(object)]
#[derive(Debug)]
pub struct RedisOptions {
    /// Into how many parts the players are spread.
    pub partitions: u16,
    /// How many replicas must have a commit.
    pub replicas: u16,
    /// Whether a server will do that keeps no log of what it writes.
    pub allow_no_persistence: bool,
}

/// What PostgreSQL alone is told.
#[napi(object)]
#[derive(Debug)]
pub struct PostgresOptions {
    /// Connections at most.
    pub connections: u32,
    /// In how many rows the horizon is.
    pub horizon_copies: u16,
    /// Whether events are written into a table for people.
    pub events: bool,
}

impl StoreOptions {
    fn choice(self) -> Result<StoreChoice> {
        let StoreOptions { feed, file, far } = self;
        if let Some(far) = far {
            return Ok(StoreChoice::Far(Box::new(far.far(feed)?)));
        }
        let Some(file) = file else {
            return Ok(StoreChoice::Memory { feed: feed.unwrap_or_default() as usize });
        };
        Ok(StoreChoice::Sqlite {
            path: file.path.into(),
            feed: feed.map(u64::from),
            sync: if file.normal { Sync::Normal } else { Sync::Full },
            wait: Duration::from_millis(file.wait_millis.into()),
            allow_network_file_system: file.allow_network_file_system,
        })
    }
}

impl FarOptions {
    fn far(self, feed: Option<u32>) -> Result<Far> {
        let pem = |bytes: Option<Uint8Array>| bytes.map(|bytes| bytes.to_vec());
        let certificates = Certificates::of(pem(self.tls_ca), pem(self.tls_certificate), pem(self.tls_key));
        let certificates = certificates.map_err(|reason| Argument(Code::InvalidArgument, reason)).or_throw()?;
        let mut urls = self.urls;
        let server = match (self.redis, self.postgres) {
            (Some(redis), _) => Server::Redis {
                urls: if self.cluster { Urls::Cluster(urls) } else { Urls::One(urls.pop().unwrap_or_default()) },
                partitions: redis.partitions,
                replicas: redis.replicas,
                allow_no_persistence: redis.allow_no_persistence,
            },
            (None, Some(postgres)) => Server::Postgres {
                url: urls.pop().unwrap_or_default(),
                connections: postgres.connections as usize,
                horizon_copies: postgres.horizon_copies,
                events: postgres.events,
            },
            (None, None) => return Err(Code::InvalidArgument).or_throw(),
        };
        Ok(Far {
            server,
            timeout: Duration::from_millis(self.timeout_millis.into()),
            feed: feed.map(u64::from),
            outbox_entries: self.outbox_entries.into(),
            certificates,
            clock_ahead_max: self.clock_ahead_millis.map(|millis| Duration::from_millis(millis.into())),
        })
    }
}

/// What an engine begins with.
#[napi(object)]
#[derive(Debug)]
pub struct Beginning {
    /// When given with a snapshot, the present, to which the horizon is brought back.
    pub at: Option<i64>,
    /// Whether the feed says what led to each change.
    pub recording: bool,
    /// What the clock says.
    pub clock: i64,
}

/// A store over a network is waited for, which a constructor does not.
struct FarAway;

impl Failure for FarAway {
    fn details(&self) -> Value {
        let code = Code::WouldBlock;
        let message =
            format!("{code}: a store over a network is waited for: `await Engine.open(rules, {{ store }})` does");
        json!({ "kind": "liveops", "code": code, "message": message })
    }
}

/// An engine on its way through a thread of the pool.
#[derive(Debug)]
pub struct Open {
    rules: Arc<liveops_core::Rules>,
    store: StoreChoice,
    snapshot: Option<Vec<u8>>,
    beginning: Beginning,
}

impl Open {
    fn open(&self) -> Result<Engine> {
        let millis = Timestamp::from_unix_millis;
        let Beginning { at, recording, clock } = self.beginning;
        let opening = Opening {
            rules: Arc::clone(&self.rules),
            store: self.store.clone(),
            start: self.snapshot.as_deref().map(|snapshot| Start { snapshot, at: at.map(millis) }),
            recording,
            clock: millis(clock),
        };
        let blocks = self.store.blocks();
        Ok(Engine::new(opening.open().or_throw()?, blocks))
    }
}

impl Task for Open {
    type Output = Moved<Result<Engine>>;
    type JsValue = Engine;

    fn compute(&mut self) -> Result<Self::Output> {
        Ok(Moved::made(|| self.open()))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> Result<Engine> {
        let engine = output.arrived();
        tell(&env)?;
        engine
    }
}

/// An engine that is being closed, on its way through a thread of the pool.
#[expect(missing_debug_implementations, reason = "a thread that waits has none")]
pub struct Close {
    writer: Option<Writer>,
    shared: Arc<Shared>,
}

impl Close {
    /// Whoever waits is answered first.
    fn close(&mut self) -> Result<()> {
        if let Some(writer) = self.writer.take() {
            writer.close();
        }
        self.shared.close().or_throw()
    }
}

impl Task for Close {
    type Output = Moved<Result<()>>;
    type JsValue = ();

    fn compute(&mut self) -> Result<Self::Output> {
        Ok(Moved::made(|| self.close()))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> Result<()> {
        let closed = output.arrived();
        tell(&env)?;
        closed
    }
}

#[napi]
impl Engine {
    /// An engine over the store that was chosen, in the state of a snapshot if there is one.
    #[napi]
    pub fn open(
        later: bool,
        rules: &Rules,
        store: StoreOptions,
        snapshot: Option<&[u8]>,
        beginning: Beginning,
    ) -> Result<Either<Engine, AsyncTask<Open>>> {
        let snapshot = snapshot.map(<[u8]>::to_vec);
        let open = Open { rules: Arc::clone(&rules.0), store: store.choice()?, snapshot, beginning };
        if !later && open.store.is_far() {
            return Err(FarAway).or_throw();
        }
        if later { Ok(Either::B(AsyncTask::new(open))) } else { open.open().map(Either::A) }
    }

    /// Answers whoever waits, then lets go of the store.
    #[napi]
    pub fn close(&self, later: bool) -> Result<Either<(), AsyncTask<Close>>> {
        let mut close = Close { writer: self.writer.take(), shared: Arc::clone(&self.shared) };
        if later { Ok(Either::B(AsyncTask::new(close))) } else { close.close().map(Either::A) }
    }
}
