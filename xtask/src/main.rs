//! `cargo xtask <task>`: one command for each thing people do with this repository.
#![forbid(unsafe_code)]
// A program that talks to people on a terminal and times itself.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

mod compare;
mod fix;
mod fuzz;
mod licences;
mod process;
mod rules_types;
mod servers;
mod setup;
mod tally;
mod test;
mod verify;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <task>

  test [area]                 build what is needed, run every test, count; areas: rust, python, node, and fleet, which is all three
  verify                      formatting, lints, documentation, licences, then every test; edits nothing
  fix                         format, apply what clippy can, rewrite docs/errors.md and the types of rules
  build [python|node]         optimised extensions: target/venv and bindings/node/native.node
  compare [area] [--json]     peers side by side; the area is the first word of a row's name
  fuzz [target] [--seconds N] each target of fuzz/, or one, for 60 seconds unless said otherwise
  servers                     find or install redis-server and PostgreSQL, print where they are, for a shell
  help                        this page
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.split_first() {
        Some((&"test", rest)) => test::run_areas(rest),
        Some((&"verify", [])) => verify::run_all(),
        Some((&"fix", [])) => fix::run_all(),
        Some((&"build", rest)) => setup::run_task(rest),
        Some((&"compare", rest)) => compare::run(rest),
        Some((&"fuzz", rest)) => fuzz::run_task(rest),
        Some((&"servers", [])) => servers::run_task(),
        Some((&("help" | "--help" | "-h"), _)) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => Err(format!("that is not a task\n\n{HELP}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            // Empty where the task has said itself what failed.
            if !reason.is_empty() {
                eprintln!("xtask: {reason}");
            }
            ExitCode::FAILURE
        }
    }
}
