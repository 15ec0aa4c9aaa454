//! The killing of writers catches a store that loses what it acknowledged, and one that counts twice.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that says its seed")]

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use liveops_testbed::rivals::{self, Answer, Event, Report, Rivals};

const LEDGER: &str = "LIVEOPS_TEST_LEDGER";
const KIND: &str = "LIVEOPS_TEST_KIND";

/// A store of lines in a file, careful or not: appending a line is whole or absent when a process is killed.
fn send(ledger: &str, kind: &str, events: &[Event]) -> Vec<Answer> {
    let known = std::fs::read_to_string(ledger).unwrap_or_default();
    let mut file = OpenOptions::new().create(true).append(true).open(ledger).unwrap();
    let mut apply = |event: &Event| file.write_all(format!("{} {} {}\n", event.id, event.player, event.xp).as_bytes());
    let answer = |event: &Event| {
        let is_known = known.lines().any(|line| line.split(' ').next() == Some(&event.id));
        let is_fifth = event.id.ends_with('5');
        match kind {
            "forgetful" if is_fifth && !is_known && rivals::is_writer() => {}
            "repeating" if is_known && is_fifth => apply(event).unwrap(),
            _ if is_known => {}
            _ => apply(event).unwrap(),
        }
        if is_known { Answer::Replayed } else { Answer::Applied }
    };
    events.iter().map(answer).collect()
}

fn killed(kind: &str) -> (Report, BTreeMap<String, u64>) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rivals-{}-{kind}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let ledger = folder.join("ledger").display().to_string();
    let command = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "writer", "--ignored", "--nocapture"]);
        command.env(LEDGER, &ledger).env(KIND, kind).stderr(Stdio::null());
        command
    };
    let seed = rivals::seed();
    println!("LIVEOPS_SEED={seed}");
    let mut rivals = Rivals::start(3, seed, &command).unwrap();
    rivals.kill(6, &command, || Ok(())).unwrap();
    let report = rivals.settle(|events| send(&ledger, kind, events)).unwrap();
    let mut sums = BTreeMap::new();
    for line in std::fs::read_to_string(&ledger).unwrap().lines() {
        let [_, player, xp] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        *sums.entry(player.to_owned()).or_default() += xp.parse::<u64>().unwrap();
    }
    std::fs::remove_dir_all(&folder).unwrap();
    (report, sums)
}

#[test]
fn a_careful_store_passes() {
    let (report, sums) = killed("careful");
    assert!(report.tried > 0 && report.acknowledged > 0 && report.writers_killed + report.servers_killed == 6);
    assert_eq!((report.lost, sums), (0, report.xp));
}

#[test]
fn a_store_that_loses_is_caught() {
    assert!(killed("forgetful").0.lost > 0);
}

#[test]
fn a_store_that_counts_twice_is_caught() {
    let (report, sums) = killed("repeating");
    assert_ne!(sums, report.xp);
}

#[test]
#[ignore = "a process that others start and kill"]
fn writer() {
    if rivals::is_writer() {
        let (ledger, kind) = (std::env::var(LEDGER).unwrap(), std::env::var(KIND).unwrap());
        rivals::write(|events| send(&ledger, &kind, events)).unwrap();
    }
}
