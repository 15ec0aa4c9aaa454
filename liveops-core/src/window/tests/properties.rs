//! What holds for every calendar and time.

use super::calendar::{DAYS_MAX, later};
use super::*;

#[test]
fn every_time_lies_in_its_period_and_periods_tile() {
    let seed = 7;
    let mut random = SplitMix64(seed);
    for turn in 0..50_000 {
        let (calendar, ts) = (random.calendar(), random.time());
        for window in Window::ALL.iter().copied() {
            let note = || format!("seed {seed}, turn {turn}, {window} at {}: {calendar:?}", ts.as_unix_millis());
            let Some(period) = calendar.period(window, ts) else {
                assert!(window == Window::Seasonal && calendar.has_season_table(), "{}", note());
                continue;
            };
            let (start, end) = (calendar.start(period), calendar.end(period));
            assert!(start <= ts && ts < end, "{}", note());
            if window == Window::AllTime || window == Window::Seasonal && calendar.has_season_table() {
                continue;
            }
            assert_eq!(calendar.start(later(period, 1)), end, "{}", note());
            if start != Timestamp::MIN {
                let before = calendar.period(window, start.minus_millis(1)).unwrap();
                assert_eq!(later(before, 1), period, "{}", note());
            }
            if end != Timestamp::MAX {
                assert_eq!(calendar.period(window, end), Some(later(period, 1)), "{}", note());
            }
            assert!(calendar.closes_at(period) >= end, "{}", note());
        }
    }
}

#[test]
fn the_next_reset_is_the_first_moment_of_another_period() {
    let seed = 17;
    let mut random = SplitMix64(seed);
    for turn in 0..50_000 {
        let (calendar, now) = (random.calendar(), random.time());
        for window in Window::ALL.iter().copied() {
            let note = || format!("seed {seed}, turn {turn}, {window} at {}: {calendar:?}", now.as_unix_millis());
            let current = calendar.current(window, now);
            if let Some(reset) = calendar.next_reset(window, now) {
                assert!(now < reset, "{}", note());
                assert_eq!(calendar.current(window, reset.minus_millis(1)), current, "{}", note());
                assert_ne!(calendar.current(window, reset), current, "{}", note());
            } else {
                assert_eq!(calendar.current(window, Timestamp::MAX.minus_millis(1)), current, "{}", note());
            }
        }
    }
}

/// What closes, found by looking at every period that could.
fn closings(calendar: &Calendar, windows: &[Window], after: Timestamp, through: Timestamp) -> Vec<(Timestamp, Period)> {
    let mut found = Vec::new();
    for window in Window::ALL.iter().copied().filter(|window| windows.contains(window)) {
        let last = calendar.first_ending_after(window, through).index;
        for index in last - 400..last + 40 {
            let period = Period { window, index };
            let closes_at = calendar.closes_at(period);
            if after < closes_at && closes_at <= through && calendar.start(period) < calendar.end(period) {
                found.push((closes_at, period));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_closing_is_listed_once_and_in_order_wherever_the_marks_are_cut() {
    let seed = 11;
    let mut random = SplitMix64(seed);
    let mut listed = 0;
    for turn in 0..500 {
        let calendar = random.calendar();
        let mut marks = [0; 5].map(|_| millis(random.within(1_775_000_000_000, 1_800_000_000_000)));
        // Marks often stand at a closing itself, or a moment beside it.
        let window = Window::ALL[usize::try_from(random.within(0, 4)).unwrap()];
        let closing = calendar.closes_at(calendar.first_ending_after(window, marks[1]));
        if closing < millis(1_800_000_000_000) {
            marks[1] = closing.plus_millis(random.within(-1, 1));
        }
        marks.sort();
        let chosen = random.next();
        let windows: Vec<_> =
            (0..).zip(Window::ALL).filter(|(bit, _)| chosen >> bit & 1 == 1).map(|(_, w)| *w).collect();
        let list = |after, through| calendar.closed_between(&windows, after, through).collect::<Vec<_>>();
        let whole = list(marks[0], marks[4]);
        listed += whole.len();
        let note = || format!("seed {seed}, turn {turn}, {marks:?}: {calendar:?}");
        assert_eq!(whole, closings(&calendar, &windows, marks[0], marks[4]), "{}", note());
        let pieces: Vec<_> = marks.windows(2).flat_map(|cut| list(cut[0], cut[1])).collect();
        assert_eq!(pieces, whole, "{}", note());
    }
    assert!(listed > 25_000, "{listed}");
}

#[test]
fn a_mark_of_1970_is_a_mark_like_any_other() {
    let calendar = Calendar::utc();
    let list = |after, through| calendar.closed_between(&[Window::Daily], after, through).collect::<Vec<_>>();
    let (before, after) = (millis(-3 * DAY_MILLIS), millis(2 * DAY_MILLIS));
    assert_eq!(list(before, after).len(), 5);
    for cut in [-DAY_MILLIS - 1, -DAY_MILLIS, -1, 0, 1, DAY_MILLIS] {
        assert_eq!([list(before, millis(cut)), list(millis(cut), after)].concat(), list(before, after), "{cut}");
    }
    assert_eq!(list(Timestamp::MIN, after), [], "no mark has crossed nothing");
}

#[test]
fn no_index_is_too_large() {
    let mut random = SplitMix64(13);
    for calendar in [Calendar::utc(), random.calendar(), random.calendar(), random.calendar()] {
        for index in [i64::MIN, i64::MIN + 1, -DAYS_MAX, DAYS_MAX, i64::MAX - 1, i64::MAX] {
            for window in Window::ALL.iter().copied() {
                let period = Period { window, index };
                assert!(calendar.start(period) <= calendar.end(period));
                assert!(calendar.end(period) <= calendar.dropped_at(period, u32::MAX));
                assert!(!calendar.label(period).is_empty());
                calendar.state(period, u32::MAX, Timestamp::MIN);
            }
        }
        let closings = calendar.closed_between(Window::ALL, Timestamp::MIN.plus_millis(1), Timestamp::MAX);
        assert!(closings.take(100).is_sorted_by(|a, b| a < b));
        let last = calendar.closed_between(Window::ALL, Timestamp::MAX.minus_millis(1), Timestamp::MAX).next();
        assert_eq!(last, None, "a closing at the end of time never comes");
    }
}
