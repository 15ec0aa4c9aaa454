//! `cargo xtask fuzz`: each target of `fuzz/` for some seconds, from the corpus of the repository on.
//!
//! Nothing is sanitized: the core has no unsafe code, so that what there is to find are panics, and for these a stable
//! compiler will do.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{answers, cargo, command, host, root, run, target_dir};

/// The tool that builds the targets, if it is not installed.
const CARGO_FUZZ: &str = "0.13.2";
const SECONDS_DEFAULT: u64 = 60;
/// An input that takes longer counts as a hang.
const HANG_SECONDS: u64 = 10;

/// `fuzz [target] [--seconds N]`.
pub(crate) fn run_task(args: &[&str]) -> Result<(), String> {
    let (asked, seconds) = read_args(args)?;
    let known = targets()?;
    if let Some(target) = asked.filter(|asked| !known.iter().any(|known| known == asked)) {
        return Err(format!("`{target}` is no target; one of: {}", known.join(", ")));
    }
    let programs = build(asked)?;
    let mut failures = Vec::new();
    for target in known.iter().filter(|known| asked.is_none_or(|asked| *known == asked)) {
        match fuzz(target, &programs.join(target), seconds) {
            Ok(line) => println!("{target:<10} {line}"),
            Err(reason) => {
                println!("{target:<10} FAILED");
                failures.push(reason);
            }
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

fn read_args<'a>(args: &[&'a str]) -> Result<(Option<&'a str>, u64), String> {
    let (mut target, mut seconds) = (None, SECONDS_DEFAULT);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if *arg == "--seconds" {
            let number = args.next().and_then(|number| number.parse().ok()).filter(|seconds| *seconds > 0);
            seconds = number.ok_or("`--seconds` takes a whole number")?;
        } else if target.replace(*arg).is_some() || arg.starts_with('-') {
            return Err("one target, or none for all, and `--seconds N`".to_owned());
        }
    }
    Ok((target, seconds))
}

fn targets() -> Result<Vec<String>, String> {
    let dir = root().join("fuzz/fuzz_targets");
    let entries = fs::read_dir(&dir).map_err(|error| format!("cannot read {}: {error}", dir.display()))?;
    let name = |path: PathBuf| path.file_stem().map(|name| name.to_string_lossy().into_owned());
    let mut targets: Vec<_> = entries.filter_map(|entry| name(entry.ok()?.path())).collect();
    targets.sort();
    Ok(targets)
}

/// Builds one target, or all; the folder of their programs.
fn build(target: Option<&str>) -> Result<PathBuf, String> {
    let mut build = command(cargo_fuzz()?, ["fuzz", "build", "--fuzz-dir", "fuzz", "--sanitizer", "none"]);
    build.arg("--target-dir").arg(dir()).args(target);
    run(build)?;
    Ok(dir().join(host()?).join("release"))
}

/// The one that is installed, or else one below `target`, where it changes nobody's machine.
fn cargo_fuzz() -> Result<PathBuf, String> {
    let own = target_dir().join("tools/bin/cargo-fuzz");
    if let Some(found) = [PathBuf::from("cargo-fuzz"), own.clone()].into_iter().find(|tool| answers(tool)) {
        return Ok(found);
    }
    let mut install = cargo(["install", "cargo-fuzz", "--version", CARGO_FUZZ, "--locked", "--root"]);
    install.arg(target_dir().join("tools"));
    run(install).map_err(|reason| format!("cargo-fuzz is needed, with a C++ compiler: {reason}"))?;
    Ok(own)
}

/// Where everything goes that fuzzing makes: programs, finds, what the fuzzer says.
fn dir() -> PathBuf {
    target_dir().join("fuzz")
}

/// Runs one target; a line about it, or what it failed on and how to see it again.
fn fuzz(target: &str, program: &Path, seconds: u64) -> Result<String, String> {
    let (finds, kept) = (dir().join("corpus").join(target), root().join("fuzz/corpus").join(target));
    let (crashes, log) = (dir().join("crashes"), dir().join(format!("{target}.log")));
    for dir in [&finds, &crashes] {
        fs::create_dir_all(dir).map_err(|error| format!("cannot make {}: {error}", dir.display()))?;
    }
    let mut fuzzer = command(program, [&format!("-max_total_time={seconds}"), &format!("-timeout={HANG_SECONDS}")]);
    fuzzer.args(["-print_final_stats=1", &format!("-artifact_prefix={}/{target}-", crashes.display())]);
    let dictionary = root().join(format!("fuzz/dict/{target}.dict"));
    if dictionary.exists() {
        fuzzer.arg(format!("-dict={}", dictionary.display()));
    }
    // What is new goes into the first folder; the corpus of the repository is only read.
    fuzzer.args([finds, kept]);
    let ended = run_into(&log, fuzzer)?;
    let said = fs::read(&log).map_err(|error| format!("cannot read {}: {error}", log.display()))?;
    let said = Said::of(&String::from_utf8_lossy(&said));
    match (ended, said.seconds) {
        (true, Some(seconds)) => Ok(format!("{:>12} runs {seconds:>6} s   no crash", said.runs)),
        _ => Err(said.failure(target, program, &log)),
    }
}

/// Runs it with all its output in a file; whether it ended well.
fn run_into(log: &Path, mut command: Command) -> Result<bool, String> {
    let failed = |error| format!("cannot write {}: {error}", log.display());
    let output = File::create(log).map_err(failed)?;
    command.stderr(output.try_clone().map_err(failed)?).stdout(output);
    let status = command.status();
    status.map(|status| status.success()).map_err(|error| format!("cannot start {}: {error}", log.display()))
}

/// What libFuzzer printed.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    runs: u64,
    /// Only if it came to the end.
    seconds: Option<u64>,
    /// What the input did: panicked, hung, took all memory.
    fault: Option<String>,
    /// The file that has the input.
    input: Option<PathBuf>,
}

impl Said {
    fn of(output: &str) -> Self {
        let after = |words: &str| output.lines().find_map(|line| line.split_once(words).map(|(_, rest)| rest));
        let number = |text: &str| text.split_whitespace().next().and_then(|word| word.parse().ok());
        let mut lines = output.lines().skip_while(|line| !line.contains(" panicked at "));
        let panic = lines.next().map(|line| [line, lines.next().unwrap_or_default()].join(" "));
        Self {
            runs: after("stat::number_of_executed_units:").and_then(number).unwrap_or(0),
            seconds: after("Done ").and_then(|_| after(" runs in ")).and_then(number),
            fault: panic.or_else(|| after("ERROR: libFuzzer: ").map(str::to_owned)),
            input: after("Test unit written to ").map(|path| PathBuf::from(path.trim())),
        }
    }

    /// With paths as a person would type them at the top of the repository.
    fn failure(&self, target: &str, program: &Path, log: &Path) -> String {
        let fault = self.fault.as_deref().unwrap_or("the fuzzer itself failed");
        let (top, runs) = (root(), self.runs);
        let shown = |path: &Path| path.strip_prefix(&top).unwrap_or(path).display().to_string();
        let (program, log) = (shown(program), shown(log));
        let again = self.input.as_deref().map(shown).map(|input| {
            format!(
                "\n  the input:    {input}\n  run it again: {program} {input}\n  \
                 cut it down:  {program} -minimize_crash=1 -runs=100000 {input}\n  \
                 once mended:  keep it in fuzz/corpus/{target} under a name that says what it holds"
            )
        });
        format!("{target}, after {runs} runs: {fault}\n  all it said:  {log}{}", again.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_in_any_order() {
        assert_eq!(read_args(&[]), Ok((None, 60)));
        assert_eq!(read_args(&["events", "--seconds", "5"]), Ok((Some("events"), 5)));
        assert_eq!(read_args(&["--seconds", "5", "events"]), Ok((Some("events"), 5)));
        for bad in [&["--seconds"][..], &["--seconds", "0"], &["--seconds", "x"], &["a", "b"], &["--second", "1"]] {
            assert!(read_args(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_libfuzzer_prints() {
        let well = "#4\tDONE   cov: 1\nDone 2954856 runs in 41 second(s)\nstat::number_of_executed_units: 2954856\n";
        assert_eq!(Said::of(well), Said { runs: 2_954_856, seconds: Some(41), fault: None, input: None });
        let panic = "thread '<unnamed>' (1) panicked at src/json.rs:5:9:\nread as another value\nstack backtrace:\n\
                     ==1== ERROR: libFuzzer: deadly signal\nTest unit written to /t/crashes/json-crash-1\n\
                     stat::number_of_executed_units: 7\n";
        let said = Said::of(panic);
        assert_eq!((said.runs, said.seconds), (7, None));
        let wanted = "thread '<unnamed>' (1) panicked at src/json.rs:5:9: read as another value";
        assert_eq!(said.fault.as_deref(), Some(wanted));
        assert_eq!(said.input.as_deref(), Some(Path::new("/t/crashes/json-crash-1")));
        let memory = Said::of("==1== ERROR: libFuzzer: out-of-memory (used: 2244Mb; limit: 2048Mb)\n");
        assert_eq!(memory.fault.as_deref(), Some("out-of-memory (used: 2244Mb; limit: 2048Mb)"));
        assert!(memory.failure("json", Path::new("p"), Path::new("l")).ends_with("all it said:  l"));
    }
}
