//! Level curves.

use liveops_core::Rules;
use liveops_core::limits::LEVELS_MAX;
use liveops_core::progress::{CurveError, LevelCurve as Curve, Levels};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyDict, PyList, PyRange};

use crate::arguments::{Exact, Int, Listed, each};
use crate::choices::to_rounding;
use crate::errors::{Fallible as _, Raise as _};
use crate::results::load;
use crate::rules::part;

/// A level curve: exact, whatever it was made from. Level 1 starts at 0 XP.
///
/// What is no curve by itself may be a piece of one (`LevelCurve.piecewise`): a formula without `max_level`, or one that holds
/// from a later level only. Whatever else is asked of it raises `ArgumentError` and says what is missing.
#[pyclass(module = "liveops", frozen, eq)]
pub(crate) struct LevelCurve {
    /// As it was written, for pieces.
    curve: Curve,
    compiled: Result<Levels, CurveError>,
}

impl LevelCurve {
    /// The compiled table, which what is a piece only does not have.
    pub(crate) fn levels(&self, py: Python<'_>) -> PyResult<&Levels> {
        self.compiled.as_ref().map_err(|why| why.clone().raise(py))
    }

    /// Compiled at once, so that a mistake is told where it is made; what may still be a piece keeps the reason.
    fn new(py: Python<'_>, curve: Curve, max_level: Option<Int<u32>>, cumulative: bool) -> PyResult<Self> {
        let curve = if cumulative { curve.cumulative() } else { curve };
        let curve = match max_level {
            Some(Int(level)) => curve.max_level(level),
            None => curve,
        };
        match curve.compile() {
            Err(why) if !curve.may_be_piece(&why) => Err(why.raise(py)),
            compiled => Ok(Self { curve, compiled }),
        }
    }

    /// The curve as a piece of a whole: a formula as it was written, and what has an end as its table, which is as exact.
    fn piece(&self, py: Python<'_>, from: u32, cumulative: bool) -> PyResult<Curve> {
        let piece = self.curve.clone().into_piece(cumulative).or_raise(py)?;
        let Ok(levels) = &self.compiled else { return Ok(piece) };
        if self.curve.is_formula() {
            return Ok(piece);
        }
        let skipped = usize::try_from(from.saturating_sub(1)).unwrap_or(usize::MAX);
        Ok(Curve::table(if cumulative { levels.totals().skip(skipped).collect() } else { levels.costs().collect() }))
    }
}

impl From<Levels> for LevelCurve {
    fn from(levels: Levels) -> Self {
        Self { curve: Curve::table(levels.costs().collect()), compiled: Ok(levels) }
    }
}

/// By what they mean, whatever they were made from.
impl PartialEq for LevelCurve {
    fn eq(&self, other: &Self) -> bool {
        match (&self.compiled, &other.compiled) {
            (Ok(own), Ok(other)) => own == other,
            (Err(_), Err(_)) => self.curve == other.curve,
            _ => false,
        }
    }
}

#[pymethods]
impl LevelCurve {
    /// `base * growth ** (level - 1)`; the growth is text, such as "1.2" or "4/3", an int, a `Fraction` or a `Decimal`.
    ///
    /// Of every curve: fractions are rounded level by level (`floor`, `ceil`, `nearest`), and with `cumulative` the values are
    /// the totals at which levels start, instead of costs; level 1 starts at 0 whatever a formula says of it.
    #[staticmethod]
    #[pyo3(signature = (base, growth, *, max_level=None, rounding="floor", cumulative=false))]
    fn exponential(
        py: Python<'_>,
        base: Int<u64>,
        growth: Exact,
        max_level: Option<Int<u32>>,
        rounding: &str,
        cumulative: bool,
    ) -> PyResult<Self> {
        let curve = Curve::exponential(base.0, &growth.0).or_raise(py)?;
        Self::new(py, curve.rounding(to_rounding(py, rounding)?), max_level, cumulative)
    }

    /// `base` for level 1, `step` more for each further level.
    #[staticmethod]
    #[pyo3(signature = (base, step, *, max_level=None, cumulative=false))]
    fn linear(
        py: Python<'_>,
        base: Int<u64>,
        step: Int<u64>,
        max_level: Option<Int<u32>>,
        cumulative: bool,
    ) -> PyResult<Self> {
        Self::new(py, Curve::linear(base.0, step.0), max_level, cumulative)
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
    #[pyo3(signature = (coefficients, *, max_level=None, rounding="floor", times=None, times_rounding="floor",
                        cumulative=false))]
    fn polynomial(
        py: Python<'_>,
        coefficients: Listed<Exact>,
        max_level: Option<Int<u32>>,
        rounding: &str,
        times: Option<Listed<Exact>>,
        times_rounding: &str,
        cumulative: bool,
    ) -> PyResult<Self> {
        let mut curve = Curve::polynomial(&texts(&coefficients.0)).or_raise(py)?;
        let times_rounding = to_rounding(py, times_rounding)?;
        if let Some(Listed(times)) = times {
            curve = curve.times(&texts(&times), times_rounding).or_raise(py)?;
        }
        Self::new(py, curve.rounding(to_rounding(py, rounding)?), max_level, cumulative)
    }

    /// The cost of level 1, 2 and so on; with `cumulative` the total at which each starts, 0 first.
    #[staticmethod]
    #[pyo3(signature = (costs, *, max_level=None, cumulative=false))]
    fn table(py: Python<'_>, costs: Listed<Int<u64>>, max_level: Option<Int<u32>>, cumulative: bool) -> PyResult<Self> {
        Self::new(py, Curve::table(costs.0.into_iter().map(|cost| cost.0).collect()), max_level, cumulative)
    }

    /// Curves one after the other: (level, curve) with the level from which each holds, the first from level 1. Each
    /// counts its levels anew, from its own level 1; each level costs what it costs there.
    ///
    /// With `cumulative` each counts on: a level starts where it starts in the curve that holds there; a table that begins
    /// above 0 begins at the level from which it holds. All are cumulative, as the whole is, or none. Only the whole has a highest level: that of a formula says nothing here, and
    /// need not be given.
    ///
    /// >>> rest = LevelCurve.polynomial(("403", "-45.5", "2.5"), cumulative=True)  # falls at first
    /// >>> line = LevelCurve.polynomial([-17, 17], cumulative=True)
    /// >>> LevelCurve.piecewise([(1, line), (18, rest)], max_level=20, cumulative=True).totals()[15:]
    /// [255, 272, 394, 441, 493]
    #[staticmethod]
    #[pyo3(signature = (pieces, *, max_level=None, cumulative=false))]
    fn piecewise(
        py: Python<'_>,
        pieces: &Bound<'_, PyAny>,
        max_level: Option<Int<u32>>,
        cumulative: bool,
    ) -> PyResult<Self> {
        // A piece holds for a level at least.
        let pieces = each(pieces, LEVELS_MAX as usize, |piece| {
            let (Int(from), curve) = piece.extract::<(Int<u32>, Py<Self>)>()?;
            Ok((from, curve.get().piece(py, from, cumulative)?))
        })?;
        Self::new(py, Curve::piecewise(pieces), max_level, cumulative)
    }

    /// From a dict in the grammar of `progress.curve` in a rules document. `RulesError` names the path of what is wrong in it.
    ///
    /// >>> LevelCurve.from_dict({"kind": "table", "totals": [0, 300, 900, 2_700]}).costs()
    /// [300, 600, 1800]
    #[staticmethod]
    fn from_dict(curve: &Bound<'_, PyDict>) -> PyResult<Self> {
        let levels = part(curve, &["progress", "curve"])?.progression().levels.clone();
        let py = curve.py();
        let text = py.import("json")?.call_method1("dumps", (curve,))?.extract::<PyBackedStr>()?;
        Ok(Self { curve: Rules::level_curve(text.as_bytes()).or_raise(py)?, compiled: Ok(levels) })
    }

    /// XP from this level to the next; 0 at the highest level.
    fn cost(&self, py: Python<'_>, level: Int<u32>) -> PyResult<u64> {
        Ok(self.levels(py)?.cost(level.0))
    }

    /// XP at which a level starts.
    fn total(&self, py: Python<'_>, level: Int<u32>) -> PyResult<u64> {
        Ok(self.levels(py)?.total(level.0))
    }

    /// The level of an XP total.
    fn level_at(&self, py: Python<'_>, xp: Int<u64>) -> PyResult<u32> {
        Ok(self.levels(py)?.level_at(xp.0))
    }

    /// Level, XP into it and XP to the next.
    fn progress<'py>(&self, py: Python<'py>, xp: Int<u64>) -> PyResult<Bound<'py, PyAny>> {
        load(py, "LevelProgress", &self.levels(py)?.progress(xp.0))
    }

    /// The costs of level 1, 2 and so on, up to the last but one level.
    fn costs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.levels(py)?.costs())
    }

    /// The XP totals at which level 1, 2 and so on start: 0 first, then strictly rising.
    fn totals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.levels(py)?.totals())
    }

    /// The levels reached on the way from one XP total to another, in order: none if it does not rise.
    ///
    /// >>> LevelCurve.table([100, 200, 300]).gained(50, 300)
    /// range(2, 4)
    fn gained<'py>(&self, py: Python<'py>, from_xp: Int<u64>, to_xp: Int<u64>) -> PyResult<Bound<'py, PyRange>> {
        let gained = self.levels(py)?.gained(from_xp.0, to_xp.0);
        // Levels are at most 10,000.
        let [start, last] = [*gained.start(), *gained.end()].map(|level| isize::try_from(level).unwrap_or(isize::MAX));
        PyRange::new(py, start, last.saturating_add(1))
    }

    /// The highest level.
    #[getter]
    fn max_level(&self, py: Python<'_>) -> PyResult<u32> {
        Ok(self.levels(py)?.max_level())
    }

    /// Names the table by its content, 64 hex digits.
    #[getter]
    fn hash(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.levels(py)?.hash().to_hex())
    }

    fn __repr__(&self) -> String {
        match &self.compiled {
            Ok(levels) => format!("LevelCurve(max_level={}, hash='{}')", levels.max_level(), levels.hash()),
            Err(_) => "LevelCurve(a piece)".to_owned(),
        }
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Vec<u64>,))> {
        Ok((py.get_type::<Self>().getattr("table")?, (self.levels(py)?.costs().collect(),)))
    }
}

fn texts(numbers: &[Exact]) -> Vec<&str> {
    numbers.iter().map(|number| number.0.as_str()).collect()
}
