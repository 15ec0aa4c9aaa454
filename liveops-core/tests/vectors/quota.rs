//! How often: quotas and sliding logs, each sequence in every form in which it can be asked.

use std::collections::BTreeMap;
use std::time::Duration;

use liveops_core::Timestamp;
use liveops_core::quota::{Decision, Quota, QuotaStore, SlidingLog};
use liveops_core::shared::{RateLimiter, SlidingLimiter, WhenFull};
use serde_json::{Map, Value, json};

use super::case::{Case, text, time};

pub(crate) fn run(case: &Case) {
    match case.get("sliding") {
        Some(rule) => sliding(case, rule),
        None => quotas(case),
    }
}

fn quotas(case: &Case) {
    let quotas: Vec<Quota> = case.need("quotas").as_array().unwrap().iter().map(quota).collect();
    let new = || {
        let limiter = RateLimiter::new(quotas[0]).when_full(when_full(case));
        match case.get("capacity") {
            Some(keys) => limiter.capacity(count(keys)),
            None => limiter,
        }
    };
    let requests = |step: &'_ Value, own: usize| -> Vec<(Quota, String)> {
        let request = |request: &Value| (quotas[count(&request[0])], text(&request[1]).to_owned());
        let several = step.get("requests").map(|all| all.as_array().unwrap().iter().map(request).collect());
        several.unwrap_or_else(|| vec![(quotas[own], text(&step["key"]).to_owned())])
    };
    let limiter = new();
    steps(case, |step| match step {
        Step::Replace(own) => {
            limiter.replace(quotas[count(own)]);
            None
        }
        Step::Check { step, cost, now } => Some(match step.get("key") {
            Some(key) => limiter.check(text(key), cost, now),
            None => ask(&limiter, &requests(step, 0), cost, now),
        }),
    });
    let (store, mut own) = (new(), 0);
    steps(case, |step| match step {
        Step::Replace(other) => {
            own = count(other);
            None
        }
        Step::Check { step, cost, now } => Some(ask(&store, &requests(step, own), cost, now)),
    });
}

/// What a step asks for.
enum Step<'v> {
    Check {
        step: &'v Value,
        cost: u32,
        now: Timestamp,
    },
    /// Other numbers.
    Replace(&'v Value),
}

fn ask(store: &dyn QuotaStore, requests: &[(Quota, String)], cost: u32, now: Timestamp) -> Decision {
    let requests: Vec<_> = requests.iter().map(|(quota, key)| (*quota, key.as_str())).collect();
    store.check_all(&requests, cost, now).unwrap()
}

fn sliding(case: &Case, rule: &Value) {
    let read = |rule: &Value| (small(&rule["limit"]), seconds(&rule["windowSeconds"]));
    let (limit, window) = read(rule);
    let limiter = SlidingLimiter::new(limit, window).when_full(when_full(case));
    let Some(capacity) = case.get("capacity") else {
        let (mut logs, mut rule) = (BTreeMap::new(), (limit, window));
        steps(case, |step| match step {
            Step::Replace(other) => {
                rule = read(other);
                for log in logs.values_mut() {
                    SlidingLog::replace(log, rule.0, rule.1);
                }
                None
            }
            Step::Check { step, cost, now } => {
                let log = logs.entry(text(&step["key"])).or_insert_with(|| SlidingLog::new(rule.0, rule.1));
                Some(log.check(cost, now))
            }
        });
        return shared(case, &limiter, read);
    };
    shared(case, &limiter.capacity(count(capacity)), read);
}

fn shared(case: &Case, limiter: &SlidingLimiter, read: impl Fn(&Value) -> (u32, Duration)) {
    steps(case, |step| match step {
        Step::Replace(rule) => {
            let (limit, window) = read(rule);
            limiter.replace(limit, window);
            None
        }
        Step::Check { step, cost, now } => Some(limiter.check(text(&step["key"]), cost, now)),
    });
}

fn steps<'v>(case: &Case<'v>, mut take: impl FnMut(Step<'v>) -> Option<Decision>) {
    for (at, step) in case.need("steps").as_array().unwrap().iter().enumerate() {
        if let Some(replace) = step.get("replace") {
            assert!(take(Step::Replace(replace)).is_none());
            continue;
        }
        let (cost, now) = (step.get("cost").map_or(1, small), time(&step["nowMs"]));
        let mut check = || take(Step::Check { step, cost, now }).unwrap();
        let mut decision = check();
        for _ in 1..step.get("times").map_or(1, count) {
            decision = check();
        }
        let mut told = json!(decision);
        let headers = decision.headers(step.get("policy").map_or("default", text));
        told["headers"] =
            headers.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect::<Map<_, _>>().into();
        case.compare(&json!({ format!("step {at}"): step["expect"] }), &json!({ format!("step {at}"): told }));
    }
}

fn quota(quota: &Value) -> Quota {
    let made = Quota::new(small(&quota["limit"]), seconds(&quota["periodSeconds"]));
    let made = quota.get("name").map_or(made, |name| made.named(text(name)));
    quota.get("burst").map_or(made, |calls| made.burst(small(calls)))
}

fn when_full(case: &Case) -> WhenFull {
    match case.get("whenFull").map_or("refuse", text) {
        "refuse" => WhenFull::Refuse,
        "admit" => WhenFull::Admit,
        other => panic!("{}: whenFull {other}", case.name()),
    }
}

fn small(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

fn count(value: &Value) -> usize {
    value.as_u64().unwrap().try_into().unwrap()
}

fn seconds(value: &Value) -> Duration {
    Duration::from_secs(value.as_u64().unwrap())
}
