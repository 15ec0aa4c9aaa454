//! `progress`: a level looked up, a grant with boosts and a cap, curves compiled, a change of curves planned.

mod quick;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use liveops_bench::Random;
use liveops_bench::traffic::NOW_MS;
use liveops_core::limits::LEVELS_MAX;
use liveops_core::progress::{Boost, LevelCurve, MigrationPolicy, PlayerXp, Progression, plan_migration};
use liveops_core::{Id, Timestamp};

fn progress(c: &mut Criterion) {
    let now = Timestamp::from_unix_millis(NOW_MS);
    let curve = LevelCurve::exponential(250, "1.2").expect("a good curve").max_level(60);
    let levels = curve.compile().expect("a good curve");
    let highest = levels.total(60);
    let boost = Boost {
        id: Id::new("double-xp").expect("a good id"),
        from: now,
        until: now.plus_millis(3_600_000),
        factor: "1.5".parse().expect("a good ratio"),
    };
    let progression =
        Progression { daily_xp_cap: Some(20_000), boosts: vec![boost], ..Progression::new(levels.clone()) };
    let mut random = Random::new(7);
    // As long as a curve may be, and steep enough that the numbers are large.
    let long = LevelCurve::exponential(100_000_000, "1.0001").expect("a good curve").max_level(LEVELS_MAX);
    let gentler = LevelCurve::exponential(250, "1.19").expect("a good curve").max_level(70).compile();
    let gentler = gentler.expect("a good curve");
    let players: Vec<_> = (0..10_000).map(|_| (PlayerXp::at(random.below(highest), &levels), 1)).collect();

    let mut group = c.benchmark_group("progress");
    group.bench_function("level_at", |b| b.iter(|| levels.level_at(random.below(highest))));
    group.bench_function("grant", |b| {
        b.iter(|| progression.grant(random.below(highest), 5_000, black_box(120), now).expect("far from overflow"));
    });
    group.bench_function("compile 60 levels", |b| b.iter(|| black_box(&curve).compile().expect("a good curve")));
    group.bench_function("compile 10,000 levels", |b| b.iter(|| black_box(&long).compile().expect("a good curve")));
    group.bench_function("plan_migration of 10,000 players", |b| {
        b.iter(|| plan_migration(&levels, &gentler, MigrationPolicy::keep_effort(), players.iter().copied()));
    });
    group.finish();
}

criterion_group! { name = benches; config = quick::quick(); targets = progress }
criterion_main!(benches);
