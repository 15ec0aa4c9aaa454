//! What a server used of the processors: the first number of `/proc/<pid>/task/<thread>/schedstat` of all its threads and processes.

use std::path::{Path, PathBuf};
use std::time::Instant;

use liveops_compare::measure::Stopwatch;

/// The kernel counts processes that ended in these.
const TICK_NS: u64 = 10_000_000;

/// A server, by the processes that do its work.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server {
    /// Of which all others are children; children that end are counted on.
    pid: u32,
}

/// Nanoseconds on a processor, and waiting for one.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    ran: u64,
    waited: u64,
}

impl Server {
    /// By its first process.
    pub(super) fn of(pid: Option<u32>) -> Result<Self, String> {
        pid.map(|pid| Self { pid }).ok_or_else(|| "a server does not run".to_owned())
    }

    /// Runs a round and returns how many nanoseconds of a processor the server used meanwhile. How long the server waited for one goes
    /// to the stopwatch.
    pub(super) fn measure(
        self,
        stopwatch: &mut Stopwatch,
        round: impl FnOnce() -> Result<(), String>,
    ) -> Result<f64, String> {
        let (before, begun) = (self.used(), Instant::now());
        round()?;
        let (after, wall_ns) = (self.used(), begun.elapsed().as_nanos());
        let used = before.zip(after);
        stopwatch.count(wall_ns, used.map(|(before, after)| after.waited.saturating_sub(before.waited).into()));
        used.map(|(before, after)| after.ran.saturating_sub(before.ran) as f64)
            .ok_or_else(|| "the kernel does not tell what a process used".to_owned())
    }

    fn used(self) -> Option<Used> {
        let mut sum = Used { ran: ended_ns(self.pid)?, waited: 0 };
        for pid in [self.pid].into_iter().chain(children(self.pid)) {
            for thread in threads(pid) {
                // A process that has just ended is counted among the ended.
                let Ok(text) = std::fs::read_to_string(thread.join("schedstat")) else { continue };
                let mut numbers = text.split_whitespace().map_while(|word| word.parse::<u64>().ok());
                sum.ran += numbers.next()?;
                sum.waited += numbers.next()?;
            }
        }
        Some(sum)
    }
}

fn threads(pid: u32) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()))
}

fn children(pid: u32) -> Vec<u32> {
    let of = |thread: &Path| std::fs::read_to_string(thread.join("children")).unwrap_or_default();
    threads(pid)
        .flat_map(|thread| of(&thread).split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// What children used that have ended: `cutime` and `cstime` of `/proc/<pid>/stat`.
fn ended_ns(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in parentheses and may hold spaces.
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks = fields.split_whitespace().skip(13).take(2).map(|field| field.parse::<u64>().ok());
    ticks.sum::<Option<u64>>().map(|ticks| ticks * TICK_NS)
}
