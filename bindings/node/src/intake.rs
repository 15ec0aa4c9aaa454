//! The door.

use std::sync::Arc;

use liveops_core::intake::Request;
use liveops_core::{Refusal, Timestamp};
use napi_derive::napi;

use crate::command::Command;
use crate::failure::{OrThrow as _, Result};
use crate::rules::Rules;
use crate::shelf::RateLimiter;
use crate::signing::{KeyRing, headers_of, scheme_of};

/// Lets events in.
#[napi]
#[derive(Debug)]
pub struct Intake(liveops_core::Intake);

/// How an intake decides.
#[napi(object)]
#[derive(Debug)]
pub struct IntakeOptions {
    /// How messages are signed.
    pub scheme: String,
    /// How far a signature's time may lie from now, in seconds.
    pub tolerance: Option<i64>,
    /// Asks for no signature.
    pub trusted: bool,
    /// Takes the event's id from a header that is not signed.
    pub allow_unsigned_id: bool,
    /// Counts calls.
    pub quotas: bool,
}

#[napi]
impl Intake {
    /// For the door of these rules.
    #[napi(constructor)]
    pub fn new(
        rules: &Rules,
        ring: Option<&KeyRing>,
        options: IntakeOptions,
        limiter: Option<&RateLimiter>,
    ) -> Result<Self> {
        let mut builder = liveops_core::Intake::builder(rules.0.door()).scheme(scheme_of(&options.scheme)?);
        if let Some(ring) = ring {
            builder = builder.key_ring(ring.ring()?);
        }
        if let Some(seconds) = options.tolerance {
            builder = builder.tolerance_seconds(seconds);
        }
        if options.trusted {
            builder = builder.trusted();
        }
        if options.allow_unsigned_id {
            builder = builder.allow_unsigned_id();
        }
        if !options.quotas {
            builder = builder.no_quotas();
        }
        if let Some(limiter) = limiter {
            let store: Arc<liveops_core::shared::RateLimiter> = Arc::clone(&limiter.0);
            builder = builder.quota_store(store);
        }
        builder.build().map(Self).or_throw()
    }

    /// Checks one message and stamps what comes through.
    #[napi]
    pub fn admit(&self, headers: Vec<String>, body: &[u8], now: i64, address: Option<String>) -> Result<Command> {
        let now = Timestamp::from_unix_millis(now);
        let request = Request::new(headers_of(&headers), body);
        let request = match &address {
            Some(address) => request.from_address(address),
            None => request,
        };
        let admitted: Result<_, Refusal> = self.0.admit_request(&request, now);
        admitted.map(|admitted| Command(admitted.into_command())).or_throw()
    }

    /// Tells the intake that the rules were replaced.
    #[napi]
    pub fn replace_rules(&self, rules: &Rules) {
        self.0.replace(&rules.0.door());
    }
}
