//! `cargo xtask verify`: whether the tree is good. Edits nothing.

use crate::process::{cargo, run};
use crate::{licences, rules_types, test};

/// All checks, cheap ones first; the tests run in any case, so that one call tells everything.
pub(crate) fn run_all() -> Result<(), String> {
    let mut failures = Vec::new();
    let mut note = |result: Result<(), String>| {
        if let Err(reason) = result {
            failures.push(reason);
        }
    };
    note(run(cargo(["fmt", "--all", "--check"])));
    note(run(cargo(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"])));
    note(run(cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])));
    let mut doc = cargo(["doc", "--no-deps", "--workspace"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    note(run(doc));
    note(licences::check());
    note(rules_types::check());
    let tested = test::run_areas(&[]);
    for failure in &failures {
        println!("FAILED {failure}");
    }
    if failures.is_empty() { tested } else { Err(format!("{} checks besides the tests failed", failures.len())) }
}
