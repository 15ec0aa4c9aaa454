//! Periods of known dates, and the life of a period.

use std::collections::BTreeSet;

use super::*;
use crate::limits::SEASONS_MAX;

#[test]
fn dates_have_the_labels_people_expect() {
    let utc = Calendar::utc();
    for (window, time, wanted) in [
        (Window::Daily, "2026-11-07T23:59:59Z", "2026-11-07"),
        (Window::Daily, "2028-02-29T00:00:00Z", "2028-02-29"),
        (Window::Daily, "1969-12-31T23:59:59Z", "1969-12-31"),
        (Window::Weekly, "2026-12-27T23:59:59Z", "2026-W52"),
        (Window::Weekly, "2026-12-31T12:00:00Z", "2026-W53"),
        (Window::Weekly, "2027-01-01T00:00:00Z", "2026-W53"),
        (Window::Weekly, "2027-01-03T23:59:59Z", "2026-W53"),
        (Window::Weekly, "2027-01-04T00:00:00Z", "2027-W01"),
        (Window::Weekly, "2024-12-30T00:00:00Z", "2025-W01"),
        (Window::Daily, "1900-02-28T23:59:59Z", "1900-02-28"),
        (Window::Daily, "1900-03-01T00:00:00Z", "1900-03-01"),
        (Window::Weekly, "1969-12-31T23:59:59Z", "1970-W01"),
        (Window::Weekly, "1969-12-28T23:59:59Z", "1969-W52"),
        (Window::Monthly, "1900-02-28T23:59:59Z", "1900-02"),
        (Window::Monthly, "2026-12-31T23:59:59Z", "2026-12"),
        (Window::Monthly, "2028-02-29T23:59:59Z", "2028-02"),
        (Window::Monthly, "2028-03-01T00:00:00Z", "2028-03"),
        (Window::Seasonal, "2026-11-07T00:00:00Z", "2026-11"),
        (Window::AllTime, "2026-11-07T00:00:00Z", "all-time"),
    ] {
        assert_eq!(label(&utc, window, time), wanted, "{window} {time}");
    }
    let sunday = utc.week_start(Weekday::Sunday);
    assert_eq!(label(&sunday, Window::Weekly, "2027-01-02T23:59:59Z"), "2026-12-27");
    assert_eq!(label(&sunday, Window::Weekly, "2027-01-03T00:00:00Z"), "2027-01-03");
}

#[test]
fn labels_are_unique_in_their_window_whatever_day_weeks_begin_with() {
    for week_start in Weekday::ALL.iter().copied() {
        let calendar = Calendar::utc().week_start(week_start);
        for (window, reach) in [(Window::Daily, 40_000), (Window::Weekly, 6_000), (Window::Monthly, 1_500)] {
            let labels: BTreeSet<_> = (-reach..reach).map(|index| calendar.label(Period { window, index })).collect();
            assert_eq!(i64::try_from(labels.len()), Ok(2 * reach), "{window}, weeks from {}", week_start.as_str());
        }
        // A week is named by ISO 8601 only if it is an ISO week; else by its first day, which tells the weekday.
        let week = calendar.period(Window::Weekly, at("2027-01-01T00:00:00Z")).unwrap();
        let wanted = if week_start == Weekday::Monday {
            "2026-W53".to_owned()
        } else {
            calendar.start(week).to_string()[..10].to_owned()
        };
        assert_eq!(calendar.label(week), wanted);
    }
}

#[test]
fn offsets_and_reset_minutes_move_the_day() {
    for (offset, reset, last, first) in [
        (840, 0, "2026-11-06T09:59:59Z", "2026-11-06T10:00:00Z"),
        (-720, 0, "2026-11-07T11:59:59Z", "2026-11-07T12:00:00Z"),
        (345, 0, "2026-11-06T18:14:59Z", "2026-11-06T18:15:00Z"),
        (540, 300, "2026-11-06T19:59:59Z", "2026-11-06T20:00:00Z"),
        (-840, 1439, "2026-11-08T13:58:59Z", "2026-11-08T13:59:00Z"),
    ] {
        let calendar = local(offset, reset);
        assert_eq!(label(&calendar, Window::Daily, last), "2026-11-06", "{offset} {reset}");
        assert_eq!(label(&calendar, Window::Daily, first), "2026-11-07", "{offset} {reset}");
    }
    let tokyo = local(540, 300);
    assert_eq!(label(&tokyo, Window::Monthly, "2026-10-31T19:59:59Z"), "2026-10");
    assert_eq!(label(&tokyo, Window::Monthly, "2026-10-31T20:00:00Z"), "2026-11");
    assert_eq!(label(&tokyo, Window::Weekly, "2027-01-03T19:59:59Z"), "2026-W53");
    assert_eq!(label(&tokyo, Window::Weekly, "2027-01-03T20:00:00Z"), "2027-W01");
}

#[test]
fn index_zero_holds_the_first_of_january_1970() {
    for week_start in Weekday::ALL.iter().copied() {
        let calendar = Calendar::utc().week_start(week_start);
        for window in Window::ALL.iter().copied() {
            let period = calendar.period(window, millis(0)).unwrap();
            assert_eq!(period.index, 0, "{window} from {week_start:?}");
            assert!(calendar.start(period) <= millis(0) && millis(0) < calendar.end(period));
        }
    }
    let indices = |ts| Window::ALL.iter().map(|w| Calendar::utc().period(*w, ts).unwrap().index).collect::<Vec<_>>();
    assert_eq!(indices(millis(-1)), [-1, 0, -1, -1, 0]);
    assert_eq!(indices(at("2026-11-07T00:00:00Z")), [20764, 2966, 682, 682, 0]);
}

#[test]
fn a_boundary_belongs_to_what_begins() {
    let calendar = Calendar::utc().grace_seconds(3600).unwrap();
    let day = Period { window: Window::Daily, index: 20_764 };
    let (start, end) = (at("2026-11-07T00:00:00Z"), at("2026-11-08T00:00:00Z"));
    assert_eq!((calendar.start(day), calendar.end(day)), (start, end));
    for (offset, wanted) in [(-1, 20_763), (0, 20_764), (1, 20_764)] {
        assert_eq!(calendar.period(Window::Daily, start.plus_millis(offset)).unwrap().index, wanted);
    }
    let closes_at = at("2026-11-08T01:00:00Z");
    let dropped_at = at("2026-11-10T01:00:00Z");
    assert_eq!((calendar.closes_at(day), calendar.dropped_at(day, 2)), (closes_at, dropped_at));
    for (time, before, from) in [
        (start, PeriodState::Future, PeriodState::Open),
        (end, PeriodState::Open, PeriodState::Grace),
        (closes_at, PeriodState::Grace, PeriodState::Sealed),
        (dropped_at, PeriodState::Sealed, PeriodState::Dropped),
    ] {
        assert_eq!(calendar.state(day, 2, time.minus_millis(1)), before);
        assert_eq!(calendar.state(day, 2, time), from);
        assert_eq!(calendar.state(day, 2, time.plus_millis(1)), from);
    }
    assert_eq!(Calendar::utc().state(day, 0, end), PeriodState::Dropped, "nothing kept, no grace");
    assert_eq!(calendar.next_reset(Window::Daily, start), Some(end));
    assert_eq!(calendar.next_reset(Window::Daily, end.minus_millis(1)), Some(end));
    let ever = calendar.current(Window::AllTime, end).unwrap();
    assert_eq!(calendar.state(ever, 0, Timestamp::MAX), PeriodState::Open);
    assert_eq!(calendar.next_reset(Window::AllTime, end), None);
}

#[test]
fn a_table_of_seasons_may_have_gaps() {
    let calendar = local(540, 300).seasons(season_table()).unwrap().grace_seconds(60).unwrap();
    for (time, wanted, reset) in [
        ("2026-09-01T11:59:59Z", "none", Some("2026-09-01T12:00:00Z")),
        ("2026-09-01T12:00:00Z", "autumn", Some("2026-11-20T12:00:00Z")),
        ("2026-11-20T11:59:59Z", "autumn", Some("2026-11-20T12:00:00Z")),
        ("2026-11-20T12:00:00Z", "none", Some("2026-11-30T12:00:00Z")),
        ("2026-11-30T12:00:00Z", "winter", Some("2027-02-01T12:00:00Z")),
        ("2027-02-01T12:00:00Z", "spring", Some("2027-05-01T12:00:00Z")),
        ("2027-05-01T12:00:00Z", "none", None),
    ] {
        assert_eq!(label(&calendar, Window::Seasonal, time), wanted, "{time}");
        assert_eq!(calendar.next_reset(Window::Seasonal, at(time)), reset.map(at), "{time}");
    }
    let season = |index| Period { window: Window::Seasonal, index };
    assert_eq!(calendar.closes_at(season(0)), at("2026-11-20T12:01:00Z"));
    assert_eq!(calendar.dropped_at(season(0), 2), at("2027-05-01T12:01:00Z"));
    assert_eq!(calendar.dropped_at(season(0), 3), Timestamp::MAX, "the table may still grow");
    for absent in [season(3), season(-1), season(i64::MAX), season(i64::MIN)] {
        assert_eq!((calendar.start(absent), calendar.end(absent)), (Timestamp::MAX, Timestamp::MAX));
        assert_eq!(calendar.state(absent, 0, Timestamp::MAX), PeriodState::Future);
        assert_eq!(calendar.label(absent), "unknown");
    }
    let closed: Vec<_> = calendar
        .closed_between(&[Window::Seasonal], at("2026-11-20T12:00:59Z"), Timestamp::MAX)
        .map(|(time, period)| (time.to_string(), calendar.label(period)))
        .collect();
    let wanted =
        [("2026-11-20T12:01:00Z", "autumn"), ("2027-02-01T12:01:00Z", "winter"), ("2027-05-01T12:01:00Z", "spring")];
    assert_eq!(closed, wanted.map(|(time, label)| (time.to_owned(), label.to_owned())));
}

#[test]
fn setters_refuse_what_makes_no_calendar() {
    assert_eq!(refusal(Calendar::utc().utc_offset_minutes(841)), Some(Code::OutOfRange));
    assert_eq!(refusal(Calendar::utc().utc_offset_minutes(i64::MIN)), Some(Code::OutOfRange));
    assert_eq!(refusal(Calendar::utc().reset_minute(1440)), Some(Code::OutOfRange));
    assert_eq!(refusal(Calendar::utc().grace_seconds(30 * 86_400 + 1)), Some(Code::OutOfRange));
    assert!(Calendar::utc().grace_seconds(30 * 86_400).is_ok());
    let season =
        |label, from, until| Season { label: Id::new(label).unwrap(), from: millis(from), until: millis(until) };
    for (bad, code) in [
        (vec![season("empty", 5, 5)], Code::OutOfRange),
        (vec![season("late", 5, 9), season("early", 1, 4)], Code::OutOfRange),
        (vec![season("a", 1, 5), season("b", 4, 9)], Code::OutOfRange),
        (vec![season("same", 1, 5), season("same", 5, 9)], Code::InvalidArgument),
    ] {
        assert_eq!(refusal(Calendar::utc().seasons(Seasons::Table(bad))), Some(code));
    }
    let hours = |from: usize| millis(i64::try_from(from).unwrap() * 3_600_000);
    let many = |len: usize| {
        (0..len).map(|n| Season { label: Id::new(&format!("s{n}")).unwrap(), from: hours(n), until: hours(n + 1) })
    };
    assert!(Calendar::utc().seasons(Seasons::Table(many(SEASONS_MAX).collect())).is_ok());
    let too_many = Seasons::Table(many(SEASONS_MAX + 1).collect());
    assert_eq!(refusal(Calendar::utc().seasons(too_many)), Some(Code::TooLong));
}

#[test]
fn downtime_of_three_days_lists_every_closing_once() {
    let calendar = Calendar::utc().grace_seconds(3600).unwrap();
    let windows = [Window::Monthly, Window::Daily, Window::Seasonal, Window::Weekly, Window::AllTime, Window::Daily];
    let (after, through) = (at("2026-11-29T09:00:00Z"), at("2026-12-02T01:00:00Z"));
    let listed: Vec<_> = calendar
        .closed_between(&windows, after, through)
        .map(|(time, period)| format!("{time} {} {}", period.window, calendar.label(period)))
        .collect();
    let wanted = [
        "2026-11-30T01:00:00Z daily 2026-11-29",
        "2026-11-30T01:00:00Z weekly 2026-W48",
        "2026-12-01T01:00:00Z daily 2026-11-30",
        "2026-12-01T01:00:00Z monthly 2026-11",
        "2026-12-01T01:00:00Z seasonal 2026-11",
        "2026-12-02T01:00:00Z daily 2026-12-01",
    ];
    assert_eq!(listed, wanted);
    assert_eq!(calendar.closed_between(&windows, Timestamp::MIN, through).next(), None, "no mark yet");
    assert_eq!(calendar.closed_between(&windows, through, through).next(), None);
    assert_eq!(calendar.closed_between(&windows, through, after).next(), None);
    assert_eq!(calendar.closed_between(&windows, millis(1), Timestamp::MAX).take(1000).count(), 1000);
}
