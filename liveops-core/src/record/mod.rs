//! What is asked and what is stored: a small vocabulary of commands, keys, records and changes.
//!
//! Every record has a stable encoding: a byte for the kind, a byte for the version of that kind's form, then its fields
//! (see [`crate::codec`]). A version once released stays decodable; a newer one is `record_too_new` and is never overwritten. A record is written in the first version that can say it.

mod change;
mod columns;
mod command;
mod effect;
mod encode;
mod encoded;
mod header;
mod horizon;
mod key;
mod notice;
mod paid;
mod player;
mod rare;
mod run;
mod signature;
mod standings;
mod told;

pub use change::{ChangeSet, CommitOutcome, Settled, Suspicion};
pub use command::{Action, Command, Payment, Reason, ReceiptName, Ruling};
pub use effect::{Effect, Judgement, Migrated, More, StoredOutcome};
pub use encode::RecordRef;
pub use encoded::{EncodedOutcomes, NewOutcome, NewOutcomes, Written};
pub use header::{BoardHeader, Header, Retired};
pub use horizon::{AdvanceError, Horizon, Measure};
pub use key::{Key, Kind};
pub use notice::Notice;
pub use paid::Paid;
pub use player::{CurveMark, Doubt, Misses, OnCurve, Player, Profile, Rolls, Triage};
pub use rare::Rare;
pub use run::Run;
pub use signature::{sign_receipt, verify_receipt};
pub use standings::Standings;
pub(crate) use standings::{Entry, More as MoreScore, OnBoard};
pub use told::Told;

pub use crate::reward::Receipt;

use serde::Serialize;

use crate::codec::fields;
use crate::id::BoardId;
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

fields!(BoardKey { board, period });
