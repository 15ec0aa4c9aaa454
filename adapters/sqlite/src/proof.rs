//! Check bytes: SQLite has none for its pages, and answers a flipped bit as if it had been written.
//!
//! Behind every record stand eight bytes over the record and over what names its row, columns that decide something
//! included: so a row that turns up under another key, or an outcome whose time was changed, is found as surely as a
//! changed record.

use std::hash::Hasher as _;

use liveops_core::error::StoreErrorKind;
use liveops_core::limits::ID_BYTES_MAX;
use rusqlite::types::ValueRef;
use siphasher::sip::SipHasher13;

/// How many check bytes there are.
pub(crate) const PROOF_BYTES: usize = 8;
/// Kept for ever, as what was written with it is.
const KEY: &[u8; 16] = b"liveops sqlite 1";
/// A byte for the kind, three numbers, a flag, the length of a name, the name.
const NAME_BYTES_MAX: usize = 1 + 3 * 8 + 1 + 1 + ID_BYTES_MAX;

/// What names a row, as bytes.
#[derive(Debug)]
pub(crate) struct Name {
    bytes: [u8; NAME_BYTES_MAX],
    len: usize,
}

impl Name {
    pub(crate) fn player(p: i64, id: &str, version: i64, erased_through: Option<i64>, idle: bool) -> Self {
        let flags = u8::from(idle) | u8::from(erased_through.is_some()) << 1;
        Self::of(0, [p, version, erased_through.unwrap_or(0)], flags, id)
    }

    pub(crate) fn outcome(p: i64, origin: i64, id: &str, ts: i64) -> Self {
        Self::of(1, [p, origin, ts], 0, id)
    }

    pub(crate) fn receipt(p: i64, number: i64) -> Self {
        Self::of(2, [p, number, 0], 0, "")
    }

    pub(crate) fn suspicion(p: i64, number: i64) -> Self {
        Self::of(3, [p, number, 0], 0, "")
    }

    pub(crate) fn entry(cursor: i64, player: Option<&str>) -> Self {
        Self::of(4, [cursor, 0, 0], player.is_some().into(), player.unwrap_or(""))
    }

    pub(crate) fn meta(key: &str) -> Self {
        Self::of(5, [0; 3], 0, key)
    }

    pub(crate) fn consumer(name: &str) -> Self {
        Self::of(6, [0; 3], 0, name)
    }

    /// A name longer than any that is written is cut: it proves nothing then, and is no id either.
    fn of(kind: u8, numbers: [i64; 3], flags: u8, id: &str) -> Self {
        let mut name = Self { bytes: [0; NAME_BYTES_MAX], len: 27 + id.len().min(ID_BYTES_MAX) };
        name.bytes[0] = kind;
        for (to, number) in name.bytes[1..25].chunks_exact_mut(8).zip(numbers) {
            to.copy_from_slice(&number.to_be_bytes());
        }
        name.bytes[25] = flags;
        name.bytes[26] = u8::try_from(id.len()).unwrap_or(u8::MAX);
        for (to, from) in name.bytes[27..].iter_mut().zip(id.as_bytes()) {
            *to = *from;
        }
        name
    }

    /// The check bytes of a value of this name.
    pub(crate) fn proof(&self, value: &[u8]) -> [u8; PROOF_BYTES] {
        let mut hasher = SipHasher13::new_with_key(KEY);
        hasher.write(&self.bytes[..self.len]);
        hasher.write(value);
        hasher.finish().to_be_bytes()
    }

    /// Puts the check bytes behind a value.
    pub(crate) fn seal(&self, value: &mut Vec<u8>) {
        let proof = self.proof(value);
        value.extend_from_slice(&proof);
    }

    /// The value before its check bytes.
    pub(crate) fn open<'v>(&self, value: ValueRef<'v>) -> Result<&'v [u8], StoreErrorKind> {
        let bytes = value.as_blob().map_err(|_| StoreErrorKind::Corrupt)?;
        let (value, proof) = bytes.split_last_chunk().ok_or(StoreErrorKind::Corrupt)?;
        if self.proof(value) == *proof { Ok(value) } else { Err(StoreErrorKind::Corrupt) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_sound_under_its_own_name_alone() {
        let names = [
            Name::player(1, "ana", 2, None, false),
            Name::player(2, "ana", 2, None, false),
            Name::player(1, "an", 2, None, false),
            Name::player(1, "ana", 3, None, false),
            Name::player(1, "ana", 2, Some(0), false),
            Name::player(1, "ana", 2, None, true),
            Name::outcome(1, 2, "ana", 0),
            Name::outcome(1, 2, "ana", 1),
            Name::receipt(1, 2),
            Name::suspicion(1, 2),
            Name::entry(1, None),
            Name::entry(1, Some("ana")),
            Name::meta("ana"),
            Name::consumer("ana"),
        ];
        for (at, name) in names.iter().enumerate() {
            let mut sealed = b"record".to_vec();
            name.seal(&mut sealed);
            for (other_at, other) in names.iter().enumerate() {
                assert_eq!(other.open(ValueRef::Blob(&sealed)).is_ok(), at == other_at, "{at} under {other_at}");
            }
            for bit in 0..sealed.len() * 8 {
                let mut flipped = sealed.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(name.open(ValueRef::Blob(&flipped)), Err(StoreErrorKind::Corrupt), "bit {bit}");
            }
        }
        for value in [ValueRef::Null, ValueRef::Integer(1), ValueRef::Text(b"12345678"), ValueRef::Blob(b"1234567")] {
            assert_eq!(names[0].open(value), Err(StoreErrorKind::Corrupt), "{value:?}");
        }
    }

    /// Stored for ever.
    #[test]
    fn golden() {
        let proof = |name: Name| liveops_core::hash::hex(&name.proof(b"record"));
        assert_eq!(proof(Name::player(1, "ana", 2, Some(3), true)), "a1b76a9e2f5bb8c7");
        assert_eq!(proof(Name::outcome(1, 0, "evt_1", 1_795_996_800_000)), "c4c8f07a2b16858b");
    }
}
