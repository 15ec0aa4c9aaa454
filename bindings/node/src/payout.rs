//! Tiers, and who gets what.

use liveops_core::board::{Award, Cut, Percent, Row, Tiers};
use liveops_core::{Code, Id, PlayerId, Timestamp};
use napi::bindgen_prelude::Float64Array;
use napi_derive::napi;
use serde_json::json;

use crate::command::Command;
use crate::failure::{OrThrow as _, Result, text};
use crate::rows::{exact, whole};

/// A part of a board with a name: ranks, or a percentage.
#[napi(object)]
#[derive(Debug)]
pub struct TierOptions {
    /// Its name.
    pub tier: String,
    /// The best rank, if it is for ranks.
    pub from: Option<i64>,
    /// The last.
    pub through: Option<i64>,
    /// A percentage as text.
    pub percent: Option<String>,
}

/// Tiers in the order in which they are looked at.
pub(crate) fn tiers(given: Vec<TierOptions>) -> Result<Tiers> {
    let tier = |TierOptions { tier, from, through, percent }: TierOptions| {
        let cut = match (from, through, percent) {
            (Some(from), Some(through), None) => {
                // None is below 0.
                Cut::Ranks { from: from.unsigned_abs(), through: through.unsigned_abs() }
            }
            (None, None, Some(percent)) => Cut::Percent(Percent::parse(&percent).or_throw()?),
            _ => return Err(Code::InvalidArgument).or_throw(),
        };
        Ok((Id::new(&tier).or_throw()?, cut))
    };
    Tiers::new(given.into_iter().map(tier).collect::<Result<Vec<_>>>()?).or_throw()
}

/// Awards as JSON.
pub(crate) fn awarded(awards: &[Award]) -> Result<String> {
    for award in awards {
        exact(award.score)?;
        exact(award.subscore)?;
    }
    text(&awards)
}

/// Who of some rows gets what, as JSON: owners one a line, and rank, score and subscore of each.
#[napi]
pub fn awards(owners: String, numbers: Float64Array, given: Vec<TierOptions>) -> Result<String> {
    let (numbers, _) = numbers.as_chunks::<3>();
    let row = |(owner, [rank, score, subscore]): (&str, &[f64; 3])| {
        Ok(Row {
            rank: whole(*rank).unsigned_abs(),
            owner: PlayerId::new(owner).or_throw()?,
            score: whole(*score),
            subscore: whole(*subscore),
            reached_at: Timestamp::from_unix_millis(0),
        })
    };
    let rows: Vec<_> = owners.split('\n').zip(numbers).map(row).collect::<Result<_>>()?;
    awarded(&liveops_core::board::awards(&rows, &tiers(given)?))
}

/// A finished board on its way to being paid.
#[napi]
#[derive(Debug)]
pub struct Payout(pub(crate) liveops_core::rules::Payout);

#[napi]
impl Payout {
    /// All but the commands, as JSON.
    #[napi]
    pub fn describe(&self) -> Result<String> {
        awarded(&self.0.awards)?;
        Ok(json!(self.0).to_string())
    }

    /// One command for each award.
    #[napi]
    pub fn commands(&self) -> Vec<Command> {
        self.0.commands().iter().cloned().map(Command).collect()
    }
}
