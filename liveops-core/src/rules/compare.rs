//! What changes when rules are replaced, and what may not.

use serde::Serialize;

use super::{BoardRule, Rules};
use crate::error::{Code, Error};

/// How two rules documents differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RulesDiff {
    /// Paths (JSON Pointer) that only the new document has.
    pub added: Vec<String>,
    /// Paths that only the old document has.
    pub removed: Vec<String>,
    /// Paths whose value differs.
    pub changed: Vec<String>,
}

impl RulesDiff {
    /// Whether the documents say the same.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

impl Rules {
    /// How `new` differs. `board_incompatible` if it changes how a board that both have sorts or counts, or the calendar
    /// under a board: its standings would no longer mean what they say.
    pub fn diff(&self, new: &Self) -> Result<RulesDiff, Error> {
        let same_way = |old: &BoardRule, new: &BoardRule| old.operator == new.operator && old.sort == new.sort;
        let mut both = self.boards.iter().filter_map(|old| new.board(&old.board).map(|new| (old, new)));
        let calendar_stays = self.calendar.same_periods(&new.calendar);
        if both.any(|(old, new)| !calendar_stays || !same_way(old, new)) || self.game != new.game {
            return Err(Code::BoardIncompatible.into());
        }
        let only = |a: &Self, b: &Self| a.leaves.keys().filter(|path| !b.leaves.contains_key(*path)).cloned().collect();
        let changed = self.leaves.iter().filter(|(path, leaf)| new.leaves.get(*path).is_some_and(|new| new != *leaf));
        Ok(RulesDiff {
            added: only(new, self),
            removed: only(self, new),
            changed: changed.map(|(path, _)| path.clone()).collect(),
        })
    }
}
