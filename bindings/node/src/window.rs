//! Calendars and periods.

use liveops_core::window::{Calendar as CoreCalendar, Closings as CoreClosings};
use liveops_core::{Code, Error, Period, Timestamp, Window};
use napi_derive::napi;
use serde_json::{Value, json};

use crate::failure::{OrThrow as _, Result, text};

/// Most closings that are taken at once.
const CLOSINGS_MAX: usize = 1000;

/// When periods begin and close; the windows are those of the rules' boards.
#[napi]
#[derive(Debug)]
pub struct Calendar {
    pub(crate) calendar: CoreCalendar,
    pub(crate) windows: Vec<Window>,
}

#[napi]
impl Calendar {
    /// The period that holds a time, as JSON; none between seasons.
    #[napi]
    pub fn period(&self, window: String, ts: i64) -> Result<Option<String>> {
        let period = self.calendar.period(window_of(&window)?, Timestamp::from_unix_millis(ts));
        Ok(period.map(|period| self.told(period).to_string()))
    }

    /// What is known of a period by its index, as JSON.
    #[napi]
    pub fn describe(&self, window: String, index: i64) -> Result<String> {
        Ok(self.told(Period { window: window_of(&window)?, index }).to_string())
    }

    /// Where a period is in its life.
    #[napi]
    pub fn state(&self, window: String, index: i64, keep: u32, now: i64) -> Result<String> {
        let period = Period { window: window_of(&window)?, index };
        text(&self.calendar.state(period, keep, Timestamp::from_unix_millis(now)))
    }

    /// When the current period of a window changes next; none if never.
    #[napi]
    pub fn next_reset(&self, window: String, now: i64) -> Result<Option<i64>> {
        let next = self.calendar.next_reset(window_of(&window)?, Timestamp::from_unix_millis(now));
        Ok(next.and_then(safe))
    }

    /// Closings in `after < t <= through`, to be taken piece by piece; of all boards' windows if none are named.
    #[napi]
    pub fn closings(&self, windows: Option<Vec<String>>, after: i64, through: i64) -> Result<Closings> {
        let windows = match windows {
            Some(names) => names.iter().map(|name| window_of(name)).collect::<Result<Vec<_>>>()?,
            None => self.windows.clone(),
        };
        Ok(Closings::new(self.calendar.clone(), &windows, after, through))
    }

    fn told(&self, period: Period) -> Value {
        told(&self.calendar, period)
    }
}

/// Closings that are made as they are taken.
#[napi]
#[derive(Debug)]
pub struct Closings {
    calendar: CoreCalendar,
    closings: CoreClosings,
}

#[napi]
impl Closings {
    pub(crate) fn new(calendar: CoreCalendar, windows: &[Window], after: i64, through: i64) -> Self {
        let [after, through] = [after, through].map(Timestamp::from_unix_millis);
        let closings = calendar.closed_between(windows, after, through);
        Self { calendar, closings }
    }

    /// The next ones, as JSON: as many as asked for, or fewer at the end.
    #[napi]
    pub fn take(&mut self, len_max: u32) -> Result<String> {
        let taken = usize::try_from(len_max).unwrap_or(CLOSINGS_MAX).min(CLOSINGS_MAX);
        let taken: Vec<_> =
            self.closings.by_ref().take(taken).map(|(_, period)| told(&self.calendar, period)).collect();
        text(&taken)
    }
}

fn told(calendar: &CoreCalendar, period: Period) -> Value {
    json!({ "window": period.window, "index": period.index, "label": calendar.label(period),
        "start": safe(calendar.start(period)), "end": safe(calendar.end(period)),
        "closesAt": safe(calendar.closes_at(period)) })
}

/// Which period is meant, and what time it is: a period by its index, or one so many before the current.
#[napi(object)]
#[derive(Debug)]
pub struct When {
    /// The window.
    pub window: String,
    /// The period's index, if it is given.
    pub index: Option<i64>,
    /// How many periods before the current one; 0 with an index.
    pub earlier: u32,
    /// The present.
    pub now: i64,
}

impl When {
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.now)
    }

    /// The period; `earlier` says which one is so many before the current.
    pub(crate) fn period(&self, earlier: impl FnOnce(Window, u32) -> Result<Period, Error>) -> Result<Period> {
        let window = window_of(&self.window)?;
        self.index.map_or_else(|| earlier(window, self.earlier).or_throw(), |index| Ok(Period { window, index }))
    }
}

/// A window by its name.
pub(crate) fn window_of(name: &str) -> Result<Window> {
    Window::from_text(name).ok_or(Code::UnknownWindow).or_throw()
}

/// A time that a JavaScript number holds exactly; what is further away is always or never.
pub(crate) fn safe(time: Timestamp) -> Option<i64> {
    let millis = time.as_unix_millis();
    (millis.unsigned_abs() <= liveops_core::limits::INTEGER_MAX.unsigned_abs()).then_some(millis)
}
