//! Pages on their way to JavaScript. Two values cross for a whole page, and `lib/rows.js` makes objects of them: a
//! quarter of the time that one JSON text took, for a hundred rows.

use liveops_core::Code;
use liveops_core::board::{Cursor, Page, Row};
use liveops_core::limits::INTEGER_MAX;
use napi::bindgen_prelude::Float64Array;
use napi_derive::napi;

use crate::failure::{OrThrow as _, Result};

/// Rows, and where the next ones begin.
#[napi(object, object_from_js = false)]
#[expect(missing_debug_implementations, reason = "a view into memory of the engine's has none")]
pub struct Rows {
    /// Owners, one a line: no id has a line break.
    pub owners: String,
    /// Four of each row: rank, score, subscore and when it was reached.
    pub numbers: Float64Array,
    /// A cursor as text; none behind the last row.
    pub next: Option<String>,
}

/// Refuses a number that JavaScript cannot hold exactly as `score_overflow`. No score is one; a time that Rust or Python
/// gave can be.
pub(crate) fn rows(rows: &[Row]) -> Result<Rows> {
    let mut owners = String::new();
    let mut numbers = Vec::with_capacity(4 * rows.len());
    for row in rows {
        if !owners.is_empty() {
            owners.push('\n');
        }
        owners.push_str(row.owner.as_str());
        let rank = i64::try_from(row.rank).unwrap_or(i64::MAX);
        for number in [rank, row.score, row.subscore, row.reached_at.as_unix_millis()] {
            numbers.push(exact(number)?);
        }
    }
    Ok(Rows { owners, numbers: Float64Array::new(numbers), next: None })
}

/// The same of a page with a cursor.
pub(crate) fn page(page: &Page) -> Result<Rows> {
    Ok(Rows { next: page.next.as_ref().map(Cursor::to_string), ..rows(&page.rows)? })
}

/// A cursor from its text.
pub(crate) fn cursor(text: Option<String>) -> Result<Option<Cursor>> {
    text.map(|text| text.parse()).transpose().or_throw()
}

/// A number as JavaScript holds it.
#[expect(clippy::cast_precision_loss, reason = "within ±(2^53 - 1) nothing is lost")]
pub(crate) fn exact(number: i64) -> Result<f64> {
    if number.unsigned_abs() <= INTEGER_MAX.unsigned_abs() {
        Ok(number as f64)
    } else {
        Err(Code::ScoreOverflow).or_throw()
    }
}

/// A number that `lib/arguments.js` found to be whole and within ±(2^53 - 1).
#[expect(clippy::cast_possible_truncation, reason = "nothing is cut off")]
pub(crate) const fn whole(number: f64) -> i64 {
    number as i64
}
