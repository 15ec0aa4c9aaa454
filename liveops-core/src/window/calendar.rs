//! When periods begin, close and are dropped.

use super::offsets::{OffsetChange, Offsets};
use super::seasons::{Season, SeasonTable, Seasons};
use super::{Period, PeriodState, Weekday, Window, within};
use crate::error::{Code, Error};
use crate::limits::GRACE_SECONDS_MAX;
use crate::time::{Timestamp, civil_from_days, days_from_civil};

/// 1970-01-01 was a Thursday.
const EPOCH_WEEKDAY: i64 = Weekday::Thursday as i64;
/// More days, and more months, than `Timestamp` can tell apart, and few enough to calculate with.
pub(super) const DAYS_MAX: i64 = 200_000_000_000;
const MONTHS_MAX: i64 = 4_000_000_000;

/// When periods begin, close and are dropped. Cloning is cheap.
///
/// A day begins when local clocks first show its date and the reset minute, or anything later: where clocks are set
/// forward over the reset, that is the moment they are set; where they are set back and show it twice, the first time.
/// So each day begins once, after the one before, and is 23 or 25 hours long where the offset changes. Weeks, months
/// and seasons by month begin with one of their days. Ends are exclusive: periods of a window meet without gap or
/// overlap, and none is empty; only seasons of a table may lie apart.
///
/// Times saturate: [`Timestamp::MAX`] as an end means never, and [`Timestamp::MIN`] as a start means always.
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
    offsets: Offsets,
    reset_millis: i64,
    grace_millis: i64,
    week_start: Weekday,
    /// `None`: by month.
    season_table: Option<SeasonTable>,
}

impl Default for Calendar {
    fn default() -> Self {
        Self::utc()
    }
}

/// Setting up. A setter refuses numbers and times outside their range or order as `out_of_range`, long tables as `too_long`,
/// and two seasons of one name and a day left out as `invalid_argument`.
impl Calendar {
    /// Days from midnight UTC, weeks from Monday, no grace, seasons by month.
    pub const fn utc() -> Self {
        Self {
            offsets: Offsets::UTC,
            reset_millis: 0,
            grace_millis: 0,
            week_start: Weekday::Monday,
            season_table: None,
        }
    }

    /// How far local time is ahead of UTC, in minutes, -840..=840. Fixed: there is no daylight saving.
    pub fn utc_offset_minutes(self, minutes: i64) -> Result<Self, Error> {
        self.utc_offsets(minutes, &[])
    }

    /// The same with daylight saving: the offset before the first change, and the changes in order of time, at most
    /// [`UTC_OFFSET_CHANGES_MAX`](crate::limits::UTC_OFFSET_CHANGES_MAX). The last offset stays in force, so a table is
    /// to be made longer before its end is reached. It comes from any time zone database: `docs/calendars.md` has
    /// programs that write it.
    ///
    /// Clocks must not be set forward so far that a day is left empty, as they once were in Samoa.
    ///
    /// ```
    /// use liveops_core::Timestamp;
    /// use liveops_core::window::{Calendar, OffsetChange, Window};
    ///
    /// let at = |text| Timestamp::from_rfc3339(text).unwrap();
    /// let berlin = Calendar::utc().utc_offsets(60, &[
    ///     OffsetChange { from: at("2026-03-29T01:00:00Z"), minutes: 120 },
    ///     OffsetChange { from: at("2026-10-25T01:00:00Z"), minutes: 60 },
    /// ])?;
    /// let hours = |text| {
    ///     let day = berlin.period(Window::Daily, at(text)).unwrap();
    ///     (berlin.end(day).as_unix_seconds() - berlin.start(day).as_unix_seconds()) / 3600
    /// };
    /// assert_eq!(hours("2026-03-28T12:00:00Z"), 24);
    /// assert_eq!(hours("2026-03-29T12:00:00Z"), 23);
    /// assert_eq!(hours("2026-10-25T12:00:00Z"), 25);
    /// # Ok::<(), liveops_core::Error>(())
    /// ```
    pub fn utc_offsets(self, minutes: i64, changes: &[OffsetChange]) -> Result<Self, Error> {
        let offsets = Offsets::new(minutes, changes)?;
        Self { offsets, ..self }.without_empty_days()
    }

    /// The minute of the local day, 0..=1439, at which a new day begins; what comes before belongs to the date before.
    pub fn reset_minute(self, minute: i64) -> Result<Self, Error> {
        let reset_millis = within(minute, 0, 1439)? * 60_000;
        Self { reset_millis, ..self }.without_empty_days()
    }

    /// The day weeks begin with.
    #[must_use]
    pub fn week_start(self, week_start: Weekday) -> Self {
        Self { week_start, ..self }
    }

    /// How long after its end a period still takes events of its own time, in seconds, up to
    /// [`GRACE_SECONDS_MAX`].
    pub fn grace_seconds(self, seconds: i64) -> Result<Self, Error> {
        let grace_millis = within(seconds, 0, GRACE_SECONDS_MAX)? * 1000;
        Ok(Self { grace_millis, ..self })
    }

    /// What a season is. A table must be sorted, its seasons must not be empty nor overlap, and labels must differ; at
    /// most [`SEASONS_MAX`](crate::limits::SEASONS_MAX) of them.
    pub fn seasons(self, seasons: Seasons) -> Result<Self, Error> {
        let season_table = match seasons {
            Seasons::Monthly => None,
            Seasons::Table(table) => Some(SeasonTable::new(table)?),
        };
        Ok(Self { season_table, ..self })
    }

    fn without_empty_days(self) -> Result<Self, Error> {
        if self.offsets.skip_a_day(self.reset_millis) { Err(Code::InvalidArgument.into()) } else { Ok(self) }
    }
}

/// What may change under a live board.
impl Calendar {
    /// From when on `other` is another calendar: the first change of offset or the start of the first season that only
    /// one of them has, [`Timestamp::MIN`] if they differ in anything else; `None` if they are the same.
    ///
    /// While that time is still to come, the other calendar can take this one's place: up to it both cut time in the same
    /// way, and every period closes once, wherever the caller's mark stands. Grace counts as a difference, because with
    /// another one a sealed period would open again, or would close at a time that the mark has passed already.
    pub fn differs_from(&self, other: &Self) -> Option<Timestamp> {
        if !self.same_settings(other) {
            return Some(Timestamp::MIN);
        }
        let seasons = match (&self.season_table, &other.season_table) {
            (None, None) => None,
            (Some(table), Some(other)) => table.differs_from(other),
            _ => Some(Timestamp::MIN),
        };
        [self.offsets.differ_from(&other.offsets), seasons].into_iter().flatten().min()
    }

    /// Whether `other` says all that this calendar says, and at most more seasons or changes of offset behind the last.
    pub fn grows_into(&self, other: &Self) -> bool {
        let seasons_grow = match (&self.season_table, &other.season_table) {
            (None, None) => true,
            (Some(table), Some(other)) => table.grows_into(other),
            _ => false,
        };
        seasons_grow && self.same_settings(other) && self.offsets.grow_into(&other.offsets)
    }

    fn same_settings(&self, other: &Self) -> bool {
        let settings = |calendar: &Self| (calendar.reset_millis, calendar.grace_millis, calendar.week_start);
        settings(self) == settings(other)
    }
}

/// From times to periods.
impl Calendar {
    /// The period that an event of that time counts in; `None` between seasons.
    pub fn period(&self, window: Window, ts: Timestamp) -> Option<Period> {
        let period = self.first_ending_after(window, ts);
        let gaps = window == Window::Seasonal && self.has_season_table();
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

    /// The period that runs at `ts`, or in a gap the next; behind the last season one that never begins.
    pub(super) fn first_ending_after(&self, window: Window, ts: Timestamp) -> Period {
        let index = match (window, &self.season_table) {
            (Window::Daily, _) => self.day(ts),
            (Window::Weekly, _) => (self.day(ts) + self.days_into_week_zero()).div_euclid(7),
            (Window::Seasonal, Some(table)) => table.first_ending_after(ts),
            (Window::Monthly | Window::Seasonal, _) => {
                let (year, month, _) = civil_from_days(self.day(ts));
                (year - 1970) * 12 + month - 1
            }
            (Window::AllTime, _) => 0,
        };
        Period { window, index }
    }

    pub(super) const fn has_season_table(&self) -> bool {
        self.season_table.is_some()
    }

    fn day(&self, ts: Timestamp) -> i64 {
        self.offsets.day(ts, self.reset_millis)
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
            (Window::Seasonal, Some(table)) => table.get(period.index).map_or(Timestamp::MAX, |season| season.from),
            _ => self.offsets.day_begins(self.first_day(period), self.reset_millis),
        }
    }

    /// The first moment after it; [`Timestamp::MAX`] for all time.
    pub fn end(&self, period: Period) -> Timestamp {
        match (period.window, &self.season_table) {
            (Window::AllTime, _) => Timestamp::MAX,
            (Window::Seasonal, Some(table)) => table.get(period.index).map_or(Timestamp::MAX, |season| season.until),
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
        is_reached(self.dropped_at(period, keep), now)
    }

    /// Errors: `unknown_period` for a season that the table does not have, `period_dropped` for a period that can be read no longer.
    pub(crate) fn check_kept(&self, period: Period, keep: u32, now: Timestamp) -> Result<(), Code> {
        if !self.has(period) {
            return Err(Code::UnknownPeriod);
        }
        if self.is_dropped(period, keep, now) { Err(Code::PeriodDropped) } else { Ok(()) }
    }

    /// Whether there is such a period: only a table of seasons has an end.
    fn has(&self, period: Period) -> bool {
        match (period.window, &self.season_table) {
            (Window::Seasonal, Some(table)) => table.get(period.index).is_some(),
            _ => true,
        }
    }

    /// Where it is in its life, when `keep` periods are kept beside it. Never [`PeriodState::Archived`]: whether a
    /// sealed period was archived is known to the board that keeps archives, and does not follow from time.
    pub fn state(&self, period: Period, keep: u32, now: Timestamp) -> PeriodState {
        if self.is_dropped(period, keep, now) {
            PeriodState::Dropped
        } else if is_reached(self.closes_at(period), now) {
            PeriodState::Sealed
        } else if is_reached(self.end(period), now) {
            PeriodState::Grace
        } else if is_reached(self.start(period), now) {
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
        match (period.window, &self.season_table) {
            (Window::AllTime, _) => "all-time".to_owned(),
            (Window::Seasonal, Some(table)) => {
                table.get(period.index).map_or("unknown", |season| season.label.as_str()).to_owned()
            }
            (Window::Weekly, _) if self.week_start == Weekday::Monday => {
                let thursday = self.first_day(period) + 3;
                let (year, ..) = civil_from_days(thursday);
                let week = (thursday - days_from_civil(year, 1, 1)) / 7 + 1;
                format!("{year:04}-W{week:02}")
            }
            (Window::Daily | Window::Weekly, _) => {
                let (year, month, day) = civil_from_days(self.first_day(period));
                format!("{year:04}-{month:02}-{day:02}")
            }
            (Window::Monthly | Window::Seasonal, _) => {
                let (year, month, _) = civil_from_days(self.first_day(period));
                format!("{year:04}-{month:02}")
            }
        }
    }

    pub(super) const fn grace_millis(&self) -> i64 {
        self.grace_millis
    }

    /// In force before the first change.
    pub(super) const fn offset_minutes(&self) -> i64 {
        self.offsets.first_minutes()
    }

    pub(super) fn offset_changes(&self) -> Vec<OffsetChange> {
        self.offsets.list()
    }

    pub(super) const fn reset_minute_of_day(&self) -> i64 {
        self.reset_millis / 60_000
    }

    pub(super) const fn first_weekday(&self) -> Weekday {
        self.week_start
    }

    /// `None`: by month.
    pub(super) fn season_list(&self) -> Option<&[Season]> {
        self.season_table.as_ref().map(SeasonTable::all)
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
}

pub(super) fn later(Period { window, index }: Period, periods: u32) -> Period {
    Period { window, index: index.saturating_add(i64::from(periods)) }
}

/// The latest time means never, and never is not reached.
pub(crate) fn is_reached(at: Timestamp, now: Timestamp) -> bool {
    at != Timestamp::MAX && at <= now
}
