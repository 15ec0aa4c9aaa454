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
