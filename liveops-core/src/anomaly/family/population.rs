//! What is known of all players: tables as data, with a hash.

use super::curve::Curve;
use super::observation::{ActivityIndex, BossIndex};
use super::{Float, narrow};
use crate::codec::{Seal, Stable};
use crate::error::StoreErrorKind;
use crate::hash::Digest;
use crate::id::Id;
use crate::limits::ACTIVITIES_MAX;

const SEAL: Seal = Seal { head: b"liveops populat\0", version: 1 };

/// How much an activity brings, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ActivityTable {
    /// The median player's mean of `ln(1 + x)`.
    pub(super) mean: Float,
    /// Spread of one player's values.
    pub(super) spread: Float,
    /// Spread of the players' means.
    pub(super) between: Float,
    /// How far above their long mean players' last values come to lie: half of what one in fifty has had at some time.
    pub(super) drift: Float,
    /// `-ln P(a value lies so many spreads above its player's mean)`.
    pub(super) upper: Curve,
}

/// How fast a boss is killed by the fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BossTable {
    /// Logarithm of the milliseconds below which hardly a player has come.
    pub(super) edge: Float,
    /// By how much it is less likely, as a logarithm, per logarithm of time below.
    pub(super) slope: Float,
}

/// How regular players act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RhythmTable {
    /// Logarithm of how much likelier an interval is from a program than from a person, by how far it is off.
    pub(super) ratio: Curve,
    /// The same for a break.
    pub(super) pause: Float,
}

/// Tables of a game's players: what each activity brings, how fast each boss falls, how regular people act.
///
/// Built from history by a [`super::PopulationBuilder`], kept as bytes, and named by a hash. [`Population::default`]
/// stands in where there is no history: it knows no activity by name and is wide.
///
/// ```
/// use liveops_core::anomaly::Population;
///
/// let unknown = Population::default();
/// let bytes = unknown.to_bytes();
/// assert_eq!(Population::from_bytes(&bytes).unwrap().hash(), unknown.hash());
/// assert!(Population::from_bytes(&bytes[1..]).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Population {
    /// By name, in order.
    pub(super) activities: Vec<(Id, ActivityTable)>,
    /// What is thought of any other.
    pub(super) other: ActivityTable,
    /// By name, in order.
    pub(super) bosses: Vec<(Id, BossTable)>,
    pub(super) rhythm: RhythmTable,
}

impl Population {
    /// The place of an activity; all that are not in the tables share one.
    pub fn activity(&self, name: &str) -> ActivityIndex {
        let place = self.activities.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok();
        ActivityIndex(place.and_then(|place| u8::try_from(place).ok()).unwrap_or(Self::OTHER))
    }

    /// Of how many activities there are tables.
    pub fn activities(&self) -> impl ExactSizeIterator<Item = &str> {
        self.activities.iter().map(|(name, _)| name.as_str())
    }

    /// Whether it knows what amounts are usual. Without, nobody knows what they are counted in.
    pub(super) fn knows_amounts(&self) -> bool {
        !self.activities.is_empty() || self.other != ActivityTable::default()
    }

    /// The bosses there are tables of.
    pub fn bosses(&self) -> impl ExactSizeIterator<Item = &str> {
        self.bosses.iter().map(|(name, _)| name.as_str())
    }

    /// The bytes to keep: sealed with their SHA-256.
    pub fn to_bytes(&self) -> Vec<u8> {
        SEAL.close(|out| self.put(out))
    }

    /// From [`Self::to_bytes`]. [`StoreErrorKind::TooNew`] for bytes of a later version, [`StoreErrorKind::Corrupt`]
    /// for any others.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoreErrorKind> {
        let mut content = SEAL.open(bytes)?;
        let population = Self::take(&mut content).filter(|_| content.is_empty());
        population.ok_or(StoreErrorKind::Corrupt)
    }

    /// What names these tables: the SHA-256 of their bytes.
    pub fn hash(&self) -> Digest {
        Seal::name(&self.to_bytes())
    }

    pub(super) const OTHER: u8 = u8::MAX;

    pub(super) fn gain_table(&self, activity: ActivityIndex) -> &ActivityTable {
        self.activities.get(usize::from(activity.0)).map_or(&self.other, |(_, table)| table)
    }

    pub(super) fn boss_table(&self, name: &str) -> Option<&BossTable> {
        let place = self.bosses.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok()?;
        self.bosses.get(place).map(|(_, table)| table)
    }
}

impl BossTable {
    /// `-ln P(a player's fastest kill is at most so long)`; 0 above the edge.
    pub(super) fn surprise(self, duration_ms: u32) -> f64 {
        let below = self.edge.get() - libm::log(f64::from(duration_ms.max(1)));
        if below > 0.0 { Self::AT_EDGE + below * self.slope.get() } else { 0.0 }
    }

    /// A duration somewhat above the edge, in milliseconds: from here on nothing is surprising.
    pub(super) fn slow_ms(self) -> u32 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        let slow_ms = libm::exp(self.edge.get() + 0.01) as u32;
        slow_ms.saturating_add(1)
    }

    /// One player in fifty has been faster than the edge.
    pub(super) const AT_EDGE: f64 = 3.912;
}

/// Of a distribution with tails heavier than a normal one, for want of history.
pub(super) fn usual_upper() -> Curve {
    Curve::new(0.0, 0.5, 2.0, (0..=8_u32).map(|step| f64::from(step) / 2.0).map(|x| 0.69 + 1.15 * x + 0.2 * x * x))
}

/// Wide: around 100, two thirds of the players between 30 and 330, of a player's values within a factor of e.
impl Default for ActivityTable {
    fn default() -> Self {
        let [mean, spread, between, drift] = [4.6, 1.0, 1.2, 0.5].map(narrow);
        Self { mean, spread, between, drift, upper: usual_upper() }
    }
}

/// Of people whose intervals vary by a factor of two, and who take a break after twenty events.
impl Default for RhythmTable {
    fn default() -> Self {
        super::history::rhythm_table(&super::history::usual_rhythm(), 20.0, 1.0)
    }
}

impl Default for Population {
    fn default() -> Self {
        let (other, rhythm) = (ActivityTable::default(), RhythmTable::default());
        Self { activities: Vec::new(), other, bosses: Vec::new(), rhythm }
    }
}

impl Stable for ActivityTable {
    fn put(&self, out: &mut Vec<u8>) {
        for float in [self.mean, self.spread, self.between, self.drift] {
            float.put(out);
        }
        self.upper.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let [mean, spread, between, drift] =
            [Float::take(from)?, Float::take(from)?, Float::take(from)?, Float::take(from)?];
        let table = Self { mean, spread, between, drift, upper: Curve::take(from)? };
        (spread.0 > 0.0 && between.0 > 0.0 && drift.0 > 0.0).then_some(table)
    }
}

impl Stable for BossTable {
    fn put(&self, out: &mut Vec<u8>) {
        self.edge.put(out);
        self.slope.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(Self { edge: Float::take(from)?, slope: Float::take(from)? }).filter(|table| table.slope.0 > 0.0)
    }
}

impl Stable for RhythmTable {
    fn put(&self, out: &mut Vec<u8>) {
        self.ratio.put(out);
        self.pause.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(Self { ratio: Curve::take(from)?, pause: Float::take(from)? })
    }
}

impl Stable for Population {
    fn put(&self, out: &mut Vec<u8>) {
        self.activities.put(out);
        self.other.put(out);
        self.bosses.put(out);
        self.rhythm.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let activities = Vec::<(Id, ActivityTable)>::take(from)?;
        let other = ActivityTable::take(from)?;
        let bosses = Vec::<(Id, BossTable)>::take(from)?;
        let sorted = activities.is_sorted_by(|a, b| a.0 < b.0) && bosses.is_sorted_by(|a, b| a.0 < b.0);
        let few = activities.len() <= ACTIVITIES_MAX && bosses.len() <= super::history::BOSSES_MAX;
        let rhythm = RhythmTable::take(from)?;
        (sorted && few).then_some(Self { activities, other, bosses, rhythm })
    }
}

/// The place of a boss among those of a family.
pub(super) fn boss_place(names: &[Id], name: &str) -> Option<BossIndex> {
    names.iter().position(|known| known.as_str() == name).and_then(|place| u8::try_from(place).ok()).map(BossIndex)
}
