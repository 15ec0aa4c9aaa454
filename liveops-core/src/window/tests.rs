//! What several tests of calendars need.

mod dates;
mod names;
mod properties;
mod replacing;
mod zones;

use super::*;
use crate::error::Error;
use crate::id::Id;
use crate::limits::GRACE_SECONDS_MAX;
use crate::time::{DAY_MILLIS, Timestamp};

fn at(text: &str) -> Timestamp {
    Timestamp::from_rfc3339(text).unwrap()
}

fn millis(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

fn local(utc_offset_minutes: i64, reset_minute: i64) -> Calendar {
    Calendar::utc().utc_offset_minutes(utc_offset_minutes).unwrap().reset_minute(reset_minute).unwrap()
}

fn label(calendar: &Calendar, window: Window, text: &str) -> String {
    calendar.period(window, at(text)).map_or("none".to_owned(), |period| calendar.label(period))
}

fn refusal(calendar: Result<Calendar, Error>) -> Option<Code> {
    calendar.err().map(|error| error.code())
}

/// Autumn, a gap of ten days, then winter and at once spring.
fn season_table() -> Seasons {
    let season = |label, from, until| Season { label: Id::new(label).unwrap(), from: at(from), until: at(until) };
    Seasons::Table(vec![
        season("autumn", "2026-09-01T12:00:00Z", "2026-11-20T12:00:00Z"),
        season("winter", "2026-11-30T12:00:00Z", "2027-02-01T12:00:00Z"),
        season("spring", "2027-02-01T12:00:00Z", "2027-05-01T12:00:00Z"),
    ])
}

/// `SplitMix64` (S. Vigna).
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn within(&mut self, least: i64, most: i64) -> i64 {
        least + (self.next() % (most.abs_diff(least) + 1)).cast_signed()
    }

    /// Near today, anywhere, or at the ends.
    fn time(&mut self) -> Timestamp {
        millis(match self.within(0, 3) {
            0 => self.next().cast_signed(),
            1 => i64::MIN + self.within(0, 5 * DAY_MILLIS),
            2 => i64::MAX - self.within(1, 5 * DAY_MILLIS),
            _ => self.within(-4_000_000_000_000, 4_000_000_000_000),
        })
    }

    /// Any offset and reset, half of them with changes of the offset, half of them with a table of seasons.
    fn calendar(&mut self) -> Calendar {
        let base = local(self.within(-840, 840), self.within(0, 1439))
            .week_start(Weekday::ALL[usize::try_from(self.within(0, 6)).unwrap()])
            .grace_seconds(self.within(0, GRACE_SECONDS_MAX))
            .unwrap();
        let changes = self.changes();
        let zoned = base.clone().utc_offsets(self.within(-840, 840), &changes);
        let calendar = if self.within(0, 1) == 0 { base } else { zoned.unwrap_or(base) };
        let seasons = self.season_table();
        if self.within(0, 1) == 0 { calendar } else { calendar.seasons(seasons).unwrap() }
    }

    /// Up to a dozen, from days to years apart, mostly around today.
    fn changes(&mut self) -> Vec<OffsetChange> {
        let mut from = millis(self.within(1_770_000_000_000, 1_790_000_000_000));
        let mut changes = Vec::new();
        for _ in 0..self.within(0, 12) {
            changes.push(OffsetChange { from, minutes: self.within(-840, 840) });
            let step = [DAY_MILLIS, 30 * DAY_MILLIS, 400 * DAY_MILLIS][usize::try_from(self.within(0, 2)).unwrap()];
            from = from.plus_millis(self.within(1, step));
        }
        changes
    }

    /// Up to eight seasons around today, some apart, some one right after the other.
    fn season_table(&mut self) -> Seasons {
        let mut from = millis(self.within(1_770_000_000_000, 1_790_000_000_000));
        let season = |number| {
            let until = from.plus_millis(self.within(1, 60 * DAY_MILLIS));
            let season = Season { label: Id::new(&format!("s{number}")).unwrap(), from, until };
            from = until.plus_millis(self.within(0, 1) * self.within(0, 20 * DAY_MILLIS));
            season
        };
        let table = (0..8).map(season).collect::<Vec<_>>();
        let len = usize::try_from(self.within(0, 8)).unwrap();
        Seasons::Table(table[..len].to_vec())
    }
}

/// How far apart two times are, in whole hours.
fn hours(from: Timestamp, until: Timestamp) -> i64 {
    assert_eq!((until.as_unix_millis() - from.as_unix_millis()) % 3_600_000, 0, "{from} {until}");
    (until.as_unix_millis() - from.as_unix_millis()) / 3_600_000
}
