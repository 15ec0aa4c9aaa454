//! Looking things up in short lists, without a branch that nobody can predict.

use std::ops::Range;

/// Numbers in one cache line.
const LINE: usize = 8;

/// How many numbers of a sorted list are less.
#[inline]
pub(super) fn count_less(list: &[u64], number: u64) -> usize {
    // Asking every cache line for its last reads them all at once, where halving would wait for one after the other. Choosing
    // instead of adding up keeps the compiler from counting bits.
    let (lines, rest) = list.as_chunks::<LINE>();
    let mut line = 0;
    for (at, known) in lines.iter().enumerate() {
        line = if known[LINE - 1] < number { at + 1 } else { line };
    }
    let Some(within) = lines.get(line) else {
        return line * LINE + rest.iter().map(|known| usize::from(*known < number)).sum::<usize>();
    };
    // Its last is not less. What is left of it has come by now, so here halving is faster.
    let mut at = if within[3] < number { 4 } else { 0 };
    at = if within[at + 1] < number { at + 2 } else { at };
    at = if within[at] < number { at + 1 } else { at };
    line * LINE + at
}

/// The first number of a range for which something that holds for all smaller ones does not hold.
#[inline]
pub(super) fn partition(range: Range<usize>, holds: impl Fn(usize) -> bool) -> usize {
    let mut low = range.start;
    // The length of what is left does not depend on the answers.
    let mut len = range.end.saturating_sub(low);
    while len > 1 {
        let half = len / 2;
        low = if holds(low + half - 1) { low + half } else { low };
        len -= half;
    }
    if len == 1 && holds(low) { low + 1 } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_agree_with_what_a_loop_finds() {
        for len in 0..70_usize {
            let list: Vec<u64> = (0..len as u64).map(|n| n / 3 * 2).collect();
            for number in 0..50 {
                let less = list.iter().filter(|known| **known < number).count();
                assert_eq!(count_less(&list, number), less, "{number} of {len}");
                assert_eq!(partition(0..len, |at| list[at] < number), less, "{number} of {len}");
                assert_eq!(partition(less..len, |at| list[at] < number), less);
            }
        }
    }
}
