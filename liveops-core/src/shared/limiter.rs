//! Quotas for many keys and threads.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::MutexGuard;

use super::debt::{Debt, Intervals};
use super::name::{Mark, Name, Names};
use super::table::{Lapsed, Shard, Table};
use super::{CAPACITY_DEFAULT, WhenFull, full};
use crate::error::StoreError;
use crate::quota::{Decision, Quota, QuotaStore, STEP_BACK_MAX, charge, micros};
use crate::time::Timestamp;

/// One quota for many keys, checked by many threads.
///
/// # Memory
///
/// A key takes 16 bytes, whatever its length: a hash and a time. All in all a limiter takes 19 bytes a key of its
/// capacity and 2 KiB once it is full, and never more than 37 while it grows. It begins small. A key without debt makes
/// room for a new one.
///
/// # When a new key is refused
///
/// From a capacity of 4,096 on, the room is divided into shares of at least 2,048 keys, a power of two and at most 1,024
/// of them, and a key belongs to one. A call under a new key is refused with `limiter_full`, or admitted uncounted (see
/// [`WhenFull`]), when its share is full and no key without debt is found where the new one belongs, nor among the next
/// 32 buckets of four, counted from where the last such call stopped; and once all were looked through, none is looked
/// at until the first debt may have ended. So no call is dear, whoever makes up keys. The first share is full when the
/// whole is at 93 to 97 %. A smaller limiter is one share and takes exactly as many keys as its capacity says; up to 112
/// keys are looked through as a whole.
///
/// # Which keys count together
///
/// A key counts on its own under each name of a quota ([`Quota::named`]). When the numbers of that name change, by
/// [`Self::replace`] or because [`Self::check_all`] is asked with others, as many calls as were owed are still owed. That
/// needs the interval by which each debt was counted; a limiter knows 127 different ones, and what is counted by others is
/// owed for as long as before.
///
/// Keys are told apart by a 64-bit hash (SipHash-1-3) with a secret of this limiter. That any two of ten million keys
/// count as one has a chance of less than one in 300,000, and nobody can look for two that do.
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
    capacity: usize,
    when_full: WhenFull,
    names: Names,
    /// Of our own quota, whose numbers the shards have.
    name: u64,
    mark: Mark,
    intervals: Box<Intervals>,
    table: Table<Debt>,
    admitted_when_full: AtomicU64,
}

impl RateLimiter {
    /// With room for 1,000,000 keys, refusing new ones when full.
    pub fn new(quota: Quota) -> Self {
        let names = Names::new();
        Self {
            capacity: CAPACITY_DEFAULT,
            when_full: WhenFull::default(),
            name: quota.name(),
            mark: names.mark(quota),
            names,
            intervals: Box::new(Intervals::new()),
            table: Table::new(CAPACITY_DEFAULT, quota),
            admitted_when_full: AtomicU64::new(0),
        }
    }

    /// With room for so many keys, at least one; it begins with none.
    #[must_use]
    pub fn capacity(self, keys: usize) -> Self {
        let quota = self.table.shard(0).rule();
        Self { capacity: keys.max(1), table: Table::new(keys, quota), ..self }
    }

    /// What to do with a new key when there is no room.
    #[must_use]
    pub fn when_full(self, when_full: WhenFull) -> Self {
        Self { when_full, ..self }
    }

    /// Other numbers for our own quota from now on, at any time; its name stays. What was used still counts for each key.
    pub fn replace(&self, quota: Quota) {
        self.table.set_rule(quota);
    }

    /// Decides on a call that counts for `cost`; see [`gcra`](crate::quota::gcra).
    pub fn check(&self, key: &str, cost: u32, now: Timestamp) -> Decision {
        self.check_name(None, self.names.of(key).under(self.mark), cost, now)
    }

    /// The same for several quotas and keys at once, all or none, as [`QuotaStore::check_all`] says. This limiter's own
    /// quota counts only if it is among them. Up to four requests are decided without allocating.
    pub fn check_all(&self, requests: &[(Quota, &str)], cost: u32, now: Timestamp) -> Decision {
        match requests {
            [] => Decision::unlimited(),
            [(quota, key)] => self.check_name(Some(*quota), self.names.of(key).under(self.mark_of(*quota)), cost, now),
            few if few.len() <= FEW => {
                let (mut pending, mut locked) = ([Pending::default(); FEW], [const { None }; FEW]);
                self.check_several(few, &mut pending[..few.len()], &mut locked[..few.len()], cost, now)
            }
            many => {
                let mut locked: Vec<_> = std::iter::repeat_with(|| None).take(many.len()).collect();
                self.check_several(many, &mut vec![Pending::default(); many.len()], &mut locked, cost, now)
            }
        }
    }

    /// Keys in memory, with those whose debt has ended but whose room nobody has needed yet.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether no key is in memory.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls that passed without being counted, because there was no room and [`WhenFull::Admit`] was asked for.
    pub fn admitted_when_full(&self) -> u64 {
        self.admitted_when_full.load(Ordering::Relaxed)
    }

    fn mark_of(&self, quota: Quota) -> Mark {
        if quota.name() == self.name { self.mark } else { self.names.mark(quota) }
    }

    /// Under a quota, or our own.
    #[inline]
    fn check_name(&self, quota: Option<Quota>, name: Name, cost: u32, now: Timestamp) -> Decision {
        let now = micros(now);
        let mut shard = self.table.shard(self.table.shard_of(name));
        let quota = quota.unwrap_or(shard.rule());
        let place = self.intervals.place(quota);
        let Some(debt) = shard.get(name.tag) else {
            return self.check_new(&mut shard, (quota, place), name, cost, now);
        };
        let (after, charge) = charge(self.intervals.carry(*debt, quota, place, now), quota, cost, now);
        let (before, after) = (debt.state(), Debt::new(after, place));
        *debt = after;
        // Looser numbers, or a clock that was set back far: a full shard must not wait for what was owed before.
        if after.state() < before {
            shard.note(&after);
        }
        drop(shard);
        charge.decision(quota)
    }

    /// Apart, so that the way of those who are there stays short.
    #[cold]
    #[inline(never)]
    fn check_new(
        &self,
        shard: &mut Shard<Debt>,
        (quota, place): (Quota, u8),
        name: Name,
        cost: u32,
        now: i64,
    ) -> Decision {
        let (after, charge) = charge(i64::MIN, quota, cost, now);
        let decision = charge.decision(quota);
        if after <= now {
            // Refused or free: nothing to remember.
            return decision;
        }
        match shard.insert(name.tag, Debt::new(after, place), lapsed(now)) {
            Ok(()) => decision,
            Err(earliest) => self.without_room(decision, Some(earliest), now),
        }
    }

    /// Room for each request is given, so that callers with few of them need not allocate.
    fn check_several<'a>(
        &'a self,
        requests: &[(Quota, &str)],
        pending: &mut [Pending],
        locked: &mut [Option<Locked<'a>>],
        cost: u32,
        now: Timestamp,
    ) -> Decision {
        let now = micros(now);
        for (pending, (quota, key)) in pending.iter_mut().zip(requests) {
            pending.name = self.names.of(key).under(self.mark_of(*quota));
            pending.shard = self.table.shard_of(pending.name);
        }
        self.lock_all(pending, locked);

        let mut overall: Option<Decision> = None;
        for (at, (quota, _)) in requests.iter().enumerate() {
            let Pending { name, shard, .. } = pending[at];
            let stored = of(locked, shard).get(name.tag).copied();
            // The same key twice pays twice.
            let earlier = pending[..at].iter().rev().find(|earlier| earlier.name == name);
            let (paid, unpaid) = earlier.map_or((stored, stored), |e| (Some(e.after), Some(e.unpaid)));
            let place = self.intervals.place(*quota);
            let state = |debt: Option<Debt>| debt.map_or(i64::MIN, |d| self.intervals.carry(d, *quota, place, now));
            let (after, charged) = charge(state(paid), *quota, cost, now);
            let decision = charged.decision(*quota);
            let unpaid = charge(state(unpaid), *quota, 0, now).0;
            (pending[at].stored, pending[at].after) = (stored, debt(after, place));
            pending[at].unpaid = debt(unpaid, place);
            overall = Some(overall.map_or(decision, |first| first.and(decision)));
        }
        let decision = overall.unwrap_or(Decision::unlimited());
        if !decision.allowed {
            // Nothing is paid, but what other numbers or a clock in the far future left is put right.
            for refused in &*pending {
                _ = of(locked, refused.shard).put(refused.name.tag, refused.unpaid);
            }
            return decision;
        }
        // Those that are there first: with a debt, they do not make room for the others.
        for known in pending.iter().filter(|p| p.stored.is_some()) {
            _ = of(locked, known.shard).put(known.name.tag, known.after);
        }
        let mut full = None;
        for new in pending.iter().filter(|p| p.stored.is_none() && p.after.state() > now) {
            let shard = of(locked, new.shard);
            if shard.put(new.name.tag, new.after) {
                continue;
            }
            if let Err(earliest) = shard.insert(new.name.tag, new.after, lapsed(now)) {
                let names = pending.iter().filter(|p| p.shard == new.shard && p.stored.is_none()).count();
                // Waiting does not help where even an empty share had no room.
                full = Some(if names > shard.capacity() { None } else { Some(earliest) });
                if self.when_full == WhenFull::Refuse {
                    break;
                }
            }
        }
        let Some(earliest) = full else { return decision };
        if self.when_full == WhenFull::Refuse {
            for undone in &*pending {
                let shard = of(locked, undone.shard);
                match (undone.stored, shard.get(undone.name.tag)) {
                    (Some(before), Some(state)) => *state = before,
                    (None, Some(_)) => shard.remove(undone.name.tag),
                    (_, None) => {}
                }
            }
        }
        self.without_room(decision, earliest, now)
    }

    /// Locks the shards of all names in order, so that no two threads wait for each other.
    fn lock_all<'a>(&'a self, pending: &[Pending], locked: &mut [Option<Locked<'a>>]) {
        let mut least = 0;
        for slot in locked {
            let Some(shard) = pending.iter().map(|p| p.shard).filter(|shard| *shard >= least).min() else { return };
            *slot = Some((shard, self.table.shard(shard)));
            least = shard + 1;
        }
    }

    /// What is answered where the decision could not be kept; `earliest` says when there may be room.
    fn without_room(&self, decision: Decision, earliest: Option<i64>, now: i64) -> Decision {
        if self.when_full == WhenFull::Admit {
            self.admitted_when_full.fetch_add(1, Ordering::Relaxed);
            return decision;
        }
        full(decision, earliest, now)
    }
}

/// Requests that are decided without allocating.
const FEW: usize = 4;

/// A request on its way.
#[derive(Clone, Copy, Debug, Default)]
struct Pending {
    name: Name,
    shard: usize,
    stored: Option<Debt>,
    /// If all of the call is paid.
    after: Debt,
    /// If none of it is.
    unpaid: Debt,
}

/// A state that [`charge`] returned; that of a key never called is the least.
const fn debt(state: i64, place: u8) -> Debt {
    if state == i64::MIN { Debt::NONE } else { Debt::new(state, place) }
}

type Locked<'a> = (usize, MutexGuard<'a, Shard<Debt>>);

/// A shard that was locked.
fn of<'s>(locked: &'s mut [Option<Locked<'_>>], shard: usize) -> &'s mut Shard<Debt> {
    match locked.iter_mut().flatten().find(|(index, _)| *index == shard) {
        Some((_, guard)) => guard,
        None => unreachable!("the shards of all names are locked"),
    }
}

impl QuotaStore for RateLimiter {
    /// Never fails.
    fn check_all(&self, requests: &[(Quota, &str)], cost: u32, now: Timestamp) -> Result<Decision, StoreError> {
        Ok(Self::check_all(self, requests, cost, now))
    }
}

const fn lapsed(now: i64) -> Lapsed {
    Lapsed { now, grace: STEP_BACK_MAX }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("quota", &self.table.shard(0).rule())
            .field("capacity", &self.capacity)
            .field("when_full", &self.when_full)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::error::Code;

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
        assert!(limiter.check_all(&[(per_second(2).named("other"), "a")], 2, at(0)).allowed, "another is not");
        assert!(limiter.check("a", 1, at(1000)).allowed);
        assert_eq!(limiter.len(), 3);
        assert_eq!(limiter.check_all(&[], 1, at(0)), Decision::unlimited());
    }

    /// What a full limiter found out of ends holds until then, and looser numbers let debts end sooner.
    #[test]
    fn under_looser_numbers_a_full_limiter_has_room_as_soon_as_debts_end() {
        let day = |limit| Quota::new(limit, Duration::from_secs(86_400));
        let second = |s: i64| at(s * 1000);
        for several in [false, true] {
            let limiter = RateLimiter::new(day(1)).capacity(200);
            let check = |quota: Quota, key: &str, now| {
                if several { limiter.check_all(&[(quota, key)], 1, now) } else { limiter.check(key, 1, now) }
            };
            let keys: Vec<_> = (0..200).map(|key| key.to_string()).collect();
            assert!(keys.iter().all(|key| check(day(1), key, second(0)).allowed));
            limiter.replace(day(86_400));
            let looser = day(86_400);
            assert!((0..9).all(|new| !check(looser, &format!("early {new}"), second(2)).allowed));
            assert!(keys.iter().all(|key| check(looser, key, second(3)).allowed));
            assert!(check(looser, "late", second(10)).allowed, "several: {several}");
        }
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
            let limiter = RateLimiter::new(per_second(1)).capacity(112).when_full(when_full);
            for n in 0..112 {
                assert!(limiter.check(&n.to_string(), 1, at(n)).allowed);
            }
            for n in 200..300 {
                let decision = limiter.check(&n.to_string(), 1, at(500));
                assert_eq!(decision.allowed, when_full == WhenFull::Admit);
                if when_full == WhenFull::Refuse {
                    assert_eq!(decision.code, Some(Code::LimiterFull));
                    assert_eq!(decision.retry_after, Some(Duration::from_millis(500)), "the first debt ends at 1000");
                }
            }
            assert_eq!(limiter.admitted_when_full(), if when_full == WhenFull::Admit { 100 } else { 0 });
            assert!(!limiter.check("111", 1, at(500)).allowed, "who is known is still counted");
            // From 1000 on, one key a millisecond has no debt any more.
            assert_eq!(limiter.check("x", 1, at(999)).allowed, when_full == WhenFull::Admit);
            assert!(limiter.check("x", 1, at(1000)).allowed);
            assert_eq!(limiter.check("y", 1, at(1000)).allowed, when_full == WhenFull::Admit);
            assert!(limiter.check("y", 1, at(1001)).allowed);
            assert!(!limiter.check("x", 1, at(1001)).allowed);
            assert_eq!(limiter.len(), 112);
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
        // What a larger limiter takes sooner or later, this one never will.
        let three_new = ["x", "y", "z"].map(|key| (per_second(1), key));
        let never = limiter.check_all(&three_new, 1, at(500_000));
        assert_eq!((never.code, never.retry_after), (Some(Code::LimiterFull), None));
        assert!(limiter.check_all(&three_new[..2], 1, at(500_000)).allowed);
    }

    /// As one by one, in their order, but nothing is kept of a call that is refused: more requests than are kept on the
    /// stack, some twice.
    #[test]
    fn several_at_once_are_as_many_one_by_one() {
        for seed in 0..100 {
            let mut random = crate::quota::tests::SplitMix64(seed);
            let quotas = [per_second(3), Quota::new(10, Duration::from_secs(5)).burst(4), per_second(7)];
            let keys = ["a", "b", "c", "d"];
            let limiter = RateLimiter::new(quotas[0]);
            let mut states = BTreeMap::new();
            let mut now = 1_000_000_i64;
            for step in 0..300 {
                now += i64::try_from(random.below(300)).unwrap();
                // Now and then by another clock, that is a little behind.
                let now = now - i64::try_from(random.below(9) / 8 * random.below(1000)).unwrap();
                let mut pick = |len: usize| usize::try_from(random.below(len as u64)).unwrap();
                let requests: Vec<_> = (0..pick(8)).map(|_| (quotas[pick(3)], keys[pick(4)])).collect();
                let cost = u32::try_from(random.below(3)).unwrap();
                let (mut paid, mut unpaid) = (states.clone(), states.clone());
                let mut wanted: Option<Decision> = None;
                for (quota, key) in &requests {
                    let ask = |states: &mut BTreeMap<_, _>, cost| {
                        let left: &mut (i64, Duration) =
                            states.entry((quota.name(), *key)).or_insert((i64::MIN, quota.interval()));
                        let state = quota.carry(left.0, left.1, at(now));
                        let (next, decision) = crate::quota::gcra(state, *quota, cost, at(now));
                        *left = (next, quota.interval());
                        decision
                    };
                    let decision = ask(&mut paid, cost);
                    _ = ask(&mut unpaid, 0);
                    wanted = Some(wanted.map_or(decision, |first| first.and(decision)));
                }
                let wanted = wanted.unwrap_or(Decision::unlimited());
                states = if wanted.allowed { paid } else { unpaid };
                assert_eq!(limiter.check_all(&requests, cost, at(now)), wanted, "seed {seed}, step {step}");
            }
        }
    }

    /// A bucket whose numbers change: it leaks at the rate of the last call, and what is in it stays, call by call, but for
    /// what a smaller one does not hold. Never more than that passes, and less by no more than the rounding.
    #[test]
    fn what_was_used_counts_under_new_numbers() {
        const CALL: i128 = 1_000_000_000_000_000_000;
        for seed in 0..200 {
            let mut random = crate::quota::tests::SplitMix64(seed);
            let numbers = [10, 100, 1000, 7, 1001].map(|limit| {
                let burst = 1 + u32::try_from(random.below(u64::from(limit))).unwrap();
                Quota::new(limit, Duration::from_secs(100)).burst(burst)
            });
            let limiter = RateLimiter::new(numbers[0]);
            let (mut level, mut interval) = (0_i128, numbers[0].interval());
            let (mut quota, mut now) = (numbers[0], 0_i64);
            for step in 0..400 {
                if random.below(10) == 0 {
                    quota = numbers[usize::try_from(random.below(5)).unwrap()];
                    limiter.replace(quota);
                }
                let passed = i64::try_from(random.below(2) * random.below(5000)).unwrap();
                now += passed;
                level =
                    (level - i128::from(passed) * 1000 * CALL / i128::try_from(interval.as_micros()).unwrap()).max(0);
                let burst = i128::from(quota.max_burst()) * CALL;
                if interval != quota.interval() {
                    (level, interval) = (level.min(burst), quota.interval());
                }
                let cost = u32::try_from(random.below(4)).unwrap();
                let decision = match random.below(2) {
                    0 => limiter.check("a", cost, at(now)),
                    _ => limiter.check_all(&[(quota, "a")], cost, at(now)),
                };
                let after = level + i128::from(cost) * CALL;
                // A carried debt is rounded up by less than a microsecond, of which a call has ninety thousand or more.
                let rounding = CALL / 100;
                assert!(after <= burst || !decision.allowed, "seed {seed}, step {step}: too much");
                assert!(after > burst - rounding || decision.allowed, "seed {seed}, step {step}: too little");
                level = if decision.allowed { after } else { level };
            }
        }
    }

    /// Both numbers that it was found with: as many calls as were owed are owed, alone and among several.
    #[test]
    fn a_quota_lowered_or_raised_forgets_nothing() {
        let daily = |limit: u32| Quota::new(limit, Duration::from_secs(86_400));
        for several in [false, true] {
            for (limit, more, wait) in [(10, 0, 8_640_000), (1001, 1, 86_314)] {
                let limiter = RateLimiter::new(daily(1000));
                let check = |quota: Quota, cost| {
                    let also = (per_second(1_000_000), "ip");
                    if several {
                        return limiter.check_all(&[(quota, "ana"), also], cost, at(0));
                    }
                    limiter.replace(quota);
                    limiter.check("ana", cost, at(0))
                };
                assert!(check(daily(1000), 1000).allowed);
                assert_eq!((0..20).filter(|_| check(daily(limit), 1).allowed).count(), more, "{limit}");
                assert_eq!(check(daily(limit), 1).retry_after, Some(Duration::from_millis(wait)), "{limit}");
            }
        }
    }

    /// However many keys, however their debts end.
    #[test]
    fn keys_are_bounded() {
        let limiter = RateLimiter::new(per_second(10)).capacity(500);
        let mut passed = 0;
        for n in 0_i64..20_000 {
            let key = (n * 7919 % 3001).to_string();
            passed += u32::from(limiter.check(&key, 1 + u32::from(n % 3 == 0), at(n / 2)).allowed);
            assert!(limiter.len() <= 500);
        }
        assert!(passed > 10_000, "{passed}");
    }

    #[test]
    fn a_clock_set_back_is_forgiven_in_the_store_too() {
        let requests = [(per_second(1), "a"), (per_second(2), "b")];
        for requests in [&requests[..1], &requests] {
            let limiter = RateLimiter::new(per_second(1));
            assert!(limiter.check_all(requests, 1, at(1_000_000)).allowed);
            let refused = limiter.check_all(requests, 1, at(0));
            assert_eq!(refused.retry_after, Some(Duration::from_secs(1)));
            assert!(limiter.check_all(requests, 1, at(1000)).allowed);
        }
    }

    #[test]
    fn two_hundred_calls_at_once() {
        let limiter = RateLimiter::new(per_second(100));
        assert_eq!((0..200).filter(|_| limiter.check("a", 1, at(0)).allowed).count(), 100);
        assert!(limiter.check("b", 100, at(0)).allowed);
        assert!(!limiter.check("b", 1, at(0)).allowed);
    }

    /// What eight threads may do between them, some of them with several quotas at once: a burst, to the call.
    #[test]
    fn threads_admit_exactly_the_burst() {
        for round in 0..20 {
            let quota = Quota::new(1000, Duration::from_secs(1)).burst(100);
            let limiter = RateLimiter::new(quota).capacity(5000);
            let passed: usize = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..8)
                    .map(|thread| {
                        let limiter = &limiter;
                        let call = move |n: usize| match (n + thread) % 4 {
                            0 => limiter.check_all(&[(per_second(50_000), "all"), (quota, "one")], 1, at(round)),
                            1 => limiter.check_all(&[(quota, "one")], 1, at(round)),
                            _ => limiter.check("one", 1, at(round)),
                        };
                        // New keys make the tables grow meanwhile.
                        let other = move |n: usize| limiter.check(&format!("{thread} {n}"), 1, at(round)).allowed;
                        scope.spawn(move || (0..300).filter(|n| other(*n) && call(*n).allowed).count())
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).sum()
            });
            assert_eq!(passed, 100, "round {round}");
        }
    }

    #[test]
    fn threads_never_take_more_room_than_there_is() {
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
