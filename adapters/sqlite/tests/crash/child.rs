//! The process that crashes: this program, told by its environment what to do.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::{game, open, play};

const ROLE: &str = "LIVEOPS_CRASH_ROLE";

/// A child that will do something in a folder: `Command` for more of its environment.
pub(crate) fn command(role: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child::a_child_does_as_told", "--nocapture", "--test-threads=1"]);
    command
        .env(ROLE, role)
        .env("LIVEOPS_CRASH_FOLDER", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Runs a child to its end, which must be a good one.
pub(crate) fn run(command: &mut Command) {
    let Output { status, stderr, .. } = command.output().unwrap();
    assert!(status.success(), "a child failed, {status}:\n{}", String::from_utf8_lossy(&stderr));
}

/// Kills it and waits until it is gone.
pub(crate) fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A number of the child's environment.
pub(crate) fn setting(name: &str) -> usize {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set")).parse().unwrap()
}

/// Says what was acknowledged: a line in a file beside the store, in one write.
pub(crate) struct Acknowledgements(std::fs::File);

pub(crate) const ACKNOWLEDGEMENTS: &str = "acknowledged";

impl Acknowledgements {
    pub(crate) fn to(folder: &Path) -> Self {
        Self(std::fs::File::options().append(true).create(true).open(folder.join(ACKNOWLEDGEMENTS)).unwrap())
    }

    pub(crate) fn add(&mut self) {
        self.0.write_all(b"+").unwrap();
    }

    /// How many there are.
    pub(crate) fn count(folder: &Path) -> usize {
        std::fs::metadata(folder.join(ACKNOWLEDGEMENTS)).map_or(0, |file| file.len() as usize)
    }
}

/// No test: what children run.
#[test]
fn a_child_does_as_told() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let folder = std::path::PathBuf::from(std::env::var_os("LIVEOPS_CRASH_FOLDER").unwrap());
    match role.as_str() {
        "play" => steps(&folder),
        "many" => crate::kill::child(&folder),
        "full" => crate::full::child(&folder),
        "syncs" => crate::syncs::child(&folder),
        "creation" => crate::creation::child(&folder),
        "open" => crate::openers::child(&folder),
        "fork" => crate::fork::child(&folder),
        other => panic!("no role: {other}"),
    }
}

/// Takes steps, and ends with the store closed or without a word.
fn steps(folder: &Path) {
    let (first, end) = (setting("FIRST"), setting("END"));
    let mut acknowledgements = Acknowledgements::to(folder);
    let engine = play(open(&folder.join("game.db"), std::env::var_os("NORMAL").is_none()).unwrap());
    for step in &game::steps()[first..end] {
        game::take(&engine, step).unwrap();
        acknowledgements.add();
    }
    if std::env::var_os("ABRUPT").is_some() {
        std::process::exit(0);
    }
}
