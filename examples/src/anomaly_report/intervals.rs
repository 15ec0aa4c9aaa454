//! The time from one event of a player to the next, as people are told it.

use std::collections::VecDeque;

/// Of so many a sentence tells.
const KEPT: usize = 40;
/// Fewer say nothing.
const TOLD_MIN: usize = 4;
/// Longer is a break, in seconds, as for the detector.
const BREAK_S: i64 = 30 * 60;

/// The newest intervals of a player, without breaks and what came within a second, which is one act.
#[derive(Debug, Default)]
pub(super) struct Intervals {
    newest_ms: Option<i64>,
    seconds: VecDeque<i64>,
}

impl Intervals {
    /// Of events that a log has in whole seconds.
    pub(super) fn add(&mut self, at_ms: i64) {
        let seconds = self.newest_ms.map(|newest| at_ms.saturating_sub(newest) / 1_000);
        if seconds.is_some_and(|seconds| seconds < 1) {
            return;
        }
        self.newest_ms = Some(at_ms);
        if let Some(seconds) = seconds.filter(|seconds| *seconds <= BREAK_S) {
            self.seconds.push_back(seconds);
            if self.seconds.len() > KEPT {
                self.seconds.pop_front();
            }
        }
    }

    /// Their median, and between what the middle eight of ten lie.
    pub(super) fn told(&self) -> Option<String> {
        let mut sorted: Vec<i64> = self.seconds.iter().copied().collect();
        sorted.sort_unstable();
        let n = sorted.len();
        let [low, median, high] = [n / 10, n / 2, (n * 9 / 10).max(1) - usize::from(n >= 10)].map(|at| sorted.get(at));
        let (low, median, high) = (low?, median?, high?);
        if n < TOLD_MIN {
            return None;
        }
        let spread = if low == high { format!("{low} s") } else { format!("{low} to {high} s") };
        Some(format!("an event every {median} s; of the last {n} intervals eight in ten took {spread}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rhythm_is_told_in_seconds() {
        let mut intervals = Intervals::default();
        let mut at_ms = 1_793_652_783_000;
        // A break and a second event of the same act are no intervals.
        for gap in [0, 9_000_000, 0, 20_000, 20_000, 21_000] {
            at_ms += gap;
            intervals.add(at_ms);
        }
        assert_eq!(intervals.told(), None);
        for gap in [19_000, 20_000, 20_000, 20_000, 20_000, 20_000, 500_000] {
            at_ms += gap;
            intervals.add(at_ms);
        }
        let told = "an event every 20 s; of the last 10 intervals eight in ten took 20 to 21 s";
        assert_eq!(intervals.told().as_deref(), Some(told));
        for _ in 0..KEPT {
            at_ms += 20_000;
            intervals.add(at_ms);
        }
        let told = "an event every 20 s; of the last 40 intervals eight in ten took 20 s";
        assert_eq!(intervals.told().as_deref(), Some(told));
    }
}
