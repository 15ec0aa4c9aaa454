//! `quota`: the pure step, and the limiter that threads share, with few keys and with many.

mod quick;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use liveops_bench::Random;
use liveops_bench::traffic::NOW_MS;
use liveops_core::Timestamp;
use liveops_core::quota::{Quota, gcra};
use liveops_core::shared::RateLimiter;

fn quota(c: &mut Criterion) {
    let mut group = c.benchmark_group("quota");
    let quota = Quota::new(60, Duration::from_secs(60)).burst(20);
    // Time goes on by a millisecond a call, so that calls pass and are refused as in life.
    let mut now = Timestamp::from_unix_millis(NOW_MS);
    let mut tick = move || {
        now = now.plus_millis(1);
        now
    };
    let mut state = i64::MIN;
    group.bench_function("gcra", |b| {
        b.iter(|| {
            let (after, decision) = gcra(black_box(state), quota, 1, tick());
            state = after;
            decision
        });
    });
    for keys in [1_000_u64, 200_000] {
        let limiter = RateLimiter::new(quota);
        let mut random = Random::new(7);
        let names: Vec<String> = (0..1 << 16).map(|_| format!("player:player-{:06}", random.below(keys))).collect();
        for key in 0..keys {
            _ = limiter.check(&format!("player:player-{key:06}"), 1, tick());
        }
        let mut names = names.iter().cycle();
        group.bench_function(BenchmarkId::new("limiter, keys", keys), |b| {
            b.iter(|| limiter.check(names.next().expect("a cycle"), 1, tick()));
        });
    }
    group.finish();
}

criterion_group! { name = benches; config = quick::quick(); targets = quota }
criterion_main!(benches);
