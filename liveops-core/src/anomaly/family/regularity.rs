//! Intervals as regular as a program's, of one player alone.

use std::sync::Arc;

use super::Score;
use super::population::{Population, RhythmTable};
use super::rhythm::{Beat, Rhythm};
use crate::anomaly::finite::Threshold;
use crate::anomaly::verdict::{Baseline, Direction, Reason, Source, Verdict};
use crate::codec::Stable;
use crate::time::Timestamp;

const VERSION: u8 = 1;
/// Likelihoods between two intervals are added up in steps of this size at most: a logarithm.
const STEP: f64 = 1.0 / 16.0;

/// Whether the time between a player's events is more regular than people are: a cumulative sum (E. S. Page, 1954) of
/// the logarithm of how much likelier each interval is from a program than from the population's players.
///
/// A program acts at an interval of its own, exactly or with some jitter (up to about 0.4 of what people's intervals
/// spread by), and hardly ever takes a break; people speed up, slow down and go for tea. Breaks of more than half an hour
/// speak for a person. Time is counted in whole seconds, whatever the clock, as events tell it: what comes within one is one act,
/// short intervals are compared as what they may have been, and nobody is judged whose usual interval is below 1.75 s, where
/// everybody who is busy seems to act by the second. So people are flagged equally seldom at whatever pace, and programs are
/// found from two seconds on. It cannot see a program that replays a recorded person, and it says nothing of who acts once a
/// day. 13 bytes of rhythm and 2 of score.
///
/// ```
/// use liveops_core::Timestamp;
/// use liveops_core::anomaly::{Population, Regularity};
///
/// let mut clock = Regularity::new(16.0, &Population::default());
/// let bot = (0..100).find(|n| clock.observe(Timestamp::from_unix_seconds(1_794_000_000 + n * 30)).is_anomaly());
/// assert!(bot.is_some_and(|n| n < 25));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regularity {
    threshold: Threshold,
    people: Arc<RhythmTable>,
    rhythm: Rhythm,
    sum: Score,
}

impl Regularity {
    /// Against the intervals of a population, with a threshold in natural logarithms, below 100. One that
    /// [`Threshold::new`] refuses becomes [`Threshold::DEFAULT`].
    pub fn new(threshold: f64, population: &Population) -> Self {
        let threshold = Threshold::new(threshold).unwrap_or(Threshold::DEFAULT);
        let people = Arc::new(population.rhythm.clone());
        Self { threshold, people, rhythm: Rhythm::default(), sum: Score::default() }
    }

    /// The verdict on an event at this time. One out of order tells nothing.
    pub fn score(&self, at: Timestamp) -> Verdict {
        let (mut rhythm, mut sum) = (self.rhythm, self.sum);
        let beat = beat(&mut rhythm, &mut sum, &self.people, at);
        let n = u64::from(self.rhythm.n);
        let baseline = Baseline::new(n, self.rhythm.usual.get(), 0.0, Source::Player);
        let reason = if sum.get() > self.threshold.get() { Reason::TooRegular } else { Reason::Usual };
        let direction = if matches!(beat, Beat::Off(off) | Beat::Within(_, _, off) if off < 0.0) {
            Direction::Low
        } else {
            Direction::High
        };
        Verdict::new(sum.get(), self.threshold, direction, reason, baseline)
    }

    /// Learns when an event was.
    pub fn learn(&mut self, at: Timestamp) {
        beat(&mut self.rhythm, &mut self.sum, &self.people, at);
    }

    /// Scores an event, then learns it.
    pub fn observe(&mut self, at: Timestamp) -> Verdict {
        let verdict = self.score(at);
        self.learn(at);
        verdict
    }

    /// Takes in what was gathered of the same player elsewhere: the rhythm of where the player was last, and the larger
    /// sum.
    pub fn merge(&mut self, other: &Self) {
        if other.rhythm.newest_ms > self.rhythm.newest_ms {
            self.rhythm = other.rhythm;
        }
        self.sum = self.sum.max(other.sum);
    }

    /// What it has learned, as stable bytes: a version, the newest time, the logarithm of the usual interval, of how many
    /// intervals, the sum; 16 in all.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        self.rhythm.put(&mut out);
        self.sum.put(&mut out);
        out
    }

    /// The same detector with what [`Self::to_bytes`] kept; `None` for anything else.
    #[must_use]
    pub fn with_bytes(self, bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&[VERSION])?;
        let restored = Self { rhythm: Stable::take(&mut rest)?, sum: Stable::take(&mut rest)?, ..self };
        rest.is_empty().then_some(restored)
    }
}

impl RhythmTable {
    /// How much likelier an interval between two is from a program, as a logarithm: the mean of the likelihoods in between, as
    /// people's intervals lie there about as densely everywhere.
    fn between(&self, least: f64, most: f64) -> f64 {
        let parts = libm::ceil((most - least) / STEP).clamp(1.0, 64.0);
        let width = (most - least) / parts;
        let mut sum = 0.0;
        let mut at = least + width / 2.0;
        while at < most {
            sum += libm::exp(self.ratio.at(at));
            at += width;
        }
        libm::log(sum / parts)
    }
}

/// Moves rhythm and sum on by an event.
pub(super) fn beat(rhythm: &mut Rhythm, sum: &mut Score, people: &RhythmTable, at: Timestamp) -> Beat {
    let beat = rhythm.beat(at.as_unix_millis());
    let step = match beat {
        Beat::None => return beat,
        Beat::Break => people.pause.get(),
        Beat::Off(off) => people.ratio.at(off),
        Beat::Within(least, most, _) => people.between(least, most),
    };
    *sum = Score::new(sum.get() + step);
    beat
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anomaly::stats::count;

    /// When the sum first exceeds 16 among a thousand events at these intervals, in seconds.
    fn found(mut interval: impl FnMut(u32) -> i64) -> Option<u32> {
        let mut clock = Regularity::new(16.0, &Population::default());
        let mut at = 1_794_000_000;
        (0..1_000).find(|n| {
            at += interval(*n);
            let time = Timestamp::from_unix_seconds(at);
            assert_eq!(clock.score(time), clock.clone().observe(time));
            clock.observe(time).is_anomaly()
        })
    }

    #[test]
    fn programs_are_found_and_people_are_not() {
        let mut state = 5_u64;
        let mut part = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            count(state >> 11) / count(1 << 53)
        };
        let mut around = |mean: f64, spread: f64| {
            let normal = (0..12).map(|_| part()).sum::<f64>() - 6.0;
            #[expect(clippy::cast_possible_truncation, reason = "some minutes")]
            let seconds = (mean * libm::exp(spread * normal)) as i64;
            seconds.max(1)
        };
        for mean in [20.0, 90.0] {
            assert!(found(|_| around(mean, 0.0)).is_some_and(|n| n < 30));
            assert!(found(|_| around(mean, 0.1)).is_some_and(|n| n < 60));
            assert!(found(|n| if n % 50 == 49 { 40_000 } else { around(mean, 0.15) }).is_some(), "with breaks");
            assert_eq!(found(|n| if n % 30 == 29 { 40_000 } else { around(mean, 0.8) }), None, "a person");
        }
        assert_eq!(found(|_| 86_400), None, "once a day");
        assert_eq!(found(|_| 0), None, "all at once");
        assert_eq!(found(|_| -5), None, "backwards");
    }

    #[test]
    fn it_is_restored_at_any_event_and_merges() {
        let empty = Regularity::new(16.0, &Population::default());
        let mut clock = empty.clone();
        for n in 0..50 {
            assert_eq!(empty.clone().with_bytes(&clock.to_bytes()), Some(clock.clone()));
            clock.observe(Timestamp::from_unix_seconds(1_794_000_000 + n * 20));
        }
        let bytes = clock.to_bytes();
        assert_eq!(bytes.len(), 16);
        assert_eq!(bytes[..9], [1, 0, 0, 1, 0xa1, 0xb2, 0xca, 0x88, 0x20], "the time of the last");
        (0..16).for_each(|cut| assert_eq!(empty.clone().with_bytes(&bytes[..cut]), None));
        assert_eq!(empty.clone().with_bytes(&[&[2], &bytes[1..]].concat()), None);
        let mut merged = empty.clone();
        merged.merge(&clock);
        assert_eq!(merged, clock);
        merged.merge(&empty);
        assert_eq!(merged, clock);
    }
}
