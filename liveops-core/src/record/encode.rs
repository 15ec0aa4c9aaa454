//! Records as bytes, and back.

use super::{Horizon, Judgement, Player, Receipt, Record, StoredOutcome, Suspicion};
use crate::codec::Stable;
use crate::error::StoreErrorKind;
use crate::reward::Scope;

/// A record where it is: what a store writes of a change set, without a copy of it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RecordRef<'r> {
    /// Under [`super::Key::Horizon`].
    Horizon(Horizon),
    /// Under [`super::Key::Player`].
    Player(&'r Player),
    /// Under [`super::Key::Outcome`].
    Outcome(&'r StoredOutcome),
    /// Under [`super::Key::Receipt`].
    Receipt(&'r Receipt),
    /// Under [`super::Key::Suspicion`].
    Suspicion(&'r Suspicion),
}

/// The newest version of each kind's form, by the kind's byte.
const NEWEST: [u8; 5] = [1, 4, 4, 3, 2];

impl Record {
    /// The record where it is.
    pub const fn borrowed(&self) -> RecordRef<'_> {
        match self {
            Self::Horizon(horizon) => RecordRef::Horizon(*horizon),
            Self::Player(player) => RecordRef::Player(player),
            Self::Outcome(outcome) => RecordRef::Outcome(outcome),
            Self::Receipt(receipt) => RecordRef::Receipt(receipt),
            Self::Suspicion(suspicion) => RecordRef::Suspicion(suspicion),
        }
    }

    /// The stable bytes.
    pub fn encode(&self) -> Vec<u8> {
        self.to_bytes()
    }

    /// The record behind stable bytes; [`StoreErrorKind::TooNew`] for a later version's, else
    /// [`StoreErrorKind::Corrupt`] for bytes that [`Self::encode`] never makes.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, StoreErrorKind> {
        let record = Self::take_known(&mut bytes)?;
        if bytes.is_empty() { Ok(record) } else { Err(StoreErrorKind::Corrupt) }
    }

    /// The record at the front, by the same errors.
    pub(crate) fn take_known(from: &mut &[u8]) -> Result<Self, StoreErrorKind> {
        if let [kind, version, ..] = **from
            && version > NEWEST.get(usize::from(kind)).copied().unwrap_or(1)
        {
            return Err(StoreErrorKind::TooNew);
        }
        Self::take(from).ok_or(StoreErrorKind::Corrupt)
    }
}

impl RecordRef<'_> {
    /// The stable bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_into(&mut out);
        out
    }

    /// Appends the bytes that [`Record::encode`] makes.
    pub fn encode_into(self, out: &mut Vec<u8>) {
        let version = self.version();
        let head = |kind, out: &mut Vec<u8>| out.extend([kind, version]);
        match self {
            Self::Horizon(r) => {
                head(0, out);
                r.put(out);
            }
            Self::Player(r) => {
                head(1, out);
                r.put_version(version, out);
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

    /// The first version of its kind's form that can say it. A record is written in no later one, so that its bytes, and
    /// digests over them, stay what they were before there was anything new to say; and a program that does not know
    /// the new knows that it does not.
    fn version(self) -> u8 {
        match self {
            Self::Horizon(_) => 1,
            // Version 2 has reasons that came with more detectors.
            Self::Suspicion(suspicion) => 1 + u8::from(suspicion.verdicts.iter().any(Judgement::is_later)),
            Self::Player(player) if !player.is_before_version_4() => 4,
            Self::Player(player) if !player.is_before_version_3() => 3,
            Self::Player(player) => 1 + u8::from(!player.rare().paid.is_empty()),
            Self::Outcome(outcome) => outcome.version(),
            Self::Receipt(receipt) => receipt_version(receipt),
        }
    }
}

/// Version 2 has payments; 3 has what is claimed or revoked, and what streaks and overflow give.
pub(super) fn receipt_version(receipt: &Receipt) -> u8 {
    match receipt.scope {
        _ if !receipt.is_plain() => 3,
        Scope::Payout { .. } => 2,
        _ => 1,
    }
}

impl Stable for Record {
    fn put(&self, out: &mut Vec<u8>) {
        self.borrowed().encode_into(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let (kind, version) = (u8::take(from)?, u8::take(from)?);
        let record = match kind {
            0 => Self::Horizon(Stable::take(from)?),
            1 => Self::Player(Player::take_version(version, from)?),
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
        (record.borrowed().version() == version).then_some(record)
    }
}
