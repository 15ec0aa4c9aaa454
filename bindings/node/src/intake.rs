//! The door.

use std::sync::Arc;

use liveops_core::board::BatchError;
use liveops_core::intake::{Admitted, Request};
use liveops_core::signing::Trusted;
use liveops_core::{Error, PlayerId, Refusal, Timestamp};
use napi::bindgen_prelude::{Either, Uint8ArraySlice};
use napi_derive::napi;

use crate::command::Command;
use crate::event::issue_mode;
use crate::failure::{Failure as _, OrThrow as _, Result};
use crate::quota::RateLimiter;
use crate::rules::Rules;
use crate::signing::{KeyRing, headers_of, scheme_of};

/// Lets events in.
#[napi]
#[derive(Debug)]
pub struct Intake(liveops_core::Intake);

/// How an intake decides.
#[napi(object)]
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "JavaScript gives each by its name")]
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
    /// Among how many processes requests are spread.
    pub quota_share: u32,
    /// Says of a body only the first thing that is wrong.
    pub first_issue: bool,
}

/// One message as it came in, and what the caller knows of where it comes from.
#[napi(object, object_to_js = false)]
#[expect(missing_debug_implementations, reason = "a view into memory of the engine's has none")]
pub struct Message<'m> {
    /// Names and values in turn.
    pub headers: Vec<String>,
    /// As received.
    pub body: Uint8ArraySlice<'m>,
    /// The network address.
    pub address: Option<String>,
    /// The caller knows who sent it: someone who speaks for all players. No signature is asked for.
    pub trusted: bool,
    /// The same of someone who speaks for this player.
    pub trusted_player: Option<String>,
}

impl Message<'_> {
    fn request(&self) -> Result<Request<'_>, Error> {
        let mut request = Request::new(headers_of(&self.headers), &self.body);
        if let Some(address) = &self.address {
            request = request.from_address(address);
        }
        if let Some(player) = &self.trusted_player {
            request = request.from_sender(Trusted::player(PlayerId::new(player)?));
        } else if self.trusted {
            request = request.from_sender(Trusted::for_all());
        }
        Ok(request)
    }
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
        builder = builder.issue_mode(issue_mode(options.first_issue));
        if !options.quotas {
            builder = builder.no_quotas();
        }
        builder = builder.quota_share(options.quota_share);
        if let Some(limiter) = limiter {
            let store: Arc<liveops_core::shared::RateLimiter> = Arc::clone(&limiter.0);
            builder = builder.quota_store(store);
        }
        builder.build().map(Self).or_throw()
    }

    /// Checks one message and stamps what comes through.
    #[napi]
    pub fn admit(&self, message: Message<'_>, now: i64) -> Result<Command> {
        let request = message.request().or_throw()?;
        let admitted: Result<_, Refusal> = self.0.admit_request(&request, Timestamp::from_unix_millis(now));
        admitted.map(command).or_throw()
    }

    /// Many messages, each by itself: a command, or the refusal as JSON.
    #[napi]
    pub fn admit_batch(&self, messages: Vec<Message<'_>>, now: i64) -> Result<Vec<Either<Command, String>>> {
        let requests: Vec<_> = messages
            .iter()
            .enumerate()
            .map(|(index, message)| message.request().map_err(|error| BatchError { index, error }))
            .collect::<Result<_, _>>()
            .or_throw()?;
        let answers = self.0.admit_batch(&requests, Timestamp::from_unix_millis(now)).into_iter();
        let told = |answer: Result<Admitted, Refusal>| match answer {
            Ok(admitted) => Either::A(command(admitted)),
            Err(refusal) => Either::B(refusal.describe().to_string()),
        };
        Ok(answers.map(told).collect())
    }

    /// Tells the intake that the rules were replaced.
    #[napi]
    pub fn replace_rules(&self, rules: &Rules) {
        self.0.replace(&rules.0.door());
    }
}

fn command(admitted: Admitted) -> Command {
    Command(admitted.into_command())
}
