//! Runs `vectors/*.json`, which Python and Node run too; `vectors/README.md` fixes the format.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "vectors/anomaly.rs"]
mod anomaly;
#[path = "vectors/arguments.rs"]
mod arguments;
#[path = "vectors/board.rs"]
mod board;
#[path = "vectors/calendar.rs"]
mod calendar;
#[path = "vectors/case.rs"]
mod case;
#[path = "vectors/engine.rs"]
mod engine;
#[path = "vectors/http.rs"]
mod http;
#[path = "vectors/intake.rs"]
mod intake;
#[path = "vectors/parts.rs"]
mod parts;
#[path = "vectors/payout.rs"]
mod payout;
#[path = "vectors/progress.rs"]
mod progress;
#[path = "vectors/quota.rs"]
mod quota;
#[path = "vectors/windowed.rs"]
mod windowed;

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use case::Case;
use liveops_core::Code;
use serde_json::Value;

/// A kind, and what runs one case of it.
type Kind = (&'static str, fn(&Case));

const KINDS: &[Kind] = &[
    ("arguments", arguments::run),
    ("rules", parts::rules),
    ("hmac", parts::hmac),
    ("signing", parts::signing),
    ("event", parts::event),
    ("intake", intake::run),
    ("curve", parts::curve),
    ("progress", progress::progress),
    ("migration", progress::migration),
    ("loot", progress::loot),
    ("receipt", progress::receipt),
    ("period", calendar::period),
    ("closed", calendar::closed),
    ("state", calendar::state),
    ("board", board::run),
    ("windowed", windowed::run),
    ("engine", engine::run),
    ("http", http::run),
    ("payout", payout::run),
    ("quota", quota::run),
    ("detector", anomaly::detector),
    ("family", anomaly::family),
];

/// Every file, by the order of their names.
fn documents() -> Vec<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let files = files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.map(|file| serde_json::from_slice(&fs::read(file).unwrap()).unwrap()).collect()
}

/// A failure names every case that failed, not just the first.
#[test]
fn every_case_of_every_file() {
    let (mut ran, mut failed, mut kinds) = (0, Vec::new(), Vec::new());
    for document in documents() {
        let kind = document["kind"].as_str().unwrap();
        let (_, run) = KINDS.iter().find(|(known, _)| *known == kind).unwrap_or_else(|| panic!("unknown kind {kind}"));
        let cases = document["cases"].as_array().unwrap();
        assert!(!cases.is_empty(), "{kind} has no cases");
        kinds.push(kind.to_owned());
        for case in cases {
            let case = Case::new(kind, case);
            ran += 1;
            if catch_unwind(AssertUnwindSafe(|| run(&case))).is_err() {
                failed.push(case.name());
            }
        }
    }
    assert!(failed.is_empty(), "{} of {ran} cases failed:\n{}", failed.len(), failed.join("\n"));
    assert!(KINDS.iter().all(|(kind, _)| kinds.iter().any(|found| found == kind)), "a kind without a file");
}

/// Whoever sends a message can run into these, so all three languages are asked for each of them.
#[test]
fn every_code_that_a_sender_can_meet() {
    let documents = documents();
    let mut reached = BTreeSet::new();
    for document in &documents {
        codes(document, &mut reached);
    }
    let has_quotas = documents.iter().any(|document| document["kind"] == "quota");
    for name in ["Event", "Signature"].into_iter().chain(has_quotas.then_some("Quota")) {
        let of_sender = |group: &str| group.split(':').next() == Some(name);
        let (_, wanted) = Code::GROUPS.iter().find(|(group, _)| of_sender(group)).unwrap();
        let missed: Vec<_> = wanted.iter().filter(|code| !reached.contains(code.as_str())).collect();
        assert!(missed.is_empty(), "{name}: no case expects {missed:?}");
    }
}

/// What stands in members that hold codes.
fn codes<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| match (name.as_str(), value) {
            ("code" | "error" | "secretError", Value::String(code)) => _ = found.insert(code),
            _ => codes(value, found),
        }),
        Value::Array(elements) => elements.iter().for_each(|element| codes(element, found)),
        _ => {}
    }
}
