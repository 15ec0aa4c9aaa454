//! The door: size, signature, quota and parsing in one call.
//!
//! It stands beside the engine rather than under it, because quotas are state that threads share. What it admits is a
//! [`Command`] that the engine takes as it is.

mod builder;
mod refusal;

use std::ops::Deref;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::error::Code;
use crate::event::{IssueMode, Parser};
use crate::id::EventId;
use crate::limits::BODY_BYTES_MAX;
use crate::quota::QuotaStore;
use crate::record::Command;
use crate::rules::{Door, DoorQuota, Per};
use crate::signing::{Headers, SignatureError, Trusted, Verified, Verifier};
use crate::time::Timestamp;

pub use builder::IntakeBuilder;
pub use refusal::Refusal;

/// An event and when it came in. Only the door makes one. It reads as the [`Command`] it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted(Command);

impl Admitted {
    /// The command, for keeping.
    pub fn into_command(self) -> Command {
        self.0
    }
}

impl Deref for Admitted {
    type Target = Command;

    fn deref(&self) -> &Command {
        &self.0
    }
}

impl std::borrow::Borrow<Command> for Admitted {
    fn borrow(&self) -> &Command {
        &self.0
    }
}

impl From<Admitted> for Command {
    fn from(admitted: Admitted) -> Self {
        admitted.0
    }
}

/// Lets events in. `Send + Sync`; share it.
///
/// ```
/// use liveops_core::intake::Intake;
/// use liveops_core::signing::{Headers, Secret, Signer};
/// use liveops_core::{Rules, Timestamp};
///
/// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall" }"#)?;
/// let secret = Secret::generate([7; 32]);
/// let intake = Intake::builder(rules.door()).secret(&secret)?.build()?;
///
/// let now = Timestamp::from_unix_seconds(1_794_052_800);
/// let body = br#"{"type":"progression","playerId":"ana","ts":1794052800,"payload":{"deltaXp":120}}"#;
/// let signed = Signer::new(secret)?.sign("evt_1", body, now)?;
/// let event = intake.admit(&Headers::from_pairs(signed.pairs()), body, now)?;
/// assert_eq!(event.id.id.as_str(), "evt_1");
///
/// let refusal = intake.admit(&Headers::default(), body, now).unwrap_err();
/// assert_eq!((refusal.code().as_str(), refusal.http_status()), ("missing_header", 401));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Intake {
    door: RwLock<Arc<Inside>>,
    verifier: Option<Verifier>,
    /// Whether ids in headers count beside a signature: it covers them, or the caller said so.
    headers_count: bool,
    issue_mode: IssueMode,
    quota_share: u32,
    limiter: Option<Arc<dyn QuotaStore>>,
}

/// What comes from the rules.
struct Inside {
    parser: Parser,
    quotas: Vec<DoorQuota>,
}

impl std::fmt::Debug for Intake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Intake").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

impl Inside {
    fn new(door: &Door, issue_mode: IssueMode, quota_share: u32) -> Self {
        let share = |quota: &DoorQuota| DoorQuota { quota: quota.quota.share(quota_share), ..*quota };
        Self { parser: door.parser().with_mode(issue_mode), quotas: door.quotas().iter().map(share).collect() }
    }
}

impl Intake {
    /// Starts with the door of the rules that will decide.
    pub const fn builder(door: Door) -> IntakeBuilder {
        IntakeBuilder::new(door)
    }

    /// Tells the intake that the rules were replaced.
    pub fn replace(&self, door: &Door) {
        *self.door.write() = Arc::new(Inside::new(door, self.issue_mode, self.quota_share));
    }

    /// Checks size, signature, body and the player's quota, in this order, and stamps what comes through.
    pub fn admit(&self, headers: &Headers<'_>, body: &[u8], now: Timestamp) -> Result<Admitted, Refusal> {
        self.admit_request(&Request::new(*headers, body), now)
    }

    /// The same for a caller who knows more of the request. The quota of its address is asked before the signature is
    /// looked at; a sender whom the caller trusts needs none.
    pub fn admit_request(&self, request: &Request<'_>, now: Timestamp) -> Result<Admitted, Refusal> {
        let Request { headers, body, .. } = request;
        if body.len() > BODY_BYTES_MAX {
            return Err(Code::TooLarge.into());
        }
        let inside = Arc::clone(&self.door.read());
        if let Some(address) = request.address {
            self.ask(&inside.quotas, Per::Ip, "ip", address, now)?;
        }
        let (verified, headers_count) = match (&request.trusted, &self.verifier) {
            (Some(trusted), _) => (trusted.clone().into(), true),
            (None, Some(verifier)) => (verifier.verify(headers, body, now)?, self.headers_count),
            (None, None) => (Trusted::for_all().into(), true),
        };
        let mut parsed = inside.parser.parse(body, now)?;
        verified.check_player(&parsed.player)?;
        let id = event_id(parsed.id.take(), headers, &verified, headers_count)?;
        self.ask(&inside.quotas, Per::Player, "player", parsed.player.as_str(), now)?;
        Ok(Admitted(Command::event(parsed.into_event(id), now)))
    }

    /// Many requests, each by itself and in order: one answer for each.
    ///
    /// ```
    /// use liveops_core::intake::{Intake, Request};
    /// use liveops_core::signing::{Headers, Trusted};
    /// use liveops_core::{PlayerId, Rules, Timestamp};
    ///
    /// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall" }"#)?;
    /// let intake = Intake::builder(rules.door()).trusted().build()?;
    /// let body = br#"{"id":"e","type":"progression","playerId":"ana","ts":1794052800,"payload":{"deltaXp":1}}"#;
    /// let request = Request::new(Headers::default(), body).from_address("203.0.113.9");
    /// let of_bo = request.clone().from_sender(Trusted::player(PlayerId::new("bo")?));
    /// let answers = intake.admit_batch(&[request, of_bo], Timestamp::from_unix_seconds(1_794_052_800));
    /// assert!(answers[0].is_ok());
    /// assert_eq!(answers[1].as_ref().unwrap_err().code().as_str(), "key_player_mismatch");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn admit_batch(&self, requests: &[Request<'_>], now: Timestamp) -> Vec<Result<Admitted, Refusal>> {
        requests.iter().map(|request| self.admit_request(request, now)).collect()
    }

    fn ask(
        &self,
        quotas: &[DoorQuota],
        per: Per,
        scope: &'static str,
        who: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        let key = format!("{scope}:{who}");
        let requests: Vec<_> = quotas.iter().filter(|q| q.per == per).map(|q| (q.quota, key.as_str())).collect();
        if requests.is_empty() {
            return Ok(());
        }
        match limiter.check_all(&requests, 1, now) {
            Ok(decision) if decision.allowed => Ok(()),
            Ok(decision) => Err(Refusal { scope, ..decision.into() }),
            Err(error) => Err(error.kind.code().into()),
        }
    }
}

/// A request to the door.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    headers: Headers<'a>,
    body: &'a [u8],
    address: Option<&'a str>,
    trusted: Option<Trusted>,
}

impl<'a> Request<'a> {
    /// With the body as received, byte by byte.
    pub const fn new(headers: Headers<'a>, body: &'a [u8]) -> Self {
        Self { headers, body, address: None, trusted: None }
    }

    /// From this network address, as the caller knows it: what quotas per address go by.
    #[must_use]
    pub fn from_address(self, address: &'a str) -> Self {
        Self { address: Some(address), ..self }
    }

    /// From a sender whom the caller knows by other means: no signature is asked for.
    #[must_use]
    pub fn from_sender(self, trusted: Trusted) -> Self {
        Self { trusted: Some(trusted), ..self }
    }
}

/// The body's id, else the signed `webhook-id`, else `Idempotency-Key` as it was sent. Those that are there must agree;
/// headers that do not count are not looked at.
fn event_id(
    body: Option<EventId>,
    headers: &Headers<'_>,
    verified: &Verified,
    headers_count: bool,
) -> Result<EventId, Refusal> {
    let header = |text: Result<_, SignatureError>| if headers_count { text } else { Ok(None) };
    let message = match verified.message_id() {
        Some(id) => Some(id.clone()),
        None => {
            header(headers.webhook_id())?.map(EventId::new).transpose().map_err(|error| Refusal::from(error.code()))?
        }
    };
    let key = header(headers.idempotency_key())?;
    let mut named = [body, message].into_iter().flatten();
    let Some(first) = named.next() else {
        let key = key.ok_or(Code::MissingEventId)?;
        return EventId::new(key).map_err(|error| error.code().into());
    };
    let agrees = key.map_or(Ok(true), |key| is_key_of(key, &first))?;
    if agrees && named.all(|other| other == first) { Ok(first) } else { Err(Code::EventIdMismatch.into()) }
}

/// Whether an `Idempotency-Key` names the event that something else names: as it is, or quoted as the IETF's draft
/// (`draft-ietf-httpapi-idempotency-key-header`) has it, a string of RFC 8941. Any other must be an id.
fn is_key_of(key: &str, id: &EventId) -> Result<bool, Refusal> {
    let quoted = || format!("\"{}\"", id.as_str().replace('\\', r"\\").replace('"', "\\\""));
    if key == id.as_str() || key == quoted() {
        return Ok(true);
    }
    EventId::new(key).map(|_| false).map_err(|error| error.code().into())
}
