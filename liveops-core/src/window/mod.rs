//! Windows and their periods: whole milliseconds, half-open, from the time of the event.
//!
//! A [`Window`] says how long scores count together, a [`Period`] is one stretch of it, and a [`Calendar`] says when
//! periods begin, close and go. Nothing here is stored or reads a clock, and there is no time zone database: a named
//! zone is a table of [`OffsetChange`]s that the caller takes from one (`docs/calendars.md` shows how).

mod calendar;
mod closings;
mod encode;
mod offsets;
mod seasons;
#[cfg(test)]
mod tests;

use std::fmt;

pub use calendar::Calendar;
pub(crate) use calendar::is_reached;
pub use closings::Closings;
pub use offsets::OffsetChange;
pub use seasons::{Season, Seasons};

use crate::codec::{fields, tags};
use crate::error::Code;

/// How long scores count together.
///
/// ```
/// use liveops_core::window::Window;
///
/// assert_eq!(Window::AllTime.as_str(), "allTime");
/// assert_eq!(Window::from_text("weekly"), Some(Window::Weekly));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Window {
    /// A day, from reset to reset.
    Daily,
    /// Seven days.
    Weekly,
    /// A calendar month.
    Monthly,
    /// A season of the calendar: a month, or a line of its table.
    Seasonal,
    /// For ever.
    AllTime,
}

tags!(Window { Daily = 0, Weekly = 1, Monthly = 2, Seasonal = 3, AllTime = 4 });

impl Window {
    /// Every window, shortest first.
    pub const ALL: &'static [Self] = &[Self::Daily, Self::Weekly, Self::Monthly, Self::Seasonal, Self::AllTime];

    /// The name, as rules and JSON write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Seasonal => "seasonal",
            Self::AllTime => "allTime",
        }
    }

    /// The window of a name; `None` for anything [`Self::as_str`] does not write.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|window| window.as_str() == text)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One stretch of a window. Periods of one window sort by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Period {
    /// Of which window.
    pub window: Window,
    /// Which one, counted from the period that holds 1970-01-01 local time; the position in a table of seasons; 0 for
    /// all time.
    pub index: i64,
}

fields!(Period { window, index });

/// Where a period is in its life, seen from a given time. States follow one another in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum PeriodState {
    /// Has not begun.
    Future,
    /// Runs.
    Open,
    /// Is over and still takes events of its own time.
    Grace,
    /// Takes no more events; its standings only change when players are hidden, until it is archived.
    Sealed,
    /// Is written down with its ranks, and never changes again. Boards that keep archives say so; [`Calendar::state`],
    /// which knows the time alone, does not.
    Archived,
    /// Cannot be read from live boards any more.
    Dropped,
}

impl PeriodState {
    /// Every state, in the order in which they follow one another.
    pub const ALL: &'static [Self] =
        &[Self::Future, Self::Open, Self::Grace, Self::Sealed, Self::Archived, Self::Dropped];

    /// The name, as JSON writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Future => "future",
            Self::Open => "open",
            Self::Grace => "grace",
            Self::Sealed => "sealed",
            Self::Archived => "archived",
            Self::Dropped => "dropped",
        }
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Weekday {
    #[default]
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// Every day, Monday first.
    pub const ALL: &'static [Self] =
        &[Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    /// The name, as rules and JSON write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Monday => "monday",
            Self::Tuesday => "tuesday",
            Self::Wednesday => "wednesday",
            Self::Thursday => "thursday",
            Self::Friday => "friday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }

    /// The day of a name; `None` for anything [`Self::as_str`] does not write.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|day| day.as_str() == text)
    }
}

fn within(value: i64, least: i64, most: i64) -> Result<i64, Code> {
    if (least..=most).contains(&value) { Ok(value) } else { Err(Code::OutOfRange) }
}
