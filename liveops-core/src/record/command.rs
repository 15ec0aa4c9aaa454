//! What one player's state is asked to take in.

use std::sync::Arc;

use serde::Serialize;

use super::{BoardKey, Receipt};
use crate::codec::{Short, Stable, fields, tags};
use crate::error::{Code, Error};
use crate::event::{Event, FieldValue, Payload};
use crate::hash::{self, Digest, fingerprint, hex};
use crate::id::{CommandId, EventId, Id, Origin, PlayerId};
use crate::limits::{INTEGER_MAX, REASON_BYTES_MAX};
use crate::reward::Item;
use crate::time::Timestamp;

/// The byte of an event among actions.
const EVENT: u8 = 0;
/// Bytes of most events, without their names.
const SHORT_BYTES: usize = 256;

/// Something one player's state is asked to take in, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Its name.
    pub id: CommandId,
    /// Whose state.
    pub player: PlayerId,
    /// When it happened or was ordered: part of the content, the same in every retry. Of a payment, when its period
    /// closed.
    pub ts: Timestamp,
    /// When this copy came in; not part of the content.
    pub received_at: Timestamp,
    /// What to do.
    pub action: Action,
}

/// What a command does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Decide a game event.
    Event {
        /// The event's type.
        kind: Id,
        /// What happened.
        payload: Payload,
    },
    /// Support's correction of the XP total. Levels reached by it are rewarded once, as always; boards, which count
    /// events, stay as they are. A total below 0 is `out_of_range`.
    Adjust {
        /// How much to add or take away.
        xp: i64,
        /// Why.
        reason: Reason,
    },
    /// Settle a suspicion.
    Review {
        /// Its [`super::Key::Suspicion`] number.
        suspicion: u64,
        /// Which way.
        ruling: Ruling,
    },
    /// Show the player on boards or not.
    SetVisibility {
        /// Not.
        hidden: bool,
    },
    /// Forget the player.
    Erase,
    /// Pay the player for a place in a finished period of a board: one receipt, and a mark that it was paid, which
    /// outlives the outcome. However often it comes and however late, under whichever rules and with whichever content,
    /// one period of one board pays a player once.
    Payout(Box<Payment>),
    /// Give the player what waits to be claimed. Claimed again, it is `Replayed` with its receipt, as long as that is kept and not revoked.
    Claim(ReceiptName),
    /// Take back what a receipt gave: a new receipt with negative amounts. What was not claimed can no longer be.
    Revoke {
        /// Which receipt.
        receipt: ReceiptName,
        /// Why.
        reason: Reason,
    },
    /// Bring the player's XP total to the curve of the rules in force, as these say. It happens all the same with the
    /// player's next event; this makes it happen now. Run again, it does nothing.
    Migrate {
        /// Hash of that curve: under other rules the command is refused.
        curve: Digest,
    },
}

/// Names one receipt of a player.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReceiptName {
    /// Its number in the player's chain.
    pub number: u64,
    /// Its id: numbers begin anew after an erasure, ids tell.
    pub id: Digest,
}

impl From<&Receipt> for ReceiptName {
    fn from(receipt: &Receipt) -> Self {
        Self { number: receipt.number, id: receipt.id }
    }
}

/// What a player is paid, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The board and its period.
    pub board: BoardKey,
    /// The tier, which names the reward.
    pub tier: Id,
    /// The rank that it is for.
    pub rank: u64,
    /// What is given. Items are the game's own: none of them moves XP or a board.
    pub items: Vec<Item>,
}

/// How a review ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Ruling {
    /// Honest: a held event is decided now, under the rules of now (one of a type that they no longer know gives nothing), and counts towards the daily cap of the day of this review. Its own day goes on with
    /// a streak only if no later one has counted meanwhile.
    Release,
    /// Not: a held event stays unapplied.
    Confirm,
}

/// Why an operator did something: 1 to 256 bytes of text without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(Arc<str>);

impl Reason {
    /// Parses it; else `invalid_argument`.
    pub fn new(text: &str) -> Result<Self, Error> {
        let ok = (1..=REASON_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
        if ok { Ok(Self(text.into())) } else { Err(Code::InvalidArgument.into()) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Command {
    /// An event and when it came in. For callers that know where it came from; what comes from outside goes through
    /// [`crate::intake::Intake`].
    pub fn event(event: Event, received_at: Timestamp) -> Self {
        let Event { id, player, ts, kind, payload } = event;
        let id = CommandId { origin: Origin::Event, id };
        Self { id, player, ts, received_at, action: Action::Event { kind, payload } }
    }

    /// A command of the operator. A retry must carry the same `ts`.
    pub const fn operator(id: EventId, player: PlayerId, ts: Timestamp, now: Timestamp, action: Action) -> Self {
        Self { id: CommandId { origin: Origin::Operator, id }, player, ts, received_at: now, action }
    }

    /// How much memory it takes with what it brings, in bytes and nearly: for whoever bounds how much waits.
    pub fn memory_bytes(&self) -> usize {
        let more = match &self.action {
            Action::Event { payload, .. } => {
                let of_field = |value: &FieldValue| size_of::<(Id, FieldValue)>() + heap_bytes(value);
                payload.iter().map(|(_, value)| of_field(value)).sum()
            }
            Action::Payout(payment) => size_of::<Payment>() + payment.items.len() * size_of::<Item>(),
            Action::Adjust { reason, .. } | Action::Revoke { reason, .. } => reason.as_str().len(),
            _ => 0,
        };
        size_of::<Self>() + more
    }

    /// Support's correction of a player's XP total; see [`Action::Adjust`].
    ///
    /// Errors: `out_of_range` beyond ±(2^53 - 1), `invalid_argument` for the reason.
    pub fn adjust(id: EventId, player: PlayerId, now: Timestamp, xp: i64, reason: &str) -> Result<Self, Error> {
        if xp.unsigned_abs() > INTEGER_MAX.unsigned_abs() {
            return Err(Code::OutOfRange.into());
        }
        Ok(Self::operator(id, player, now, now, Action::Adjust { xp, reason: Reason::new(reason)? }))
    }

    /// Settles a suspicion.
    pub const fn review(id: EventId, player: PlayerId, now: Timestamp, suspicion: u64, ruling: Ruling) -> Self {
        Self::operator(id, player, now, now, Action::Review { suspicion, ruling })
    }

    /// Takes a player off every board, or shows them again.
    pub const fn set_visibility(id: EventId, player: PlayerId, now: Timestamp, hidden: bool) -> Self {
        Self::operator(id, player, now, now, Action::SetVisibility { hidden })
    }

    /// Forgets a player.
    pub const fn erase(id: EventId, player: PlayerId, now: Timestamp) -> Self {
        Self::operator(id, player, now, now, Action::Erase)
    }

    /// Pays a player for a finished period. `game` as in the rules, `closed_at` when the period closed; both are the same
    /// however often and whenever this is made, and so is the id, which [`Self::payout_id`] derives. Run at `now`, which
    /// may be any time later: how old a payment is does not matter, because its mark tells whether it was made.
    ///
    /// [`crate::Engine::payout`] makes these for a whole board.
    ///
    /// Refused are, with `period_open`, one whose period the store has not been advanced past, `unknown_board` and
    /// `unknown_window`, `standing_unknown` where the player has no entry to be paid for, `player_hidden`, and
    /// `player_erased`. The id with another tier, rank or items is `event_id_reused` as long as the first outcome is
    /// kept; later it is `Replayed` without receipts, as any payment is of which only the mark is left.
    pub fn payout(game: &str, player: PlayerId, closed_at: Timestamp, now: Timestamp, payment: Payment) -> Self {
        let id = Self::payout_id(game, &payment.board);
        Self::operator(id, player, closed_at, now, Action::Payout(Box::new(payment)))
    }

    /// The id of every payment for a period of a board: the first 32 hex digits of SHA-256 over `"liveops payout v1" 0`,
    /// the game with its length first, and board and period as [`crate::codec`] writes them.
    pub fn payout_id(game: &str, board: &BoardKey) -> EventId {
        let mut bytes = Vec::with_capacity(64);
        (game.len() as u64).put(&mut bytes);
        bytes.extend_from_slice(game.as_bytes());
        board.put(&mut bytes);
        let Digest(hash) = Digest::of(&[b"liveops payout v1\0", &bytes]);
        id_of(&hash)
    }

    /// Gives a player what a receipt says can be claimed. The id follows from the receipt and the time, so that whoever lost
    /// track can make the command anew: what was claimed is `Replayed` with its receipt, until that is revoked or no longer kept.
    ///
    /// Refused are: `receipt_unknown` for one that is not kept, `claim_expired`, and `receipt_settled` for what was given at
    /// once or was revoked.
    pub fn claim(player: PlayerId, receipt: impl Into<ReceiptName>, now: Timestamp) -> Self {
        let receipt = receipt.into();
        let id = derived_id(b"liveops claim v1\0", &[&receipt.id.0], now);
        Self::operator(id, player, now, now, Action::Claim(receipt))
    }

    /// Takes back what a receipt gave. Refused are `receipt_unknown` for one that is not kept, and `receipt_settled` for one
    /// that was revoked before or is a claw-back itself.
    ///
    /// Errors: `invalid_argument` for the reason.
    pub fn revoke(
        id: EventId,
        player: PlayerId,
        now: Timestamp,
        receipt: impl Into<ReceiptName>,
        reason: &str,
    ) -> Result<Self, Error> {
        let action = Action::Revoke { receipt: receipt.into(), reason: Reason::new(reason)? };
        Ok(Self::operator(id, player, now, now, action))
    }

    /// Brings a player to the curve of the rules in force, by its hash; [`crate::Engine::migrations`] makes these for
    /// everybody. The id follows from curve, time and the player's version ([`crate::rules::PlayerView::version`], 0 of nobody),
    /// since a curve may come into force twice. Refused with `curve_changed` under rules with another curve.
    pub fn migrate(player: PlayerId, curve: Digest, version: u64, now: Timestamp) -> Self {
        let id = derived_id(b"liveops migrate v2\0", &[&curve.0, &version.to_bytes()], now);
        Self::operator(id, player, now, now, Action::Migrate { curve })
    }

    /// Names the content, so that an id used again for something else is noticed. `scratch` may be overwritten; what is in it
    /// afterwards means nothing.
    pub fn fingerprint(&self, key: &hash::Key, scratch: &mut Vec<u8>) -> u128 {
        if let Action::Event { kind, payload } = &self.action {
            let mut short = Short::<SHORT_BYTES>::new();
            short.id(self.player.repr());
            short.time(self.ts);
            short.bytes([EVENT]);
            short.id(kind.repr());
            payload.put_short(&mut short);
            if let Some(bytes) = short.get() {
                return fingerprint(key, bytes);
            }
        }
        scratch.clear();
        self.player.put(scratch);
        self.ts.put(scratch);
        self.action.put(scratch);
        fingerprint(key, scratch)
    }

    /// Everything but whose it is.
    pub(super) fn put_rest(&self, out: &mut Vec<u8>) {
        let Self { id, player: _, ts, received_at, action } = self;
        id.put(out);
        ts.put(out);
        // Most come in within seconds. Around the end of time the difference wraps, there and back.
        received_at.as_unix_millis().wrapping_sub(ts.as_unix_millis()).put(out);
        action.put(out);
    }

    pub(super) fn take_rest(player: &PlayerId, from: &mut &[u8]) -> Option<Self> {
        let (id, ts, later) = (CommandId::take(from)?, Timestamp::take(from)?, i64::take(from)?);
        let received_at = Timestamp::from_unix_millis(ts.as_unix_millis().wrapping_add(later));
        Some(Self { id, player: player.clone(), ts, received_at, action: Action::take(from)? })
    }
}

/// The first 32 hex digits of SHA-256 over a domain, what a command is about, and its time.
fn derived_id(domain: &[u8], about: &[&[u8]], now: Timestamp) -> EventId {
    let Digest(hash) = Digest::of(&[&[domain], about, &[&now.to_bytes()]].concat());
    id_of(&hash)
}

fn id_of(hash: &[u8; 32]) -> EventId {
    // Hex digits are visible ASCII, and 32 are no more than 64.
    EventId::new(&hex(&hash[..16])).unwrap_or_else(|_| unreachable!("hex digits are a valid id"))
}

/// The player, then the rest.
impl Stable for Command {
    fn put(&self, out: &mut Vec<u8>) {
        self.player.put(out);
        self.put_rest(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        let player = PlayerId::take(from)?;
        Self::take_rest(&player, from)
    }
}

/// A byte for what it does, then what it says.
impl Stable for Action {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Event { kind, payload } => {
                out.push(EVENT);
                kind.put(out);
                payload.put(out);
            }
            Self::Review { suspicion, ruling } => {
                out.push(1);
                suspicion.put(out);
                ruling.put(out);
            }
            Self::SetVisibility { hidden } => {
                out.push(2);
                hidden.put(out);
            }
            Self::Erase => out.push(3),
            Self::Adjust { xp, reason } => {
                out.push(4);
                xp.put(out);
                reason.put(out);
            }
            Self::Payout(payment) => {
                out.push(5);
                payment.put(out);
            }
            Self::Claim(receipt) => {
                out.push(6);
                receipt.put(out);
            }
            Self::Revoke { receipt, reason } => {
                out.push(7);
                receipt.put(out);
                reason.put(out);
            }
            Self::Migrate { curve } => {
                out.push(8);
                curve.put(out);
            }
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(match u8::take(from)? {
            EVENT => Self::Event { kind: Stable::take(from)?, payload: Stable::take(from)? },
            1 => Self::Review { suspicion: Stable::take(from)?, ruling: Stable::take(from)? },
            2 => Self::SetVisibility { hidden: Stable::take(from)? },
            3 => Self::Erase,
            4 => Self::Adjust { xp: Stable::take(from)?, reason: Stable::take(from)? },
            5 => Self::Payout(Stable::take(from)?),
            6 => Self::Claim(Stable::take(from)?),
            7 => Self::Revoke { receipt: Stable::take(from)?, reason: Stable::take(from)? },
            8 => Self::Migrate { curve: Stable::take(from)? },
            _ => return None,
        })
    }
}

/// What a value takes beside its own size.
fn heap_bytes(value: &FieldValue) -> usize {
    match value {
        FieldValue::Text(text) => text.len(),
        FieldValue::Array(values) => values.iter().map(|value| size_of::<FieldValue>() + heap_bytes(value)).sum(),
        _ => 0,
    }
}

impl Stable for Reason {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Self::new(&Arc::<str>::take(from)?).ok()
    }
}

fields!(ReceiptName { number, id });
tags!(Ruling { Release = 0, Confirm = 1 });
fields!(Payment { board, tier, rank, items });

#[cfg(test)]
mod tests;
