//! Which periods of which boards a player was paid for: a mark that outlives the outcome of the payment.

use serde::Serialize;

use super::BoardKey;
use crate::codec::Stable;
use crate::id::BoardId;
use crate::limits::PAID_RANGES_MAX;
use crate::window::{Period, Window};

/// The periods a player was paid for, by board and window, as ranges of their indexes.
///
/// Whoever is paid week after week takes one range. Of one window of one board there are at most [`PAID_RANGES_MAX`]:
/// beyond that the two oldest become one, and the periods between them count as paid from then on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Paid(Vec<PaidWindow>);

/// What was paid of one window of one board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct PaidWindow {
    board: BoardId,
    window: Window,
    /// First and last index; in order, with a gap between any two.
    ranges: Vec<(i64, i64)>,
}

impl Paid {
    /// Nothing.
    pub(super) const NONE: Self = Self(Vec::new());

    /// Whether nothing was paid.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the player counts as paid for a period.
    pub fn contains(&self, key: &BoardKey) -> bool {
        self.find(key).is_ok_and(|at| {
            let (ranges, index) = (&self.0[at].ranges, key.period.index);
            let next = ranges.partition_point(|(_, last)| *last < index);
            ranges.get(next).is_some_and(|(first, _)| *first <= index)
        })
    }

    /// Marks a period as paid.
    pub fn insert(&mut self, key: &BoardKey) {
        let Period { window, index } = key.period;
        match self.find(key) {
            Ok(at) => insert(&mut self.0[at].ranges, index),
            Err(at) => {
                let ranges = vec![(index, index)];
                self.0.insert(at, PaidWindow { board: key.board.clone(), window, ranges });
            }
        }
    }

    /// The newest period of each window of each board.
    pub fn newest(&self) -> impl Iterator<Item = Period> {
        let newest = |of: &PaidWindow| of.ranges.last().map(|(_, index)| Period { window: of.window, index: *index });
        self.0.iter().filter_map(newest)
    }

    fn find(&self, key: &BoardKey) -> Result<usize, usize> {
        self.0.binary_search_by(|known| (&known.board, known.window).cmp(&(&key.board, key.period.window)))
    }
}

fn insert(ranges: &mut Vec<(i64, i64)>, index: i64) {
    // The first range that does not end before what comes before the index.
    let at = ranges.partition_point(|(_, last)| last.saturating_add(1) < index);
    match ranges.get_mut(at) {
        Some((first, last)) if *first <= index.saturating_add(1) => {
            (*first, *last) = ((*first).min(index), (*last).max(index));
            let reaches = last.saturating_add(1);
            if ranges.get(at + 1).is_some_and(|(next, _)| *next <= reaches) {
                join(ranges, at);
            }
        }
        _ => ranges.insert(at, (index, index)),
    }
    if ranges.len() > PAID_RANGES_MAX {
        join(ranges, 0);
    }
}

/// Makes one range of this and the next.
fn join(ranges: &mut Vec<(i64, i64)>, at: usize) {
    let (_, last) = ranges.remove(at + 1);
    ranges[at].1 = last;
}

/// The number of windows, then of each board, window and ranges.
impl Stable for Paid {
    fn put(&self, out: &mut Vec<u8>) {
        (self.0.len() as u64).put(out);
        for PaidWindow { board, window, ranges } in &self.0 {
            board.put(out);
            window.put(out);
            ranges.put(out);
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let mut all: Vec<PaidWindow> = Vec::new();
        for _ in 0..u64::take(from)? {
            let (board, window, ranges) = (BoardId::take(from)?, Window::take(from)?, Vec::take(from)?);
            let apart = |(_, last): &(i64, i64), (next, _): &(i64, i64)| last.checked_add(1).is_some_and(|l| l < *next);
            let sound = (1..=PAID_RANGES_MAX).contains(&ranges.len())
                && ranges.iter().all(|(first, last)| first <= last)
                && ranges.is_sorted_by(apart)
                && all.last().is_none_or(|before| (&before.board, before.window) < (&board, window));
            all.push(sound.then_some(PaidWindow { board, window, ranges })?);
        }
        Some(Self(all))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Board, window, ranges.
    type Written<'a> = (&'a str, Window, &'a [(i64, i64)]);

    fn key(board: &str, window: Window, index: i64) -> BoardKey {
        BoardKey { board: BoardId::new(board).unwrap(), period: Period { window, index } }
    }

    fn paid(indexes: impl IntoIterator<Item = i64>) -> Paid {
        let mut paid = Paid::default();
        indexes.into_iter().for_each(|index| paid.insert(&key("xp", Window::Weekly, index)));
        paid
    }

    fn json(paid: &Paid) -> String {
        serde_json::to_string(paid).unwrap()
    }

    #[test]
    fn neighbours_become_one_range() {
        for order in [[1, 2, 3, 5], [5, 3, 2, 1], [1, 3, 5, 2], [2, 5, 3, 1]] {
            assert_eq!(json(&paid(order)), r#"[{"board":"xp","window":"weekly","ranges":[[1,3],[5,5]]}]"#, "{order:?}");
        }
        assert_eq!(paid([1, 1, 2, 1]), paid([1, 2]), "a mark twice is one");
        let ends = paid([i64::MAX, i64::MIN, i64::MAX - 1, i64::MIN + 1]);
        let range = |first: i64, last: i64| format!("[{first},{last}]");
        let wanted = [range(i64::MIN, i64::MIN + 1), range(i64::MAX - 1, i64::MAX)].join(",");
        assert!(json(&ends).contains(&wanted), "{}", json(&ends));
    }

    #[test]
    fn boards_and_windows_are_apart() {
        let mut paid = paid([7]);
        let others = [key("xp", Window::Daily, 7), key("xo", Window::Weekly, 7), key("xq", Window::Weekly, 7)];
        assert!(others.iter().all(|other| !paid.contains(other)));
        for other in &others {
            paid.insert(other);
        }
        assert!(others.iter().all(|other| paid.contains(other)) && paid.contains(&key("xp", Window::Weekly, 7)));
        assert!(!paid.contains(&key("xp", Window::Weekly, 8)));
    }

    /// A set is the model; only what lies between the oldest ranges may be marked beyond it, and only when there are too
    /// many.
    #[test]
    fn marks_are_the_model_s_until_there_are_too_many() {
        let mut seed = 1_u64;
        let mut below = |n: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            i64::try_from((seed >> 33) % n).unwrap()
        };
        for spread in [40, 200, 1_000] {
            let (mut paid, mut model) = (Paid::default(), BTreeSet::new());
            let mut merged = false;
            for _ in 0..400 {
                let index = below(spread);
                let before = paid.clone();
                paid.insert(&key("xp", Window::Weekly, index));
                model.insert(index);
                let ranges = &paid.0[0].ranges;
                let needed = model.iter().filter(|index| !model.contains(&(*index - 1))).count();
                merged |= needed > PAID_RANGES_MAX;
                assert!(ranges.len() <= PAID_RANGES_MAX);
                for index in -2..=i64::try_from(spread).unwrap() + 2 {
                    let key = key("xp", Window::Weekly, index);
                    let marked = paid.contains(&key);
                    assert!(marked || !before.contains(&key), "no mark is ever lost");
                    assert!(marked || !model.contains(&index));
                    let between = merged && index <= ranges[0].1 && index >= ranges[0].0;
                    assert!(!marked || model.contains(&index) || between, "{index} was never paid: {ranges:?}");
                }
                let bytes = paid.to_bytes();
                assert_eq!(Paid::take(&mut &bytes[..]).as_ref(), Some(&paid));
            }
            assert_eq!(merged, spread == 1_000, "{spread}");
        }
    }

    #[test]
    fn only_what_is_written_is_read() {
        let mut both = paid([1, 2, 9]);
        both.insert(&key("a", Window::Daily, 3));
        let bytes = both.to_bytes();
        assert_eq!(Paid::take(&mut &bytes[..]).as_ref(), Some(&both));
        assert!((0..bytes.len()).all(|cut| Paid::take(&mut &bytes[..cut]).is_none()));
        let of = |windows: &[Written]| {
            let window = |(board, window, ranges): &Written| PaidWindow {
                board: BoardId::new(board).unwrap(),
                window: *window,
                ranges: ranges.to_vec(),
            };
            Paid::take(&mut &Paid(windows.iter().map(window).collect()).to_bytes()[..])
        };
        let weekly = Window::Weekly;
        assert!(of(&[("a", weekly, &[(1, 2), (4, 4)]), ("b", Window::Daily, &[(0, 0)])]).is_some());
        for bad in [
            &[("a", weekly, &[][..])][..],
            &[("a", weekly, &[(2, 1)])],
            &[("a", weekly, &[(1, 2), (3, 4)])],
            &[("a", weekly, &[(1, 2), (2, 4)])],
            &[("a", weekly, &[(3, 4), (0, 1)])],
            &[("a", weekly, &[(3, i64::MAX), (5, 6)])],
            &[("a", weekly, &[(1, 1)]), ("a", weekly, &[(3, 3)])],
            &[("b", weekly, &[(1, 1)]), ("a", weekly, &[(3, 3)])],
            &[("a", weekly, &[(1, 1)]), ("a", Window::Daily, &[(3, 3)])],
        ] {
            assert_eq!(of(bad), None, "{bad:?}");
        }
        let many: Vec<_> = (0..=64).map(|n| (3 * n, 3 * n)).collect();
        assert_eq!((of(&[("a", weekly, &many)]), of(&[("a", weekly, &many[1..])]).is_some()), (None, true));
    }
}
