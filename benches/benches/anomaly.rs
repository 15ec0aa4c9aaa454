//! `anomaly`: one value scored and learned, by each detector.

mod quick;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use liveops_bench::Random;
use liveops_core::anomaly::{DetectorKind, Prior, Threshold};

fn anomaly(c: &mut Criterion) {
    let threshold = Threshold::DEFAULT;
    let kinds = [
        ("z-score", DetectorKind::ZScore { threshold }),
        ("ewma", DetectorKind::Ewma { threshold, span: 20 }),
        ("robust", DetectorKind::Robust { threshold, prior: Prior::DEFAULT }),
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
    group.finish();
}

criterion_group! { name = benches; config = quick::quick(); targets = anomaly }
criterion_main!(benches);
