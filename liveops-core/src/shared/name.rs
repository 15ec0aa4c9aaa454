//! Hashes that stand for keys.

use std::hash::{BuildHasher as _, RandomState};

use crate::quota::Quota;

/// Who an entry of a table belongs to, in place of a key: both numbers look random.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Name {
    /// Low bits choose the shard.
    pub(super) shard: u64,
    /// High bits choose the bucket. Not 0.
    pub(super) tag: u64,
}

impl Name {
    /// The same key under a quota, in the same shard: a state means nothing under another quota.
    #[inline]
    pub(super) const fn under(self, mark: Mark) -> Self {
        Self { tag: (self.shard ^ mark.0) | 1, ..self }
    }
}

/// What tells names under one quota from those under another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(u64);

/// Makes names with a secret, so that nobody can look for keys that share one: SipHash-1-3 (Aumasson and Bernstein 2012)
/// of 64 bits. Written out here because a call of the crate's takes as long as the rest of a check on few keys.
pub(super) struct Names {
    /// What a hash begins with: the key and four constants.
    begin: [u64; 4],
    random: RandomState,
}

impl Names {
    pub(super) fn new() -> Self {
        let random = RandomState::new();
        Self { begin: begin([random.hash_one(0_u8), random.hash_one(1_u8)]), random }
    }

    #[inline]
    pub(super) fn of(&self, key: &str) -> Name {
        let hash = sip(self.begin, key.as_bytes());
        Name { shard: hash, tag: hash | 1 }
    }

    pub(super) fn mark(&self, quota: Quota) -> Mark {
        Mark(self.random.hash_one(quota))
    }
}

fn begin([k0, k1]: [u64; 2]) -> [u64; 4] {
    [k0 ^ 0x736f_6d65_7073_6575, k1 ^ 0x646f_7261_6e64_6f6d, k0 ^ 0x6c79_6765_6e65_7261, k1 ^ 0x7465_6462_7974_6573]
}

#[inline]
fn sip(begin: [u64; 4], bytes: &[u8]) -> u64 {
    let mut v = begin;
    let (words, rest) = bytes.as_chunks();
    for word in words {
        take(&mut v, u64::from_le_bytes(*word));
    }
    let last = rest.iter().rev().fold(0, |last, byte| last << 8 | u64::from(*byte));
    take(&mut v, last | (bytes.len() as u64) << 56);
    v[2] ^= 0xff;
    for _ in 0..3 {
        round(&mut v);
    }
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

#[inline]
fn take(v: &mut [u64; 4], word: u64) {
    v[3] ^= word;
    round(v);
    v[0] ^= word;
}

#[inline]
fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[2] = v[2].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[1]);
    v[0] = v[0].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].rotate_left(32);
}

#[cfg(test)]
mod tests {
    use siphasher::sip::SipHasher13;

    use super::*;

    #[test]
    fn it_is_siphash() {
        let text = "0123456789abcdefghijklmnopqrstuvwxyz";
        for keys in [[0, 0], [1, u64::MAX], [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908]] {
            for len in 0..text.len() {
                let wanted = SipHasher13::new_with_keys(keys[0], keys[1]).hash(&text.as_bytes()[..len]);
                assert_eq!(sip(begin(keys), &text.as_bytes()[..len]), wanted, "{len} bytes");
            }
        }
    }

    #[test]
    fn names_differ_by_key_by_quota_and_from_run_to_run() {
        let quota = |limit| Quota::new(limit, std::time::Duration::from_secs(1));
        let (names, others) = (Names::new(), Names::new());
        let (one, two) = (names.mark(quota(1)), names.mark(quota(2)));
        let tags = ["a", "b", ""].map(|key| names.of(key).tag);
        assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2]);
        assert_ne!(names.of("a").under(one).tag, names.of("a").under(two).tag);
        assert_eq!(names.of("a").under(one).shard, names.of("a").under(two).shard);
        assert_ne!(names.of("a").tag, others.of("a").tag);
    }
}
