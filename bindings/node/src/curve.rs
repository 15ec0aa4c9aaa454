//! Level curves, compiled.

use liveops_core::Rules;
use liveops_core::progress::Levels;
use napi_derive::napi;

use crate::failure::{OrThrow as _, Result, text};
use crate::rows::exact;
use crate::rules::integer;

/// A compiled level curve.
#[napi]
#[derive(Debug)]
pub struct Curve(pub(crate) Levels);

#[napi]
impl Curve {
    /// XP from this level to the next.
    #[napi]
    pub fn cost(&self, level: u32) -> i64 {
        integer(self.0.cost(level))
    }

    /// XP at which a level starts.
    #[napi]
    pub fn total(&self, level: u32) -> i64 {
        integer(self.0.total(level))
    }

    /// The level of an XP total.
    #[napi]
    pub fn level_at(&self, xp: i64) -> u32 {
        self.0.level_at(xp.unsigned_abs())
    }

    /// Level, XP into it and XP to the next, as JSON.
    #[napi]
    pub fn progress(&self, xp: i64) -> Result<String> {
        text(&self.0.progress(xp.unsigned_abs()))
    }

    /// XP from level 1, 2 and so on to the next.
    #[napi]
    pub fn costs(&self) -> Result<Vec<f64>> {
        numbers(self.0.costs())
    }

    /// XP at which level 1, 2 and so on start.
    #[napi]
    pub fn totals(&self) -> Result<Vec<f64>> {
        numbers(self.0.totals())
    }

    /// Levels reached between two XP totals.
    #[napi]
    pub fn gained(&self, from_xp: i64, to_xp: i64) -> Vec<u32> {
        self.0.gained(from_xp.unsigned_abs(), to_xp.unsigned_abs()).collect()
    }

    /// The highest level.
    #[napi(getter)]
    pub fn max_level(&self) -> u32 {
        self.0.max_level()
    }

    /// Names the table by its content, in hex.
    #[napi(getter)]
    pub fn hash(&self) -> String {
        self.0.hash().to_hex()
    }
}

/// Whether what is no whole curve may be a piece of one.
#[napi]
pub fn may_be_piece(document: &[u8]) -> bool {
    let curve = Rules::level_curve(document);
    curve.is_ok_and(|curve| curve.compile().is_err_and(|why| curve.may_be_piece(&why)))
}

/// Refuses a curve that is no piece of a whole whose values are totals, or are not.
#[napi]
pub fn check_piece(document: &[u8], cumulative: bool) -> Result<()> {
    Rules::level_curve(document).or_throw()?.into_piece(cumulative).map(drop).or_throw()
}

fn numbers(values: impl Iterator<Item = u64>) -> Result<Vec<f64>> {
    values.map(integer).map(exact).collect()
}
