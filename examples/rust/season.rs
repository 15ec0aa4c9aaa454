//! Makes a season: signed events as a server receives them, one a line, the same for the same seed.
//!
//! ```text
//! cargo run --release --example season -- [--events N] [--seed N] [--guide] [--out PATH]
//! ```
//!
//! Without `--out` it writes to standard output. Without anything else it makes the committed season.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use liveops_examples::generate;

const USAGE: &str = "season [--events N] [--seed N] [--guide] [--out PATH]

  --events N   lines to make (5000; 1000 with --guide)
  --seed N     another season (7)
  --guide      the original guide's events, for the rules in guide-rules.json
  --out PATH   a file to write; standard output without it
";
const GUIDE_EVENTS: u64 = 1_000;
const SECRET: &str = include_str!("../data/secret.txt");

struct Options {
    events: Option<u64>,
    seed: u64,
    guide: bool,
    out: Option<String>,
}

fn main() -> ExitCode {
    let said = match options(std::env::args().skip(1)) {
        Ok(Some(options)) => write(&options),
        Ok(None) => io::stdout().write_all(USAGE.as_bytes()).map_err(|error| error.to_string()),
        Err(wrong) => Err(format!("{wrong}\n\n{USAGE}")),
    };
    let Err(error) = said else { return ExitCode::SUCCESS };
    // Nobody is left to tell if this fails too.
    _ = writeln!(io::stderr(), "season: {error}");
    ExitCode::from(2)
}

fn options(mut words: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options { events: None, seed: generate::SEED_DEFAULT, guide: false, out: None };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        let number = |text: String| text.parse().map_err(|_| format!("{text} is no number"));
        match word.as_str() {
            "--events" => options.events = Some(number(value()?)?),
            "--seed" => options.seed = number(value()?)?,
            "--out" => options.out = Some(value()?),
            "--guide" => options.guide = true,
            "--help" | "-h" => return Ok(None),
            _ => return Err(format!("{word} is no option")),
        }
    }
    Ok(Some(options))
}

fn write(options: &Options) -> Result<(), String> {
    let lines: Box<dyn Iterator<Item = String>> = if options.guide {
        let events = options.events.unwrap_or(GUIDE_EVENTS);
        Box::new(generate::guide(events, options.seed, SECRET.trim()).map_err(|error| error.to_string())?)
    } else {
        let events = options.events.unwrap_or(generate::EVENTS_DEFAULT);
        Box::new(generate::season(events, options.seed, SECRET.trim()).map_err(|error| error.to_string())?)
    };
    match &options.out {
        Some(path) => File::create(path).and_then(|file| copy(lines, file)).map_err(|error| format!("{path}: {error}")),
        None => copy(lines, io::stdout().lock()).map_err(|error| format!("standard output: {error}")),
    }
}

fn copy(mut lines: impl Iterator<Item = String>, to: impl Write) -> io::Result<()> {
    let mut to = BufWriter::new(to);
    let copied = lines.try_for_each(|line| writeln!(to, "{line}")).and_then(|()| to.flush());
    match copied {
        // Whoever reads has read enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
