//! Long lists that grow a chunk at a time: nothing is copied when they grow, so no call stalls for it.

use std::ops::{Index, IndexMut};

/// A list of values by number. What was never set has the default and may take no memory.
#[derive(Clone, Debug)]
pub(super) struct Chunks<T, const SIZE: usize> {
    /// Each of `SIZE` values, or of none as long as nothing in it was set.
    chunks: Vec<Box<[T]>>,
}

impl<T, const SIZE: usize> Default for Chunks<T, SIZE> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<T: Default, const SIZE: usize> Chunks<T, SIZE> {
    /// The value, if its chunk is there.
    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<&T> {
        self.chunks.get(at / SIZE)?.get(at % SIZE)
    }

    /// The value, to change; its chunk is made if it is not there.
    pub(super) fn entry(&mut self, at: usize) -> &mut T {
        let chunk = at / SIZE;
        if chunk >= self.chunks.len() {
            self.chunks.resize_with(chunk + 1, Box::default);
        }
        if self.chunks[chunk].is_empty() {
            self.chunks[chunk] = std::iter::repeat_with(T::default).take(SIZE).collect();
        }
        &mut self.chunks[chunk][at % SIZE]
    }

    /// Makes the chunks of the first `len` values.
    pub(super) fn reserve(&mut self, len: usize) {
        for at in (0..len).step_by(SIZE) {
            self.entry(at);
        }
    }
}

/// Of a value whose chunk is there.
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
}
