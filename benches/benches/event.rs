//! `event`: a body of 206 bytes parsed and validated; beside it `serde_json` into a type, with no strictness at all.

mod quick;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use liveops_bench::traffic::{EVENT_BYTES, NOW_MS};
use liveops_bench::{Traffic, TypedEvent};
use liveops_core::Timestamp;
use liveops_core::event::{Parser, Schemas, TimeLimits};

fn event(c: &mut Criterion) {
    let now = Timestamp::from_unix_millis(NOW_MS);
    let parser = Parser::new(Schemas::builtin(), TimeLimits::default());
    let bodies: Vec<String> = Traffic::new(10_000, 7).take(1_000).collect();
    let mut bodies = bodies.iter().map(String::as_bytes).cycle();
    let mut body = || black_box(bodies.next().expect("a cycle"));

    let mut group = c.benchmark_group("event");
    group.throughput(Throughput::Bytes(EVENT_BYTES as u64));
    group.bench_function("parse", |b| b.iter(|| parser.parse(body(), now).expect("a good event")));
    group.bench_function("serde_json, typed", |b| {
        b.iter(|| serde_json::from_slice::<TypedEvent>(body()).expect("a good event"));
    });
    group.finish();
}

criterion_group! { name = benches; config = quick::quick(); targets = event }
criterion_main!(benches);
