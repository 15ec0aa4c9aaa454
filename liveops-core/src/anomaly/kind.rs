//! Detectors as rules configure them and records keep them: one configuration, many small states.

use super::amounts;
use super::detector::{Ewma, Robust, TimeFloor, ZScore};
use super::finite::{Prior, Threshold};
use super::stats::{DecayingStats, RunningStats};
use super::verdict::Verdict;
use crate::codec::Stable;

/// The configuration of a detector, the same for all players.
///
/// ```
/// use liveops_core::anomaly::{Action, DetectorKind, Prior, Threshold};
///
/// let kind = DetectorKind::Robust { threshold: Threshold::parse("6").unwrap(), prior: Some(Prior::DEFAULT) };
/// let mut state = kind.fresh();
/// assert_eq!(kind.score(&state, 250), None, "nothing to say");
/// kind.learn(&mut state, 250);
/// let verdict = kind.score(&state, 1_000_000_000).unwrap();
/// assert_eq!(verdict.with_action(Action::Hold).action, Action::Hold);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DetectorKind {
    /// See [`ZScore`].
    ZScore {
        /// In standard deviations.
        threshold: Threshold,
    },
    /// See [`Ewma`].
    Ewma {
        /// In standard deviations.
        threshold: Threshold,
        /// About how many values count; at least 10.
        span: u32,
    },
    /// See [`Robust`].
    Robust {
        /// In standard deviations of `ln(1 + x)`.
        threshold: Threshold,
        /// What to think of a player with no values yet; without it the first ones say what is usual.
        prior: Option<Prior>,
    },
    /// See [`TimeFloor`].
    TimeFloor {
        /// The shortest possible duration, in milliseconds.
        minimum_ms: u32,
    },
}

/// What a detector has learned of one player. At most 40 bytes in memory and 35 in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DetectorState {
    /// Of [`ZScore`].
    ZScore(RunningStats),
    /// Of [`Ewma`].
    Ewma(DecayingStats),
    /// Of [`Robust`] with a prior.
    Robust(DecayingStats),
    /// Of [`TimeFloor`]: nothing.
    TimeFloor,
    /// Of [`Robust`] without a prior.
    RobustOwn(DecayingStats),
}

impl DetectorKind {
    /// Nothing learned yet.
    pub fn fresh(&self) -> DetectorState {
        match self {
            Self::ZScore { .. } => DetectorState::ZScore(RunningStats::default()),
            Self::Ewma { .. } => DetectorState::Ewma(DecayingStats::default()),
            Self::Robust { prior, .. } => DetectorState::of_robust(prior.is_some(), DecayingStats::default()),
            Self::TimeFloor { .. } => DetectorState::TimeFloor,
        }
    }

    /// Whether a player's own amounts say what they are counted in.
    pub(crate) const fn knows_no_unit(&self) -> bool {
        matches!(self, Self::Robust { prior: None, .. })
    }

    /// The verdict on a value if it is an anomaly; its action is [`super::Action::Flag`] until
    /// [`Verdict::with_action`] says otherwise. The state of another kind counts as fresh.
    pub fn score(&self, state: &DetectorState, value: i64) -> Option<Verdict> {
        let value = float(value);
        let verdict = match *self {
            Self::ZScore { threshold } => ZScore { threshold, stats: state.z_score() }.score(value),
            Self::Ewma { threshold, span } => Ewma { threshold, span, stats: state.ewma() }.score(value),
            Self::Robust { threshold, prior } => {
                Robust { threshold, prior, stats: state.robust(prior.is_some()) }.score(value)
            }
            Self::TimeFloor { minimum_ms } => TimeFloor { minimum_ms }.score(value),
        };
        Some(verdict).filter(Verdict::is_anomaly)
    }

    /// Learns a value, clamped. The state of another kind is replaced by a fresh one first.
    pub fn learn(&self, state: &mut DetectorState, value: i64) {
        let value = float(value);
        *state = match *self {
            Self::ZScore { threshold } => {
                let mut detector = ZScore { threshold, stats: state.z_score() };
                detector.learn(value);
                DetectorState::ZScore(detector.stats)
            }
            Self::Ewma { threshold, span } => {
                let mut detector = Ewma { threshold, span, stats: state.ewma() };
                detector.learn(value);
                DetectorState::Ewma(detector.stats)
            }
            Self::Robust { threshold, prior } => {
                let mut detector = Robust { threshold, prior, stats: state.robust(prior.is_some()) };
                detector.learn(value);
                DetectorState::of_robust(prior.is_some(), detector.stats)
            }
            Self::TimeFloor { .. } => DetectorState::TimeFloor,
        };
    }
}

/// What each detector has learned; nothing, when the state is of another.
impl DetectorState {
    fn z_score(&self) -> RunningStats {
        if let Self::ZScore(stats) = self { *stats } else { RunningStats::default() }
    }

    fn ewma(&self) -> DecayingStats {
        if let Self::Ewma(stats) = self { *stats } else { DecayingStats::default() }
    }

    /// With a prior or without: what was learned the other way goes on by the other logarithm.
    fn robust(&self, has_prior: bool) -> DecayingStats {
        match self {
            Self::Robust(stats) => amounts::converted(stats, true, has_prior),
            Self::RobustOwn(stats) => amounts::converted(stats, false, has_prior),
            _ => DecayingStats::default(),
        }
    }

    const fn of_robust(has_prior: bool, stats: DecayingStats) -> Self {
        // Who has learned nothing is the same both ways, and stays what older programs can read.
        if has_prior || stats.n() == 0 { Self::Robust(stats) } else { Self::RobustOwn(stats) }
    }

    /// Whether records of the first versions cannot say it.
    pub(crate) const fn is_later(&self) -> bool {
        matches!(self, Self::RobustOwn(_))
    }
}

/// A byte for the detector, then what it has learned.
impl Stable for DetectorState {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::ZScore(stats) => {
                out.push(0);
                stats.put(out);
            }
            Self::Ewma(stats) => {
                out.push(1);
                stats.put(out);
            }
            Self::Robust(stats) => {
                out.push(2);
                stats.put(out);
            }
            Self::TimeFloor => out.push(3),
            Self::RobustOwn(stats) => {
                out.push(4);
                stats.put(out);
            }
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        match u8::take(from)? {
            0 => RunningStats::take(from).map(Self::ZScore),
            1 => DecayingStats::take(from).map(Self::Ewma),
            2 => DecayingStats::take(from).map(Self::Robust),
            3 => Some(Self::TimeFloor),
            4 => DecayingStats::take(from).map(Self::RobustOwn),
            _ => None,
        }
    }
}

/// Of the bytes of a detector alone.
const VERSION: u8 = 1;

macro_rules! bytes {
    ($($detector:ident)+) => {$(
        impl $detector {
            /// What it has learned, as stable bytes: a version, which detector, its statistics.
            pub fn to_bytes(&self) -> Vec<u8> {
                let mut out = vec![VERSION];
                DetectorState::$detector(self.stats).put(&mut out);
                out
            }

            /// The same detector with what [`Self::to_bytes`] kept; `None` for anything else, another detector's bytes too.
            #[must_use]
            pub fn with_bytes(self, bytes: &[u8]) -> Option<Self> {
                let mut rest = bytes.strip_prefix(&[VERSION])?;
                match DetectorState::take(&mut rest)? {
                    DetectorState::$detector(stats) if rest.is_empty() => Some(Self { stats, ..self }),
                    _ => None,
                }
            }
        }
    )+};
}
bytes!(ZScore Ewma);

impl Robust {
    /// What it has learned, as stable bytes: a version, whether about a prior, its statistics.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        DetectorState::of_robust(self.prior.is_some(), self.stats).put(&mut out);
        out
    }

    /// The same detector with what [`Self::to_bytes`] kept, with or without a prior; `None` for anything else, another
    /// detector's bytes too.
    #[must_use]
    pub fn with_bytes(self, bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&[VERSION])?;
        let state = DetectorState::take(&mut rest)?;
        let is_ours = matches!(state, DetectorState::Robust(_) | DetectorState::RobustOwn(_)) && rest.is_empty();
        is_ours.then(|| Self { stats: state.robust(self.prior.is_some()), ..self })
    }
}

impl TimeFloor {
    /// A version and which detector: there is nothing else to keep.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        DetectorState::TimeFloor.put(&mut out);
        out
    }

    /// The same floor; `None` for anything but [`Self::to_bytes`].
    #[must_use]
    pub fn with_bytes(self, bytes: &[u8]) -> Option<Self> {
        (bytes == self.to_bytes()).then_some(self)
    }
}

/// Exact for every integer a player can cause (±2^53); beyond, rounded alike everywhere.
#[expect(clippy::cast_precision_loss, reason = "see above")]
const fn float(value: i64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anomaly::{Reason, Source};

    fn kinds() -> [DetectorKind; 5] {
        let threshold = Threshold::parse("6").unwrap();
        [
            DetectorKind::ZScore { threshold },
            DetectorKind::Ewma { threshold, span: 20 },
            DetectorKind::Robust { threshold, prior: Some(Prior::DEFAULT) },
            DetectorKind::Robust { threshold, prior: None },
            DetectorKind::TimeFloor { minimum_ms: 45_000 },
        ]
    }

    #[test]
    fn a_state_does_as_the_detector_alone() {
        let (mut alone, mut fading) = (ZScore::new(6.0), Ewma::new(6.0, 20));
        let (mut log, mut own) = (Robust::new(6.0, Prior::DEFAULT), Robust::new(6.0, None));
        let mut hydra = TimeFloor { minimum_ms: 45_000 };
        let mut states = kinds().map(|kind| kind.fresh());
        for value in (0..200_i64).map(|i| if i % 50 == 49 { 1_000_000 } else { 100 + i * i % 41 }) {
            let verdicts = kinds().into_iter().zip(&mut states).map(|(kind, state)| {
                let verdict = kind.score(state, value);
                kind.learn(state, value);
                verdict
            });
            let verdicts: Vec<_> = verdicts.collect();
            let value = float(value);
            let first = [alone.observe(value), fading.observe(value), log.observe(value)];
            let wanted = [first[0], first[1], first[2], own.observe(value), hydra.observe(value)];
            assert_eq!(verdicts, wanted.map(|verdict| Some(verdict).filter(Verdict::is_anomaly)));
        }
        let wanted = [
            DetectorState::ZScore(alone.stats),
            DetectorState::Ewma(fading.stats),
            DetectorState::Robust(log.stats),
            DetectorState::RobustOwn(own.stats),
            DetectorState::TimeFloor,
        ];
        assert_eq!(states, wanted);
    }

    #[test]
    fn states_are_small_and_keep_their_bytes() {
        assert!(size_of::<DetectorState>() <= 40);
        for kind in kinds() {
            let mut state = kind.fresh();
            for value in [0, 5, -3, 1_000, i64::MAX, i64::MIN, 7] {
                let bytes = state.to_bytes();
                let mut rest = &bytes[..];
                assert_eq!(DetectorState::take(&mut rest), Some(state), "{kind:?}");
                assert!(rest.is_empty() && bytes.len() <= 35);
                for cut in 0..bytes.len() {
                    assert_eq!(DetectorState::take(&mut &bytes[..cut]), None, "{kind:?} cut at {cut}");
                }
                kind.learn(&mut state, value);
                kind.score(&state, value);
            }
        }
        assert_eq!(DetectorState::take(&mut &[5, 0, 0][..]), None);
        let golden = |values: &[i64]| {
            let [_, ewma, ..] = kinds();
            let mut state = ewma.fresh();
            for value in values {
                ewma.learn(&mut state, *value);
            }
            state.to_bytes()
        };
        assert_eq!(
            golden(&[3, 5]),
            [1, 2, 0x40, 0x10, 0, 0, 0, 0, 0, 0, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0],
            "mean 4, variance 1"
        );
    }

    #[test]
    fn a_detector_alone_goes_on_from_its_bytes_and_from_no_others() {
        let fresh = (ZScore::new(6.0), Ewma::new(6.0, 20), Robust::new(6.0, Prior::DEFAULT));
        assert_eq!(
            (size_of_val(&fresh.0.stats), size_of_val(&fresh.1.stats), size_of_val(&fresh.2.stats)),
            (32, 24, 24)
        );
        let mut alone = fresh;
        for value in (0..60_i64).map(|i| float(100 + i * i % 41)) {
            let bytes = (alone.0.to_bytes(), alone.1.to_bytes(), alone.2.to_bytes());
            assert_eq!(fresh.0.with_bytes(&bytes.0), Some(alone.0));
            assert_eq!(fresh.1.with_bytes(&bytes.1), Some(alone.1));
            assert_eq!(fresh.2.with_bytes(&bytes.2), Some(alone.2));
            assert!(bytes.0.len() <= 35 && bytes.1.len() <= 27 && bytes.2.len() <= 27);
            alone.0.learn(value);
            alone.1.learn(value);
            alone.2.learn(value);
        }
        let bytes = alone.1.to_bytes();
        assert_eq!((fresh.0.with_bytes(&bytes), fresh.2.with_bytes(&bytes)), (None, None), "another detector's");
        (0..bytes.len()).for_each(|cut| assert_eq!(fresh.1.with_bytes(&bytes[..cut]), None));
        assert_eq!(fresh.1.with_bytes(&[&[2], &bytes[1..]].concat()), None, "another version");
        assert_eq!(fresh.1.with_bytes(&[&bytes[..], &[0]].concat()), None);
        assert_eq!(fresh.1.with_bytes(&[1, 3]), None, "a floor's");
        let mut floor = TimeFloor { minimum_ms: 45_000 };
        floor.merge(&TimeFloor { minimum_ms: 1 }).unwrap();
        assert_eq!(floor.minimum_ms, 45_000, "configuration stays");
        assert_eq!(
            (floor.to_bytes(), floor.with_bytes(&[1, 3]), floor.with_bytes(&bytes)),
            (vec![1, 3], Some(floor), None)
        );
        assert_eq!(ZScore::new(6.0).to_bytes(), [&[1, 0, 0][..], &[0; 24]].concat());
    }

    #[test]
    fn a_state_of_another_kind_counts_as_fresh() {
        for kind in kinds() {
            for other in kinds() {
                let mut state = other.fresh();
                (0..20).for_each(|value| other.learn(&mut state, value));
                let both =
                    |state: &DetectorState| matches!(state, DetectorState::Robust(_) | DetectorState::RobustOwn(_));
                if std::mem::discriminant(&state) != std::mem::discriminant(&kind.fresh())
                    && !(both(&state) && both(&kind.fresh()))
                {
                    assert_eq!(kind.score(&state, 100), kind.score(&kind.fresh(), 100));
                    kind.learn(&mut state, 100);
                    let mut wanted = kind.fresh();
                    kind.learn(&mut wanted, 100);
                    assert_eq!(state, wanted);
                }
            }
        }
    }

    #[test]
    fn a_floor_judges_without_learning() {
        let [.., floor] = kinds();
        let verdict = floor.score(&floor.fresh(), 12_000).unwrap();
        assert_eq!(
            (verdict.score.get().to_bits(), verdict.threshold.get().to_bits()),
            (12e3_f64.to_bits(), 45e3_f64.to_bits())
        );
        assert_eq!((verdict.reason, verdict.baseline.source), (Reason::BelowFloor, Source::Rule));
        assert_eq!(floor.score(&floor.fresh(), 45_000), None);
    }
}
