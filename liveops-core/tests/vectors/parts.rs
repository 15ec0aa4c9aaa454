//! The kinds that look at one part of the library alone.

use liveops_core::event::Event;
use liveops_core::intake::Intake;
use liveops_core::record::Action;
use liveops_core::signing::{Headers, Scheme, Signer, Verifier, hmac_sha256_hex, verify_hmac_sha256_hex};
use liveops_core::{Command, Rules};
use serde_json::{Map, Value, json};

use super::case::{Case, text};

pub(crate) fn rules(case: &Case) {
    let actual = match Rules::from_json(&case.need("rules").to_string()) {
        Ok(rules) => {
            let rules = match case.get("lootSeedHex") {
                Some(_) => rules.with_loot_seed(case.bytes_of_hex("lootSeedHex").try_into().unwrap()),
                None => rules,
            };
            let warnings = rules.warnings();
            let is_there = |path: &str| case.need("rules").pointer(path).is_some();
            assert!(warnings.iter().all(|warning| is_there(&warning.path)), "{warnings:?}");
            json!({
                "warnings": warnings.iter().map(|warning| json!([warning.path, warning.code])).collect::<Vec<_>>(),
                "messages": warnings.iter().map(|warning| &warning.message).collect::<Vec<_>>(),
                "lootCommitment": rules.loot_commitment(),
            })
        }
        Err(error) => json!({ "error": { "path": error.path, "issue": error.issue } }),
    };
    case.compare(case.expect(), &actual);
}

pub(crate) fn hmac(case: &Case) {
    let (key, data) = (case.bytes_of_hex("keyHex"), case.bytes_of_hex("dataHex"));
    assert_eq!(hmac_sha256_hex(&key, &data), case.text("macHex"), "{}", case.name());
    assert!(verify_hmac_sha256_hex(&key, &data, case.text("macHex")));
}

pub(crate) fn scheme(case: &Case) -> Scheme {
    match case.get("scheme").map_or("standard", text) {
        "standard" => Scheme::Standard,
        "legacyBody" => Scheme::LegacyBody,
        "legacyBodyTimestamp" => Scheme::LegacyBodyTimestamp,
        other => panic!("unknown scheme {other}"),
    }
}

pub(crate) fn signing(case: &Case) {
    let scheme = scheme(case);
    if let Some(code) = case.get("secretError") {
        let refused = [Signer::new(case.text("secret")).err(), Verifier::new(case.text("secret")).err()];
        for error in refused {
            assert_eq!(error.map(|e| e.code().as_str()), code.as_str(), "{}", case.name());
        }
        return;
    }
    let (body, now) = (case.body(), case.time("nowMs"));
    match case.text("do") {
        "sign" => {
            let signer = Signer::new(case.text("secret")).unwrap().scheme(scheme);
            let actual = match signer.sign(case.text("id"), &body, now) {
                Ok(headers) => {
                    let headers: Map<_, _> = headers.pairs().map(|(n, v)| (n.to_owned(), Value::from(v))).collect();
                    json!({ "headers": headers })
                }
                Err(error) => json!({ "code": error.code() }),
            };
            // All headers, so not member by member.
            assert_eq!(&actual, case.expect(), "{}", case.name());
        }
        "verify" => {
            let mut verifier = Verifier::new(case.text("secret")).unwrap().scheme(scheme);
            if let Some(seconds) = case.get("toleranceSeconds") {
                verifier = verifier.tolerance_seconds(seconds.as_i64().unwrap());
            }
            let headers = case.need("headers").as_object().unwrap();
            let headers = Headers::from_pairs(headers.iter().map(|(name, value)| (name.as_str(), text(value))));
            let actual = match verifier.verify(&headers, &body, now) {
                Ok(proof) => json!({ "messageId": proof.message_id() }),
                Err(error) => json!({ "code": error.code() }),
            };
            assert_eq!(&actual, case.expect(), "{}", case.name());
        }
        other => panic!("unknown do: {other}"),
    }
}

pub(crate) fn event(case: &Case) {
    let intake = Intake::builder(case.rules().door()).trusted().no_quotas().build().unwrap();
    let actual = match intake.admit(&Headers::default(), &case.body(), case.time("receivedMs")) {
        Ok(admitted) => json!({ "event": as_event(admitted.into_command()) }),
        Err(refusal) => json!({ "code": refusal.code(), "issues": refusal.issues }),
    };
    case.compare(case.expect(), &actual);
    assert_eq!(actual.get("event").is_some(), case.expect().get("event").is_some(), "{}", case.name());
    // Of an event, all of it: nothing may be added either.
    if let Some(event) = case.expect().get("event") {
        assert_eq!(actual["event"]["payload"].as_object().unwrap().len(), event["payload"].as_object().unwrap().len());
    }
}

pub(crate) fn as_event(command: Command) -> Event {
    let Command { id, player, ts, action, .. } = command;
    let Action::Event { kind, payload } = action else { panic!("an intake admits events") };
    Event { id: id.id, player, ts, kind, payload }
}

pub(crate) fn curve(case: &Case) {
    let rules = json!({ "version": 1, "game": "vectors", "progress": { "curve": case.need("curve") } });
    let rules = match Rules::from_json(&rules.to_string()) {
        Ok(rules) => rules,
        Err(error) => {
            let actual = json!({ "error": { "path": error.path, "issue": error.issue } });
            return case.compare(case.expect(), &actual);
        }
    };
    let levels = &rules.progression().levels;
    let expect = case.expect();
    let pairs = |member: &str, value: &dyn Fn(u64) -> u64| -> Vec<Value> {
        let expected = expect[member].as_array().unwrap_or_else(|| panic!("{} should fail", case.name()));
        expected.iter().map(|pair| pair[0].as_u64().unwrap()).map(|at| json!([at, value(at)])).collect()
    };
    let level = |at: u64| u32::try_from(at).unwrap();
    let actual = json!({
        "maxLevel": levels.max_level(),
        "cost": pairs("cost", &|at| levels.cost(level(at))),
        "total": pairs("total", &|at| levels.total(level(at))),
        "levelAt": pairs("levelAt", &|xp| levels.level_at(xp).into()),
    });
    case.compare(expect, &actual);
}
