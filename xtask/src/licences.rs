//! Whether every crate that can end up in a build may be used under a licence that we accept. Needs no network.

use crate::process::{cargo, host, read};

/// Permissive licences, by SPDX identifier. Adding one is a decision: say why in `docs/decisions/`.
const ACCEPTED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Exceptions only ever permit more; these are known to.
const EXCEPTIONS: &[&str] = &["LLVM-exception"];

/// Reads `cargo metadata` and names every crate whose licence is not accepted.
pub(crate) fn check() -> Result<(), String> {
    eprintln!("\n-- licences");
    // Crates for other platforms were perhaps never downloaded.
    let host = host()?;
    let metadata = read(cargo(["metadata", "--format-version=1", "--offline", "--filter-platform", &host]))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    let refused: Vec<String> = packages
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(is_accepted))
        .map(|package| format!("{} {} ({})", package["name"], package["version"], package["license"]))
        .collect();
    if refused.is_empty() {
        eprintln!("   {} crates, all under accepted licences", packages.len());
        Ok(())
    } else {
        Err(format!("licences outside xtask/src/licences.rs: {}", refused.join(", ")))
    }
}

/// Whether an SPDX expression can be met with what we accept. An old `/` means OR.
fn is_accepted(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest) == Some(true) && rest.is_empty()
}

/// `all_of (OR all_of)*`; `None` where the text is no expression.
fn any_of(rest: &mut &[&str]) -> Option<bool> {
    let mut accepted = all_of(rest)?;
    while let [word, tail @ ..] = *rest {
        if *word != "OR" {
            break;
        }
        *rest = tail;
        accepted |= all_of(rest)?;
    }
    Some(accepted)
}

/// `one (AND one)*`.
fn all_of(rest: &mut &[&str]) -> Option<bool> {
    let mut accepted = one(rest)?;
    while let [word, tail @ ..] = *rest {
        if *word != "AND" {
            break;
        }
        *rest = tail;
        accepted &= one(rest)?;
    }
    Some(accepted)
}

/// `( any_of )` or `licence [WITH exception]`.
fn one(rest: &mut &[&str]) -> Option<bool> {
    let (&word, tail) = rest.split_first()?;
    *rest = tail;
    match word {
        "(" => {
            let accepted = any_of(rest)?;
            let (&")", tail) = rest.split_first()? else { return None };
            *rest = tail;
            Some(accepted)
        }
        ")" | "AND" | "OR" | "WITH" => None,
        licence => {
            let mut accepted = ACCEPTED.contains(&licence);
            if let ["WITH", exception, tail @ ..] = *rest {
                accepted &= EXCEPTIONS.contains(exception);
                *rest = tail;
            }
            Some(accepted)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_accepted;

    #[test]
    fn one_acceptable_choice_is_enough() {
        for good in [
            "MIT",
            "MIT-0",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "GPL-3.0 OR (MIT AND ISC)",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        ] {
            assert!(is_accepted(good), "{good}");
        }
    }

    #[test]
    fn a_licence_we_do_not_know_is_refused() {
        for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "MIT OR", "(MIT", "MIT Apache-2.0", "MIT WITH my-exception"] {
            assert!(!is_accepted(bad), "{bad}");
        }
    }
}
