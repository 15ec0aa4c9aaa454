//! When things happen: eleven days with quiet nights and busy evenings, as UTC+9 has them.

/// 2026-10-30T06:00:00Z, a Friday afternoon in UTC+9.
const START_MS: i64 = 1_793_340_000_000;
const DAYS: u64 = 11;
/// Nothing is received from here on.
pub(super) const END_MS: i64 = START_MS + DAYS.cast_signed() * DAY_MS;
/// The last session begins so long before the end.
const LAST_SESSION_MS: i64 = 1_800_000;

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: u64 = 3_600_000;
/// 05:00 in UTC+9: days, weeks, months and seasons begin at this time of the UTC day.
const RESET_MS: i64 = 20 * 3_600_000;

/// How busy each hour is, from the start's hour on.
const BUSY: [u64; 24] = [5, 6, 7, 9, 12, 14, 14, 12, 9, 6, 4, 3, 2, 2, 3, 4, 5, 6, 6, 6, 6, 6, 5, 5];
const BUSY_DAY: u64 = 157;

/// When the session is that begins after `planned` of `events` lines: later for every line, and before [`END_MS`].
pub(super) fn at(planned: u64, events: u64) -> i64 {
    let busy = u128::from(planned.min(events)) * u128::from(DAYS * BUSY_DAY * HOUR_MS) / u128::from(events.max(1));
    // At most DAYS * BUSY_DAY * HOUR_MS.
    let busy = u64::try_from(busy).unwrap_or_default();
    let (day, mut rest) = (busy / (BUSY_DAY * HOUR_MS), busy % (BUSY_DAY * HOUR_MS));
    let mut past = day * 24 * HOUR_MS;
    for hour in BUSY {
        if rest < hour * HOUR_MS {
            past += rest / hour;
            break;
        }
        rest -= hour * HOUR_MS;
        past += HOUR_MS;
    }
    START_MS.saturating_add_unsigned(past).min(END_MS - LAST_SESSION_MS)
}

/// The daily reset before a time, but one whose hour of grace is over.
pub(super) const fn closed_reset(at_ms: i64) -> i64 {
    let hour = HOUR_MS.cast_signed();
    (at_ms - hour - RESET_MS).div_euclid(DAY_MS) * DAY_MS + RESET_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use liveops_core::Timestamp;

    #[test]
    fn time_only_goes_forward() {
        assert_eq!(BUSY.iter().sum::<u64>(), BUSY_DAY);
        assert_eq!(Timestamp::from_unix_millis(START_MS).to_string(), "2026-10-30T06:00:00Z");
        let times: Vec<_> = (0..=10_000).map(|n| at(n, 10_000)).collect();
        assert_eq!(times[0], START_MS);
        assert!(times.is_sorted() && times[10_000] < END_MS);
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] < 10 * 60_000), "no hour is empty");
    }

    #[test]
    fn a_closed_reset_is_one_to_twenty_five_hours_ago() {
        for at in (START_MS..END_MS).step_by(777_777) {
            let ago = at - closed_reset(at);
            assert!((3_600_000..DAY_MS + 3_600_000).contains(&ago), "{ago}");
        }
    }
}
