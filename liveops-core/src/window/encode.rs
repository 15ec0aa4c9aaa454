//! Calendars as bytes.

use super::{Calendar, OffsetChange, Season, Seasons, Weekday};
use crate::codec::{Stable, fields, tags};

/// What the setters take, in their units; read back through them.
impl Stable for Calendar {
    fn put(&self, out: &mut Vec<u8>) {
        self.offset_minutes().put(out);
        self.offset_changes().put(out);
        self.reset_minute_of_day().put(out);
        self.first_weekday().put(out);
        (self.grace_millis() / 1000).put(out);
        self.season_list().map(<[Season]>::to_vec).put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let (minutes, changes) = (i64::take(from)?, Vec::<OffsetChange>::take(from)?);
        let (reset_minute, week_start) = (i64::take(from)?, Weekday::take(from)?);
        let (grace_seconds, table) = (i64::take(from)?, <Option<Vec<Season>> as Stable>::take(from)?);
        let calendar = Self::utc().reset_minute(reset_minute).ok()?.utc_offsets(minutes, &changes).ok()?;
        let calendar = calendar.week_start(week_start).grace_seconds(grace_seconds).ok()?;
        let calendar = calendar.seasons(table.map_or(Seasons::Monthly, Seasons::Table)).ok()?;
        // Changes that change nothing are left out, and so never written.
        (calendar.offset_changes().len() == changes.len()).then_some(calendar)
    }
}

tags!(Weekday { Monday = 0, Tuesday = 1, Wednesday = 2, Thursday = 3, Friday = 4, Saturday = 5, Sunday = 6 });
fields!(OffsetChange { from, minutes });
fields!(Season { label, from, until });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;
    use crate::time::Timestamp;

    fn calendars() -> [Calendar; 4] {
        let at = Timestamp::from_unix_seconds;
        let season =
            |label: &str, from, until| Season { label: Id::new(label).unwrap(), from: at(from), until: at(until) };
        let changes =
            [(1_774_746_000, 120), (1_792_890_000, 60)].map(|(from, minutes)| OffsetChange { from: at(from), minutes });
        let table = Seasons::Table(vec![season("one", 0, 10), season("two", 20, 30)]);
        let berlin = Calendar::utc().reset_minute(300).unwrap().utc_offsets(60, &changes).unwrap();
        [
            Calendar::utc(),
            Calendar::utc().utc_offset_minutes(-840).unwrap().week_start(Weekday::Sunday),
            berlin.clone().grace_seconds(3600).unwrap().seasons(table).unwrap(),
            berlin.seasons(Seasons::Table(Vec::new())).unwrap(),
        ]
    }

    #[test]
    fn calendars_come_back() {
        for calendar in calendars() {
            let bytes = calendar.to_bytes();
            let mut rest = &bytes[..];
            assert_eq!(Calendar::take(&mut rest), Some(calendar));
            assert!(rest.is_empty());
            for cut in 0..bytes.len() {
                assert_eq!(Calendar::take(&mut &bytes[..cut]), None, "cut at {cut}");
            }
        }
    }

    #[test]
    fn what_no_calendar_writes_is_none() {
        for calendar in calendars() {
            let bytes = calendar.to_bytes();
            for (at, bit) in (0..bytes.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
                let mut other = bytes.clone();
                other[at] ^= 1 << bit;
                let mut rest = &other[..];
                if let Some(read) = Calendar::take(&mut rest) {
                    assert_eq!(read.to_bytes(), other[..other.len() - rest.len()], "bit {bit} of byte {at}");
                }
            }
        }
        let idle = OffsetChange { from: Timestamp::from_unix_seconds(5), minutes: 0 };
        let mut bytes = Vec::new();
        0_i64.put(&mut bytes);
        vec![idle].put(&mut bytes);
        bytes.extend([0, 0, 0, 0]);
        assert_eq!(Calendar::take(&mut &bytes[..]), None, "a change that changes nothing");
    }
}
