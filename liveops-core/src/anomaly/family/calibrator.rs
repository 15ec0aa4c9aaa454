//! Thresholds for as many false alerts as somebody has time for.

use super::curve::steps;
use super::detectors::{FamilyDetector, SCORE_MAX, Scores, Thresholds};
use crate::error::Code;

/// How many false alerts are affordable, over all detectors together.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Budget {
    /// Alerts per player and day on which the player was there.
    PerPlayerDay(f64),
    /// Alerts per event.
    PerEvent(f64),
    /// The part of the players who are ever flagged within so many events.
    PerPlayer {
        /// 0.003 is three of a thousand.
        part: f64,
        /// The length of play that it holds for, in events of one player: who plays longer is flagged more often. `None` for as many
        /// as the players of the history have on average.
        events: Option<u32>,
    },
}

/// The most of one player's history.
#[derive(Clone, Copy, Debug)]
struct Most {
    scores: [f64; 5],
    days: f64,
    events: f64,
}

/// Finds thresholds from history that has cheaters in it.
///
/// Of each player only the highest score of each detector counts, so nobody contributes more than once. The tail is
/// fitted to the players below the extreme, between one in twenty and one in a hundred, where cheaters are rare, and continued
/// exponentially, as the maxima of cumulative sums are distributed (S. Asmussen, Applied Probability and Queues, 2003, chapter XIII).
///
/// ```
/// use liveops_core::anomaly::{Budget, Calibrator, FamilyDetector, PlayerProfile};
///
/// let mut calibrator = Calibrator::new();
/// for _ in 0..500 {
///     let mut most = calibrator.player();
///     most.observe(&PlayerProfile::default().scores());
///     calibrator.add(most, 3);
/// }
/// let thresholds = calibrator.thresholds(Budget::PerPlayerDay(0.000_1))?;
/// assert!(thresholds.of(FamilyDetector::Robust) > 0.0);
/// # Ok::<(), liveops_core::error::Code>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Calibrator {
    players: Vec<Most>,
}

/// One player on the way through a [`Calibrator`].
#[derive(Clone, Copy, Debug, Default)]
pub struct PlayerMost {
    scores: [f64; 5],
    events: u64,
}

impl PlayerMost {
    /// What the scores were after another event.
    pub fn observe(&mut self, scores: &Scores) {
        self.events += 1;
        for (most, score) in self.scores.iter_mut().zip(scores.0) {
            *most = most.max(score);
        }
    }
}

impl Calibrator {
    /// Nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A player with no events yet.
    pub fn player(&self) -> PlayerMost {
        PlayerMost::default()
    }

    /// A player all of whose events were observed, and on how many days there were any.
    pub fn add(&mut self, player: PlayerMost, days: u32) {
        let PlayerMost { scores, events } = player;
        self.players.push(Most { scores, days: f64::from(days), events: super::count(events) });
    }

    /// Thresholds that spend the budget, each detector a fifth. `invalid_argument` for a budget that is not above 0,
    /// and with fewer than 200 players.
    pub fn thresholds(&self, budget: Budget) -> Result<Thresholds, Code> {
        let (rate, exposure): (f64, fn(&Most) -> f64) = match budget {
            Budget::PerPlayerDay(rate) => (rate, |most| most.days),
            Budget::PerEvent(rate) => (rate, |most| most.events),
            Budget::PerPlayer { part, events: None } => (part, |_| 1.0),
            // False alerts come by the event, at whatever pace.
            Budget::PerPlayer { part, events: Some(events) } => (part / f64::from(events), |most| most.events),
        };
        if !(rate > 0.0 && rate.is_finite()) || self.players.len() < PLAYERS_MIN {
            return Err(Code::InvalidArgument);
        }
        let exposures = self.players.iter().map(exposure).sum::<f64>() / steps(self.players.len());
        let part = (rate * exposures / 5.0).clamp(1e-9, 0.02);
        let mut thresholds = Thresholds::DEFAULT;
        for detector in FamilyDetector::ALL {
            let mut scores: Vec<f64> = self.players.iter().map(|most| most.scores[detector.place()]).collect();
            scores.sort_by(|a, b| b.total_cmp(a));
            thresholds.0[detector.place()] = tail(&scores, part).clamp(SCORE_MIN, SCORE_MAX);
        }
        Ok(thresholds)
    }
}

const PLAYERS_MIN: usize = 200;
/// Below this nothing is ever an anomaly.
const SCORE_MIN: f64 = 7.0;
/// Between these parts of the players the tail is fitted.
const FIT: (f64, f64) = (0.05, 0.01);

/// The value above which so small a part of what is sorted downwards would lie, without those who do not belong there.
fn tail(scores: &[f64], part: f64) -> f64 {
    let at = |part: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the scores")]
        let place = (part * steps(scores.len())) as usize;
        scores.get(place).copied().unwrap_or_default()
    };
    let (from, to) = (at(FIT.0), at(FIT.1));
    let scale = (to - from) / libm::log(FIT.0 / FIT.1);
    to + scale.max(0.2) * libm::log(FIT.1 / part)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Players whose highest scores are exponential with mean 2, by quantiles, and so many cheaters in a thousand.
    fn calibrator(cheaters: u32) -> Calibrator {
        let mut calibrator = Calibrator::new();
        for n in 0..5_000_u32 {
            let honest = -2.0 * libm::log((f64::from(n) + 0.5) / 5_000.0);
            let score = if n % 1_000 < cheaters { 90.0 } else { honest };
            let mut most = calibrator.player();
            for _ in 0..100 {
                most.observe(&Scores([score; 5]));
            }
            calibrator.add(most, 10);
        }
        calibrator
    }

    #[test]
    fn the_tail_is_continued_to_the_budget() {
        // A hundred events and ten days each: 1e-5 an event are 1e-4 a day and 1e-3 a player, a fifth of it for each.
        let wanted = -2.0 * (0.001_f64 / 5.0).ln();
        let of_player = |part, events| Budget::PerPlayer { part, events };
        for budget in [
            Budget::PerEvent(1e-5),
            Budget::PerPlayerDay(1e-4),
            of_player(1e-3, None),
            of_player(1e-3, Some(100)),
            of_player(1e-2, Some(1_000)),
        ] {
            let thresholds = calibrator(0).thresholds(budget).unwrap();
            for detector in FamilyDetector::ALL {
                let threshold = thresholds.of(detector);
                assert!((threshold - wanted).abs() < 0.3, "{detector:?}: {threshold}, not {wanted}");
            }
        }
    }

    #[test]
    fn cheaters_in_the_history_move_it_little() {
        let of = |cheaters| calibrator(cheaters).thresholds(Budget::PerEvent(1e-5)).unwrap().of(FamilyDetector::Robust);
        // By their plain quantile the threshold would be 90.
        assert!(of(2) >= of(0) && of(2) < of(0) + 3.0, "{} and {}", of(0), of(2));
    }

    #[test]
    fn budgets_and_histories_that_are_none_are_refused() {
        let never = Budget::PerPlayer { part: 0.003, events: Some(0) };
        assert_eq!(calibrator(0).thresholds(never), Err(Code::InvalidArgument));
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(calibrator(0).thresholds(Budget::PerEvent(bad)), Err(Code::InvalidArgument), "{bad}");
        }
        assert_eq!(Calibrator::new().thresholds(Budget::PerEvent(1e-5)), Err(Code::InvalidArgument));
        let least = calibrator(0).thresholds(Budget::PerEvent(1.0)).unwrap();
        assert!(FamilyDetector::ALL.iter().all(|detector| least.of(*detector) >= SCORE_MIN));
    }
}
