//! `cargo xtask test`: every test in three languages, and one line that says how it went.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Instant;

use crate::process::{answers, cargo, command, read, root, run, run_and_read, target_dir};
use crate::servers::{TESTBED, tell, testbed};
use crate::setup::{Profile, Venv, build_addon, npm_install};
use crate::tally::Tally;

/// A language, the tools it needs besides cargo, and how its tests are run.
struct Area {
    name: &'static str,
    tools: &'static [&'static str],
    run: fn(&mut Report) -> Result<(), String>,
}

/// Names the interpreter that has the package, for programs that start processes in all three languages.
const PYTHON: &str = "LIVEOPS_PYTHON";

const AREAS: &[Area] = &[
    Area { name: "rust", tools: &[], run: rust },
    Area { name: "python", tools: &["python3"], run: python },
    Area { name: "node", tools: &["node", "npm"], run: node },
    Area { name: "fleet", tools: &["python3", "node", "npm"], run: fleet },
];

/// What one area's runners said.
#[derive(Default)]
struct Report {
    tally: Tally,
    /// What some tests need and did not get; they failed.
    missing: Vec<&'static str>,
    /// Runners that failed, each once, whatever they counted.
    failures: Vec<String>,
}

/// Runs the areas named, or all.
pub(crate) fn run_areas(names: &[&str]) -> Result<(), String> {
    if let Some(name) = names.iter().find(|name| AREAS.iter().all(|area| area.name != **name)) {
        return Err(format!("`{name}` is no area; one of: rust, python, node, fleet"));
    }
    let begun = Instant::now();
    let mut counts = Vec::new();
    let mut failures = Vec::new();
    let mut failed = 0;
    let mut missing = Vec::new();
    for area in AREAS.iter().filter(|area| names.is_empty() || names.contains(&area.name)) {
        eprintln!("\n== {}", area.name);
        let absent: Vec<_> = area.tools.iter().copied().filter(|tool| !answers(tool)).collect();
        if !absent.is_empty() {
            failures.push(format!("{} was not tested: not installed: {}", area.name, absent.join(", ")));
            missing.extend(absent);
            counts.push(format!("{} not run", area.name));
            continue;
        }
        let mut report = Report::default();
        if let Err(reason) = (area.run)(&mut report) {
            report.failures.push(reason);
        }
        // Counting nothing is how a broken set-up looks when it looks well.
        if report.tally == Tally::default() && report.failures.is_empty() {
            report.failures.push("no test was found".to_owned());
        }
        // A runner that broke down without counting a failed test still failed.
        failed += report.tally.failed.max(u64::try_from(report.failures.len()).unwrap_or(u64::MAX));
        counts.push(format!("{} {} passed", area.name, report.tally.passed));
        missing.extend(report.missing);
        failures.extend(report.failures.iter().map(|failure| format!("{}: {failure}", area.name)));
    }
    println!();
    for failure in &failures {
        println!("FAILED {failure}");
    }
    let missing = if missing.is_empty() { "nothing".to_owned() } else { missing.join(", ") };
    println!(
        "liveops: {} · {failed} failed · missing: {missing} · {} s",
        counts.join(" · "),
        begun.elapsed().as_secs_f64().round()
    );
    // What to say has been said, and the line with the counts is the last one.
    if failures.is_empty() { Ok(()) } else { Err(String::new()) }
}

fn rust(report: &mut Report) -> Result<(), String> {
    // The bindings are libraries for another host: their tests are Python's and Node's.
    let args = ["test", "--workspace", "--no-fail-fast", "--exclude", "liveops-python", "--exclude", "liveops-node"];
    let mut tests = cargo(args);
    report.tell(&mut tests);
    report.count("cargo test", tests, Tally::of_cargo)?;
    // Traces of millions of commands.
    let long = cargo(["test", "--release", "-p", "liveops-core", "--lib", "--", "--ignored"]);
    report.count("cargo test --release", long, Tally::of_cargo)?;
    // Limiters under ten million keys, in a program that counts their bytes.
    let limiter = ["test", "--release", "-p", "liveops-compare", "--test", "limiter", "--", "--ignored"];
    report.count("cargo test --release, limiters", cargo(limiter), Tally::of_cargo)?;
    oldest_compiler(report);
    Ok(())
}

/// The core with the oldest compiler that its manifest promises, where there is one or it can be had.
fn oldest_compiler(report: &mut Report) {
    const OLDEST: &str = "1.88.0";
    let there = read(command("rustup", ["run", OLDEST, "rustc", "--version"]));
    let install = ["toolchain", "install", OLDEST, "--profile", "minimal", "--no-self-update"];
    if let Err(reason) = there.map(drop).or_else(|_| run(command("rustup", install))) {
        eprintln!(
            "nobody checked that liveops-core still compiles with Rust {OLDEST}, which could not be had: {reason}"
        );
        return;
    }
    let mut check =
        command("rustup", ["run", OLDEST, "cargo", "check", "--quiet", "-p", "liveops-core", "--target-dir"]);
    check.arg(target_dir().join("oldest"));
    report.check("liveops-core with Rust 1.88", check);
}

/// The environment with the package in it, built once a run.
fn python_package() -> Result<Venv, String> {
    static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();
    let venv = Venv::prepare("venv", &["bindings/python/requirements-dev.txt"])?;
    INSTALLED.get_or_init(|| venv.install_liveops(Profile::Dev)).clone()?;
    Ok(venv)
}

/// Node's package, built once a run.
fn node_package() -> Result<(), String> {
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    BUILT.get_or_init(|| npm_install("bindings/node").and_then(|()| build_addon(Profile::Dev))).clone()
}

fn python(report: &mut Report) -> Result<(), String> {
    let venv = python_package()?;
    // The cache of pytest would be the only thing a test run leaves in the tree.
    let mut pytest = venv.command(["-m", "pytest", "-q", "-p", "no:cacheprovider", "bindings/python/tests"]);
    report.tell(pytest.env(TESTBED, testbed()?));
    report.count("pytest", pytest, Tally::of_pytest)?;
    report.check("mypy --strict", venv.command(["-m", "mypy", "--strict", "examples/python"]));
    // Without an allowlist: what the types say is what there is.
    report.check("stubtest", venv.command(["-m", "mypy.stubtest", "liveops"]));
    let mut pyright = venv.command(["-m", "pyright", "--project", "examples/python", "--pythonpath"]);
    pyright.arg(venv.python());
    report.check("pyright --strict", pyright);
    // Every public type is said, none left for checkers to guess, each in its own way.
    report.check(
        "pyright --verifytypes",
        venv.command(["-m", "pyright", "--verifytypes", "liveops", "--ignoreexternal"]),
    );
    Ok(())
}

fn node(report: &mut Report) -> Result<(), String> {
    node_package()?;
    if root().join("examples/node/package.json").exists() {
        npm_install("examples/node")?;
    }
    let files = test_files(&root().join("bindings/node/tests"))?;
    let mut tests = command("node", ["--test", "--test-reporter=spec"]);
    report.tell(tests.args(files).env(TESTBED, testbed()?));
    report.count("node --test", tests, Tally::of_node)?;
    let tsc = ["bindings/node/node_modules/typescript/bin/tsc", "--strict", "--noEmit", "-p", "examples/node"];
    report.check("tsc --strict", command("node", tsc));
    Ok(())
}

/// Processes in all three languages over one store.
fn fleet(report: &mut Report) -> Result<(), String> {
    let venv = python_package()?;
    node_package()?;
    let args = ["test", "-p", "liveops-examples", "--test", "fleet", "--", "--ignored", "--test-threads=1"];
    let mut tests = cargo(args);
    report.tell(tests.env(PYTHON, venv.python()));
    report.count("cargo test, a fleet", tests, Tally::of_cargo)
}

impl Report {
    /// Tells tests where servers are. Those that need one which is missing fail, and so does the run.
    fn tell(&mut self, tests: &mut Command) {
        for (server, reason) in tell(tests) {
            self.missing.push(server);
            self.failures.push(format!("nothing was tested against {server}: {reason}"));
        }
    }

    /// Runs tests and counts them.
    fn count(&mut self, name: &str, command: Command, tally: fn(&str) -> Tally) -> Result<(), String> {
        let finished = run_and_read(command)?;
        let counted = tally(&finished.output);
        self.tally += counted;
        if !finished.ok || counted.failed > 0 {
            self.failures.push(name.to_owned());
        }
        Ok(())
    }

    /// Runs something that passes or fails as a whole.
    fn check(&mut self, name: &str, command: Command) {
        if let Err(reason) = run(command) {
            self.failures.push(format!("{name}: {reason}"));
        }
    }
}

/// `*.test.js`, `.mjs` and `.cjs`, in the order of their names. Named one by one, because `node --test <folder>` means
/// another thing in each major version.
fn test_files(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(dir).map_err(|error| format!("cannot read {}: {error}", dir.display()))?;
    let is_test = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        [".test.js", ".test.mjs", ".test.cjs"].iter().any(|end| name.ends_with(end))
    };
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_test).collect();
    files.sort();
    if files.is_empty() { Err(format!("no *.test.mjs in {}", dir.display())) } else { Ok(files) }
}
