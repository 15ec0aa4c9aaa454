//! Runs `vectors/*.json`, which Python and Node run too; `vectors/README.md` fixes the format.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

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
#[path = "vectors/parts.rs"]
mod parts;
#[path = "vectors/payout.rs"]
mod payout;
#[path = "vectors/quota.rs"]
mod quota;
#[path = "vectors/windowed.rs"]
mod windowed;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use case::Case;

/// A kind, and what runs one case of it.
type Kind = (&'static str, fn(&Case));

const KINDS: &[Kind] = &[
    ("hmac", parts::hmac),
    ("signing", parts::signing),
    ("event", parts::event),
    ("curve", parts::curve),
    ("period", calendar::period),
    ("closed", calendar::closed),
    ("state", calendar::state),
    ("board", board::run),
    ("windowed", windowed::run),
    ("engine", engine::run),
    ("http", http::run),
    ("payout", payout::run),
    ("quota", quota::run),
];

/// A failure names every case that failed, not just the first.
#[test]
fn every_case_of_every_file() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors");
    let (mut ran, mut failed, mut kinds) = (0, Vec::new(), Vec::new());
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
        let document: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
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
