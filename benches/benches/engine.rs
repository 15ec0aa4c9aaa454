//! The whole engine over memory: 10,000 players, one board with three windows, a receipt with every twentieth event.

mod quick;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use liveops_bench::Traffic;
use liveops_bench::traffic::RULES;
use liveops_core::{Engine, MemoryStore, Rules};

const PLAYERS: u64 = 10_000;
const BATCH: usize = 1_000;

fn engine(c: &mut Criterion) {
    let rules = Rules::from_json(RULES).expect("good rules");
    let parser = rules.door().parser();
    let engine = Engine::new(rules, MemoryStore::new());
    let mut traffic = Traffic::new(PLAYERS, 7);
    for batch in traffic.warm_up_commands(&parser).chunks(BATCH) {
        engine.submit_batch(batch);
    }
    let first = traffic.commands(&parser, BATCH);
    engine.submit_batch(&first);

    let mut group = c.benchmark_group("engine");
    group.throughput(Throughput::Elements(1));
    group.bench_function("submit", |b| {
        b.iter_batched(
            || traffic.commands(&parser, 1),
            |command| engine.submit(black_box(&command[0])),
            BatchSize::NumIterations(10_000),
        );
    });
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("submit_batch of 1,000", |b| {
        b.iter_batched(
            || traffic.commands(&parser, BATCH),
            |batch| (engine.submit_batch(&batch), batch),
            BatchSize::NumIterations(10),
        );
    });
    group.bench_function("submit_batch of 1,000 duplicates", |b| b.iter(|| engine.submit_batch(black_box(&first))));
    group.bench_function("submit_ndjson of 1,000", |b| {
        b.iter_batched(
            || (traffic.by_ref().take(BATCH).collect::<Vec<_>>().join("\n"), traffic.now()),
            |(lines, now)| engine.submit_ndjson(lines.as_bytes(), now),
            BatchSize::NumIterations(10),
        );
    });
    group.finish();
}

criterion_group! { name = benches; config = quick::quick(); targets = engine }
criterion_main!(benches);
