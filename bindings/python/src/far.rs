//! Stores over a network: said here, opened by the engine.

use std::sync::{Arc, Weak};
use std::time::Duration;

use liveops_bindings::{Certificates, Far, Server, Shared, StoreChoice, Urls};
use liveops_core::Timestamp;
use liveops_core::error::{Code, Error};
use parking_lot::Mutex;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::arguments::{Int, Listed, Number};
use crate::errors::{Fallible as _, argument};
use crate::store::Opened;

/// The longest that anybody waits for an answer, in seconds.
const SECONDS_MAX: f64 = 86_400.0;

/// A game in Redis; see `liveops.RedisStore`, which adds what is asynchronous.
#[pyclass(module = "liveops._native", frozen, subclass)]
pub(crate) struct RedisStore {
    far: Box<Far>,
    /// The engine that has it open.
    opened: Mutex<Weak<Shared>>,
}

#[pymethods]
impl RedisStore {
    #[new]
    #[pyo3(
        signature = (url, *, partitions=Int(64), timeout_seconds=Number(2.0), outbox_entries=Int(4096), feed=None, replicas=Int(0),
                     tls_ca=None, tls_certificate=None, tls_key=None, allow_no_persistence=false, clock_ahead_seconds=Some(Number(60.0))),
        text_signature = "(url, *, partitions=64, timeout_seconds=2, outbox_entries=4096, feed=None, replicas=0, tls_ca=None, \
                          tls_certificate=None, tls_key=None, allow_no_persistence=False, clock_ahead_seconds=60)"
    )]
    #[expect(clippy::too_many_arguments, reason = "Python gives each by its name")]
    fn new(
        py: Python<'_>,
        url: UrlsArgument,
        partitions: Int<u16>,
        timeout_seconds: Number,
        outbox_entries: Int<u64>,
        feed: Option<Int<u64>>,
        replicas: Int<u16>,
        tls_ca: Option<Pem>,
        tls_certificate: Option<Pem>,
        tls_key: Option<Pem>,
        allow_no_persistence: bool,
        clock_ahead_seconds: Option<Number>,
    ) -> PyResult<Self> {
        let server =
            Server::Redis { urls: url.into(), partitions: partitions.0, replicas: replicas.0, allow_no_persistence };
        let tls = [tls_ca, tls_certificate, tls_key];
        let far = far(py, server, timeout_seconds, outbox_entries, feed, tls, clock_ahead_seconds)?;
        Ok(Self { far, opened: Mutex::default() })
    }

    /// What the clock of the server says, in milliseconds. `ArgumentError` with `closed` while no engine has the store open.
    fn now(&self, py: Python<'_>) -> PyResult<i64> {
        now(py, &self.opened)
    }

    fn __repr__(&self) -> String {
        // An address may hold a password.
        format!("RedisStore(..., timeout_seconds={})", self.far.timeout.as_secs_f64())
    }
}

impl Opened for RedisStore {
    fn choice(&self) -> StoreChoice {
        StoreChoice::Far(self.far.clone())
    }

    fn opened_by(&self, engine: &Arc<Shared>) {
        *self.opened.lock() = Arc::downgrade(engine);
    }
}

/// A game in a PostgreSQL database; see `liveops.PostgresStore`, which adds what is asynchronous.
#[pyclass(module = "liveops._native", frozen, subclass)]
pub(crate) struct PostgresStore {
    far: Box<Far>,
    /// The engine that has it open.
    opened: Mutex<Weak<Shared>>,
}

#[pymethods]
impl PostgresStore {
    #[new]
    #[pyo3(
        signature = (url, *, connections=Int(8), timeout_seconds=Number(2.0), outbox_entries=Int(262_144), feed=None,
                     horizon_copies=Int(8), events=false, tls_ca=None, tls_certificate=None, tls_key=None,
                     clock_ahead_seconds=Some(Number(60.0))),
        text_signature = "(url, *, connections=8, timeout_seconds=2, outbox_entries=262144, feed=None, horizon_copies=8, events=False, \
                          tls_ca=None, tls_certificate=None, tls_key=None, clock_ahead_seconds=60)"
    )]
    #[expect(clippy::too_many_arguments, reason = "Python gives each by its name")]
    fn new(
        py: Python<'_>,
        url: String,
        connections: Int<usize>,
        timeout_seconds: Number,
        outbox_entries: Int<u64>,
        feed: Option<Int<u64>>,
        horizon_copies: Int<u16>,
        events: bool,
        tls_ca: Option<Pem>,
        tls_certificate: Option<Pem>,
        tls_key: Option<Pem>,
        clock_ahead_seconds: Option<Number>,
    ) -> PyResult<Self> {
        let server = Server::Postgres { url, connections: connections.0, horizon_copies: horizon_copies.0, events };
        let tls = [tls_ca, tls_certificate, tls_key];
        let far = far(py, server, timeout_seconds, outbox_entries, feed, tls, clock_ahead_seconds)?;
        Ok(Self { far, opened: Mutex::default() })
    }

    /// What the clock of the server says, in milliseconds. `ArgumentError` with `closed` while no engine has the store open.
    fn now(&self, py: Python<'_>) -> PyResult<i64> {
        now(py, &self.opened)
    }

    fn __repr__(&self) -> String {
        format!("PostgresStore(..., timeout_seconds={})", self.far.timeout.as_secs_f64())
    }
}

impl Opened for PostgresStore {
    fn choice(&self) -> StoreChoice {
        StoreChoice::Far(self.far.clone())
    }

    fn opened_by(&self, engine: &Arc<Shared>) {
        *self.opened.lock() = Arc::downgrade(engine);
    }
}

fn far(
    py: Python<'_>,
    server: Server,
    timeout: Number,
    outbox_entries: Int<u64>,
    feed: Option<Int<u64>>,
    tls: [Option<Pem>; 3],
    clock_ahead: Option<Number>,
) -> PyResult<Box<Far>> {
    let [ca, certificate, key] = tls.map(|pem| pem.map(|Pem(bytes)| bytes));
    let certificates = Certificates::of(ca, certificate, key)
        .map_err(|reason| PyTypeError::new_err(format!("{reason}: tls_certificate and tls_key")))?;
    let clock_ahead_max = clock_ahead.map(|ahead| seconds(py, "clock_ahead_seconds", ahead, 0.0)).transpose()?;
    let timeout = seconds(py, "timeout_seconds", timeout, 0.001)?;
    let (outbox_entries, feed) = (outbox_entries.0, feed.map(|Int(len_max)| len_max));
    Ok(Box::new(Far { server, timeout, feed, outbox_entries, certificates, clock_ahead_max }))
}

fn seconds(py: Python<'_>, name: &str, Number(given): Number, least: f64) -> PyResult<Duration> {
    let wrong = || argument(py, Code::OutOfRange, &format!("{name} is {least} to {SECONDS_MAX}"));
    if !(least..=SECONDS_MAX).contains(&given) {
        return Err(wrong());
    }
    Duration::try_from_secs_f64(given).map_err(|_| wrong())
}

fn now(py: Python<'_>, opened: &Mutex<Weak<Shared>>) -> PyResult<i64> {
    let engine = opened.lock().upgrade();
    let asked: Result<Timestamp, Error> = py.detach(|| {
        let engine = engine.ok_or(Code::Closed)?;
        engine.with_far(liveops_bindings::FarStore::now)?
    });
    Ok(asked.or_raise(py)?.as_unix_millis())
}

/// An address, or some of a cluster.
#[derive(FromPyObject)]
enum UrlsArgument {
    One(String),
    Many(Listed<String>),
}

impl From<UrlsArgument> for Urls {
    fn from(given: UrlsArgument) -> Self {
        match given {
            UrlsArgument::One(url) => Self::One(url),
            UrlsArgument::Many(Listed(urls)) => Self::Cluster(urls),
        }
    }
}

/// Certificates or a key, as they stand in a file.
struct Pem(Vec<u8>);

impl<'py> FromPyObject<'_, 'py> for Pem {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(text) = value.extract::<String>() {
            return Ok(Self(text.into_bytes()));
        }
        let bytes = value.extract::<Vec<u8>>();
        bytes.map(Self).map_err(|_| PyTypeError::new_err("PEM is str or bytes: what stands in the file, not its path"))
    }
}
