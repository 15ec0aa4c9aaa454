//! A change set in the making: what is stored, overlaid with what the run has done so far.

use super::BoardRule;
use super::known::Known;
use crate::board::Standing;
use crate::id::{BoardId, CommandId};
use crate::limits::{CLAIMABLE_MAX, SUSPICIONS_PER_PLAYER_MAX};
use crate::record::{
    BoardKey, ChangeSet, Command, Effect, EncodedOutcomes, Entry, Horizon, Key, Player, Rare, Receipt, ReceiptName,
    Record, Settled, StoredOutcome, Suspicion, Triage,
};
use crate::reward::ReceiptState;
use crate::time::Timestamp;
use crate::window::Period;

pub(crate) struct Draft<'s> {
    pub(super) changes: &'s mut ChangeSet,
    /// Where outcomes are written, if not into the change set.
    encoded: Option<&'s mut EncodedOutcomes>,
    /// How many commands were applied.
    pub(super) applied: usize,
    pub(super) horizon: Horizon,
    pub(super) scratch: &'s mut Scratch,
    /// How many entries the last granted event counted in, whether it moved them or not: each of a period that was open, and sorted as
    /// the rules sort.
    pub(super) entered: usize,
    /// What boards showed before is yet to be made from `scratch.entries`.
    is_before_in_entries: bool,
    /// Whether boards may show of some entry in `changes.shown` what they showed before.
    may_be_same: bool,
    /// Records that the stored player lists, as far as they were asked for.
    listed: Vec<(Key, Option<Record>)>,
    /// Those that have to be asked for, if the decision cannot be made without.
    pub(super) lacks: Vec<Key>,
    /// Whether the stored player is on no board.
    was_hidden: bool,
}

/// What is stored about a player.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// The player's record.
    pub player: Option<Box<Player>>,
    /// Records that it lists, where a decision asked for them ([`super::Decided::Lacks`]); absent ones too.
    pub listed: Vec<(Key, Option<Record>)>,
}

/// Memory that one decision after the other writes over.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) entries: Vec<NewEntry>,
    /// What boards showed before the run, beside the entries of its change set.
    before: Vec<Option<Standing>>,
    pub(super) known: Known,
    /// What is hashed.
    pub(super) bytes: Vec<u8>,
}

/// An entry as the event being decided makes it.
#[derive(Debug)]
pub(super) struct NewEntry {
    /// Its place among the player's standings.
    pub(super) at: usize,
    /// Its board's place in the rules.
    pub(super) rule: usize,
    /// Whether it replaces none.
    pub(super) is_new: bool,
    /// Whether it is another than the one it replaces.
    pub(super) moves: bool,
    /// Once it is in the record, the one that it replaces.
    pub(super) entry: Entry,
}

impl<'s> Draft<'s> {
    /// For a change set that is [new](ChangeSet::new), and for outcomes as bytes, if these are given.
    pub(crate) fn new(
        changes: &'s mut ChangeSet,
        encoded: Option<&'s mut EncodedOutcomes>,
        listed: Vec<(Key, Option<Record>)>,
        horizon: Horizon,
        scratch: &'s mut Scratch,
    ) -> Self {
        let was_hidden = changes.record.hidden;
        scratch.before.clear();
        let lacks = Vec::new();
        Self {
            changes,
            encoded,
            applied: 0,
            horizon,
            scratch,
            entered: 0,
            is_before_in_entries: false,
            may_be_same: false,
            listed,
            lacks,
            was_hidden,
        }
    }

    /// A record that the stored player lists. Where it was not asked for, the decision is given up, to be taken again with all
    /// that is listed.
    fn listed(&mut self, key: &Key) -> Option<Record> {
        if self.changes.forget {
            return None;
        }
        if let Some((_, record)) = self.listed.iter().find(|(known, _)| known == key) {
            return record.clone();
        }
        if self.lacks.is_empty() {
            let Rare { suspicions, claimable, triage, .. } = self.changes.record.rare();
            let name = &self.changes.player;
            let suspicions = suspicions.iter().filter(|_| triage.is_none());
            self.lacks.extend(suspicions.map(|(number, _)| Key::Suspicion(name.clone(), *number)));
            self.lacks.extend(claimable.iter().map(|(number, _)| Key::Receipt(name.clone(), *number)));
        }
        None
    }

    pub(super) fn outcome(
        &self,
        id: &CommandId,
        run: &[&Command],
        stored: Option<Box<StoredOutcome>>,
    ) -> Option<StoredOutcome> {
        let own = match &self.encoded {
            Some(encoded) => encoded.of(run).find(id),
            None => self.changes.outcomes.iter().find(|(known, _)| known == id).map(|(_, outcome)| outcome.clone()),
        };
        own.or_else(|| stored.filter(|_| !self.changes.forget).map(|stored| *stored))
    }

    /// A suspicion that the player's record still knows.
    pub(super) fn suspicion(&self, number: u64, stored: Option<Box<Suspicion>>) -> Option<Suspicion> {
        self.changes.record.rare().suspicions.iter().find(|(known, _)| *known == number)?;
        let own = self.changes.suspicions.iter().find(|(known, _)| *known == number).map(|(_, s)| s.clone());
        own.or_else(|| stored.filter(|_| !self.changes.forget).map(|stored| *stored))
    }

    /// Adds or replaces one.
    pub(super) fn put_suspicion(&mut self, number: u64, suspicion: Suspicion) {
        self.changes.suspicions.retain(|(known, _)| *known != number);
        self.changes.suspicions.push((number, suspicion));
    }

    /// Where the player's suspicions stand. Records of before version 4 do not say it: then the suspicions themselves do.
    pub(super) fn triage(&mut self) -> Triage {
        if let Some(triage) = &self.changes.record.rare().triage {
            return triage.clone();
        }
        let mut triage = Triage::default();
        for number in self.changes.record.rare().suspicions.iter().map(|(number, _)| *number).collect::<Vec<_>>() {
            let own = self.changes.suspicions.iter().find(|(known, _)| *known == number).map(|(_, s)| s.clone());
            let suspicion = own.or_else(|| match self.listed(&Key::Suspicion(self.changes.player.clone(), number)) {
                Some(Record::Suspicion(suspicion)) => Some(*suspicion),
                _ => None,
            });
            match suspicion {
                Some(Suspicion { settled: Settled::Open, held: true, .. }) => triage.holds.push(number),
                Some(Suspicion { settled: Settled::Open, .. }) => {}
                // What is no longer there cannot be reviewed.
                _ => triage.settled.push(number),
            }
        }
        triage
    }

    /// Adds a new one, and lets go of those that are too old or too many: settled ones first, then flags. Events that are held
    /// and wait stay.
    pub(super) fn suspect(&mut self, number: u64, suspicion: Suspicion, mut triage: Triage, kept_from: Timestamp) {
        let ChangeSet { record, suspicions, removed, player, .. } = &mut *self.changes;
        let rare = record.rare_mut();
        rare.suspicions.push((number, suspicion.received_at));
        if suspicion.held {
            triage.holds.push(number);
        }
        suspicions.push((number, suspicion));
        let mut may_go = rare.suspicions.clone();
        may_go.retain(|(known, _)| triage.holds.binary_search(known).is_err());
        let too_old = may_go.iter().filter(|(known, at)| *at < kept_from && *known != number);
        let mut gone: Vec<u64> = too_old.map(|(known, _)| *known).collect();
        if gone.is_empty() && rare.suspicions.len() > SUSPICIONS_PER_PLAYER_MAX {
            gone.extend(triage.settled.first().or(may_go.first().map(|(known, _)| known)));
        }
        rare.suspicions.retain(|(known, _)| !gone.contains(known));
        triage.settled.retain(|known| !gone.contains(known));
        rare.triage = Some(triage);
        suspicions.retain(|(known, _)| !gone.contains(known));
        removed.extend(gone.into_iter().map(|known| Key::Suspicion(player.clone(), known)));
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
        if let Some(rare) = &mut player.rare {
            rare.claimable.retain(|(number, _)| *number != receipt.number);
        }
        if receipt.number < player.receipts_from.max(1) {
            return self.remove_receipt(receipt.number);
        }
        let receipts = &mut self.changes.receipts;
        match receipts.iter_mut().rfind(|known| known.number == receipt.number) {
            Some(known) => *known = receipt,
            None => receipts.push(receipt),
        }
    }

    /// Lets one wait to be claimed. The oldest of too many is given as if it were claimed.
    pub(super) fn keep_claimable(&mut self, number: u64, until: Timestamp, command: &Command, effect: &mut Effect) {
        self.expire_claimable(self.horizon.now);
        let waiting = &mut self.changes.record.rare_mut().claimable;
        waiting.push((number, until));
        if waiting.len() > CLAIMABLE_MAX {
            // The horizon may not know yet whose time is over.
            self.expire_claimable(command.received_at.max(self.horizon.now));
        }
        let waiting = &self.changes.record.rare().claimable;
        let Some((oldest, _)) = waiting.first().copied().filter(|_| waiting.len() > CLAIMABLE_MAX) else { return };
        match self.waiting_receipt(oldest) {
            Some(receipt) => {
                let given = Receipt { state: ReceiptState::Claimed, settled_at: Some(command.ts), ..receipt };
                let told = effect.more_mut();
                told.claimable.retain(|receipt| receipt.number != oldest);
                told.receipts.push(given.clone());
                self.settle_receipt(given);
            }
            None => self.changes.record.rare_mut().claimable.retain(|(known, _)| *known != oldest),
        }
    }

    /// One that waits, own or stored.
    fn waiting_receipt(&mut self, number: u64) -> Option<Receipt> {
        let own = self.changes.receipts.iter().find(|receipt| receipt.number == number).cloned();
        own.or_else(|| match self.listed(&Key::Receipt(self.changes.player.clone(), number)) {
            Some(Record::Receipt(receipt)) => Some(*receipt),
            _ => None,
        })
    }

    /// Lets go of receipts that waited in vain. When it is done makes no difference: no decision sees them any more.
    pub(super) fn expire_claimable(&mut self, now: Timestamp) {
        let player = &mut self.changes.record;
        let from = player.receipts_from;
        let Some(rare) = &mut player.rare else { return };
        let expired: Vec<_> = rare.claimable.extract_if(.., |(_, until)| *until <= now).collect();
        for (number, _) in expired.into_iter().filter(|(number, _)| *number < from) {
            self.remove_receipt(number);
        }
    }

    fn remove_receipt(&mut self, number: u64) {
        self.changes.receipts.retain(|receipt| receipt.number != number);
        self.changes.removed.push(Key::Receipt(self.changes.player.clone(), number));
    }

    /// Lets go of the oldest receipts beyond `kept_max`, but for those that wait to be claimed.
    #[inline]
    pub(super) fn trim_receipts(&mut self, kept_max: u64) {
        if self.changes.record.receipts > kept_max {
            self.trim_receipts_to(kept_max);
        }
    }

    fn trim_receipts_to(&mut self, kept_max: u64) {
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

    /// Shows the player on boards, or not.
    pub(super) fn hide(&mut self, hidden: bool) {
        if self.changes.record.hidden != hidden {
            self.note_all();
            let ChangeSet { record, shown, .. } = &mut *self.changes;
            record.hidden = hidden;
            for (key, now) in shown {
                *now = record.shown(key);
            }
        }
    }

    /// Notes that an entry changes: what is there, and what comes. Entries come in order: `from` is what the one before
    /// returned, or 0.
    ///
    /// While a run goes on, `changes.shown` has what boards show of entries that were touched, and `scratch.before` what they
    /// showed before it: few entries, where the player may have many.
    pub(super) fn note(
        &mut self,
        from: usize,
        (board, period): (&BoardId, Period),
        standing: Option<&Standing>,
        comes: Option<&Standing>,
    ) -> usize {
        self.make_before();
        let ChangeSet { shown, record, .. } = &mut *self.changes;
        let before = if self.was_hidden { None } else { standing };
        let comes = if record.hidden { None } else { comes };
        if shown.len() != from {
            return self.note_among(from, (board, period), before, comes);
        }
        self.may_be_same |= before == comes;
        shown.push((BoardKey { board: board.clone(), period }, comes.copied()));
        self.scratch.before.push(before.copied());
        from + 1
    }

    /// Puts the entries that an event makes into the record, and notes them.
    #[inline(never)]
    pub(super) fn enter(&mut self, boards: &[BoardRule]) {
        let mut entries = std::mem::take(&mut self.scratch.entries);
        let ChangeSet { shown, record, .. } = &mut *self.changes;
        self.entered = entries.len();
        if shown.is_empty() && !self.was_hidden && !record.hidden {
            // As those of a run's first command mostly are.
            let show = |NewEntry { rule, entry, .. }: &NewEntry| {
                let key = BoardKey { board: boards[*rule].board.clone(), period: entry.period() };
                (key, Some(entry.standing()))
            };
            shown.extend(entries.iter().map(show));
            self.is_before_in_entries = true;
            for NewEntry { at, is_new, moves, entry, .. } in &mut entries {
                self.may_be_same |= !*moves;
                if !*is_new {
                    record.standings.exchange_at(*at, entry);
                }
            }
        } else {
            let mut from = 0;
            for NewEntry { at, rule, is_new, entry, .. } in &mut entries {
                let (key, comes) = ((&boards[*rule].board, entry.period()), entry.standing());
                if !*is_new {
                    self.changes.record.standings.exchange_at(*at, entry);
                }
                let before = (!*is_new).then(|| entry.standing());
                from = self.note(from, key, before.as_ref(), Some(&comes));
            }
        }
        if entries.iter().any(|entry| entry.is_new) {
            // From the back, so that places stay right.
            let standings = &mut self.changes.record.standings;
            for NewEntry { at, rule, entry, .. } in entries.iter().rev().filter(|entry| entry.is_new) {
                standings.insert_entry_at(*at, &boards[*rule].board, entry.clone());
            }
        }
        self.scratch.entries = entries;
    }

    /// Makes room for the entries of another event.
    pub(super) fn clear_entries(&mut self) {
        self.make_before();
        self.scratch.entries.clear();
    }

    /// What boards showed of the entries that the run's first event made: mostly nobody asks.
    #[inline]
    fn make_before(&mut self) {
        if std::mem::take(&mut self.is_before_in_entries) {
            let Scratch { entries, before, .. } = &mut *self.scratch;
            before.extend(entries.iter().map(|new| (!new.is_new).then(|| new.entry.standing())));
        }
    }

    fn note_among(
        &mut self,
        from: usize,
        (board, period): (&BoardId, Period),
        before: Option<&Standing>,
        comes: Option<&Standing>,
    ) -> usize {
        self.may_be_same = true;
        let (before, comes) = (before.copied(), comes.copied());
        let shown = &mut self.changes.shown;
        let mut at = from;
        while shown.get(at).is_some_and(|(known, _)| (&known.board, known.period) < (board, period)) {
            at += 1;
        }
        match shown.get_mut(at) {
            Some((known, now)) if known.period == period && known.board == *board => *now = comes,
            _ => {
                shown.insert(at, (BoardKey { board: board.clone(), period }, comes));
                self.scratch.before.insert(at, before);
            }
        }
        at + 1
    }

    /// Notes every entry, as it is.
    fn note_all(&mut self) {
        self.may_be_same = true;
        let standings = std::mem::take(&mut self.changes.record.standings);
        let mut from = 0;
        for (board, period, standing) in &standings {
            from = self.note(from, (board, period), Some(&standing), Some(&standing));
        }
        self.changes.record.standings = standings;
    }

    /// Ends the run: of what was touched, the change set has what boards now show otherwise than before.
    #[inline]
    pub(super) fn finish(mut self) {
        if self.may_be_same {
            self.leave_out_same();
        }
    }

    #[inline(never)]
    fn leave_out_same(&mut self) {
        self.make_before();
        let mut before = self.scratch.before.drain(..);
        self.changes.shown.retain(|(_, now)| before.next().is_none_or(|before| before != *now));
    }

    /// Books one applied command, by its place in the run.
    pub(super) fn settle(&mut self, command: &Command, at: usize, outcome: &StoredOutcome) {
        let record = &mut self.changes.record;
        record.version += 1;
        record.newest_ts = record.newest_ts.max(command.ts);
        self.applied += 1;
        match &mut self.encoded {
            Some(encoded) => encoded.push(at, outcome),
            None => self.changes.outcomes.push((command.id.clone(), outcome.clone())),
        }
    }

    /// Keeps the version, and the time up to which commands may have been taken in: their outcomes go too, so they must
    /// not come back.
    pub(super) fn erase(&mut self, ts: Timestamp) {
        self.note_all();
        let changes = &mut *self.changes;
        if let Some(encoded) = &mut self.encoded {
            encoded.forget();
        }
        let Player { version, newest_ts, .. } = *changes.record;
        *changes.record = Player::erased(version, Timestamp::default(), ts.max(newest_ts));
        changes.forget = true;
        changes.outcomes.clear();
        changes.receipts.clear();
        changes.suspicions.clear();
        changes.removed.clear();
        for (_, now) in &mut changes.shown {
            *now = None;
        }
    }
}

/// Whether a receipt is kept because it waits to be claimed.
fn waits(player: &Player, number: u64, now: Timestamp) -> bool {
    let waiting = &player.rare().claimable;
    waiting.binary_search_by(|(known, _)| known.cmp(&number)).is_ok_and(|at| waiting[at].1 > now)
}
