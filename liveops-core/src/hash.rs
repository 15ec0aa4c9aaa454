//! Names by content: SHA-256 where strangers check, a keyed 128-bit hash where only we look.

mod sip;

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hash};

use sha2::{Digest as _, Sha256};
use siphasher::sip::SipHasher13;

/// A SHA-256 value (FIPS 180-4). Shown as 64 hex digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Of all parts, one after the other. Callers make sure that parts cannot be cut differently: fixed lengths,
    /// terminators or the stable encoding.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut sha = Sha256::new();
        for part in parts {
            sha.update(part);
        }
        Self(sha.finalize().into())
    }

    /// The 64 hex digits.
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

/// A name in 64 bits, the same everywhere and for ever: SipHash-1-3 with a key of zeros. For names that strangers do not
/// choose.
pub(crate) fn of_name(name: &[u8]) -> u64 {
    SipHasher13::new().hash(name)
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// The bytes behind hex digits of either case; `None` for anything else.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| <[u8; 2]>::try_from(pair).ok().and_then(|[a, b]| Some(digit(a)? << 4 | digit(b)?))).collect()
}

/// Key of [`fingerprint`], [`keyed`] and [`Map`]: 128 bits.
pub type Key = [u8; 16];

/// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein 2012): tells whether two commands under one id say
/// the same. Not for strangers to verify.
pub fn fingerprint(key: &Key, bytes: &[u8]) -> u128 {
    sip::sip24_wide(key, bytes)
}

/// A 64-bit hash for putting equals side by side; the same everywhere, and not to be relied on for anything else.
pub fn short(bytes: &[u8]) -> u64 {
    keyed(&[0; 16], bytes)
}

/// SipHash-1-3 with 64 bits, for finding things: who does not know the key cannot craft names that collide.
pub fn keyed(key: &Key, bytes: &[u8]) -> u64 {
    sip::sip13(key, bytes)
}

/// A hash map with a given key that can be looked up but not walked through, so that no result can depend on the
/// order of hashes.
#[derive(Clone)]
pub struct Map<K, V>(HashMap<K, V, Keyed>);

impl<K, V> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("len", &self.0.len()).finish_non_exhaustive()
    }
}

impl<K: Hash + Eq, V> Map<K, V> {
    /// An empty map. A key that players cannot guess keeps them from crafting ids that collide.
    pub fn new(key: Key) -> Self {
        Self(HashMap::with_hasher(Keyed(SipHasher13::new_with_key(&key))))
    }

    /// The value of a key.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.0.get(key)
    }

    /// The value of a key, to change.
    pub fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.0.get_mut(key)
    }

    /// Sets a value and returns the one before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }

    /// The value of a key, made now if there is none.
    pub fn entry(&mut self, key: K) -> std::collections::hash_map::Entry<'_, K, V> {
        self.0.entry(key)
    }

    /// Removes a value.
    pub fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.0.remove(key)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[derive(Clone)]
struct Keyed(SipHasher13);

impl BuildHasher for Keyed {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values() {
        assert_eq!(
            Digest::of(&[b"a", b"bc"]).to_hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        // The first two vectors of the reference implementation, key 00..0f, input of 0 and of 1 byte.
        let key: Key = std::array::from_fn(|i| u8::try_from(i).unwrap());
        assert_eq!(hex(&fingerprint(&key, &[]).to_le_bytes()), "a3817f04ba25a8e66df67214c7550293");
        assert_eq!(hex(&fingerprint(&key, &[0]).to_le_bytes()), "da87c1d86b99af44347659119b22fc45");
    }

    #[test]
    fn hex_there_and_back() {
        assert_eq!(hex(&[0, 0x9f, 0xff]), "009fff");
        assert_eq!(unhex("009fFF"), Some(vec![0, 0x9f, 0xff]));
        assert_eq!((unhex("0"), unhex("0g"), unhex("+1")), (None, None, None));
    }
}
