//! Detectors alone.

use liveops_core::anomaly::{self, Prior, Reason, Threshold};
use liveops_core::error::Code;
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments::{Int, Number};
use crate::errors::argument;
use crate::results::load;

macro_rules! detector {
    ($(#[$doc:meta])* $name:ident($signature:tt, $($argument:ident: $kind:ty),*) = $new:ident) => {
        $(#[$doc])*
        #[pyclass(module = "liveops", frozen)]
        pub(crate) struct $name(Mutex<anomaly::$name>);

        #[pymethods]
        impl $name {
            #[new]
            #[pyo3(signature = $signature)]
            fn new(py: Python<'_>, $($argument: $kind),*) -> PyResult<Self> {
                $new(py, $($argument),*).map(|new| Self(Mutex::new(new)))
            }

            /// Scores a value, then learns from it.
            fn observe<'py>(&self, py: Python<'py>, value: Number) -> PyResult<Bound<'py, PyAny>> {
                let verdict = self.0.lock().observe(value.0);
                load(py, "Verdict", &verdict)
            }

            /// The verdict on a value, without learning from it.
            fn score<'py>(&self, py: Python<'py>, value: Number) -> PyResult<Bound<'py, PyAny>> {
                let verdict = self.0.lock().score(value.0);
                load(py, "Verdict", &verdict)
            }

            /// Learns from a value, without a verdict.
            fn learn(&self, value: Number) {
                self.0.lock().learn(value.0);
            }
        }
    };
}

detector!(
    /// Standard deviations from the mean of all earlier values, both ways; silent before the eleventh.
    ZScore((threshold=Number(3.0)), threshold: Number) = z_score
);

detector!(
    /// Standard deviations from the mean of recent values, about `span` of them, both ways.
    Ewma((threshold=Number(3.0), span=Int(20)), threshold: Number, span: Int<u32>) = ewma
);

detector!(
    /// How many times as large as usual, upwards only, with an opinion from the first value on. `prior` is mean,
    /// standard deviation and weight of `ln(1 + x)`.
    Robust((threshold=Number(6.0), prior=None), threshold: Number, prior: Option<(Number, Number, Number)>) = robust
);

detector!(
    /// A duration shorter than the rules hold possible.
    TimeFloor((minimum_ms), minimum_ms: Int<u32>) = time_floor
);

fn z_score(py: Python<'_>, threshold: Number) -> PyResult<anomaly::ZScore> {
    Ok(anomaly::ZScore::new(valid(py, threshold)?))
}

fn ewma(py: Python<'_>, threshold: Number, span: Int<u32>) -> PyResult<anomaly::Ewma> {
    Ok(anomaly::Ewma::new(valid(py, threshold)?, span.0))
}

fn robust(py: Python<'_>, threshold: Number, prior: Option<(Number, Number, Number)>) -> PyResult<anomaly::Robust> {
    let prior = match prior {
        None => Prior::DEFAULT,
        Some((mean, sd, weight)) => Prior::new(mean.0, sd.0, weight.0).ok_or_else(|| {
            argument(py, Code::OutOfRange, "a prior is mean 0..=100, sd 0.01..=100, weight 0.01..=1e6")
        })?,
    };
    Ok(anomaly::Robust::new(valid(py, threshold)?, prior))
}

#[expect(clippy::unnecessary_wraps, reason = "as the others")]
fn time_floor(_: Python<'_>, minimum_ms: Int<u32>) -> PyResult<anomaly::TimeFloor> {
    Ok(anomaly::TimeFloor { minimum_ms: minimum_ms.0 })
}

fn valid(py: Python<'_>, threshold: Number) -> PyResult<f64> {
    let advice = "a threshold is above 0 and at most a million";
    Threshold::new(threshold.0).map(Threshold::get).ok_or_else(|| argument(py, Code::OutOfRange, advice))
}

/// Every reason of a verdict with one sentence for people.
#[pyfunction]
pub(crate) fn verdict_reasons(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let reasons = PyDict::new(py);
    for reason in Reason::ALL {
        reasons.set_item(reason.as_str(), reason.describe())?;
    }
    Ok(reasons)
}
