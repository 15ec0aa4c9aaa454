//! For users' own tests, and ours: a clock to turn, signed events, and a way to wait without a runtime.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Wake};
use std::thread::Thread;

use serde_json::{Value, json};

use crate::error::StoreErrorKind;
use crate::signing::{Secret, SignatureError, SignedHeaders, Signer};
use crate::store::BlockOn;
use crate::time::Timestamp;

/// A clock that stands until it is turned.
///
/// ```
/// use liveops_core::testing::Clock;
///
/// let clock = Clock::at("2026-11-07T12:00:00Z");
/// clock.advance_millis(1500);
/// assert_eq!(clock.now().to_string(), "2026-11-07T12:00:01.500Z");
/// ```
#[derive(Debug, Default)]
pub struct Clock(AtomicI64);

impl Clock {
    /// A clock that shows a time.
    pub const fn new(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_unix_millis()))
    }

    /// A clock that shows `YYYY-MM-DDTHH:MM:SSZ`.
    ///
    /// # Panics
    ///
    /// If that is no time.
    pub fn at(time: &str) -> Self {
        Self::new(Timestamp::from_rfc3339(time).unwrap_or_else(|| panic!("{time} is no YYYY-MM-DDTHH:MM:SSZ")))
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.0.load(Ordering::SeqCst))
    }

    /// Turns it, back if negative.
    pub fn advance_millis(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

/// Builds the body of an event, and signs it.
///
/// ```
/// use liveops_core::testing::{Clock, EventBuilder};
/// use liveops_core::intake::Intake;
/// use liveops_core::signing::{Headers, Secret};
/// use liveops_core::Rules;
///
/// let clock = Clock::at("2026-11-07T12:00:00Z");
/// let secret = Secret::generate([1; 32]);
/// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall" }"#)?;
/// let intake = Intake::builder(rules.door()).secret(&secret)?.build()?;
///
/// let event = EventBuilder::progression("ana", 120, clock.now()).id("e1");
/// let (headers, body) = event.sign(&secret, clock.now())?;
/// assert!(intake.admit(&Headers::from_pairs(headers.pairs()), &body, clock.now()).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct EventBuilder {
    id: Option<String>,
    body: Value,
}

impl EventBuilder {
    /// An event of any type, with an empty payload.
    pub fn new(kind: &str, player: &str, ts: Timestamp) -> Self {
        let body = json!({ "type": kind, "playerId": player, "ts": ts.as_unix_seconds(), "payload": {} });
        Self { id: None, body }
    }

    /// A `progression` event.
    pub fn progression(player: &str, delta_xp: i64, ts: Timestamp) -> Self {
        Self::new("progression", player, ts).field("deltaXp", delta_xp)
    }

    /// A `boss_kill` event.
    pub fn boss_kill(player: &str, boss: &str, duration_ms: i64, ts: Timestamp) -> Self {
        Self::new("boss_kill", player, ts).field("bossId", boss).field("durationMs", duration_ms)
    }

    /// Names the event, in the body and in the signed header.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        self.body["id"] = id.into();
        Self { id: Some(id.to_owned()), ..self }
    }

    /// Sets a field of the payload.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.body["payload"][name] = value.into();
        self
    }

    /// The body.
    pub fn body(&self) -> Vec<u8> {
        self.body.to_string().into_bytes()
    }

    /// The signed headers and the body; an event without a name is signed as `msg_test`.
    pub fn sign(&self, secret: &Secret, now: Timestamp) -> Result<(SignedHeaders, Vec<u8>), SignatureError> {
        let body = self.body();
        let id = self.id.as_deref().unwrap_or("msg_test");
        Ok((Signer::new(secret.clone())?.sign(id, &body, now)?, body))
    }
}

/// Waits for futures that need no runtime: the thread sleeps until one is woken.
///
/// ```
/// use liveops_core::conformance;
/// use liveops_core::store::{Blocking, Ready};
/// use liveops_core::testing::Parked;
/// use liveops_core::MemoryStore;
///
/// conformance::check_scan(|| Blocking::new(Ready(MemoryStore::new()), Parked));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Parked;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl BlockOn for Parked {
    fn block_on<F: Future>(&self, future: F) -> Result<F::Output, StoreErrorKind> {
        let (mut future, waker) = (pin!(future), Arc::new(Unpark(std::thread::current())).into());
        let mut context = Context::from_waker(&waker);
        loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(output) => return Ok(output),
                // Wakes at once if the waker was called meanwhile.
                Poll::Pending => std::thread::park(),
            }
        }
    }
}
