//! Ranked entries of one board in one period: a fold over what is committed, that can be rebuilt from it.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

use super::ranked::{Item, Ranked, Seat, Seats};
use super::{Order, Place, Score, Standing};
use crate::hash::{Key, Map};
use crate::id::PlayerId;
use crate::time::Timestamp;

/// How equals are numbered. Places in a page are always in full order; ranks say how they are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Ranking {
    /// 1, 2, 3, 4: ties are broken.
    #[default]
    Ordinal,
    /// 1, 2, 2, 4: equal pairs of score and subscore share the better rank.
    Competition,
    /// 1, 2, 2, 3: as many ranks as different pairs. Costs a walk over the board.
    Dense,
}

/// One line of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// From 1.
    pub rank: u64,
    /// Whose.
    #[serde(rename = "playerId")]
    pub owner: PlayerId,
    /// The score.
    pub score: i64,
    /// The subscore.
    pub subscore: i64,
    /// When the score was reached.
    pub reached_at: Timestamp,
}

/// `  1. ana 120`.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>4}. {:<24} {:>12}", self.rank, self.owner, self.score)?;
        if self.subscore == 0 { Ok(()) } else { write!(f, " ({})", self.subscore) }
    }
}

/// The index. Ranks are exact; positions count from 0, ranks from 1.
#[derive(Clone, Debug)]
pub struct Index {
    slots: Map<PlayerId, u32>,
    people: People,
    ranked: Ranked,
}

/// By slot; apart from each other, because few comparisons get as far as the owner.
#[derive(Clone, Debug, Default)]
struct People {
    owners: Vec<PlayerId>,
    entries: Vec<Entry>,
}

impl Seats for People {
    fn seat(&mut self, slot: usize, seat: Seat) {
        self.entries[slot].seat = seat;
    }

    fn owner(&self, slot: usize) -> &PlayerId {
        &self.owners[slot]
    }
}

/// What one entry becomes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) slot: usize,
    pub(crate) version: u64,
    pub(crate) standing: Option<Standing>,
}

/// By slot, on a cache line of its own.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Entry {
    /// Where it is ranked, if it is shown.
    seat: Seat,
    /// The version last applied. Absence is remembered too, so that an older version cannot bring an entry back.
    version: u64,
    standing: Option<Standing>,
    hidden: bool,
}

impl Entry {
    fn shown(&self) -> Option<Standing> {
        if self.hidden { None } else { self.standing }
    }
}

impl Index {
    /// An empty index; see [`Map::new`] about the key.
    pub fn new(hash_key: Key) -> Self {
        Self { slots: Map::new(hash_key), people: People::default(), ranked: Ranked::default() }
    }

    /// Takes what the record of that version says: an entry, or `None` for a player who is hidden or has no entry. An
    /// older version, or the same again, changes nothing.
    pub fn apply(&mut self, owner: &PlayerId, version: u64, standing: Option<Standing>) {
        let slot = self.slot(owner);
        self.apply_all(&[Change { slot, version, standing }]);
    }

    /// The same for many slots, without looking them up; a slot of before [`Self::clear`] is nobody's.
    pub(crate) fn apply_all(&mut self, changes: &[Change]) {
        for Change { slot, version, standing } in changes {
            if self.people.entries.get(*slot).is_some_and(|entry| entry.version < *version) {
                self.people.entries[*slot].version = *version;
                self.put(*slot, *standing, false);
            }
        }
    }

    /// Frees everything, for good: whoever still holds this index can do nothing with it.
    pub(crate) fn clear(&mut self) {
        *self = Self::new([0; 16]);
    }

    /// Forgets which version of an owner came last, once that owner begins anew.
    pub fn forget(&mut self, owner: &PlayerId) {
        if let Some(slot) = self.find(owner.as_bytes()) {
            self.people.entries[slot].version = 0;
            self.put(slot, None, false);
        }
    }

    /// The entry of an owner, hidden or not.
    pub fn standing(&self, owner: &[u8]) -> Option<Standing> {
        self.find(owner).and_then(|slot| self.people.entries[slot].standing)
    }

    /// Replaces, adds or removes an entry, whatever its version.
    pub(super) fn set(&mut self, owner: &PlayerId, standing: Option<Standing>) {
        let slot = self.slot(owner);
        let hidden = self.people.entries[slot].hidden;
        self.put(slot, standing, hidden);
    }

    /// Shows an owner or not; the entry stays. Whether there was anything to change.
    pub(super) fn set_hidden(&mut self, owner: &[u8], hidden: bool) -> bool {
        let Some(slot) = self.find(owner).filter(|slot| self.people.entries[*slot].hidden != hidden) else {
            return false;
        };
        let standing = self.people.entries[slot].standing;
        self.put(slot, standing, hidden);
        true
    }

    /// How many are shown.
    pub fn len(&self) -> u64 {
        self.ranked.len() as u64
    }

    /// Whether nobody is shown.
    pub fn is_empty(&self) -> bool {
        self.ranked.len() == 0
    }

    /// Rank from 1 of who is shown.
    pub fn rank(&self, owner: &[u8], ranking: Ranking) -> Option<u64> {
        let slot = self.find(owner)?;
        let place = self.people.entries[slot].shown()?.place();
        Some(self.rank_at(self.position(place, slot), place, ranking))
    }

    /// `offset..offset + limit`, best first.
    pub fn page(&self, offset: usize, limit: usize, ranking: Ranking) -> Vec<Row> {
        self.rows(offset..offset.saturating_add(limit).min(self.ranked.len()), ranking)
    }

    /// Up to `each_side` rows above and below an owner, and the owner's; at the ends there are fewer. Empty for an
    /// owner who is not shown.
    pub fn around(&self, owner: &[u8], each_side: usize, ranking: Ranking) -> Vec<Row> {
        let Some(slot) = self.find(owner) else { return Vec::new() };
        let Some(standing) = self.people.entries[slot].shown() else { return Vec::new() };
        let at = self.position(standing.place(), slot);
        let end = at.saturating_add(each_side).saturating_add(1).min(self.ranked.len());
        self.rows(at.saturating_sub(each_side)..end, ranking)
    }

    /// The shown ones of some owners with their ranks on the whole board, best first: friends, a guild. The place in
    /// the answer is the rank among them.
    pub fn by_owners<'a>(&self, owners: impl IntoIterator<Item = &'a [u8]>, ranking: Ranking) -> Vec<Row> {
        let mut positions: Vec<usize> = owners
            .into_iter()
            .filter_map(|owner| {
                let slot = self.find(owner)?;
                Some(self.position(self.people.entries[slot].shown()?.place(), slot))
            })
            .collect();
        positions.sort_unstable();
        positions.dedup();
        positions.into_iter().flat_map(|at| self.rows(at..at + 1, ranking)).collect()
    }

    /// How many are strictly better than a score, whatever their subscores, under that order.
    pub fn count_above(&self, score: i64, order: Order) -> u64 {
        let best = match order {
            Order::Desc => Score { score, subscore: i64::MAX },
            Order::Asc => Score { score, subscore: i64::MIN },
        };
        let [score, subscore] = order.key(best);
        self.ranked.count_below([score, subscore, i64::MIN]) as u64
    }

    fn rows(&self, positions: Range<usize>, ranking: Ranking) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::with_capacity(positions.len());
        let mut before: Option<(u64, Place)> = None;
        for (at, item) in (positions.start..).zip(self.ranked.range(positions, &self.people)) {
            let entry = &self.people.entries[item.slot()];
            let Some(standing) = entry.shown() else { continue };
            let rank = match before {
                Some((rank, place)) if ranking != Ranking::Ordinal && place[..2] == item.place[..2] => rank,
                Some((rank, _)) if ranking == Ranking::Dense => rank + 1,
                None => self.rank_at(at, item.place, ranking),
                _ => at as u64 + 1,
            };
            before = Some((rank, item.place));
            let Score { score, subscore } = standing.score;
            rows.push(Row {
                rank,
                owner: self.people.owner(item.slot()).clone(),
                score,
                subscore,
                reached_at: standing.reached_at,
            });
        }
        rows
    }

    fn rank_at(&self, position: usize, place: Place, ranking: Ranking) -> u64 {
        let first_equal = || self.ranked.count_below([place[0], place[1], i64::MIN]);
        match ranking {
            Ranking::Ordinal => position as u64 + 1,
            Ranking::Competition => first_equal() as u64 + 1,
            Ranking::Dense => {
                let better = self.ranked.range(0..first_equal(), &self.people).into_iter();
                let mut last = None;
                better
                    .filter(|item| last.replace([item.place[0], item.place[1]]) != Some([item.place[0], item.place[1]]))
                    .count() as u64
                    + 1
            }
        }
    }

    fn find(&self, owner: &[u8]) -> Option<usize> {
        self.slots.get(owner).map(|slot| *slot as usize)
    }

    /// Where the entry of an owner is, made now if there is none.
    pub(crate) fn slot(&mut self, owner: &PlayerId) -> usize {
        if let Some(slot) = self.find(owner.as_bytes()) {
            return slot;
        }
        let slot = self.people.entries.len();
        self.people.owners.push(owner.clone());
        self.people.entries.push(Entry { seat: Seat::default(), version: 0, standing: None, hidden: false });
        // More than 2^32 entries of 64 bytes do not fit any machine this runs on.
        self.slots.insert(owner.clone(), u32::try_from(slot).unwrap_or(u32::MAX));
        slot
    }

    fn position(&self, place: Place, slot: usize) -> usize {
        self.ranked.position(place, self.people.owner(slot), &self.people)
    }

    fn put(&mut self, slot: usize, standing: Option<Standing>, hidden: bool) {
        let entry = &mut self.people.entries[slot];
        let before = entry.shown().map(|s| s.place());
        entry.standing = standing;
        entry.hidden = hidden;
        let after = entry.shown().map(|s| s.place());
        let seat = entry.seat;
        if before == after {
            return;
        }
        if before.is_some() {
            self.ranked.remove(seat, &mut self.people);
        }
        if let Some(place) = after {
            self.ranked.insert(Item::new(place, slot), &mut self.people);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Sort, Ties};
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    fn player(name: &str) -> PlayerId {
        PlayerId::new(name).unwrap()
    }

    fn standing(score: i64, reached: i64) -> Standing {
        Standing { score: score.into(), reached_at: at(reached), newest_ts: at(reached), sort: Sort::default() }
    }

    #[test]
    fn older_versions_change_nothing_not_even_after_a_removal() {
        let (ann, mut index) = (player("ann"), Index::new([0; 16]));
        index.apply(&ann, 2, Some(standing(20, 2)));
        index.apply(&ann, 1, Some(standing(10, 1)));
        index.apply(&ann, 2, Some(standing(99, 9)));
        assert_eq!(index.page(0, 9, Ranking::Ordinal)[0].score, 20);
        index.apply(&ann, 4, None);
        index.apply(&ann, 3, Some(standing(30, 3)));
        assert_eq!(index.rank(b"ann", Ranking::Ordinal), None);
    }

    #[test]
    fn rankings_of_ties() {
        let mut index = Index::new([0; 16]);
        for (n, (name, score)) in (1..).zip([("e", 10), ("d", 30), ("c", 20), ("b", 20), ("a", 5)]) {
            index.apply(&player(name), 1, Some(standing(score, n)));
        }
        let order = |ranking| {
            let page = index.page(0, 9, ranking);
            page.iter().map(|row| format!("{}{}", row.rank, row.owner)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(order(Ranking::Ordinal), "1d 2c 3b 4e 5a");
        assert_eq!(order(Ranking::Competition), "1d 2c 2b 4e 5a");
        assert_eq!(order(Ranking::Dense), "1d 2c 2b 3e 4a");
        for ranking in [Ranking::Ordinal, Ranking::Competition, Ranking::Dense] {
            for (offset, row) in index.page(0, 9, ranking).iter().enumerate() {
                assert_eq!(index.rank(row.owner.as_bytes(), ranking), Some(row.rank), "{ranking:?}");
                assert_eq!(index.page(offset, 1, ranking), std::slice::from_ref(row), "a page that starts here");
            }
        }
        assert_eq!(index.count_above(20, Order::Desc), 1);
        assert_eq!(index.around(b"c", 1, Ranking::Ordinal).len(), 3);
        assert_eq!(index.around(b"d", 1, Ranking::Ordinal).len(), 2);
        let friends = index.by_owners([b"a".as_slice(), b"x", b"d"], Ranking::Ordinal);
        assert_eq!(friends.iter().map(|row| row.rank).collect::<Vec<_>>(), [1, 5]);
    }

    /// Against a sorted list, through growth and mass deletion.
    #[test]
    fn the_index_is_a_sorted_list() {
        for seed in 1..=6_u64 {
            println!("seed {seed}");
            let mut state = seed;
            let mut below = |n: u64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % n
            };
            let ties = [Ties::FirstToReach, Ties::LastToReach, Ties::OwnerId][usize::try_from(below(3)).unwrap()];
            let sort = Sort { order: if below(2) == 0 { Order::Desc } else { Order::Asc }, ties };
            let mut index = Index::new([7; 16]);
            let mut model: std::collections::BTreeMap<PlayerId, Standing> = std::collections::BTreeMap::new();
            for step in 1..12_000_u64 {
                let shrinking = step / 3_000 % 2 == 1;
                let owner = player(&format!("p{}", below(1_500)));
                let standing = (below(10) > if shrinking { 7 } else { 1 }).then(|| Standing {
                    score: Score { score: below(40).cast_signed() - 20, subscore: below(3).cast_signed() },
                    reached_at: at(below(50).cast_signed()),
                    newest_ts: at(0),
                    sort,
                });
                index.apply(&owner, step, standing);
                match standing {
                    Some(standing) => drop(model.insert(owner, standing)),
                    None => drop(model.remove(&owner)),
                }
                if step % 1_000 != 0 {
                    continue;
                }
                let mut sorted: Vec<_> = model.iter().map(|(owner, s)| (s.place(), owner.clone())).collect();
                sorted.sort();
                let page = index.page(0, usize::MAX, Ranking::Ordinal);
                assert!(page.iter().map(|row| &row.owner).eq(sorted.iter().map(|(_, owner)| owner)));
                for (rank, (_, owner)) in (1..).zip(&sorted) {
                    assert_eq!(index.rank(owner.as_bytes(), Ranking::Ordinal), Some(rank));
                }
                assert_eq!(index.len(), sorted.len() as u64);
                let from = usize::try_from(below(index.len() + 1)).unwrap();
                assert_eq!(index.page(from, 7, Ranking::Ordinal), page[from..page.len().min(from + 7)]);
            }
        }
    }
}
