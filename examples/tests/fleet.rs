//! Processes in Rust, Python and Node over one store: whoever gets an event, and whoever is killed meanwhile, the season ends in its digest.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests: what fails here should say where")]

use std::path::PathBuf;
use std::process::Command;

const DIGEST: &str = include_str!("../data/season.digest");

/// The program that `cargo test` has built beside this one.
fn fleet(words: &[&str]) -> String {
    let tests = std::env::current_exe().unwrap();
    let program: PathBuf = tests.parent().and_then(|deps| deps.parent()).unwrap().join("examples/fleet");
    let done = Command::new(program).args(words).output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    said
}

/// The last number of the line that begins so.
fn number(said: &str, line: &str) -> u64 {
    let line = said.lines().find_map(|text| text.trim().strip_prefix(line)).unwrap();
    line.split(|c: char| !c.is_ascii_digit()).find_map(|word| word.parse().ok()).unwrap()
}

fn ends_in_the_digest(store: &str) {
    let said = fleet(&[store]);
    assert!(said.ends_with(DIGEST), "{said}");
    assert!(number(&said, "retries:") > 100, "{said}");
    assert!(number(&said, "boards:") > 5, "{said}");
    // Everybody took part.
    for worker in ["rust", "python", "node"] {
        assert!(number(&said, worker) > 500, "{said}");
    }
}

fn ends_in_the_digest_though_killed(store: &str) {
    let said = fleet(&[store, "--kill"]);
    assert!(said.ends_with(DIGEST), "{said}");
    assert!(number(&said, "kills:") >= 10, "{said}");
}

#[test]
#[ignore = "needs the packages for Python and Node, which `cargo xtask test` builds"]
fn three_languages_over_one_redis_end_in_the_digest() {
    ends_in_the_digest("redis");
}

#[test]
#[ignore = "needs the packages for Python and Node, which `cargo xtask test` builds"]
fn three_languages_over_one_postgres_end_in_the_digest() {
    ends_in_the_digest("postgres");
}

#[test]
#[ignore = "needs the packages for Python and Node, which `cargo xtask test` builds"]
fn killed_workers_of_one_redis_change_nothing() {
    ends_in_the_digest_though_killed("redis");
}

#[test]
#[ignore = "needs the packages for Python and Node, which `cargo xtask test` builds"]
fn killed_workers_of_one_postgres_change_nothing() {
    ends_in_the_digest_though_killed("postgres");
}
