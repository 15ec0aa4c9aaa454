//! Receipts: proof of each reward, chained per player so that none can be changed, added or taken out unnoticed.

use super::{Item, Scope};
use crate::codec::{Stable, fields, tags};
use crate::hash::Digest;
use crate::id::{CommandId, Id};
use crate::time::Timestamp;

const HASH_DOMAIN: &[u8] = b"liveops/receipt/v1\0";

/// Proof of one reward; a link of the player's chain.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// Place in the player's chain, from 1 on.
    pub number: u64,
    /// From [`receipt_id`](super::receipt_id): the same for the same reward, whenever and however often it is computed. Deliver by it.
    pub id: Digest,
    /// The reward's name in the rules: of a payout, the tier's.
    pub reward: Id,
    /// What it was given for.
    pub scope: Scope,
    /// What was given, or waits to be claimed; of a claw-back what is taken, with negative amounts.
    pub items: Vec<Item>,
    /// The command that set it off.
    pub cause: CommandId,
    /// That command's time.
    pub ts: Timestamp,
    /// Hash of the rules that decided.
    pub rules: Digest,
    /// [`hash`](Self::hash) of the receipt before; [`Digest::default`] in the first.
    pub previous: Digest,
    /// The first instant at which it can no longer be claimed; `None` of what is given without being claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim_until: Option<Timestamp>,
    /// How what is in it was rolled; `None` where that is no matter of luck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roll: Option<Box<RollProof>>,
    /// Where it stands. Not part of the chain: it changes, and the chain does not.
    pub state: ReceiptState,
    /// When it was claimed or revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
}

/// Everything that [`Loot::verify_roll`](super::Loot::verify_roll) wants to know of a roll but the seed and the player.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RollProof {
    /// The loot table's name.
    pub table: Id,
    /// What came.
    pub entry: Id,
    /// The player's number of this roll on this table.
    pub nonce: u64,
    /// Rolls in a row, before this one, without the entry that pity is for.
    pub misses: u32,
}

/// Where a receipt stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ReceiptState {
    /// Given at once.
    #[default]
    Issued,
    /// Waits to be claimed.
    Claimable,
    /// Given when it was claimed.
    Claimed,
    /// Was not claimed in time. Never stored: see [`Receipt::state_at`].
    Expired,
    /// Taken back, by a receipt whose scope names it.
    Revoked,
}

fields!(Receipt { number, id, reward, scope, items, cause, ts, rules, previous } later { claim_until, roll, state, settled_at });
fields!(RollProof { table, entry, nonce, misses });
tags!(ReceiptState { Issued = 0, Claimable = 1, Claimed = 2, Expired = 3, Revoked = 4 });

impl ReceiptState {
    /// The name, as JSON writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Claimable => "claimable",
            Self::Claimed => "claimed",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl Receipt {
    /// What the next receipt points back to: SHA-256 of `"liveops/receipt/v1" 0`, the stable bytes of all up to
    /// `previous`, and where there is a time to claim or a roll, those of both.
    pub fn hash(&self) -> Digest {
        self.hash_in(&mut Vec::new())
    }

    /// The same in memory that is overwritten.
    pub(crate) fn hash_in(&self, bytes: &mut Vec<u8>) -> Digest {
        bytes.clear();
        bytes.extend_from_slice(HASH_DOMAIN);
        self.put(bytes);
        if self.claim_until.is_some() || self.roll.is_some() {
            self.claim_until.put(bytes);
            self.roll.put(bytes);
        }
        Digest::of(&[bytes])
    }

    /// Where it stands at a time: what was not claimed in time has expired.
    pub fn state_at(&self, now: Timestamp) -> ReceiptState {
        match (self.state, self.claim_until) {
            (ReceiptState::Claimable, Some(until)) if now >= until => ReceiptState::Expired,
            (state, _) => state,
        }
    }

    /// Whether nothing says more than the first version of its bytes can: given at once and not taken back.
    pub(crate) fn is_plain(&self) -> bool {
        self.claim_until.is_none()
            && self.roll.is_none()
            && self.state == ReceiptState::Issued
            && self.settled_at.is_none()
            && matches!(self.scope, Scope::Level(_) | Scope::Event { .. } | Scope::Payout { .. })
    }

    /// Whether decisions can have made it: claws back or gives, and waits, or has been settled, as its fields say.
    pub(crate) fn is_sound(&self) -> bool {
        let taken = matches!(self.scope, Scope::Revoke { .. });
        let (claimable, settled) = (self.claim_until.is_some(), self.settled_at.is_some());
        self.items.iter().all(|item| (item.amount() < 0) == taken)
            && match self.state {
                ReceiptState::Issued => !claimable && !settled,
                ReceiptState::Claimable => claimable && !settled && !taken,
                ReceiptState::Claimed => claimable && settled && !taken,
                ReceiptState::Revoked => settled && !taken,
                ReceiptState::Expired => false,
            }
    }

    /// The bytes that came with a later version, behind those of [`Stable`].
    pub(crate) fn put_later(&self, out: &mut Vec<u8>) {
        self.claim_until.put(out);
        self.roll.put(out);
        self.state.put(out);
        self.settled_at.put(out);
    }

    /// Takes them.
    pub(crate) fn take_later(&mut self, from: &mut &[u8]) -> Option<()> {
        self.claim_until = Stable::take(from)?;
        self.roll = Stable::take(from)?;
        self.state = Stable::take(from)?;
        self.settled_at = Stable::take(from)?;
        Some(())
    }
}

/// What comes after this receipt does not vouch for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the chain breaks after receipt {number}")]
pub struct BrokenLink {
    /// The last receipt before the break.
    pub number: u64,
}

/// Checks a player's receipts, oldest first, against the head of the chain: the hash of the newest, or
/// [`Digest::default`] when there never was one.
///
/// Each must be what its successor points back to, and have the number before it; so must the newest be the head.
/// A changed receipt is named itself; one taken out or put in is noticed after the receipt before it; a wrong
/// `previous` speaks for the receipt before as well, which is then named. The oldest receipts may have been trimmed:
/// the check begins at the first one given.
pub fn verify_chain(receipts: &[Receipt], head: Digest) -> Result<(), BrokenLink> {
    let Some(first) = receipts.first() else {
        return if head == Digest::default() { Ok(()) } else { Err(BrokenLink { number: 0 }) };
    };
    // Only the very first receipt points at nothing.
    if first.number == 0 || (first.number == 1) != (first.previous == Digest::default()) {
        return Err(BrokenLink { number: first.number.saturating_sub(1) });
    }
    let successors = receipts.iter().skip(1).map(|next| (Some(next.number), next.previous));
    for (receipt, (next_number, vouched)) in receipts.iter().zip(successors.chain([(None, head)])) {
        let in_order = next_number.is_none_or(|next| receipt.number.checked_add(1) == Some(next));
        if !in_order || receipt.hash() != vouched {
            return Err(BrokenLink { number: receipt.number });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{BoardId, EventId, Origin, PlayerId};
    use crate::reward::receipt_id;
    use crate::window::{Period, Window};

    /// Whether it changes what points back, and how.
    type Tampering = (bool, fn(&mut Receipt));

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    fn event(text: &str, millis: i64) -> Scope {
        Scope::Event { id: EventId::new(text).unwrap(), ts: Timestamp::from_unix_millis(millis) }
    }

    fn payout(board: &str, index: i64, tier: &str) -> Scope {
        let period = Period { window: Window::Weekly, index };
        Scope::Payout { board: BoardId::new(board).unwrap(), period, tier: id(tier) }
    }

    fn receipt(number: u64, scope: Scope, previous: Digest) -> Receipt {
        Receipt {
            number,
            id: receipt_id("emberfall", &PlayerId::new("ana").unwrap(), &id("level-gold"), &scope, 0),
            reward: id("level-gold"),
            scope,
            items: vec![Item::new(id("currency"), id("gold"), 100).unwrap()],
            cause: CommandId { origin: Origin::Event, id: EventId::new("e1").unwrap() },
            ts: Timestamp::from_unix_millis(1_794_009_600_000),
            rules: Digest([7; 32]),
            previous,
            claim_until: None,
            roll: None,
            state: ReceiptState::Issued,
            settled_at: None,
        }
    }

    fn chain(len: u32) -> (Vec<Receipt>, Digest) {
        let (mut receipts, mut head) = (Vec::new(), Digest::default());
        for number in 1..=len {
            let next = receipt(u64::from(number), Scope::Level(number + 1), head);
            head = next.hash();
            receipts.push(next);
        }
        (receipts, head)
    }

    #[test]
    fn ids_and_hashes_are_pinned() {
        let ana = PlayerId::new("ana").unwrap();
        let of = |game, reward, scope, index| receipt_id(game, &ana, &id(reward), &scope, index).to_hex();
        let ids = [
            of("emberfall", "level-gold", Scope::Level(2), 0),
            of("emberfall", "level-gold", Scope::Level(300), 1),
            of("emberfall", "hydra-first", event("e1", 1_794_009_600_000), 0),
            of("", "hydra-first", event("e1", -1), u32::MAX),
            of("emberfall", "gold", payout("xp", 2966, "gold"), 0),
        ];
        assert_eq!(
            ids,
            [
                "a76289df63fa4752f272b4e4ca2735d9f99b3958396cf8e46ec2b43d6bd98edc",
                "35c4bcd182230d90511b66d8ade8755a7a0faf468b5ecef3e74f7f0eb7df6bdb",
                "a8338ba3f9a6df2595fdc362695e33b2c14fdb455964bc6e8ee698f4cd9e39da",
                "8efb99d01fb55a07faf4df8d2ddb7ddfc4812a72ad3833fb6c04c115f3cb6209",
                "ed9d82b457729cd26cd8eb864d3c481dfa8f05568f363129ce0370864af9a6e4"
            ]
        );
        assert_eq!(chain(2).1.to_hex(), "ad60bc8115a35830e87edb2f80f70ac9d52ac735ea0a6ecf1d3e47c4362c1e61");
    }

    #[test]
    fn receipts_have_one_form_in_bytes_and_in_json() {
        for scope in [Scope::Level(2), event("e1", 5), payout("xp", 2966, "gold")] {
            let receipt = receipt(1, scope, Digest::default());
            let bytes = receipt.to_bytes();
            assert_eq!(Receipt::take(&mut &bytes[..]).as_ref(), Some(&receipt));
            assert!((0..bytes.len()).all(|cut| Receipt::take(&mut &bytes[..cut]).is_none()));
        }
        assert_eq!(Scope::take(&mut &[6, 0][..]), None);
        let json = |scope| serde_json::to_value(receipt(1, scope, Digest::default())).unwrap();
        assert_eq!(json(Scope::Level(2))["scope"], serde_json::json!({"level": 2}));
        assert_eq!(json(event("e1", 5))["scope"], serde_json::json!({"event": {"id": "e1", "ts": 5}}));
        let period = serde_json::json!({"board": "xp", "window": "weekly", "index": 2966, "tier": "gold"});
        assert_eq!(json(payout("xp", 2966, "gold"))["scope"], serde_json::json!({"payout": period}));
        let keys = ["number", "id", "reward", "scope", "items", "cause", "ts", "rules", "previous"];
        assert!(keys.iter().all(|key| json(Scope::Level(2)).get(key).is_some()));
    }

    #[test]
    fn the_state_changes_and_the_chain_does_not() {
        let mut receipt = receipt(1, Scope::Level(2), Digest::default());
        let plain = receipt.hash();
        let until = Timestamp::from_unix_millis(10);
        receipt.claim_until = Some(until);
        receipt.state = ReceiptState::Claimable;
        let promised = receipt.hash();
        assert_ne!(plain, promised, "what can be claimed until when is part of the chain");
        let states = [9, 10].map(|millis| receipt.state_at(Timestamp::from_unix_millis(millis)));
        assert_eq!(states, [ReceiptState::Claimable, ReceiptState::Expired]);
        receipt.state = ReceiptState::Claimed;
        receipt.settled_at = Some(until.minus_millis(1));
        assert_eq!((receipt.hash(), receipt.state_at(until)), (promised, ReceiptState::Claimed));
        let json = serde_json::to_value(&receipt).unwrap();
        assert_eq!(
            (&json["state"], &json["claimUntil"], &json["settledAt"]),
            (&"claimed".into(), &10.into(), &9.into())
        );
    }

    #[test]
    fn a_chain_holds_whole_and_trimmed() {
        let (receipts, head) = chain(6);
        for trimmed in 0..6 {
            assert_eq!(verify_chain(&receipts[trimmed..], head), Ok(()));
        }
        assert_eq!(verify_chain(&[], Digest::default()), Ok(()));
        assert_eq!(verify_chain(&[], head), Err(BrokenLink { number: 0 }));
    }

    #[test]
    fn every_tampering_is_found_at_its_place() {
        let tamperings: [Tampering; 9] = [
            (false, |r| r.number += 10),
            (false, |r| r.id.0[0] ^= 1),
            (false, |r| r.reward = id("other")),
            (false, |r| r.scope = Scope::Level(99)),
            (false, |r| r.items.clear()),
            (false, |r| r.cause.origin = Origin::Operator),
            (false, |r| r.ts = r.ts.plus_millis(1)),
            (false, |r| r.rules.0[31] ^= 1),
            (true, |r| r.previous.0[5] ^= 1),
        ];
        let (whole, head) = chain(6);
        for trimmed in [0, 2] {
            let receipts = &whole[trimmed..];
            for place in 0..receipts.len() {
                for (index, (in_previous, tamper)) in tamperings.iter().enumerate() {
                    let mut forged = receipts.to_vec();
                    tamper(&mut forged[place]);
                    let number = receipts[place].number;
                    let named = verify_chain(&forged, head).unwrap_err().number;
                    match (index, place) {
                        // A wrong number breaks the order before it as well.
                        (0, 1..) => assert_eq!(named, number - 1),
                        (0, 0) => assert!(named == number + 10 || named == number + 9),
                        (_, 0) if *in_previous && trimmed > 0 => assert_eq!(named, number),
                        _ => assert_eq!(named, number - u64::from(*in_previous), "{trimmed} {place} {index}"),
                    }
                }
                let mut missing = receipts.to_vec();
                missing.remove(place);
                let named = verify_chain(&missing, head).map_err(|broken| broken.number);
                // Without its first receipt a chain looks trimmed, which is allowed.
                let wanted = if place == 0 { Ok(()) } else { Err(receipts[place].number - 1) };
                assert_eq!(named, wanted);
                let mut twice = receipts.to_vec();
                twice.insert(place, receipts[place].clone());
                assert_eq!(verify_chain(&twice, head), Err(BrokenLink { number: receipts[place].number }));
            }
        }
        let mut headless = whole;
        headless[0].previous = Digest([1; 32]);
        assert_eq!(verify_chain(&headless, head), Err(BrokenLink { number: 0 }));
    }
}
