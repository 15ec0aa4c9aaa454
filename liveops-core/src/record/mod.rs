//! What is asked and what is stored: a small vocabulary of commands, keys, records and changes.
//!
//! Every record has a stable encoding: a byte for the kind, a byte for the version of that kind's form, then its fields
//! (see [`crate::codec`]). A version once released stays decodable; a newer one is [`StoreErrorKind::TooNew`] and is
//! never overwritten. A record is written in the first version that can say it.

mod change;
mod command;
mod header;
mod horizon;
mod key;
mod paid;
mod player;
mod run;
mod signature;
mod told;

pub use change::{ChangeSet, CommitOutcome, Effect, Judgement, Migrated, Settled, StoredOutcome, Suspicion};
pub use command::{Action, Command, Payment, Reason, ReceiptName, Ruling};
pub use header::{BoardHeader, Header};
pub use horizon::{AdvanceError, Horizon, Measure};
pub use key::{Key, Kind};
pub use paid::Paid;
pub use player::{CurveMark, Doubt, Misses, OnCurve, Player, Profile, Rolls, Triage};
pub use run::Run;
pub use signature::{sign_receipt, verify_receipt};
pub use told::Told;

pub use crate::reward::Receipt;

use serde::Serialize;

use crate::codec::{Stable, fields};
use crate::error::StoreErrorKind;
use crate::hash::Digest;
use crate::id::BoardId;
use crate::reward::Scope;
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

/// The newest version of each kind's form, by the kind's byte.
const NEWEST: [u8; 5] = [1, 4, 4, 3, 2];

impl Record {
    /// The stable bytes.
    pub fn encode(&self) -> Vec<u8> {
        self.to_bytes()
    }

    /// The record behind stable bytes; [`StoreErrorKind::TooNew`] for a later version's, else
    /// [`StoreErrorKind::Corrupt`] for bytes that [`Self::encode`] never makes.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, StoreErrorKind> {
        if let [kind, version, ..] = bytes
            && *version > NEWEST.get(usize::from(*kind)).copied().unwrap_or(1)
        {
            return Err(StoreErrorKind::TooNew);
        }
        let record = Self::take(&mut bytes).ok_or(StoreErrorKind::Corrupt)?;
        if bytes.is_empty() { Ok(record) } else { Err(StoreErrorKind::Corrupt) }
    }

    /// The first version of its kind's form that can say it. A record is written in no later one, so that its bytes, and
    /// digests over them, stay what they were before there was anything new to say; and a program that does not know
    /// the new knows that it does not.
    fn version(&self) -> u8 {
        match self {
            Self::Horizon(_) => 1,
            // Version 2 has reasons that came with more detectors.
            Self::Suspicion(suspicion) => 1 + u8::from(suspicion.verdicts.iter().any(Judgement::is_later)),
            Self::Player(player) if !player.is_before_version_4() => 4,
            Self::Player(player) if !player.is_before_version_3() => 3,
            Self::Player(player) => 1 + u8::from(!player.paid.is_empty()),
            Self::Outcome(outcome) => outcome.version(),
            Self::Receipt(receipt) => receipt_version(receipt),
        }
    }
}

/// Version 2 has payments; 3 has what is claimed or revoked, and what streaks and overflow give.
fn receipt_version(receipt: &Receipt) -> u8 {
    match receipt.scope {
        _ if !receipt.is_plain() => 3,
        Scope::Payout { .. } => 2,
        _ => 1,
    }
}

impl Stable for Record {
    fn put(&self, out: &mut Vec<u8>) {
        let version = self.version();
        let head = |kind, out: &mut Vec<u8>| out.extend([kind, version]);
        match self {
            Self::Horizon(r) => {
                head(0, out);
                r.put(out);
            }
            Self::Player(r) => {
                head(1, out);
                r.put(out);
                if version > 1 {
                    r.paid.put(out);
                }
                if version > 2 {
                    r.curve.put(out);
                    r.overflow.put(out);
                    r.streaks.put(out);
                    r.claimable.put(out);
                    r.families.put(out);
                    r.doubts.put(out);
                    r.alerts.put(out);
                }
                if version > 3 {
                    r.triage.put(out);
                    r.misses.put(out);
                    r.remainders.put(out);
                }
            }
            Self::Outcome(r) => {
                head(2, out);
                r.put_version(version, out);
            }
            Self::Receipt(r) => {
                head(3, out);
                r.put(out);
                if version > 2 {
                    r.put_later(out);
                }
            }
            Self::Suspicion(r) => {
                head(4, out);
                r.put(out);
            }
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let (kind, version) = (u8::take(from)?, u8::take(from)?);
        let record = match kind {
            0 => Self::Horizon(Stable::take(from)?),
            1 => {
                let mut player: Box<Player> = Stable::take(from)?;
                if version > 1 {
                    player.paid = Stable::take(from)?;
                }
                if version > 2 {
                    player.curve = Stable::take(from)?;
                    player.overflow = Stable::take(from)?;
                    player.streaks = Stable::take(from)?;
                    player.claimable = Stable::take(from)?;
                    player.families = Stable::take(from)?;
                    player.doubts = Stable::take(from)?;
                    player.alerts = Stable::take(from)?;
                }
                if version > 3 {
                    player.triage = Stable::take(from)?;
                    player.misses = Stable::take(from)?;
                    player.remainders = Stable::take(from)?;
                }
                Self::Player(player.is_sound().then_some(player)?)
            }
            2 => Self::Outcome(StoredOutcome::take_version(version, from)?.into()),
            3 => {
                let mut receipt: Box<Receipt> = Stable::take(from)?;
                if version > 2 {
                    receipt.take_later(from)?;
                }
                Self::Receipt(receipt.is_sound().then_some(receipt)?)
            }
            4 => Self::Suspicion(Stable::take(from)?),
            _ => return None,
        };
        (record.version() == version).then_some(record)
    }
}

fields!(BoardKey { board, period });

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
