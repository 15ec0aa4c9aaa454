//! Lists that grow while others read them: nothing moves, so nobody waits.

use std::sync::OnceLock;

use crate::limits::OWNERS_MAX;

/// Values of a chunk.
const CHUNK: usize = 1 << 10;
/// Chunks of a shelf.
const SHELF: usize = 1 << 8;
const SHELVES: usize = 1 << 10;
/// Values of the first row. There are many small lists.
const ROW: usize = 8;
/// Rows that make up the first chunk: of 8, 8, 16, 32 .. 512 values.
const ROWS: usize = 8;

/// Values by number, each made when it is first asked for, with some of its neighbours.
#[derive(Debug)]
pub(super) struct Arena<T> {
    rows: [Lazy<T>; ROWS],
    /// What is behind the first chunk.
    rest: Lazy<Lazy<Lazy<T>>>,
}

type Lazy<T> = OnceLock<Box<[T]>>;

const _: () = assert!(CHUNK * SHELF * SHELVES >= OWNERS_MAX as usize, "a value for each owner");

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self { rows: [const { OnceLock::new() }; ROWS], rest: OnceLock::new() }
    }
}

/// The row of a number in the first chunk, and where in it.
#[inline]
const fn row(at: usize) -> (usize, usize) {
    if at < ROW {
        return (0, at);
    }
    let log = at.ilog2() as usize;
    (log - 2, at - (1 << log))
}

fn made<T: Default>(list: &Lazy<T>, len: usize) -> &[T] {
    list.get_or_init(|| std::iter::repeat_with(T::default).take(len).collect())
}

impl<T: Default> Arena<T> {
    /// The value, if it was made.
    #[inline]
    pub(super) fn get(&self, at: u32) -> Option<&T> {
        let at = at as usize;
        if at < CHUNK {
            let (row, within) = row(at);
            return self.rows[row].get()?.get(within);
        }
        let chunk = at / CHUNK - 1;
        self.rest.get()?.get(chunk / SHELF)?.get()?.get(chunk % SHELF)?.get()?.get(at % CHUNK)
    }

    /// The value, made now if need be; `None` beyond all that there is room for, which is no fewer
    /// than [`OWNERS_MAX`].
    pub(super) fn make(&self, at: u32) -> Option<&T> {
        if let Some(known) = self.get(at) {
            return Some(known);
        }
        let at = at as usize;
        if at < CHUNK {
            let (row, within) = row(at);
            return made(&self.rows[row], if row == 0 { ROW } else { ROW << (row - 1) }).get(within);
        }
        let chunk = at / CHUNK - 1;
        let chunks = made(&self.rest, SHELVES).get(chunk / SHELF)?;
        made(made(chunks, SHELF).get(chunk % SHELF)?, CHUNK).get(at % CHUNK)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn every_number_has_a_value_of_its_own() {
        let arena = Arena::<AtomicU32>::default();
        let numbers =
            || (0..5_000).chain((CHUNK as u32 * SHELF as u32..).take(3_000)).chain(OWNERS_MAX - 2..OWNERS_MAX);
        assert!(arena.get(0).is_none() && arena.get(2_000).is_none());
        for number in numbers() {
            arena.make(number).unwrap().store(number, Ordering::Relaxed);
        }
        assert!(numbers().all(|number| arena.get(number).unwrap().load(Ordering::Relaxed) == number));
        assert!(arena.get(OWNERS_MAX - 3).is_some() && arena.get(20_000).is_none());
    }

    #[test]
    fn a_small_list_is_small() {
        let arena = Arena::<u64>::default();
        for number in 0..17 {
            arena.make(number);
        }
        assert_eq!(arena.rows.iter().filter_map(OnceLock::get).map(|row| row.len()).collect::<Vec<_>>(), [8, 8, 16]);
    }

    #[test]
    fn threads_that_make_the_same_get_the_same() {
        let arena = Arena::<AtomicU32>::default();
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    for number in 0..3_000 {
                        arena.make(number).unwrap().fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert!((0..3_000).all(|number| arena.get(number).unwrap().load(Ordering::Relaxed) == 4));
    }
}
