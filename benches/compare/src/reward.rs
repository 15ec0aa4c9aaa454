//! `reward.*`: a receipt that joins its chain, and a roll that can be verified, against floors.

use std::hint::black_box;

use liveops_compare::measure::{Row, by_turns};
use liveops_core::hash::Digest;
use liveops_core::reward::{
    Entry, Item, Loot, Pity, Receipt, ReceiptState, Scope, receipt_id, seed_commitment, verify_chain,
};
use liveops_core::{CommandId, EventId, Id, Origin, PlayerId, Timestamp};

/// What was asked for; not rivals.
const RECEIPT_FLOOR_NS: f64 = 1_500.0;
const ROLL_FLOOR_NS: f64 = 2_500.0;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const RECEIPTS: u32 = 100_000;
const ROLLS: u64 = 100_000;
const ENTRIES: u64 = 50;

fn id(text: &str) -> Result<Id, String> {
    Id::new(text).map_err(|error| error.to_string())
}

fn gold() -> Result<Item, String> {
    Item::new(id("currency")?, id("gold")?, 100).map_err(|error| error.to_string())
}

/// What the receipts of one player have in common.
struct Ledger {
    player: PlayerId,
    reward: Id,
    items: Vec<Item>,
    event: EventId,
    rules: Digest,
}

impl Ledger {
    /// The next receipt of the chain: named, filled in, pointing at the one before.
    fn receipt(&self, number: u32, previous: Digest) -> Receipt {
        let scope = Scope::Level(number + 1);
        Receipt {
            number: u64::from(number),
            id: receipt_id("emberfall", &self.player, &self.reward, &scope, 0),
            reward: self.reward.clone(),
            scope,
            items: self.items.clone(),
            cause: CommandId { origin: Origin::Event, id: self.event.clone() },
            ts: NOW,
            rules: self.rules,
            previous,
            claim_until: None,
            roll: None,
            state: ReceiptState::Issued,
            settled_at: None,
        }
    }
}

/// One receipt: its id, its content, and the hash that the next one points back to.
pub(crate) fn receipt() -> Result<Row, String> {
    let ledger = Ledger {
        player: id("player-000123")?.into(),
        reward: id("level-gold")?,
        items: vec![gold()?],
        event: id("0f4b2586-4053-4d57-9382-95000000002a")?.into(),
        rules: Digest([7; 32]),
    };
    let (mut chain, mut head) = (Vec::new(), Digest::default());
    for number in 1..=100 {
        chain.push(ledger.receipt(number, head));
        head = chain.last().map(Receipt::hash).unwrap_or_default();
    }
    verify_chain(&chain, head).map_err(|error| error.to_string())?;
    let row = by_turns(
        |stopwatch| {
            let nanos = stopwatch.time(|| {
                let mut head = Digest::default();
                for number in 1..=RECEIPTS {
                    head = black_box(black_box(&ledger).receipt(number, head)).hash();
                }
                black_box(head);
            });
            Ok(nanos / f64::from(RECEIPTS))
        },
        |_| Ok(RECEIPT_FLOOR_NS),
    )?;
    Ok(Row { name: "reward.receipt", ..row })
}

/// A roll on fifty entries with pity, which counts on.
pub(crate) fn roll() -> Result<Row, String> {
    let entry = |n: u64| Ok::<_, String>(Entry { name: id(&format!("entry-{n}"))?, weight: n, items: vec![gold()?] });
    let entries = (1..=ENTRIES).map(entry).collect::<Result<Vec<_>, _>>()?;
    let pity = Pity { entry: id("entry-1")?, guaranteed_at: 90 };
    let loot = Loot::new(entries, vec![], Some(pity)).map_err(|error| error.to_string())?;
    let (table, player, seed): (Id, PlayerId, _) = (id("hydra-chest")?, id("player-000123")?.into(), [7; 32]);
    let commitment = seed_commitment(&seed);
    let mut misses = 0;
    for nonce in 0..1_000 {
        let roll = loot.roll(&seed, &table, &player, nonce, misses);
        if !loot.verify_roll(&seed, commitment, &table, &player, misses, &roll) {
            return Err("a roll was not verified".to_owned());
        }
        misses = roll.misses_after;
    }
    let row = by_turns(
        |stopwatch| {
            let nanos = stopwatch.time(|| {
                let mut misses = 0;
                for nonce in 0..ROLLS {
                    misses = black_box(loot.roll(black_box(&seed), &table, &player, nonce, misses)).misses_after;
                }
            });
            Ok(nanos / ROLLS as f64)
        },
        |_| Ok(ROLL_FLOOR_NS),
    )?;
    let check = by_turns(
        |stopwatch| {
            let mut all = true;
            let nanos = stopwatch.time(|| {
                for nonce in 0..ROLLS {
                    let roll = loot.roll(&seed, &table, &player, nonce, 0);
                    all &= loot.verify_roll(&seed, commitment, &table, &player, 0, black_box(&roll));
                }
            });
            if all { Ok(nanos / ROLLS as f64) } else { Err("a roll was not verified".to_owned()) }
        },
        |_| Ok(ROLL_FLOOR_NS),
    )?;
    Ok(Row { name: "reward.roll", more: vec![("rolled and verified", check.ours)], ..row })
}
