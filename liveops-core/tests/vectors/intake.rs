//! The door, with whatever keys it has.

use liveops_core::intake::Intake;
use liveops_core::signing::{Headers, Key, KeyRing, Secret, SignatureError};
use liveops_core::{Error, Id, PlayerId};
use serde_json::{Value, json};

use super::case::{Case, text, time};
use super::parts::{as_event, scheme};

pub(crate) fn run(case: &Case) {
    let actual = match intake(case) {
        Ok(intake) => match intake.admit(&headers(case.need("headers")), &case.body(), case.time("nowMs")) {
            Ok(admitted) => json!({ "event": as_event(admitted.into_command()) }),
            Err(refusal) => {
                json!({ "code": refusal.code(), "status": refusal.http_status(), "issues": refusal.issues })
            }
        },
        Err(error) => json!({ "code": error.code() }),
    };
    case.compare(case.expect(), &actual);
    assert_eq!(actual.get("event").is_some(), case.expect().get("event").is_some(), "{}", case.name());
}

fn intake(case: &Case) -> Result<Intake, Error> {
    let mut builder = Intake::builder(case.rules().door()).scheme(scheme(case)).no_quotas();
    if let Some(secret) = case.get("secret") {
        builder = builder.secret(&Secret::parse(text(secret))?)?;
    }
    if let Some(keys) = case.get("keys") {
        let keys: Result<Vec<_>, SignatureError> = keys.as_array().unwrap().iter().map(key).collect();
        builder = builder.key_ring(KeyRing::new(keys?)?);
    }
    if case.get("trusted").is_some() {
        builder = builder.trusted();
    }
    if case.get("allowUnsignedId").is_some() {
        builder = builder.allow_unsigned_id();
    }
    if let Some(seconds) = case.get("toleranceSeconds") {
        builder = builder.tolerance_seconds(seconds.as_i64().unwrap());
    }
    builder.build()
}

fn key(key: &Value) -> Result<Key, SignatureError> {
    let mut made = Key::new(Id::new(text(&key["id"])).unwrap(), &Secret::parse(text(&key["secret"]))?);
    if let Some(from) = key.get("notBeforeMs") {
        made = made.not_before(time(from));
    }
    if let Some(through) = key.get("notAfterMs") {
        made = made.not_after(time(through));
    }
    if let Some(player) = key.get("playerId") {
        made = made.for_player(PlayerId::new(text(player)).unwrap());
    }
    Ok(made)
}

/// An object, or pairs where a name comes twice.
fn headers(headers: &Value) -> Headers<'_> {
    match headers {
        Value::Object(headers) => Headers::from_pairs(headers.iter().map(|(name, value)| (name.as_str(), text(value)))),
        pairs => Headers::from_pairs(pairs.as_array().unwrap().iter().map(|pair| (text(&pair[0]), text(&pair[1])))),
    }
}
