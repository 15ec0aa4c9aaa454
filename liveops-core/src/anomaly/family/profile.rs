//! What the family keeps of a player.

use super::detectors::{FamilyDetector, SCORE_MAX, Scores};
use super::rhythm::Rhythm;
use super::{Float, Score, narrow};
use crate::anomaly::amounts::OWN_FROM;
use crate::codec::Stable;

/// Activities of which a player's own mean is kept; of the others the mean is guessed from these.
pub(super) const SLOTS: usize = 4;
/// Of what was learned beside a population that knows amounts, and without one.
const VERSIONS: [u8; 2] = [1, 2];
/// A slot of no activity.
const FREE: u8 = u8::MAX - 1;

/// What the whole family has learned of one player: 64 bytes in memory and 63 stored, however much there was to learn.
///
/// ```
/// use liveops_core::anomaly::PlayerProfile;
///
/// let profile = PlayerProfile::default();
/// assert_eq!(profile.to_bytes().len(), PlayerProfile::BYTES);
/// assert_eq!(PlayerProfile::from_bytes(&profile.to_bytes()), Some(profile));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlayerProfile {
    newest_ms: i64,
    usual_interval: Float,
    intervals: u8,
    /// A bit for each detector that has alerted and not yet calmed down.
    pub(super) alerted: u8,
    /// Whether the slots hold activities and means as a family without tables of amounts tells them: the player's own are all
    /// that there is.
    pub(super) is_own: bool,
    /// Of which activity, how many values (255 for more), and their mean.
    pub(super) slot_activity: [u8; SLOTS],
    pub(super) slot_n: [u8; SLOTS],
    pub(super) slot_mean: [Float; SLOTS],
    /// How far the last values lie above those means: a logarithm.
    pub(super) recent: Float,
    /// The same over more values.
    pub(super) lately: Float,
    pub(super) drops: [Float; 2],
    pub(super) robust: Score,
    pub(super) drift: Score,
    pub(super) floor: Score,
    pub(super) regularity: Score,
}

impl Default for PlayerProfile {
    fn default() -> Self {
        let zero = Float::default();
        Self {
            newest_ms: 0,
            usual_interval: zero,
            intervals: 0,
            alerted: 0,
            is_own: false,
            slot_activity: [FREE; SLOTS],
            slot_n: [0; SLOTS],
            slot_mean: [zero; SLOTS],
            recent: zero,
            lately: zero,
            drops: [zero; 2],
            robust: Score::default(),
            drift: Score::default(),
            floor: Score::default(),
            regularity: Score::default(),
        }
    }
}

impl PlayerProfile {
    /// How many bytes [`Self::to_bytes`] makes.
    pub const BYTES: usize = 63;

    /// What each detector has gathered against the player so far.
    pub fn scores(&self) -> Scores {
        let [one, other] = self.drops.map(Float::get);
        Scores([self.robust.get(), self.drift.get(), one.max(other), self.floor.get(), self.regularity.get()])
    }

    /// Whether a detector has alerted and not yet calmed down.
    pub fn is_alerted(&self, detector: FamilyDetector) -> bool {
        self.alerted & detector.bit() != 0
    }

    /// Whether records of the first versions cannot say it.
    pub(crate) const fn is_later(&self) -> bool {
        self.is_own
    }

    /// The stable bytes: a version, then all fields.
    pub fn to_bytes(&self) -> Vec<u8> {
        Stable::to_bytes(self)
    }

    /// From [`Self::to_bytes`]; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        Self::take(&mut rest).filter(|_| rest.is_empty())
    }

    /// Two accounts that turn out to be one player: means are pooled by the values they stand for, of what was gathered
    /// against them the larger counts, and of activities those with most values stay. Which is merged into which makes no
    /// difference beyond rounding.
    pub fn merge(&mut self, other: &Self) {
        // Means beside a population and means without one say different things: what a family without has learned stays.
        let is_own = self.is_own || other.is_own;
        let (mut ours, mut theirs) = (*self, *other);
        ours.set_own(is_own);
        theirs.set_own(is_own);
        let other = &theirs;
        *self = ours;
        let mut slots: Vec<(u8, u16, f64)> = Vec::with_capacity(2 * SLOTS);
        for (activity, n, mean) in self.slots().chain(other.slots()) {
            match slots.iter_mut().find(|slot| slot.0 == activity) {
                Some(slot) => {
                    let both = slot.1 + u16::from(n);
                    slot.2 += (mean - slot.2) * f64::from(n) / f64::from(both.max(1));
                    slot.1 = both;
                }
                None => slots.push((activity, u16::from(n), mean)),
            }
        }
        slots.sort_by_key(|(activity, n, _)| (u16::MAX - n, *activity));
        (self.slot_activity, self.slot_n) = ([FREE; SLOTS], [0; SLOTS]);
        self.slot_mean = [Float::default(); SLOTS];
        for (place, (activity, n, mean)) in slots.into_iter().take(SLOTS).enumerate() {
            self.slot_activity[place] = activity;
            self.slot_n[place] = u8::try_from(n).unwrap_or(u8::MAX);
            self.slot_mean[place] = narrow(mean);
        }
        let larger = |a: Float, b: Float| if b.0 > a.0 { b } else { a };
        if other.newest_ms > self.newest_ms {
            self.set_rhythm(other.rhythm());
        }
        self.alerted |= other.alerted;
        self.recent = larger(self.recent, other.recent);
        self.lately = larger(self.lately, other.lately);
        self.robust = self.robust.max(other.robust);
        self.drift = self.drift.max(other.drift);
        self.floor = self.floor.max(other.floor);
        self.regularity = self.regularity.max(other.regularity);
        self.drops = [larger(self.drops[0], other.drops[0]), larger(self.drops[1], other.drops[1])];
    }

    /// Goes on with a family with tables of amounts, or without. What was learned of amounts with the other sort speaks of other
    /// activities and another scale, and begins anew.
    pub(super) fn set_own(&mut self, is_own: bool) {
        if self.is_own != is_own {
            let Self { slot_activity, slot_n, slot_mean, recent, lately, drift, .. } = Self::default();
            *self = Self { is_own, slot_activity, slot_n, slot_mean, recent, lately, drift, ..*self };
        }
    }

    /// Its fields lie apart here, so that they leave no gap.
    pub(super) const fn rhythm(&self) -> Rhythm {
        Rhythm { newest_ms: self.newest_ms, usual: self.usual_interval, n: self.intervals }
    }

    pub(super) const fn set_rhythm(&mut self, rhythm: Rhythm) {
        (self.newest_ms, self.usual_interval, self.intervals) = (rhythm.newest_ms, rhythm.usual, rhythm.n);
    }

    /// Activity, values and mean of every slot in use.
    pub(super) fn slots(&self) -> impl Iterator<Item = (u8, u8, f64)> {
        let means = self.slot_mean.iter().map(|mean| mean.get());
        let all = self.slot_activity.iter().copied().zip(self.slot_n.iter().copied()).zip(means);
        all.map(|((activity, n), mean)| (activity, n, mean)).filter(|(activity, ..)| *activity != FREE)
    }

    /// The slot of an activity.
    pub(super) fn slot(&self, activity: u8) -> Option<usize> {
        self.slot_activity.iter().position(|known| *known == activity)
    }

    /// A slot for an activity that has none: a free one, or the least used as soon as others have come as often as it
    /// was (J. Misra and D. Gries, 1982). Where first values are learned unjudged, a slot beyond these is never given up: who
    /// lowers it with other activities would be unjudged in it again.
    pub(super) fn claim(&mut self, activity: u8) -> Option<usize> {
        let (place, n) = (0..SLOTS).map(|place| (place, self.slot_n[place])).min_by_key(|(_, n)| *n)?;
        if self.is_own && u64::from(n) >= OWN_FROM {
            return None;
        }
        if n > 0 {
            self.slot_n[place] = n - 1;
            return None;
        }
        self.slot_activity[place] = activity;
        self.slot_mean[place] = Float::default();
        Some(place)
    }
}

impl Stable for PlayerProfile {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(VERSIONS[usize::from(self.is_own)]);
        self.rhythm().put(out);
        out.push(self.alerted);
        out.extend(self.slot_activity);
        out.extend(self.slot_n);
        self.slot_mean.iter().chain([&self.recent, &self.lately]).chain(&self.drops).for_each(|float| float.put(out));
        for score in [self.robust, self.drift, self.floor, self.regularity] {
            score.put(out);
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let version = u8::take(from)?;
        let is_own = VERSIONS.iter().position(|known| *known == version)? == 1;
        let mut profile = Self { is_own, ..Self::default() };
        profile.set_rhythm(Stable::take(from)?);
        profile.alerted = u8::take(from)?;
        profile.slot_activity = Stable::take(from)?;
        profile.slot_n = Stable::take(from)?;
        let mut floats = [Float::default(); SLOTS + 4];
        floats.iter_mut().try_for_each(|float| Float::take(from).map(|taken| *float = taken))?;
        let [a, b, c, d, recent, lately, one, other] = floats;
        (profile.slot_mean, profile.drops) = ([a, b, c, d], [one, other]);
        (profile.recent, profile.lately) = (recent, lately);
        (profile.robust, profile.drift) = (Score::take(from)?, Score::take(from)?);
        (profile.floor, profile.regularity) = (Score::take(from)?, Score::take(from)?);
        let sound = [one, other].iter().all(|score| (0.0..=SCORE_MAX).contains(&score.get())) && profile.alerted < 32;
        sound.then_some(profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A profile with something in every field.
    fn full() -> PlayerProfile {
        let mut profile = PlayerProfile::default();
        profile.set_rhythm(Rhythm { newest_ms: 1_794_000_000_000, usual: narrow(10.25), n: 40 });
        profile.alerted = 0b1_0001;
        profile.slot_activity = [0, 3, 255, FREE];
        profile.slot_n = [255, 7, 2, 0];
        profile.slot_mean = [4.5, 6.0, -0.0, 0.0].map(narrow);
        (profile.recent, profile.lately) = (narrow(0.5), narrow(0.25));
        profile.drops = [1.5, 0.0].map(narrow);
        (profile.robust, profile.drift) = (Score::new(12.5), Score::new(100.0));
        (profile.floor, profile.regularity) = (Score::new(0.0), Score::new(3.0));
        profile
    }

    #[test]
    fn it_is_small_and_keeps_its_bytes() {
        assert_eq!(size_of::<PlayerProfile>(), 64);
        let bytes = full().to_bytes();
        let golden = [
            "01",                               // version
            "000001a1b2bb9400",                 // newest, in milliseconds
            "4124000028",                       // usual interval, and of how many
            "11",                               // alerted
            "0003fffeff070200",                 // activities, and of how many values
            "4090000040c000000000000000000000", // their means
            "3f0000003e800000",                 // recent, lately
            "3fc0000000000000",                 // drops
            "1900c80000000600",                 // robust, drift, floor, regularity
        ]
        .concat();
        assert_eq!(crate::hash::hex(&bytes), golden);
        assert_eq!(PlayerProfile::from_bytes(&bytes), Some(full()));
        for cut in 0..bytes.len() {
            assert_eq!(PlayerProfile::from_bytes(&bytes[..cut]), None, "{cut}");
        }
        for (at, bad) in [(0, 3), (14, 32), (39, 0x7f), (47, 0xbf), (55, 0xff)] {
            let mut broken = bytes.clone();
            broken[at] = bad;
            broken[(at + 1).min(62)] |= 0x80;
            assert_eq!(PlayerProfile::from_bytes(&broken), None, "byte {at}");
        }
        assert_eq!(PlayerProfile::from_bytes(&[&bytes[..], &[0]].concat()), None);
        // Without a population the version says so, and nothing else.
        let own = PlayerProfile { is_own: true, ..full() };
        assert_eq!(own.to_bytes(), [&[2], &bytes[1..]].concat());
        assert_eq!(PlayerProfile::from_bytes(&own.to_bytes()), Some(own));
        assert!(own.is_later() && !full().is_later());
    }

    #[test]
    fn what_was_learned_beside_a_population_says_nothing_without_one() {
        let mut profile = full();
        profile.set_own(false);
        assert_eq!(profile, full());
        profile.set_own(true);
        assert_eq!((profile.slots().count(), profile.recent, profile.robust), (0, narrow(0.0), full().robust));
        let (mut left, mut right) = (full(), profile);
        left.merge(&profile);
        right.merge(&full());
        assert_eq!((left.is_own, left.slots().count()), (true, 0));
        assert_eq!(left, right);
    }

    #[test]
    fn merging_pools_means_and_keeps_the_larger_suspicion() {
        let (one, mut other) = (full(), PlayerProfile::default());
        other.slot_activity = [3, 9, FREE, FREE];
        other.slot_n = [21, 1, 0, 0];
        other.slot_mean = [2.0, 1.0, 0.0, 0.0].map(narrow);
        other.robust = Score::new(20.0);
        other.regularity = Score::new(1.0);
        let (mut left, mut right) = (one, other);
        left.merge(&other);
        right.merge(&one);
        assert_eq!(left, right);
        assert_eq!((left.slot_activity, left.slot_n), ([0, 3, 255, 9], [255, 28, 2, 1]));
        assert_eq!(left.slot_mean[1], narrow(3.0), "seven of 6 and 21 of 2");
        assert_eq!((left.robust, left.regularity, left.drift), (other.robust, one.regularity, one.drift));
        assert_eq!(left.rhythm(), one.rhythm());
        let mut nothing = PlayerProfile::default();
        nothing.merge(&one);
        assert_eq!(nothing, one);
    }

    #[test]
    fn a_slot_goes_to_another_activity_only_when_its_own_is_done_less() {
        let mut profile = full();
        assert_eq!(profile.claim(8), Some(3), "free");
        profile.slot_n[3] = 9;
        assert_eq!([profile.claim(9), profile.claim(9)], [None, None], "seven, three of 255");
        assert_eq!((profile.claim(9), profile.slot(255)), (Some(2), None));
    }
}
