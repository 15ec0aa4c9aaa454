//! The kit for quota stores passes the limiter, and each of its checks catches a careless store.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Duration;

use liveops_core::conformance::{self, QUOTA_CHECKS};
use liveops_core::error::StoreError;
use liveops_core::quota::{Decision, Quota, QuotaStore, gcra};
use liveops_core::shared::RateLimiter;
use liveops_core::{Code, Timestamp};

#[test]
fn the_limiter_keeps_the_contract() {
    let quota = Quota::new(1, Duration::from_secs(1));
    conformance::quota_store(|| RateLimiter::new(quota));
    conformance::quota_store(|| RateLimiter::new(quota).capacity(100));
    conformance::quota_store(|| Careless::new(Nothing));
}

/// What an adapter may get wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mistake {
    Nothing,
    CountsFixedWindows,
    ComputesInMilliseconds,
    ChargesRefusedCalls,
    ChargesThoseThatAllow,
    PaysOnceForTheSame,
    IgnoresCase,
    TrimsKeys,
    IgnoresTheQuota,
    KnowsQuotasByLimit,
    TellsTheFirst,
    ForgetsWhatWasUsed,
    KeepsTimes,
    CarriesOnlyWhatPasses,
    RefusesWhereNothingIsAsked,
    ForgetsOnStepsBack,
    KeepsFarDebts,
    ForgetsWhatIsPutRight,
    OverflowsAtTheEnds,
    ReadsBeforeItWrites,
}

use Mistake::*;

/// Each check, and mistakes that it must catch.
const MISTAKES: &[(&str, &[Mistake])] = &[
    ("the_burst_passes_and_then_the_rate", &[CountsFixedWindows]),
    ("every_decision_is_that_of_gcra", &[ComputesInMilliseconds, CountsFixedWindows]),
    ("a_refused_call_costs_nothing", &[ChargesRefusedCalls]),
    ("a_call_that_one_quota_refuses_charges_none", &[ChargesThoseThatAllow, ChargesRefusedCalls]),
    ("the_same_request_twice_pays_twice", &[PaysOnceForTheSame]),
    ("keys_and_quotas_count_apart", &[IgnoresCase, TrimsKeys, IgnoresTheQuota, KnowsQuotasByLimit]),
    ("the_strictest_decides", &[TellsTheFirst, ChargesThoseThatAllow]),
    ("what_was_used_outlives_its_numbers", &[ForgetsWhatWasUsed, KeepsTimes, CarriesOnlyWhatPasses]),
    ("no_quota_is_no_limit", &[RefusesWhereNothingIsAsked]),
    ("a_small_step_back_keeps_debts", &[ForgetsOnStepsBack]),
    ("a_clock_set_back_is_put_right", &[KeepsFarDebts, ForgetsWhatIsPutRight]),
    ("no_time_is_too_far", &[OverflowsAtTheEnds]),
    ("rivals_admit_exactly_the_burst", &[ReadsBeforeItWrites]),
];

#[test]
fn every_check_of_the_contract_can_fail() {
    assert!(QUOTA_CHECKS.iter().map(|check| check.0).eq(MISTAKES.iter().map(|m| m.0)), "each has mistakes to catch");
    for ((name, check), (_, mistakes)) in QUOTA_CHECKS.iter().zip(MISTAKES) {
        for mistake in *mistakes {
            let store = Careless::new(*mistake);
            let caught = catch_unwind(AssertUnwindSafe(|| check(&store)));
            assert!(caught.is_err(), "{name} does not notice {mistake:?}");
        }
    }
}

/// Of the quota, its numbers where they count too, and the key.
type Name = (Option<u64>, Option<Quota>, String);

struct Careless {
    /// With the interval that each was left under.
    states: Mutex<HashMap<Name, (i64, Duration)>>,
    mistake: Mistake,
}

impl Careless {
    fn new(mistake: Mistake) -> Self {
        Self { states: Mutex::default(), mistake }
    }

    /// As an adapter names a counter that keeps less of quota and key than it should.
    fn name(&self, quota: Quota, key: &str) -> Name {
        let key = match self.mistake {
            IgnoresCase => key.to_lowercase(),
            TrimsKeys => key.trim().to_owned(),
            _ => key.to_owned(),
        };
        match self.mistake {
            IgnoresTheQuota => (None, None, key),
            KnowsQuotasByLimit => (Some(quota.limit().into()), None, key),
            ForgetsWhatWasUsed => (Some(quota.name()), Some(quota), key),
            _ => (Some(quota.name()), None, key),
        }
    }

    fn decide(&self, state: i64, quota: Quota, cost: u32, now: Timestamp) -> (i64, Decision) {
        let micros = |time: Timestamp| time.as_unix_millis().saturating_mul(1000);
        match self.mistake {
            CountsFixedWindows => {
                // Nothing is free before the next window begins, and then everything.
                let window = i64::try_from(quota.period().as_micros()).unwrap();
                let begun = micros(now) - micros(now).rem_euclid(window);
                gcra(
                    if state < begun { i64::MIN } else { state },
                    quota,
                    cost,
                    Timestamp::from_unix_millis(begun / 1000),
                )
            }
            ComputesInMilliseconds => {
                let (after, decision) = gcra(state, quota, cost, now);
                (after.saturating_add(999) / 1000 * 1000, decision)
            }
            ForgetsOnStepsBack
                if state
                    > micros(now)
                        + i64::try_from(quota.interval().as_micros()).unwrap() * i64::from(quota.max_burst()) =>
            {
                gcra(i64::MIN, quota, cost, now)
            }
            KeepsFarDebts => {
                let (after, mut decision) = gcra(state, quota, cost, now);
                if state > micros(now).saturating_add(10_000_000_000) {
                    decision.allowed = false;
                    decision.code = Some(Code::RateLimited);
                    return (state, decision);
                }
                (after, decision)
            }
            OverflowsAtTheEnds => {
                let (after, decision) = gcra(state, quota, cost, now);
                (if now == Timestamp::MAX { after.wrapping_add(i64::MAX) } else { after }, decision)
            }
            _ => gcra(state, quota, cost, now),
        }
    }
}

impl QuotaStore for Careless {
    fn check_all(&self, requests: &[(Quota, &str)], cost: u32, now: Timestamp) -> Result<Decision, StoreError> {
        let before = self.states.lock().unwrap().clone();
        if self.mistake == ReadsBeforeItWrites {
            std::thread::sleep(Duration::from_millis(1));
        }
        let mut states = self.states.lock().unwrap();
        let before = if self.mistake == ReadsBeforeItWrites { before } else { states.clone() };
        let carried = |left: Option<(i64, Duration)>, quota: Quota| match left {
            None => i64::MIN,
            Some((state, _)) if self.mistake == KeepsTimes => state,
            Some((state, interval)) => quota.carry(state, interval, now),
        };
        let (mut after, mut unpaid) = (HashMap::new(), HashMap::new());
        let mut decision: Option<Decision> = None;
        for (quota, key) in requests {
            let name = self.name(*quota, key);
            let stored = before.get(&name).copied();
            let left = if self.mistake == PaysOnceForTheSame { None } else { after.get(&name).map(|(left, _)| *left) };
            let (next, answer) = self.decide(carried(left.or(stored), *quota), *quota, cost, now);
            let free = gcra(carried(unpaid.get(&name).copied().or(stored), *quota), *quota, 0, now).0;
            unpaid.insert(name.clone(), (free, quota.interval()));
            after.insert(name, ((next, quota.interval()), answer.allowed));
            decision = Some(match decision {
                None => answer,
                Some(first) if self.mistake == TellsTheFirst && first.allowed == answer.allowed => first,
                Some(first) => first.and(answer),
            });
        }
        let decision = match decision {
            None if self.mistake == RefusesWhereNothingIsAsked => {
                gcra(i64::MIN, Quota::new(1, Duration::from_secs(1)), 2, now).1
            }
            decision => decision.unwrap_or(Decision::unlimited()),
        };
        for (name, (next, allowed)) in after {
            let (stored, kept) = (before.get(&name).copied(), unpaid[&name]);
            let price = i64::from(cost.min(1000)) * 1000;
            let state = match (self.mistake, stored) {
                _ if decision.allowed => next,
                (ChargesRefusedCalls, _) => (kept.0.max(now.as_unix_millis() * 1000) + price, kept.1),
                (ChargesThoseThatAllow, _) if allowed => next,
                (ForgetsWhatIsPutRight | KeepsFarDebts | CarriesOnlyWhatPasses, None) => continue,
                (ForgetsWhatIsPutRight | KeepsFarDebts, Some(stored)) => stored,
                (CarriesOnlyWhatPasses, Some(stored)) if stored.1 != kept.1 => stored,
                _ => kept,
            };
            states.insert(name, state);
        }
        Ok(decision)
    }
}
