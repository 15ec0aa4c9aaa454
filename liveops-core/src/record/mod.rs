//! What is asked and what is stored: a small vocabulary of commands, keys, records and changes.
//!
//! Every record has a stable encoding: a byte for the kind, a byte for the version of its form, then its fields (see
//! [`crate::codec`]). A version once released stays decodable; a newer one is [`StoreErrorKind::TooNew`] and is never
//! overwritten.

mod change;
mod command;
mod key;
mod player;

pub use change::{ChangeSet, CommitOutcome, Effect, Judgement, Settled, StoredOutcome, Suspicion};
pub use command::{Action, Command, Reason, Ruling};
pub use key::Key;
pub use player::{Player, Profile, Rolls};

pub use crate::reward::Receipt;

use serde::Serialize;

use crate::codec::{Stable, fields};
use crate::error::StoreErrorKind;
use crate::hash::Digest;
use crate::id::BoardId;
use crate::time::Timestamp;
use crate::window::Period;

/// A board in one period.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BoardKey {
    /// Which board.
    pub board: BoardId,
    /// Which period.
    #[serde(flatten)]
    pub period: Period,
}

/// How far the store has been moved in time. Both marks only grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Horizon {
    /// Decisions count as made no earlier than this.
    pub now: Timestamp,
    /// Outcomes of commands older than this are gone, so such commands are refused for ever, also under later rules
    /// that would allow more.
    pub forgotten_before: Timestamp,
}

/// Before everything.
impl Default for Horizon {
    fn default() -> Self {
        Self { now: Timestamp::MIN, forgotten_before: Timestamp::MIN }
    }
}

impl Horizon {
    /// The later of the two, mark by mark.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { now: self.now.max(other.now), forgotten_before: self.forgotten_before.max(other.forgotten_before) }
    }
}

/// One stored value, behind a pointer: answers travel through several hands, and most are absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Record {
    /// Under [`Key::Horizon`].
    Horizon(Horizon),
    /// Under [`Key::Player`].
    Player(Box<Player>),
    /// Under [`Key::Outcome`].
    Outcome(Box<StoredOutcome>),
    /// Under [`Key::Receipt`].
    Receipt(Box<Receipt>),
    /// Under [`Key::Suspicion`].
    Suspicion(Box<Suspicion>),
}

/// Version of every record's form so far.
const VERSION: u8 = 1;

impl Record {
    /// The stable bytes.
    pub fn encode(&self) -> Vec<u8> {
        self.to_bytes()
    }

    /// The record behind stable bytes; [`StoreErrorKind::TooNew`] for a later version's, else
    /// [`StoreErrorKind::Corrupt`] for bytes that [`Self::encode`] never makes.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, StoreErrorKind> {
        if bytes.get(1).is_some_and(|version| *version > VERSION) {
            return Err(StoreErrorKind::TooNew);
        }
        let record = Self::take(&mut bytes).ok_or(StoreErrorKind::Corrupt)?;
        if bytes.is_empty() { Ok(record) } else { Err(StoreErrorKind::Corrupt) }
    }
}

impl Stable for Record {
    fn put(&self, out: &mut Vec<u8>) {
        let head = |kind, out: &mut Vec<u8>| out.extend([kind, VERSION]);
        match self {
            Self::Horizon(r) => {
                head(0, out);
                r.put(out);
            }
            Self::Player(r) => {
                head(1, out);
                r.put(out);
            }
            Self::Outcome(r) => {
                head(2, out);
                r.put(out);
            }
            Self::Receipt(r) => {
                head(3, out);
                r.put(out);
            }
            Self::Suspicion(r) => {
                head(4, out);
                r.put(out);
            }
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let kind = u8::take(from)?;
        if u8::take(from)? != VERSION {
            return None;
        }
        Some(match kind {
            0 => Self::Horizon(Stable::take(from)?),
            1 => Self::Player(Stable::take(from)?),
            2 => Self::Outcome(Stable::take(from)?),
            3 => Self::Receipt(Stable::take(from)?),
            4 => Self::Suspicion(Stable::take(from)?),
            _ => return None,
        })
    }
}

fields!(BoardKey { board, period });
fields!(Horizon { now, forgotten_before });

/// Hash over all records in key order: two stores with the same digest hold the same state.
///
/// `v1:` and the SHA-256 over each record's key and value, each behind its length in eight bytes.
pub fn digest<'r>(records: impl IntoIterator<Item = (&'r Key, &'r Record)>) -> String {
    use sha2::Digest as _;
    let mut sha = sha2::Sha256::new();
    let mut bytes = Vec::new();
    for (key, record) in records {
        bytes.clear();
        key.put(&mut bytes);
        let key_len = bytes.len() as u64;
        record.put(&mut bytes);
        sha.update(key_len.to_be_bytes());
        sha.update((bytes.len() as u64 - key_len).to_be_bytes());
        sha.update(&bytes);
    }
    format!("v1:{}", Digest(sha.finalize().into()))
}
