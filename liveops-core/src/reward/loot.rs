//! Loot tables: published odds that are exact, and rolls that anyone can check once the seed is revealed.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::long_run::Renewals;
use super::{ExpectedRolls, Item, Receipt, RollProof};
use crate::codec::{Stable, fields};
use crate::error::{Code, Error};
use crate::exact::Rate;
use crate::hash::Digest;
use crate::id::{Id, PlayerId};
use crate::limits::{INTEGER_MAX, ITEMS_MAX, LOOT_ENTRIES_MAX, PITY_ROLLS_MAX};

/// Begins the message of every draw, so that the same seed used elsewhere gives nothing away.
const DRAW_DOMAIN: &[u8] = b"liveops/roll/v1\0";
const SEED_DOMAIN: &[u8] = b"liveops/seed/v1\0";
/// Block of SHA-256 in bytes; HMAC fills a shorter key up with zeros.
const BLOCK_BYTES: usize = 64;

/// A weighted table. A roll gives one entry's items and all the guaranteed ones.
///
/// The seed stays secret; its [`seed_commitment`] is published before the first roll. When the seed is revealed, for
/// example at the end of a season, anyone can repeat every roll.
///
/// ```
/// use liveops_core::reward::{Entry, Loot, Pity, seed_commitment};
/// use liveops_core::{Id, PlayerId};
///
/// let [crown, scale] = [("crown", 1), ("scale", 99)]
///     .map(|(name, weight)| Entry { name: Id::new(name).unwrap(), weight, items: vec![] });
/// let pity = Pity { entry: crown.name.clone(), guaranteed_at: 50 };
/// let loot = Loot::new(vec![crown, scale], vec![], Some(pity))?;
///
/// let (seed, table, ana) = ([7; 32], Id::new("hydra-chest")?, PlayerId::new("ana")?);
/// let roll = loot.roll(&seed, &table, &ana, 12, 49);
/// assert_eq!((roll.entry.as_str(), roll.misses_after), ("crown", 0), "the 50th without a crown");
/// assert!(loot.verify_roll(&seed, seed_commitment(&seed), &table, &ana, 49, &roll));
/// # Ok::<(), liveops_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loot {
    /// Sorted by name; never empty.
    entries: Vec<Entry>,
    /// Sum of the weights up to and with each entry.
    upper_bounds: Vec<u64>,
    /// Sum of all weights: 1 to `INTEGER_MAX`.
    total: u64,
    guaranteed: Vec<Item>,
    pity: Option<Pity>,
}

/// One possible outcome of a roll.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its name, unique in the table.
    pub name: Id,
    /// How likely it is, in parts of the sum of all weights: at least 1.
    pub weight: u64,
    /// What it gives; may be nothing.
    pub items: Vec<Item>,
}

/// Hard pity: however unlucky, a player gets the entry at least every so many rolls.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pity {
    /// The entry.
    pub entry: Id,
    /// The how-manieth roll without the entry gives it: 1, which means every roll, to [`PITY_ROLLS_MAX`].
    pub guaranteed_at: u32,
}

/// The odds of one entry: `weight` in `total` in a roll that pity does not decide, and `long_run` over many rolls, pity's
/// included. Without pity they are the same.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Odds {
    /// The entry.
    pub entry: Id,
    /// Its weight.
    pub weight: u64,
    /// The sum of all weights, the same for each entry.
    pub total: u64,
    /// Of many rolls, how many bring it: what counts of drops are to be compared with. Exact but for the last digit.
    pub long_run: Rate,
}

/// What a roll gave.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Roll {
    /// The entry.
    pub entry: Id,
    /// The player's number of this roll on this table.
    pub nonce: u64,
    /// Rolls in a row without the entry that pity is for, counting this one; always 0 without pity.
    pub misses_after: u32,
}

fields!(Roll { entry, nonce, misses_after });

/// Why a loot table is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LootError {
    /// Nothing to roll for.
    #[error("a loot table has at least one entry")]
    Empty,
    /// More entries than [`LOOT_ENTRIES_MAX`].
    #[error("a loot table has at most {LOOT_ENTRIES_MAX} entries")]
    TooMany,
    /// More items of one entry, or of every roll, than [`ITEMS_MAX`].
    #[error("an entry of a loot table, and what every roll gives, has at most {ITEMS_MAX} items")]
    TooManyItems,
    /// Two entries of one name.
    #[error("the entries of a loot table have different names")]
    DuplicateEntry,
    /// An entry that can never come.
    #[error("a weight is at least 1; leave out what should never come")]
    ZeroWeight,
    /// Weights too large to publish.
    #[error("the weights add up to at most 2^53 - 1")]
    WeightOverflow,
    /// Pity for what is not in the table.
    #[error("pity is for one of the table's entries")]
    UnknownPityEntry,
    /// Pity before the first roll, or after more than anybody waits for.
    #[error("pity comes at roll 1 to {PITY_ROLLS_MAX}")]
    PityRoll,
}

impl LootError {
    /// The stable code.
    pub const fn code(&self) -> Code {
        match self {
            Self::Empty => Code::TooShort,
            Self::TooMany | Self::TooManyItems => Code::TooLong,
            Self::DuplicateEntry => Code::DuplicateKey,
            Self::ZeroWeight | Self::WeightOverflow | Self::PityRoll => Code::OutOfRange,
            Self::UnknownPityEntry => Code::Missing,
        }
    }
}

impl From<LootError> for Error {
    fn from(error: LootError) -> Self {
        error.code().into()
    }
}

impl Loot {
    /// A table of these entries, in whatever order.
    pub fn new(mut entries: Vec<Entry>, guaranteed: Vec<Item>, pity: Option<Pity>) -> Result<Self, LootError> {
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        if entries.is_empty() {
            return Err(LootError::Empty);
        }
        if entries.len() > LOOT_ENTRIES_MAX {
            return Err(LootError::TooMany);
        }
        if entries.iter().map(|entry| &entry.items).chain([&guaranteed]).any(|items| items.len() > ITEMS_MAX) {
            return Err(LootError::TooManyItems);
        }
        if entries.iter().zip(entries.iter().skip(1)).any(|(a, b)| a.name == b.name) {
            return Err(LootError::DuplicateEntry);
        }
        if entries.iter().any(|entry| entry.weight == 0) {
            return Err(LootError::ZeroWeight);
        }
        let (mut upper_bounds, mut total) = (Vec::with_capacity(entries.len()), 0_u64);
        for entry in &entries {
            let sum = total.checked_add(entry.weight).filter(|sum| *sum <= INTEGER_MAX.unsigned_abs());
            total = sum.ok_or(LootError::WeightOverflow)?;
            upper_bounds.push(total);
        }
        if let Some(pity) = &pity {
            if !(1..=PITY_ROLLS_MAX).contains(&pity.guaranteed_at) {
                return Err(LootError::PityRoll);
            }
            if entries.binary_search_by(|entry| entry.name.cmp(&pity.entry)).is_err() {
                return Err(LootError::UnknownPityEntry);
            }
        }
        Ok(Self { entries, upper_bounds, total, guaranteed, pity })
    }

    /// The `nonce`-th roll of a player on a table of this name, after `misses` rolls in a row without the entry that
    /// pity is for. The same arguments give the same roll, for ever: never use a nonce of a player and table twice.
    ///
    /// Draw c = 0, 1, ... is the first 8 bytes, big-endian, of HMAC-SHA256 with the seed over
    /// `"liveops/roll/v1" 0 table 0 player 0 nonce c`, the last two as 8 bytes, big-endian. The first draw below the
    /// largest multiple of the sum of weights that 2^64 holds counts; its rest by that sum falls to an entry, in order
    /// of names. So every entry has exactly its odds.
    pub fn roll(&self, seed: &[u8; 32], table: &Id, player: &PlayerId, nonce: u64, misses: u32) -> Roll {
        let entry = match &self.pity {
            Some(pity) if misses >= pity.guaranteed_at - 1 => pity.entry.clone(),
            _ => self.entry_at(below(self.total, draws(seed, table, player, nonce))),
        };
        let misses_after = match &self.pity {
            Some(pity) if pity.entry != entry => misses.saturating_add(1),
            _ => 0,
        };
        Roll { entry, nonce, misses_after }
    }

    /// Whether the seed is the one committed to, and gives this very roll.
    pub fn verify_roll(
        &self,
        seed: &[u8; 32],
        commitment: Digest,
        table: &Id,
        player: &PlayerId,
        misses: u32,
        roll: &Roll,
    ) -> bool {
        seed_commitment(seed) == commitment && self.roll(seed, table, player, roll.nonce, misses) == *roll
    }

    /// The same of a roll that an engine made: whether a receipt's [`RollProof`](super::RollProof) is one of this table, as it is
    /// now, and gives what the receipt gives. `false` for a receipt without a roll.
    pub fn verify_receipt(&self, seed: &[u8; 32], commitment: Digest, player: &PlayerId, receipt: &Receipt) -> bool {
        let Some(RollProof { table, entry, nonce, misses }) = receipt.roll.as_deref() else { return false };
        let roll = self.roll(seed, table, player, *nonce, *misses);
        seed_commitment(seed) == commitment
            && roll.entry == *entry
            && self.items(entry).is_some_and(|items| items == receipt.items)
    }

    /// What an entry gives, guaranteed items first; `None` if there is no such entry.
    pub fn items(&self, entry: &Id) -> Option<Vec<Item>> {
        let index = self.entries.binary_search_by(|known| known.name.cmp(entry)).ok()?;
        let entry = self.entries.get(index)?;
        Some(self.guaranteed.iter().chain(&entry.items).cloned().collect())
    }

    /// The odds of every entry, in order of names: exactly those of a roll that pity does not decide, and the rate at which it
    /// comes over many rolls, pity taken into account.
    ///
    /// ```
    /// use liveops_core::Id;
    /// use liveops_core::reward::{Entry, Loot, Pity};
    ///
    /// let entries = [("crown", 1), ("scale", 99)].map(|(name, weight)| Entry { name: Id::new(name).unwrap(), weight, items: vec![] });
    /// let pity = Some(Pity { entry: entries[0].name.clone(), guaranteed_at: 50 });
    /// let crown = &Loot::new(entries.to_vec(), vec![], pity)?.odds()[0];
    /// assert_eq!((crown.weight, crown.total), (1, 100));
    /// assert_eq!(crown.long_run.to_string(), "0.0253168445589315");
    /// # Ok::<(), liveops_core::Error>(())
    /// ```
    pub fn odds(&self) -> Vec<Odds> {
        let renewals = self.renewals();
        // A part of the table is a part of one.
        let odds = |entry: &Entry| {
            let long_run = self.rate(entry, renewals.as_ref())?;
            Some(Odds { entry: entry.name.clone(), weight: entry.weight, total: self.total, long_run })
        };
        self.entries.iter().filter_map(odds).collect()
    }

    /// The rate of one entry over many rolls, as [`Self::odds`] says it; `None` if there is no such entry.
    pub fn long_run(&self, entry: &Id) -> Option<Rate> {
        let index = self.entries.binary_search_by(|known| known.name.cmp(entry)).ok()?;
        self.rate(self.entries.get(index)?, self.renewals().as_ref())
    }

    fn renewals(&self) -> Option<Renewals> {
        let pity = self.pity.as_ref()?;
        Some(Renewals::new(self.weight(&pity.entry)?, self.total, pity.guaranteed_at))
    }

    fn rate(&self, entry: &Entry, renewals: Option<&Renewals>) -> Option<Rate> {
        match renewals {
            None => Rate::of(entry.weight, self.total),
            Some(renewals) if self.pity.as_ref().is_some_and(|pity| pity.entry == entry.name) => renewals.of_pity(),
            Some(renewals) => renewals.of(entry.weight),
        }
    }

    /// How many rolls a player makes on average until an entry comes, beginning without misses, pity taken into account;
    /// exact but for the last digit. `None` if there is no such entry, it can never come, or only after more than 2^53 - 1.
    ///
    /// ```
    /// use liveops_core::Id;
    /// use liveops_core::reward::{Entry, Loot, Pity};
    ///
    /// let entries = [("crown", 1), ("scale", 99)].map(|(name, weight)| Entry { name: Id::new(name).unwrap(), weight, items: vec![] });
    /// let (crown, scale) = (entries[0].name.clone(), entries[1].name.clone());
    /// let plain = Loot::new(entries.to_vec(), vec![], None)?;
    /// assert_eq!(plain.expected_rolls(&crown).unwrap().to_string(), "100");
    /// let pity = Some(Pity { entry: crown.clone(), guaranteed_at: 50 });
    /// let helped = Loot::new(entries.to_vec(), vec![], pity)?;
    /// assert_eq!(helped.expected_rolls(&crown).unwrap().to_string(), "39.499393");
    /// assert_eq!(helped.expected_rolls(&scale).unwrap().to_string(), "1.010101");
    /// # Ok::<(), liveops_core::Error>(())
    /// ```
    pub fn expected_rolls(&self, entry: &Id) -> Option<ExpectedRolls> {
        let wanted = self.weight(entry)?;
        match &self.pity {
            None => ExpectedRolls::by_chance(wanted, self.total),
            Some(pity) if pity.entry == *entry => ExpectedRolls::with_pity(wanted, self.total, pity.guaranteed_at),
            Some(pity) => ExpectedRolls::beside_pity(wanted, self.weight(&pity.entry)?, self.total, pity.guaranteed_at),
        }
    }

    /// The entries, in order of names.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What every roll gives.
    pub fn guaranteed(&self) -> &[Item] {
        &self.guaranteed
    }

    /// When luck is helped along.
    pub const fn pity(&self) -> Option<&Pity> {
        self.pity.as_ref()
    }

    fn weight(&self, entry: &Id) -> Option<u64> {
        let index = self.entries.binary_search_by(|known| known.name.cmp(entry)).ok()?;
        self.entries.get(index).map(|entry| entry.weight)
    }

    /// The entry that a number below the sum of weights falls to.
    fn entry_at(&self, number: u64) -> Id {
        let index = self.upper_bounds.partition_point(|bound| *bound <= number);
        self.entries[index.min(self.entries.len() - 1)].name.clone()
    }
}

/// What to publish before the first roll: SHA-256 of `"liveops/seed/v1" 0 seed`.
pub fn seed_commitment(seed: &[u8; 32]) -> Digest {
    Digest::of(&[SEED_DOMAIN, seed])
}

/// The draws of one roll, without end.
fn draws(seed: &[u8; 32], table: &Id, player: &PlayerId, nonce: u64) -> impl FnMut() -> u64 + use<> {
    let mut key = [0; BLOCK_BYTES];
    key[..seed.len()].copy_from_slice(seed);
    let mut message = DRAW_DOMAIN.to_vec();
    table.put(&mut message);
    player.put(&mut message);
    message.extend_from_slice(&nonce.to_be_bytes());
    let mut counter = 0_u64;
    move || {
        let mut mac = Hmac::<Sha256>::new(&key.into());
        mac.update(&message);
        mac.update(&counter.to_be_bytes());
        // Rejections are rare: it never comes to wrapping.
        counter = counter.wrapping_add(1);
        mac.finalize().into_bytes().iter().take(8).fold(0, |draw, byte| draw << 8 | u64::from(*byte))
    }
}

/// A number below `total`, each equally likely if the draws are. As `total` is at most 2^53, a draw is rejected with
/// a chance below 2^-11.
fn below(total: u64, mut draw: impl FnMut() -> u64) -> u64 {
    // 2^64 - 1 - (2^64 mod total): the last draw of the last whole round of `total`.
    let last = u64::MAX - (u64::MAX % total + 1) % total;
    loop {
        let drawn = draw();
        if drawn <= last {
            return drawn % total;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    fn item(name: &str) -> Item {
        Item::new(id("item"), id(name), 1).unwrap()
    }

    fn entry(name: &str, weight: u64) -> Entry {
        Entry { name: id(name), weight, items: vec![item(name)] }
    }

    fn chest(guaranteed_at: Option<u32>) -> Loot {
        let entries = vec![entry("scale", 70), entry("crown", 5), entry("horn", 25)];
        let pity = guaranteed_at.map(|guaranteed_at| Pity { entry: id("crown"), guaranteed_at });
        Loot::new(entries, vec![item("dust")], pity).unwrap()
    }

    fn player() -> PlayerId {
        PlayerId::new("ana").unwrap()
    }

    /// Pearson's chi-squared. Limits are passed with a chance of 0.1 % each; seeds are fixed, so that it never happens twice.
    #[test]
    fn entries_come_as_often_as_their_odds_say() {
        const ROLLS: u32 = 20_000;
        let table = |weights: &[u64], guaranteed_at: Option<u32>| {
            let entries: Vec<_> = weights.iter().enumerate().map(|(n, w)| entry(&format!("e{n:02}"), *w)).collect();
            let pity = guaranteed_at.map(|guaranteed_at| Pity { entry: id("e00"), guaranteed_at });
            Loot::new(entries, vec![], pity).unwrap()
        };
        let fifty: Vec<u64> = (1..=50).collect();
        // Degrees of freedom are one less than entries.
        for (loot, limit) in [
            (table(&[5, 25, 70], None), 13.8),
            (table(&[1, 1], None), 10.8),
            (table(&fifty, None), 85.4),
            (table(&[5, 25, 70], Some(10)), 13.8),
            (table(&[1, 99], Some(50)), 10.8),
        ] {
            for seed in 1..=4 {
                let (name, player) = (id("chest"), PlayerId::new(&format!("p{seed}")).unwrap());
                let mut counts = vec![0_u32; loot.entries().len()];
                let mut misses = 0;
                for nonce in 0..u64::from(ROLLS) {
                    let roll = loot.roll(&[seed; 32], &name, &player, nonce, misses);
                    misses = roll.misses_after;
                    counts[loot.entries().iter().position(|e| e.name == roll.entry).unwrap()] += 1;
                }
                // Without pity a weight of all of them; with it the entry it is for comes once in the rolls to expect, and
                // the others share the rest by their weights.
                let number = |weight: u64| f64::from(u32::try_from(weight).unwrap());
                let total = number(loot.total);
                let first: f64 = loot.expected_rolls(&id("e00")).unwrap().to_string().parse().unwrap();
                let rest = (1.0 - 1.0 / first) / (total - number(loot.entries()[0].weight));
                let share = |at: usize, weight: u64| if at == 0 { 1.0 / first } else { rest * number(weight) };
                let cells = counts.iter().zip(loot.entries()).enumerate();
                let chi_squared: f64 = cells
                    .map(|(at, (count, entry))| {
                        let expected = f64::from(ROLLS) * share(at, entry.weight);
                        (f64::from(*count) - expected).powi(2) / expected
                    })
                    .sum();
                assert!(chi_squared < limit, "seed {seed}: {chi_squared} {counts:?}");
            }
        }
    }

    #[test]
    fn draws_outside_whole_rounds_are_rejected() {
        let given = |total, draws: &[u64]| {
            let mut left = draws.iter().copied();
            let number = below(total, || left.next().unwrap());
            (number, left.count())
        };
        // 2^64 mod 10 is 6: the six highest draws would favour 0 to 5.
        assert_eq!(given(10, &[u64::MAX, u64::MAX - 5, u64::MAX - 6, 7]), (9, 1));
        assert_eq!(given(10, &[13]), (3, 0));
        assert_eq!(given(1, &[u64::MAX]), (0, 0));
        assert_eq!(given(1 << 52, &[u64::MAX]), ((1 << 52) - 1, 0), "a power of two divides 2^64");
        let total = INTEGER_MAX.unsigned_abs();
        assert_eq!(given(total, &[u64::MAX, total * 2048 - 1]), (total - 1, 0));
    }

    #[test]
    fn each_number_falls_to_its_entry() {
        let loot = chest(None);
        let names: Vec<_> = [0, 4, 5, 29, 30, 99].iter().map(|n| loot.entry_at(*n).to_string()).collect();
        assert_eq!(names, ["crown", "crown", "horn", "horn", "scale", "scale"]);
        let odds: Vec<_> = loot.odds().into_iter().map(|o| (o.entry.to_string(), o.weight, o.total)).collect();
        assert_eq!(odds, [("crown".into(), 5, 100), ("horn".into(), 25, 100), ("scale".into(), 70, 100)]);
        assert_eq!(loot.items(&id("horn")), Some(vec![item("dust"), item("horn")]));
        assert_eq!(loot.items(&id("claw")), None);
    }

    /// By walking from misses to misses until nothing changes any more, in floating point.
    #[test]
    fn in_the_long_run_entries_come_as_often_as_the_odds_say() {
        for (weights, guaranteed_at) in [([5, 25, 70], 12), ([1, 1, 98], 50), ([40, 1, 1], 2), ([2, 3, 5], 1)] {
            let entries = ["a", "b", "c"].iter().zip(weights).map(|(name, weight)| entry(name, weight)).collect();
            let loot = Loot::new(entries, vec![], Some(Pity { entry: id("a"), guaranteed_at })).unwrap();
            let total = f64::from(u32::try_from(weights.iter().sum::<u64>()).unwrap());
            let parts = weights.map(|weight| f64::from(u32::try_from(weight).unwrap()) / total);
            // at[m]: how many of many players stand at m misses.
            let (mut at, mut came) = (vec![0.0; guaranteed_at as usize], [0.0; 3]);
            at[0] = 1.0;
            for _ in 0..20_000 {
                let mut next = vec![0.0; at.len()];
                came = [0.0; 3];
                for (misses, players) in at.iter().enumerate() {
                    let parts = if misses + 1 == at.len() { [1.0, 0.0, 0.0] } else { parts };
                    (0..3).for_each(|entry| came[entry] += players * parts[entry]);
                    next[0] += players * parts[0];
                    if let Some(later) = next.get_mut(misses + 1) {
                        *later += players * (1.0 - parts[0]);
                    }
                }
                // Half of them wait a turn, so that nobody keeps step.
                at = at.iter().zip(&next).map(|(a, b)| f64::midpoint(*a, *b)).collect();
            }
            for (odds, model) in loot.odds().iter().zip(came) {
                let found: f64 = odds.long_run.to_string().parse().unwrap();
                assert!((found - model).abs() < 1e-9, "{weights:?} at {guaranteed_at}: {found}, not {model}");
            }
        }
        let plain = Loot::new(vec![entry("a", 1), entry("b", 3)], vec![], None).unwrap().odds();
        assert_eq!(plain.iter().map(|odds| odds.long_run.to_string()).collect::<Vec<_>>(), ["0.25", "0.75"]);
    }

    #[test]
    fn every_number_falls_as_often_as_the_odds_say() {
        for weights in [[1, 1, 1], [70, 5, 25], [1, 2, 4], [997, 2, 1]] {
            let entries = ["a", "b", "c"].iter().zip(weights).map(|(name, weight)| entry(name, weight)).collect();
            let loot = Loot::new(entries, vec![], None).unwrap();
            for odds in loot.odds() {
                let fallen = (0..odds.total).filter(|number| loot.entry_at(*number) == odds.entry).count();
                assert_eq!(fallen as u64, odds.weight, "{weights:?} {}", odds.entry);
            }
        }
    }

    /// Walks the tree of all rolls, in floating point, until what is left of it weighs nothing.
    #[test]
    fn rolls_to_expect_are_those_of_the_whole_tree() {
        let close = |expected: Option<ExpectedRolls>, model: f64| {
            let found: f64 = expected.unwrap().to_string().parse().unwrap();
            assert!((found - model).abs() < 2e-6, "{found} {model}");
        };
        for (crown, horn, scale) in [(5_u32, 25, 70), (1, 1, 1), (1, 0, 99), (40, 59, 1)] {
            for guaranteed_at in [2_u32, 3, 10, 90] {
                let weights = [("crown", crown), ("horn", horn), ("scale", scale)];
                let weights: Vec<_> = weights.into_iter().filter(|(_, weight)| *weight > 0).collect();
                let entries = weights.iter().map(|(name, weight)| entry(name, u64::from(*weight))).collect();
                let pity = Some(Pity { entry: id("crown"), guaranteed_at });
                let loot = Loot::new(entries, vec![], pity).unwrap();
                let total = f64::from(crown + horn + scale);
                for (wanted, weight) in &weights {
                    // chances[m]: still waiting, after m misses.
                    let mut chances = vec![0.0; guaranteed_at as usize];
                    chances[0] = 1.0;
                    let mut model = 0.0;
                    for _ in 0..200_000 {
                        let waiting: f64 = chances.iter().sum();
                        if waiting < 1e-15 {
                            break;
                        }
                        model += waiting;
                        let mut next = vec![0.0; guaranteed_at as usize];
                        for (misses, chance) in chances.iter().enumerate() {
                            let sure = misses + 1 == guaranteed_at as usize;
                            let of_crown = if sure { 1.0 } else { f64::from(crown) / total };
                            if *wanted != "crown" {
                                next[0] += chance * of_crown;
                            }
                            if !sure {
                                let found = if *wanted == "crown" { 0.0 } else { f64::from(*weight) / total };
                                next[misses + 1] += chance * (1.0 - of_crown - found);
                            }
                        }
                        chances = next;
                    }
                    close(loot.expected_rolls(&id(wanted)), model);
                }
            }
        }
        let every = chest(Some(1));
        assert_eq!(every.expected_rolls(&id("crown")).unwrap().to_string(), "1");
        assert_eq!(every.expected_rolls(&id("horn")), None, "it never comes");
        assert_eq!(chest(None).expected_rolls(&id("claw")), None);
        let far = chest(Some(PITY_ROLLS_MAX)).expected_rolls(&id("crown")).unwrap();
        assert_eq!((far.to_string().as_str(), far.whole(), far.millionths()), ("20", 20, 0));
        let rare = Loot::new(vec![entry("a", INTEGER_MAX.unsigned_abs() - 1), entry("b", 1)], vec![], None).unwrap();
        assert_eq!(rare.expected_rolls(&id("b")).unwrap().to_string(), "9007199254740991");
        assert_eq!(rare.expected_rolls(&id("a")).unwrap().to_string(), "1", "a little more, rounded");
    }

    #[test]
    fn pity_gives_the_entry_in_time_and_no_sooner() {
        let loot = chest(Some(10));
        let (mut misses, mut longest, mut pitied) = (0, 0, 0);
        for nonce in 0..5000 {
            let roll = loot.roll(&[2; 32], &id("chest"), &player(), nonce, misses);
            let crown = roll.entry == *"crown";
            assert_eq!(roll.misses_after, if crown { 0 } else { misses + 1 });
            pitied += u32::from(misses == 9);
            assert!(crown || misses < 9);
            longest = longest.max(misses);
            misses = roll.misses_after;
        }
        assert!(longest == 9 && pitied > 100, "{longest} {pitied}");
        for misses in [9, 10, u32::MAX] {
            assert_eq!(loot.roll(&[2; 32], &id("chest"), &player(), 0, misses).entry, id("crown"));
        }
        assert!((0..50).all(|n| chest(Some(1)).roll(&[2; 32], &id("chest"), &player(), n, 0).entry == *"crown"));
    }

    #[test]
    fn a_roll_can_be_checked_and_not_forged() {
        let (loot, seed, table, ana) = (chest(Some(50)), [3; 32], id("chest"), player());
        let roll = loot.roll(&seed, &table, &ana, 4, 7);
        let commitment = seed_commitment(&seed);
        let check = |roll: &Roll, seed, misses| loot.verify_roll(seed, commitment, &table, &ana, misses, roll);
        assert!(check(&roll, &seed, 7));
        assert!(!check(&roll, &[4; 32], 7) && !check(&roll, &seed, 8));
        for other in loot.entries().iter().filter(|e| e.name != roll.entry) {
            assert!(!check(&Roll { entry: other.name.clone(), ..roll.clone() }, &seed, 7));
        }
        assert_eq!(Roll::take(&mut &roll.to_bytes()[..]), Some(roll));
    }

    #[test]
    fn the_draws_are_pinned() {
        let mut draw = draws(&[3; 32], &id("chest"), &player(), 4);
        assert_eq!([draw(), draw()], [0x282e_5b1e_06f5_1bd3, 0xf094_d934_c821_3767]);
        assert_eq!(
            seed_commitment(&[3; 32]).to_hex(),
            "61412b95c5c361bc46ab0fbef9d28d462c3df1ebbb18f98913943634b7b917fe"
        );
    }

    #[test]
    fn tables_without_sense_are_refused() {
        let pity = |entry: &str, guaranteed_at| Some(Pity { entry: id(entry), guaranteed_at });
        let max = INTEGER_MAX.unsigned_abs();
        for (entries, pity, error) in [
            (vec![], None, LootError::Empty),
            (vec![entry("a", 1), entry("b", 1), entry("a", 2)], None, LootError::DuplicateEntry),
            (vec![entry("a", 1); LOOT_ENTRIES_MAX + 1], None, LootError::TooMany),
            (vec![entry("a", 1), entry("b", 0)], None, LootError::ZeroWeight),
            (vec![entry("a", max), entry("b", 1)], None, LootError::WeightOverflow),
            (vec![entry("a", u64::MAX), entry("b", u64::MAX)], None, LootError::WeightOverflow),
            (vec![entry("a", 1)], pity("b", 5), LootError::UnknownPityEntry),
            (vec![entry("a", 1)], pity("a", 0), LootError::PityRoll),
            (vec![entry("a", 1)], pity("a", PITY_ROLLS_MAX + 1), LootError::PityRoll),
        ] {
            assert_eq!(Loot::new(entries, vec![], pity), Err(error));
        }
        assert!(Loot::new(vec![entry("a", max)], vec![], None).is_ok());
    }
}
