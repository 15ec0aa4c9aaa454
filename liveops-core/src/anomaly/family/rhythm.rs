//! The time from one event of a player to the next.

use super::{Float, narrow};
use crate::codec::Stable;

/// Longer is a break between sessions, in milliseconds: half an hour.
pub(super) const BREAK_MS: i64 = 30 * 60 * 1_000;
/// What a rhythm is timed in, whatever the clock: a second. Events say no less, and what comes within one is one act.
const TICK_MS: i64 = 1_000;
/// The shortest usual interval at which a rhythm is judged, as a logarithm of milliseconds: 1.75 s. Below, whoever is busy acts
/// in every second or in every other, and cannot be told from a program.
const RESOLVED: f64 = 7.467_371;
/// From this interval on a second more or less makes no difference, in milliseconds.
const COARSE_MS: i64 = 16_000;
/// The part of the way that one interval moves the usual one at least.
const RATE: f64 = 1.0 / 16.0;
/// And how far it is taken to lie at most: a logarithm.
const REACH: f64 = 0.5;
/// Intervals until there is a usual one.
const WARM_UP: u8 = 3;
/// What is left of their number after a break: another evening may be another activity.
const AFTER_BREAK: u8 = 6;

/// A player's usual interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rhythm {
    /// Milliseconds since 1970 of the newest event; 0 before the first.
    pub(super) newest_ms: i64,
    /// Logarithm of the usual interval in milliseconds.
    pub(super) usual: Float,
    /// Intervals learned from, 255 for more.
    pub(super) n: u8,
}

/// What an interval was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Beat {
    /// The first event, one out of order, one of the same act, or too few to tell.
    None,
    /// A session has ended and another begun.
    Break,
    /// Logarithm of how many times as long as usual.
    Off(f64),
    /// The same of an interval of few seconds: between which two it lies, and what the clock says.
    Within(f64, f64, f64),
}

impl Rhythm {
    /// What the event at this time tells, learning from it.
    pub(super) fn beat(&mut self, at_ms: i64) -> Beat {
        let gap = at_ms.saturating_sub(self.newest_ms);
        if self.newest_ms == 0 {
            self.newest_ms = at_ms;
            return Beat::None;
        }
        if gap < TICK_MS {
            return Beat::None;
        }
        let seconds = at_ms.div_euclid(TICK_MS) - self.newest_ms.div_euclid(TICK_MS);
        self.newest_ms = at_ms;
        if gap > BREAK_MS {
            self.n = self.n.min(AFTER_BREAK);
            return Beat::Break;
        }
        let gap = seconds * TICK_MS;
        #[expect(clippy::cast_precision_loss, reason = "at most half an hour")]
        let logarithm = libm::log(gap as f64);
        let n = f64::from(self.n);
        let before = self.usual.get();
        let off = if self.n == 0 { 0.0 } else { logarithm - self.usual.get() };
        let usual = if self.n == 0 {
            logarithm
        } else {
            let reach = if self.n < AFTER_BREAK { 2.0 } else { REACH };
            self.usual.get() + off.max(-reach).min(reach) * (1.0 / (n + 1.0)).max(RATE)
        };
        self.usual = narrow(usual);
        let judged = self.n >= WARM_UP && before >= RESOLVED;
        self.n = self.n.saturating_add(1);
        match gap {
            _ if !judged => Beat::None,
            ..COARSE_MS => within(gap, off),
            _ => Beat::Off(off),
        }
    }
}

/// Both ends of an interval were cut off to a second: it may have been about half a second more or less.
#[expect(clippy::cast_precision_loss, reason = "some seconds")]
fn within(gap_ms: i64, off: f64) -> Beat {
    let part = 0.5 * TICK_MS as f64 / gap_ms as f64;
    Beat::Within(off + libm::log1p(-part), off + libm::log1p(part), off)
}

impl Stable for Rhythm {
    fn put(&self, out: &mut Vec<u8>) {
        self.newest_ms.to_be_bytes().put(out);
        self.usual.put(out);
        self.n.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let newest_ms = i64::from_be_bytes(Stable::take(from)?);
        Some(Self { newest_ms, usual: Float::take(from)?, n: u8::take(from)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rhythm_is_found_and_what_is_none_is_left_out() {
        let mut rhythm = Rhythm::default();
        assert_eq!(rhythm.beat(1_000_000), Beat::None, "the first");
        assert_eq!(rhythm.beat(1_000_500), Beat::None, "the same act");
        assert_eq!(rhythm.beat(900_000), Beat::None, "out of order");
        for n in 1..=3 {
            assert_eq!(rhythm.beat(1_000_000 + n * 20_000), Beat::None, "too few");
        }
        let Beat::Off(off) = rhythm.beat(1_080_000) else { panic!("four are enough") };
        assert!(off.abs() < 1e-6);
        let Beat::Off(twice) = rhythm.beat(1_120_000) else { panic!("still known") };
        assert!((twice - 2_f64.ln()).abs() < 1e-6, "{twice}");
        assert_eq!(rhythm.beat(1_120_000 + BREAK_MS + 1_000), Beat::Break);
        assert_eq!(Rhythm::take(&mut &rhythm.to_bytes()[..]), Some(rhythm));
    }
}
