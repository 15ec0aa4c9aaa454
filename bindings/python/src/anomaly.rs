//! Detectors of values, alone.

use std::ptr;

use liveops_core::anomaly::{self, Prior, Reason, Threshold};
use liveops_core::error::Code;
use liveops_core::limits::EWMA_SPAN_MIN;
use parking_lot::Mutex;
use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;

use crate::arguments::{Bytes, Int, Number};
use crate::columns::{Cells, Floats};
use crate::errors::{Fallible as _, argument, at_index, fail};
use crate::lock::{detached, with};
use crate::verdict::{Verdict, batch};

macro_rules! detector {
    ($(#[$doc:meta])* $name:ident($signature:tt, $restored:tt, $($argument:ident: $kind:ty),*) = $new:ident) => {
        $(#[$doc])*
        #[pyclass(module = "liveops", frozen)]
        pub(crate) struct $name {
            core: Mutex<anomaly::$name>,
            given: ($($kind,)*),
        }

        #[pymethods]
        impl $name {
            #[new]
            #[pyo3(signature = $signature)]
            fn new(py: Python<'_>, $($argument: $kind),*) -> PyResult<Self> {
                let core = Mutex::new($new(py, $($argument),*)?);
                Ok(Self { core, given: ($($argument,)*) })
            }

            /// One that goes on from `to_bytes`, configured as given. `StoreError` for bytes that are none of its own.
            #[staticmethod]
            #[pyo3(signature = $restored)]
            fn from_bytes(py: Python<'_>, data: Bytes<'_>, $($argument: $kind),*) -> PyResult<Self> {
                let core = Mutex::new(stored(py, $new(py, $($argument),*)?.with_bytes(data.as_slice()))?);
                Ok(Self { core, given: ($($argument,)*) })
            }

            /// Scores a value, then learns from it.
            fn observe(&self, py: Python<'_>, value: Number) -> Verdict {
                Verdict(with(py, &self.core, |detector| detector.observe(value.0)))
            }

            /// The verdict on a value, without learning from it.
            fn score(&self, py: Python<'_>, value: Number) -> Verdict {
                Verdict(with(py, &self.core, |detector| detector.score(value.0)))
            }

            /// Learns from a value, without a verdict.
            fn learn(&self, py: Python<'_>, value: Number) {
                with(py, &self.core, |detector| detector.learn(value.0));
            }

            /// Scores and learns many values, in order. `BatchError`, and nothing learned, if one is no value of this
            /// detector's. Other threads of Python run meanwhile.
            fn observe_many<'py>(&self, py: Python<'py>, values: Floats) -> PyResult<Bound<'py, PyAny>> {
                let cells = values.cells();
                let observed = detached(py, &self.core, |detector| {
                    let mut after = *detector;
                    let observed = observe_each(&cells, |value| after.observe(value));
                    if observed.is_ok() {
                        *detector = after;
                    }
                    observed
                });
                match observed {
                    Ok((scores, found)) => batch(py, &scores, &found),
                    Err((index, reason)) => Err(at_index(py, index, Code::InvalidArgument, reason.describe())),
                }
            }

            /// Takes in what another has learned; configuration stays. `ArgumentError` for the same one.
            fn merge(&self, py: Python<'_>, other: &Self) -> PyResult<()> {
                another(py, self, other)?;
                // One lock after the other, so that two that merge each other do not wait for ever.
                let other = with(py, &other.core, |other| *other);
                with(py, &self.core, |detector| detector.merge(&other)).or_raise(py)
            }

            /// What it has learned: at most 36 bytes.
            fn to_bytes(&self, py: Python<'_>) -> Vec<u8> {
                with(py, &self.core, |detector| detector.to_bytes())
            }

            fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
                let ($($argument,)*) = self.given;
                made_of(stringify!($name), [$((stringify!($argument), $argument.into_bound_py_any(py)?)),*])
            }

            /// For pickle and copy.
            fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Vec<u8>, $($kind),*))> {
                let ($($argument,)*) = self.given;
                Ok((py.get_type::<Self>().getattr("from_bytes")?, (self.to_bytes(py), $($argument),*)))
            }
        }
    };
}

detector!(
    /// Standard deviations from the mean of all earlier values, both ways; silent before the eleventh.
    ///
    /// >>> import liveops
    /// >>> duration = liveops.ZScore(4.0)
    /// >>> batch = duration.observe_many([60.0, 62, 61, 59, 60, 63, 61, 60, 62, 59, 61, 200])
    /// >>> [(finding.index, finding.verdict.reason) for finding in batch.findings], len(batch.scores)
    /// ([(11, 'farFromMean')], 12)
    ZScore((threshold=Number(3.0)), (data, threshold=Number(3.0)), threshold: Number) = z_score
);

detector!(
    /// Standard deviations from the mean of recent values, about `span` of them, both ways.
    Ewma((threshold=Number(3.0), span=Int(20)), (data, threshold=Number(3.0), span=Int(20)), threshold: Number, span: Int<u32>) = ewma
);

detector!(
    /// How many times as large as usual, upwards only. `prior` is mean, standard deviation and weight of `ln(1 + x)`, and gives an
    /// opinion from the first value on. Without one the player's first ten values say what is usual, in whatever unit.
    Robust((threshold=Number(6.0), prior=None), (data, threshold=Number(6.0), prior=None), threshold: Number, prior: Option<(Number, Number, Number)>) = robust
);

detector!(
    /// Amounts that have risen, however slowly (E. S. Page, 1954), upwards only; `prior` as for `Robust`. It does not tell
    /// those who cheat from those who have got better: where honest players rise, `Family` learns how far from history.
    Cusum((threshold=Number(12.0), prior=None), (data, threshold=Number(12.0), prior=None), threshold: Number, prior: Option<(Number, Number, Number)>) = cusum
);

detector!(
    /// A duration shorter than the rules hold possible.
    TimeFloor((minimum_ms), (data, minimum_ms), minimum_ms: Int<u32>) = time_floor
);

fn z_score(py: Python<'_>, threshold: Number) -> PyResult<anomaly::ZScore> {
    Ok(anomaly::ZScore::new(valid(py, threshold)?))
}

fn ewma(py: Python<'_>, threshold: Number, span: Int<u32>) -> PyResult<anomaly::Ewma> {
    if span.0 < EWMA_SPAN_MIN {
        return Err(argument(py, Code::OutOfRange, "a span is at least 10 values"));
    }
    Ok(anomaly::Ewma::new(valid(py, threshold)?, span.0))
}

fn robust(py: Python<'_>, threshold: Number, prior: Option<(Number, Number, Number)>) -> PyResult<anomaly::Robust> {
    Ok(anomaly::Robust::new(valid(py, threshold)?, valid_prior(py, prior)?))
}

fn cusum(py: Python<'_>, threshold: Number, prior: Option<(Number, Number, Number)>) -> PyResult<anomaly::Cusum> {
    Ok(anomaly::Cusum::new(valid(py, threshold)?, valid_prior(py, prior)?))
}

#[expect(clippy::unnecessary_wraps, reason = "as the others")]
fn time_floor(_: Python<'_>, minimum_ms: Int<u32>) -> PyResult<anomaly::TimeFloor> {
    Ok(anomaly::TimeFloor { minimum_ms: minimum_ms.0 })
}

/// A detector as the call that makes one like it.
pub(crate) fn made_of<const N: usize>(name: &str, given: [(&str, Bound<'_, PyAny>); N]) -> PyResult<String> {
    let given = given.map(|(argument, value)| Ok(format!("{argument}={}", value.repr()?)));
    let given = given.into_iter().collect::<PyResult<Vec<_>>>()?;
    Ok(format!("{name}({})", given.join(", ")))
}

/// A threshold of a detector used alone.
pub(crate) fn valid(py: Python<'_>, threshold: Number) -> PyResult<f64> {
    let advice = "a threshold is above 0 and at most a million";
    Threshold::new(threshold.0).map(Threshold::get).ok_or_else(|| argument(py, Code::OutOfRange, advice))
}

fn valid_prior(py: Python<'_>, prior: Option<(Number, Number, Number)>) -> PyResult<Option<Prior>> {
    let Some((mean, sd, weight)) = prior else { return Ok(None) };
    let advice = "a prior is mean 0..=100, sd 0.01..=100, weight 0.01..=1e6";
    Prior::new(mean.0, sd.0, weight.0).map(Some).ok_or_else(|| argument(py, Code::OutOfRange, advice))
}

/// Whoever took itself in would count everything twice.
pub(crate) fn another<T>(py: Python<'_>, own: &T, other: &T) -> PyResult<()> {
    let is_another = !ptr::eq(own, other);
    if is_another { Ok(()) } else { Err(argument(py, Code::InvalidArgument, "the other must be another one")) }
}

/// What was read from bytes, if they are such bytes.
pub(crate) fn stored<T>(py: Python<'_>, read: Option<T>) -> PyResult<T> {
    read.ok_or_else(|| fail(py, Code::StoreCorrupt))
}

/// Scores of all values, and the anomalies with their index.
type Observed = (Vec<f64>, Vec<(usize, anomaly::Verdict)>);

/// Or the index of the value that is none, and what is wrong with it.
fn observe_each(
    values: &Cells<'_, f64>,
    mut observe: impl FnMut(f64) -> anomaly::Verdict,
) -> Result<Observed, (usize, Reason)> {
    let (mut scores, mut found) = (Vec::with_capacity(values.len()), Vec::new());
    for (index, value) in (0..values.len()).filter_map(|index| Some((index, values.float(index)?))) {
        let told = observe(value);
        if matches!(told.reason, Reason::NotFinite | Reason::Negative) {
            return Err((index, told.reason));
        }
        scores.push(told.score.get());
        if told.is_anomaly() {
            found.push((index, told));
        }
    }
    Ok((scores, found))
}
