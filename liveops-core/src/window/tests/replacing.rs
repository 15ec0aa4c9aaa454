//! What may change while boards live.

use std::slice::from_ref;

use super::*;

fn change(from: i64, minutes: i64) -> OffsetChange {
    OffsetChange { from: millis(from), minutes }
}

fn season(label: &str, from: i64, until: i64) -> Season {
    Season { label: Id::new(label).unwrap(), from: millis(from), until: millis(until) }
}

fn zoned(minutes: i64, changes: &[OffsetChange]) -> Calendar {
    Calendar::utc().utc_offsets(minutes, changes).unwrap()
}

fn seasonal(table: &[Season]) -> Calendar {
    Calendar::utc().seasons(Seasons::Table(table.to_vec())).unwrap()
}

#[test]
fn calendars_say_from_when_they_differ_and_whether_one_only_grew() {
    let (spring, autumn) = (change(1_000_000_000, 120), change(2_000_000_000, 0));
    let (one, two, three) = (season("one", 10, 20), season("two", 20, 30), season("three", 50, 60));
    let utc = Calendar::utc;
    for (name, old, new, from, grew) in [
        ("nothing", utc(), utc(), None, true),
        ("offset", utc(), zoned(60, &[]), Some(i64::MIN), false),
        ("reset", utc(), utc().reset_minute(1).unwrap(), Some(i64::MIN), false),
        ("week start", utc(), utc().week_start(Weekday::Sunday), Some(i64::MIN), false),
        ("grace", utc(), utc().grace_seconds(1).unwrap(), Some(i64::MIN), false),
        ("table of seasons", utc(), seasonal(&[]), Some(i64::MIN), false),
        ("no table of seasons", seasonal(from_ref(&one)), utc(), Some(i64::MIN), false),
        ("first change", zoned(60, &[]), zoned(60, &[spring]), Some(1_000_000_000), true),
        ("change at the end", zoned(60, &[spring]), zoned(60, &[spring, autumn]), Some(2_000_000_000), true),
        ("change taken back", zoned(60, &[spring, autumn]), zoned(60, &[spring]), Some(2_000_000_000), false),
        ("change in front", zoned(60, &[autumn]), zoned(60, &[spring, autumn]), Some(1_000_000_000), false),
        ("earlier", zoned(60, &[autumn]), zoned(60, &[change(1_500_000_000, 90)]), Some(1_500_000_000), false),
        ("further", zoned(60, &[spring]), zoned(60, &[change(1_000_000_000, 90)]), Some(1_000_000_000), false),
        ("first season", seasonal(&[]), seasonal(from_ref(&one)), Some(10), true),
        (
            "season at the end",
            seasonal(&[one.clone(), two.clone()]),
            seasonal(&[one.clone(), two.clone(), three.clone()]),
            Some(50),
            true,
        ),
        (
            "season in the middle",
            seasonal(&[one.clone(), three.clone()]),
            seasonal(&[one.clone(), two.clone(), three.clone()]),
            Some(20),
            false,
        ),
        ("season taken back", seasonal(&[one.clone(), three]), seasonal(from_ref(&one)), Some(50), false),
        ("longer season", seasonal(from_ref(&one)), seasonal(&[season("one", 10, 21)]), Some(10), false),
        ("other name", seasonal(&[one.clone(), two]), seasonal(&[one, season("2", 20, 30)]), Some(20), false),
    ] {
        assert_eq!(old.differs_from(&new), from.map(millis), "{name}");
        assert_eq!(new.differs_from(&old), from.map(millis), "{name}, back");
        assert_eq!(old.grows_into(&new), grew, "{name}");
    }
}

/// Up to the time of difference both cut time in the same way, and whoever changes calendars before that time, with a
/// mark from before, misses no closing and sees none twice.
#[test]
fn a_calendar_that_differs_later_takes_over_without_a_seam() {
    let seed = 29;
    let mut random = SplitMix64(seed);
    let mut later = 0;
    for turn in 0..2_000 {
        let offset = random.within(-840, 840);
        let base = random.calendar().utc_offset_minutes(offset).unwrap();
        let (mut changes, kept) = (random.changes(), usize::try_from(random.within(0, 6)).unwrap());
        let Ok(old) = base.clone().utc_offsets(offset, &changes) else { continue };
        changes.truncate(kept);
        let end = changes.last().map_or(1_770_000_000_000, |change| change.from.as_unix_millis());
        changes.push(change(end + random.within(1, 90 * DAY_MILLIS), random.within(-840, 840)));
        let Ok(new) = base.utc_offsets(offset, &changes) else { continue };
        let Some(differs_from) = old.differs_from(&new) else { continue };
        later += 1;
        let note = || format!("seed {seed}, turn {turn}, from {differs_from}: {old:?} {new:?}");

        let now = differs_from.minus_millis(random.within(1, 40 * DAY_MILLIS));
        let mark = now.minus_millis(random.within(0, 40 * DAY_MILLIS));
        for window in Window::ALL.iter().copied() {
            for ts in [now, mark, differs_from.minus_millis(1)] {
                assert_eq!(old.period(window, ts), new.period(window, ts), "{}", note());
                let start = |calendar: &Calendar| calendar.period(window, ts).map(|period| calendar.start(period));
                assert_eq!(start(&old), start(&new), "{}", note());
            }
        }
        let through = differs_from.plus_millis(60 * DAY_MILLIS);
        let list = |calendar: &Calendar, after, through| {
            calendar.closed_between(Window::ALL, after, through).map(|(_, period)| period).collect::<Vec<_>>()
        };
        let mut taken_over = list(&old, mark, now);
        taken_over.extend(list(&new, now, through));
        assert_eq!(taken_over, list(&new, mark, through), "{}", note());
    }
    assert!(later > 400, "{later}");
}
