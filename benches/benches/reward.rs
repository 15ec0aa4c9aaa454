//! `reward`: a receipt named and hashed for the chain, a roll on a loot table, and how many rolls it takes.

mod quick;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use liveops_bench::traffic::NOW_MS;
use liveops_core::hash::Digest;
use liveops_core::reward::{Entry, Item, Loot, Pity, Receipt, ReceiptState, Scope, receipt_id};
use liveops_core::{CommandId, EventId, Id, Origin, PlayerId, Timestamp};

fn reward(c: &mut Criterion) {
    let id = |text: &str| Id::new(text).expect("a good id");
    let gold = Item::new(id("currency"), id("gold"), 100).expect("a good amount");
    let (player, level_gold): (PlayerId, Id) = (id("player-000123").into(), id("level-gold"));
    let event: EventId = id("0f4b2586-4053-4d57-9382-95000000002a").into();
    let receipt = |level| Receipt {
        number: 7,
        id: receipt_id("emberfall", &player, &level_gold, &Scope::Level(level), 0),
        reward: level_gold.clone(),
        scope: Scope::Level(level),
        items: vec![gold.clone()],
        cause: CommandId { origin: Origin::Event, id: event.clone() },
        ts: Timestamp::from_unix_millis(NOW_MS),
        rules: Digest::default(),
        previous: Digest::default(),
        claim_until: None,
        roll: None,
        state: ReceiptState::Issued,
        settled_at: None,
    };
    let entries = (1..=50).map(|n| Entry { name: id(&format!("entry-{n}")), weight: n, items: vec![gold.clone()] });
    let (rare, common) = (id("entry-1"), id("entry-50"));
    let pity = Pity { entry: rare.clone(), guaranteed_at: 900 };
    let loot = Loot::new(entries.collect(), vec![], Some(pity)).expect("a good table");
    let (table, seed) = (id("hydra-chest"), [7; 32]);
    let mut nonce = 0;

    let mut group = c.benchmark_group("reward");
    group.bench_function("receipt and its hash", |b| b.iter(|| receipt(black_box(12)).hash()));
    group.bench_function("roll", |b| {
        b.iter(|| {
            nonce += 1;
            loot.roll(&seed, &table, &player, nonce, 0)
        });
    });
    group.bench_function("expected_rolls of what pity is for", |b| b.iter(|| loot.expected_rolls(black_box(&rare))));
    group.bench_function("expected_rolls beside pity", |b| b.iter(|| loot.expected_rolls(black_box(&common))));
    group.finish();
}

criterion_group! { name = benches; config = quick::quick(); targets = reward }
criterion_main!(benches);
