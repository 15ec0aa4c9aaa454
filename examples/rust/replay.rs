//! Drives a season of signed events through door and engine, and says what an operator wants to know.
//!
//! ```text
//! cargo run --release --example replay                              the bundled season
//! cargo run --release --example replay -- [events] [rules] [folder]
//! cargo run --release --example replay -- --store game.db       in one file; kill it, run it again, and it goes on
//! cargo run --release --example season -- --events 1000000 | cargo run --release --example replay -- -
//! ```
//!
//! `-` is standard input. The secret stands in `secret.txt` beside the rules; where there is none, it is the sample
//! secret. Into the folder go `snapshot.bin`, `receipts.ndjson`, `suspicions.ndjson` and `boards.json`.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use liveops_core::{Engine, Error, FullStore, MemoryStore, Rules};
use liveops_examples::line::Lines;
use liveops_examples::progress_bar::ProgressBar;
use liveops_examples::replay::{self, Replay, Tally};
use liveops_examples::{export, report};
use liveops_sqlite::SqliteStore;

const USAGE: &str = "replay [--store file] [events] [rules] [output folder]

  events          lines of a season; - is standard input (examples/data/season.ndjson)
  rules           the rules document; secret.txt beside it is the secret (examples/data/rules.json)
  --store file    keep the state in this file, and go on where it is (in memory)
  output folder   for snapshot.bin, receipts.ndjson, suspicions.ndjson, boards.json (none)
";
const SAMPLE_SECRET: &str = include_str!("../data/secret.txt");

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let said = match words.as_slice() {
        [word] if word == "--help" || word == "-h" => Ok(USAGE.to_owned()),
        [flag, file, words @ ..] if flag == "--store" && sound(words) => run(Some(file), words),
        words if sound(words) => run(None, words),
        _ => Err(USAGE.to_owned()),
    };
    match said {
        Ok(report) => match io::stdout().write_all(report.as_bytes()) {
            // Whoever reads has read enough, as `head` does.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => fail(&format!("standard output: {error}")),
            _ => ExitCode::SUCCESS,
        },
        Err(error) => fail(&error),
    }
}

fn fail(error: &str) -> ExitCode {
    say(&format!("replay: {error}"));
    ExitCode::from(2)
}

fn say(text: &str) {
    // Nobody is left to tell if this fails.
    _ = writeln!(io::stderr(), "{text}");
}

fn sound(words: &[String]) -> bool {
    words.len() <= 3 && words.iter().all(|word| !word.starts_with("--"))
}

fn run(file: Option<&str>, words: &[String]) -> Result<String, String> {
    let events = words.first().map_or_else(|| bundled("season.ndjson"), PathBuf::from);
    let rules_path = words.get(1).map_or_else(|| bundled("rules.json"), PathBuf::from);
    let rules = fs::read(&rules_path).map_err(|error| format!("{}: {error}", rules_path.display()))?;
    let rules = Rules::from_slice(&rules).map_err(|error| format!("{}: {error}", rules_path.display()))?;
    for warning in rules.warnings() {
        say(&format!("{}: warning: {warning}", rules_path.display()));
    }
    let secret_path = rules_path.with_file_name("secret.txt");
    let secret = match fs::read_to_string(&secret_path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => SAMPLE_SECRET.to_owned(),
        read => read.map_err(|error| format!("{}: {error}", secret_path.display()))?,
    };
    let intake = replay::door(&rules, &secret).map_err(|error| format!("{}: {error}", secret_path.display()))?;
    let opened: Result<Engine<Arc<dyn FullStore>>, Error> = match file {
        None => Ok(Engine::new(rules, Arc::new(MemoryStore::new()))),
        // A run that was killed may still be on its way out of the disk.
        Some(file) => SqliteStore::options()
            .wait(Duration::from_secs(5))
            .open(file, rules.game())
            .map_err(Error::from)
            .and_then(|store| Engine::open(rules, Arc::new(store) as Arc<dyn FullStore>)),
    };
    let engine = opened.map_err(|error| format!("{}: {error}", file.unwrap_or("memory")))?;

    let clock = Stopwatch::start();
    let run = Replay::new(&intake, &engine).resume().map_err(|error| error.to_string())?;
    let (name, tally) = if events.as_os_str() == "-" {
        let name = "standard input".to_owned();
        let tally = drive(run, &name, io::stdin().lock(), None, &clock)?;
        (name, tally)
    } else {
        let name = events.display().to_string();
        let file = File::open(&events).map_err(|error| format!("{name}: {error}"))?;
        let bytes = file.metadata().map(|metadata| metadata.len()).ok();
        let tally = drive(run, &name, BufReader::with_capacity(1 << 18, file), bytes, &clock)?;
        (name, tally)
    };
    let elapsed = clock.elapsed();
    if let Some(folder) = words.get(2) {
        let now = tally.last.unwrap_or_default();
        export::write(&engine, now, Path::new(folder))
            .map_err(|error| format!("{}: {}", error.path.display(), error.cause))?;
    }
    report::render(&engine, &tally, &name, elapsed).map_err(|error| error.to_string())
}

/// All lines; broken ones are told and left out.
fn drive(
    mut run: Replay<'_, Engine<Arc<dyn FullStore>>>,
    name: &str,
    source: impl BufRead,
    bytes: Option<u64>,
    clock: &Stopwatch,
) -> Result<Tally, String> {
    let mut bar = ProgressBar::new(bytes);
    let mut lines = Lines::new(source);
    while let Some(line) = lines.next() {
        match line.map_err(|error| format!("{name}:{}: {error}", lines.number() + 1))? {
            Ok(line) => run.take(&line).map_err(|error| error.to_string())?,
            Err(broken) => {
                bar.clear();
                say(&format!("{name}:{}: broken line: {broken}", lines.number()));
                run.broken();
            }
        }
        // Looking at the clock for every line would cost more than the bar is worth.
        if lines.number().is_multiple_of(1024) {
            bar.at(clock.elapsed(), lines.bytes(), lines.number());
        }
    }
    bar.clear();
    Ok(run.finish())
}

/// A file of `examples/data`, by its path from here if it is below.
fn bundled(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name);
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).map(Path::to_path_buf).unwrap_or(path)
}

/// For the figure of events a second and for the progress bar; no decision ever sees it.
struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock: it measures, it does not decide"
    )]
    fn start() -> Self {
        Self(Instant::now())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
