//! Level curves.

use liveops_core::progress::{LevelCurve as Curve, Levels};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyRange};

use crate::arguments::{Exact, Int};
use crate::choices::to_rounding;
use crate::errors::Fallible as _;
use crate::results::load;
use crate::rules::part;

/// A compiled level curve: exact, whatever it was made from. Level 1 starts at 0 XP.
#[pyclass(module = "liveops", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct LevelCurve(pub(crate) Levels);

#[pymethods]
impl LevelCurve {
    /// `base * growth ** (level - 1)`; the growth is text, such as "1.2" or "4/3", an int, a `Fraction` or a `Decimal`.
    ///
    /// Of every curve: fractions are rounded level by level (`floor`, `ceil`, `nearest`), and with `cumulative` the values are
    /// the totals at which levels start, instead of costs; level 1 starts at 0 whatever a formula says of it.
    #[staticmethod]
    #[pyo3(signature = (base, growth, *, max_level, rounding="floor", cumulative=false))]
    fn exponential(
        py: Python<'_>,
        base: Int<u64>,
        growth: Exact,
        max_level: Int<u32>,
        rounding: &str,
        cumulative: bool,
    ) -> PyResult<Self> {
        let curve = Curve::exponential(base.0, &growth.0).or_raise(py)?;
        compile(py, curve.rounding(to_rounding(py, rounding)?), Some(max_level), cumulative)
    }

    /// `base` for level 1, `step` more for each further level.
    #[staticmethod]
    #[pyo3(signature = (base, step, *, max_level, cumulative=false))]
    fn linear(py: Python<'_>, base: Int<u64>, step: Int<u64>, max_level: Int<u32>, cumulative: bool) -> PyResult<Self> {
        compile(py, Curve::linear(base.0, step.0), Some(max_level), cumulative)
    }

    /// `c0 + c1 * level + c2 * level ** 2 + ...`; coefficients are texts from c0 on, such as "0", "50", "-0.5", "-10/3", or
    /// ints, `Fraction` or `Decimal`.
    ///
    /// `times`: coefficients of another polynomial that this one is multiplied by, after it was rounded by itself
    /// (`times_rounding`), as formulas with a rounding inside have it.
    ///
    /// >>> cubes = LevelCurve.polynomial([0, 0, 0, "1/500"], times=(637, "-10/3"), max_level=68, cumulative=True)
    /// >>> cubes.total(68)
    /// 257834
    #[staticmethod]
    #[pyo3(signature = (coefficients, *, max_level, rounding="floor", times=None, times_rounding="floor",
                        cumulative=false))]
    fn polynomial(
        py: Python<'_>,
        coefficients: Vec<Exact>,
        max_level: Int<u32>,
        rounding: &str,
        times: Option<Vec<Exact>>,
        times_rounding: &str,
        cumulative: bool,
    ) -> PyResult<Self> {
        let mut curve = Curve::polynomial(&texts(&coefficients)).or_raise(py)?;
        let times_rounding = to_rounding(py, times_rounding)?;
        if let Some(times) = times {
            curve = curve.times(&texts(&times), times_rounding).or_raise(py)?;
        }
        compile(py, curve.rounding(to_rounding(py, rounding)?), Some(max_level), cumulative)
    }

    /// The cost of level 1, 2 and so on; with `cumulative` the total at which each starts, 0 first.
    #[staticmethod]
    #[pyo3(signature = (costs, *, max_level=None, cumulative=false))]
    fn table(py: Python<'_>, costs: Vec<Int<u64>>, max_level: Option<Int<u32>>, cumulative: bool) -> PyResult<Self> {
        compile(py, Curve::table(costs.into_iter().map(|cost| cost.0).collect()), max_level, cumulative)
    }

    /// Curves one after the other: (level, curve) with the level from which each holds, the first from level 1. Each
    /// counts its levels anew, from its own level 1; each level costs what it costs there.
    ///
    /// With `cumulative` each counts on: a level starts where it starts in the curve that holds there, and a curve reaches up
    /// to the last level for which it holds. Whatever no curve by itself can say, `from_dict` can.
    #[staticmethod]
    #[pyo3(signature = (pieces, *, max_level, cumulative=false))]
    fn piecewise(
        py: Python<'_>,
        pieces: Vec<(Int<u32>, Py<Self>)>,
        max_level: Int<u32>,
        cumulative: bool,
    ) -> PyResult<Self> {
        // A compiled curve is exact, so its table says as much as its formula.
        let piece = |(Int(from), curve): &(Int<u32>, Py<Self>)| {
            let levels = &curve.get().0;
            let skipped = usize::try_from(from.saturating_sub(1)).unwrap_or(usize::MAX);
            let table = if cumulative { levels.totals().skip(skipped).collect() } else { levels.costs().collect() };
            (*from, Curve::table(table))
        };
        compile(py, Curve::piecewise(pieces.iter().map(piece).collect()), Some(max_level), cumulative)
    }

    /// From a dict in the grammar of `progress.curve` in a rules document. `RulesError` names the path of what is wrong in it.
    ///
    /// >>> LevelCurve.from_dict({"kind": "table", "totals": [0, 300, 900, 2_700]}).costs()
    /// [300, 600, 1800]
    #[staticmethod]
    fn from_dict(curve: &Bound<'_, PyDict>) -> PyResult<Self> {
        Ok(Self(part(curve, &["progress", "curve"])?.progression().levels.clone()))
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

    /// The XP totals at which level 1, 2 and so on start: 0 first, then strictly rising.
    fn totals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.0.totals())
    }

    /// The levels reached on the way from one XP total to another, in order: none if it does not rise.
    ///
    /// >>> LevelCurve.table([100, 200, 300]).gained(50, 300)
    /// range(2, 4)
    fn gained<'py>(&self, py: Python<'py>, from_xp: Int<u64>, to_xp: Int<u64>) -> PyResult<Bound<'py, PyRange>> {
        let gained = self.0.gained(from_xp.0, to_xp.0);
        // Levels are at most 10,000.
        let [start, last] = [*gained.start(), *gained.end()].map(|level| isize::try_from(level).unwrap_or(isize::MAX));
        PyRange::new(py, start, last.saturating_add(1))
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

fn compile(py: Python<'_>, curve: Curve, max_level: Option<Int<u32>>, cumulative: bool) -> PyResult<LevelCurve> {
    let curve = if cumulative { curve.cumulative() } else { curve };
    let curve = max_level.map_or(curve.clone(), |level| curve.max_level(level.0));
    curve.compile().or_raise(py).map(LevelCurve)
}

fn texts(numbers: &[Exact]) -> Vec<&str> {
    numbers.iter().map(|number| number.0.as_str()).collect()
}
