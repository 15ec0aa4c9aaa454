//! Days in a row.

use crate::codec::fields;

/// Days in a row on which something was done, by the index of the day in a calendar: a day of 23 or 25 hours is one day.
///
/// ```
/// use liveops_core::progress::{Streak, StreakStep};
///
/// let mut streak = Streak::default();
/// assert_eq!(streak.step(100, 0), StreakStep::Day(1));
/// assert_eq!(streak.step(100, 0), StreakStep::Same, "a day counts once");
/// assert_eq!(streak.step(101, 0), StreakStep::Day(2));
/// assert_eq!(streak.step(103, 0), StreakStep::Day(1), "a day was missed");
/// assert_eq!(streak.step(105, 1), StreakStep::Day(2), "which these rules allow");
/// assert_eq!(streak.step(104, 1), StreakStep::Same, "what comes late mends nothing");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Streak {
    /// Index of the newest day.
    pub last_day: i64,
    /// Days in a row up to it; 0 before the first.
    pub length: u32,
    /// The most there ever were.
    pub longest: u32,
}

/// What a day makes of a streak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreakStep {
    /// Nothing: the day has counted already, or a later one has.
    Same,
    /// It is this day of the streak, from 1.
    Day(u32),
}

fields!(Streak { last_day, length, longest });

impl Streak {
    /// Takes in a day. Up to `missed_days_max` days may be missing between two and the streak still goes on; they do not
    /// count themselves.
    pub fn step(&mut self, day: i64, missed_days_max: u32) -> StreakStep {
        if self.length > 0 && day <= self.last_day {
            return StreakStep::Same;
        }
        let goes_on = self.length > 0 && day.saturating_sub(self.last_day) <= 1 + i64::from(missed_days_max);
        self.length = if goes_on { self.length.saturating_add(1) } else { 1 };
        self.last_day = day;
        self.longest = self.longest.max(self.length);
        StreakStep::Day(self.length)
    }

    /// Days in a row as they stand on a day: 0 once the streak cannot go on any more.
    pub fn length_on(&self, day: i64, missed_days_max: u32) -> u32 {
        let alive = day.saturating_sub(self.last_day) <= 1 + i64::from(missed_days_max);
        if alive { self.length } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use StreakStep::{Day, Same};

    use super::*;

    #[test]
    fn streaks_go_on_break_and_begin_again() {
        let mut streak = Streak::default();
        let steps: Vec<_> = [-2, -1, 0, 2, 2, 3, 6, 5, 7].iter().map(|day| streak.step(*day, 1)).collect();
        assert_eq!(steps, [Day(1), Day(2), Day(3), Day(4), Same, Day(5), Day(1), Same, Day(2)]);
        assert_eq!(streak, Streak { last_day: 7, length: 2, longest: 5 });
        assert_eq!([7, 8, 9, 10].map(|day| streak.length_on(day, 1)), [2, 2, 2, 0]);
        assert_eq!(streak.step(i64::MIN, 1), Same);
        assert_eq!(streak.step(i64::MAX, u32::MAX), Day(1), "however long ago");
    }
}
