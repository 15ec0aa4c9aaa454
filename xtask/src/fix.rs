//! `cargo xtask fix`: the one task that edits.

use crate::process::{cargo, root, run};
use crate::rules_types;

/// Applies clippy's suggestions, formats, and rewrites what is generated: a page from code, types from the schema of rules.
pub(crate) fn run_all() -> Result<(), String> {
    run(cargo(["clippy", "--fix", "--allow-dirty", "--allow-staged", "--workspace", "--all-targets"]))?;
    run(cargo(["fmt", "--all"]))?;
    run(cargo(["fmt", "--manifest-path", "fuzz/Cargo.toml"]))?;
    rules_types::write()?;
    let page = root().join("docs/errors.md");
    std::fs::write(&page, liveops_core::error::reference())
        .map_err(|error| format!("cannot write {}: {error}", page.display()))
}
