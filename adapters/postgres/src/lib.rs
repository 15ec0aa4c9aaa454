//! A store over PostgreSQL, shared by any number of processes: each event once whichever process gets it, boards that agree, periods that
//! close once. A round of up to 256 players is two statements, one to load and one to commit, each a transaction of its own.
//!
//! ```no_run
//! use liveops_core::{Engine, Rules};
//! use liveops_postgres::{Options, PostgresStore};
//!
//! let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall" }"#)?;
//! let store = PostgresStore::connect_blocking("postgres://game@db.example/liveops", Options::new(rules.game()))?;
//! let engine = Engine::open(rules, store)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! In an asynchronous program: [`PostgresStore::connect`] and `AsyncEngine`. The schema `liveops` is made, and brought up to date, by
//! whoever opens a game first; its views are for people.
#![forbid(unsafe_code)]

mod advance;
mod columns;
mod commit;
mod error;
mod events;
mod feed;
mod finals;
mod load;
mod options;
mod outbox;
mod pool;
mod rows;
mod scan;
mod schema;
mod session;
mod store;
mod whole;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use liveops_adapters::{Follower, Runtime};
use liveops_core::Timestamp;
use liveops_core::error::StoreError;
use liveops_core::id::Id;
use liveops_core::store::{BlockOn as _, Blocking};

use crate::error::{Fault, misconfigured};
pub use crate::options::Options;
use crate::pool::{Lease, Pool};
use crate::session::Server;

/// Threads that work for callers who block: they mostly wait.
const WORKERS: usize = 2;

/// A game in a PostgreSQL database. A clone is the same store.
#[derive(Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
    boards: Arc<Follower<Inner>>,
}

/// What speaks to the server.
pub(crate) struct Inner {
    pool: Pool,
    options: Options,
    /// The game's number in the database.
    game: i32,
    /// In how many rows the horizon is.
    copies: i16,
    feed: FeedKnown,
    trim: outbox::Trimming,
    /// When days and months are made next.
    parts: outbox::NowAndThen,
}

/// What is known of the feed's setting, and of its room.
#[derive(Debug, Default)]
struct FeedKnown {
    /// Most change sets that wait; negative without a feed.
    len_max: AtomicI64,
    /// How many sets may be committed before those that wait are counted again.
    room: AtomicI64,
}

impl PostgresStore {
    /// Opens a game, and makes it if it is not there. Needs a Tokio runtime.
    ///
    /// Errors: `store_misconfigured` for an address or a server that will not do, `store_unavailable` where nobody answers,
    /// `record_too_new` for a database of a later version's.
    pub async fn connect(url: &str, options: Options) -> Result<Self, StoreError> {
        if Id::new(&options.game).is_err() {
            return Err(misconfigured("a game whose name is 1 to 64 visible ASCII bytes"));
        }
        let pool = Pool::new(Server::new(url, &options)?, &options);
        let inner = Arc::new(Inner::open(pool, options).await?);
        let boards = Follower::new(Arc::clone(&inner));
        boards.advanced(inner.horizon().await?);
        // Who opens a game finds its boards, also while an old transaction keeps the newest entries from being read.
        boards.join().await?;
        Ok(Self { inner, boards: Arc::new(boards) })
    }

    /// The same for callers who block: with threads of its own that do the waiting.
    ///
    /// Errors: as [`Self::connect`]; `would_block` on a thread of a runtime.
    pub fn connect_blocking(url: &str, options: Options) -> Result<Blocking<Self, Runtime>, StoreError> {
        let runtime = Runtime::new(WORKERS)?;
        let store = runtime.block_on(Self::connect(url, options))??;
        Ok(Blocking::new(store, runtime))
    }

    /// The server's clock.
    pub async fn now(&self) -> Result<Timestamp, StoreError> {
        let mut session = self.inner.session().await?;
        let answer = session.query_one("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint", &[]).await;
        session.done();
        Ok(Timestamp::from_unix_millis(answer.map_err(Fault::reading)?.get(0)))
    }
}

impl Inner {
    /// A session whose transactions the game's cursors count.
    async fn session(&self) -> Result<Lease<'_>, StoreError> {
        let mut session = self.pool.lease().await?;
        if !session.is_known {
            self.begin_anew(&mut session).await?;
            session.is_known = true;
        }
        Ok(session)
    }
}

/// Names no address.
impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("game", &self.inner.options.game).finish_non_exhaustive()
    }
}
