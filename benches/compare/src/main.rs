//! `liveops-compare <row>`: measures one comparison and prints it as one JSON line. Started by `cargo xtask compare`.
#![forbid(unsafe_code)]
// A program that prints, on purpose.
#![allow(clippy::print_stdout, clippy::print_stderr)]
// Nanoseconds of a benchmark are far below 2^52.
#![allow(clippy::cast_precision_loss)]

mod engine;

use std::process::ExitCode;

use liveops_compare::measure::Row;

/// A row's name and what measures it.
type Entry = (&'static str, fn() -> Result<Row, String>);

const ROWS: &[Entry] = &[("engine.event", engine::event)];

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let Some((_, measure)) = ROWS.iter().find(|(name, _)| *name == wanted) else {
        let names: Vec<_> = ROWS.iter().map(|(name, _)| *name).collect();
        eprintln!("liveops-compare <row>; rows: {}", names.join(", "));
        return ExitCode::FAILURE;
    };
    match measure() {
        Ok(row) => {
            println!("{}", row.to_json());
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{wanted}: {reason}");
            ExitCode::FAILURE
        }
    }
}
