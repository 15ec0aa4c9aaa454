//! What changes when rules are replaced, and what may not.

use serde::Serialize;

use super::Rules;
use super::header::Follow;
use crate::error::{Code, Error};
use crate::hash::Digest;
use crate::time::Timestamp;

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
    /// The level curve, if it changes: see [`Rules::plan_migration`] for what that does before doing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level_curve: Option<CurveChange>,
}

/// One level curve instead of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CurveChange {
    /// Hash of the old one.
    pub from: Digest,
    /// Hash of the new one.
    pub to: Digest,
    /// Whether the new document's `migrations` say how the old one is left. If not, totals stay as they are, and levels
    /// that are then reached for the first time are rewarded.
    pub migrates: bool,
}

impl RulesDiff {
    /// Whether the documents say the same.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

impl Rules {
    /// How `new` differs, when nobody says what time it is. `board_incompatible` if it changes how a board that both
    /// have sorts or counts, or the calendar under a board that it does not retire: its standings would no longer mean what they
    /// say; `store_misconfigured` for rules of another game. The same as [`Self::fit`] finds of a store that these rules began. A
    /// calendar may only grow: more seasons, or changes of the UTC offset, behind the last. Whoever adds lines later than their
    /// own time moves periods that have begun; [`Self::diff_at`] finds that out.
    pub fn diff(&self, new: &Self) -> Result<RulesDiff, Error> {
        self.diff_where(new, Follow::Grow)
    }

    /// How `new` differs, to be put in force at `now`. `board_incompatible` as in [`Self::diff`], but what counts of the
    /// calendar is what has begun: seasons and changes of the UTC offset that are still to come may be added, changed
    /// and taken away, others may not.
    ///
    /// ```
    /// use liveops_core::{Code, Rules, Timestamp};
    ///
    /// let seasons = |until: &str| Rules::from_json(&format!(r#"{{ "version": 1, "game": "emberfall",
    ///     "calendar": {{ "seasons": {{ "table": [
    ///         {{ "label": "s1", "from": "2026-09-01T00:00:00Z", "until": "{until}" }} ] }} }},
    ///     "boards": {{ "xp": {{ "value": "grantedXp", "keepPeriods": {{ "seasonal": 4 }} }} }} }}"#));
    /// let (old, new) = (seasons("2026-12-01T00:00:00Z")?, seasons("2026-12-24T00:00:00Z")?);
    /// let at = |text| Timestamp::from_rfc3339(text).unwrap();
    /// assert_eq!(old.diff_at(&new, at("2026-08-01T00:00:00Z"))?.changed, ["/calendar/seasons/table/0/until"]);
    /// assert_eq!(old.diff_at(&new, at("2026-10-01T00:00:00Z")).unwrap_err().code(), Code::BoardIncompatible);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn diff_at(&self, new: &Self, now: Timestamp) -> Result<RulesDiff, Error> {
        // Events may be ahead of their arrival.
        let counted_through = now.plus_millis(self.door.limits.future_millis_max);
        self.diff_where(new, Follow::After(counted_through))
    }

    fn diff_where(&self, new: &Self, calendar: Follow) -> Result<RulesDiff, Error> {
        if self.game != new.game {
            return Err(Code::StoreMisconfigured.into());
        }
        new.follow(&self.header(), calendar)?;
        let only = |a: &Self, b: &Self| a.leaves.keys().filter(|path| !b.leaves.contains_key(*path)).cloned().collect();
        let changed = self.leaves.iter().filter(|(path, leaf)| new.leaves.get(*path).is_some_and(|new| new != *leaf));
        Ok(RulesDiff {
            added: only(new, self),
            removed: only(self, new),
            changed: changed.map(|(path, _)| path.clone()).collect(),
            level_curve: self.curve_change(new),
        })
    }

    fn curve_change(&self, new: &Self) -> Option<CurveChange> {
        let [from, to] = [self, new].map(|rules| rules.progression.levels.hash());
        let migrates = new.migrations.iter().any(|rule| rule.from.hash() == from);
        (from != to).then_some(CurveChange { from, to, migrates })
    }
}
