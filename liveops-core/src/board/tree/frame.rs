//! Places of neighbours, packed into 64 bits each.
//!
//! Neighbours on a board have nearly the same score, so the distance from a common base takes few bits. A [`Frame`]
//! says where the base is and how many bits each part has; packed places sort as places do.

use super::Place;

/// How the places of one leaf are packed: score, subscore and tie from the top bits down, each as its distance from the
/// base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    base: Place,
    /// With those of the tie at most 63.
    subscore_bits: u8,
    tie_bits: u8,
}

impl Default for Frame {
    fn default() -> Self {
        Self::of_scores()
    }
}

impl Frame {
    /// A frame for places between these, part by part, with as much room around them as there is; `None` if they are
    /// too far apart for 64 bits, of which one is the score's in any case.
    pub(super) fn around(least: Place, most: Place) -> Option<Self> {
        let span = |part: usize| most[part].abs_diff(least[part]);
        let mut needed = [0, 1, 2].map(|part| 64 - span(part).leading_zeros());
        needed[0] = needed[0].max(1);
        let spare = 64_u32.checked_sub(needed.iter().sum())?;
        // Scores and times move; subscores, where there are any, change with the score.
        let bits = [needed[0] + spare / 2, needed[1], needed[2] + spare - spare / 2];
        let base = [0, 1, 2].map(|part| {
            let room = if bits[part] == 64 { u64::MAX } else { (1 << bits[part]) - 1 };
            let below = (room - span(part)) / 2;
            // All that is within the room is a number.
            least[part].saturating_sub_unsigned(below).min(i64::MAX.saturating_sub_unsigned(room))
        });
        // At most 64 each.
        Some(Self { base, subscore_bits: bits[1] as u8, tie_bits: bits[2] as u8 })
    }

    /// A frame for places that are too far apart for any: what is packed says their scores and nothing else.
    pub(super) const fn of_scores() -> Self {
        Self { base: [i64::MIN, 0, 0], subscore_bits: 0, tie_bits: 0 }
    }

    /// The packed place; `None` if it lies outside.
    #[inline]
    pub(super) fn pack(&self, place: Place) -> Option<u64> {
        let key = self.key(place);
        key.is_exact.then_some(key.packed)
    }

    /// The packed place, or the nearest there is to one that lies outside.
    #[inline]
    pub(super) fn key(&self, place: Place) -> Key {
        // The score has a bit, so nothing is shifted by as many as there are.
        let low_bits = self.subscore_bits + self.tie_bits;
        // What is less than the base is farther from it than there is room, once around.
        let [score, subscore, tie] = [0, 1, 2].map(|part| place[part].wrapping_sub(self.base[part]).cast_unsigned());
        // Without a branch for each part: what decides is mostly that all are within.
        let beyond = score.wrapping_shr(63 - u32::from(low_bits)) >> 1
            | subscore.wrapping_shr(self.subscore_bits.into())
            | tie.wrapping_shr(self.tie_bits.into());
        if beyond == 0 {
            let packed = score.wrapping_shl(low_bits.into()) | subscore.wrapping_shl(self.tie_bits.into()) | tie;
            return Key { packed, is_exact: true };
        }
        self.nearest(place, [64 - low_bits, self.subscore_bits, self.tie_bits])
    }

    /// Of a place outside: behind a part that is too small everything is as small as it can be, and as large behind one that
    /// is too large.
    #[cold]
    fn nearest(&self, place: Place, bits: [u8; 3]) -> Key {
        let (mut packed, mut rest) = (0, None);
        for (part, bits) in bits.into_iter().enumerate() {
            let distance = place[part].wrapping_sub(self.base[part]).cast_unsigned();
            let all = shl(1, bits).wrapping_sub(1);
            if rest.is_none() && place[part] < self.base[part] {
                rest = Some(0);
            } else if rest.is_none() && shr(distance, bits) != 0 {
                rest = Some(u64::MAX);
            }
            packed = shl(packed, bits) | rest.map_or(distance, |rest| rest & all);
        }
        Key { packed, is_exact: false }
    }

    /// The place behind a packed one.
    #[inline]
    pub(super) fn unpack(&self, packed: u64) -> Place {
        let low = |value: u64, bits: u8| value & ((1 << bits) - 1);
        let parts = [
            packed >> (self.subscore_bits + self.tie_bits),
            low(packed >> self.tie_bits, self.subscore_bits),
            low(packed, self.tie_bits),
        ];
        [0, 1, 2].map(|part| self.base[part].wrapping_add_unsigned(parts[part]))
    }
}

/// A place as a number: a smaller place never has a larger one, and of two exact ones the smaller place has the smaller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) packed: u64,
    /// Whether the place is what is packed.
    pub(super) is_exact: bool,
}

#[inline]
fn shl(value: u64, bits: u8) -> u64 {
    value.checked_shl(bits.into()).unwrap_or(0)
}

#[inline]
fn shr(value: u64, bits: u8) -> u64 {
    value.checked_shr(bits.into()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_places_come_back_and_sort_as_places_do() {
        let places: Vec<Place> = vec![
            [-5, 0, 1_700_000_000_000],
            [-5, 0, 1_700_000_000_001],
            [-5, 3, 1],
            [0, -2, 1_800_000_000_000],
            [0, 0, 0],
            [9_000, 0, 5],
        ];
        let least = [0, 1, 2].map(|part| places.iter().map(|p| p[part]).min().unwrap());
        let most = [0, 1, 2].map(|part| places.iter().map(|p| p[part]).max().unwrap());
        let frame = Frame::around(least, most).unwrap();
        let packed: Vec<u64> = places.iter().map(|place| frame.pack(*place).unwrap()).collect();
        assert!(packed.is_sorted_by(|a, b| a < b));
        assert!(packed.iter().zip(&places).all(|(packed, place)| frame.unpack(*packed) == *place));
        assert_eq!(frame.pack([i64::MIN, 0, 0]), None);
        assert_eq!(frame.pack([0, 1 << 40, 0]), None);
    }

    #[test]
    fn keys_of_places_outside_are_in_order() {
        let (least, most) = ([10, -2, 1_000], [300, 2, 9_000]);
        let near = |part: i64| [i64::MIN, part - (1 << 40), part - 1, part, part + 1, part + (1 << 40), i64::MAX];
        let mut places = Vec::new();
        for score in near(10).into_iter().chain(near(300)) {
            for subscore in near(-2).into_iter().chain(near(2)) {
                places.extend(near(1_000).into_iter().chain(near(9_000)).map(|tie| [score, subscore, tie]));
            }
        }
        places.sort_unstable();
        for frame in [Frame::around(least, most).unwrap(), Frame::of_scores(), Frame::around(most, most).unwrap()] {
            let keys: Vec<_> = places.iter().map(|place| (frame.key(*place), *place)).collect();
            assert!(keys.is_sorted_by(|(a, place), (b, next)| {
                a.packed < b.packed || (a.packed == b.packed && (!a.is_exact || !b.is_exact || place == next))
            }));
            assert!(keys.iter().all(|(key, place)| !key.is_exact || frame.unpack(key.packed) == *place));
        }
    }

    #[test]
    fn one_part_may_take_every_bit_and_no_more() {
        let frame = Frame::around([i64::MIN, 7, 7], [i64::MAX, 7, 7]).unwrap();
        for score in [i64::MIN, -1, 0, i64::MAX] {
            assert_eq!(frame.unpack(frame.pack([score, 7, 7]).unwrap()), [score, 7, 7]);
        }
        assert_eq!(frame.pack([0, 7, 8]), None);
        assert!(Frame::around([i64::MIN, 0, 0], [i64::MAX, 0, 1]).is_none());
        assert!(Frame::around([5, 5, i64::MIN], [5, 5, i64::MAX]).is_none(), "one bit is the score's");
        let frame = Frame::around([5, 5, i64::MIN], [5, 5, -1]).unwrap();
        assert_eq!(frame.unpack(frame.pack([5, 5, -3]).unwrap()), [5, 5, -3]);
        assert_eq!(frame.pack([5, 5, 0]), None);
        // Room on both sides, up to the ends of the integers.
        let frame = Frame::around([i64::MIN, 0, i64::MAX], [i64::MIN, 0, i64::MAX]).unwrap();
        assert_eq!(frame.unpack(frame.pack([i64::MIN + 9, 0, i64::MAX - 9]).unwrap()), [i64::MIN + 9, 0, i64::MAX - 9]);
    }
}
