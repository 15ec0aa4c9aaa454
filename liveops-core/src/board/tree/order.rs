//! The order of the slots of a leaf.
//!
//! Whatever is done looks at all of it, a vector at a time: that takes less time than guessing how much has to be looked at.

/// Each slot once: those in use in the order of their entries, then those that are free.
#[derive(Clone, Debug)]
#[repr(align(16))]
pub(super) struct Order<const LEN: usize>([u8; LEN]);

impl<const LEN: usize> Default for Order<LEN> {
    fn default() -> Self {
        Self(Self::NUMBERS)
    }
}

impl<const LEN: usize> Order<LEN> {
    const NUMBERS: [u8; LEN] = {
        assert!(LEN.is_power_of_two() && LEN <= 64, "slots have six bits");
        let (mut numbers, mut at) = ([0; LEN], 0);
        while at < LEN {
            numbers[at] = at as u8;
            at += 1;
        }
        numbers
    };

    /// The slot of a position.
    #[inline]
    pub(super) fn slot(&self, at: usize) -> usize {
        // There are no larger ones.
        usize::from(self.0[at % LEN]) % LEN
    }

    /// The position of a slot.
    #[inline]
    pub(super) fn at(&self, slot: usize) -> usize {
        let pairs = self.0.iter().zip(Self::NUMBERS);
        pairs.fold(0, |found, (known, at)| found | if *known == slot as u8 { at } else { 0 }).into()
    }

    /// Takes a slot back to an earlier position; those in between go on by one.
    #[inline]
    pub(super) fn back(&mut self, from: usize, to: usize) {
        let mut before = [0; LEN];
        before[1..].copy_from_slice(&self.0[..LEN - 1]);
        self.shift(to, from, (to, self.0[from % LEN]), before);
    }

    /// Takes a slot forth to a later position; those in between go back by one.
    #[inline]
    pub(super) fn forth(&mut self, from: usize, to: usize) {
        let mut behind = [0; LEN];
        behind[..LEN - 1].copy_from_slice(&self.0[1..]);
        self.shift(from, to, (to, self.0[from % LEN]), behind);
    }

    /// Replaces what is from one position through another, of which one is given.
    #[inline]
    fn shift(&mut self, first: usize, last: usize, (to, slot): (usize, u8), others: [u8; LEN]) {
        let (first, to, span) = (first as u8, to as u8, last.wrapping_sub(first) as u8);
        for ((known, other), at) in self.0.iter_mut().zip(others).zip(Self::NUMBERS) {
            let moved = if at == to { slot } else { other };
            *known = if at.wrapping_sub(first) <= span { moved } else { *known };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_go_where_they_are_taken() {
        fn check<const LEN: usize>() {
            let (mut order, mut list) = (Order::<LEN>::default(), (0..LEN).collect::<Vec<_>>());
            for step in 0..LEN * LEN * 4 {
                let (a, b) = (step * 7 % LEN, step / LEN * 5 % LEN);
                let (from, to) = (a.max(b), a.min(b));
                if step % 3 == 0 {
                    order.back(from, to);
                    let slot = list.remove(from);
                    list.insert(to, slot);
                } else {
                    order.forth(to, from);
                    let slot = list.remove(to);
                    list.insert(from, slot);
                }
                assert!((0..LEN).all(|at| order.slot(at) == list[at] && order.at(list[at]) == at));
            }
        }
        check::<4>();
        check::<64>();
    }
}
