//! The door: size, signature, quota and parsing in one call.
//!
//! It stands beside the engine rather than under it, because quotas are state that threads share. What it admits is a
//! [`Command`] that the engine takes as it is.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use serde_json::json;

use crate::error::{Code, Error};
use crate::event::{Issue, Parser, ValidationError};
use crate::id::EventId;
use crate::limits::BODY_BYTES_MAX;
use crate::quota::{Decision, Quota, QuotaStore};
use crate::record::Command;
use crate::rules::{Door, DoorQuota, Per};
use crate::shared::RateLimiter;
use crate::signing::{Headers, KeyRing, Scheme, Secret, SignatureError, Verified, Verifier};
use crate::time::Timestamp;

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

/// The name of a quota that has none.
const SCOPE_DEFAULT: &str = "default";

/// Why something was not taken, with all that an HTTP answer needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// One sentence, without any value that was sent.
    pub message: String,
    /// What is wrong with the body, if that is why.
    pub issues: Vec<Issue>,
    /// What the quota says, if that is why.
    pub decision: Option<Box<Decision>>,
    /// Whose quota that is, and its name in headers: `ip` or `player`; `default` where nobody said.
    pub scope: &'static str,
}

impl Refusal {
    const fn because(code: Code, message: String) -> Self {
        Self { code, message, issues: Vec::new(), decision: None, scope: SCOPE_DEFAULT }
    }

    /// The stable code.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The HTTP status to answer with.
    pub const fn http_status(&self) -> u16 {
        self.code.http_status()
    }

    /// After how many seconds to try again, if that helps.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.decision.as_ref().and_then(|decision| decision.retry_after_seconds())
    }

    /// A problem document (RFC 9457), for `application/problem+json`.
    pub fn problem(&self) -> serde_json::Value {
        let mut problem = json!({
            "type": format!("urn:liveops:error:{}", self.code),
            "title": self.code.description(),
            "status": self.http_status(),
            "code": self.code,
            "detail": self.message,
        });
        if !self.issues.is_empty() {
            problem["issues"] = json!(self.issues);
        }
        if let Some(seconds) = self.retry_after_seconds() {
            problem["retryAfterSeconds"] = json!(seconds);
        }
        problem
    }

    /// Headers that belong to the answer.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![("Content-Type", "application/problem+json".to_owned())];
        headers.extend(self.decision.iter().flat_map(|decision| decision.headers(self.scope)));
        headers
    }
}

impl From<ValidationError> for Refusal {
    fn from(error: ValidationError) -> Self {
        Self { issues: error.issues().to_vec(), ..Self::because(error.code(), error.to_string()) }
    }
}

impl From<SignatureError> for Refusal {
    fn from(error: SignatureError) -> Self {
        Self::because(error.code(), error.message().to_owned())
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self::because(code, code.description().to_owned())
    }
}

impl From<Decision> for Refusal {
    fn from(decision: Decision) -> Self {
        Self { decision: Some(Box::new(decision)), ..decision.code.unwrap_or(Code::RateLimited).into() }
    }
}

/// What the engine refused, with the issues of a line that was no event.
impl From<&Error> for Refusal {
    fn from(error: &Error) -> Self {
        use std::error::Error as _;
        match error.source().and_then(|source| source.downcast_ref::<ValidationError>()) {
            Some(validation) => validation.clone().into(),
            None => error.code().into(),
        }
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
    scheme: Scheme,
    allow_unsigned_id: bool,
    limiter: Option<Arc<dyn QuotaStore>>,
}

/// What comes from the rules.
struct Inside {
    parser: Parser,
    quotas: Vec<DoorQuota>,
}

impl std::fmt::Debug for Intake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Intake").field("scheme", &self.scheme).field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

/// Puts an [`Intake`] together.
#[derive(Debug)]
pub struct IntakeBuilder {
    door: Door,
    ring: Option<KeyRing>,
    scheme: Scheme,
    tolerance_seconds: Option<i64>,
    trusted: bool,
    allow_unsigned_id: bool,
    limiter: Option<DebugLess<Arc<dyn QuotaStore>>>,
    no_quotas: bool,
}

/// Holds what cannot be shown.
struct DebugLess<T>(T);

impl<T> std::fmt::Debug for DebugLess<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("..")
    }
}

impl IntakeBuilder {
    /// Verifies with one secret.
    pub fn secret(self, secret: &Secret) -> Result<Self, SignatureError> {
        Ok(self.key_ring(secret.into()))
    }

    /// Verifies with any valid key of a ring.
    #[must_use]
    pub fn key_ring(self, ring: KeyRing) -> Self {
        Self { ring: Some(ring), ..self }
    }

    /// Another scheme than Standard Webhooks.
    #[must_use]
    pub fn scheme(self, scheme: Scheme) -> Self {
        Self { scheme, ..self }
    }

    /// Another tolerance for the time of a signature than 300 seconds.
    #[must_use]
    pub fn tolerance_seconds(self, seconds: i64) -> Self {
        Self { tolerance_seconds: Some(seconds), ..self }
    }

    /// No signatures: for callers that know otherwise who is calling.
    #[must_use]
    pub fn trusted(self) -> Self {
        Self { trusted: true, ..self }
    }

    /// With a legacy signature, takes the event's id from a header that is not signed.
    #[must_use]
    pub fn allow_unsigned_id(self) -> Self {
        Self { allow_unsigned_id: true, ..self }
    }

    /// Keeps the state of quotas elsewhere than in this intake's own memory. While the store fails, events are refused
    /// with its code; [`QuotaStore`] shows how to let them pass instead.
    #[must_use]
    pub fn quota_store(self, store: Arc<dyn QuotaStore>) -> Self {
        Self { limiter: Some(DebugLess(store)), ..self }
    }

    /// Takes no notice of the quotas in the rules.
    #[must_use]
    pub fn no_quotas(self) -> Self {
        Self { no_quotas: true, ..self }
    }

    /// The intake.
    ///
    /// Errors: `secret_invalid` without a secret, unless it is [`Self::trusted`].
    pub fn build(self) -> Result<Intake, Error> {
        let verifier = match self.ring {
            Some(ring) => {
                let verifier = Verifier::with_ring(ring).scheme(self.scheme);
                Some(match self.tolerance_seconds {
                    Some(seconds) => verifier.tolerance_seconds(seconds),
                    None => verifier,
                })
            }
            None if self.trusted => None,
            None => return Err(Code::SecretInvalid.into()),
        };
        let own = || -> Arc<dyn QuotaStore> { Arc::new(RateLimiter::new(Quota::new(1, Duration::from_secs(1)))) };
        let limiter = (!self.no_quotas).then(|| self.limiter.map_or_else(own, |limiter| limiter.0));
        Ok(Intake {
            door: RwLock::new(Arc::new(Inside::new(&self.door))),
            verifier,
            scheme: self.scheme,
            allow_unsigned_id: self.allow_unsigned_id,
            limiter,
        })
    }
}

impl Inside {
    fn new(door: &Door) -> Self {
        Self { parser: door.parser(), quotas: door.quotas().to_vec() }
    }
}

impl Intake {
    /// Starts with the door of the rules that will decide.
    pub const fn builder(door: Door) -> IntakeBuilder {
        IntakeBuilder {
            door,
            ring: None,
            scheme: Scheme::Standard,
            tolerance_seconds: None,
            trusted: false,
            allow_unsigned_id: false,
            limiter: None,
            no_quotas: false,
        }
    }

    /// Tells the intake that the rules were replaced.
    pub fn replace(&self, door: &Door) {
        *self.door.write() = Arc::new(Inside::new(door));
    }

    /// Checks size, signature, the player's quota and the body, in this order, and stamps what comes through.
    pub fn admit(&self, headers: &Headers<'_>, body: &[u8], now: Timestamp) -> Result<Admitted, Refusal> {
        self.admit_from(None, headers, body, now)
    }

    /// The same for a caller who knows the sender's address: its quota is asked first.
    pub fn admit_from(
        &self,
        address: Option<&str>,
        headers: &Headers<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Admitted, Refusal> {
        if body.len() > BODY_BYTES_MAX {
            return Err(Code::TooLarge.into());
        }
        let inside = Arc::clone(&self.door.read());
        if let Some(address) = address {
            self.ask(&inside.quotas, Per::Ip, "ip", address, now)?;
        }
        let verified = match &self.verifier {
            Some(verifier) => verifier.verify(headers, body, now)?,
            None => Verified::trusted(),
        };
        let mut parsed = inside.parser.parse(body, now)?;
        verified.check_player(&parsed.player)?;
        let id = self.event_id(parsed.id.take(), headers, &verified)?;
        self.ask(&inside.quotas, Per::Player, "player", parsed.player.as_str(), now)?;
        Ok(Admitted(Command::event(parsed.into_event(id), now)))
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

    /// The body's id, else the signed `webhook-id`, else `Idempotency-Key`. Those that are there must agree; where
    /// headers are not signed, they do not count unless the caller said so.
    fn event_id(&self, body: Option<EventId>, headers: &Headers<'_>, verified: &Verified) -> Result<EventId, Refusal> {
        let unsigned_counts = self.verifier.is_none() || self.scheme == Scheme::Standard || self.allow_unsigned_id;
        let header = |text: Result<Option<&str>, SignatureError>| -> Result<Option<EventId>, Refusal> {
            let parse = |text| EventId::new(text).map_err(|error| Refusal::from(error.code()));
            text?.map(parse).transpose()
        };
        let message = match verified.message_id() {
            Some(id) => Some(id.clone()),
            None => header(headers.webhook_id())?.filter(|_| unsigned_counts),
        };
        let named = [body, message, header(headers.idempotency_key())?.filter(|_| unsigned_counts)];
        let mut named = named.into_iter().flatten();
        let first = named.next().ok_or(Code::MissingEventId)?;
        if named.all(|other| other == first) { Ok(first) } else { Err(Code::EventIdMismatch.into()) }
    }
}
