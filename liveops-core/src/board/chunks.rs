//! Long lists that grow a chunk at a time: nothing but a part of the first chunk is copied when they grow, so no call stalls
//! for it.

use std::ops::{Index, IndexMut};

/// A list of values by number. What was never set has the default and may take no memory.
#[derive(Clone, Debug)]
pub(crate) struct Chunks<T, const SIZE: usize> {
    /// Each of `SIZE` values, or of none as long as nothing in it was set. The first begins with few and doubles: there are
    /// many small boards.
    chunks: Vec<Box<[T]>>,
}

impl<T, const SIZE: usize> Default for Chunks<T, SIZE> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<T: Default, const SIZE: usize> Chunks<T, SIZE> {
    /// The value, if there is room for it.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        self.chunks.get(at / SIZE)?.get(at % SIZE)
    }

    /// The value, to change; room for it and for those before it in its chunk is made if there is none.
    #[inline]
    pub(crate) fn entry(&mut self, at: usize) -> &mut T {
        if self.get(at).is_none() {
            self.make_room(at);
        }
        &mut self[at]
    }

    #[cold]
    fn make_room(&mut self, at: usize) {
        let (chunk, within) = (at / SIZE, at % SIZE);
        if chunk >= self.chunks.len() {
            self.chunks.resize_with(chunk + 1, Box::default);
        }
        let len = if chunk == 0 { (within + 1).next_power_of_two().min(SIZE) } else { SIZE };
        let mut values = std::mem::take(&mut self.chunks[chunk]).into_vec();
        values.reserve_exact(len - values.len());
        values.resize_with(len, T::default);
        self.chunks[chunk] = values.into_boxed_slice();
    }

    /// Gives back chunks in which all is at or past `len`.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.chunks.truncate(len.div_ceil(SIZE));
    }

    /// Makes room for the first `len` values.
    pub(crate) fn reserve(&mut self, len: usize) {
        for at in (0..len).step_by(SIZE) {
            self.entry((at + SIZE).min(len) - 1);
        }
    }
}

/// Of a value for which there is room.
impl<T, const SIZE: usize> Index<usize> for Chunks<T, SIZE> {
    type Output = T;

    #[inline]
    fn index(&self, at: usize) -> &T {
        &self.chunks[at / SIZE][at % SIZE]
    }
}

impl<T, const SIZE: usize> IndexMut<usize> for Chunks<T, SIZE> {
    #[inline]
    fn index_mut(&mut self, at: usize) -> &mut T {
        &mut self.chunks[at / SIZE][at % SIZE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_set_takes_no_memory() {
        let mut list = Chunks::<u32, 4>::default();
        assert_eq!(list.get(9), None);
        *list.entry(9) = 7;
        assert_eq!((list.get(9), list.get(8), list.get(1), list[9]), (Some(&7), Some(&0), None, 7));
        list.reserve(5);
        assert_eq!((list.get(1), list.get(7), list.get(12)), (Some(&0), Some(&0), None));
    }

    #[test]
    fn the_first_chunk_grows_with_what_is_in_it() {
        let mut list = Chunks::<usize, 100>::default();
        let mut lens = Vec::new();
        for at in 0..250 {
            *list.entry(at) = at;
            let room = list.chunks.iter().map(|chunk| chunk.len()).sum::<usize>();
            if lens.last() != Some(&room) {
                lens.push(room);
            }
        }
        assert_eq!(lens, [1, 2, 4, 8, 16, 32, 64, 100, 200, 300]);
        assert!((0..250).all(|at| list[at] == at));
        for len in [0, 1, 99, 100, 101, 350] {
            let mut list = Chunks::<u8, 100>::default();
            list.reserve(len);
            assert!((0..len).all(|at| list.get(at).is_some()), "{len}");
        }
    }
}
