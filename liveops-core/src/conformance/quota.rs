//! What whoever asks a [`QuotaStore`] may rely on.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::quota::{Decision, Quota, QuotaStore, gcra};
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_unix_millis(1_794_052_800_000);

type Requests<'a> = &'a [(Quota, &'a str)];

fn quota(limit: u32, seconds: u64, burst: u32) -> Quota {
    Quota::new(limit, Duration::from_secs(seconds)).burst(burst)
}

fn ask(store: &dyn QuotaStore, requests: Requests<'_>, cost: u32, now: Timestamp) -> Decision {
    store.check_all(requests, cost, now).expect("the store answers")
}

/// Asks without paying.
fn left(store: &dyn QuotaStore, quota: Quota, key: &str, now: Timestamp) -> u32 {
    ask(store, &[(quota, key)], 0, now).remaining
}

/// The contract in a few lines: a map, [`Quota::carry`] and [`gcra`].
#[derive(Default)]
struct Model(BTreeMap<(u64, String), Left>);

/// A state, and the interval that it was left under.
#[derive(Clone, Copy, Default)]
struct Left(Option<(i64, Duration)>);

impl Left {
    fn ask(self, quota: Quota, cost: u32, now: Timestamp) -> (Self, Decision) {
        let before = self.0.map_or(i64::MIN, |(state, interval)| quota.carry(state, interval, now));
        let (after, decision) = gcra(before, quota, cost, now);
        (Self(Some((after, quota.interval()))), decision)
    }
}

impl Model {
    fn ask(&mut self, requests: Requests<'_>, cost: u32, now: Timestamp) -> Decision {
        let (mut paid, mut unpaid) = (self.0.clone(), self.0.clone());
        let mut decision: Option<Decision> = None;
        for (quota, key) in requests {
            let name = (quota.name(), (*key).to_owned());
            let (after, answer) = paid.get(&name).copied().unwrap_or_default().ask(*quota, cost, now);
            let (free, _) = unpaid.get(&name).copied().unwrap_or_default().ask(*quota, 0, now);
            paid.insert(name.clone(), after);
            unpaid.insert(name, free);
            decision = Some(decision.map_or(answer, |first| first.and(answer)));
        }
        let decision = decision.unwrap_or(Decision::unlimited());
        self.0 = if decision.allowed { paid } else { unpaid };
        decision
    }
}

/// Numbers that look random, the same in each run (Steele, Lea and Flood 2014).
struct SplitMix64(u64);

impl SplitMix64 {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap_or(0)]
    }
}

pub(super) fn the_burst_passes_and_then_the_rate(store: &dyn QuotaStore) {
    let quota = quota(60, 60, 3);
    let allowed = |millis: i64, cost: u32| ask(store, &[(quota, "a")], cost, NOW.plus_millis(millis)).allowed;
    let calls =
        [(0, 2), (0, 1), (0, 1), (999, 1), (1000, 1), (1000, 1), (2999, 2), (3000, 2), (59_999, 3), (60_000, 1)];
    let passed = calls.map(|(millis, cost)| allowed(millis, cost));
    assert_eq!(
        passed,
        [true, true, false, false, true, false, false, true, true, false],
        "a burst passes, then a call each interval, whenever windows may begin"
    );
    assert!(!allowed(500_000, 4), "more than a burst never passes");
}

/// A long sequence over one key, with costs of 0 to above the burst, told to the last millisecond.
pub(super) fn every_decision_is_that_of_gcra(store: &dyn QuotaStore) {
    let quotas = [quota(7, 1, 5), quota(1, 3600, 1000), quota(4_294_967_295, 1, u32::MAX), quota(3, 2, 3)];
    for (key, quota) in ["a", "b", "c", "d"].into_iter().zip(quotas) {
        let (mut model, mut random, mut now) = (Model::default(), SplitMix64(7), NOW);
        for step in 0..150 {
            now = now.plus_millis(random.below(2).cast_signed() * random.below(900).cast_signed());
            let cost = random.pick(&[0, 1, 1, 2, 3, quota.max_burst(), quota.max_burst().saturating_add(1)]);
            let wanted = model.ask(&[(quota, key)], cost, now);
            assert_eq!(
                ask(store, &[(quota, key)], cost, now),
                wanted,
                "call {step} under {quota:?} is decided as by gcra"
            );
        }
    }
}

pub(super) fn a_refused_call_costs_nothing(store: &dyn QuotaStore) {
    let quota = quota(10, 10, 10);
    assert!(ask(store, &[(quota, "a")], 7, NOW).allowed);
    for cost in [4, 10, 11, u32::MAX] {
        assert!(!ask(store, &[(quota, "a")], cost, NOW).allowed);
        assert_eq!(left(store, quota, "a", NOW), 3, "a refused call costs nothing");
    }
    assert!(ask(store, &[(quota, "a")], 3, NOW).allowed);
}

pub(super) fn a_call_that_one_quota_refuses_charges_none(store: &dyn QuotaStore) {
    let (wide, narrow) = (quota(10, 10, 10), quota(2, 10, 2));
    for requests in [[(wide, "ip"), (narrow, "player")], [(narrow, "other"), (wide, "ip")]] {
        let [before, after] = [0, 1].map(|_| {
            let before = left(store, wide, "ip", NOW);
            assert!(!ask(store, &requests, 3, NOW).allowed);
            before
        });
        assert_eq!(before, after, "what one quota refuses, none is charged for");
        assert!(ask(store, &requests, 2, NOW).allowed);
        assert_eq!(left(store, wide, "ip", NOW), before - 2, "what all allow, all are charged for");
    }
}

pub(super) fn the_same_request_twice_pays_twice(store: &dyn QuotaStore) {
    let twice = [(quota(5, 10, 5), "a"), (quota(5, 10, 5), "a")];
    assert_eq!(ask(store, &twice, 2, NOW).remaining, 1, "each of them is paid for");
    assert!(!ask(store, &twice, 1, NOW).allowed, "one is left, and two are asked for");
    assert!(ask(store, &twice[..1], 1, NOW).allowed);
}

/// Keys hold any character; a store encodes them, and the name of the quota with them, so that none meets another.
pub(super) fn keys_and_quotas_count_apart(store: &dyn QuotaStore) {
    let long = "x".repeat(300);
    let keys = [
        "",
        "a",
        "A",
        "a ",
        "a:1",
        "a:",
        "a/1",
        "a%",
        "a\0",
        "a\n",
        "{a}",
        "a*",
        "\u{e9}",
        "e\u{301}",
        &long,
        &long[1..],
    ];
    let quotas = [quota(1, 10, 1), quota(1, 11, 1), quota(2, 10, 2).named("a"), quota(1, 10, 1).named("A")];
    for key in keys {
        for quota in quotas {
            assert_eq!(left(store, quota, key, NOW), quota.max_burst(), "{key:?} under {quota:?} was never called");
            assert!(ask(store, &[(quota, key)], quota.max_burst(), NOW).allowed);
            assert!(!ask(store, &[(quota, key)], 1, NOW).allowed, "{key:?} under {quota:?} is used up");
        }
    }
}

pub(super) fn the_strictest_decides(store: &dyn QuotaStore) {
    let quotas = [quota(3, 1, 3), quota(3, 60, 3), quota(30, 10, 3), quota(2, 5, 2), quota(100, 1, 100)];
    let (mut model, mut random) = (Model::default(), SplitMix64(11));
    let mut now = NOW;
    for step in 0..200 {
        now = now.plus_millis(random.below(400).cast_signed());
        let len = random.pick(&[1, 2, 2, 3, 6]);
        let requests: Vec<_> = (0..len).map(|_| (random.pick(&quotas), random.pick(&["a", "b", "c"]))).collect();
        let cost = random.pick(&[0, 1, 1, 2, 4]);
        let wanted = model.ask(&requests, cost, now);
        assert_eq!(ask(store, &requests, cost, now), wanted, "call {step}: the strictest quota is told");
    }
}

/// Numbers may change between two calls: what was used under a name still counts, call by call.
pub(super) fn what_was_used_outlives_its_numbers(store: &dyn QuotaStore) {
    let day = 86_400;
    let daily = |limit: u32| quota(limit, day, limit).named("daily");
    let allowed = |key: &str, quota: Quota, cost: u32, now: Timestamp| ask(store, &[(quota, key)], cost, now).allowed;
    assert!(allowed("lowered", daily(1000), 1000, NOW));
    assert!(!allowed("lowered", daily(10), 1, NOW), "a quota that is lowered gives nothing to who has used it up");
    let (before, then) = (NOW.plus_millis(8_639_999), NOW.plus_millis(8_640_000));
    assert!(!allowed("lowered", daily(10), 1, before), "and its wait is kept");
    assert!(allowed("lowered", daily(10), 1, then), "a refused call carries over what is owed");
    assert!(allowed("raised", daily(1000), 1000, NOW));
    assert!(allowed("raised", daily(1001), 1, NOW), "one that is raised by one gives one more");
    assert!(!allowed("raised", daily(1001), 1, NOW), "and not two");
    let (week, hour) = (quota(10, 7 * day, 10).named("x"), quota(100, 3600, 100).named("x"));
    assert!(allowed("period", hour, 7, NOW));
    assert_eq!(left(store, week, "period", NOW), 3, "a name outlives its period");
    assert_eq!(left(store, week.named("y"), "period", NOW), 10, "another name is another quota");
    assert!(allowed("unnamed", quota(5, day, 5), 4, NOW));
    assert_eq!(left(store, quota(6, day, 6), "unnamed", NOW), 2, "without a name the period is the name");

    let quotas = [(7, 1, 5), (3, 60, 9), (1, 3600, 40), (1000, 1, 1000)].map(|(l, p, b)| quota(l, p, b).named("all"));
    let (mut model, mut random, mut now) = (Model::default(), SplitMix64(13), NOW);
    for step in 0..300 {
        now = now.plus_millis(random.below(3).cast_signed() * random.below(2000).cast_signed());
        let len = random.pick(&[1, 1, 2, 3]);
        let requests: Vec<_> = (0..len).map(|_| (random.pick(&quotas), random.pick(&["a", "b"]))).collect();
        let cost = random.pick(&[0, 1, 1, 2, 4]);
        let wanted = model.ask(&requests, cost, now);
        assert_eq!(ask(store, &requests, cost, now), wanted, "call {step}: what is owed is carried over");
    }
}

pub(super) fn no_quota_is_no_limit(store: &dyn QuotaStore) {
    for cost in [0, 1, u32::MAX] {
        assert_eq!(ask(store, &[], cost, NOW), Decision::unlimited(), "without a quota every call passes");
    }
}

pub(super) fn a_small_step_back_keeps_debts(store: &dyn QuotaStore) {
    let (quota, mut model) = (quota(10, 1, 10), Model::default());
    for (millis, cost) in [(0, 10), (-999, 1), (-1000, 0), (0, 1), (-500, 1), (99, 1), (100, 1), (-400, 1)] {
        let now = NOW.plus_millis(millis);
        let wanted = model.ask(&[(quota, "a")], cost, now);
        assert_eq!(ask(store, &[(quota, "a")], cost, now), wanted, "up to a second back, every debt is kept");
    }
}

/// Nobody waits longer than a burst takes, and what a refused call puts right stays so.
pub(super) fn a_clock_set_back_is_put_right(store: &dyn QuotaStore) {
    let quotas = [(quota(2, 2, 2), "a"), (quota(2, 2, 2), "b"), (quota(60, 60, 20), "b")];
    for requests in [&quotas[..1], &quotas[1..]] {
        let (mut model, far) = (Model::default(), NOW.plus_millis(86_400_000));
        // A day ahead, back, and what it leaves.
        let calls = [(far, 2), (NOW, 1), (NOW.plus_millis(500), 0), (NOW.plus_millis(1000), 1), (far, 2)];
        for (now, cost) in calls {
            let wanted = model.ask(requests, cost, now);
            assert_eq!(ask(store, requests, cost, now), wanted, "set back, a clock leaves one burst of debt");
        }
    }
}

/// At both ends of time, and with the longest spans.
pub(super) fn no_time_is_too_far(store: &dyn QuotaStore) {
    let quotas = [Quota::new(1, Duration::MAX), Quota::new(1, Duration::from_secs(1)).burst(u32::MAX), quota(5, 1, 5)];
    let far = [Timestamp::MIN, Timestamp::from_unix_millis(0), Timestamp::MAX];
    for (key, quota) in ["a", "b", "c"].into_iter().zip(quotas) {
        let mut model = Model::default();
        for (now, cost) in far.into_iter().flat_map(|now| [(now, quota.max_burst()), (now, 1), (now, 0)]) {
            let wanted = model.ask(&[(quota, key)], cost, now);
            assert_eq!(ask(store, &[(quota, key)], cost, now), wanted, "{quota:?} at {now} is decided exactly");
        }
    }
}

/// Alone and with another quota, of many threads as many calls pass as a burst has.
pub(super) fn rivals_admit_exactly_the_burst(store: &dyn QuotaStore) {
    let (burst, wide) = (quota(1, 3600, 20), quota(1_000_000, 1, 1_000_000));
    for key in ["a", "b", "c", "d", "e"] {
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|thread| {
                    let requests = [(wide, "all"), (burst, key)];
                    let requests = move |n: usize| requests[(n + thread) % 2..].to_vec();
                    scope.spawn(move || (0..10).filter(|n| ask(store, &requests(*n), 1, NOW).allowed).count())
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("a thread")).sum()
        });
        assert_eq!(passed, 20, "of eight threads exactly a burst of calls passes");
    }
}
