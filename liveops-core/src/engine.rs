//! The engine: rules and a store. Every operation is written once, in [`AsyncEngine`]; [`Engine`] is that over a store which answers
//! at once, and polls it once.

mod advance;
mod batcher;
mod board;
mod feed;
mod ingest;
mod open;
mod pages;
mod pay_closed;
mod payout;
mod progress;
mod read;
mod stats;
mod status;
mod stripes;
mod submit;
mod suspicions;
mod whole;

pub use batcher::{Batcher, Submitted};
pub use board::{AsyncBoard, AsyncStandings, Board, Standings};
pub use pages::{ScanCursor, ScanPage, by_page};
pub use pay_closed::{PaidPeriod, PayRun, Unpaid};
pub use read::{NamedOutcome, Numbered, PlayerExport, PlayerExportPage};
pub use stats::Stats;
pub use status::Status;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};
use std::task::{Context, Poll, Waker};

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use self::stats::Counters;
use self::stripes::Stripes;
use crate::event::Parser;
use crate::hash::Digest;
use crate::plan::Plan;
use crate::rules::Rules;
use crate::store::Ready;
use crate::time::Timestamp;
use crate::window::Closings;

/// Rules and a store. `Send + Sync`; share it behind a reference or an `Arc`.
///
/// ```
/// use liveops_core::{Engine, MemoryStore, Rules, Timestamp, Window};
///
/// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall", "boards": {
///     "xp": { "value": "grantedXp", "keepPeriods": { "daily": 2 } } } }"#)?;
/// let engine = Engine::new(rules, MemoryStore::new());
/// let now = Timestamp::from_rfc3339("2026-11-07T12:00:00Z").unwrap();
/// let line = br#"{"id":"e1","type":"progression","playerId":"ana","ts":1794052800,"payload":{"deltaXp":120}}"#;
/// assert_eq!(engine.submit_ndjson(line, now)[0].code(), "applied");
/// assert_eq!(engine.submit_ndjson(line, now)[0].code(), "replayed");
/// assert_eq!(engine.board("xp")?.top(Window::Daily, 10, now)?[0].score, 120);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Engine<S>(AsyncEngine<Ready<S>>);

/// [`Engine`] over an asynchronous store, on any runtime or none: it has the same verbs, which mean the same and are documented
/// there. A future that is dropped is like a lost reply: what it asked for may have been done.
///
/// ```
/// use std::pin::pin;
/// use std::task::{Context, Poll, Waker};
///
/// use liveops_core::store::Ready;
/// use liveops_core::{AsyncEngine, MemoryStore, Rules, Timestamp, Window};
///
/// async fn play() -> Result<i64, Box<dyn std::error::Error>> {
///     let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall", "boards": {
///         "xp": { "value": "grantedXp", "keepPeriods": { "weekly": 8 } } } }"#)?;
///     // In earnest: a store over a network. `Ready` makes an asynchronous store of one that answers at once.
///     let engine = AsyncEngine::open(rules, Ready(MemoryStore::new())).await?;
///     let now = Timestamp::from_rfc3339("2026-11-07T12:00:00Z").unwrap();
///     let line = br#"{"id":"e1","type":"progression","playerId":"ana","ts":1794052800,"payload":{"deltaXp":120}}"#;
///     assert_eq!(engine.submit_ndjson(line, now).await[0].code(), "applied");
///     Ok(engine.board("xp")?.at(Window::Weekly, now)?.top(10).await?[0].score)
/// }
///
/// let played = pin!(play()).as_mut().poll(&mut Context::from_waker(Waker::noop()));
/// assert!(matches!(played, Poll::Ready(Ok(120))));
/// ```
#[derive(Debug)]
pub struct AsyncEngine<S> {
    in_force: ArcSwap<InForce>,
    /// Held by who puts other rules in force; who reads them does not ask for it.
    replacing: Mutex<()>,
    store: S,
    recording: bool,
    counters: Counters,
    stripes: Stripes,
    /// How often rules were put in force for which boards had to be built, and for how many of these they were. They differ for
    /// longer only after a failure.
    builds_due: AtomicU64,
    builds_done: AtomicU64,
    /// By which horizon boards were freed last.
    retained: AtomicI64,
    /// Whether the store is known to have a header.
    is_named: AtomicBool,
}

/// Rules and what is made from them once.
#[derive(Clone, Debug)]
struct InForce {
    rules: Arc<Rules>,
    parser: Arc<Parser>,
    /// If it is to be recorded.
    identity: Option<Digest>,
}

impl InForce {
    fn new(rules: Arc<Rules>, recording: bool) -> Self {
        let parser = Arc::new(rules.door().parser());
        let identity = recording.then(|| rules.identity());
        Self { rules, parser, identity }
    }

    /// A plan that says what led to its changes, if that is to be recorded.
    #[inline]
    fn recorded<'p>(&self, plan: Plan<'p>) -> Plan<'p> {
        match self.identity {
            Some(identity) => plan.recording(identity),
            None => plan,
        }
    }
}

impl<S> AsyncEngine<S> {
    /// For stores that are empty; [`Self::open`] is for all others. It cannot wait, so the store is told what its records are of by
    /// the first advance.
    pub fn new(rules: impl Into<Arc<Rules>>, store: S) -> Self {
        Self {
            in_force: ArcSwap::from_pointee(InForce::new(rules.into(), false)),
            replacing: Mutex::default(),
            store,
            recording: false,
            counters: Counters::default(),
            stripes: Stripes::default(),
            builds_due: AtomicU64::new(0),
            builds_done: AtomicU64::new(0),
            retained: AtomicI64::new(Timestamp::MIN.as_unix_millis()),
            is_named: AtomicBool::new(false),
        }
    }

    /// See [`Engine::recording`].
    #[must_use]
    pub fn recording(self) -> Self {
        let in_force = ArcSwap::from_pointee(InForce::new(self.rules(), true));
        Self { recording: true, in_force, ..self }
    }

    /// See [`Engine::rules`].
    pub fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.in_force.load().rules)
    }

    /// See [`Engine::store`].
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// See [`Engine::closed_between`].
    pub fn closed_between(&self, after: Timestamp, through: Timestamp) -> Closings {
        self.rules().closed_between(after, through)
    }

    /// See [`Engine::stats`].
    pub fn stats(&self) -> Stats {
        self.counters.read(&self.stripes.read())
    }

    /// The time of the newest event that was applied: what the next [`Engine::advance`] is measured by.
    fn newest_event(&self) -> Option<Timestamp> {
        self.stripes.read().newest_event
    }
}

impl<S> Engine<S> {
    /// The same, whose change sets say what led to them ([`ChangeSet::run`](crate::record::ChangeSet::run)): for a recorder that
    /// reads the [feed](Self::feed).
    #[must_use]
    pub fn recording(self) -> Self {
        Self(self.0.recording())
    }

    /// The rules of now.
    pub fn rules(&self) -> Arc<Rules> {
        self.0.rules()
    }

    /// The store.
    pub const fn store(&self) -> &S {
        &self.0.store.0
    }

    /// Periods that close in `after < t <= through`, once and in order: what a caller acts on after an advance, from
    /// the mark up to which it has acted. Lazy: the cost is that of the closings taken.
    pub fn closed_between(&self, after: Timestamp, through: Timestamp) -> Closings {
        self.0.closed_between(after, through)
    }

    /// Counts since the engine was made, by stable names: `commands`, `applied`, `held`, `replayed`, `unknown`,
    /// `refused`, and `refused.<code>`; of periods that were paid and whose rows the store could not keep for people to read, `unnoted`
    /// and `unnoted.<code>`.
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }
}

/// The output of a future over a [`Ready`] store.
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("operations wait for their store alone, and no future of `Ready` waits"),
    }
}
