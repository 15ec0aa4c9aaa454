//! `anomaly`: one value scored and learned, by each detector and by the whole family.

mod quick;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use liveops_bench::Random;
use liveops_core::Timestamp;
use liveops_core::anomaly::{Cusum, DetectorKind, Family, Observation, PlayerProfile, Population, Prior, Threshold};

fn anomaly(c: &mut Criterion) {
    let threshold = Threshold::DEFAULT;
    let kinds = [
        ("z-score", DetectorKind::ZScore { threshold }),
        ("ewma", DetectorKind::Ewma { threshold, span: 20 }),
        ("robust", DetectorKind::Robust { threshold, prior: Some(Prior::DEFAULT) }),
        ("time floor", DetectorKind::TimeFloor { minimum_ms: 45_000 }),
    ];
    let mut group = c.benchmark_group("anomaly");
    for (name, kind) in kinds {
        let (mut state, mut random) = (kind.fresh(), Random::new(7));
        group.bench_function(BenchmarkId::new("observe", name), |b| {
            b.iter(|| {
                let value = i64::try_from(100 + random.below(50)).unwrap_or_default();
                let verdict = kind.score(&state, value);
                kind.learn(&mut state, value);
                verdict
            });
        });
    }
    let (mut cusum, mut random) = (Cusum::new(12.0, Prior::DEFAULT), Random::new(7));
    group.bench_function(BenchmarkId::new("observe", "cusum"), |b| {
        b.iter(|| cusum.observe(f64::from(u32::try_from(100 + random.below(50)).unwrap_or_default())));
    });
    let mut family = Family::new(Population::default());
    let (boss, drop) = (family.boss("hydra", Some(45_000)), family.drop_odds("crown", 0.05));
    if let (Ok(boss), Ok(drop)) = (boss, drop) {
        let activity = family.activity("dungeon");
        let (mut profile, mut at) = (PlayerProfile::default(), 0);
        group.bench_function(BenchmarkId::new("observe", "family"), |b| {
            b.iter(|| {
                at += 10_000 + i64::try_from(random.below(60_000)).unwrap_or_default();
                let event = Observation::at(Timestamp::from_unix_millis(at));
                let xp = f64::from(u32::try_from(100 + random.below(50)).unwrap_or_default());
                let hit = u32::from(random.below(20) == 0);
                family.observe(&mut profile, &event.gain(activity, xp, 1.0).kill(boss, 90_000).drops(drop, 1, hit))
            });
        });
    }
    group.finish();
}

criterion_group! { name = benches; config = quick::quick(); targets = anomaly }
criterion_main!(benches);
