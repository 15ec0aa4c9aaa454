//! Bytes that stay decodable: fields in a fixed order, whole numbers as short as they are, no lengths that can lie.
//!
//! Unsigned integers are LEB128 in their shortest form, signed ones zigzag first (both as in Protocol Buffers);
//! hashes and floats are big-endian and fixed; ids end with a zero byte, which no id contains.

mod short;

use std::sync::Arc;

pub(crate) use self::short::Short;
use crate::error::StoreErrorKind;
use crate::hash::Digest;
use crate::id::{BoardId, CommandId, EventId, Id, Origin, PlayerId};
use crate::time::Timestamp;

/// A value with one stable byte form. `take` answers `None` for bytes that `put` never writes.
pub trait Stable: Sized {
    /// Appends the bytes.
    fn put(&self, out: &mut Vec<u8>);
    /// Takes the value off the front.
    fn take(from: &mut &[u8]) -> Option<Self>;

    /// The bytes alone.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.put(&mut out);
        out
    }
}

/// Gives a struct the bytes of its fields, in the order listed. Those that came with a later version are not among these
/// bytes: whoever writes versions writes them behind.
macro_rules! fields {
    ($name:ident { $($field:ident),+ $(,)? } $(later { $($later:ident),+ })?) => {
        impl $crate::codec::Stable for $name {
            fn put(&self, out: &mut Vec<u8>) {
                $($crate::codec::Stable::put(&self.$field, out);)+
            }
            fn take(from: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: $crate::codec::Stable::take(from)?,)+ $($($later: Default::default(),)+)? })
            }
        }
    };
}

/// Gives an enum without fields one byte per variant.
macro_rules! tags {
    ($name:ident { $($variant:ident = $tag:literal),+ $(,)? }) => {
        impl $crate::codec::Stable for $name {
            fn put(&self, out: &mut Vec<u8>) {
                out.push(match self { $(Self::$variant => $tag),+ });
            }
            fn take(from: &mut &[u8]) -> Option<Self> {
                match <u8 as $crate::codec::Stable>::take(from)? { $($tag => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

pub(crate) use {fields, tags};

/// Bytes that begin with the version of their form, which is given: the newest that this release knows, and the only one that it
/// writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form(pub(crate) u8);

impl Form {
    pub(crate) fn begin(self, out: &mut Vec<u8>) {
        out.push(self.0);
    }

    /// What `take` makes of the content, all of it: [`StoreErrorKind::TooNew`] for a later version's.
    pub(crate) fn decode<T>(
        self,
        bytes: &[u8],
        take: impl FnOnce(&mut &[u8]) -> Result<T, StoreErrorKind>,
    ) -> Result<T, StoreErrorKind> {
        let (version, mut content) = bytes.split_first().ok_or(StoreErrorKind::Corrupt)?;
        match version {
            _ if *version > self.0 => return Err(StoreErrorKind::TooNew),
            _ if *version < self.0 => return Err(StoreErrorKind::Corrupt),
            _ => {}
        }
        let value = take(&mut content)?;
        if content.is_empty() { Ok(value) } else { Err(StoreErrorKind::Corrupt) }
    }
}

/// Bytes to be kept outside a store: a head that says what they are, the version of their form, the content, and the
/// SHA-256 of all that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seal {
    pub(crate) head: &'static [u8; 16],
    pub(crate) version: u8,
}

impl Seal {
    /// The sealed bytes of what `put` writes.
    pub(crate) fn close(self, put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut bytes = self.head.to_vec();
        bytes.push(self.version);
        put(&mut bytes);
        Digest::of(&[&bytes]).put(&mut bytes);
        bytes
    }

    /// The content of sealed bytes: [`StoreErrorKind::TooNew`] for those of a later version, else
    /// [`StoreErrorKind::Corrupt`] for what [`Self::close`] never makes.
    pub(crate) fn open(self, bytes: &[u8]) -> Result<&[u8], StoreErrorKind> {
        let body = bytes.strip_prefix(self.head).ok_or(StoreErrorKind::Corrupt)?;
        if body.first().is_some_and(|version| *version > self.version) {
            return Err(StoreErrorKind::TooNew);
        }
        let (sealed, checksum) = bytes.split_last_chunk().ok_or(StoreErrorKind::Corrupt)?;
        let content = sealed.strip_prefix(self.head).and_then(|content| content.strip_prefix(&[self.version]));
        let sound = Digest::of(&[sealed]) == Digest(*checksum);
        content.filter(|_| sound).ok_or(StoreErrorKind::Corrupt)
    }

    /// What sealed bytes are named by: the checksum at their end.
    pub(crate) fn name(bytes: &[u8]) -> Digest {
        Digest(bytes.last_chunk().copied().unwrap_or_default())
    }
}

impl Stable for u8 {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let (first, rest) = from.split_first()?;
        *from = rest;
        Some(*first)
    }
}

impl Stable for u64 {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) {
        if *self < 0x80 {
            out.push((self & 0x7f) as u8);
        } else {
            put_long(*self, out);
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = u8::take(from)?;
            let bits = Self::from(byte & 0x7f);
            if shift == 63 && byte > 1 || shift > 0 && byte == 0 {
                return None;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

/// As many bytes as there can be are written at once, and those that are too many taken back.
fn put_long(value: u64, out: &mut Vec<u8>) {
    if value >> 56 == 0 {
        let (bytes, len) = spread(value);
        let end = out.len() + len;
        out.extend_from_slice(&bytes.to_le_bytes());
        out.truncate(end);
    } else {
        let len = (u64::BITS - value.leading_zeros()).div_ceil(7);
        let byte = |at: u32| (value >> (7 * at) & 0x7f) as u8 | if at + 1 < len { 0x80 } else { 0 };
        out.extend((0..len).map(byte));
    }
}

/// The bytes of a value of at most 56 bits, the first in the lowest, and how many they are.
#[inline]
const fn spread(value: u64) -> (u64, usize) {
    let len = (u64::BITS - (value | 1).leading_zeros()).div_ceil(7);
    // Seven bits go into each byte: by halves, by quarters, by eighths.
    let halves = (value & 0x0fff_ffff) | (value & 0x00ff_ffff_f000_0000) << 4;
    let quarters = (halves & 0x0000_3fff_0000_3fff) | (halves & 0x0fff_c000_0fff_c000) << 2;
    let eighths = (quarters & 0x007f_007f_007f_007f) | (quarters & 0x3f80_3f80_3f80_3f80) << 1;
    // All but the last say that more come.
    let more = 0x8080_8080_8080_8080 & ((1 << (8 * (len - 1))) - 1);
    (eighths | more, len as usize)
}

/// Small numbers for those near zero, of either sign.
#[inline]
const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

impl Stable for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        zigzag(*self).put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let zigzag = u64::take(from)?;
        Some((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
    }
}

impl Stable for u32 {
    fn put(&self, out: &mut Vec<u8>) {
        u64::from(*self).put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        u64::take(from)?.try_into().ok()
    }
}

impl<const N: usize> Stable for [u8; N] {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let (head, rest) = from.split_first_chunk()?;
        *from = rest;
        Some(*head)
    }
}

impl Stable for u128 {
    fn put(&self, out: &mut Vec<u8>) {
        self.to_be_bytes().put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        <[u8; 16]>::take(from).map(Self::from_be_bytes)
    }
}

impl Stable for Digest {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        <[u8; 32]>::take(from).map(Self)
    }
}

impl Stable for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        match u8::take(from)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Stable for Timestamp {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_unix_millis().put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        i64::take(from).map(Self::from_unix_millis)
    }
}

/// The text and a zero byte, which no id contains: bytes sort as ids do, and no id can reach into the next field.
impl Stable for Id {
    fn put(&self, out: &mut Vec<u8>) {
        self.repr().put_with_zero(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Self::new(id_text(from)?).ok()
    }
}

/// Up to the zero byte, which is taken too.
fn id_text<'b>(from: &mut &'b [u8]) -> Option<&'b str> {
    let end = from.iter().take(crate::limits::ID_BYTES_MAX + 1).position(|b| *b == 0)?;
    let text = std::str::from_utf8(&from[..end]).ok()?;
    *from = &from[end + 1..];
    Some(text)
}

macro_rules! named_ids {
    ($($id:ident)+) => {$(
        impl Stable for $id {
            fn put(&self, out: &mut Vec<u8>) {
                self.repr().put_with_zero(out);
            }
            fn take(from: &mut &[u8]) -> Option<Self> {
                Self::new(id_text(from)?).ok()
            }
        }
    )+};
}
named_ids!(PlayerId BoardId EventId);
tags!(Origin { Event = 0, Operator = 1 });
fields!(CommandId { origin, id });

/// Its length in bytes, then UTF-8.
impl Stable for Arc<str> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend_from_slice(self.as_bytes());
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let len = usize::try_from(u64::take(from)?).ok()?;
        let (text, rest) = from.split_at_checked(len)?;
        *from = rest;
        std::str::from_utf8(text).ok().map(Into::into)
    }
}

impl<T: Stable> Stable for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(if bool::take(from)? { Some(T::take(from)?) } else { None })
    }
}

impl<T: Stable> Stable for Box<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        T::take(from).map(Self::new)
    }
}

/// The number of values, then each; nothing is reserved on the word of a number.
impl<T: Stable> Stable for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        for value in self {
            value.put(out);
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let len = u64::take(from)?;
        let mut all = Self::new();
        for _ in 0..len {
            // Every value takes at least a byte, so a length that lies ends here.
            if from.is_empty() {
                return None;
            }
            all.push(T::take(from)?);
        }
        Some(all)
    }
}

impl<A: Stable, B: Stable> Stable for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some((A::take(from)?, B::take(from)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round<T: Stable + PartialEq + std::fmt::Debug>(value: &T, wanted: &[u8]) {
        let bytes = value.to_bytes();
        assert_eq!(bytes, wanted, "{value:?}");
        let mut rest = &bytes[..];
        assert_eq!(T::take(&mut rest).as_ref(), Some(value));
        assert!(rest.is_empty());
        for cut in 0..bytes.len() {
            assert_eq!(T::take(&mut &bytes[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn every_value_has_one_form() {
        round(&0_u64, &[0]);
        round(&300_u64, &[0xac, 2]);
        for shift in 0..64 {
            // The plain way, at every length and next to its ends.
            for value in [1_u64 << shift, (1 << shift) - 1, u64::MAX >> shift, 0x5555_5555_5555_5555 >> shift] {
                let (mut wanted, mut rest) = (Vec::new(), value);
                while rest >= 0x80 {
                    wanted.push(rest.to_le_bytes()[0] | 0x80);
                    rest >>= 7;
                }
                wanted.push(rest.to_le_bytes()[0]);
                round(&value, &wanted);
            }
        }
        round(&u64::MAX, &[255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
        round(&-1_i64, &[1]);
        round(&i64::MIN, &[255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
        round(&Some(Id::new("ab").unwrap()), &[1, b'a', b'b', 0]);
        for len in [1, 22, 23, 38, 39, 64] {
            let text = "x".repeat(len);
            let wanted = [text.as_bytes(), &[0]].concat();
            round(&EventId::new(&text).unwrap(), &wanted);
            round(&PlayerId::new(&text).unwrap(), &wanted);
        }
        assert_eq!(EventId::take(&mut &[&[b'x'; 65][..], &[0]].concat()[..]), None);
        for bad in [&b"\0"[..], b"a b\0", b"\xc3\xa9\0"] {
            assert_eq!((EventId::take(&mut &*bad), Id::take(&mut &*bad)), (None, None), "{bad:?}");
        }
        round(&vec![true, false], &[2, 1, 0]);
        round(&Arc::<str>::from("é"), &[2, 0xc3, 0xa9]);
        for bad in [&[0x80, 0][..], &[255, 255, 255, 255, 255, 255, 255, 255, 255, 2]] {
            assert_eq!(u64::take(&mut &*bad), None, "{bad:?}");
        }
        assert_eq!(u32::take(&mut &[255, 255, 255, 255, 16][..]), None);
        assert_eq!(Vec::<u8>::take(&mut &[255, 255, 255, 255, 15, 1][..]), None, "a length that lies");
    }
}
