//! Draws the level curve of rules as one page that works offline, and prints it as a table; with two rules documents,
//! both curves over each other, and what the change does to players.
//!
//! ```text
//! cargo run --release --example curve                                the sample rules
//! cargo run --release --example curve -- rules.json [new-rules.json] [players]
//! ```
//!
//! `players` are real XP totals, one a line, as a number or an object with `xp`; without them the change is tried on an
//! assumed crowd, and the page says so.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use liveops_examples::curve::{Options, run};

const USAGE: &str = "curve [rules] [new rules] [players] [--out FILE]

  rules        the rules document (examples/data/rules.json)
  new rules    the one that would replace it: both curves, and what the change does
  players      XP totals to try the change on, one a line: 1500 or {\"xp\":1500} (an assumed crowd)
  --out FILE   the page to write (out/curve.html)
";

fn main() -> ExitCode {
    let said = match options(std::env::args().skip(1)) {
        Ok(Some(options)) => run(&options),
        Ok(None) => Ok(USAGE.to_owned()),
        Err(wrong) => Err(format!("{wrong}\n\n{USAGE}")),
    };
    let said = said.and_then(|text| match io::stdout().write_all(text.as_bytes()) {
        // Whoever reads has read enough, as `head` does.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("standard output: {error}")),
        _ => Ok(()),
    });
    let Err(error) = said else { return ExitCode::SUCCESS };
    // Nobody is left to tell if this fails too.
    _ = writeln!(io::stderr(), "curve: {error}");
    ExitCode::from(2)
}

fn options(mut words: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let (mut files, mut out) = (Vec::new(), PathBuf::from("out/curve.html"));
    while let Some(word) = words.next() {
        match word.as_str() {
            "--help" | "-h" => return Ok(None),
            "--out" => out = words.next().ok_or("--out needs a file")?.into(),
            option if option.starts_with("--") => return Err(format!("{option} is no option")),
            _ => files.push(PathBuf::from(word)),
        }
    }
    if files.len() > 3 {
        return Err("at most three files".to_owned());
    }
    let mut files = files.into_iter();
    let sample = || Path::new(env!("CARGO_MANIFEST_DIR")).join("data/rules.json");
    let rules = files.next().unwrap_or_else(sample);
    Ok(Some(Options { rules, next: files.next(), players: files.next(), out }))
}
