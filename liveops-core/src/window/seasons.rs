//! Seasons from a table.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::Code;
use crate::id::Id;
use crate::limits::SEASONS_MAX;
use crate::time::Timestamp;

/// What a season is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Seasons {
    /// A calendar month.
    #[default]
    Monthly,
    /// These, sorted and apart. Time between them, before and after belongs to no season. A season's index is its
    /// position, so nothing may be put in front of a season that has begun.
    Table(Vec<Season>),
}

/// A season of a table. Its times are absolute; offset and reset minute do not move them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Season {
    /// Its name, unique in the table.
    pub label: Id,
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

/// Seasons that are sorted, apart, not empty and named differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SeasonTable(Arc<[Season]>);

impl SeasonTable {
    pub(super) fn new(seasons: Vec<Season>) -> Result<Self, Code> {
        if seasons.len() > SEASONS_MAX {
            return Err(Code::TooLong);
        }
        let labels: BTreeSet<_> = seasons.iter().map(|season| &season.label).collect();
        if labels.len() < seasons.len() {
            return Err(Code::InvalidArgument);
        }
        let are_apart =
            seasons.iter().all(|season| season.from < season.until) && seasons.is_sorted_by(|a, b| a.until <= b.from);
        if are_apart { Ok(Self(seasons.into())) } else { Err(Code::OutOfRange) }
    }

    pub(super) fn all(&self) -> &[Season] {
        &self.0
    }

    pub(super) fn get(&self, index: i64) -> Option<&Season> {
        self.0.get(usize::try_from(index).ok()?)
    }

    /// The index of the season that runs, or in a gap of the next; behind the last one of a season that is not there.
    pub(super) fn first_ending_after(&self, ts: Timestamp) -> i64 {
        i64::try_from(self.0.partition_point(|season| season.until <= ts)).unwrap_or(i64::MAX)
    }

    /// The start of the first season that the other table has not, or not so, or the other way round; `None` if there
    /// is none.
    pub(super) fn differs_from(&self, other: &Self) -> Option<Timestamp> {
        let same = self.0.iter().zip(&*other.0).take_while(|(a, b)| a == b).count();
        [self, other].into_iter().filter_map(|table| Some(table.0.get(same)?.from)).min()
    }

    /// Whether the other table is this one with more seasons behind the last.
    pub(super) fn grows_into(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }
}
