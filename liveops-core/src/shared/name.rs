//! Hashes that stand for keys.

use std::hash::{BuildHasher as _, RandomState};

use siphasher::sip::SipHasher13;

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
    /// The same key under a quota's name, in the same shard.
    #[inline]
    pub(super) const fn under(self, mark: Mark) -> Self {
        Self { tag: (self.shard ^ mark.0) | 1, ..self }
    }
}

/// What tells keys under one name of a quota from those under another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(u64);

/// Makes names with a secret, so that nobody can look for keys that share one: SipHash-1-3 (Aumasson and Bernstein 2012)
/// of 64 bits.
pub(super) struct Names {
    hasher: SipHasher13,
    random: RandomState,
}

impl Names {
    pub(super) fn new() -> Self {
        let random = RandomState::new();
        Self { hasher: SipHasher13::new_with_keys(random.hash_one(0_u8), random.hash_one(1_u8)), random }
    }

    #[inline]
    pub(super) fn of(&self, key: &str) -> Name {
        let hash = self.hasher.hash(key.as_bytes());
        Name { shard: hash, tag: hash | 1 }
    }

    pub(super) fn mark(&self, quota: Quota) -> Mark {
        Mark(self.random.hash_one(quota.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_by_key_by_quota_and_from_run_to_run() {
        let quota = |seconds| Quota::new(1, std::time::Duration::from_secs(seconds));
        let (names, others) = (Names::new(), Names::new());
        let (one, two) = (names.mark(quota(1)), names.mark(quota(2)));
        let tags = ["a", "b", ""].map(|key| names.of(key).tag);
        assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2]);
        assert_ne!(names.of("a").under(one).tag, names.of("a").under(two).tag);
        let with_name = quota(1).named("x");
        let tag = |quota| names.of("a").under(names.mark(quota)).tag;
        assert_ne!(tag(with_name), tag(quota(1)));
        assert_eq!(tag(with_name), tag(quota(2).named("x")));
        assert_eq!(names.of("a").under(one).shard, names.of("a").under(two).shard);
        assert_ne!(names.of("a").tag, others.of("a").tag);
    }
}
