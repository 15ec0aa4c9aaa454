//! When periods begin, close and are dropped.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Period, PeriodState, Weekday, Window};
use crate::error::Code;
use crate::id::Id;
use crate::time::{DAY_MILLIS, Timestamp, civil_from_days, days_from_civil};

/// Longest grace, in seconds: 30 days.
const GRACE_SECONDS_MAX: i64 = 30 * 86_400;
/// 1970-01-01 was a Thursday.
const EPOCH_WEEKDAY: i64 = Weekday::Thursday as i64;
/// More days, and more months, than `Timestamp` can tell apart, and few enough to calculate with.
const DAYS_MAX: i64 = 200_000_000_000;
const MONTHS_MAX: i64 = 4_000_000_000;

/// When periods begin, close and are dropped. Cloning is cheap.
///
/// A day begins at the reset minute of local time, which is UTC and a fixed offset; weeks, months and seasons by month
/// begin with one of their days. Ends are exclusive. Times saturate: [`Timestamp::MAX`] as an end means never, and
/// [`Timestamp::MIN`] as a start means always.
///
/// ```
/// use liveops_core::Timestamp;
/// use liveops_core::window::{Calendar, Window};
///
/// let tokyo = Calendar::utc().utc_offset_minutes(540)?.reset_minute(300)?;
/// let at = Timestamp::from_rfc3339("2026-12-31T20:00:00Z").unwrap();
/// let day = tokyo.period(Window::Daily, at).unwrap();
/// assert_eq!(tokyo.label(day), "2027-01-01");
/// assert_eq!(tokyo.start(day), at, "05:00 in Tokyo");
/// let week = tokyo.period(Window::Weekly, at).unwrap();
/// assert_eq!(tokyo.label(week), "2026-W53");
/// # Ok::<(), liveops_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    utc_offset_minutes: i64,
    reset_minute: i64,
    grace_millis: i64,
    week_start: Weekday,
    /// `None`: by month.
    season_table: Option<Arc<[Season]>>,
}

/// What a season is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Seasons {
    /// A calendar month.
    #[default]
    Monthly,
    /// These, sorted and apart. Time between them, before and after belongs to no season. A season's index is its
    /// position, so a live table may only grow at its end.
    Table(Vec<Season>),
}

/// A season of a table. Its times are absolute; offset and reset minute do not move them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Season {
    /// Its name, unique in the table.
    pub label: Id,
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

impl Default for Calendar {
    fn default() -> Self {
        Self::utc()
    }
}

/// Setting up. What a setter refuses is `invalid_argument`.
impl Calendar {
    /// Whether both cut time into the same periods with the same numbers; they may differ in grace.
    pub fn same_periods(&self, other: &Self) -> bool {
        *self == Self { grace_millis: self.grace_millis, ..other.clone() }
    }

    /// Days from midnight UTC, weeks from Monday, no grace, seasons by month.
    pub const fn utc() -> Self {
        Self {
            utc_offset_minutes: 0,
            reset_minute: 0,
            grace_millis: 0,
            week_start: Weekday::Monday,
            season_table: None,
        }
    }

    /// How far local time is ahead of UTC, in minutes, -840..=840. Fixed: there is no daylight saving.
    pub fn utc_offset_minutes(self, minutes: i64) -> Result<Self, Code> {
        let utc_offset_minutes = within(minutes, -840, 840)?;
        Ok(Self { utc_offset_minutes, ..self })
    }

    /// The minute of the local day, 0..=1439, at which a new day begins; what comes before belongs to the date before.
    pub fn reset_minute(self, minute: i64) -> Result<Self, Code> {
        let reset_minute = within(minute, 0, 1439)?;
        Ok(Self { reset_minute, ..self })
    }

    /// The day weeks begin with.
    #[must_use]
    pub fn week_start(self, week_start: Weekday) -> Self {
        Self { week_start, ..self }
    }

    /// How long after its end a period still takes events of its own time, in seconds, up to 30 days.
    pub fn grace_seconds(self, seconds: i64) -> Result<Self, Code> {
        let grace_millis = within(seconds, 0, GRACE_SECONDS_MAX)? * 1000;
        Ok(Self { grace_millis, ..self })
    }

    /// What a season is. A table must be sorted, its seasons must not be empty nor overlap, and labels must differ.
    pub fn seasons(self, seasons: Seasons) -> Result<Self, Code> {
        let season_table = match seasons {
            Seasons::Monthly => None,
            Seasons::Table(table) => {
                let labels: BTreeSet<_> = table.iter().map(|season| &season.label).collect();
                let sound = labels.len() == table.len()
                    && table.iter().all(|season| season.from < season.until)
                    && table.is_sorted_by(|a, b| a.until <= b.from);
                if !sound {
                    return Err(Code::InvalidArgument);
                }
                Some(table.into())
            }
        };
        Ok(Self { season_table, ..self })
    }
}

/// From times to periods.
impl Calendar {
    /// The period that an event of that time counts in; `None` between seasons.
    pub fn period(&self, window: Window, ts: Timestamp) -> Option<Period> {
        let period = self.first_ending_after(window, ts);
        let gaps = window == Window::Seasonal && self.season_table.is_some();
        (!gaps || self.start(period) <= ts).then_some(period)
    }

    /// The period that runs now; `None` between seasons.
    pub fn current(&self, window: Window, now: Timestamp) -> Option<Period> {
        self.period(window, now)
    }

    /// When [`Self::current`] changes next: the end of the period that runs, or the start of the season after a gap;
    /// `None` if never.
    pub fn next_reset(&self, window: Window, now: Timestamp) -> Option<Timestamp> {
        let period = self.first_ending_after(window, now);
        let start = self.start(period);
        let next = if now < start { start } else { self.end(period) };
        (next != Timestamp::MAX).then_some(next)
    }

    /// The closings `after < closes_at <= through` of these windows, with their times: each once, by time and then by
    /// window. Callers keep `through` and pass it as the next `after`.
    ///
    /// A caller with no mark of its own has crossed nothing yet: from [`Timestamp::MIN`] or `Timestamp::default()`
    /// there is nothing. Lazy: the cost is that of the closings taken.
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
    pub fn closed_between(
        &self,
        windows: &[Window],
        after: Timestamp,
        through: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, Period)> + use<> {
        let fresh = after == Timestamp::MIN || after == Timestamp::default();
        let windows: BTreeSet<_> = windows.iter().filter(|_| !fresh).collect();
        let ended_after = after.minus_millis(self.grace_millis);
        let closing = |period| (self.closes_at(period), period);
        let mut heads: Vec<_> =
            windows.into_iter().map(|window| closing(self.first_ending_after(*window, ended_after))).collect();
        let calendar = self.clone();
        std::iter::from_fn(move || {
            let head = heads.iter_mut().min()?;
            let closed = *head;
            if closed.0 > through || closed.0 == Timestamp::MAX {
                return None;
            }
            head.1.index = head.1.index.saturating_add(1);
            head.0 = calendar.closes_at(head.1);
            Some(closed)
        })
    }

    /// The period that runs at `ts`, or in a gap the next; behind the last season one that never begins.
    fn first_ending_after(&self, window: Window, ts: Timestamp) -> Period {
        let index = match (window, &self.season_table) {
            (Window::Daily, _) => self.day(ts),
            (Window::Weekly, _) => (self.day(ts) + self.days_into_week_zero()).div_euclid(7),
            (Window::Seasonal, Some(table)) => {
                let position = table.partition_point(|season| season.until <= ts);
                i64::try_from(position).unwrap_or(i64::MAX)
            }
            (Window::Monthly | Window::Seasonal, _) => {
                let (year, month, _) = civil_from_days(self.day(ts));
                (year - 1970) * 12 + month - 1
            }
            (Window::AllTime, _) => 0,
        };
        Period { window, index }
    }

    /// Days since 1970-01-01 of the local date. Exact for every time: the shift is added to the remainder.
    fn day(&self, ts: Timestamp) -> i64 {
        let (days, millis) = (ts.as_unix_millis().div_euclid(DAY_MILLIS), ts.as_unix_millis().rem_euclid(DAY_MILLIS));
        days + (millis + self.shift_millis()).div_euclid(DAY_MILLIS)
    }

    /// From UTC to a clock that shows midnight when a day begins.
    const fn shift_millis(&self) -> i64 {
        (self.utc_offset_minutes - self.reset_minute) * 60_000
    }

    /// How many days of week 0 lie before 1970-01-01.
    const fn days_into_week_zero(&self) -> i64 {
        (EPOCH_WEEKDAY - self.week_start as i64).rem_euclid(7)
    }
}

/// From periods to times. Any index has an answer; a season that the table does not have begins and ends at
/// [`Timestamp::MAX`].
impl Calendar {
    /// The first moment.
    pub fn start(&self, period: Period) -> Timestamp {
        match (period.window, &self.season_table) {
            (Window::AllTime, _) => Timestamp::MIN,
            (Window::Seasonal, Some(_)) => self.season(period.index).map_or(Timestamp::MAX, |season| season.from),
            _ => {
                let millis =
                    i128::from(self.first_day(period)) * i128::from(DAY_MILLIS) - i128::from(self.shift_millis());
                let bound = if millis < 0 { i64::MIN } else { i64::MAX };
                Timestamp::from_unix_millis(i64::try_from(millis).unwrap_or(bound))
            }
        }
    }

    /// The first moment after it; [`Timestamp::MAX`] for all time.
    pub fn end(&self, period: Period) -> Timestamp {
        match (period.window, &self.season_table) {
            (Window::AllTime, _) => Timestamp::MAX,
            (Window::Seasonal, Some(_)) => self.season(period.index).map_or(Timestamp::MAX, |season| season.until),
            _ => self.start(later(period, 1)),
        }
    }

    /// From when on it takes no more events: its end and the grace.
    pub fn closes_at(&self, period: Period) -> Timestamp {
        self.end(period).plus_millis(self.grace_millis)
    }

    /// From when on it cannot be read and its entries may go: when the period `keep` later closes. Never
    /// ([`Timestamp::MAX`]) for all time, and for seasons whose table does not reach that far yet.
    pub fn dropped_at(&self, period: Period, keep: u32) -> Timestamp {
        self.closes_at(later(period, keep))
    }

    /// Whether it can be read no longer and its entries may go.
    pub fn is_dropped(&self, period: Period, keep: u32, now: Timestamp) -> bool {
        // The latest time means never, and never is not reached.
        let dropped_at = self.dropped_at(period, keep);
        dropped_at != Timestamp::MAX && dropped_at <= now
    }

    /// Where it is in its life, when `keep` periods are kept beside it.
    pub fn state(&self, period: Period, keep: u32, now: Timestamp) -> PeriodState {
        // The latest time means never, and never is not reached.
        let reached = |at: Timestamp| at != Timestamp::MAX && at <= now;
        if self.is_dropped(period, keep, now) {
            PeriodState::Dropped
        } else if reached(self.closes_at(period)) {
            PeriodState::Sealed
        } else if reached(self.end(period)) {
            PeriodState::Grace
        } else if reached(self.start(period)) {
            PeriodState::Open
        } else {
            PeriodState::Future
        }
    }

    /// A name for people, unique in its window: a day `2026-11-07` by local date, a week `2026-W53` (ISO 8601: the
    /// year is the one its Thursday is in) or, when weeks do not begin on Monday, the date of its first day, a month
    /// or season by month `2026-11`, a season of a table its label (`unknown` for one the table does not have), and
    /// `all-time`.
    pub fn label(&self, period: Period) -> String {
        if period.window == Window::AllTime {
            return "all-time".to_owned();
        }
        if period.window == Window::Seasonal && self.season_table.is_some() {
            return self.season(period.index).map_or("unknown", |season| season.label.as_str()).to_owned();
        }
        let first_day = self.first_day(period);
        let (year, month, day) = civil_from_days(first_day);
        match period.window {
            Window::Weekly if self.week_start == Weekday::Monday => {
                let thursday = first_day + 3;
                let (year, ..) = civil_from_days(thursday);
                let week = (thursday - days_from_civil(year, 1, 1)) / 7 + 1;
                format!("{year:04}-W{week:02}")
            }
            Window::Daily | Window::Weekly => format!("{year:04}-{month:02}-{day:02}"),
            _ => format!("{year:04}-{month:02}"),
        }
    }

    /// Days since 1970-01-01 of the local date a period begins on, kept where dates can be calculated.
    fn first_day(&self, Period { window, index }: Period) -> i64 {
        let day = match window {
            Window::Daily => index,
            Window::Weekly => index.saturating_mul(7).saturating_sub(self.days_into_week_zero()),
            Window::Monthly | Window::Seasonal => {
                let month = index.clamp(-MONTHS_MAX, MONTHS_MAX);
                days_from_civil(1970 + month.div_euclid(12), month.rem_euclid(12) + 1, 1)
            }
            Window::AllTime => 0,
        };
        day.clamp(-DAYS_MAX, DAYS_MAX)
    }

    fn season(&self, index: i64) -> Option<&Season> {
        self.season_table.as_ref()?.get(usize::try_from(index).ok()?)
    }
}

fn later(Period { window, index }: Period, periods: u32) -> Period {
    Period { window, index: index.saturating_add(i64::from(periods)) }
}

fn within(value: i64, least: i64, most: i64) -> Result<i64, Code> {
    if (least..=most).contains(&value) { Ok(value) } else { Err(Code::InvalidArgument) }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    /// Autumn, a gap of ten days, then winter and at once spring.
    fn season_table() -> Seasons {
        let season = |label, from, until| Season { label: Id::new(label).unwrap(), from: at(from), until: at(until) };
        Seasons::Table(vec![
            season("autumn", "2026-09-01T12:00:00Z", "2026-11-20T12:00:00Z"),
            season("winter", "2026-11-30T12:00:00Z", "2027-02-01T12:00:00Z"),
            season("spring", "2027-02-01T12:00:00Z", "2027-05-01T12:00:00Z"),
        ])
    }

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
        let indices =
            |ts| Window::ALL.iter().map(|w| Calendar::utc().period(*w, ts).unwrap().index).collect::<Vec<_>>();
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
        let wanted = [
            ("2026-11-20T12:01:00Z", "autumn"),
            ("2027-02-01T12:01:00Z", "winter"),
            ("2027-05-01T12:01:00Z", "spring"),
        ];
        assert_eq!(closed, wanted.map(|(time, label)| (time.to_owned(), label.to_owned())));
    }

    #[test]
    fn setters_refuse_what_makes_no_calendar() {
        assert_eq!(Calendar::utc().utc_offset_minutes(841), Err(Code::InvalidArgument));
        assert_eq!(Calendar::utc().utc_offset_minutes(i64::MIN), Err(Code::InvalidArgument));
        assert_eq!(Calendar::utc().reset_minute(1440), Err(Code::InvalidArgument));
        assert_eq!(Calendar::utc().grace_seconds(30 * 86_400 + 1), Err(Code::InvalidArgument));
        assert!(Calendar::utc().grace_seconds(30 * 86_400).is_ok());
        let season =
            |label, from, until| Season { label: Id::new(label).unwrap(), from: millis(from), until: millis(until) };
        for bad in [
            vec![season("empty", 5, 5)],
            vec![season("late", 5, 9), season("early", 1, 4)],
            vec![season("a", 1, 5), season("b", 4, 9)],
            vec![season("same", 1, 5), season("same", 5, 9)],
        ] {
            assert_eq!(Calendar::utc().seasons(Seasons::Table(bad)), Err(Code::InvalidArgument));
        }
    }

    #[test]
    fn downtime_of_three_days_lists_every_closing_once() {
        let calendar = Calendar::utc().grace_seconds(3600).unwrap();
        let windows =
            [Window::Monthly, Window::Daily, Window::Seasonal, Window::Weekly, Window::AllTime, Window::Daily];
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
        for fresh in [Timestamp::MIN, Timestamp::default()] {
            assert_eq!(calendar.closed_between(&windows, fresh, through).next(), None);
        }
        assert_eq!(calendar.closed_between(&windows, through, through).next(), None);
        assert_eq!(calendar.closed_between(&windows, through, after).next(), None);
        assert_eq!(calendar.closed_between(&windows, millis(1), Timestamp::MAX).take(1000).count(), 1000);
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

        fn calendar(&mut self) -> Calendar {
            let calendar = local(self.within(-840, 840), self.within(0, 1439))
                .week_start(Weekday::ALL[usize::try_from(self.within(0, 6)).unwrap()])
                .grace_seconds(self.within(0, GRACE_SECONDS_MAX))
                .unwrap();
            if self.within(0, 1) == 0 { calendar } else { calendar.seasons(season_table()).unwrap() }
        }
    }

    #[test]
    fn every_time_lies_in_its_period_and_periods_tile() {
        let seed = 7;
        let mut random = SplitMix64(seed);
        for turn in 0..50_000 {
            let (calendar, ts) = (random.calendar(), random.time());
            for window in Window::ALL.iter().copied() {
                let note = || format!("seed {seed}, turn {turn}, {window} at {}: {calendar:?}", ts.as_unix_millis());
                let Some(period) = calendar.period(window, ts) else {
                    assert!(window == Window::Seasonal && calendar.season_table.is_some(), "{}", note());
                    continue;
                };
                let (start, end) = (calendar.start(period), calendar.end(period));
                assert!(start <= ts && ts < end, "{}", note());
                if window == Window::AllTime || window == Window::Seasonal && calendar.season_table.is_some() {
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
    fn closings_in_two_pieces_are_the_closings_in_one() {
        let seed = 11;
        let mut random = SplitMix64(seed);
        for turn in 0..500 {
            let calendar = random.calendar();
            let mut marks = [0; 3].map(|_| millis(random.within(1_780_000_000_000, 1_790_000_000_000)));
            marks.sort();
            let [a, b, c] = marks;
            let list = |after, through| calendar.closed_between(Window::ALL, after, through).collect::<Vec<_>>();
            let whole = list(a, c);
            assert_eq!([list(a, b), list(b, c)].concat(), whole, "seed {seed}, turn {turn}: {calendar:?}");
            assert!(whole.is_sorted_by(|x, y| x < y), "seed {seed}, turn {turn}");
            assert!(whole.iter().all(|(time, period)| calendar.closes_at(*period) == *time && a < *time && *time <= c));
        }
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
            let last = calendar.closed_between(Window::ALL, Timestamp::MAX.minus_millis(1), Timestamp::MAX).next();
            assert_eq!(last, None, "a closing at the end of time never comes");
        }
    }
}
