//! Engines opened over their stores, and closed.

use std::sync::Arc;
use std::time::Duration;

use liveops_bindings::{Opening, Shared, Start, StoreChoice};
use liveops_core::Timestamp;
use liveops_sqlite::Sync;
use napi::bindgen_prelude::{AsyncTask, Either};
use napi::{Env, Task};
use napi_derive::napi;

use crate::engine::Engine;
use crate::failure::{OrThrow as _, Result};
use crate::memory::{Moved, tell};
use crate::rules::Rules;
use crate::writer::Writer;

/// Where the state is kept.
#[napi(object)]
#[derive(Debug)]
pub struct StoreOptions {
    /// The file; in memory without one.
    pub path: Option<String>,
    /// Entries of the feed at most, 0 for none; without a number as the file says.
    pub feed: Option<u32>,
    /// Whether a commit counts as written before the disk says so.
    pub normal: bool,
    /// How long to wait for another process to close the file.
    pub wait_millis: u32,
    /// Whether a network's file system will do.
    pub allow_network_file_system: bool,
}

impl From<StoreOptions> for StoreChoice {
    fn from(options: StoreOptions) -> Self {
        match options.path {
            None => Self::Memory { feed: options.feed.unwrap_or_default() as usize },
            Some(path) => Self::Sqlite {
                path: path.into(),
                feed: options.feed.map(u64::from),
                sync: if options.normal { Sync::Normal } else { Sync::Full },
                wait: Duration::from_millis(options.wait_millis.into()),
                allow_network_file_system: options.allow_network_file_system,
            },
        }
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
        let open = Open { rules: Arc::clone(&rules.0), store: store.into(), snapshot, beginning };
        if later { Ok(Either::B(AsyncTask::new(open))) } else { open.open().map(Either::A) }
    }

    /// Answers whoever waits, then lets go of the store.
    #[napi]
    pub fn close(&self, later: bool) -> Result<Either<(), AsyncTask<Close>>> {
        let mut close = Close { writer: self.writer.take(), shared: Arc::clone(&self.shared) };
        if later { Ok(Either::B(AsyncTask::new(close))) } else { close.close().map(Either::A) }
    }
}
