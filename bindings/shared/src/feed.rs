//! The feed as texts and JSON.

use std::fmt;
use std::str::FromStr;

use liveops_core::Error;
use liveops_core::error::Code;
use liveops_core::record::ChangeSet;
use liveops_core::store::{FeedEntry, Happened};
use serde_json::{Value, json};

use crate::Core;

/// A place in the feed, which callers keep as a text: behind an entry of a partition, or at its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedCursor {
    /// Which partition.
    pub partition: u16,
    /// The entry's cursor; 0 at the start.
    pub place: u64,
}

impl fmt::Display for FeedCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.partition, self.place)
    }
}

/// `cursor_invalid` for a text that none of them is shown as.
impl FromStr for FeedCursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.split_once('.').and_then(|(p, place)| Some((p.parse().ok()?, place.parse().ok()?)));
        let cursor = parts.map(|(partition, place)| Self { partition, place });
        Ok(cursor.filter(|cursor| cursor.to_string() == text).ok_or(Code::CursorInvalid)?)
    }
}

/// Whether the store has such a partition: a cursor may be of another store.
///
/// Errors: `cursor_invalid`.
pub fn check_partition(core: &Core, partition: u16) -> Result<(), Error> {
    if partition < core.partitions() { Ok(()) } else { Err(Code::CursorInvalid.into()) }
}

/// An entry, but for the commands that led to it: those are for the caller to make.
pub fn entry_json(partition: u16, entry: &FeedEntry) -> Value {
    let mut json = match &entry.what {
        Happened::Committed(changes) => committed_json(changes),
        Happened::Advanced(horizon) => {
            let mut json = json!(horizon);
            json["kind"] = json!("advanced");
            json
        }
        _ => json!({ "kind": "unknown" }),
    };
    json["cursor"] = json!(FeedCursor { partition, place: entry.cursor }.to_string());
    json
}

/// What was committed.
pub fn committed_json(changes: &ChangeSet) -> Value {
    let outcomes = changes.outcomes.iter().map(|(id, outcome)| {
        let mut json = json!(outcome);
        json["id"] = json!(id);
        json
    });
    let suspicions = changes.suspicions.iter().map(|(number, suspicion)| {
        let mut json = json!(suspicion);
        json["playerId"] = json!(changes.player);
        json["number"] = json!(number);
        json
    });
    json!({
        "kind": "committed",
        "playerId": changes.player,
        "version": changes.record.version,
        "forget": changes.forget,
        "xp": changes.record.xp,
        "outcomes": outcomes.collect::<Vec<_>>(),
        "receipts": changes.receipts,
        "suspicions": suspicions.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_has_one_text() {
        let cursor = FeedCursor { partition: 700, place: u64::MAX };
        assert_eq!(cursor.to_string().parse::<FeedCursor>().unwrap(), cursor);
        for bad in
            ["", ".", "0", "0.", ".0", "0.1.2", "+0.1", "00.1", "0.01", "65536.1", "0.-1", "0.18446744073709551616"]
        {
            assert_eq!(bad.parse::<FeedCursor>().unwrap_err().code(), Code::CursorInvalid, "{bad}");
        }
    }
}
