//! Level curves.

use liveops_core::error::Code;
use liveops_core::progress::{LevelCurve as Curve, Levels, Rounding};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyList};

use crate::arguments::Int;
use crate::errors::{Fallible as _, argument};
use crate::results::load;

/// A compiled level curve: exact, whatever it was made from. Level 1 starts at 0 XP.
#[pyclass(module = "liveops", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct LevelCurve(pub(crate) Levels);

/// A decimal as text, because 1.2 has no exact binary form; integers are exact anyway.
struct Decimal(String);

impl<'a, 'py> FromPyObject<'a, 'py> for Decimal {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if value.is_instance_of::<PyFloat>() {
            let advice = format!("a float is not exact: write \"{}\"", value.repr()?);
            return Err(PyTypeError::new_err(advice));
        }
        if let Ok(text) = value.extract::<String>() {
            return Ok(Self(text));
        }
        value.extract::<Int<i64>>().map(|Int(whole)| Self(whole.to_string()))
    }
}

#[pymethods]
impl LevelCurve {
    /// `base * growth ** (level - 1)`; the growth is text, such as "1.2".
    #[staticmethod]
    #[pyo3(signature = (base, growth, *, max_level, rounding="floor"))]
    fn exponential(
        py: Python<'_>,
        base: Int<u64>,
        growth: Decimal,
        max_level: Int<u32>,
        rounding: &str,
    ) -> PyResult<Self> {
        compile(py, Curve::exponential(base.0, &growth.0).or_raise(py)?, Some(max_level), Some(rounding))
    }

    /// `base` for level 1, `step` more for each further level.
    #[staticmethod]
    #[pyo3(signature = (base, step, *, max_level))]
    fn linear(py: Python<'_>, base: Int<u64>, step: Int<u64>, max_level: Int<u32>) -> PyResult<Self> {
        compile(py, Curve::linear(base.0, step.0), Some(max_level), None)
    }

    /// `c0 + c1 * level + c2 * level ** 2 + ...`; coefficients are texts from c0 on, such as "0", "50", "-0.5".
    #[staticmethod]
    #[pyo3(signature = (coefficients, *, max_level, rounding="floor"))]
    fn polynomial(py: Python<'_>, coefficients: Vec<Decimal>, max_level: Int<u32>, rounding: &str) -> PyResult<Self> {
        let texts: Vec<&str> = coefficients.iter().map(|text| text.0.as_str()).collect();
        compile(py, Curve::polynomial(&texts).or_raise(py)?, Some(max_level), Some(rounding))
    }

    /// The cost of level 1, 2 and so on.
    #[staticmethod]
    #[pyo3(signature = (costs, *, max_level=None))]
    fn table(py: Python<'_>, costs: Vec<Int<u64>>, max_level: Option<Int<u32>>) -> PyResult<Self> {
        compile(py, Curve::table(costs.into_iter().map(|cost| cost.0).collect()), max_level, None)
    }

    /// Curves one after the other: (level, curve) with the level from which each holds, the first from level 1. Each
    /// counts its levels anew, from its own level 1.
    #[staticmethod]
    #[pyo3(signature = (pieces, *, max_level))]
    fn piecewise(py: Python<'_>, pieces: Vec<(Int<u32>, Py<Self>)>, max_level: Int<u32>) -> PyResult<Self> {
        // A compiled curve is exact, so its table says as much as its formula.
        let pieces = pieces.iter().map(|(from, curve)| (from.0, Curve::table(curve.get().0.costs().collect())));
        compile(py, Curve::piecewise(pieces.collect()), Some(max_level), None)
    }

    /// XP from this level to the next; 0 at the highest level.
    fn cost(&self, level: Int<u32>) -> u64 {
        self.0.cost(level.0)
    }

    /// XP at which a level starts.
    fn total(&self, level: Int<u32>) -> u64 {
        self.0.total(level.0)
    }

    /// The level of an XP total.
    fn level_at(&self, xp: Int<u64>) -> u32 {
        self.0.level_at(xp.0)
    }

    /// Level, XP into it and XP to the next.
    fn progress<'py>(&self, py: Python<'py>, xp: Int<u64>) -> PyResult<Bound<'py, PyAny>> {
        load(py, "LevelProgress", &self.0.progress(xp.0))
    }

    /// The costs of level 1, 2 and so on, up to the last but one level.
    fn costs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.0.costs())
    }

    /// The highest level.
    #[getter]
    fn max_level(&self) -> u32 {
        self.0.max_level()
    }

    /// Names the table by its content, 64 hex digits.
    #[getter]
    fn hash(&self) -> String {
        self.0.hash().to_hex()
    }

    fn __repr__(&self) -> String {
        format!("LevelCurve(max_level={}, hash='{}')", self.0.max_level(), self.0.hash())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Vec<u64>,))> {
        Ok((py.get_type::<Self>().getattr("table")?, (self.0.costs().collect(),)))
    }
}

fn compile(py: Python<'_>, curve: Curve, max_level: Option<Int<u32>>, rounding: Option<&str>) -> PyResult<LevelCurve> {
    let curve = match rounding {
        None => curve,
        Some("floor") => curve.rounding(Rounding::Floor),
        Some("ceil") => curve.rounding(Rounding::Ceil),
        Some("nearest") => curve.rounding(Rounding::Nearest),
        Some(_) => return Err(argument(py, Code::InvalidArgument, "a rounding is floor, ceil or nearest")),
    };
    let curve = max_level.map_or(curve.clone(), |level| curve.max_level(level.0));
    curve.compile().or_raise(py).map(LevelCurve)
}
