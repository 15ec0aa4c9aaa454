//! `cargo xtask compare`: peers side by side, as ratios of cost.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{self, cargo, command, run_and_read_quietly, target_dir};
use crate::servers::{POSTGRES_BIN, REDIS_SERVER, postgres_bin, redis_server};
use crate::setup::{Profile, Venv, build_addon, npm_install};

/// A comparison: its name, whose first word is its area, and the program that measures it.
struct Row {
    name: &'static str,
    program: Program,
}

impl Row {
    fn is_in(&self, area: &str) -> bool {
        let also = ALSO.iter().any(|(of, names)| *of == area && names.contains(&self.name));
        also || self.name.split('.').next() == Some(area)
    }
}

/// Each prints one JSON line: name, ours, peer, ratio, unit, `wait_percent`, void; some also `for_the_record` and more
/// figures of the same run.
enum Program {
    /// A program of the package `liveops-compare`, told the name of the row.
    Rust(&'static str),
    /// The same, told also where Redis is.
    Redis(&'static str),
    /// The same, told also where the programs of PostgreSQL are.
    Postgres(&'static str),
    /// The first, told also where the program of an earlier commit is.
    Earlier(&'static str),
    /// A file in `benches/compare`, in an environment that has the peers, told the name of the row.
    Python(&'static str),
    /// A file in `benches/compare`, beside which the peers are installed.
    Node(&'static str),
}

const TIME: &str = "liveops-compare";
const BYTES: &str = "liveops-compare-bytes";

const ROWS: &[Row] = &[
    Row { name: "anomaly.update", program: Program::Rust(TIME) },
    Row { name: "anomaly.bytes", program: Program::Rust(BYTES) },
    Row { name: "anomaly.recall", program: Program::Rust(TIME) },
    Row { name: "anomaly.honest", program: Program::Rust(TIME) },
    Row { name: "anomaly.river", program: Program::Python("python_anomaly.py") },
    Row { name: "anomaly.river.batch", program: Program::Python("python_anomaly.py") },
    Row { name: "engine.event", program: Program::Rust(TIME) },
    Row { name: "engine.event.handmade", program: Program::Rust(TIME) },
    Row { name: "engine.event.redis", program: Program::Redis(TIME) },
    Row { name: "engine.event.200k", program: Program::Rust(TIME) },
    Row { name: "engine.event.1m", program: Program::Rust(TIME) },
    Row { name: "engine.event.feed", program: Program::Rust(TIME) },
    Row { name: "engine.submit.single", program: Program::Rust(TIME) },
    Row { name: "engine.threads.two", program: Program::Rust(TIME) },
    Row { name: "engine.bytes.redis", program: Program::Redis(BYTES) },
    Row { name: "engine.stalls", program: Program::Rust(TIME) },
    Row { name: "engine.before", program: Program::Earlier("f9c6cc4") },
    Row { name: "store.dyn.concrete", program: Program::Rust(TIME) },
    Row { name: "scan.migration.linear", program: Program::Rust(TIME) },
    Row { name: "sqlite.batch1.bare", program: Program::Rust(TIME) },
    Row { name: "sqlite.batch100.bare", program: Program::Rust(TIME) },
    Row { name: "sqlite.batch1000.bare", program: Program::Rust(TIME) },
    Row { name: "sqlite.batch100.bare200k", program: Program::Rust(TIME) },
    Row { name: "sqlite.batch1000.bare200k", program: Program::Rust(TIME) },
    Row { name: "sqlite.group8.one", program: Program::Rust(TIME) },
    Row { name: "sqlite.group64.one", program: Program::Rust(TIME) },
    Row { name: "sqlite.advance.outcomes", program: Program::Rust(TIME) },
    Row { name: "sqlite.open.decode", program: Program::Rust(TIME) },
    Row { name: "redis.event1.bare", program: Program::Redis(TIME) },
    Row { name: "redis.batch256.bare", program: Program::Redis(TIME) },
    Row { name: "redis.trips", program: Program::Redis(TIME) },
    Row { name: "fleet.bytes", program: Program::Redis(BYTES) },
    Row { name: "fleet.poll", program: Program::Redis(TIME) },
    Row { name: "fleet.poll1000", program: Program::Redis(TIME) },
    Row { name: "postgres.batch100.rows", program: Program::Postgres(TIME) },
    Row { name: "postgres.batch100.one", program: Program::Postgres(TIME) },
    Row { name: "postgres.cold.warm", program: Program::Postgres(TIME) },
    Row { name: "postgres.trips", program: Program::Postgres(TIME) },
    Row { name: "postgres.poll", program: Program::Postgres(TIME) },
    Row { name: "signing.verify.fresh", program: Program::Rust(TIME) },
    Row { name: "signing.verify.ring", program: Program::Rust(TIME) },
    Row { name: "event.parse.serde_json", program: Program::Rust(TIME) },
    Row { name: "event.parse.msgspec", program: Program::Python("python_event.py") },
    Row { name: "event.parse.pydantic", program: Program::Python("python_event.py") },
    Row { name: "event.parse.ajv", program: Program::Node("node_event.mjs") },
    Row { name: "board.increment.redis", program: Program::Redis(TIME) },
    Row { name: "board.windows4.redis", program: Program::Redis(TIME) },
    Row { name: "board.rank.redis", program: Program::Redis(TIME) },
    Row { name: "board.top100.redis", program: Program::Redis(TIME) },
    Row { name: "board.bytes1.redis", program: Program::Redis(BYTES) },
    Row { name: "board.bytes4.redis", program: Program::Redis(BYTES) },
    Row { name: "board.increment.indexset", program: Program::Rust(TIME) },
    Row { name: "board.rank.indexset", program: Program::Rust(TIME) },
    Row { name: "board.submit.tail", program: Program::Rust(TIME) },
    Row { name: "board.increment.dict", program: Program::Rust(TIME) },
    Row { name: "board.batch100.redis", program: Program::Redis(TIME) },
    Row { name: "board.increment_zipf.redis", program: Program::Redis(TIME) },
    Row { name: "board.increment_far.redis", program: Program::Redis(TIME) },
    Row { name: "board.increment_10k.redis", program: Program::Redis(TIME) },
    Row { name: "board.increment_10m.redis", program: Program::Redis(TIME) },
    Row { name: "quota.check.governor", program: Program::Rust(TIME) },
    Row { name: "quota.check.governor1k", program: Program::Rust(TIME) },
    Row { name: "quota.bytes.governor", program: Program::Rust(BYTES) },
    Row { name: "progress.level.loop", program: Program::Rust(TIME) },
    Row { name: "progress.apply", program: Program::Rust(TIME) },
    Row { name: "reward.receipt", program: Program::Rust(TIME) },
    Row { name: "reward.roll", program: Program::Rust(TIME) },
    Row { name: "python.ndjson", program: Program::Python("python_ndjson.py") },
    Row { name: "python.ingest.two", program: Program::Python("python_ndjson.py") },
    Row { name: "node.ndjson", program: Program::Node("node_ndjson.mjs") },
    Row { name: "node.ingest.loop", program: Program::Node("node_ingest.mjs") },
];

/// Rows of another name that belong to an area: what a store in a file asks of the engine above it; stores that a fleet shares.
const ALSO: &[(&str, &[&str])] = &[
    ("sqlite", &["engine.before", "store.dyn.concrete", "scan.migration.linear"]),
    ("fleet", &["redis.event1.bare", "redis.batch256.bare", "redis.trips"]),
    (
        "fleet",
        &["postgres.batch100.rows", "postgres.batch100.one", "postgres.cold.warm", "postgres.trips", "postgres.poll"],
    ),
];

/// How often a row is measured at most while the machine is busy.
const ATTEMPTS_MAX: usize = 5;

/// `compare [area] [--json]`.
pub(crate) fn run(args: &[&str]) -> Result<(), String> {
    let as_json = args.contains(&"--json");
    let areas: Vec<&str> = args.iter().copied().filter(|arg| *arg != "--json").collect();
    let rows: Vec<&Row> = match areas.as_slice() {
        [] => ROWS.iter().collect(),
        [area] => ROWS.iter().filter(|row| row.is_in(area)).collect(),
        _ => return Err("one area at a time, or none for all".to_owned()),
    };
    if rows.is_empty() {
        let names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
        return Err(format!("no such area; the rows are: {}", names.join(", ")));
    }
    if !as_json {
        println!("{:<28} {:>12} {:>12} {:<14} {:>7} {:>8}", "", "ours", "peer", "", "ratio", "waited");
    }
    let mut failures = Vec::new();
    for row in rows {
        match measure(row) {
            Ok(measured) if as_json => println!("{}", measured.line),
            Ok(measured) => println!("{}", readable(&measured.fields)),
            Err(reason) => failures.push(format!("{}: {reason}", row.name)),
        }
    }
    if !as_json {
        println!(
            "\nratio = the peer's cost over ours; above 1 we are ahead. void = the process waited over 3 % of the time."
        );
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

/// What a row's program printed.
struct Measured {
    line: String,
    fields: serde_json::Value,
}

/// The row's line: of the first quiet attempt, or else of the one that waited least.
fn measure(row: &Row) -> Result<Measured, String> {
    let program = prepare(row)?;
    let mut quietest: Option<Measured> = None;
    for _ in 0..ATTEMPTS_MAX {
        let finished = run_and_read_quietly(program())?;
        let line = finished.output.lines().rev().find(|line| line.starts_with('{')).unwrap_or_default();
        let fields: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
        if !finished.ok || fields["name"] != row.name {
            return Err("its program failed or printed no line for it".to_owned());
        }
        let measured = Measured { line: line.to_owned(), fields };
        if measured.fields["void"] == false {
            return Ok(measured);
        }
        if quietest.as_ref().is_none_or(|quietest| measured.wait_percent() < quietest.wait_percent()) {
            quietest = Some(measured);
        }
    }
    quietest.ok_or_else(|| "never measured".to_owned())
}

impl Measured {
    /// Infinite if the kernel did not tell.
    fn wait_percent(&self) -> f64 {
        self.fields["wait_percent"].as_f64().unwrap_or(f64::INFINITY)
    }
}

/// Builds what the row needs, optimised, and says how to start it.
fn prepare(row: &Row) -> Result<Box<dyn Fn() -> Command>, String> {
    let name = row.name;
    Ok(match row.program {
        Program::Rust(binary) => Box::new(move || rust(binary, name)),
        Program::Redis(binary) => {
            let server = redis_server()?;
            Box::new(move || {
                let mut command = rust(binary, name);
                command.env(REDIS_SERVER, &server);
                command
            })
        }
        Program::Postgres(binary) => {
            let programs = postgres_bin()?;
            Box::new(move || {
                let mut command = rust(binary, name);
                command.env(POSTGRES_BIN, &programs);
                command
            })
        }
        Program::Earlier(commit) => {
            let program = earlier(commit)?;
            Box::new(move || {
                let mut command = rust(TIME, name);
                command.env("LIVEOPS_COMPARE_BEFORE", &program);
                command
            })
        }
        Program::Python(file) => {
            let venv = Venv::prepare("venv-compare", &["benches/compare/requirements.txt"])?;
            venv.install_liveops(Profile::Release)?;
            Box::new(move || venv.command([&format!("benches/compare/{file}"), name]))
        }
        Program::Node(file) => {
            npm_install("benches/compare")?;
            build_addon(Profile::Release)?;
            Box::new(move || command("node", ["--expose-gc", &format!("benches/compare/{file}")]))
        }
    })
}

/// The program of an earlier commit, built from a copy of that commit under `target`. A clone without history has none.
fn earlier(commit: &str) -> Result<PathBuf, String> {
    let folder = target_dir().join(format!("compare-{commit}"));
    let manifest = folder.join("Cargo.toml");
    if !manifest.exists() {
        let archive = target_dir().join(format!("compare-{commit}.tar"));
        let out = format!("--output={}", archive.display());
        process::run(command("git", ["archive", &out, commit]))?;
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut unpack = command("tar", ["-xf"]);
        unpack.arg(&archive).arg("-C").arg(&folder);
        process::run(unpack)?;
    }
    let target = folder.join("target");
    let mut build = cargo(["build", "--release", "--quiet", "-p", "liveops-compare", "--bin", TIME]);
    build.current_dir(&folder).env("CARGO_TARGET_DIR", &target);
    process::run(build)?;
    Ok(target.join("release").join(TIME))
}

fn rust(binary: &str, row: &str) -> Command {
    cargo(["run", "--release", "--quiet", "-p", "liveops-compare", "--bin", binary, "--", row])
}

fn readable(line: &serde_json::Value) -> String {
    let number = |field: &str| line[field].as_f64().unwrap_or(f64::NAN);
    let more = line["more"].as_object().into_iter().flatten();
    let more: Vec<_> = more.map(|(name, value)| format!("\n    {name:<24} {value:>12}")).collect();
    format!(
        "{:<28} {:>12.1} {:>12.1} {:<14} {:>7.2} {:>6.1} %{}{}{}",
        line["name"].as_str().unwrap_or("?"),
        number("ours"),
        number("peer"),
        line["unit"].as_str().unwrap_or("?"),
        number("ratio"),
        number("wait_percent"),
        if line["void"] == true { "  void" } else { "" },
        if line["for_the_record"] == true { "  for the record" } else { "" },
        more.concat(),
    )
}
