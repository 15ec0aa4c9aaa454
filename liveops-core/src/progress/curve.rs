//! What levels cost, by table or formula, compiled in exact arithmetic.

use super::exponential::exponential;
use super::polynomial::Polynomial;
use super::{Levels, Ratio, Rounding};
use crate::error::{Code, Error};
use crate::limits::{COEFFICIENTS_MAX, INTEGER_MAX, LEVELS_MAX};

/// Most levels that the exponential pieces of one curve go over together.
const EXPONENTIAL_LEVELS_MAX: u64 = 2 * LEVELS_MAX as u64;

/// How much experience each level takes, before it is compiled into [`Levels`].
///
/// `cost(l)` is the experience from level l to l+1. Level 1 starts at 0. A formula's fractions are rounded level by
/// level, down unless [`rounding`](Self::rounding) says otherwise; nothing else is ever rounded.
///
/// ```
/// use liveops_core::progress::{LevelCurve, Rounding};
///
/// let steep = LevelCurve::exponential(250, "1.2")?.rounding(Rounding::Nearest);
/// let levels = LevelCurve::piecewise(vec![(1, LevelCurve::linear(100, 10)), (4, steep)]).max_level(7).compile()?;
/// assert_eq!(levels.costs().collect::<Vec<_>>(), [100, 110, 120, 250, 300, 360]);
///
/// // Totals instead of costs: a table as players know it, or a formula such as 4/5 l^3.
/// let tabletop = LevelCurve::table(vec![0, 300, 900, 2_700, 6_500]).cumulative().compile()?;
/// assert_eq!((tabletop.cost(2), tabletop.level_at(899), tabletop.level_at(900)), (600, 2, 3));
/// let fast = LevelCurve::polynomial(&["0", "0", "0", "4/5"])?.cumulative().max_level(100).compile()?;
/// assert_eq!(fast.total(100), 800_000);
/// # Ok::<(), liveops_core::progress::CurveError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelCurve {
    shape: Shape,
    rounding: Option<Rounding>,
    max_level: Option<u32>,
    cumulative: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    Table(Vec<u64>),
    Linear { base: u64, step: u64 },
    Polynomial(Polynomial),
    Exponential { base: u64, growth: Ratio },
    Piecewise(Vec<(u32, LevelCurve)>),
}

/// Why a curve cannot be compiled, and what would be valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CurveError {
    /// A growth has another form.
    #[error(
        "a growth is a text above 0: a decimal with up to 9 digits behind the point, such as \"1.2\", or a fraction, such \
         as \"4/3\""
    )]
    Growth,
    /// A coefficient has another form.
    #[error(
        "a coefficient is a text: a decimal with up to 9 digits behind the point, such as \"-0.5\", or a fraction, such as \
         \"-10/3\""
    )]
    Coefficient,
    /// A factor for what is no polynomial.
    #[error("only a polynomial is multiplied by another one")]
    Factor,
    /// More coefficients than [`COEFFICIENTS_MAX`].
    #[error("a polynomial has at most {COEFFICIENTS_MAX} coefficients")]
    TooManyCoefficients,
    /// A formula without an end.
    #[error("the highest level is missing: give one of 2 to {LEVELS_MAX}")]
    MaxLevelMissing,
    /// Fewer than two levels or more than [`LEVELS_MAX`].
    #[error("the highest level must be 2 to {LEVELS_MAX}")]
    MaxLevel,
    /// The highest level lies beyond the end of a table.
    #[error("the table ends at level {level}: give the next one too, or a highest level up to {level}")]
    TableTooShort {
        /// The highest level that the table reaches.
        level: u32,
    },
    /// A table of totals that does not begin at 0.
    #[error("level 1 starts at 0: so does a table of totals")]
    FirstTotal,
    /// The parts of a piecewise curve do not fit together.
    #[error(
        "pieces start at level 1, then at ever higher levels below the highest one; only the whole has a highest level, \
         only the whole is cumulative, and no piece has pieces"
    )]
    Pieces,
    /// A piece of costs in a cumulative whole, or of totals in one that is not.
    #[error(
        "a piece is cumulative where the whole is, and only there: its values are totals, or costs, as those of the whole"
    )]
    PieceKind,
    /// Many long pieces of powers.
    #[error("its exponential pieces go over more than {EXPONENTIAL_LEVELS_MAX} levels: use fewer of them")]
    TooMuchWork,
    /// A level that costs nothing, or less.
    #[error("the cost of level {level} must be at least 1: each level starts above the one before")]
    CostTooSmall {
        /// The level.
        level: u32,
    },
    /// More experience than an integer may hold.
    #[error("with level {level} the total would pass 2^53 - 1: lower the costs or the highest level")]
    TotalTooLarge {
        /// The first level whose cost is too much.
        level: u32,
    },
}

impl CurveError {
    /// The stable code.
    pub const fn code(&self) -> Code {
        match self {
            Self::Growth | Self::Coefficient | Self::Factor | Self::Pieces | Self::PieceKind => Code::InvalidFormat,
            Self::TooManyCoefficients | Self::TooMuchWork => Code::TooLong,
            Self::MaxLevelMissing => Code::Missing,
            Self::TableTooShort { .. } => Code::TooShort,
            Self::MaxLevel | Self::FirstTotal | Self::CostTooSmall { .. } | Self::TotalTooLarge { .. } => {
                Code::OutOfRange
            }
        }
    }

    /// The level whose cost is at fault, if it is that of one.
    pub const fn level(&self) -> Option<u32> {
        match self {
            Self::CostTooSmall { level } | Self::TotalTooLarge { level } => Some(*level),
            _ => None,
        }
    }
}

impl From<CurveError> for Error {
    fn from(error: CurveError) -> Self {
        error.code().into()
    }
}

impl LevelCurve {
    /// The cost of level 1, 2 and so on; [cumulative](Self::cumulative), the totals at which they start. Unless told
    /// otherwise, the highest level is the last one that the table reaches.
    pub const fn table(costs: Vec<u64>) -> Self {
        Self::new(Shape::Table(costs))
    }

    /// `base` for level 1, `step` more for each further level.
    pub const fn linear(base: u64, step: u64) -> Self {
        Self::new(Shape::Linear { base, step })
    }

    /// `c0 + c1 * l + c2 * l^2 + ...` for level l, with rational coefficients from c0 on, such as "12", "-0.5", "-10/3" or
    /// "0".
    pub fn polynomial(coefficients: &[&str]) -> Result<Self, CurveError> {
        Polynomial::new(coefficients).map(|polynomial| Self::new(Shape::Polynomial(polynomial)))
    }

    /// A polynomial times another one that is rounded by itself first: how formulas with a rounding inside are written,
    /// such as `l^3 * floor((1911 - 10 l) / 3) / 500`.
    ///
    /// ```
    /// use liveops_core::progress::{LevelCurve, Rounding};
    ///
    /// let cubes = LevelCurve::polynomial(&["0", "0", "0", "1/500"])?.times(&["637", "-10/3"], Rounding::Floor)?;
    /// assert_eq!(cubes.cumulative().max_level(68).compile()?.total(68), 257_834);
    /// # Ok::<(), liveops_core::progress::CurveError>(())
    /// ```
    pub fn times(mut self, coefficients: &[&str], rounding: Rounding) -> Result<Self, CurveError> {
        let Shape::Polynomial(polynomial) = &mut self.shape else { return Err(CurveError::Factor) };
        polynomial.times(coefficients, rounding)?;
        Ok(self)
    }

    /// `base * growth^(l - 1)` for level l. The growth is text, such as "1.2" or "4/3", because these have no exact
    /// binary form.
    pub fn exponential(base: u64, growth: &str) -> Result<Self, CurveError> {
        let growth = Ratio::parse(growth).map_err(|_| CurveError::Growth)?;
        Ok(Self::new(Shape::Exponential { base, growth }))
    }

    /// Curves one after the other, each with the level from which it holds; the first holds from level 1. Each counts
    /// its levels anew: its own level 1 is the one from which it holds. Only formulas of a
    /// [cumulative](Self::cumulative) whole count on, for their values are totals. A piece without a rounding takes that of
    /// the whole.
    pub const fn piecewise(pieces: Vec<(u32, Self)>) -> Self {
        Self::new(Shape::Piecewise(pieces))
    }

    /// Values are totals at which levels start, instead of costs. Level 1 starts at 0 whatever a formula says of it; a
    /// table says so itself.
    #[must_use]
    pub const fn cumulative(mut self) -> Self {
        self.cumulative = true;
        self
    }

    /// How fractions are rounded.
    #[must_use]
    pub const fn rounding(mut self, rounding: Rounding) -> Self {
        self.rounding = Some(rounding);
        self
    }

    /// The highest level, 2 to [`LEVELS_MAX`].
    #[must_use]
    pub const fn max_level(mut self, level: u32) -> Self {
        self.max_level = Some(level);
        self
    }

    /// The table of levels.
    pub fn compile(&self) -> Result<Levels, CurveError> {
        let max_level =
            self.max_level.or_else(|| self.shape.end(self.cumulative)).ok_or(CurveError::MaxLevelMissing)?;
        if !(2..=LEVELS_MAX).contains(&max_level) {
            return Err(CurveError::MaxLevel);
        }
        let mut starts = Starts(vec![0]);
        let rounding = self.rounding.unwrap_or_default();
        let Shape::Piecewise(pieces) = &self.shape else {
            self.shape.extend(&mut starts, 1, max_level, rounding, self.cumulative)?;
            return Ok(Levels::new(starts.0));
        };
        check_pieces(pieces, max_level, self.cumulative)?;
        self.check_work(pieces, max_level)?;
        let from = |(from, _): &(u32, Self)| *from;
        // A piece of costs leads up to the start of the next; one of totals ends before it.
        let ends = pieces.iter().skip(1).map(|piece| from(piece) - u32::from(self.cumulative)).chain([max_level]);
        for ((from, piece), end) in pieces.iter().zip(ends) {
            piece.shape.extend(&mut starts, *from, end, piece.rounding.unwrap_or(rounding), self.cumulative)?;
        }
        Ok(Levels::new(starts.0))
    }

    /// Powers are multiplied level by level; those of totals from level 1 on, wherever a piece begins.
    fn check_work(&self, pieces: &[(u32, Self)], max_level: u32) -> Result<(), CurveError> {
        let ends = pieces.iter().skip(1).map(|(from, _)| *from).chain([max_level]);
        let levels = pieces.iter().zip(ends).filter(|((_, piece), _)| matches!(piece.shape, Shape::Exponential { .. }));
        let levels = levels.map(|((from, _), end)| if self.cumulative { end } else { end - from });
        let work: u64 = levels.map(u64::from).sum();
        if work <= EXPONENTIAL_LEVELS_MAX { Ok(()) } else { Err(CurveError::TooMuchWork) }
    }

    /// Whether a curve that cannot be compiled for this reason may still be a piece of another: a formula that begins well
    /// at a later level, a table that begins there, or a shape without an end.
    ///
    /// ```
    /// use liveops_core::progress::LevelCurve;
    ///
    /// let falls_at_first = LevelCurve::polynomial(&["403", "-45.5", "2.5"])?.cumulative().max_level(32);
    /// let why = falls_at_first.compile().unwrap_err();
    /// assert!(falls_at_first.may_be_piece(&why));
    /// # Ok::<(), liveops_core::progress::CurveError>(())
    /// ```
    pub fn may_be_piece(&self, why: &CurveError) -> bool {
        match (&self.shape, why) {
            // One total alone is no whole curve.
            (Shape::Table(totals), _) if self.cumulative => {
                totals.first().is_some_and(|total| *total > 0 || totals.len() == 1) && self.max_level.is_none()
            }
            (Shape::Table(_) | Shape::Piecewise(_), _) => false,
            (_, why) => {
                let costs = matches!(why, CurveError::CostTooSmall { .. } | CurveError::TotalTooLarge { .. });
                costs || *why == CurveError::MaxLevelMissing
            }
        }
    }

    /// Whether it is a formula, which has a value for any level.
    pub const fn is_formula(&self) -> bool {
        matches!(self.shape, Shape::Linear { .. } | Shape::Polynomial(_) | Shape::Exponential { .. })
    }

    /// The curve as a piece of a whole, which alone has a highest level and says whether values are totals. A curve whose values
    /// are not what those of the whole are would mean something else there, and is refused.
    pub fn into_piece(self, cumulative: bool) -> Result<Self, CurveError> {
        if self.cumulative != cumulative {
            return Err(CurveError::PieceKind);
        }
        Ok(Self { max_level: None, cumulative: false, ..self })
    }

    const fn new(shape: Shape) -> Self {
        Self { shape, rounding: None, max_level: None, cumulative: false }
    }
}

impl Shape {
    /// The highest level, where the shape itself says so.
    fn end(&self, cumulative: bool) -> Option<u32> {
        match self {
            Self::Table(values) => {
                let len = u32::try_from(values.len()).unwrap_or(u32::MAX);
                Some(len.saturating_add(u32::from(!cumulative)))
            }
            Self::Piecewise(pieces) => {
                let (from, last) = pieces.last()?;
                // Pieces of pieces are refused later; they must not be walked before.
                let Self::Table(_) = last.shape else { return None };
                Some(from.saturating_add(last.shape.end(cumulative)?).saturating_sub(1))
            }
            Self::Linear { .. } | Self::Polynomial(_) | Self::Exponential { .. } => None,
        }
    }

    /// Appends starts until there are `end` of them. The shape holds from level `from` on: as costs of its own level 1, 2
    /// and so on, or as totals of these very levels.
    fn extend(
        &self,
        starts: &mut Starts,
        from: u32,
        end: u32,
        rounding: Rounding,
        cumulative: bool,
    ) -> Result<(), CurveError> {
        let count = end.saturating_sub(starts.level());
        // Totals: level 1 is there already. Costs: of the shape's own levels.
        let first = if cumulative { starts.level() + 1 } else { 1 };
        let push = |value: i128| if cumulative { starts.push_total(value) } else { starts.push_cost(value) };
        let levels = first..first + count;
        match self {
            Self::Table(values) => {
                let skipped = if cumulative { first - from } else { 0 };
                if skipped > 0 && values.first().is_some_and(|total| *total != 0) {
                    return Err(CurveError::FirstTotal);
                }
                let values = values.iter().skip(to_usize(skipped)).take(to_usize(count));
                values.copied().map(i128::from).try_for_each(push)?;
                let level = starts.level();
                if level == end { Ok(()) } else { Err(CurveError::TableTooShort { level }) }
            }
            Self::Linear { base, step } => {
                levels.map(|level| i128::from(*base) + i128::from(*step) * i128::from(level - 1)).try_for_each(push)
            }
            Self::Polynomial(polynomial) => levels.map(|level| polynomial.at(level, rounding)).try_for_each(push),
            Self::Exponential { base, growth } => {
                let values = exponential(*base, *growth, rounding).skip(to_usize(first - 1)).take(to_usize(count));
                values.map(|value| value.map_or(i128::MAX, i128::from)).try_for_each(push)
            }
            Self::Piecewise(_) => Err(CurveError::Pieces),
        }
    }
}

/// Levels are at most `LEVELS_MAX`.
fn to_usize(level: u32) -> usize {
    usize::try_from(level).unwrap_or(usize::MAX)
}

/// Where the levels so far start.
struct Starts(Vec<u64>);

impl Starts {
    /// The last level so far.
    fn level(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// Where the last level starts.
    fn last(&self) -> u64 {
        self.0.last().copied().unwrap_or(0)
    }

    /// Adds a level that starts `cost` above the last one.
    fn push_cost(&mut self, cost: i128) -> Result<(), CurveError> {
        self.push_total(cost.saturating_add(self.last().into()))
    }

    /// Adds a level that starts at `total`.
    fn push_total(&mut self, total: i128) -> Result<(), CurveError> {
        let level = self.level();
        if total <= i128::from(self.last()) {
            return Err(CurveError::CostTooSmall { level });
        }
        let total = u64::try_from(total).ok().filter(|total| *total <= INTEGER_MAX.unsigned_abs());
        self.0.push(total.ok_or(CurveError::TotalTooLarge { level })?);
        Ok(())
    }
}

fn check_pieces(pieces: &[(u32, LevelCurve)], max_level: u32, cumulative: bool) -> Result<(), CurveError> {
    let from = |piece: &(u32, LevelCurve)| piece.0;
    // A last piece of totals may hold for the highest level alone.
    let last_from_max = if cumulative { max_level } else { max_level - 1 };
    let is_plain = |piece: &LevelCurve| {
        piece.max_level.is_none() && !piece.cumulative && !matches!(piece.shape, Shape::Piecewise(_))
    };
    let valid = pieces.first().map(from) == Some(1)
        && pieces.iter().zip(pieces.iter().skip(1)).all(|(a, b)| a.0 < b.0)
        && pieces.last().is_some_and(|last| last.0 <= last_from_max)
        && pieces.iter().all(|(_, piece)| is_plain(piece));
    if valid { Ok(()) } else { Err(CurveError::Pieces) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUNDINGS: [Rounding; 3] = [Rounding::Floor, Rounding::Ceil, Rounding::Nearest];

    fn exponential(base: u64, growth: &str) -> LevelCurve {
        LevelCurve::exponential(base, growth).unwrap()
    }

    fn costs(curve: &LevelCurve) -> Vec<u64> {
        curve.compile().unwrap().costs().collect()
    }

    /// The cost of each level by the formula itself, as long as its parts fit 128 bits.
    #[test]
    fn exponential_costs_are_those_of_plain_fractions() {
        let mut compared = 0;
        for (growth, n, d) in [("1.2", 6_u128, 5_u128), ("1.05", 21, 20), ("2", 2, 1), ("1.125", 9, 8), ("0.9", 9, 10)]
        {
            for base in [1_u64, 7, 250, 1_000_003] {
                for rounding in ROUNDINGS {
                    let mut total = 0;
                    for level in 1..60 {
                        let power = |n: u128| n.checked_pow(level - 1).filter(|n| *n < 1 << 106);
                        let (Some(top), Some(bottom)) = (power(n), power(d)) else { break };
                        let top = top * u128::from(base);
                        let cost = match rounding {
                            Rounding::Floor => top / bottom,
                            Rounding::Ceil => top.div_ceil(bottom),
                            Rounding::Nearest => (top * 2 + bottom) / (bottom * 2),
                        };
                        total += cost;
                        let levels = exponential(base, growth).rounding(rounding).max_level(level + 1).compile();
                        compared += 1;
                        if cost == 0 || total >= 1 << 53 {
                            let error = [CurveError::CostTooSmall { level }, CurveError::TotalTooLarge { level }];
                            assert_eq!(levels, Err(error[usize::from(cost > 0)].clone()));
                            break;
                        }
                        let levels = levels.unwrap();
                        assert_eq!(
                            (u128::from(levels.cost(level)), u128::from(levels.total(level + 1))),
                            (cost, total)
                        );
                    }
                }
            }
        }
        assert!(compared > 1500, "{compared}");
    }

    #[test]
    fn a_doubling_curve_is_exact_to_the_last_level_that_fits() {
        let levels = exponential(1, "2").max_level(54).compile().unwrap();
        assert!((1..54).all(|l| levels.cost(l) == 1 << (l - 1) && levels.total(l) == (1 << (l - 1)) - 1));
        assert_eq!(levels.total(54), INTEGER_MAX.unsigned_abs());
        let beyond = exponential(1, "2").max_level(55).compile();
        assert_eq!(beyond, Err(CurveError::TotalTooLarge { level: 54 }));
    }

    #[test]
    fn a_long_slow_curve_stays_exact() {
        // (1 + 10^-9)^n * 10^9 = 10^9 + n + n (n - 1) / 2 * 10^-9 + ...: the sum passes the next whole number late.
        let levels = exponential(1_000_000_000, "1.000000001").max_level(1500).compile().unwrap();
        assert!((1..1500).all(|l| levels.cost(l) == 1_000_000_000 + u64::from(l) - 1));
    }

    #[test]
    fn the_level_is_the_inverse_of_the_total() {
        for curve in [
            exponential(250, "1.2").max_level(60),
            LevelCurve::linear(100, 25).max_level(LEVELS_MAX),
            LevelCurve::table(vec![1; 100]),
            LevelCurve::polynomial(&["0", "50", "50"]).unwrap().max_level(99),
        ] {
            let levels = curve.compile().unwrap();
            for level in 1..=levels.max_level() {
                let start = levels.total(level);
                assert_eq!(levels.level_at(start), level);
                assert_eq!(levels.level_at(start + 1), level + u32::from(levels.cost(level) == 1));
                assert_eq!(levels.level_at(start.saturating_sub(1)), (level - 1).max(1));
                let progress = levels.progress(start);
                assert_eq!((progress.level, progress.into_level), (level, 0));
                assert_eq!(progress.to_next, (level < levels.max_level()).then(|| levels.cost(level)));
            }
            assert_eq!(levels.level_at(u64::MAX), levels.max_level());
            let outside = [0, levels.max_level(), levels.max_level() + 1, u32::MAX].map(|l| levels.cost(l));
            assert_eq!((outside, levels.total(0)), ([0; 4], 0));
            assert_eq!(levels.total(u32::MAX), levels.total(levels.max_level()));
        }
    }

    #[test]
    fn each_shape_has_its_costs() {
        assert_eq!(costs(&LevelCurve::linear(10, 5).max_level(4)), [10, 15, 20]);
        assert_eq!(costs(&LevelCurve::table(vec![3, 1, 2])), [3, 1, 2]);
        assert_eq!(costs(&LevelCurve::table(vec![3, 1, 2]).max_level(3)), [3, 1]);
        let polynomial = LevelCurve::polynomial(&["0.5", "-1", "1.25"]).unwrap().max_level(5);
        assert_eq!(costs(&polynomial.clone().rounding(Rounding::Ceil)), [1, 4, 9, 17], "0.75, 3.5, 8.75, 16.5");
        assert_eq!(costs(&polynomial.clone().rounding(Rounding::Nearest)), [1, 4, 9, 17]);
        assert_eq!(polynomial.compile(), Err(CurveError::CostTooSmall { level: 1 }));
        let pieces = vec![(1, exponential(5, "1.5")), (3, LevelCurve::table(vec![9, 8]))];
        let curve = LevelCurve::piecewise(pieces);
        assert_eq!(costs(&curve), [5, 7, 9, 8]);
        assert_eq!(costs(&curve.clone().rounding(Rounding::Ceil)), [5, 8, 9, 8]);
        assert_eq!(curve.max_level(6).compile(), Err(CurveError::TableTooShort { level: 5 }));
    }

    #[test]
    fn what_cannot_be_a_curve_is_refused() {
        let linear = || LevelCurve::linear(1, 0);
        let piecewise = LevelCurve::piecewise;
        for (curve, error, code) in [
            (linear(), CurveError::MaxLevelMissing, Code::Missing),
            (linear().max_level(1), CurveError::MaxLevel, Code::OutOfRange),
            (linear().max_level(LEVELS_MAX + 1), CurveError::MaxLevel, Code::OutOfRange),
            (LevelCurve::table(vec![]), CurveError::MaxLevel, Code::OutOfRange),
            (LevelCurve::table(vec![1]).max_level(3), CurveError::TableTooShort { level: 2 }, Code::TooShort),
            (LevelCurve::table(vec![1, 0]), CurveError::CostTooSmall { level: 2 }, Code::OutOfRange),
            (LevelCurve::table(vec![u64::MAX]), CurveError::TotalTooLarge { level: 1 }, Code::OutOfRange),
            (LevelCurve::linear(1, u64::MAX).max_level(9), CurveError::TotalTooLarge { level: 2 }, Code::OutOfRange),
            (exponential(1, "0.9").max_level(9), CurveError::CostTooSmall { level: 2 }, Code::OutOfRange),
            (
                exponential(1, "18446744073709551615").max_level(9),
                CurveError::TotalTooLarge { level: 2 },
                Code::OutOfRange,
            ),
            (piecewise(vec![]).max_level(9), CurveError::Pieces, Code::InvalidFormat),
            (piecewise(vec![(2, linear())]).max_level(9), CurveError::Pieces, Code::InvalidFormat),
            (piecewise(vec![(1, linear()), (1, linear())]).max_level(9), CurveError::Pieces, Code::InvalidFormat),
            (piecewise(vec![(1, linear()), (9, linear())]).max_level(9), CurveError::Pieces, Code::InvalidFormat),
            (piecewise(vec![(1, linear().max_level(4))]).max_level(9), CurveError::Pieces, Code::InvalidFormat),
            (piecewise(vec![(1, piecewise(vec![]))]).max_level(9), CurveError::Pieces, Code::InvalidFormat),
        ] {
            assert_eq!(curve.compile().unwrap_err(), error, "{curve:?}");
            assert_eq!(error.code(), code);
        }
        assert_eq!(LevelCurve::exponential(1, "1e3"), Err(CurveError::Growth));
        assert_eq!(LevelCurve::polynomial(&["--1"]), Err(CurveError::Coefficient));
        assert_eq!(LevelCurve::polynomial(&["0"; 17]), Err(CurveError::TooManyCoefficients));
        let steep = LevelCurve::polynomial(&["18446744073709551615"; 16]).unwrap().max_level(LEVELS_MAX);
        assert_eq!(steep.compile(), Err(CurveError::TotalTooLarge { level: 1 }));
    }

    #[test]
    fn totals_are_taken_as_they_are() {
        let totals = |curve: &LevelCurve| curve.compile().unwrap().totals().collect::<Vec<_>>();
        assert_eq!(totals(&LevelCurve::table(vec![0, 5, 7]).cumulative()), [0, 5, 7]);
        assert_eq!(totals(&LevelCurve::table(vec![0, 5, 7]).cumulative().max_level(2)), [0, 5]);
        // Whatever a formula says of level 1.
        let formula = |c: &[&str]| LevelCurve::polynomial(c).unwrap().cumulative();
        assert_eq!(totals(&formula(&["-140", "100", "-15", "6/5"]).max_level(3)), [0, 9, 57]);
        assert_eq!(totals(&exponential(2, "1.5").cumulative().max_level(4)), [0, 3, 4, 6]);
        assert_eq!(totals(&LevelCurve::linear(2, 3).cumulative().max_level(4)), [0, 5, 8, 11]);
        // Formulas count on, tables begin anew.
        let square = || LevelCurve::polynomial(&["0", "0", "1"]).unwrap();
        let pieces = vec![(1, square()), (3, LevelCurve::table(vec![50, 60])), (5, square().rounding(Rounding::Ceil))];
        assert_eq!(totals(&LevelCurve::piecewise(pieces[..2].to_vec()).cumulative()), [0, 4, 50, 60]);
        let falling = LevelCurve::piecewise(pieces).cumulative().max_level(5).compile();
        assert_eq!(falling, Err(CurveError::CostTooSmall { level: 4 }), "25 is below 60");
        let pieces = vec![(1, square()), (4, exponential(4, "2"))];
        assert_eq!(totals(&LevelCurve::piecewise(pieces).cumulative().max_level(4)), [0, 4, 9, 32]);
        for (curve, error) in [
            (LevelCurve::table(vec![1, 5]).cumulative(), CurveError::FirstTotal),
            (LevelCurve::table(vec![0]).cumulative(), CurveError::MaxLevel),
            (LevelCurve::table(vec![0, 5, 5]).cumulative(), CurveError::CostTooSmall { level: 2 }),
            (LevelCurve::table(vec![0, 1 << 53]).cumulative(), CurveError::TotalTooLarge { level: 1 }),
            (LevelCurve::table(vec![0, 5]).cumulative().max_level(3), CurveError::TableTooShort { level: 2 }),
            (LevelCurve::piecewise(vec![(1, square().cumulative())]).max_level(9), CurveError::Pieces),
        ] {
            assert_eq!(curve.compile().unwrap_err(), error, "{curve:?}");
        }
        for (piece, cumulative) in [(square(), true), (square().cumulative(), false)] {
            assert_eq!(piece.clone().into_piece(cumulative), Err(CurveError::PieceKind));
            assert_eq!(piece.max_level(3).into_piece(!cumulative), Ok(square()));
        }
        let powers = (1..=9_000).step_by(1_000).map(|from| (from, exponential(1_000, "1.0001"))).collect();
        let powers = LevelCurve::piecewise(powers).cumulative().max_level(LEVELS_MAX).compile();
        assert_eq!(powers, Err(CurveError::TooMuchWork));
        assert_eq!(LevelCurve::linear(1, 1).times(&["1"], Rounding::Floor), Err(CurveError::Factor));
    }

    #[test]
    fn the_hash_names_the_table() {
        let linear = LevelCurve::linear(5, 0).max_level(4).compile().unwrap();
        let table = LevelCurve::table(vec![5, 5, 5]).compile().unwrap();
        assert_eq!((linear.hash(), &linear), (table.hash(), &table));
        assert_ne!(table.hash(), LevelCurve::table(vec![5, 5, 6]).compile().unwrap().hash());
        let known = LevelCurve::exponential(250, "1.2").unwrap().max_level(60).compile().unwrap();
        assert_eq!(known.hash().to_hex(), "338f1ee97d4cd2b0fe66fd42210d9eb5f2cd647c01cbb87641f28022bf531702");
    }
}
