//! The shelf made shareable between threads.

mod leaderboard;
mod sliding;

pub use leaderboard::SharedLeaderboard;
pub use sliding::SlidingLimiter;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, Hash as _, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use siphasher::sip128::{Hasher128 as _, SipHasher13};

use crate::error::{Code, StoreError};
use crate::quota::{Decision, Quota, QuotaStore, gcra, micros, whole_millis};
use crate::time::Timestamp;

/// What happens to a call under a new key when the limiter is full and every key in it still has a debt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WhenFull {
    /// It is refused with `limiter_full`: whoever makes up keys cannot switch the limiter off.
    #[default]
    Refuse,
    /// It passes and is counted in [`RateLimiter::admitted_when_full`] only.
    Admit,
}

/// One quota for many keys, checked by many threads.
///
/// A key is kept as a 128-bit hash with a secret of this limiter, whatever its length, beside 8 bytes of state; a key
/// without debt is dropped when its room is needed. All in all a key takes about 70 to 100 bytes.
///
/// ```
/// use std::time::Duration;
/// use liveops_core::Timestamp;
/// use liveops_core::quota::Quota;
/// use liveops_core::shared::RateLimiter;
///
/// let limiter = RateLimiter::new(Quota::new(60, Duration::from_secs(60)).burst(2));
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// assert_eq!(limiter.check("player:ana", 2, now).remaining, 0);
/// assert_eq!(limiter.check("player:ana", 1, now).retry_after_seconds(), Some(1));
/// assert!(limiter.check("player:bo", 1, now).allowed);
/// ```
pub struct RateLimiter {
    quota: Quota,
    capacity: usize,
    when_full: WhenFull,
    /// Begun with a random key; never finished itself.
    hasher: SipHasher13,
    /// The same with our own quota taken in.
    own_hasher: SipHasher13,
    shards: Box<[Mutex<Shard>]>,
    /// Entries in all shards, never more than `capacity`: raised before an entry is made, lowered after it is gone.
    len: AtomicUsize,
    admitted_when_full: AtomicU64,
}

/// Enough that threads seldom meet; a set of shards fits a `u64`.
const SHARDS: usize = 64;
const CAPACITY_DEFAULT: usize = 1_000_000;
/// How often a call looks for room when others keep taking it.
const TRIES_MAX: usize = 4;

type Name = [u64; 2];

/// Nothing is removed but what has no debt, so a key that is absent is a key that may do everything.
#[derive(Default)]
struct Shard {
    states: HashMap<Name, i64, BuildHasherDefault<AlreadyHashed>>,
    /// Each entry once, by a time before which its debt cannot end: debts only grow (but for clocks set back), so
    /// the entry is put right when it comes to the top.
    ends: BinaryHeap<Reverse<(i64, Name)>>,
}

impl RateLimiter {
    /// With room for 1,000,000 keys, refusing new ones when full.
    pub fn new(quota: Quota) -> Self {
        let random = RandomState::new();
        let hasher = SipHasher13::new_with_keys(random.hash_one(0_u8), random.hash_one(1_u8));
        Self {
            quota,
            capacity: CAPACITY_DEFAULT,
            when_full: WhenFull::default(),
            own_hasher: with_quota(hasher, quota),
            hasher,
            shards: std::iter::repeat_with(Mutex::default).take(SHARDS).collect(),
            len: AtomicUsize::new(0),
            admitted_when_full: AtomicU64::new(0),
        }
    }

    /// With room for so many keys, at least one.
    #[must_use]
    pub fn capacity(self, keys: usize) -> Self {
        Self { capacity: keys.max(1), ..self }
    }

    /// What to do with a new key when there is no room.
    #[must_use]
    pub fn when_full(self, when_full: WhenFull) -> Self {
        Self { when_full, ..self }
    }

    /// Decides on a call that counts for `cost`; see [`gcra`].
    pub fn check(&self, key: &str, cost: u32, now: Timestamp) -> Decision {
        let name = name(self.own_hasher, key);
        if let Some(state) = self.shard(shard_of(name)).states.get_mut(&name) {
            let (after, decision) = gcra(*state, self.quota, cost, now);
            *state = after;
            return decision;
        }
        self.check_names(&[(self.quota, name)], cost, now)
    }

    /// The same for several quotas and keys at once, all or none, as [`QuotaStore::check_all`] says. This limiter's own
    /// quota counts only if it is among them.
    pub fn check_all(&self, requests: &[(Quota, &str)], cost: u32, now: Timestamp) -> Decision {
        let named: Vec<_> =
            requests.iter().map(|&(quota, key)| (quota, name(with_quota(self.hasher, quota), key))).collect();
        self.check_names(&named, cost, now)
    }

    /// Keys in memory, with those whose debt has ended but whose room nobody has needed yet.
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Whether no key is in memory.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls that passed without being counted, because there was no room and [`WhenFull::Admit`] was asked for.
    pub fn admitted_when_full(&self) -> u64 {
        self.admitted_when_full.load(Ordering::Relaxed)
    }

    fn check_names(&self, requests: &[(Quota, Name)], cost: u32, now: Timestamp) -> Decision {
        let mut earliest_end = None;
        for _ in 0..TRIES_MAX {
            match self.try_names(requests, cost, now, false) {
                Ok(decision) => return decision,
                Err(missing) => {
                    earliest_end = self.make_room(missing, now);
                    if earliest_end.is_some() {
                        break;
                    }
                }
            }
        }
        if self.when_full == WhenFull::Admit
            && let Ok(decision) = self.try_names(requests, cost, now, true)
        {
            return decision;
        }
        full(requests, now, earliest_end)
    }

    /// Charges all or none; `Err` with the number of entries for which there is no room, and then nothing is charged.
    /// `skip_new` charges only what is there.
    fn try_names(
        &self,
        requests: &[(Quota, Name)],
        cost: u32,
        now: Timestamp,
        skip_new: bool,
    ) -> Result<Decision, usize> {
        let mut shards = self.lock_all(requests);
        let mut decided: Vec<Decided> = Vec::with_capacity(requests.len());
        let mut overall: Option<Decision> = None;
        for &(quota, name) in requests {
            let stored = shards.of(name).and_then(|shard| shard.states.get(&name).copied());
            // The same key twice pays twice.
            let before = decided.iter().rev().find(|d| d.name == name).map(|d| d.after).or(stored);
            let (after, decision) = gcra(before.unwrap_or(i64::MIN), quota, cost, now);
            overall = Some(overall.map_or(decision, |first| first.and(decision)));
            decided.push(Decided { name, after, allowed: decision.allowed, is_new: stored.is_none() });
        }
        let overall = overall.unwrap_or(Decision::unlimited());
        if !overall.allowed {
            // Refused: nothing is paid, but a state that a clock left in the far future is put right.
            for refused in decided.iter().filter(|d| !d.allowed && !d.is_new) {
                if let Some(state) = shards.of(refused.name).and_then(|shard| shard.states.get_mut(&refused.name)) {
                    *state = (*state).min(refused.after);
                }
            }
            return Ok(overall);
        }
        let has_debt = |d: &&Decided| d.is_new && d.after > micros(now);
        let mut new_names: Vec<Name> = decided.iter().filter(has_debt).map(|d| d.name).collect();
        new_names.sort_unstable();
        new_names.dedup();
        if skip_new {
            if !new_names.is_empty() {
                self.admitted_when_full.fetch_add(1, Ordering::Relaxed);
            }
        } else if !self.reserve(new_names.len()) {
            return Err(new_names.len());
        }
        for d in &decided {
            let Some(shard) = shards.of(d.name) else { continue };
            match shard.states.get_mut(&d.name) {
                Some(state) => *state = d.after,
                None if !skip_new && new_names.contains(&d.name) => {
                    shard.states.insert(d.name, d.after);
                    shard.ends.push(Reverse((d.after, d.name)));
                }
                None => {}
            }
        }
        Ok(overall)
    }

    /// Counts new entries, all or none.
    fn reserve(&self, entries: usize) -> bool {
        let enough = |len: usize| len.checked_add(entries).filter(|len| *len <= self.capacity);
        self.len.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enough).is_ok()
    }

    /// Drops entries without debt until so many more fit; else says when the first debt may end.
    fn make_room(&self, entries: usize, now: Timestamp) -> Option<i64> {
        let now = micros(now);
        let mut earliest_end = i64::MAX;
        for index in 0..self.shards.len() {
            let mut shard = self.shard(index);
            loop {
                if self.len().saturating_add(entries) <= self.capacity {
                    return None;
                }
                match shard.drop_one(now) {
                    Ok(()) => _ = self.len.fetch_sub(1, Ordering::Relaxed),
                    Err(end) => {
                        earliest_end = earliest_end.min(end);
                        break;
                    }
                }
            }
        }
        Some(earliest_end)
    }

    fn shard(&self, index: usize) -> MutexGuard<'_, Shard> {
        self.shards[index % SHARDS].lock()
    }

    /// The shards of all names, locked in order, so that no two threads wait for each other.
    fn lock_all(&self, requests: &[(Quota, Name)]) -> Locked<'_> {
        let wanted = requests.iter().fold(0_u64, |set, (_, name)| set | 1 << shard_of(*name));
        Locked((0..SHARDS).filter(|index| wanted >> index & 1 == 1).map(|index| (index, self.shard(index))).collect())
    }
}

impl QuotaStore for RateLimiter {
    /// Never fails.
    fn check_all(&self, requests: &[(Quota, &str)], cost: u32, now: Timestamp) -> Result<Decision, StoreError> {
        Ok(Self::check_all(self, requests, cost, now))
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("quota", &self.quota)
            .field("capacity", &self.capacity)
            .field("when_full", &self.when_full)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl Shard {
    /// Drops an entry whose debt has ended; else says when the first may end (`i64::MAX` when empty). Putting a
    /// time right is paid for by the check that moved it: one push and pop for each at most.
    fn drop_one(&mut self, now: i64) -> Result<(), i64> {
        while let Some(Reverse((end, name))) = self.ends.peek().copied() {
            if end > now {
                return Err(end);
            }
            self.ends.pop();
            match self.states.get(&name) {
                Some(&state) if state > now => self.ends.push(Reverse((state, name))),
                _ => {
                    self.states.remove(&name);
                    return Ok(());
                }
            }
        }
        Err(i64::MAX)
    }
}

/// The refusal for want of room. Another try makes sense when the first debt has ended; never, if not even an
/// empty limiter had room for all the keys.
fn full(requests: &[(Quota, Name)], now: Timestamp, earliest_end: Option<i64>) -> Decision {
    let wait = whole_millis(earliest_end.unwrap_or(0).saturating_sub(micros(now))).max(Duration::from_millis(1));
    let never = earliest_end == Some(i64::MAX);
    let strictest = requests.iter().map(|(quota, _)| quota).min_by_key(|quota| quota.limit());
    Decision {
        allowed: false,
        code: Some(Code::LimiterFull),
        remaining: 0,
        retry_after: if never { None } else { Some(wait) },
        reset_after: if never { Duration::ZERO } else { wait },
        limit: strictest.map_or(u32::MAX, |quota| quota.limit()),
        period: strictest.map_or(Duration::ZERO, |quota| quota.period()),
    }
}

struct Decided {
    name: Name,
    after: i64,
    allowed: bool,
    is_new: bool,
}

struct Locked<'a>(Vec<(usize, MutexGuard<'a, Shard>)>);

impl Locked<'_> {
    fn of(&mut self, name: Name) -> Option<&mut Shard> {
        self.0.iter_mut().find(|(index, _)| *index == shard_of(name)).map(|(_, shard)| &mut **shard)
    }
}

/// A key counts on its own under each quota: a state means nothing under another.
fn with_quota(mut hasher: SipHasher13, quota: Quota) -> SipHasher13 {
    quota.hash(&mut hasher);
    hasher
}

/// Two keys share a name with a chance of one in 2^128: nobody will meet one, and nobody can look for one.
fn name(mut hasher: SipHasher13, key: &str) -> Name {
    hasher.write(key.as_bytes());
    let hash = hasher.finish128();
    [hash.h1, hash.h2]
}

/// From the half that the maps do not use.
fn shard_of(name: Name) -> usize {
    usize::try_from(name[1] % SHARDS as u64).unwrap_or(0)
}

/// Passes the first half of a [`Name`] through: it is a hash already.
#[derive(Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn write(&mut self, bytes: &[u8]) {
        // Arrays of integers are hashed as bytes at once.
        self.0 = bytes.first_chunk().map_or(0, |first| u64::from_ne_bytes(*first));
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    fn per_second(limit: u32) -> Quota {
        Quota::new(limit, Duration::from_secs(1))
    }

    #[test]
    fn keys_do_not_share_and_quotas_neither() {
        let limiter = RateLimiter::new(per_second(1));
        assert!(limiter.check("a", 1, at(0)).allowed);
        assert!(!limiter.check("a", 1, at(0)).allowed);
        assert!(limiter.check("b", 1, at(0)).allowed);
        assert!(!limiter.check_all(&[(per_second(1), "a")], 1, at(0)).allowed, "the same quota is the same state");
        assert!(limiter.check_all(&[(per_second(2), "a")], 2, at(0)).allowed, "another is not");
        assert!(limiter.check("a", 1, at(1000)).allowed);
        assert_eq!(limiter.len(), 3);
        assert_eq!(limiter.check_all(&[], 1, at(0)), Decision::unlimited());
    }

    #[test]
    fn what_is_refused_or_free_takes_no_room() {
        let limiter = RateLimiter::new(per_second(1));
        assert!(!limiter.check("a", 2, at(0)).allowed);
        assert!(limiter.check("b", 0, at(0)).allowed);
        assert!(limiter.is_empty());
    }

    #[test]
    fn all_or_nothing() {
        let limiter = RateLimiter::new(per_second(1));
        let (ip, player) = ((per_second(5), "ip:1"), (per_second(2), "player:a"));
        let both = limiter.check_all(&[ip, player], 1, at(0));
        assert_eq!((both.allowed, both.limit, both.remaining), (true, 2, 1), "the one with less left");
        assert!(limiter.check_all(&[ip, player], 1, at(0)).allowed);
        let refused = limiter.check_all(&[ip, player], 1, at(0));
        assert_eq!((refused.allowed, refused.retry_after), (false, Some(Duration::from_millis(500))));
        let other = (per_second(2), "player:b");
        assert_eq!(limiter.check_all(&[ip, other], 1, at(0)).remaining, 1);
        assert_eq!(limiter.check_all(&[ip], 0, at(0)).remaining, 2, "three of five: the refused call was free");
        assert_eq!(limiter.check_all(&[ip, ip], 1, at(0)).remaining, 0, "the same twice pays twice");
        assert!(!limiter.check_all(&[ip, ip], 1, at(200)).allowed);
        assert_eq!(limiter.check_all(&[ip], 0, at(200)).remaining, 1);
    }

    #[test]
    fn a_full_limiter_refuses_or_admits() {
        for when_full in [WhenFull::Refuse, WhenFull::Admit] {
            let limiter = RateLimiter::new(per_second(1)).capacity(100).when_full(when_full);
            for n in 0..100 {
                assert!(limiter.check(&n.to_string(), 1, at(n)).allowed);
            }
            for n in 100..200 {
                let decision = limiter.check(&n.to_string(), 1, at(500));
                assert_eq!(decision.allowed, when_full == WhenFull::Admit);
                if when_full == WhenFull::Refuse {
                    assert_eq!(decision.code, Some(Code::LimiterFull));
                    assert_eq!(decision.retry_after, Some(Duration::from_millis(500)), "the first debt ends at 1000");
                }
            }
            assert_eq!(limiter.admitted_when_full(), if when_full == WhenFull::Admit { 100 } else { 0 });
            assert!(!limiter.check("99", 1, at(500)).allowed, "who is known is still counted");
            // From 1000 on, one key a millisecond has no debt any more.
            assert_eq!(limiter.check("x", 1, at(999)).allowed, when_full == WhenFull::Admit);
            assert!(limiter.check("x", 1, at(1000)).allowed);
            assert_eq!(limiter.check("y", 1, at(1000)).allowed, when_full == WhenFull::Admit);
            assert!(limiter.check("y", 1, at(1001)).allowed);
            assert!(!limiter.check("x", 1, at(1001)).allowed);
            assert_eq!(limiter.len(), 100);
        }
    }

    #[test]
    fn all_or_nothing_when_full() {
        let limiter = RateLimiter::new(per_second(1)).capacity(2);
        let known = (per_second(3), "known");
        assert!(limiter.check_all(&[known], 1, at(0)).allowed);
        let two_new = [known, (per_second(1), "a"), (per_second(1), "b")];
        assert_eq!(limiter.check_all(&two_new, 1, at(0)).code, Some(Code::LimiterFull));
        assert_eq!(limiter.check_all(&[known], 0, at(0)).remaining, 2, "nothing was paid");
        assert!(limiter.check_all(&two_new[..2], 1, at(0)).allowed);
        assert_eq!(limiter.len(), 2);
    }

    /// However many keys, however their debts end: the heap and the map hold the same entries, never too many.
    #[test]
    fn memory_is_bounded() {
        let limiter = RateLimiter::new(per_second(10)).capacity(500);
        let mut passed = 0;
        for n in 0_i64..20_000 {
            let key = (n * 7919 % 3001).to_string();
            passed += u32::from(limiter.check(&key, 1 + u32::from(n % 3 == 0), at(n / 2)).allowed);
            if n % 1000 == 0 {
                let shards = limiter.shards.iter().map(Mutex::lock);
                let (states, ends) =
                    shards.fold((0, 0), |sum, shard| (sum.0 + shard.states.len(), sum.1 + shard.ends.len()));
                assert!(states <= 500 && ends == states && limiter.len() == states, "{states} {ends}");
            }
        }
        assert!(passed > 10_000, "{passed}");
    }

    #[test]
    fn a_clock_set_back_is_forgiven_in_the_store_too() {
        let limiter = RateLimiter::new(per_second(1));
        assert!(limiter.check_all(&[(per_second(1), "a")], 1, at(1_000_000)).allowed);
        let refused = limiter.check_all(&[(per_second(1), "a")], 1, at(0));
        assert_eq!(refused.retry_after, Some(Duration::from_secs(1)));
        assert!(limiter.check_all(&[(per_second(1), "a")], 1, at(1000)).allowed);
    }

    #[test]
    fn threads_never_exceed_the_limit() {
        let quota = per_second(100);
        let limiter = RateLimiter::new(quota).capacity(64);
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|thread| {
                    let limiter = &limiter;
                    scope.spawn(move || {
                        let call = |n: usize| match (n + thread) % 2 {
                            0 => limiter.check("one", 1, at(0)),
                            _ => limiter.check_all(&[(quota, "one"), (per_second(50_000), "all")], 1, at(0)),
                        };
                        (0..2000).filter(|n| call(*n).allowed).count()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(passed, 100);

        // Many new keys for little room: each passes at most once, and no more than fit.
        let small = RateLimiter::new(per_second(1)).capacity(10);
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..200).filter(|n| small.check(&n.to_string(), 1, at(0)).allowed).count()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!((passed, small.len()), (10, 10));
    }
}
