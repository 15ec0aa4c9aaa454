//! How far a store has been moved in time, what may move it, and the way back.

use std::fmt;

use serde::Serialize;

use crate::codec::fields;
use crate::error::{Code, Error};
use crate::limits::ADVANCE_MILLIS_MAX;
use crate::time::Timestamp;

/// How far the store has been moved in time. Both marks only grow, but for [`Self::turned_back`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Horizon {
    /// Decisions count as made no earlier than this.
    pub now: Timestamp,
    /// Outcomes of commands older than this are gone, so such commands are refused for ever, also under later rules
    /// that would allow more.
    pub forgotten_before: Timestamp,
}

/// Before everything.
impl Default for Horizon {
    fn default() -> Self {
        Self { now: Timestamp::MIN, forgotten_before: Timestamp::MIN }
    }
}

impl Horizon {
    /// The later of the two, mark by mark.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { now: self.now.max(other.now), forgotten_before: self.forgotten_before.max(other.forgotten_before) }
    }

    /// Whether the store may be moved to `now` though nobody said that a jump is meant. A wrong time cannot be taken back: all
    /// that is older is refused for good. The first time is free of the length of its jump: there is nothing to measure it by.
    ///
    /// `newest_event` is the newest one known to have been taken in.
    ///
    /// Errors: `clock_unit`, `clock_jump`; the source is an [`AdvanceError`].
    pub fn check_advance(self, now: Timestamp, newest_event: Option<Timestamp>) -> Result<(), Error> {
        let horizon = (self.now != Timestamp::MIN).then_some(self.now);
        let unit = newest_event.and_then(|known| AdvanceError::of_unit(now, known, Measure::Event));
        let unit = unit.or_else(|| horizon.and_then(|known| AdvanceError::of_unit(now, known, Measure::Horizon)));
        let jump = || horizon.filter(|known| now > known.plus_millis(ADVANCE_MILLIS_MAX)).map(|_| AdvanceError::Jump);
        unit.or_else(jump).map_or(Ok(()), |error| Err(Error::with_source(error.code(), error)))
    }

    /// The same for who has a clock at hand: a store may be moved to `now` by that alone, wherever it is.
    ///
    /// Errors: `clock_unit`, `clock_jump`; the source is an [`AdvanceError`].
    pub fn check_clock(now: Timestamp, clock: Timestamp) -> Result<(), Error> {
        let unit = AdvanceError::of_unit(now, clock, Measure::Clock);
        let ahead = || (now > clock.plus_millis(ADVANCE_MILLIS_MAX)).then_some(AdvanceError::AheadOfClock);
        unit.or_else(ahead).map_or(Ok(()), |error| Err(Error::with_source(error.code(), error)))
    }

    /// The horizon of a store that was moved too far, brought back to `now`.
    ///
    /// `newest` is the time of the newest command of any player, `paid_until` the closing of the newest period that anybody was
    /// paid for. What was forgotten stays refused: whatever is newer than every command was never taken in. A period that was
    /// paid stays closed.
    #[must_use]
    pub fn turned_back(self, now: Timestamp, newest: Timestamp, paid_until: Timestamp) -> Self {
        let now = now.max(paid_until);
        if now >= self.now {
            return self;
        }
        Self { now, forgotten_before: self.forgotten_before.min(newest.plus_millis(1)) }
    }
}

/// By what a time was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// By the newest event taken in, whose time came through the door.
    Event,
    /// By how far the store was moved before.
    Horizon,
    /// By the caller's clock.
    Clock,
}

impl Measure {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "store's newest event",
            Self::Horizon => "store's horizon",
            Self::Clock => "clock",
        }
    }
}

/// Why a time does not look like the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AdvanceError {
    /// More than 31 days past the horizon.
    Jump,
    /// More than 31 days past the caller's clock.
    AheadOfClock,
    /// A thousandth: seconds.
    Seconds(Measure),
    /// A thousandfold: microseconds.
    Microseconds(Measure),
    /// A millionfold: nanoseconds.
    Nanoseconds(Measure),
    /// A millionth: then the store was moved, or told of an event, by nanoseconds.
    StoreInNanoseconds(Measure),
}

impl AdvanceError {
    /// Whether a time looks like `known` in another unit; never one that is less than a jump away from it.
    fn of_unit(now: Timestamp, known: Timestamp, measure: Measure) -> Option<Self> {
        let (now, known) = (now.as_unix_millis(), known.as_unix_millis());
        if known < ADVANCE_MILLIS_MAX || now.saturating_sub(known).saturating_abs() <= ADVANCE_MILLIS_MAX {
            return None;
        }
        // Half as much to half as much again: in 2026 that is 1998 to 2055.
        let is_near = |millis: i64| millis >= known - known / 2 && millis <= known.saturating_add(known / 2);
        if is_near(now.saturating_mul(1_000)) {
            Some(Self::Seconds(measure))
        } else if is_near(now / 1_000) {
            Some(Self::Microseconds(measure))
        } else if is_near(now / 1_000_000) {
            Some(Self::Nanoseconds(measure))
        } else if is_near(now.saturating_mul(1_000_000)) {
            // Nobody counts in units of a quarter of an hour.
            Some(Self::StoreInNanoseconds(measure))
        } else {
            None
        }
    }

    /// The stable code.
    pub const fn code(&self) -> Code {
        match self {
            Self::Jump | Self::AheadOfClock => Code::ClockJump,
            _ => Code::ClockUnit,
        }
    }
}

/// What would have been right, without the code.
impl fmt::Display for AdvanceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, measure) = match self {
            Self::Jump => {
                return f.write_str(
                    "the time lies more than 31 days past the store's horizon; advance far, if that is what is meant",
                );
            }
            Self::AheadOfClock => {
                return f.write_str(
                    "the time lies more than 31 days past the clock; advance far, if that is what is meant",
                );
            }
            Self::StoreInNanoseconds(Measure::Clock) => {
                return f.write_str("milliseconds are expected, and the clock looks like nanoseconds");
            }
            Self::StoreInNanoseconds(measure) => {
                let by = measure.as_str();
                return write!(
                    f,
                    "milliseconds are expected, and the {by} looks like nanoseconds; restore it at the present"
                );
            }
            Self::Seconds(Measure::Horizon) => {
                return f.write_str(
                    "milliseconds are expected; by the store's horizon this looks like seconds, or the horizon like microseconds",
                );
            }
            Self::Seconds(measure) => ("seconds", measure),
            Self::Microseconds(measure) => ("microseconds", measure),
            Self::Nanoseconds(measure) => ("nanoseconds", measure),
        };
        write!(f, "milliseconds are expected; by the {} this looks like {unit}", measure.as_str())
    }
}

impl std::error::Error for AdvanceError {}

fields!(Horizon { now, forgotten_before });

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;
    use crate::time::DAY_MILLIS;

    /// 2026-11-30T00:00:00Z
    const NOW: i64 = 1_795_996_800_000;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    fn moved(now: i64) -> Horizon {
        Horizon { now: at(now), forgotten_before: at(now - DAY_MILLIS) }
    }

    fn refused(horizon: Horizon, now: i64, event: Option<i64>) -> Option<String> {
        let error = horizon.check_advance(at(now), event.map(at)).err()?;
        Some(format!("{}: {}", error.code(), error.source().unwrap()))
    }

    #[test]
    fn a_jump_of_more_than_31_days_is_refused() {
        let month = 31 * DAY_MILLIS;
        assert_eq!(refused(moved(NOW), NOW + month, None), None);
        let jump = refused(moved(NOW), NOW + month + 1, None).unwrap();
        assert!(jump.starts_with("clock_jump: ") && jump.contains("31 days"), "{jump}");
        for now in [NOW - 1, NOW - month, NOW - 10_000 * DAY_MILLIS, 0, -NOW, i64::MIN] {
            assert_eq!(refused(moved(NOW), now, Some(NOW)), None, "{now}: behind the horizon nothing moves");
        }
        assert!(refused(moved(NOW), i64::MAX, None).unwrap().starts_with("clock_jump"));
    }

    #[test]
    fn the_first_is_free_and_units_are_judged_by_what_is_known() {
        let fresh = Horizon::default();
        for now in [NOW, NOW * 1_000, NOW * 1_000_000, NOW / 1_000, 5, i64::MAX, i64::MIN] {
            assert_eq!(refused(fresh, now, None), None, "{now}: never by the number alone");
        }
        assert_eq!(refused(fresh, NOW + 400 * DAY_MILLIS, Some(NOW)), None, "a first jump, however far");
        for (now, unit) in [(NOW / 1_000, "seconds"), (NOW * 1_000, "microseconds"), (NOW * 1_000_000, "nanoseconds")] {
            for off in [0, 40 * DAY_MILLIS, 3_000 * DAY_MILLIS] {
                let by_event = refused(fresh, now, Some(NOW - off)).unwrap();
                assert!(
                    by_event.starts_with("clock_unit: ") && by_event.contains(unit) && by_event.contains("event"),
                    "{by_event}"
                );
                let by_horizon = refused(moved(NOW - off), now, None).unwrap();
                assert!(by_horizon.starts_with("clock_unit: ") && by_horizon.contains(unit), "{by_horizon}");
            }
        }
        let wrong = refused(moved(NOW * 1_000_000), NOW, Some(NOW)).unwrap();
        assert!(wrong.contains("horizon looks like nanoseconds"), "{wrong}");
        let event = refused(moved(NOW - DAY_MILLIS), NOW, Some(NOW * 1_000_000)).unwrap();
        assert!(event.contains("newest event looks like nanoseconds"), "{event}");
        assert!(refused(moved(NOW * 1_000), NOW, None).unwrap().contains("horizon like microseconds"));
    }

    #[test]
    fn who_has_a_clock_is_measured_by_that_alone() {
        let refused = |now, clock| {
            let error = Horizon::check_clock(at(now), at(clock)).err()?;
            Some(format!("{}: {}", error.code(), error.source().unwrap()))
        };
        let month = 31 * DAY_MILLIS;
        for now in [NOW, NOW + month, NOW - 10_000 * DAY_MILLIS, 5, -NOW] {
            assert_eq!(refused(now, NOW), None, "{now}");
        }
        for (now, clock, code, word) in [
            (NOW + month + 1, NOW, "clock_jump", "past the clock"),
            (NOW / 1_000, NOW, "clock_unit", "by the clock this looks like seconds"),
            (NOW * 1_000_000, NOW, "clock_unit", "nanoseconds"),
            (NOW, NOW * 1_000_000, "clock_unit", "the clock looks like nanoseconds"),
        ] {
            let error = refused(now, clock).unwrap();
            assert!(error.starts_with(code) && error.contains(word), "{error}");
        }
    }

    #[test]
    fn times_close_to_1970_are_nobody_s_unit() {
        // As tests and simulations have them.
        assert_eq!(refused(moved(5_000), 5, Some(5_000)), None);
        assert_eq!(refused(moved(5), 5_000_000, Some(5_000)), None);
        assert!(refused(moved(5), 40 * DAY_MILLIS, None).unwrap().starts_with("clock_jump"));
    }

    #[test]
    fn the_way_back_forgets_nothing_that_was_forgotten() {
        let wrong = moved(NOW + 1_000 * DAY_MILLIS);
        let (newest, never) = (at(NOW - 60_000), Timestamp::MIN);
        let back = wrong.turned_back(at(NOW), newest, never);
        assert_eq!(back, Horizon { now: at(NOW), forgotten_before: at(NOW - 59_999) });
        let paid = wrong.turned_back(at(NOW), newest, at(NOW + 3 * DAY_MILLIS));
        assert_eq!(paid.now, at(NOW + 3 * DAY_MILLIS), "a paid period stays closed");
        assert_eq!(moved(NOW).turned_back(at(NOW + 1), newest, never), moved(NOW), "never forward");
        assert_eq!(moved(NOW).turned_back(at(NOW - 9), newest, at(NOW)), moved(NOW));
        let close = moved(NOW + 60_000).turned_back(at(NOW), newest, never);
        assert_eq!(close.forgotten_before, at(NOW + 60_000 - DAY_MILLIS), "what is remembered is remembered");
    }
}
