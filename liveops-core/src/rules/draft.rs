//! A change set in the making: what is stored, overlaid with what the run has done so far.

use crate::board::Standing;
use crate::id::CommandId;
use crate::limits::{CLAIMABLE_MAX, SUSPICIONS_PER_PLAYER_MAX};
use crate::record::{ChangeSet, Command, Horizon, Key, Player, Receipt, ReceiptName, StoredOutcome, Suspicion};
use crate::time::Timestamp;
use crate::window::Period;

pub(super) struct Draft<'s> {
    pub(super) changes: ChangeSet,
    pub(super) horizon: Horizon,
    pub(super) scratch: &'s mut Scratch,
}

/// Memory that one decision after the other writes over.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) bytes: Vec<u8>,
    pub(super) entries: Vec<NewEntry>,
}

/// An entry as the event being decided makes it.
#[derive(Debug)]
pub(super) struct NewEntry {
    /// Its place among the player's standings, and whether it replaces what is there.
    pub(super) at: usize,
    pub(super) replaces: bool,
    pub(super) period: Period,
    /// Its board's place in the rules.
    pub(super) rule: usize,
    pub(super) standing: Standing,
}

impl<'s> Draft<'s> {
    pub(super) fn new(
        first: &Command,
        stored: Option<Box<Player>>,
        horizon: Horizon,
        run_len: usize,
        scratch: &'s mut Scratch,
    ) -> Self {
        let record = stored.unwrap_or_default();
        let changes = ChangeSet {
            player: first.player.clone(),
            expected: record.version,
            oldest_ts: Timestamp::MAX,
            closes_at: Timestamp::MAX,
            forget: false,
            record,
            outcomes: Vec::with_capacity(run_len),
            receipts: Vec::new(),
            suspicions: Vec::new(),
            removed: Vec::new(),
        };
        Self { changes, horizon, scratch }
    }

    pub(super) fn outcome(&self, id: &CommandId, stored: Option<Box<StoredOutcome>>) -> Option<StoredOutcome> {
        let own = self.changes.outcomes.iter().find(|(known, _)| known == id).map(|(_, outcome)| outcome.clone());
        own.or_else(|| stored.filter(|_| !self.changes.forget).map(|stored| *stored))
    }

    /// A suspicion that the player's record still knows.
    pub(super) fn suspicion(&self, number: u64, stored: Option<Box<Suspicion>>) -> Option<Suspicion> {
        self.changes.record.suspicions.iter().find(|(known, _)| *known == number)?;
        let own = self.changes.suspicions.iter().find(|(known, _)| *known == number).map(|(_, s)| s.clone());
        own.or_else(|| stored.filter(|_| !self.changes.forget).map(|stored| *stored))
    }

    /// Adds or replaces one.
    pub(super) fn put_suspicion(&mut self, number: u64, suspicion: Suspicion) {
        self.changes.suspicions.retain(|(known, _)| *known != number);
        self.changes.suspicions.push((number, suspicion));
    }

    /// Adds a new one, and lets go of those that are too old or too many.
    pub(super) fn suspect(&mut self, number: u64, suspicion: Suspicion, kept_from: Timestamp) {
        self.changes.record.suspicions.push((number, suspicion.received_at));
        self.put_suspicion(number, suspicion);
        let known = &mut self.changes.record.suspicions;
        let surplus = known.len().saturating_sub(SUSPICIONS_PER_PLAYER_MAX);
        let too_old = known.iter().take(known.len() - 1).take_while(|(_, at)| *at < kept_from).count();
        for (gone, _) in known.drain(..surplus.max(too_old)) {
            self.changes.suspicions.retain(|(known, _)| *known != gone);
            self.changes.removed.push(Key::Suspicion(self.changes.player.clone(), gone));
        }
    }

    /// A receipt that is still kept.
    pub(super) fn receipt(&self, name: ReceiptName, stored: Option<&Receipt>) -> Option<Receipt> {
        let player = &self.changes.record;
        if !waits(player, name.number, self.horizon.now)
            && !(player.receipts_from.max(1)..=player.receipts).contains(&name.number)
        {
            return None;
        }
        let own = self.changes.receipts.iter().find(|receipt| receipt.number == name.number);
        let receipt = own.or(stored.filter(|_| !self.changes.forget))?;
        (receipt.number == name.number && receipt.id == name.id).then(|| receipt.clone())
    }

    /// Settles one that was claimed or revoked. If others of its age are no longer kept, neither is it.
    pub(super) fn settle_receipt(&mut self, receipt: Receipt) {
        let player = &mut self.changes.record;
        player.claimable.retain(|(number, _)| *number != receipt.number);
        if receipt.number < player.receipts_from.max(1) {
            return self.remove_receipt(receipt.number);
        }
        let receipts = &mut self.changes.receipts;
        match receipts.iter_mut().find(|known| known.number == receipt.number) {
            Some(known) => *known = receipt,
            None => receipts.push(receipt),
        }
    }

    /// Lets one wait to be claimed. The oldest of too many is kept no longer than others of its age.
    pub(super) fn keep_claimable(&mut self, number: u64, until: Timestamp) {
        self.expire_claimable();
        let player = &mut self.changes.record;
        player.claimable.push((number, until));
        if player.claimable.len() > CLAIMABLE_MAX {
            let (oldest, _) = player.claimable.remove(0);
            if oldest < player.receipts_from {
                self.remove_receipt(oldest);
            }
        }
    }

    /// Lets go of receipts that waited in vain. When it is done makes no difference: no decision sees them any more.
    pub(super) fn expire_claimable(&mut self) {
        let now = self.horizon.now;
        let player = &mut self.changes.record;
        let from = player.receipts_from;
        let expired: Vec<_> = player.claimable.extract_if(.., |(_, until)| *until <= now).collect();
        for (number, _) in expired.into_iter().filter(|(number, _)| *number < from) {
            self.remove_receipt(number);
        }
    }

    fn remove_receipt(&mut self, number: u64) {
        self.changes.receipts.retain(|receipt| receipt.number != number);
        self.changes.removed.push(Key::Receipt(self.changes.player.clone(), number));
    }

    /// Lets go of the oldest receipts beyond `kept_max`, but for those that wait to be claimed.
    pub(super) fn trim_receipts(&mut self, kept_max: u64) {
        let player = &mut self.changes.record;
        let kept_from = (player.receipts + 1).saturating_sub(kept_max);
        let first = player.receipts_from.max(1);
        if kept_from > first {
            player.receipts_from = kept_from;
            let waits = |number: u64| waits(player, number, self.horizon.now);
            let gone = (first..kept_from).filter(|number| !waits(*number));
            self.changes.removed.extend(gone.map(|number| Key::Receipt(self.changes.player.clone(), number)));
            self.changes.receipts.retain(|receipt| receipt.number >= kept_from || waits(receipt.number));
        }
    }

    /// Books one applied command.
    pub(super) fn settle(&mut self, command: &Command, outcome: StoredOutcome) {
        let changes = &mut self.changes;
        changes.record.version += 1;
        changes.record.newest_ts = changes.record.newest_ts.max(command.ts);
        changes.oldest_ts = changes.oldest_ts.min(outcome.ts);
        changes.outcomes.push((command.id.clone(), outcome));
    }

    /// Keeps the version, and the time up to which commands may have been taken in: their outcomes go too, so they must
    /// not come back.
    pub(super) fn erase(&mut self, ts: Timestamp) {
        let changes = &mut self.changes;
        *changes.record = Player {
            version: changes.record.version,
            erased_through: Some(ts.max(changes.record.newest_ts)),
            ..Player::default()
        };
        changes.forget = true;
        changes.outcomes.clear();
        changes.receipts.clear();
        changes.suspicions.clear();
        changes.removed.clear();
    }
}

/// Whether a receipt is kept because it waits to be claimed.
fn waits(player: &Player, number: u64, now: Timestamp) -> bool {
    let at = player.claimable.binary_search_by(|(known, _)| known.cmp(&number));
    at.is_ok_and(|at| player.claimable[at].1 > now)
}
