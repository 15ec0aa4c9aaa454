//! Absolute time, always passed in.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::error::Code;

/// Milliseconds in a day.
pub const DAY_MILLIS: i64 = 86_400_000;

/// Milliseconds since the Unix epoch.
///
/// Absolute rather than relative to process start, so that two processes sharing one store agree.
///
/// ```
/// use liveops_core::Timestamp;
///
/// let t = Timestamp::from_rfc3339("2026-11-07T00:00:00Z").unwrap();
/// assert_eq!(t.as_unix_millis(), 1_794_009_600_000);
/// assert_eq!(t.to_string(), "2026-11-07T00:00:00Z");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Earlier than every other.
    pub const MIN: Self = Self(i64::MIN);
    /// Later than every other.
    pub const MAX: Self = Self(i64::MAX);

    /// From Unix milliseconds.
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// To Unix milliseconds.
    pub const fn as_unix_millis(self) -> i64 {
        self.0
    }

    /// From whole Unix seconds, saturating.
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// To whole Unix seconds, towards the past.
    pub const fn as_unix_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Later by `millis`, saturating.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Earlier by `millis`, saturating.
    #[must_use]
    pub const fn minus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_sub(millis))
    }

    /// Parses `YYYY-MM-DDTHH:MM:SSZ` (RFC 3339 without fractions or offsets); `None` for anything else.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let bytes: &[u8; 20] = text.as_bytes().try_into().ok()?;
        let number = |from: usize, to: usize| {
            bytes[from..to].iter().try_fold(0, |n: i64, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
        };
        if [bytes[4], bytes[7], bytes[10], bytes[13], bytes[16], bytes[19]] != *b"--T::Z" {
            return None;
        }
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let valid = (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        let days = days_from_civil(year, month, day);
        valid.then(|| Self::from_unix_seconds(days * 86_400 + hour * 3600 + minute * 60 + second))
    }
}

/// RFC 3339 in UTC, with milliseconds only where there are some; outside the years 0 to 9999, the milliseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, millis) = (self.0.div_euclid(DAY_MILLIS), self.0.rem_euclid(DAY_MILLIS));
        let (year, month, day) = civil_from_days(days);
        if !(0..=9999).contains(&year) {
            return write!(f, "{} ms", self.0);
        }
        let seconds = millis / 1000;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if millis % 1000 != 0 {
            write!(f, ".{:03}", millis % 1000)?;
        }
        f.write_str("Z")
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

/// For callers that read a clock: `Timestamp::try_from(SystemTime::now())`.
impl TryFrom<SystemTime> for Timestamp {
    type Error = crate::error::Error;

    fn try_from(time: SystemTime) -> Result<Self, Self::Error> {
        let millis = |duration: Duration| i64::try_from(duration.as_millis());
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => millis(after).map(Self),
            Err(before) => millis(before.duration()).map(|millis| Self(-millis)),
        }
        .map_err(|_| Code::OutOfRange.into())
    }
}

/// Days since 1970-01-01 of a proleptic Gregorian date.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
pub const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month 1..=12 and day 1..=31 of a number of days since 1970-01-01; the inverse of [`days_from_civil`].
pub const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + (month <= 2) as i64;
    (year, month, day)
}

/// Days of a month.
pub const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_days_are_inverse_over_four_centuries() {
        let mut expected = (1969, 12, 31);
        for days in -1..=146_097 {
            let date = civil_from_days(days);
            assert_eq!(date, expected, "day {days}");
            assert_eq!(days_from_civil(date.0, date.1, date.2), days);
            expected = if date.2 < days_in_month(date.0, date.1) {
                (date.0, date.1, date.2 + 1)
            } else if date.1 < 12 {
                (date.0, date.1 + 1, 1)
            } else {
                (date.0 + 1, 1, 1)
            };
        }
    }

    #[test]
    fn only_real_dates_parse() {
        let parse = Timestamp::from_rfc3339;
        assert_eq!(parse("2024-02-29T23:59:59Z").unwrap().to_string(), "2024-02-29T23:59:59Z");
        assert_eq!(parse("1969-12-31T23:59:59Z"), Some(Timestamp::from_unix_millis(-1000)));
        for bad in ["2023-02-29T00:00:00Z", "2023-13-01T00:00:00Z", "2023-01-01T24:00:00Z", "2023-01-01 00:00:00Z", ""]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert_eq!(Timestamp::from_unix_millis(1).to_string(), "1970-01-01T00:00:00.001Z");
    }
}
