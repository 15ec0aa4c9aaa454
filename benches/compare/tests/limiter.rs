//! What limiters keep in memory, counted by the allocator, whatever the number of keys that come.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::alloc::System;
use std::time::Duration;

use liveops_bench::Random;
use liveops_compare::workload::NOW;
use liveops_core::Code;
use liveops_core::quota::{Decision, Quota};
use liveops_core::shared::{RateLimiter, SlidingLimiter};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Of the whole process, so one test at a time.
fn allocated() -> usize {
    let stats = ALLOCATOR.stats();
    // What is reallocated is counted in both as well.
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Bytes a key of the capacity, and bytes beside.
struct Bound {
    while_growing: usize,
    at_rest: usize,
    beside: usize,
}

/// Sends so many distinct keys, none of whose debts ends meanwhile. Holds the limiter to its capacity, and to its bound
/// of bytes while it grows and when all came.
fn flood(
    keys: u64,
    capacity: usize,
    Bound { while_growing, at_rest, beside }: Bound,
    check: impl Fn(&str) -> Decision,
    len: impl Fn() -> usize,
    before: usize,
) {
    let bytes = || allocated().saturating_sub(before);
    let (mut passed, mut most) = (0, 0);
    for key in 0..keys {
        // Different for each key: the first output of a generator is.
        let mut digits = [0; 16];
        let mut number = Random::new(key).next();
        for digit in &mut digits {
            *digit = b"0123456789abcdef"[usize::try_from(number % 16).unwrap()];
            number /= 16;
        }
        let decision = check(std::str::from_utf8(&digits).unwrap());
        passed += usize::from(decision.allowed);
        assert!(decision.allowed || decision.code == Some(Code::LimiterFull), "{decision:?}");
        if key % 1000 == 0 {
            most = most.max(bytes());
        }
    }
    let (len, bytes, most) = (len(), bytes(), most.max(bytes()));
    assert_eq!(len, passed, "who passed is remembered, nobody else");
    assert!(len <= capacity && len * 100 >= capacity.min(usize::try_from(keys).unwrap()) * 99, "{len} of {capacity}");
    assert!(most <= while_growing * capacity + beside, "{most} bytes while it grows, for {capacity} keys");
    assert!(bytes <= at_rest * capacity + beside, "{bytes} bytes for {capacity} keys");
}

fn flood_quota(keys: u64, capacity: usize) {
    let before = allocated();
    let limiter = RateLimiter::new(Quota::new(1, Duration::from_secs(3600))).capacity(capacity);
    let bound = Bound { while_growing: 37, at_rest: 19, beside: 2048 };
    flood(keys, capacity, bound, |key| limiter.check(key, 1, NOW), || limiter.len(), before);
}

fn flood_sliding(keys: u64, capacity: usize) {
    const LIMIT: u32 = 4;
    let logs = 16 * usize::try_from(LIMIT - 1).unwrap();
    let before = allocated();
    let limiter = SlidingLimiter::new(LIMIT, Duration::from_secs(3600)).capacity(capacity);
    let check = |key: &str| {
        // Several times each, so that logs are as long as they get.
        (0..i64::from(LIMIT)).fold(Decision::unlimited(), |all, ms| all.and(limiter.check(key, 1, NOW.plus_millis(ms))))
    };
    let bound = Bound { while_growing: 147 + logs, at_rest: 74 + logs, beside: 1024 };
    flood(keys, capacity, bound, check, || limiter.len(), before);
}

/// One test, so that nobody else allocates meanwhile.
#[test]
fn limiters_stay_within_their_bound() {
    flood_quota(50_000, 20_000);
    flood_quota(50_000, 100);
    flood_sliding(50_000, 20_000);
}

#[test]
#[ignore = "tens of millions of keys; run it optimised"]
fn limiters_stay_within_their_bound_under_ten_million_keys() {
    flood_quota(10_000_000, 1_000_000);
    flood_quota(10_000_000, 10_000_000);
    flood_sliding(10_000_000, 1_000_000);
}
