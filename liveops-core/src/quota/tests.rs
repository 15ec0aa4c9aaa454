use super::*;

pub(crate) struct SplitMix64(pub(crate) u64);

impl SplitMix64 {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn cost(&mut self, quota: Quota) -> u32 {
        u32::try_from(self.below(u64::from(quota.max_burst()) + 2)).unwrap()
    }
}

pub(super) fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

pub(super) fn millis(span: Duration) -> i64 {
    span.as_millis().try_into().unwrap()
}

/// The leaky bucket as a book would have it: a level that falls by `limit` every `period`, in exact fractions. One
/// unit of `level` is one call divided by `period`, so that a microsecond leaks `limit` units.
struct Bucket {
    level: u128,
    time: u128,
    period: u128,
}

impl Bucket {
    fn check(&mut self, quota: Quota, cost: u32, now: u128) -> bool {
        let leaked = (now - self.time) * u128::from(quota.limit());
        self.level = self.level.saturating_sub(leaked);
        self.time = now;
        let price = u128::from(cost) * self.period;
        let fits = self.level + price <= u128::from(quota.max_burst()) * self.period;
        self.level += if fits { price } else { 0 };
        fits
    }
}

/// Whole intervals: every decision is that of the book. Others: never more than the book, and less by no more than a
/// microsecond for each call.
#[test]
fn gcra_is_the_leaky_bucket() {
    for seed in 0..300 {
        let mut random = SplitMix64(seed);
        let limit = 1 + random.below(50);
        let whole = seed % 2 == 0;
        let period = if whole { limit * (1 + random.below(300_000)) } else { 1 + random.below(10_000_000) };
        let burst = 1 + random.below(20);
        let quota =
            Quota::new(limit.try_into().unwrap(), Duration::from_micros(period)).burst(burst.try_into().unwrap());
        let mut now = random.below(1 << 42);
        let mut bucket = Bucket { level: 0, time: u128::from(now) * 1000, period: period.into() };
        let mut state = i64::MIN;
        let mut passed = 0;
        for step in 0..500 {
            now += random.below(2) * random.below(2 * period.div_ceil(1000));
            let cost = random.cost(quota);
            let time = at(now.try_into().unwrap());
            let (after, decision) = gcra(state, quota, cost, time);
            if whole {
                let wanted = bucket.check(quota, cost, u128::from(now) * 1000);
                assert_eq!(decision.allowed, wanted, "seed {seed}, step {step}");
                let room = u128::from(burst) * bucket.period - bucket.level;
                assert_eq!(u128::from(decision.remaining), room / bucket.period, "seed {seed}, step {step}");
            } else if decision.allowed {
                assert!(bucket.check(quota, cost, u128::from(now) * 1000), "seed {seed}, step {step}: too much");
                passed += u128::from(cost);
                let exact = bucket.level / u128::from(limit);
                let debt = u128::try_from(after.saturating_sub(micros(time)).max(0)).unwrap();
                assert!((exact..=exact + passed + 1).contains(&debt), "seed {seed}, step {step}: {exact} {debt}");
            }
            if !decision.allowed
                && let Some(wait) = decision.retry_after
            {
                assert!(gcra(after, quota, cost, time.plus_millis(millis(wait))).1.allowed, "seed {seed}");
                assert!(!gcra(after, quota, cost, time.plus_millis(millis(wait) - 1)).1.allowed, "seed {seed}");
                assert_eq!(after, state, "seed {seed}: a refused call costs nothing");
            }
            assert_eq!(decision.retry_after.is_none(), decision.allowed || cost > quota.max_burst());
            assert_eq!(decision.code.is_none(), decision.allowed);
            let reset = time.plus_millis(millis(decision.reset_after));
            assert_eq!(gcra(after, quota, 0, reset).1.remaining, quota.max_burst(), "seed {seed}");
            state = after;
        }
    }
}

#[test]
fn the_burst_then_the_rate() {
    let quota = Quota::new(60, Duration::from_secs(60)).burst(3);
    let (mut state, mut seen) = (i64::MIN, Vec::new());
    for _ in 0..4 {
        let (after, decision) = gcra(state, quota, 1, at(0));
        state = after;
        seen.push((decision.allowed, decision.remaining, decision.retry_after, decision.reset_after.as_secs()));
    }
    let wait = Some(Duration::from_secs(1));
    assert_eq!(seen, [(true, 2, None, 1), (true, 1, None, 2), (true, 0, None, 3), (false, 0, wait, 3)]);
    assert!(!gcra(state, quota, 1, at(999)).1.allowed);
    assert!(gcra(state, quota, 1, at(1000)).1.allowed);
    assert_eq!(gcra(state, quota, 4, at(i64::MAX)).1.retry_after, None, "more than a burst");
    assert_eq!(gcra(state, quota, 4, at(i64::MAX)).1.remaining, 3);
}

#[test]
fn a_clock_that_runs_back() {
    let quota = Quota::new(10, Duration::from_millis(10)).burst(10);
    let full = gcra(i64::MIN, quota, 10, at(50_000)).0;
    // A little: nothing is forgiven, however often the clock goes to and fro.
    let mut state = full;
    for _ in 0..100 {
        let (after, decision) = gcra(state, quota, 1, at(49_500));
        assert!(!decision.allowed && decision.remaining == 0);
        assert_eq!(decision.retry_after, Some(Duration::from_millis(501)));
        let (after, decision) = gcra(after, quota, 1, at(50_000));
        assert!(!decision.allowed);
        state = after;
    }
    assert_eq!(state, full);
    // By much: a burst's debt remains, and the wait that is promised is kept.
    let (after, decision) = gcra(full, quota, 1, at(0));
    assert_eq!((decision.allowed, decision.retry_after), (false, Some(Duration::from_millis(1))));
    assert_eq!(decision.reset_after, Duration::from_millis(10));
    assert!(gcra(after, quota, 1, at(1)).1.allowed);
}

/// Steps back of every size, at every debt: a wait grows by the step, and by no more than a second over a burst.
#[test]
fn a_step_back_adds_no_more_than_itself() {
    for (quota, paid) in [(Quota::new(1, Duration::from_secs(60)), 1), (Quota::new(10, Duration::from_secs(1)), 10)] {
        let burst = i64::try_from(quota.interval().as_millis()).unwrap() * i64::from(quota.max_burst());
        let full = gcra(i64::MIN, quota, paid, at(0)).0;
        for age in [0, 1, 400, 900, 999].map(|age| age * burst / 1000) {
            let straight = gcra(full, quota, paid, at(age)).1.retry_after.map(millis).unwrap();
            for step in 0..=3000 {
                let now = age - step;
                let (after, refused) = gcra(full, quota, paid, at(now));
                let wait = refused.retry_after.map(millis).unwrap();
                assert!(wait <= straight + step && wait <= burst + 1000, "{quota:?} {age} {step}: {wait}");
                assert!(wait >= straight.min(burst), "{quota:?} {age} {step}: {wait}: nothing is forgiven");
                assert!(gcra(after, quota, paid, at(now + wait)).1.allowed, "the wait is kept");
                assert!(step > 1000 || wait == straight + step, "{quota:?} {age} {step}: {wait}");
            }
        }
    }
    // As it was found: one a minute, half a second back.
    let quota = Quota::new(1, Duration::from_secs(60));
    let full = gcra(i64::MIN, quota, 1, at(500)).0;
    assert_eq!(gcra(full, quota, 1, at(0)).1.retry_after, Some(Duration::from_millis(60_500)));
}

/// As many calls as were owed, of whatever numbers.
#[test]
fn what_is_owed_is_carried_over() {
    let quota = |limit: u32, seconds: u64| Quota::new(limit, Duration::from_secs(seconds));
    for (used, old, new, left) in [
        (1000, quota(1000, 86_400), quota(10, 86_400), 0),
        (1000, quota(1000, 86_400), quota(1001, 86_400), 1),
        (500, quota(1000, 86_400), quota(10, 86_400), 0),
        (4, quota(1000, 86_400), quota(10, 86_400), 6),
        (10, quota(10, 1), quota(10, 86_400), 0),
        (10, quota(10, 86_400), quota(100, 1), 90),
        (3, quota(7, 1), quota(9, 1).burst(2), 0),
    ] {
        let now = at(1_800_000_000_000);
        let state = new.carry(gcra(i64::MIN, old, used, now).0, old.interval(), now);
        assert_eq!(gcra(state, new, 0, now).1.remaining, left, "{used} of {old:?} under {new:?}");
        // There and back again nothing is won.
        let back = gcra(old.carry(state, new.interval(), now), old, 0, now).1.remaining;
        assert!(back <= old.max_burst() - used.min(new.max_burst()), "{used} of {old:?} under {new:?}");
    }
    for state in [i64::MIN, -1, 0, 1, i64::MAX] {
        for interval in [Duration::ZERO, Duration::from_micros(1), Duration::MAX] {
            for now in [Timestamp::MIN, at(0), Timestamp::MAX] {
                for quota in [quota(1, 1), Quota::new(u32::MAX, Duration::MAX), Quota::new(1, Duration::MAX)] {
                    let carried = quota.carry(state, interval, now);
                    assert!(carried == state || carried.abs_diff(micros(now)) <= 1 << 50, "{state} {interval:?} {now}");
                }
            }
        }
    }
    assert_eq!(quota(1, 60).name(), quota(2, 60).burst(9).name());
    assert_ne!(quota(1, 60).named("a").name(), quota(1, 60).named("b").name());
}

#[test]
fn every_argument_makes_a_quota() {
    let numbers = [0, 1, 2, 7, 1_000_000, u32::MAX];
    let spans = [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(1), Duration::MAX];
    let times = [i64::MIN, -1, 0, 1, 1_800_000_000_000, i64::MAX];
    for limit in numbers {
        for period in spans {
            for burst in numbers {
                let quota = Quota::new(limit, period).burst(burst);
                assert!(quota.limit() >= 1 && quota.max_burst() >= 1 && quota.interval() >= Duration::from_micros(1));
                for (cost, now) in numbers.into_iter().flat_map(|cost| times.map(|now| (cost, now))) {
                    for state in [i64::MIN, -1, 0, 1, i64::MAX] {
                        let (after, decision) = gcra(state, quota, cost, at(now));
                        let wait = decision.retry_after.map_or(0, millis);
                        let then = at(now).plus_millis(wait);
                        let passes = decision.allowed || gcra(after, quota, cost, then).1.allowed;
                        // The ends of time are cut off, so there the wait is not seen to pass.
                        let in_range = now >= -NOW_MILLIS_MAX && then <= at(NOW_MILLIS_MAX);
                        assert!(passes || cost > quota.max_burst() || !in_range, "{quota:?} {state} {cost} {now}");
                    }
                }
            }
        }
    }
    assert_eq!(Quota::new(0, Duration::ZERO), Quota::new(1, Duration::from_micros(1)));
    assert_eq!(Quota::new(7, Duration::from_secs(1)).interval(), Duration::from_micros(142_858));
    assert_eq!(Quota::new(5, Duration::from_secs(1)).max_burst(), 5);
}

#[test]
fn the_stricter_decision_counts() {
    let allowed = |remaining| Decision { remaining, ..Decision::unlimited() };
    let refused = |retry_after| Decision { allowed: false, retry_after, ..Decision::unlimited() };
    let (short, long) = (refused(Some(Duration::from_secs(1))), refused(Some(Duration::from_secs(2))));
    let never = refused(None);
    for (a, b, wanted) in
        [(allowed(1), allowed(2), allowed(1)), (allowed(1), short, short), (short, long, long), (long, never, never)]
    {
        assert_eq!((a.and(b), b.and(a)), (wanted, wanted));
    }
    assert_eq!(refused(Some(Duration::from_millis(1001))).retry_after_seconds(), Some(2));
    assert_eq!((long.retry_after_seconds(), never.retry_after_seconds()), (Some(2), None));
    let json = serde_json::to_string(&short).unwrap();
    assert!(json.contains(r#""retryAfterMillis":1000,"resetAfterMillis":0"#), "{json}");
}
