//! Who stands out in a log of events, as a page: `cargo run --release --example anomaly_report -- events.ndjson`.
//!
//! Writes `out/anomaly.html`, or what a second argument names; a third is the part of the players who may be flagged by chance,
//! 0.003 if it is not given. `--simulate <game> <players>` instead prints a log to try it on, with two cheaters of a hundred.

// A program that prints, on purpose.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::ExitCode;

use liveops_examples::anomaly_report::{Report, page, wire};
use liveops_examples::simulate::{Crowd, World};

const BUDGET: f64 = 0.003;
/// A folder that git ignores.
const PAGE: &str = "out/anomaly.html";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["--simulate", game, players] => simulate(game, players),
        [events] => report(events, PAGE, BUDGET),
        [events, out] => report(events, out, BUDGET),
        [events, out, budget] => budget.parse().map_err(Box::from).and_then(|budget| report(events, out, budget)),
        _ => Err("anomaly_report <events.ndjson> [page.html] [part]; or --simulate <game> <players>".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn report(events: &str, out: &str, budget: f64) -> Result<(), Box<dyn Error>> {
    let report = Report::read(|| File::open(events).map(BufReader::new), budget);
    let report = report.map_err(|error| format!("{events}: {error}"))?;
    let written = match Path::new(out).parent() {
        Some(folder) => std::fs::create_dir_all(folder).and_then(|()| std::fs::write(out, page::html(&report))),
        None => std::fs::write(out, page::html(&report)),
    };
    written.map_err(|error| format!("{out}: {error}"))?;
    println!("{out}: {} of {} players stand out", report.flagged.len(), report.players);
    Ok(())
}

fn simulate(game: &str, players: &str) -> Result<(), Box<dyn Error>> {
    let world = World::new(game.parse()?);
    let crowd = Crowd::new(&world, 1, 20);
    let mut out = BufWriter::new(std::io::stdout().lock());
    for player in 0..players.parse()? {
        for deed in crowd.deeds(player) {
            writeln!(out, "{}", wire(&world, player, &deed))?;
        }
    }
    Ok(out.flush()?)
}
