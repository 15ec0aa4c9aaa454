//! Change sets as the columns of one statement.

use std::collections::{BTreeMap, BTreeSet};

use liveops_core::error::StoreError;
use liveops_core::record::{ChangeSet, Notice, Player, Receipt, RecordRef, StoredOutcome, Suspicion};
use liveops_core::reward::ReceiptState;
use liveops_core::{CommandId, Key, Timestamp};

use crate::columns::{doc, millis, number, origin, suspicion_doc};
use crate::error::misconfigured;
use crate::events::Events;

/// What each of the sets writes of its player.
#[derive(Default)]
pub(crate) struct Players<'s> {
    pub(crate) player: Vec<&'s str>,
    pub(crate) expected: Vec<i64>,
    pub(crate) forgotten_before: Vec<i64>,
    pub(crate) closes: Vec<i64>,
    pub(crate) version: Vec<i64>,
    pub(crate) mark: Vec<Option<i64>>,
    pub(crate) remembered: Vec<i64>,
    pub(crate) xp: Vec<i64>,
    pub(crate) level: Vec<i32>,
    pub(crate) receipts: Vec<i64>,
    pub(crate) newest_ts: Vec<i64>,
    pub(crate) hidden: Vec<bool>,
    pub(crate) erased: Vec<Option<i64>>,
    pub(crate) record: Vec<Vec<u8>>,
    pub(crate) told: Vec<Vec<u8>>,
    pub(crate) gone: Vec<Option<Vec<u8>>>,
}

#[derive(Default)]
pub(crate) struct Outcomes<'s> {
    pub(crate) set: Vec<i32>,
    pub(crate) player: Vec<&'s str>,
    pub(crate) origin: Vec<i16>,
    pub(crate) id: Vec<&'s str>,
    pub(crate) ts: Vec<i64>,
    pub(crate) record: Vec<Vec<u8>>,
}

#[derive(Default)]
pub(crate) struct Receipts<'s> {
    pub(crate) set: Vec<i32>,
    pub(crate) player: Vec<&'s str>,
    pub(crate) number: Vec<i64>,
    pub(crate) reward: Vec<&'s str>,
    pub(crate) state: Vec<&'static str>,
    pub(crate) ts: Vec<i64>,
    pub(crate) doc: Vec<String>,
    pub(crate) record: Vec<Vec<u8>>,
}

#[derive(Default)]
pub(crate) struct Suspicions<'s> {
    pub(crate) set: Vec<i32>,
    pub(crate) player: Vec<&'s str>,
    pub(crate) number: Vec<i64>,
    pub(crate) kind: Vec<&'s str>,
    pub(crate) ts: Vec<i64>,
    pub(crate) received_at: Vec<i64>,
    pub(crate) held: Vec<bool>,
    pub(crate) settled: Vec<&'static str>,
    pub(crate) doc: Vec<String>,
    pub(crate) record: Vec<Vec<u8>>,
}

/// Receipts (kind 0) and suspicions (kind 1) that are no longer kept.
#[derive(Default)]
pub(crate) struct Removed<'s> {
    pub(crate) set: Vec<i32>,
    pub(crate) player: Vec<&'s str>,
    pub(crate) kind: Vec<i16>,
    pub(crate) number: Vec<i64>,
}

/// Everything that a round writes.
#[derive(Default)]
pub(crate) struct Rows<'s> {
    pub(crate) players: Players<'s>,
    pub(crate) outcomes: Outcomes<'s>,
    pub(crate) receipts: Receipts<'s>,
    pub(crate) suspicions: Suspicions<'s>,
    pub(crate) removed: Removed<'s>,
    pub(crate) events: Events<'s>,
    /// By row of `events`.
    pub(crate) event_set: Vec<i32>,
}

/// The place of a set, from 1.
fn place(at: usize) -> i32 {
    // A round has a few hundred.
    i32::try_from(at + 1).unwrap_or(i32::MAX)
}

fn bytes(record: RecordRef<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    record.encode_into(&mut out);
    out
}

/// Whether all numbers of a set can be stored.
pub(crate) fn fits(set: &ChangeSet) -> Result<(), StoreError> {
    let numbers =
        set.receipts.iter().map(|receipt| receipt.number).chain(set.suspicions.iter().map(|(number, _)| *number));
    let too_large = numbers.chain([set.record.version, set.expected]).any(|number| i64::try_from(number).is_err());
    if too_large { Err(misconfigured("numbers of records that fit 63 bits")) } else { Ok(()) }
}

impl<'s> Rows<'s> {
    /// Of sets in the order of players, one each. Where a feed is on, it is told them whole.
    pub(crate) fn of(sets: &[&'s ChangeSet], has_feed: bool, has_events: bool) -> Self {
        let mut rows = Self::default();
        for (at, set) in sets.iter().enumerate() {
            rows.players.put(set, has_feed);
            rows.put_records(place(at), set);
        }
        if has_events {
            rows.events = Events::of(sets);
            let at = |player: &&str| sets.binary_search_by(|set| set.player.as_str().cmp(player)).unwrap_or_default();
            rows.event_set = rows.events.player.iter().map(|player| place(at(player))).collect();
        }
        rows
    }

    /// What is under one key twice is written as it was last; what is removed is not written.
    fn put_records(&mut self, at: i32, set: &'s ChangeSet) {
        let player = set.player.as_str();
        let removed: BTreeSet<&Key> = set.removed.iter().collect();
        let stays = |key: Key| removed.is_empty() || !removed.contains(&key);
        let outcomes: BTreeMap<&CommandId, &StoredOutcome> =
            set.outcomes.iter().map(|(id, outcome)| (id, outcome)).collect();
        for (id, outcome) in outcomes {
            if stays(Key::Outcome(set.player.clone(), id.clone())) {
                self.outcomes.put(at, player, id, outcome);
            }
        }
        let receipts: BTreeMap<u64, &Receipt> = set.receipts.iter().map(|receipt| (receipt.number, receipt)).collect();
        for (n, receipt) in receipts {
            if stays(Key::Receipt(set.player.clone(), n)) {
                self.receipts.put(at, player, receipt);
            }
        }
        let suspicions: BTreeMap<u64, &Suspicion> =
            set.suspicions.iter().map(|(n, suspicion)| (*n, suspicion)).collect();
        for (n, suspicion) in suspicions {
            if stays(Key::Suspicion(set.player.clone(), n)) {
                self.suspicions.put(at, player, n, suspicion);
            }
        }
        for key in removed {
            let (kind, n) = match key {
                Key::Receipt(_, n) => (0, *n),
                Key::Suspicion(_, n) => (1, *n),
                _ => continue,
            };
            // What does not fit was never stored.
            if let Ok(n) = i64::try_from(n) {
                self.removed.set.push(at);
                self.removed.player.push(player);
                self.removed.kind.push(kind);
                self.removed.number.push(n);
            }
        }
    }
}

impl<'s> Players<'s> {
    fn put(&mut self, set: &'s ChangeSet, has_feed: bool) {
        self.expected.push(set.expected.cast_signed());
        self.forgotten_before.push(millis(set.forgotten_before));
        self.closes.push(millis(set.closes_at));
        let newest = set.outcomes.iter().map(|(_, outcome)| outcome.ts()).max();
        self.put_record(set.player.as_str(), &set.record, set.idle_mark(), newest);
        self.told.push(if has_feed { Notice::committed(set) } else { Notice::told_of(set) });
        self.gone.push((set.expected == 0).then(|| Notice::gone(&set.player)));
    }

    /// What is of the record alone.
    pub(crate) fn put_record(
        &mut self,
        player: &'s str,
        record: &Player,
        mark: Option<Timestamp>,
        newest: Option<Timestamp>,
    ) {
        self.player.push(player);
        self.version.push(record.version().cast_signed());
        self.mark.push(mark.map(millis));
        self.remembered.push(newest.map_or(i64::MIN, millis));
        self.xp.push(number(record.xp()));
        self.level.push(i32::try_from(record.rewarded_level()).unwrap_or(i32::MAX));
        self.receipts.push(number(record.receipts_count()));
        self.newest_ts.push(millis(record.newest_ts()));
        self.hidden.push(record.is_hidden());
        self.erased.push(record.erased_through().map(millis));
        self.record.push(bytes(RecordRef::Player(record)));
    }
}

impl<'s> Outcomes<'s> {
    pub(crate) fn put(&mut self, set: i32, player: &'s str, id: &'s CommandId, outcome: &StoredOutcome) {
        self.set.push(set);
        self.player.push(player);
        self.origin.push(origin(id.origin));
        self.id.push(id.id.as_str());
        self.ts.push(millis(outcome.ts()));
        self.record.push(bytes(RecordRef::Outcome(outcome)));
    }
}

impl<'s> Receipts<'s> {
    pub(crate) fn put(&mut self, set: i32, player: &'s str, receipt: &'s Receipt) {
        self.set.push(set);
        self.player.push(player);
        self.number.push(receipt.number().cast_signed());
        self.reward.push(receipt.reward().as_str());
        self.state.push(state(receipt.state()));
        self.ts.push(millis(receipt.ts()));
        self.doc.push(doc(receipt));
        self.record.push(bytes(RecordRef::Receipt(receipt)));
    }
}

impl<'s> Suspicions<'s> {
    pub(crate) fn put(&mut self, set: i32, player: &'s str, number: u64, suspicion: &'s Suspicion) {
        self.set.push(set);
        self.player.push(player);
        self.number.push(number.cast_signed());
        self.kind.push(suspicion.kind().as_str());
        self.ts.push(millis(suspicion.ts()));
        self.received_at.push(millis(suspicion.received_at()));
        self.held.push(suspicion.is_held());
        self.settled.push(suspicion.settled().as_str());
        self.doc.push(suspicion_doc(suspicion));
        self.record.push(bytes(RecordRef::Suspicion(suspicion)));
    }
}

/// Where a receipt stands, in a word.
const fn state(state: ReceiptState) -> &'static str {
    match state {
        ReceiptState::Issued => "issued",
        ReceiptState::Claimable => "claimable",
        ReceiptState::Claimed => "claimed",
        ReceiptState::Expired => "expired",
        ReceiptState::Revoked => "revoked",
        _ => "",
    }
}
