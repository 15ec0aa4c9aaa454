//! Looking things up in short lists.

use std::ops::Range;

/// Where a number stands in a list that has it.
#[inline]
pub(super) fn position(list: &[u32], number: u32) -> usize {
    let (chunks, rest) = list.as_chunks::<16>();
    for (n, chunk) in chunks.iter().enumerate() {
        // Without an early exit the whole chunk is compared at once.
        if chunk.iter().fold(0, |hits, known| hits | u32::from(*known == number)) != 0 {
            return n * 16 + chunk.iter().position(|known| *known == number).unwrap_or(0);
        }
    }
    chunks.len() * 16 + rest.iter().position(|known| *known == number).unwrap_or(0)
}

/// The first number of a range for which something that holds for all smaller ones does not hold.
#[inline]
pub(super) fn partition(range: Range<usize>, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low.midpoint(high);
        if holds(middle) { low = middle + 1 } else { high = middle }
    }
    low
}
