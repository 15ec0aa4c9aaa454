//! Each receipt is granted once: under retries, crashes between any two calls of the store, re-runs of any prefix, curves
//! and rewards that change. A failure prints the seed.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that fails names its seed")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{DAY, Rng, START, at, event, id, kill, player, progression, received};
use liveops_core::decorate::{Fault, FaultyStore};
use liveops_core::event::FieldValue;
use liveops_core::hash::Digest;
use liveops_core::record::{Effect, ReceiptName};
use liveops_core::reward::{ReceiptState, Scope, verify_chain};
use liveops_core::{
    Action, Boards, Command, Engine, EventId, Key, MemoryStore, Outcome, PlayerId, Receipt, Record, Rules, Store,
};

const SEEDS: std::ops::Range<u64> = 1..9;
const PLAYERS: u64 = 6;
const CLAIM_MS: i64 = 6 * 3_600_000;

/// Three rules documents, one after the other: other curves, other rewards of the same names, rewards that are new.
fn rules(version: usize) -> Rules {
    const STEEP: &str = r#"{ "kind": "linear", "base": 100, "step": 20, "maxLevel": 12 }"#;
    const FLAT: &str = r#"{ "kind": "linear", "base": 90, "step": 0, "maxLevel": 15 }"#;
    const LONG: &str = r#"{ "kind": "exponential", "base": 60, "growth": "4/3", "maxLevel": 14 }"#;
    let (curve, migrations, every) = [
        (STEEP, String::new(), 2),
        (FLAT, format!(r#"{{ "from": {STEEP}, "policy": "keepTotalXp", "levelRewards": "grant" }}"#), 1),
        (
            LONG,
            format!(
                r#"{{ "from": {STEEP}, "policy": "keepTotalXp", "levelRewards": "grant" }},
                   {{ "from": {FLAT}, "policy": "keepLevelAndFraction", "neverLoseALevel": true,
                      "levelRewards": "skip" }}"#
            ),
            1,
        ),
    ][version]
        .clone();
    let text = format!(
        r#"{{ "version": 1, "game": "emberfall",
        "limits": {{ "maxPastSeconds": 604800 }},
        "progress": {{ "curve": {curve}, "migrations": [ {migrations} ],
            "atMaxLevel": {{ "convert": {{ "reward": "paragon", "every": 70,
                "grant": {{ "kind": "currency", "id": "dust", "amount": 3 }} }} }},
            "streaks": {{ "daily": {{ "missedDaysMax": 1 }} }},
            "xp": [ {{ "on": "progression", "amount": {{ "field": "deltaXp" }} }},
                {{ "on": "boss_kill", "amount": 25 }} ] }},
        "rewards": {{
            "level-gold": {{ "on": {{ "everyLevels": {every} }}, "grant": {{ "kind": "currency", "id": "gold", "amount": 10 }} }},
            "crate": {{ "on": {{ "levels": [2, 9], "everyLevels": 3 }}, "loot": "chest", "claimWithinSeconds": 21600 }},
            "hydra-first": {{ "on": {{ "boss": "hydra", "kill": "first" }}, "grant": {{ "kind": "item", "id": "crown", "amount": 1 }} }},
            "hydra-again": {{ "on": {{ "boss": "hydra", "kill": "repeat" }}, "loot": "chest" }},
            "urn": {{ "on": {{ "drop": "urn" }}, "grant": {{ "kind": "item", "id": "ash", "amount": 2 }} }},
            "second-day": {{ "on": {{ "streak": "daily", "everyDays": 2 }}, "grant": {{ "kind": "currency", "id": "gem", "amount": 1 }} }} }},
        "loot": {{ "chest": {{ "pity": {{ "entry": "horn", "guaranteedAt": 4 }}, "entries": {{
            "horn": {{ "weight": 1, "grant": {{ "kind": "item", "id": "horn", "amount": 1 }} }},
            "scale": {{ "weight": 9, "grant": {{ "kind": "item", "id": "scale", "amount": 2 }} }} }} }} }} }}"#
    );
    Rules::from_json(&text).unwrap()
}

enum Step {
    Batch(Vec<Command>),
    Rules(usize),
    /// Everybody who is not on the curve in force yet.
    Migrate,
}

/// Events of some days, with two changes of rules among them; claims and claw-backs are drawn while it runs, because they
/// name receipts.
fn trace(seed: u64) -> Vec<Step> {
    let mut rng = Rng(seed);
    let (mut now, mut steps, mut fresh) = (START, Vec::new(), 0);
    for step in 0..30 {
        now += rng.millis(DAY / 4);
        match step {
            10 => steps.push(Step::Rules(1)),
            11 => steps.push(Step::Migrate),
            20 => steps.extend([Step::Rules(2), Step::Migrate]),
            _ => {}
        }
        let batch = (0..rng.below(30)).map(|_| {
            fresh += 1;
            let (command, name) = (format!("c{fresh}"), format!("p{}", rng.below(PLAYERS)));
            let ts = now - rng.millis(60_000);
            let command = match rng.below(6) {
                0 | 1 => kill(&command, &name, ts, "hydra", 5_000),
                2 => {
                    let (drop, item) = (FieldValue::Id(id("urn")), FieldValue::Id(id("ash")));
                    let fields = vec![("dropId", drop), ("itemId", item), ("quantity", FieldValue::Int(1))];
                    event(&command, &name, ts, "drop_claimed", fields)
                }
                _ => progression(&command, &name, ts, rng.millis(90)),
            };
            received(command, now)
        });
        steps.push(Step::Batch(batch.collect()));
    }
    steps
}

/// What deliveries add up to.
#[derive(Default)]
struct Delivered {
    ids: BTreeSet<Digest>,
    items: BTreeMap<(PlayerId, String), i64>,
}

impl Delivered {
    /// What was applied is told once.
    fn take(&mut self, player: &PlayerId, effect: &Effect) {
        let ids = || effect.receipts().iter().map(|receipt| receipt.id);
        assert!(ids().all(|id| !self.ids.contains(&id)), "delivered twice: {effect:?}");
        self.take_anew(player, effect);
    }

    /// What is told again is delivered by its id.
    fn take_anew(&mut self, player: &PlayerId, effect: &Effect) {
        for receipt in effect.receipts() {
            let revokes = matches!(receipt.scope, Scope::Revoke { .. });
            if !self.ids.insert(receipt.id) {
                continue;
            }
            assert!(receipt.items.iter().all(|item| (item.amount() < 0) == revokes));
            for item in &receipt.items {
                *self.items.entry((player.clone(), item.id().to_string())).or_default() += item.amount();
            }
        }
        assert!(effect.claimable().iter().all(|receipt| receipt.state == ReceiptState::Claimable));
    }
}

/// Sends a batch until nothing of it is in doubt, as one who delivers what is told first: by id, since what a lost reply told is
/// told again.
fn insist<S: Store>(engine: &Engine<S>, batch: &[Command], delivered: &mut Delivered) {
    let mut open: Vec<&Command> = batch.iter().collect();
    let mut doubted: BTreeSet<usize> = BTreeSet::new();
    for _ in 0..1_000 {
        let outcomes = engine.submit_batch(&open.iter().map(|c| (*c).clone()).collect::<Vec<_>>());
        let mut again = Vec::new();
        for (command, outcome) in open.iter().zip(&outcomes) {
            let name = std::ptr::from_ref(*command) as usize;
            match outcome {
                Outcome::Applied(effect) => delivered.take(&command.player, effect),
                // The first answer was lost: this is it, or that of another claim of the same receipt.
                Outcome::Replayed(effect) if doubted.remove(&name) => delivered.take_anew(&command.player, effect),
                Outcome::Replayed(_) => {}
                Outcome::Refused(error) if !error.is_transient() => {}
                Outcome::Unknown(_) => {
                    doubted.insert(name);
                    again.push(*command);
                }
                _ => again.push(*command),
            }
        }
        if again.is_empty() {
            return;
        }
        open = again;
    }
    panic!("never settled");
}

/// Claims and claw-backs of receipts that are there: some of them twice, some too late.
fn settle<S: Store>(engine: &Engine<S>, store: &MemoryStore, rng: &mut Rng, now: i64, round: usize) -> Vec<Command> {
    let mut commands = Vec::new();
    for number in 0..PLAYERS {
        let name = player(&format!("p{number}"));
        let receipts = Engine::new((*engine.rules()).clone(), store).receipts(&name).unwrap();
        for receipt in &receipts {
            match rng.below(12) {
                0..3 if receipt.state == ReceiptState::Claimable => {
                    commands.push(Command::claim(name.clone(), receipt, at(now)));
                    commands.push(Command::claim(name.clone(), receipt, at(now + 1)));
                }
                3 => {
                    let id = EventId::new(&format!("r{round}-{}", receipt.number)).unwrap();
                    commands.push(Command::revoke(id, name.clone(), at(now), receipt, "not honest").unwrap());
                }
                _ => {}
            }
        }
    }
    commands
}

/// Runs a trace; `engine` answers over `store`.
fn run<S: Store + Boards>(seed: u64, engine: &Engine<S>, store: &MemoryStore) -> (Delivered, Vec<Command>) {
    let (mut delivered, mut sent, mut now) = (Delivered::default(), Vec::new(), START);
    let mut rng = Rng(seed ^ 0xc1a1);
    for (round, step) in trace(seed).into_iter().enumerate() {
        let mut batch = match step {
            Step::Rules(version) => {
                while let Err(error) = engine.replace_rules(rules(version)) {
                    assert!(error.is_transient(), "{error}");
                }
                continue;
            }
            Step::Migrate => {
                let calm = Engine::new((*engine.rules()).clone(), store);
                calm.migrations(at(now)).unwrap()
            }
            Step::Batch(batch) => batch,
        };
        now = batch.iter().map(|command| command.received_at.as_unix_millis()).fold(now, i64::max);
        insist(engine, &batch, &mut delivered);
        let settling = settle(engine, store, &mut rng, now, round);
        insist(engine, &settling, &mut delivered);
        batch.extend(settling);
        sent.extend(batch);
    }
    (delivered, sent)
}

fn receipts(store: &MemoryStore) -> BTreeMap<PlayerId, Vec<Receipt>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (key, record) in common::records(store) {
        if let (Key::Receipt(id, _), Record::Receipt(receipt)) = (key, record) {
            all.entry(id).or_default().push(*receipt);
        }
    }
    all
}

/// What is stored is what was delivered: chains hold, ids are unique, and the sum of all receipts that were given is what
/// players have.
fn assert_sound(store: &MemoryStore, delivered: &Delivered) {
    let mut ids = BTreeSet::new();
    let mut given = BTreeSet::new();
    let mut items: BTreeMap<(PlayerId, String), i64> = BTreeMap::new();
    for (id, chain) in receipts(store) {
        let Some(Record::Player(record)) = store.load(&[Key::Player(id.clone())]).remove(0).unwrap() else { panic!() };
        verify_chain(&chain, record.chain_head).unwrap();
        let mut levels = BTreeSet::new();
        for receipt in &chain {
            assert!(ids.insert(receipt.id), "one id twice: {receipt:?}");
            let Some(by) = chain.iter().find(|other| {
                matches!(other.scope, Scope::Revoke { number, receipt: of } if number == receipt.number && of == receipt.id)
            }) else {
                assert_ne!(receipt.state, ReceiptState::Revoked);
                if receipt.state != ReceiptState::Claimable {
                    given.insert(receipt.id);
                    for item in &receipt.items {
                        *items.entry((id.clone(), item.id().to_string())).or_default() += item.amount();
                    }
                }
                if let Scope::Level(level) = receipt.scope {
                    assert!(levels.insert((receipt.reward.clone(), level)), "a level twice");
                }
                continue;
            };
            assert_eq!(receipt.state, ReceiptState::Revoked);
            let taken: Vec<_> = by.items.iter().map(liveops_core::reward::Item::negated).collect();
            assert!(taken.is_empty() || taken == receipt.items, "all or, unclaimed, nothing is taken back");
            for item in &receipt.items {
                if !taken.is_empty() {
                    *items.entry((id.clone(), item.id().to_string())).or_default() += item.amount();
                }
            }
        }
    }
    assert!(given.is_subset(&delivered.ids), "what counts as given was delivered");
    assert_eq!(items, delivered.items, "what was delivered is what is stored");
}

#[test]
fn the_traces_go_everywhere() {
    let (mut scopes, mut states) = (BTreeSet::new(), BTreeSet::new());
    for seed in SEEDS {
        let store = MemoryStore::new();
        let (_, sent) = run(seed, &Engine::new(rules(0), &store), &store);
        let count = |wanted: fn(&Action) -> bool| sent.iter().filter(|command| wanted(&command.action)).count();
        assert!(count(|a| matches!(a, Action::Claim(_))) > 5 && count(|a| matches!(a, Action::Revoke { .. })) > 5);
        assert!(count(|a| matches!(a, Action::Migrate { .. })) > 0);
        for receipt in receipts(&store).into_values().flatten() {
            scopes.insert(format!("{:?}", receipt.scope).split([' ', '(']).next().unwrap().to_owned());
            states.insert(format!("{:?}", receipt.state_at(at(START + 9 * DAY))));
        }
    }
    assert_eq!(scopes.into_iter().collect::<Vec<_>>(), ["Event", "Level", "Overflow", "Revoke", "Streak"]);
    assert_eq!(states.into_iter().collect::<Vec<_>>(), ["Claimed", "Expired", "Issued", "Revoked"]);
}

#[test]
fn each_receipt_is_granted_once_and_replaying_any_prefix_grants_nothing() {
    for seed in SEEDS {
        println!("seed {seed}");
        let store = MemoryStore::new();
        let engine = Engine::new(rules(0), &store);
        let (delivered, sent) = run(seed, &engine, &store);
        assert_sound(&store, &delivered);
        let before = store.digest();
        let mut rng = Rng(seed);
        for _ in 0..3 {
            let prefix = usize::try_from(rng.below(sent.len() as u64)).unwrap();
            for outcome in engine.submit_batch(&sent[..prefix]) {
                assert!(!matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
            }
        }
        assert_eq!(store.digest(), before);
    }
}

#[test]
fn lost_calls_and_replies_change_nothing() {
    for seed in SEEDS {
        println!("seed {seed}");
        let calm = MemoryStore::new();
        run(seed, &Engine::new(rules(0), &calm), &calm);
        let store = MemoryStore::new();
        let mut rng = Rng(seed ^ 0xfa);
        let faults = move || match rng.below(9) {
            0 => Fault::Before,
            1 => Fault::Middle,
            2 => Fault::LostCall,
            3 => Fault::LostReply,
            _ => Fault::None,
        };
        let (delivered, _) = run(seed, &Engine::new(rules(0), FaultyStore::new(&store, faults)), &store);
        assert_sound(&store, &delivered);
        assert_eq!(store.digest(), calm.digest());
    }
}

/// The process dies at one call of the store, whichever it is and however far the call came; another begins over the same
/// store, and whoever sent the batch sends it again.
#[test]
fn a_crash_between_any_two_calls_changes_nothing() {
    let batches: Vec<Vec<Command>> = {
        let store = MemoryStore::new();
        let (_, sent) = run(3, &Engine::new(rules(0), &store), &store);
        sent.chunks(40).map(<[Command]>::to_vec).take(6).collect()
    };
    let calm = MemoryStore::new();
    let mut quiet = Delivered::default();
    for batch in &batches {
        insist(&Engine::new(rules(0), &calm), batch, &mut quiet);
    }
    let calls = AtomicUsize::new(0);
    let counted = FaultyStore::new(MemoryStore::new(), || {
        calls.fetch_add(1, Ordering::Relaxed);
        Fault::None
    });
    for batch in &batches {
        Engine::new(rules(0), &counted).submit_batch(batch);
    }
    let calls = calls.load(Ordering::Relaxed);
    assert!(calls >= 12, "a load and a commit for each batch: {calls}");
    for dying in 0..calls {
        for fault in [Fault::Before, Fault::Middle, Fault::LostCall, Fault::LostReply] {
            let store = MemoryStore::new();
            let mut asked = 0;
            let faulty = FaultyStore::new(&store, || {
                asked += 1;
                if asked == dying + 1 { fault } else { Fault::None }
            });
            for batch in &batches {
                let outcomes = Engine::new(rules(0), &faulty).submit_batch(batch);
                let died = outcomes.iter().any(|outcome| {
                    matches!(outcome, Outcome::Unknown(_) | Outcome::Refused(_))
                        && outcome.clone().into_effect().is_err_and(|error| error.is_transient())
                });
                if died {
                    // Nothing of what it was told is known any more.
                    for outcome in Engine::new(rules(0), &store).submit_batch(batch) {
                        assert!(!matches!(outcome, Outcome::Unknown(_)));
                    }
                }
            }
            assert_eq!(store.digest(), calm.digest(), "died at call {dying}: {fault:?}");
        }
    }
}

#[test]
fn what_was_planned_is_what_happens() {
    for seed in SEEDS {
        println!("seed {seed}");
        let store = MemoryStore::new();
        let engine = Engine::new(rules(0), &store);
        let events = |steps: Vec<Step>| {
            steps.into_iter().filter_map(|step| if let Step::Batch(batch) = step { Some(batch) } else { None })
        };
        for batch in events(trace(seed)) {
            engine.submit_batch(&batch);
        }
        for version in [1, 2] {
            let plan = engine.plan_migration(&rules(version)).unwrap();
            let before: BTreeMap<_, _> = (0..PLAYERS)
                .filter_map(|n| engine.player(&player(&format!("p{n}"))).unwrap())
                .map(|v| (v.player_id.clone(), v))
                .collect();
            engine.replace_rules(rules(version)).unwrap();
            let now = at(START + 20 * DAY);
            let commands = engine.migrations(now).unwrap();
            let (mut rise, mut fall, mut minted, mut gold) = (0, 0, BTreeMap::<u32, u64>::new(), 0);
            for (command, outcome) in commands.iter().zip(engine.submit_batch(&commands)) {
                let effect = outcome.into_effect().unwrap();
                let was = &before[&command.player];
                rise += u64::from(effect.level > was.level);
                fall += u64::from(effect.level < was.level);
                let moved = effect.migrated().is_some_and(|moved| moved.from_level != moved.to_level);
                assert_eq!(moved, effect.level != was.level);
                for receipt in effect.receipts().iter().chain(effect.claimable()) {
                    let Scope::Level(level) = receipt.scope else { panic!("{receipt:?}") };
                    if receipt.reward == *"level-gold" {
                        *minted.entry(level).or_default() += 1;
                        gold += receipt.items[0].amount().unsigned_abs();
                    }
                }
            }
            assert_eq!((plan.levels.rise, plan.levels.fall), (rise, fall));
            assert_eq!(plan.levels.players, before.len() as u64);
            let planned: BTreeMap<_, _> = plan.levels.minted.iter().map(|m| (m.level, m.players)).collect();
            assert_eq!(planned, minted, "each level is worth gold under both");
            let total = plan.rewards.iter().find(|reward| reward.reward == *"level-gold");
            assert_eq!(total.map_or(0, |total| total.items[0].amount), gold);
            assert!(version == 2 || rise > 0, "the second curve is easier");
            assert!(engine.migrations(now).unwrap().is_empty());
            let again = engine.plan_migration(&rules(version)).unwrap();
            assert_eq!((again.levels.rise, again.levels.fall, again.rewards.len()), (0, 0, 0));
        }
    }
}

#[test]
fn claims_end_with_their_time_whatever_the_sender_s_clock_says() {
    let store = MemoryStore::new();
    let engine = Engine::new(rules(0), &store);
    engine.submit(&progression("e1", "ana", START, 330));
    let ana = player("ana");
    let crates: Vec<_> =
        engine.receipts(&ana).unwrap().into_iter().filter(|r| r.state == ReceiptState::Claimable).collect();
    assert_eq!(crates.iter().map(|r| r.scope.clone()).collect::<Vec<_>>(), [Scope::Level(3)]);
    let until = crates[0].claim_until.unwrap();
    assert_eq!(until, at(START + CLAIM_MS));
    let late = Command::claim(ana.clone(), &crates[0], until);
    assert_eq!(engine.submit(&late).code(), "claim_expired");
    // Ordered in time, received too late: what counts is when it came.
    let slow = Command { received_at: until, ..Command::claim(ana.clone(), &crates[0], until.minus_millis(1)) };
    assert_eq!(engine.submit(&slow).code(), "claim_expired");
    let other = ReceiptName { id: Digest([9; 32]), ..ReceiptName::from(&crates[0]) };
    assert_eq!(engine.submit(&Command::claim(ana.clone(), other, at(START))).code(), "receipt_unknown");
    let store_time = Engine::new(rules(0), &store);
    store_time.advance(until).unwrap();
    let early = Command::claim(ana, &crates[0], until.minus_millis(1));
    assert_eq!(engine.submit(&early).code(), "claim_expired", "the horizon is past it");
}
