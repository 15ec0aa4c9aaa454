//! Players of a shard in the order of their names: four bytes each.
//!
//! Who writes only adds a number to a list; whoever reads sorts it in, some at a time.

use crate::board::Chunks;
use crate::id::PlayerId;

/// Numbers in one piece of the order, at most: 2 KiB.
const PIECE_LEN: usize = 512;
/// Players sorted in before others may have the shard.
const SETTLED_MAX: usize = 1024;

/// Numbers of slots in the order of the names in them. `name` says which that is: always the same while a number is in here.
#[derive(Debug, Default)]
pub(super) struct Names {
    sorted: Vec<Vec<u32>>,
    added: Chunks<u32, 1024>,
    added_len: usize,
}

impl Names {
    /// Adds one, which may be there already.
    pub(super) fn add(&mut self, slot: u32) {
        *self.added.entry(self.added_len) = slot;
        self.added_len += 1;
    }

    /// Whether some wait to be sorted in.
    pub(super) const fn is_settled(&self) -> bool {
        self.added_len == 0
    }

    /// Sorts some in.
    pub(super) fn settle<'s>(&mut self, name: impl Fn(u32) -> &'s PlayerId) {
        for _ in 0..SETTLED_MAX.min(self.added_len) {
            self.added_len -= 1;
            self.insert(self.added[self.added_len], &name);
        }
        if self.added_len == 0 {
            self.added = Chunks::default();
        }
    }

    fn insert<'s>(&mut self, slot: u32, name: &impl Fn(u32) -> &'s PlayerId) {
        let Some((piece, found)) = self.find(name(slot), name) else { return self.sorted.push(vec![slot]) };
        let Err(at) = found else { return };
        let numbers = &mut self.sorted[piece];
        numbers.insert(at, slot);
        if numbers.len() > PIECE_LEN {
            // Names that come in order fill pieces whole.
            let is_last = piece + 1 == self.sorted.len() && at == PIECE_LEN;
            let numbers = &mut self.sorted[piece];
            let rest = numbers.split_off(if is_last { PIECE_LEN } else { PIECE_LEN / 2 });
            numbers.shrink_to_fit();
            self.sorted.insert(piece + 1, rest);
        }
    }

    /// The piece where a name is or belongs, and the place in it; `None` without any pieces.
    fn find<'s>(
        &self,
        wanted: &PlayerId,
        name: &impl Fn(u32) -> &'s PlayerId,
    ) -> Option<(usize, Result<usize, usize>)> {
        let behind = self.sorted.partition_point(|numbers| name(numbers[0]) <= wanted);
        let piece = behind.saturating_sub(1);
        let numbers = self.sorted.get(piece)?;
        Some((piece, numbers.binary_search_by(|slot| name(*slot).cmp(wanted))))
    }

    /// Removes one, if it is there.
    pub(super) fn remove<'s>(&mut self, slot: u32, name: impl Fn(u32) -> &'s PlayerId) {
        while !self.is_settled() {
            self.settle(&name);
        }
        let Some((piece, Ok(at))) = self.find(name(slot), &name) else { return };
        self.sorted[piece].remove(at);
        if self.sorted[piece].is_empty() {
            self.sorted.remove(piece);
        }
    }

    /// The numbers behind a name, of those that were sorted in.
    pub(super) fn after<'n, 's: 'n>(
        &'n self,
        after: Option<&PlayerId>,
        name: impl Fn(u32) -> &'s PlayerId + 'n,
    ) -> impl Iterator<Item = u32> + 'n {
        let found = after.and_then(|after| self.find(after, &name));
        let (piece, from) = found.map_or((0, 0), |(piece, found)| (piece, found.map_or_else(|at| at, |at| at + 1)));
        let first = self.sorted.get(piece).map_or(&[][..], |numbers| &numbers[from..]);
        let rest = self.sorted.get(piece + 1..).unwrap_or_default().iter().flatten();
        first.iter().chain(rest).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::memory::tests::Random;

    #[test]
    fn names_come_in_order_whenever_they_were_added() {
        let ids: Vec<_> = (0..5_000_u32)
            .map(|n| PlayerId::new(&format!("{:05}", n.wrapping_mul(7_919) % 100_003)).unwrap())
            .collect();
        let name = |slot: u32| &ids[slot as usize];
        let (mut names, mut model, mut random) = (Names::default(), BTreeMap::new(), Random(3));
        println!("seed 3");
        for step in 0..20_000 {
            let slot = random.below(5_000) as u32;
            if step % 5 == 4 {
                names.remove(slot, name);
                model.remove(name(slot));
            } else {
                names.add(slot);
                model.insert(name(slot).clone(), slot);
            }
            if step % 997 == 0 {
                while !names.is_settled() {
                    names.settle(name);
                }
                assert!(names.after(None, name).eq(model.values().copied()), "after {step}");
                let some = name(slot);
                let behind = model.range::<PlayerId, _>((std::ops::Bound::Excluded(some), std::ops::Bound::Unbounded));
                assert!(names.after(Some(some), name).eq(behind.map(|(_, slot)| *slot)));
            }
        }
        for slot in 0..5_000 {
            names.remove(slot, name);
        }
        assert!(names.sorted.is_empty() && names.after(None, name).next().is_none());
    }

    #[test]
    fn names_in_order_fill_their_pieces() {
        let ids: Vec<_> = (0..20_000_u32).map(|n| PlayerId::new(&format!("{n:05}")).unwrap()).collect();
        let mut names = Names::default();
        for slot in 0..20_000 {
            names.add(slot);
            names.settle(|slot| &ids[slot as usize]);
        }
        assert!(names.sorted.len() <= 20_000 / PIECE_LEN + 1);
        assert_eq!(names.find(&ids[777], &|slot| &ids[slot as usize]).map(|(_, found)| found.is_ok()), Some(true));
    }
}
