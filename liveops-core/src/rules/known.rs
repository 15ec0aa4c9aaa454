//! What the calendar said before: nearly every event counts in the periods that the one before it counted in, and dates take long to
//! work out.

use super::Rules;
use crate::board::Sort;
use crate::hash::Digest;
use crate::id::BoardId;
use crate::record::BoardKey;
use crate::time::Timestamp;
use crate::window::{Period, Window, is_reached};

/// Most kinds of entries whose end is known; of more, all are asked for anew.
const KEPT_MAX: usize = 64;

/// Answers under one rules document, each with the time in which it holds.
#[derive(Debug, Default)]
pub(super) struct Known {
    rules: Digest,
    /// The type of the event before, by its place.
    pub(super) last_type: usize,
    /// By window: the period met last, and the one before, since around a reset events of both come in.
    periods: [[KnownPeriod; 2]; Window::ALL.len()],
    kept: Vec<KnownEntry>,
    /// Where among these the next entry is looked for first: players have the same ones in the same order.
    next: usize,
}

/// A period, and when events count in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownPeriod {
    from: Timestamp,
    until: Timestamp,
    pub(super) period: Period,
    pub(super) closes_at: Timestamp,
}

impl KnownPeriod {
    #[inline]
    fn holds(&self, ts: Timestamp) -> bool {
        self.from <= ts && ts < self.until
    }
}

/// One that no event counts in.
impl Default for KnownPeriod {
    fn default() -> Self {
        let (period, closes_at) = (Period { window: Window::AllTime, index: 0 }, Timestamp::MIN);
        Self { from: Timestamp::MAX, until: Timestamp::MIN, period, closes_at }
    }
}

/// Entries of one board and period that sort alike, and until when the rules keep them.
#[derive(Debug)]
struct KnownEntry {
    key: BoardKey,
    sort: Sort,
    kept_until: Timestamp,
}

impl Known {
    /// Forgets what it knows of other rules.
    pub(super) fn under(&mut self, rules: &Rules) {
        if self.rules != rules.hash {
            *self = Self { rules: rules.hash, ..Self::default() };
        }
    }

    /// [`Calendar::period`](crate::window::Calendar::period), and when it closes.
    #[inline]
    pub(super) fn period(&mut self, rules: &Rules, window: Window, ts: Timestamp) -> Option<&KnownPeriod> {
        let known = &mut self.periods[window as usize];
        match known {
            [last, _] if last.holds(ts) => Some(&known[0]),
            [_, before] if before.holds(ts) => Some(&known[1]),
            _ => Self::look_up(known, rules, window, ts),
        }
    }

    #[cold]
    fn look_up<'k>(
        known: &'k mut [KnownPeriod; 2],
        rules: &Rules,
        window: Window,
        ts: Timestamp,
    ) -> Option<&'k KnownPeriod> {
        let calendar = &rules.calendar;
        let period = calendar.period(window, ts)?;
        let (from, until) = (calendar.start(period), calendar.end(period));
        let found = KnownPeriod { from, until, period, closes_at: calendar.closes_at(period) };
        *known = [found, known[0]];
        Some(&known[0])
    }

    /// Whether a player's entry is kept: [`Rules::entry_kept_until`].
    pub(super) fn keeps(&mut self, rules: &Rules, board: &BoardId, period: Period, sort: Sort, now: Timestamp) -> bool {
        let is_it = |known: &KnownEntry| known.key.period == period && known.sort == sort && known.key.board == *board;
        let at = match self.kept.get(self.next) {
            Some(known) if is_it(known) => self.next,
            _ => self.kept.iter().position(is_it).unwrap_or_else(|| {
                if self.kept.len() == KEPT_MAX {
                    self.kept.clear();
                }
                let kept_until = rules.entry_kept_until(board, period, sort);
                let key = BoardKey { board: board.clone(), period };
                self.kept.push(KnownEntry { key, sort, kept_until });
                self.kept.len() - 1
            }),
        };
        self.next = at + 1;
        !is_reached(self.kept[at].kept_until, now)
    }

    /// The next entries are those of another player.
    pub(super) fn begin(&mut self) {
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::board::{Order, Ties};
    use crate::id::BoardId;

    fn rules(calendar: &str, more: &str) -> Rules {
        let text = format!(
            r#"{{ "version": 1, "game": "known", "calendar": {calendar},
                "boards": {{ "xp": {{ "value": 1, "keepPeriods": {{ "daily": 2, "weekly": 0, "monthly": 1, "seasonal": 1, "allTime": 0 }} }},
                    "ym": {{ "value": 1, "keepPeriods": {{ "daily": 0 }} }} }} {more} }}"#
        );
        Rules::from_json(&text).unwrap()
    }

    fn many() -> Vec<Rules> {
        let table = r#"{ "graceSeconds": 60, "seasons": { "table": [
            { "label": "one", "from": "2026-01-10T00:00:00Z", "until": "2026-03-01T00:00:00Z" },
            { "label": "two", "from": "2026-04-01T00:00:00Z", "until": "2026-06-01T12:00:00Z" } ] } }"#;
        let far = r#"{ "utcOffsetMinutes": 840, "resetMinute": 300, "graceSeconds": 3600, "weekStart": "sunday" }"#;
        vec![
            rules("{}", ""),
            rules(far, r#", "retiredBoards": ["gone"]"#),
            rules(table, r#", "retiredBoards": ["gone"]"#),
        ]
    }

    proptest! {
        /// Whatever was asked before, and under whichever rules.
        #[test]
        fn it_says_what_the_calendar_says(asked in prop::collection::vec(
            (0_usize..3, 0_usize..5, 1_767_000_000_000_i64..1_782_000_000_000, 0_i64..3_000_000_000, 0_usize..3, any::<bool>()), 1..60,
        )) {
            let (all, mut known) = (many(), Known::default());
            for (by, window, ts, late, board, asc) in asked {
                let (rules, window, ts) = (&all[by], Window::ALL[window], Timestamp::from_unix_millis(ts));
                known.under(rules);
                // Twice: asked for, and known.
                for _ in 0..2 {
                    let found = known.period(rules, window, ts).copied();
                    prop_assert_eq!(found.map(|found| found.period), rules.calendar.period(window, ts));
                    let Some(KnownPeriod { period, closes_at, .. }) = found else { continue };
                    prop_assert_eq!(closes_at, rules.calendar.closes_at(period));
                    let key = BoardKey { board: BoardId::new(["xp", "ym", "gone"][board]).unwrap(), period };
                    let order = if asc { Order::Asc } else { Order::Desc };
                    let sort = Sort { order, ties: Ties::default() };
                    let is_own = rules.board(&key.board).is_none_or(|rule| rule.sort == sort);
                    for now in [ts, ts.plus_millis(late), closes_at, closes_at.minus_millis(1)] {
                        let kept = is_own && rules.keeps(&key, now);
                        prop_assert_eq!(known.keeps(rules, &key.board, key.period, sort, now), kept);
                    }
                }
            }
        }
    }
}
