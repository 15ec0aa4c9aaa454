//! A season through three processes, one each in Rust, Python and Node, that share one store: first a Redis, then a PostgreSQL. It ends in
//! the same digest as one process in memory.
//!
//! ```text
//! cargo xtask build                                        the packages for Python and Node
//! eval "$(cargo xtask servers)"                            the servers, installed where they are missing
//! cargo run --release --example fleet                      over servers of its own, which it starts and ends
//! cargo run --release --example fleet -- redis --kill      over one of them; workers are killed in the middle of requests, and started again
//! ```
//!
//! It needs the programs `redis-server` and `postgres` (their places may be named in `REDIS_SERVER` and `POSTGRES_BIN`), and the two packages. Python
//! is `LIVEOPS_PYTHON`, or the one of `cargo xtask build`.
// It starts servers on private sockets.
#![cfg(unix)]

#[path = "fleet/report.rs"]
mod report;
#[path = "fleet/worker.rs"]
mod worker;

use std::fs::File;
use std::io::{self, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use liveops_core::Rules;
use liveops_examples::fleet::{Fleet, Kills, Process, Summary};
use liveops_examples::replay;
use liveops_postgres::PostgresStore;
use liveops_redis::RedisStore;
use liveops_testbed::{Postgres, Redis};

const USAGE: &str = "fleet [redis] [postgres] [--kill]

  redis, postgres   over which store; both, one after the other, unless said otherwise
  --kill            kill workers in the middle of requests, with SIGKILL, and start them again
";
/// How a worker is told where its store is: an address may hold a password, and arguments can be seen by everybody on the machine.
const URL_VARIABLE: &str = "FLEET_URL";
const WORKER: &str = "--worker";
const SECRET: &str = include_str!("../data/secret.txt");
const DIGEST: &str = include_str!("../data/season.digest");
/// With `--kill`, a worker is killed in every so many requests that it is sent.
const KILLED_ONE_IN: u32 = 25;

#[derive(Clone, Copy)]
enum Kind {
    Redis,
    Postgres,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ended = match words.as_slice() {
        [WORKER, kind, rules] => work(kind, Path::new(rules)),
        ["--help" | "-h"] => print(USAGE),
        words => run(words),
    };
    let Err(error) = ended else { return ExitCode::SUCCESS };
    // Nobody is left to tell if this fails too.
    _ = writeln!(io::stderr(), "fleet: {error}");
    ExitCode::from(2)
}

fn run(words: &[&str]) -> Result<(), String> {
    let mut kinds = Vec::new();
    let mut kills = Kills::None;
    for word in words {
        match *word {
            "redis" => kinds.push(Kind::Redis),
            "postgres" => kinds.push(Kind::Postgres),
            "--kill" => kills = Kills::Every(KILLED_ONE_IN),
            _ => return Err(USAGE.to_owned()),
        }
    }
    if kinds.is_empty() {
        kinds = vec![Kind::Redis, Kind::Postgres];
    }
    kinds.into_iter().try_for_each(|kind| {
        let summary = match kind {
            Kind::Redis => {
                let server = Redis::start(&["--appendonly", "yes", "--appendfsync", "everysec"])?;
                season(kind, &server.url(), kills)
            }
            Kind::Postgres => {
                let server = Postgres::start(&[])?;
                season(kind, &server.url(), kills)
            }
        }?;
        print(&report::render(kind.title(), &summary))?;
        if DIGEST.trim() == format!("digest {}", summary.digest) {
            Ok(())
        } else {
            Err(format!("{} is not the digest of one process in memory", summary.digest))
        }
    })
}

/// Three workers, and the whole season.
fn season(kind: Kind, url: &str, kills: Kills) -> Result<Summary, String> {
    let rules = Rules::from_slice(&std::fs::read(data("rules.json")).map_err(text)?).map_err(text)?;
    let intake = replay::door(&rules, SECRET).map_err(text)?;
    let this = std::env::current_exe().map_err(text)?;
    let worker = |name: &str, program: PathBuf, first: PathBuf| {
        let url = url.to_owned();
        let start = move || {
            let mut command = Command::new(&program);
            command.arg(&first).arg(kind.name()).arg(data("rules.json")).env(URL_VARIABLE, &url);
            command
        };
        Process::start(name, Box::new(start))
    };
    let workers = vec![
        worker("rust", this, WORKER.into())?,
        worker("python", python(), examples().join("python/fleet_worker.py"))?,
        worker("node", "node".into(), examples().join("node/fleet_worker.mjs"))?,
    ];
    let lines = File::open(data("season.ndjson")).map_err(text)?;
    Fleet::new(&intake, workers, kills).drive(BufReader::new(lines))
}

/// This program as a worker.
fn work(kind: &str, rules: &Path) -> Result<(), String> {
    let rules = Rules::from_slice(&std::fs::read(rules).map_err(text)?).map_err(text)?;
    let url = std::env::var(URL_VARIABLE).map_err(|_| format!("{URL_VARIABLE} does not say where the store is"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(text)?;
    runtime.block_on(async {
        // A season's times are not of today, so the store's clock has no say.
        if kind == Kind::Redis.name() {
            let options = liveops_redis::Options::new(rules.game()).clock_ahead_max(None);
            worker::answer_all(RedisStore::connect(&url, options).await.map_err(text)?, rules).await
        } else {
            let options = liveops_postgres::Options::new(rules.game()).clock_ahead_max(None);
            worker::answer_all(PostgresStore::connect(&url, options).await.map_err(text)?, rules).await
        }
    })
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Postgres => "postgres",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Redis => "Redis",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// The one that `cargo xtask build` has put the package into, if nobody says otherwise.
fn python() -> PathBuf {
    let built = || {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| examples().join("../target"), PathBuf::from);
        Some(target.join("venv/bin/python")).filter(|python| python.exists())
    };
    std::env::var_os("LIVEOPS_PYTHON").map(PathBuf::from).or_else(built).unwrap_or_else(|| "python3".into())
}

fn examples() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn data(name: &str) -> PathBuf {
    examples().join("data").join(name)
}

fn print(text: &str) -> Result<(), String> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("standard output: {error}")),
        _ => Ok(()),
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
