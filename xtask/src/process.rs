//! Child processes: announced, streamed, and their output kept where somebody counts.

use std::io::{BufRead as _, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What a child left behind.
pub(crate) struct Finished {
    /// Whether it ended with code zero.
    pub(crate) ok: bool,
    /// What it wrote to standard output.
    pub(crate) output: String,
}

/// The top of the repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Where everything goes that can be made again.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A command that runs at the top of the repository.
pub(crate) fn command<const N: usize>(program: impl AsRef<std::ffi::OsStr>, args: [&str; N]) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(root());
    command
}

/// The cargo that started us.
pub(crate) fn cargo<const N: usize>(args: [&str; N]) -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), args)
}

/// Runs it with its output on our standard error: standard output is for counts and results.
pub(crate) fn run(mut command: Command) -> Result<(), String> {
    announce(&command);
    let begun = Instant::now();
    command.stdout(std::io::stderr());
    let status = command.status().map_err(|error| cannot_start(&command, &error))?;
    eprintln!("   {:.1} s", begun.elapsed().as_secs_f64());
    if status.success() { Ok(()) } else { Err(format!("`{}` failed ({status})", shown(&command))) }
}

/// Runs it with its output on our terminal, and keeps standard output as well.
pub(crate) fn run_and_read(command: Command) -> Result<Finished, String> {
    tee(command, &mut std::io::stdout())
}

/// Runs it with its output on our standard error, and keeps it: standard output stays free for results.
pub(crate) fn run_and_read_quietly(command: Command) -> Result<Finished, String> {
    tee(command, &mut std::io::stderr())
}

fn tee(mut command: Command, echo: &mut dyn Write) -> Result<Finished, String> {
    announce(&command);
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| cannot_start(&command, &error))?;
    let mut output = String::new();
    if let Some(stdout) = child.stdout.take() {
        let mut lines = BufReader::new(stdout);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).map_err(|error| format!("`{}`: {error}", shown(&command)))? > 0 {
            // A reader that went away (`| head`) is no reason to stop counting.
            _ = echo.write_all(&line);
            output.push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    }
    let status = child.wait().map_err(|error| format!("`{}`: {error}", shown(&command)))?;
    eprintln!("   {:.1} s", begun.elapsed().as_secs_f64());
    Ok(Finished { ok: status.success(), output })
}

/// Runs it without a word; standard output if it succeeded, standard error if it failed.
pub(crate) fn read(mut command: Command) -> Result<String, String> {
    let done = command.output().map_err(|error| cannot_start(&command, &error))?;
    if done.status.success() {
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    } else {
        Err(format!("`{}` failed: {}", shown(&command), String::from_utf8_lossy(&done.stderr).trim()))
    }
}

/// The machine's name among compilers, `x86_64-unknown-linux-gnu` say.
pub(crate) fn host() -> Result<String, String> {
    let version = read(command("rustc", ["-vV"]))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "`rustc -vV` names no host".to_owned())
}

/// Whether a tool answers at all.
pub(crate) fn answers(tool: impl AsRef<std::ffi::OsStr>) -> bool {
    read(command(tool, ["--version"])).is_ok()
}

fn announce(command: &Command) {
    eprintln!("\n-- {}", shown(command));
}

fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    format!("cannot start `{}`: {error}", command.get_program().to_string_lossy())
}

/// The command as a person would type it at the top of the repository.
fn shown(command: &Command) -> String {
    let root = root();
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words
        .map(|word| {
            let path = Path::new(word);
            path.strip_prefix(&root).unwrap_or(path).to_string_lossy().into_owned()
        })
        .collect();
    let words = words.join(" ");
    match command.get_current_dir().and_then(|dir| dir.strip_prefix(&root).ok()) {
        Some(dir) if dir != Path::new("") => format!("(cd {} && {words})", dir.display()),
        _ => words,
    }
}
