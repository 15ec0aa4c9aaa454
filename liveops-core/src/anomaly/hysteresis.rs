//! One excursion, one alert.

use super::verdict::{Direction, Reason, Verdict};

/// Turns the verdicts of a detector into alerts: the first of an excursion alerts, and no other does until the score has
/// fallen to half the threshold (until the floor is kept again, for a floor).
///
/// ```
/// use liveops_core::anomaly::{Hysteresis, Prior, Robust};
///
/// let (mut xp, mut alerts) = (Robust::new(6.0, Prior::DEFAULT), Hysteresis::default());
/// assert!(alerts.is_first(&xp.observe(5_000_000.0)));
/// assert!(!alerts.is_first(&xp.observe(9_000_000.0)), "the same excursion");
/// assert!(!alerts.is_first(&xp.observe(100.0)), "over");
/// assert!(alerts.is_first(&xp.observe(5_000_000.0)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hysteresis {
    raised: bool,
}

impl Hysteresis {
    /// Whether this verdict begins an excursion.
    pub fn is_first(&mut self, verdict: &Verdict) -> bool {
        if verdict.is_anomaly() {
            return !std::mem::replace(&mut self.raised, true);
        }
        let floor = verdict.baseline.source == super::Source::Rule && verdict.direction == Direction::High;
        if floor || verdict.reason == Reason::Usual && verdict.score.get() <= verdict.threshold.get() / 2.0 {
            self.raised = false;
        }
        false
    }

    /// Whether an excursion is going on.
    pub const fn is_raised(self) -> bool {
        self.raised
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anomaly::{TimeFloor, ZScore};

    #[test]
    fn between_half_and_whole_nothing_changes() {
        let mut detector = ZScore::new(4.0);
        (0..100_u32).for_each(|n| detector.learn(f64::from(n % 2) * 2.0));
        let (mean, sd) = (detector.score(0.0).baseline.mean.get(), detector.score(0.0).baseline.sd.get());
        let mut alerts = Hysteresis::default();
        let steps: Vec<_> = [3.0, 5.0, 3.0, 5.0, 1.9, 3.0, 5.0, 1.0]
            .into_iter()
            .map(|deviations| (alerts.is_first(&detector.score(mean + deviations * sd)), alerts.is_raised()))
            .collect();
        let wanted = [
            (false, false),
            (true, true),
            (false, true),
            (false, true),
            (false, false),
            (false, false),
            (true, true),
            (false, false),
        ];
        assert_eq!(steps, wanted);
    }

    #[test]
    fn a_floor_that_is_kept_ends_it() {
        let (floor, mut alerts) = (TimeFloor { minimum_ms: 45_000 }, Hysteresis::default());
        let firsts = [1_000.0, 44_999.0, 45_000.0, 44_999.0].map(|ms| alerts.is_first(&floor.score(ms)));
        assert_eq!(firsts, [true, false, false, true]);
    }
}
