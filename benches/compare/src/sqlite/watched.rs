//! A row that is measured on a watched disk, in a process of its own: this program again, on the disk that the crash tests break.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use liveops_compare::measure::Row;

use super::disk::Disk;
use super::{Home, text};

/// In the environment of that process: where its disk is.
const FOLDER: &str = "LIVEOPS_COMPARE_WATCHED";

/// Where the disk of this process is, if it is watched.
pub(super) fn folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// A row as such a process measures it.
pub(super) fn row(name: &'static str) -> Result<Row, String> {
    let fields = fields(name)?;
    let number = |field: &str| fields[field].as_f64().unwrap_or(f64::NAN);
    let (ours, peer, wait_percent) = (number("ours"), number("peer"), number("wait_percent"));
    Ok(Row { name, ours, peer, unit: "ns/event", wait_percent, ..Row::default() })
}

/// What such a process counts.
pub(super) fn more(name: &str, wanted: &[&'static str]) -> Result<Vec<(&'static str, f64)>, String> {
    let fields = fields(name)?;
    Ok(wanted.iter().map(|wanted| (*wanted, fields["more"][wanted].as_f64().unwrap_or(f64::NAN))).collect())
}

fn fields(row: &str) -> Result<serde_json::Value, String> {
    let home = Home::new()?;
    let disk = Disk::new(&home.0, false);
    let mut command = Command::new(std::env::current_exe().map_err(text)?);
    command.arg(row).env(FOLDER, disk.folder()).stderr(Stdio::inherit());
    let done = disk.under(&mut command).output().map_err(text)?;
    let output = String::from_utf8_lossy(&done.stdout);
    let line = output.lines().rev().find(|line| line.starts_with('{')).filter(|_| done.status.success());
    serde_json::from_str(line.ok_or("its process on a watched disk failed")?).map_err(text)
}
