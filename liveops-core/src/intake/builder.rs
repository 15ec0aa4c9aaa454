//! Which steps an intake takes.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;

use super::{Inside, Intake};
use crate::error::{Code, Error};
use crate::event::IssueMode;
use crate::quota::{Quota, QuotaStore};
use crate::rules::Door;
use crate::shared::RateLimiter;
use crate::signing::{KeyRing, Scheme, Secret, SignatureError, Verifier};

/// Puts an [`Intake`] together.
#[derive(Debug)]
pub struct IntakeBuilder {
    door: Door,
    ring: Option<KeyRing>,
    scheme: Scheme,
    tolerance_seconds: Option<i64>,
    trusted: bool,
    allow_unsigned_id: bool,
    issue_mode: IssueMode,
    limiter: Option<DebugLess<Arc<dyn QuotaStore>>>,
    no_quotas: bool,
    quota_share: u32,
}

/// Holds what cannot be shown.
struct DebugLess<T>(T);

impl<T> std::fmt::Debug for DebugLess<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("..")
    }
}

impl IntakeBuilder {
    pub(super) const fn new(door: Door) -> Self {
        Self {
            door,
            ring: None,
            scheme: Scheme::Standard,
            tolerance_seconds: None,
            trusted: false,
            allow_unsigned_id: false,
            issue_mode: IssueMode::All,
            limiter: None,
            no_quotas: false,
            quota_share: 1,
        }
    }

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

    /// How much the refusal of a body says: every issue, unless said otherwise.
    #[must_use]
    pub fn issue_mode(self, issue_mode: IssueMode) -> Self {
        Self { issue_mode, ..self }
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

    /// One of so many processes among which requests are spread alike: each quota of the rules counts as [`Quota::share`] has it, now and when the
    /// rules are replaced. Every process counts by itself, so that without this so many let through as many times as much. Where all
    /// requests of a player come to one process, quotas for players need no sharing.
    #[must_use]
    pub fn quota_share(self, processes: u32) -> Self {
        Self { quota_share: processes, ..self }
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
            door: RwLock::new(Arc::new(Inside::new(&self.door, self.issue_mode, self.quota_share))),
            verifier,
            headers_count: self.scheme == Scheme::Standard || self.allow_unsigned_id,
            issue_mode: self.issue_mode,
            quota_share: self.quota_share,
            limiter,
        })
    }
}
