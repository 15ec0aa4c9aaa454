//! How well cheaters are found, and how many honest players are accused: `cargo run --release --example anomaly_eval`.
//!
//! Several games, each with its own numbers. In each, tables and thresholds are fitted to some players, one in a hundred
//! of whom cheats without anybody saying so, and others are judged, a fifth of whom cheat. Arguments, all of them
//! numbers: the first game's seed, how many games, players of each crowd, cheaters among a thousand players of the
//! history, and 0 to have the floors of bosses found in the history rather than told by the rules.

// A program that prints, on purpose.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fmt::Write as _;
use std::process::ExitCode;

use liveops_core::anomaly::Budget;
use liveops_examples::evaluate::{Fit, Found, Outcome, Trial, together};
use liveops_examples::simulate::Kind;

/// The guide's three deviations, and on upwards until false alerts are rare.
const Z_THRESHOLDS: [f64; 6] = [3.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0];
const FALSE_ALERTS_PER_EVENT: f64 = 1e-5;

fn main() -> ExitCode {
    let args: Vec<Option<u64>> = std::env::args().skip(1).map(|arg| arg.parse().ok()).collect();
    let arg = |place: usize, default: u64| args.get(place).copied().unwrap_or(Some(default));
    let (Some(first), Some(games), Some(players), Some(cheaters_per_mille), Some(floors_known)) =
        (arg(0, 101), arg(1, 12), arg(2, 4_000), arg(3, 10), arg(4, 1))
    else {
        eprintln!(
            "anomaly_eval [first game] [games] [players] [cheaters per mille of the history] [0|1: floors known]"
        );
        return ExitCode::FAILURE;
    };
    let fit = Fit { players, floors_known: floors_known != 0, budget: Budget::PerEvent(FALSE_ALERTS_PER_EVENT) };
    match (Trial { games: (first, games), cheaters_per_mille, fit }).run(&Z_THRESHOLDS) {
        Ok((ours, guide)) => {
            println!("games {first}..{}, {players} players each\n\n{}", first + games, tables(&ours, &guide));
            ExitCode::SUCCESS
        }
        Err(code) => {
            eprintln!("{code}");
            ExitCode::FAILURE
        }
    }
}

fn tables(ours: &Outcome, guide: &[Outcome]) -> String {
    let mut text = table("the family", ours);
    let rate = |outcome: &Outcome| outcome.get(&Kind::Honest).map_or(1.0, Found::rate);
    let quiet = Z_THRESHOLDS.iter().zip(guide).find(|(_, outcome)| rate(outcome) <= FALSE_ALERTS_PER_EVENT);
    for (threshold, outcome) in Z_THRESHOLDS.iter().zip(guide).take(1).chain(quiet) {
        text += &table(&format!("the guide's z-score at {threshold}"), outcome);
    }
    text
}

fn table(name: &str, outcome: &Outcome) -> String {
    let mut text =
        format!("{name}\n{:<14} {:>8} {:>9} {:>8} {:>14}\n", "", "players", "flagged", "part", "median events");
    for (kind, found) in outcome {
        text += &row(kind.as_str(), found);
    }
    let visible = together(outcome.iter().filter(|(kind, _)| kind.is_visible()).map(|(_, found)| found));
    text += &row("all visible", &visible);
    if let Some(honest) = outcome.get(&Kind::Honest) {
        let by: Vec<_> = honest.by.iter().map(|(detector, alerts)| format!("{} {alerts}", detector.as_str())).collect();
        let by = if by.is_empty() { String::new() } else { format!(": {}", by.join(", ")) };
        _ = writeln!(
            text,
            "false alerts per event: {:.2e} ({} of {}){by}\n",
            honest.rate(),
            honest.alerts,
            honest.events
        );
    }
    text
}

fn row(name: &str, found: &Found) -> String {
    let median = found.median_until().map_or(String::new(), |median| median.to_string());
    let median = if name == Kind::Honest.as_str() { String::new() } else { median };
    format!("{name:<14} {:>8} {:>9} {:>8.4} {median:>14}\n", found.players, found.flagged, found.part())
}
