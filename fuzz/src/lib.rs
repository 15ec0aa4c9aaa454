//! What holds of any bytes whatsoever: one module and one `check` for each target, which panics where it does not hold.
//!
//! The fuzzer calls them with what it makes up. `liveops-core/tests/corpus.rs` calls them with every file of `corpus/`,
//! so that what was found once is tried in each `cargo test`, by any compiler.

pub mod changes;
pub mod detectors;
pub mod events;
pub mod headers;
pub mod json;
pub mod receipts;
pub mod records;
pub mod rules;
pub mod secrets;
pub mod snapshot;
mod tree;

/// The name of a target's file and of its folder of the corpus, and what holds there.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("changes", changes::check),
    ("detectors", detectors::check),
    ("events", events::check),
    ("headers", headers::check),
    ("json", json::check),
    ("receipts", receipts::check),
    ("records", records::check),
    ("rules", rules::check),
    ("secrets", secrets::check),
    ("snapshot", snapshot::check),
];
