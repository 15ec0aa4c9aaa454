//! Which finished boards are to be paid: those that closed since a mark and are still kept, and those that no longer are.

use serde::Serialize;

use super::Rules;
use crate::id::BoardId;
use crate::record::BoardKey;
use crate::time::Timestamp;
use crate::window::{Period, Window};

/// What closed between two times, of the boards and windows that pay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// Still kept, with their closings: by time, then by window, then by board.
    pub(crate) periods: Vec<(Timestamp, BoardKey)>,
    /// No longer kept.
    pub(crate) dropped: Vec<DroppedPeriods>,
}

/// Periods of a window of a board that closed and are no longer kept: only archives pay them now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DroppedPeriods {
    /// Of which board.
    pub board: BoardId,
    /// Of which window.
    pub window: Window,
    /// The index of the first.
    pub first: i64,
    /// The index of the last.
    pub last: i64,
}

impl Rules {
    /// What pays and closed in `mark < t <= through`; without a mark all that is kept at `now`.
    pub(crate) fn due(&self, mark: Option<Timestamp>, through: Timestamp, now: Timestamp) -> Due {
        let mut due = Due::default();
        if through == Timestamp::MIN {
            return due;
        }
        for rule in self.boards() {
            for &(window, keep) in rule.windows.iter().filter(|(window, _)| rule.payout(*window).is_some()) {
                let closed = |at| self.calendar.last_closed(window, at);
                let (last, oldest_kept) = (closed(through), closed(now).saturating_sub(keep.into()).saturating_add(1));
                let first = mark.map_or(oldest_kept, |mark| closed(mark).saturating_add(1));
                let last_dropped = last.min(oldest_kept.saturating_sub(1));
                if first <= last_dropped {
                    due.dropped.push(DroppedPeriods { board: rule.board.clone(), window, first, last: last_dropped });
                }
                for index in first.max(oldest_kept)..=last {
                    let key = BoardKey { board: rule.board.clone(), period: Period { window, index } };
                    let closes_at = self.calendar.closes_at(key.period);
                    // The latest time means never: there is no such season.
                    if closes_at != Timestamp::MAX {
                        due.periods.push((closes_at, key));
                    }
                }
            }
        }
        due.periods.sort_by(|(at, a), (bt, b)| (at, a.period.window, &a.board).cmp(&(bt, b.period.window, &b.board)));
        due
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::time::DAY_MILLIS;

    const NOW: i64 = 1_794_009_600_000;

    fn rules() -> Rules {
        let pays = r#"[{ "tier": "gold", "ranks": [1, 1], "grant": { "kind": "item", "id": "crown", "amount": 1 } }]"#;
        Rules::from_json(&format!(
            r#"{{ "version": 1, "game": "vectors",
                "calendar": {{ "graceSeconds": 3600, "seasons": {{ "table": [
                    {{ "label": "one", "from": "2026-09-01T00:00:00Z", "until": "2026-10-01T00:00:00Z" }},
                    {{ "label": "two", "from": "2026-10-15T00:00:00Z", "until": "2026-11-05T00:00:00Z" }} ] }} }},
                "boards": {{
                    "b": {{ "value": 1, "keepPeriods": {{ "daily": 3, "weekly": 2, "seasonal": 1, "allTime": 0 }},
                        "payouts": {{ "daily": {pays}, "seasonal": {pays} }} }},
                    "a": {{ "value": 1, "keepPeriods": {{ "daily": 9, "monthly": 1 }}, "payouts": {{ "daily": {pays} }} }},
                    "free": {{ "value": 1, "keepPeriods": {{ "daily": 9 }} }} }} }}"#
        ))
        .unwrap()
    }

    /// Every closing is in one of the two lists, once, as the naive walk over all closings has it.
    #[test]
    fn it_is_what_a_walk_over_all_closings_finds() {
        let rules = rules();
        let at = Timestamp::from_unix_millis;
        for (ago, through, now) in
            [(0, 0, 0), (1, 0, 0), (5, 0, 0), (5, 2, 0), (40, 0, 0), (90, 3, 2), (90, 0, 60), (200, 100, 0)]
        {
            let [mark, through, now] = [ago, through, now].map(|days| at(NOW - days * DAY_MILLIS + 1000));
            let due = rules.due(Some(mark), through, now);
            let mut kept = Vec::new();
            let mut dropped = BTreeSet::new();
            for (closes_at, period) in rules.closed_between(mark, through) {
                for rule in rules.boards().iter().filter(|rule| rule.payout(period.window).is_some()) {
                    let key = BoardKey { board: rule.board.clone(), period };
                    if rules.keeps(&key, now) {
                        kept.push((closes_at, key));
                    } else {
                        dropped.insert(key);
                    }
                }
            }
            kept.sort_by_key(|(at, key)| (*at, key.period.window, key.board.clone()));
            assert_eq!(due.periods, kept, "{ago} days");
            let told = due.dropped.iter().flat_map(|DroppedPeriods { board, window, first, last }| {
                (*first..=*last)
                    .map(|index| BoardKey { board: board.clone(), period: Period { window: *window, index } })
            });
            assert_eq!(told.collect::<BTreeSet<_>>(), dropped, "{ago} days");
        }
    }

    #[test]
    fn without_a_mark_it_is_all_that_is_kept() {
        let (rules, now) = (rules(), Timestamp::from_unix_millis(NOW));
        let due = rules.due(None, now, now);
        let count = |board: &str, window| {
            due.periods.iter().filter(|(_, key)| key.board.as_str() == board && key.period.window == window).count()
        };
        assert_eq!((count("b", Window::Daily), count("a", Window::Daily), count("b", Window::Seasonal)), (3, 9, 1));
        assert_eq!((due.periods.len(), due.dropped), (13, vec![]));
        let never = rules.due(None, Timestamp::MIN, Timestamp::MIN);
        assert_eq!(never, Due::default(), "nothing closed yet");
        let ancient = rules.due(Some(Timestamp::from_unix_millis(-1 << 50)), now, now);
        assert_eq!((ancient.periods.len(), ancient.dropped.len()), (13, 3), "however long ago, in two lines");
    }
}
