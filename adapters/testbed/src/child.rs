//! A server as a child process: its log, signals to it, and what it used of a processor.

use std::fs::OpenOptions;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

const STARTING_MILLIS_MAX: u64 = 30_000;
const ENDING_MILLIS_MAX: u64 = 5_000;
const STEP_MILLIS: u64 = 10;
const LOG_BYTES_SHOWN: usize = 2_000;

/// Started by us, and reaped by us.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts it, with what it says going to a file.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Self, String> {
        let program = command.get_program().to_string_lossy().into_owned();
        let open = || OpenOptions::new().create(true).append(true).open(log);
        let (out, err) = match (open(), open()) {
            (Ok(out), Ok(err)) => (out, err),
            (Err(error), _) | (_, Err(error)) => return Err(format!("{}: {error}", log.display())),
        };
        // A group of its own: Ctrl-C ends the test, and the guard of the folder ends the server.
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).process_group(0).spawn();
        let child = child.map_err(|error| format!("cannot start `{program}`: {error}"))?;
        Ok(Self { child, log: log.to_owned() })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `ready` says yes. A server that ends before that is an error which shows the end of its log.
    pub(crate) fn wait_until(&mut self, what: &str, mut ready: impl FnMut() -> bool) -> Result<(), String> {
        for _ in 0..STARTING_MILLIS_MAX / STEP_MILLIS {
            if ready() {
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.says(&format!("{what} ended as it started ({status})")));
            }
            std::thread::sleep(Duration::from_millis(STEP_MILLIS));
        }
        Err(self.says(&format!("{what} does not answer after {STARTING_MILLIS_MAX} ms")))
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<(), String> {
        send(self.pid(), signal)
    }

    /// Ends it and everything that it had started, as a lost machine would, and returns once all are gone.
    pub(crate) fn kill9(&mut self) -> Result<ExitStatus, String> {
        let children = children_of(self.pid());
        _ = self.child.kill();
        for pid in &children {
            _ = send(*pid, Signal::KILL);
        }
        let status = self.child.wait().map_err(|error| format!("cannot wait for {}: {error}", self.pid()))?;
        for _ in 0..ENDING_MILLIS_MAX / STEP_MILLIS {
            if !children.iter().any(|pid| is_running(*pid)) {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(STEP_MILLIS));
        }
        Err(format!("children of {} are still there {ENDING_MILLIS_MAX} ms after they were killed", self.pid()))
    }

    /// Asks it to end, and ends it if it does not.
    pub(crate) fn end(&mut self, how: Signal) {
        _ = self.signal(how);
        _ = self.signal(Signal::CONT);
        for _ in 0..ENDING_MILLIS_MAX / STEP_MILLIS {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(STEP_MILLIS));
        }
        _ = self.kill9();
    }

    fn says(&self, what: &str) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let end = &log[log.len().saturating_sub(LOG_BYTES_SHOWN)..];
        format!("{what}; its log ends in:\n{}", String::from_utf8_lossy(end))
    }
}

/// What a process, its threads and everything that it started have used of a processor, in nanoseconds: the first number
/// of each `schedstat`. Threads and children that have ended no longer count. `None` where the kernel does not tell.
pub fn processor_ns(pid: u32) -> Option<u64> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let mut used = 0;
    for thread in threads {
        // One that ended meanwhile has no file.
        let stat = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).unwrap_or_default();
        used += stat.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0);
    }
    let children = children_of(pid);
    Some(used + children.into_iter().filter_map(processor_ns).sum::<u64>())
}

/// The processes that this one started.
pub(crate) fn children_of(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>()).collect()
}

/// Sends a signal to any process.
pub(crate) fn send(pid: u32, signal: Signal) -> Result<(), String> {
    let target = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or_else(|| format!("{pid} is no process"))?;
    kill_process(target, signal).map_err(|error| format!("cannot send a signal to {pid}: {error}"))
}

/// Whether it has a life left: who has ended and was not waited for has none.
fn is_running(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before it stands in parentheses, and may hold anything.
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}
