//! `window`: from a time to the period that it counts in.

mod quick;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use liveops_bench::Random;
use liveops_bench::traffic::NOW_MS;
use liveops_core::window::Calendar;
use liveops_core::{Timestamp, Window};

fn window(c: &mut Criterion) {
    const YEAR_MS: u64 = 365 * 86_400_000;
    let offset = Calendar::utc().utc_offset_minutes(540).and_then(|calendar| calendar.reset_minute(300));
    let calendar = offset.expect("a good calendar");
    let mut random = Random::new(7);
    let mut time = || Timestamp::from_unix_millis(NOW_MS).plus_millis(random.below(YEAR_MS).cast_signed());

    let mut group = c.benchmark_group("window");
    for window in Window::ALL {
        group.bench_function(BenchmarkId::new("period", window), |b| b.iter(|| calendar.period(*window, time())));
    }
    group.finish();
}

criterion_group! { name = benches; config = quick::quick(); targets = window }
criterion_main!(benches);
