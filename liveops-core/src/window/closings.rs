//! Which periods closed between two times.

use std::collections::BTreeSet;

use super::{Calendar, Period, Window};
use crate::time::Timestamp;

impl Calendar {
    /// The closings `after < closes_at <= through` of these windows, with their times: each once, by time and then by
    /// window, however long the caller was away. Callers keep `through` and pass it as the next `after`; where they cut
    /// does not matter.
    ///
    /// [`Timestamp::MIN`] as `after` means that there is no mark yet: nothing was crossed. Lazy: the cost is that of the
    /// closings taken.
    ///
    /// ```
    /// use liveops_core::Timestamp;
    /// use liveops_core::window::{Calendar, Window};
    ///
    /// let at = |text| Timestamp::from_rfc3339(text).unwrap();
    /// let calendar = Calendar::utc();
    /// let closed = calendar.closed_between(
    ///     &[Window::Daily, Window::Monthly],
    ///     at("2026-10-30T12:00:00Z"),
    ///     at("2026-11-01T00:00:00Z"),
    /// );
    /// let labels: Vec<_> = closed.map(|(_, period)| calendar.label(period)).collect();
    /// assert_eq!(labels, ["2026-10-30", "2026-10-31", "2026-10"]);
    /// ```
    pub fn closed_between(&self, windows: &[Window], after: Timestamp, through: Timestamp) -> Closings {
        let marked = after != Timestamp::MIN;
        let windows: BTreeSet<_> = windows.iter().filter(|_| marked).collect();
        let ended_after = after.minus_millis(self.grace_millis());
        let next = |window: &Window| {
            let period = self.first_ending_after(*window, ended_after);
            (self.closes_at(period), period)
        };
        Closings { calendar: self.clone(), next: windows.into_iter().map(next).collect(), through }
    }

    /// The index of a window's last period that closes no later than `through`; one before the first if none does.
    pub(crate) fn last_closed(&self, window: Window, through: Timestamp) -> i64 {
        self.first_ending_after(window, through.minus_millis(self.grace_millis())).index.saturating_sub(1)
    }
}

/// What [`Calendar::closed_between`] gives: times and the periods that close then, in order.
#[derive(Clone, Debug)]
pub struct Closings {
    calendar: Calendar,
    /// Of each window the closing that comes next.
    next: Vec<(Timestamp, Period)>,
    through: Timestamp,
}

impl Iterator for Closings {
    type Item = (Timestamp, Period);

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next.iter_mut().min()?;
        let closing @ (closes_at, period) = *next;
        // The latest time means never, and never does not come.
        if closes_at > self.through || closes_at == Timestamp::MAX {
            return None;
        }
        let following = Period { index: period.index.saturating_add(1), ..period };
        *next = (self.calendar.closes_at(following), following);
        Some(closing)
    }
}

impl std::iter::FusedIterator for Closings {}
