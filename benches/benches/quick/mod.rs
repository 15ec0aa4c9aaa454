//! How long each bench is measured: short, so that all of them together take a minute or two.

use std::time::Duration;

use criterion::Criterion;

/// For one careful look, `cargo bench --bench board -- --measurement-time 10`.
pub(crate) fn quick() -> Criterion {
    Criterion::default()
        .without_plots()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .sample_size(20)
}
