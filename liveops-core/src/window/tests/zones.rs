//! Local time whose offset changes.

use super::*;
use crate::limits::UTC_OFFSET_CHANGES_MAX;
use crate::time::days_from_civil;

fn change(from: &str, minutes: i64) -> OffsetChange {
    OffsetChange { from: at(from), minutes }
}

fn berlin() -> Calendar {
    let changes = [change("2026-03-29T01:00:00Z", 120), change("2026-10-25T01:00:00Z", 60)];
    Calendar::utc().utc_offsets(60, &changes).unwrap()
}

fn day(label: &str) -> Period {
    let number = |from: usize, to: usize| label[from..to].parse().unwrap();
    Period { window: Window::Daily, index: days_from_civil(number(0, 4), number(5, 7), number(8, 10)) }
}

#[test]
fn days_of_23_and_25_hours() {
    let berlin = berlin();
    for (label, start, long) in [
        ("2026-03-28", "2026-03-27T23:00:00Z", 24),
        ("2026-03-29", "2026-03-28T23:00:00Z", 23),
        ("2026-03-30", "2026-03-29T22:00:00Z", 24),
        ("2026-10-24", "2026-10-23T22:00:00Z", 24),
        ("2026-10-25", "2026-10-24T22:00:00Z", 25),
        ("2026-10-26", "2026-10-25T23:00:00Z", 24),
    ] {
        let day = day(label);
        assert_eq!((berlin.start(day), hours(berlin.start(day), berlin.end(day))), (at(start), long), "{label}");
        assert_eq!(berlin.label(day), label);
    }
    let of = |window, text| berlin.period(window, at(text)).unwrap();
    let week = of(Window::Weekly, "2026-03-25T12:00:00Z");
    assert_eq!((berlin.label(week).as_str(), hours(berlin.start(week), berlin.end(week))), ("2026-W13", 7 * 24 - 1));
    let month = of(Window::Monthly, "2026-10-01T12:00:00Z");
    assert_eq!((berlin.start(month), berlin.end(month)), (at("2026-09-30T22:00:00Z"), at("2026-10-31T23:00:00Z")));
    let season = of(Window::Seasonal, "2026-10-01T12:00:00Z");
    assert_eq!((berlin.start(season), berlin.end(season)), (berlin.start(month), berlin.end(month)));
}

/// In Berlin, 02:00 to 02:59 is skipped in March and comes twice in October.
#[test]
fn a_reset_that_is_skipped_or_comes_twice_is_one_reset() {
    for (reset_minute, spring, autumn) in [
        (119, "2026-03-29T00:59:00Z", "2026-10-24T23:59:00Z"),
        (120, "2026-03-29T01:00:00Z", "2026-10-25T00:00:00Z"),
        (150, "2026-03-29T01:00:00Z", "2026-10-25T00:30:00Z"),
        (179, "2026-03-29T01:00:00Z", "2026-10-25T00:59:00Z"),
        (180, "2026-03-29T01:00:00Z", "2026-10-25T02:00:00Z"),
        (181, "2026-03-29T01:01:00Z", "2026-10-25T02:01:00Z"),
    ] {
        let calendar = berlin().reset_minute(reset_minute).unwrap();
        for (date, before, start) in [("2026-03-29", "2026-03-28", spring), ("2026-10-25", "2026-10-24", autumn)] {
            let (start, note) = (at(start), format!("{date} from minute {reset_minute}"));
            assert_eq!(calendar.start(day(date)), start, "{note}");
            assert_eq!(calendar.end(day(before)), start, "{note}");
            assert_eq!(calendar.period(Window::Daily, start.minus_millis(1)), Some(day(before)), "{note}");
            assert_eq!(calendar.next_reset(Window::Daily, start.minus_millis(1)), Some(start), "{note}");
            // Also while the repeated hour shows a time before the reset for the second time.
            for later in 0..24 * 60 - 60 {
                let ts = start.plus_millis(later * 60_000);
                assert_eq!(calendar.period(Window::Daily, ts), Some(day(date)), "{note}: {ts}");
            }
        }
    }
}

/// Midnight itself is skipped or repeated in some zones, and offsets of half an hour change by half an hour.
#[test]
fn changes_at_midnight_and_by_half_an_hour() {
    let beirut = [change("2026-03-28T22:00:00Z", 180), change("2026-10-24T21:00:00Z", 120)];
    let beirut = Calendar::utc().utc_offsets(120, &beirut).unwrap();
    assert_eq!(beirut.start(day("2026-03-29")), at("2026-03-28T22:00:00Z"), "01:00: there is no midnight");
    // Set back to 23:00 just before it is midnight, which comes an hour later.
    assert_eq!(beirut.start(day("2026-10-25")), at("2026-10-24T22:00:00Z"));
    assert_eq!(beirut.label(beirut.period(Window::Daily, at("2026-10-24T21:59:59Z")).unwrap()), "2026-10-24");
    let lord_howe = [change("2026-04-04T15:00:00Z", 630), change("2026-10-03T15:30:00Z", 660)];
    let lord_howe = Calendar::utc().utc_offsets(660, &lord_howe).unwrap();
    let minutes = |label| {
        let (start, end) = (lord_howe.start(day(label)), lord_howe.end(day(label)));
        (end.as_unix_millis() - start.as_unix_millis()) / 60_000
    };
    assert_eq!((minutes("2026-04-05"), minutes("2026-10-04")), (24 * 60 + 30, 24 * 60 - 30));
}

/// Samoa left out 2011-12-30; Kwajalein's clocks, going the other way in 1969, showed one date for two days.
#[test]
fn no_day_is_left_empty() {
    let samoa = [change("2011-12-30T10:00:00Z", 840)];
    assert_eq!(refusal(Calendar::utc().utc_offsets(-600, &samoa)), Some(Code::InvalidArgument));
    // With a later reset the 29th runs until the clocks are set, and the 30th from then.
    let late = Calendar::utc().reset_minute(300).unwrap().utc_offsets(-600, &samoa).unwrap();
    assert_eq!(late.end(day("2011-12-29")), at("2011-12-30T10:00:00Z"));
    assert_eq!(hours(late.start(day("2011-12-29")), late.end(day("2011-12-29"))), 19);
    assert_eq!(hours(late.start(day("2011-12-30")), late.end(day("2011-12-30"))), 5);
    assert_eq!(refusal(late.reset_minute(0)), Some(Code::InvalidArgument), "in whichever order it is set up");
    let back = Calendar::utc().utc_offsets(660, &[change("1969-09-30T13:00:00Z", -720)]).unwrap();
    let long = day("1969-09-30");
    assert_eq!(back.start(long), at("1969-09-29T13:00:00Z"));
    assert_eq!(hours(back.start(long), back.end(long)), 47);
}

#[test]
fn tables_that_make_no_sense_are_refused() {
    let refused = |minutes, changes: &[OffsetChange]| {
        let code = if changes.len() > UTC_OFFSET_CHANGES_MAX { Code::TooLong } else { Code::OutOfRange };
        assert_eq!(refusal(Calendar::utc().utc_offsets(minutes, changes)), Some(code), "{minutes} {changes:?}");
    };
    let (early, late) = (change("2026-03-29T01:00:00Z", 120), change("2026-10-25T01:00:00Z", 60));
    refused(60, &[late, early]);
    refused(60, &[early, OffsetChange { minutes: 60, ..early }]);
    refused(841, &[]);
    refused(-841, &[early]);
    for minutes in [841, -841, i64::MIN, i64::MAX] {
        refused(60, &[OffsetChange { minutes, ..early }]);
    }
    for from in [Timestamp::MIN, Timestamp::MAX, millis(1 << 53), millis(-(1 << 53))] {
        refused(60, &[OffsetChange { from, minutes: 0 }]);
    }
    let many = |len: usize| -> Vec<_> {
        let from = |at: usize| millis(i64::try_from(at).unwrap() * 180 * DAY_MILLIS);
        (0..len).map(|at| OffsetChange { from: from(at), minutes: i64::from(at % 2 == 0) * 60 }).collect()
    };
    assert!(Calendar::utc().utc_offsets(0, &many(UTC_OFFSET_CHANGES_MAX)).is_ok());
    refused(0, &many(UTC_OFFSET_CHANGES_MAX + 1));
}

/// Each minute of four weeks, by a clock that is watched: a day has begun once its reset, or anything later, was shown.
#[test]
fn a_watched_clock_agrees() {
    const MINUTES: i64 = 26 * 24 * 60;
    let seed = 23;
    let mut random = SplitMix64(seed);
    let mut refused = 0;
    for turn in 0..60 {
        let origin = random.within(-20_000, 30_000) * 24 * 60;
        let (first, reset) = (random.within(-840, 840), random.within(0, 1439));
        let mut changes: Vec<OffsetChange> = Vec::new();
        for _ in 0..random.within(0, 6) {
            let from = changes.last().map_or(origin, |change| change.from.as_unix_millis() / 60_000);
            let from = millis((from + random.within(1, 4 * 24 * 60)) * 60_000);
            let minutes = [-840, 840, random.within(-840, 840)][usize::try_from(random.within(0, 2)).unwrap()];
            changes.push(OffsetChange { from, minutes });
        }
        let week_start = Weekday::ALL[usize::try_from(random.within(0, 6)).unwrap()];
        let calendar = Calendar::utc().week_start(week_start).reset_minute(reset).unwrap();
        let note = format!("seed {seed}, turn {turn}: {first} from minute {reset}, {changes:?}");

        let mut days = Vec::new();
        let mut latest = i64::MIN;
        for minute in origin - 2 * 24 * 60..origin + MINUTES {
            let change = changes.iter().rev().find(|change| change.from <= millis(minute * 60_000));
            latest = latest.max(minute + change.map_or(first, |change| change.minutes) - reset);
            days.push((millis(minute * 60_000), latest.div_euclid(24 * 60)));
        }
        let skips = days.windows(2).any(|pair| pair[1].1 > pair[0].1 + 1);
        let Ok(calendar) = calendar.utc_offsets(first, &changes) else {
            assert!(skips, "{note}");
            refused += 1;
            continue;
        };
        assert!(!skips, "{note}");
        for pair in days.windows(2) {
            let [(before, yesterday), (ts, today)] = [pair[0], pair[1]];
            let period = Period { window: Window::Daily, index: today };
            assert_eq!(calendar.period(Window::Daily, ts), Some(period), "{ts}, {note}");
            if today != yesterday {
                assert_eq!(calendar.start(period), ts, "{note}");
                assert_eq!(calendar.next_reset(Window::Daily, before), Some(ts), "{note}");
                assert_eq!(calendar.period(Window::Daily, ts.minus_millis(1)), calendar.period(Window::Daily, before));
            }
            // Longer periods begin with one of their days.
            for window in [Window::Weekly, Window::Monthly] {
                let begins = calendar.period(window, ts) != calendar.period(window, before);
                assert!(!begins || today != yesterday, "{window} at {ts}, {note}");
                assert!(!begins || calendar.start(calendar.period(window, ts).unwrap()) == ts, "{window}, {note}");
            }
        }
    }
    assert!((1..50).contains(&refused), "{refused}");
}

#[test]
fn a_change_that_changes_nothing_is_no_change() {
    let plain = Calendar::utc().utc_offset_minutes(60).unwrap();
    let idle = Calendar::utc().utc_offsets(60, &[change("2026-03-29T01:00:00Z", 60)]).unwrap();
    assert_eq!(plain, idle);
    assert_ne!(plain, berlin());
    assert_eq!(berlin().utc_offset_minutes(60).unwrap(), plain, "a fixed offset forgets the changes");
}

/// The last offset stays in force, and the first was in force ever.
#[test]
fn beyond_the_table_offsets_stay() {
    let berlin = berlin();
    assert_eq!(berlin.start(day("2040-07-01")), at("2040-06-30T23:00:00Z"));
    assert_eq!(berlin.start(day("1950-07-01")), at("1950-06-30T23:00:00Z"));
    for ts in [Timestamp::MIN, Timestamp::MAX] {
        let period = berlin.period(Window::Daily, ts).unwrap();
        assert!(berlin.start(period) <= ts && ts <= berlin.end(period));
    }
}

#[test]
fn closings_follow_the_local_clock() {
    let calendar = berlin().grace_seconds(600).unwrap();
    let listed: Vec<_> = calendar
        .closed_between(&[Window::Weekly, Window::Daily], at("2026-03-27T12:00:00Z"), at("2026-03-30T22:10:00Z"))
        .map(|(closes_at, period)| format!("{closes_at} {}", calendar.label(period)))
        .collect();
    let wanted = [
        "2026-03-27T23:10:00Z 2026-03-27",
        "2026-03-28T23:10:00Z 2026-03-28",
        "2026-03-29T22:10:00Z 2026-03-29",
        "2026-03-29T22:10:00Z 2026-W13",
        "2026-03-30T22:10:00Z 2026-03-30",
    ];
    assert_eq!(listed, wanted);
}
