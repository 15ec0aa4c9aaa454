//! Bytes of what is short and written often, in room of a known size: nobody asks for each byte whether there is room for it.

use super::spread;
use crate::id::Repr;
use crate::time::Timestamp;

/// Bytes as those of [`super::Stable`], as long as they fit.
#[derive(Debug)]
pub(crate) struct Short<const ROOM: usize> {
    room: [u8; ROOM],
    /// More than there is room for, once something did not fit.
    len: usize,
}

impl<const ROOM: usize> Short<ROOM> {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self { room: [0; ROOM], len: 0 }
    }

    /// The bytes; `None` if not all did fit.
    #[inline]
    pub(crate) fn get(&self) -> Option<&[u8]> {
        self.room.get(..self.len)
    }

    /// Says that something is no longer short.
    #[inline]
    pub(crate) const fn fail(&mut self) {
        self.len = usize::MAX;
    }

    /// Writes `len` of the bytes; the rest is copied too and then written over.
    #[inline]
    fn write<const N: usize>(&mut self, bytes: [u8; N], len: usize) {
        const { assert!(N <= ROOM, "room for what is written at once") }
        // One look at a number that is known when this is compiled.
        if self.len <= ROOM - N {
            self.room[self.len..self.len + N].copy_from_slice(&bytes);
            self.len += len;
        } else {
            self.fail();
        }
    }

    #[inline]
    pub(crate) fn bytes<const N: usize>(&mut self, bytes: [u8; N]) {
        self.write(bytes, N);
    }

    #[inline]
    pub(crate) fn unsigned(&mut self, value: u64) {
        if value < 0x80 {
            self.bytes([(value & 0x7f) as u8]);
        } else if value >> 56 == 0 {
            let (bytes, len) = spread(value);
            self.write(bytes.to_le_bytes(), len);
        } else {
            // Eight bytes of seven bits, behind which more come.
            let (bytes, _) = spread(value & (u64::MAX >> 8));
            self.bytes((bytes | 0x8080_8080_8080_8080).to_le_bytes());
            self.unsigned(value >> 56);
        }
    }

    #[inline]
    pub(crate) fn signed(&mut self, value: i64) {
        self.unsigned(super::zigzag(value));
    }

    #[inline]
    pub(crate) fn time(&mut self, time: Timestamp) {
        self.signed(time.as_unix_millis());
    }

    #[inline]
    pub(crate) fn id<const N: usize>(&mut self, id: &Repr<N>) {
        match id.as_inline() {
            Some((bytes, len)) => self.write(*bytes, len),
            None => self.slice(id.as_bytes()),
        }
        self.bytes([0]);
    }

    /// Bytes as they are.
    pub(crate) fn slice(&mut self, bytes: &[u8]) {
        match self.room.get_mut(self.len..).and_then(|room| room.get_mut(..bytes.len())) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.len += bytes.len();
            }
            None => self.fail(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Stable;
    use crate::id::{EventId, Id};
    use crate::limits::ID_BYTES_MAX;

    #[test]
    fn bytes_are_those_of_the_long_way() {
        for shift in 0..64 {
            for value in [1_u64 << shift, (1 << shift) - 1, u64::MAX >> shift, 0x5555_5555_5555_5555 >> shift] {
                let mut short = Short::<32>::new();
                short.unsigned(value);
                assert_eq!(short.get().unwrap(), value.to_bytes());
                let mut short = Short::<32>::new();
                short.time(Timestamp::from_unix_millis(value.cast_signed()));
                assert_eq!(short.get().unwrap(), value.cast_signed().to_bytes());
            }
        }
        // Inside the value and behind a pointer, with something before and behind.
        for len in 1..=ID_BYTES_MAX {
            let text = "x".repeat(len);
            let (id, event) = (Id::new(&text).unwrap(), EventId::new(&text).unwrap());
            let mut short = Short::<128>::new();
            short.unsigned(300);
            short.id(id.repr());
            short.bytes([7]);
            assert_eq!(short.get().unwrap(), [300_u64.to_bytes(), id.to_bytes(), vec![7]].concat());
            let mut short = Short::<128>::new();
            short.unsigned(300);
            short.id(event.repr());
            short.bytes([7]);
            assert_eq!(short.get().unwrap(), [300_u64.to_bytes(), event.to_bytes(), vec![7]].concat());
        }
    }

    #[test]
    fn what_does_not_fit_gives_nothing() {
        let mut short = Short::<16>::new();
        short.bytes([1; 15]);
        assert_eq!(short.get(), Some(&[1; 15][..]));
        short.bytes([1; 2]);
        short.unsigned(1);
        assert_eq!(short.get(), None);
        let mut short = Short::<24>::new();
        short.id(Id::new(&"x".repeat(24)).unwrap().repr());
        assert_eq!(short.get(), None);
        let mut short = Short::<16>::new();
        short.slice(&[1; 16]);
        assert_eq!(short.get(), Some(&[1; 16][..]));
        short.slice(&[]);
        assert_eq!(short.get(), Some(&[1; 16][..]));
        short.slice(&[1]);
        assert_eq!(short.get(), None);
    }

    #[test]
    fn nothing_is_short_again() {
        let mut short = Short::<64>::new();
        short.fail();
        for len in [0, 1, 64, 65] {
            short.slice(&[1; 65][..len]);
            assert_eq!(short.get(), None);
        }
        short.bytes([0]);
        short.unsigned(u64::MAX);
        short.id(Id::new("x").unwrap().repr());
        assert_eq!(short.get(), None);
    }
}
