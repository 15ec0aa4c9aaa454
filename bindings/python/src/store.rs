//! Where an engine keeps its state: said here, opened by the engine.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use liveops_bindings::{Shared, StoreChoice};
use liveops_core::Timestamp;
use liveops_core::error::{Code, Error};
use liveops_sqlite::Sync;
use parking_lot::Mutex;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::arguments::{Bytes, Int, When};
use crate::errors::{Fallible as _, argument};
use crate::far::{PostgresStore, RedisStore};
use crate::results::load;

/// A state to begin in, and the time to bring it back to.
pub(crate) struct Begun {
    pub(crate) snapshot: PyBackedBytes,
    pub(crate) at: Option<Timestamp>,
}

impl Begun {
    /// Of both arguments; a time alone is none.
    pub(crate) fn of(snapshot: Option<Bytes<'_>>, at: Option<When>) -> PyResult<Option<Self>> {
        match (snapshot, at) {
            (Some(bytes), at) => Ok(Some(Self { snapshot: bytes.backed(), at: at.map(|at| at.0) })),
            (None, Some(_)) => Err(PyTypeError::new_err("at goes with a snapshot")),
            (None, None) => Ok(None),
        }
    }
}

/// State that lives as long as the engine: what an engine has unless it is told otherwise.
///
/// `feed` is how many entries may wait to be acknowledged; 0 keeps none. `snapshot` is a state to begin in, `at` the time to bring it
/// back to (see `Engine.restore`).
///
/// >>> rules = Rules.from_json('{"version": 1, "game": "g"}')
/// >>> Engine(rules, store=MemoryStore(feed=100)).last()
/// '0.0'
#[pyclass(module = "liveops", frozen)]
pub(crate) struct MemoryStore {
    pub(crate) feed: usize,
    pub(crate) begun: Option<Begun>,
}

#[pymethods]
impl MemoryStore {
    #[new]
    #[pyo3(
        signature = (*, feed=Int(0), snapshot=None, at=None),
        text_signature = "(*, feed=0, snapshot=None, at=None)"
    )]
    fn new(feed: Int<usize>, snapshot: Option<Bytes<'_>>, at: Option<When>) -> PyResult<Self> {
        Ok(Self { feed: feed.0, begun: Begun::of(snapshot, at)? })
    }

    fn __repr__(&self) -> String {
        format!("MemoryStore(feed={})", self.feed)
    }
}

/// State in one file; see `liveops.SqliteStore`, which adds what is asynchronous.
#[pyclass(module = "liveops._native", frozen, subclass)]
pub(crate) struct SqliteStore {
    path: PathBuf,
    feed: Option<u64>,
    sync: Sync,
    wait: Duration,
    allow_network_file_system: bool,
    /// The engine that has it open.
    opened: Mutex<Weak<Shared>>,
}

#[pymethods]
impl SqliteStore {
    #[new]
    #[pyo3(
        signature = (path, *, feed=None, sync="full", wait_seconds=Int(0), allow_network_file_system=false),
        text_signature = "(path, *, feed=None, sync='full', wait_seconds=0, allow_network_file_system=False)"
    )]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        feed: Option<Int<u64>>,
        sync: &str,
        wait_seconds: Int<u32>,
        allow_network_file_system: bool,
    ) -> PyResult<Self> {
        let sync = match sync {
            "full" => Sync::Full,
            "normal" => Sync::Normal,
            _ => return Err(argument(py, Code::InvalidArgument, "sync is \"full\" or \"normal\"")),
        };
        let (feed, wait) = (feed.map(|Int(len_max)| len_max), Duration::from_secs(wait_seconds.0.into()));
        Ok(Self { path, feed, sync, wait, allow_network_file_system, opened: Mutex::default() })
    }

    /// The file's path, as it was given.
    #[getter]
    fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// How the file and its log are, and what was written. `ArgumentError` with `closed` while no engine has it open.
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        load(py, "StoreStatus", &self.with_file(py, liveops_sqlite::SqliteStore::status)?)
    }

    /// Reads every page and every record and compares their check bytes. `StoreError` with `store_corrupt` for a damaged file, `ArgumentError` with
    /// `closed` while no engine has it open. Takes as long as reading the file; others read and write meanwhile.
    fn verify(&self, py: Python<'_>) -> PyResult<()> {
        self.with_file(py, liveops_sqlite::SqliteStore::verify)
    }

    /// Writes a copy, as of one moment, to a path where nothing is yet: a file like any other, to be opened or kept. Others read and
    /// write meanwhile. Copying the file by other means while it is open is no backup.
    fn backup(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        self.with_file(py, |file| file.backup(&path))
    }

    fn __repr__(&self) -> String {
        format!("SqliteStore('{}')", self.path.display())
    }
}

/// A store that knows which engine opened it.
pub(crate) trait Opened {
    /// What is to be opened.
    fn choice(&self) -> StoreChoice;

    /// By an engine that has just opened it.
    fn opened_by(&self, engine: &Arc<Shared>);
}

impl Opened for SqliteStore {
    fn choice(&self) -> StoreChoice {
        let Self { feed, sync, wait, allow_network_file_system, .. } = *self;
        StoreChoice::Sqlite { path: self.path.clone(), feed, sync, wait, allow_network_file_system }
    }

    fn opened_by(&self, engine: &Arc<Shared>) {
        *self.opened.lock() = Arc::downgrade(engine);
    }
}

impl SqliteStore {
    fn with_file<T: Send>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(&liveops_sqlite::SqliteStore) -> Result<T, liveops_core::error::StoreError> + Send,
    ) -> PyResult<T> {
        let engine = self.opened.lock().upgrade();
        let called = py.detach(|| {
            let engine = engine.ok_or(Code::Closed)?;
            Ok::<T, Error>(engine.with_file(call)??)
        });
        called.or_raise(py)
    }
}

/// One of them.
#[derive(FromPyObject)]
pub(crate) enum Given {
    Memory(Py<MemoryStore>),
    Sqlite(Py<SqliteStore>),
    Redis(Py<RedisStore>),
    Postgres(Py<PostgresStore>),
}

impl Given {
    /// All but memory.
    fn opened(&self) -> Option<&dyn Opened> {
        match self {
            Self::Memory(_) => None,
            Self::Sqlite(store) => Some(store.get()),
            Self::Redis(store) => Some(store.get()),
            Self::Postgres(store) => Some(store.get()),
        }
    }

    /// What is to be opened, and the state to begin in, if the store says it.
    pub(crate) fn choice(&self) -> (StoreChoice, Option<&Begun>) {
        match self {
            Self::Memory(store) => (StoreChoice::Memory { feed: store.get().feed }, store.get().begun.as_ref()),
            Self::Sqlite(store) => (store.get().choice(), None),
            Self::Redis(store) => (store.get().choice(), None),
            Self::Postgres(store) => (store.get().choice(), None),
        }
    }

    /// As it was given, opened by an engine.
    pub(crate) fn opened_by(self, engine: &Arc<Shared>) -> Py<PyAny> {
        if let Some(store) = self.opened() {
            store.opened_by(engine);
        }
        match self {
            Self::Memory(store) => store.into_any(),
            Self::Sqlite(store) => store.into_any(),
            Self::Redis(store) => store.into_any(),
            Self::Postgres(store) => store.into_any(),
        }
    }
}
