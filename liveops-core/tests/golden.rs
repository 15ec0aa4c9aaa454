//! Bytes that must stay decodable for ever: each kind of record in each of its versions, a snapshot and its digest. When
//! one of these changes, stored games cannot be read any more: add a version instead.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;

use liveops_core::anomaly::DetectorState;
use liveops_core::codec::Stable as _;
use liveops_core::error::StoreErrorKind;
use liveops_core::hash::{Digest, hex, unhex};
use liveops_core::record::{Misses, Rolls};
use liveops_core::store::SnapshotReader;
use liveops_core::testing::EventBuilder;
use liveops_core::time::DAY_MILLIS;
use liveops_core::{
    Command, Engine, EventId, Key, MemoryStore, Outcome, PlayerId, Record, Rules, Ruling, Timestamp, Window,
};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_794_052_800);

/// One player with a record of each kind.
fn store() -> MemoryStore {
    as_before_version_3(engine().store())
}

/// Every record, the horizon first.
fn all(store: &MemoryStore) -> Vec<(Key, Record)> {
    SnapshotReader::open(&store.snapshot()[..]).unwrap().map(Result::unwrap).collect()
}

fn engine() -> Engine<MemoryStore> {
    let rules = Rules::from_json(
        r#"{ "version": 1, "game": "golden",
            "progress": { "curve": { "kind": "linear", "base": 100, "step": 0, "maxLevel": 9 }, "dailyXpCap": 500 },
            "rewards": {
                "gold": { "on": { "everyLevels": 1 }, "grant": { "kind": "currency", "id": "gold", "amount": 10 } },
                "first": { "on": { "boss": "hydra", "kill": "first" }, "loot": "chest" } },
            "loot": { "chest": { "pity": { "entry": "crown", "guaranteedAt": 9 }, "entries": {
                "crown": { "weight": 1, "grant": { "kind": "item", "id": "crown", "amount": 1 } },
                "scale": { "weight": 9 } } } },
            "boards": { "xp": { "value": "grantedXp", "keepPeriods": { "daily": 1, "allTime": 0 } } },
            "detectors": {
                "floor": { "kind": "timeFloor", "boss": "hydra", "minimumMs": 1000, "action": "hold" },
                "xp": { "kind": "robust", "threshold": "6" },
                "z": { "kind": "zScore", "value": "requestedXp" } } }"#,
    )
    .unwrap();
    let engine = Engine::new(rules, MemoryStore::new());
    let lines = [
        EventBuilder::progression("ana", 120, NOW).id("e1"),
        EventBuilder::boss_kill("ana", "hydra", 5_000, NOW).id("e2").field("deltaXp", 5),
        EventBuilder::boss_kill("ana", "hydra", 5, NOW).id("e3"),
        EventBuilder::progression("ana", 1, NOW).id("evt_0123456789abcdef01"),
    ];
    let lines: Vec<_> = lines.iter().map(EventBuilder::body).collect();
    let outcomes = engine.submit_ndjson(&lines.join(&b'\n'), NOW);
    assert_eq!(outcomes.iter().map(Outcome::code).collect::<Vec<_>>(), ["applied", "applied", "held", "applied"]);
    engine.advance(NOW).unwrap();
    engine
}

/// The same player with an event more that is held, which was found dishonest.
fn reviewed() -> MemoryStore {
    let engine = engine();
    let kill = EventBuilder::boss_kill("ana", "hydra", 5, NOW).id("e5").body();
    let held = engine.submit_ndjson(&kill, NOW).remove(0).into_effect().unwrap().held().unwrap();
    let (id, ana) = (EventId::new("r1").unwrap(), PlayerId::new("ana").unwrap());
    let confirm = Command::review(id, ana, NOW, held, Ruling::Confirm);
    assert_eq!(engine.submit(&confirm).code(), "applied");
    MemoryStore::restore(&engine.store().snapshot()).unwrap()
}

/// The same state as it was written before records said where suspicions stand, and of which entry misses are.
fn as_before_version_4(store: &MemoryStore) -> MemoryStore {
    let mut records = all(store);
    for (_, record) in &mut records {
        if let Record::Player(player) = record {
            player.rare_mut().triage = None;
            for Misses { table, count, .. } in std::mem::take(&mut player.rare_mut().misses) {
                let rolls = player.rolls(&table);
                player.set_rolls(&table, Rolls { misses: count, ..rolls });
            }
        }
    }
    MemoryStore::restore(&sealed(&records)).unwrap()
}

/// The same state as it was written before records said which curve a total is on and how loot was rolled.
fn as_before_version_3(store: &MemoryStore) -> MemoryStore {
    let mut records = all(store);
    let mut chain_head = Digest::default();
    for (_, record) in &mut records {
        match record {
            Record::Outcome(outcome) => {
                outcome.effect.more_mut().receipts.iter_mut().for_each(|receipt| receipt.roll = None);
            }
            Record::Receipt(receipt) => {
                receipt.roll = None;
                chain_head = receipt.hash();
            }
            _ => {}
        }
    }
    for (_, record) in &mut records {
        if let Record::Player(player) = record {
            player.curve = None;
            player.chain_head = chain_head;
            player.rare_mut().rolls.iter_mut().for_each(|(_, rolls)| rolls.count = 1);
            // What was learned about the prior that there was when rules named none, of all types of events together.
            let about_a_prior = unhex("02034005529b932b6bdd4002d494c0be3555").unwrap();
            let profile = &mut player.rare_mut().profile;
            profile.remove(0);
            profile[0].activity = profile[1].activity.clone();
            profile[0].state = DetectorState::take(&mut &about_a_prior[..]).unwrap();
        }
    }
    as_before_version_4(&MemoryStore::restore(&sealed(&records)).unwrap())
}

/// The bytes of a snapshot of these records, in the first version.
fn sealed(records: &[(Key, Record)]) -> Vec<u8> {
    let mut bytes = b"liveops snapshot\x01".to_vec();
    records.to_vec().put(&mut bytes);
    Digest::of(&[&bytes]).put(&mut bytes);
    bytes
}

/// The same player, paid for two days of the board.
fn paid() -> MemoryStore {
    let rules = Rules::from_json(
        r#"{ "version": 1, "game": "golden", "boards": { "xp": { "value": "grantedXp",
            "keepPeriods": { "daily": 3, "weekly": 1 }, "payouts": { "daily": [
                { "tier": "gold", "ranks": [1, 1], "grant": { "kind": "item", "id": "crown", "amount": 1 } } ] } } } }"#,
    )
    .unwrap();
    let engine = Engine::new(rules, MemoryStore::new());
    for day in [0, 2] {
        let now = NOW.plus_millis(day * DAY_MILLIS);
        let period = engine.rules().calendar().period(Window::Daily, now).unwrap();
        engine.submit_ndjson(&EventBuilder::progression("ana", 120, now).id(&format!("e{day}")).body(), now);
        let later = now.plus_millis(DAY_MILLIS);
        engine.advance(later).unwrap();
        let outcomes = engine.submit_batch(engine.payout("xp", period, later).unwrap().commands());
        assert_eq!(outcomes.iter().map(Outcome::code).collect::<Vec<_>>(), ["applied"]);
    }
    MemoryStore::restore(&engine.store().snapshot()).unwrap()
}

/// A player brought to another curve, with a reward that was claimed and taken back, days in a row, and experience beyond the
/// top.
fn changed() -> MemoryStore {
    let rules = |curve: &str, migrations: &str| {
        Rules::from_json(&format!(
            r#"{{ "version": 1, "game": "golden", "progress": {{ "curve": {curve}, "migrations": [ {migrations} ],
                "atMaxLevel": {{ "convert": {{ "reward": "paragon", "every": 10,
                    "grant": {{ "kind": "currency", "id": "dust", "amount": 1 }} }} }},
                "streaks": {{ "daily": {{}} }} }},
            "rewards": {{
                "crate": {{ "on": {{ "everyLevels": 1 }}, "claimWithinSeconds": 60,
                    "grant": {{ "kind": "item", "id": "box", "amount": 1 }} }},
                "day": {{ "on": {{ "streak": "daily", "day": 1 }}, "loot": "chest" }} }},
            "loot": {{ "chest": {{ "entries": {{ "gem": {{ "weight": 1,
                "grant": {{ "kind": "currency", "id": "gem", "amount": 1 }} }} }} }} }} }}"#
        ))
        .unwrap()
    };
    let old = r#"{ "kind": "table", "costs": [100, 900] }"#;
    let engine = Engine::new(rules(old, ""), MemoryStore::new());
    let submit = |engine: &Engine<MemoryStore>, xp: i64, id: &str| {
        let line = EventBuilder::progression("ana", xp, NOW).id(id).body();
        engine.submit_ndjson(&line, NOW).remove(0).into_effect().unwrap()
    };
    submit(&engine, 150, "e1");
    let ana = PlayerId::new("ana").unwrap();
    let receipts = engine.receipts(&ana).unwrap();
    let claim = Command::claim(ana.clone(), &receipts[0], NOW.plus_millis(1));
    let id = EventId::new("r1").unwrap();
    let revoke = Command::revoke(id, ana, NOW.plus_millis(2), &receipts[0], "stolen").unwrap();
    let migration = format!(r#"{{ "from": {old}, "policy": "keepLevelAndFraction", "levelRewards": "grant" }}"#);
    let outcomes = engine.submit_batch(&[claim, revoke]);
    assert_eq!(outcomes.iter().map(Outcome::code).collect::<Vec<_>>(), ["applied"; 2]);
    engine.replace_rules(rules(r#"{ "kind": "table", "costs": [50, 90] }"#, &migration)).unwrap();
    let effect = submit(&engine, 100, "e2");
    assert_eq!((effect.migrated().is_some(), effect.claimable().len(), effect.receipts().len()), (true, 1, 1));
    MemoryStore::restore(&engine.store().snapshot()).unwrap()
}

/// A suspicion for a reason that the first detectors did not have, upon which two findings agreed.
fn doubted() -> MemoryStore {
    let rules = Rules::from_json(
        r#"{ "version": 1, "game": "golden",
            "events": { "duel": { "fields": { "score": { "type": "int", "required": true } } } },
            "alerts": { "perPlayerDay": 2, "corroborate": { "findings": 2, "withinSeconds": 60 } },
            "detectors": { "score": { "kind": "robust", "on": "duel", "value": { "field": "score" },
                    "prior": { "mean": "4.6", "sd": "1.5", "weight": "4" } },
                "cheats": { "kind": "family", "floors": { "hydra": 45000 } } } }"#,
    )
    .unwrap();
    let engine = Engine::new(rules, MemoryStore::new());
    let kill = EventBuilder::boss_kill("ana", "hydra", 5_000, NOW).id("e0").body();
    assert!(engine.submit_ndjson(&kill, NOW).remove(0).into_effect().unwrap().flagged().is_none(), "alone");
    let line = br#"{"id":"e1","type":"duel","playerId":"ana","ts":1794052800,"payload":{"score":-5}}"#;
    assert!(engine.submit_ndjson(line, NOW).remove(0).into_effect().unwrap().flagged().is_some());
    as_before_version_4(engine.store())
}

/// A player of whom a detector without a prior and a family without a population have learned.
fn unanchored() -> MemoryStore {
    let rules = Rules::from_json(
        r#"{ "version": 1, "game": "golden",
            "detectors": { "cheats": { "kind": "family" }, "xp": { "kind": "robust" } } }"#,
    )
    .unwrap();
    let engine = Engine::new(rules, MemoryStore::new());
    let line = EventBuilder::progression("ana", 120, NOW).id("e1").body();
    assert_eq!(engine.submit_ndjson(&line, NOW).remove(0).code(), "applied");
    MemoryStore::restore(&engine.store().snapshot()).unwrap()
}

/// A player from whom experience was taken, and whom a boost owes a fraction.
fn newest() -> MemoryStore {
    let rules = Rules::from_json(
        r#"{ "version": 1, "game": "golden",
            "events": { "death": { "fields": {} } },
            "progress": { "curve": { "kind": "table", "costs": [100, 900] }, "floor": "level", "boosts": [
                { "id": "b", "from": "2026-11-07T00:00:00Z", "until": "2026-11-08T00:00:00Z", "factor": "1.25" } ],
                "xp": [ { "on": "progression", "amount": { "field": "deltaXp" } }, { "on": "death", "amount": -50 } ] } }"#,
    )
    .unwrap();
    let engine = Engine::new(rules, MemoryStore::new());
    let lines = [EventBuilder::progression("ana", 130, NOW).id("e1"), EventBuilder::new("death", "ana", NOW).id("e2")];
    let lines: Vec<_> = lines.iter().map(EventBuilder::body).collect();
    let outcomes = engine.submit_ndjson(&lines.join(&b'\n'), NOW);
    assert_eq!(outcomes.iter().map(Outcome::code).collect::<Vec<_>>(), ["applied"; 2]);
    MemoryStore::restore(&engine.store().snapshot()).unwrap()
}

/// Key and record of version 4, in the order of keys, of those kinds that have one.
const GOLDEN_4: &[(&str, &str)] = &[
    (
        "01616e610000",
        "01040280f889deb6680000700200000000000000000000000000000000000000000000000000000000000000000000000000000000000198f1a5a51f0da8610000000000000000000000000101010402",
    ),
    ("01616e61000100653200", "02044076950666e4cf4dfcff2db566ff601880f889deb668000000000000000002000000000032"),
];

/// Key and record of the player who was reviewed.
const GOLDEN_REVIEWED: &[(&str, &str)] = &[(
    "01616e610000",
    "01040680f889deb66800007e0201b8c4027e020184ce539dd4808bbd079caba29831e03accebb4556f5401e9aed5798ad95ec123016669727374000163686573740081fc84af9b340003787000626f73735f6b696c6c0004013ff9c041f7ed8d33000000000000000078700070726f6772657373696f6e000402400326643c4479c94016eb8a2db4d8bb7a006f74686572000003405e000000000000c05380000000000040c1d70000000000020380f889deb6680580f889deb6680278700000b8c402fc010080f889deb66880f889deb66800007870000400fc010080f889deb66880f889deb66800000001ce77047929e232b30000000000000000000001010301050163686573740063726f776e000100",
)];

/// Key and record of that player.
const GOLDEN_UNANCHORED: &[(&str, &str)] = &[(
    "01616e610000",
    "01040180f889deb66800007800000000000000000000000000000000000000000000000000000000000000000000000000000178700070726f6772657373696f6e000401401326643c4479c900000000000000000000000000000000016368656174730002000001a1b5e13e000000000000008efefefe010000004099332200000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
)];

/// Key and record of such a suspicion, its outcome, and the player with what the family has learned.
const GOLDEN_DOUBTED: &[(&str, &str)] = &[
    (
        "01616e610000",
        "01030280f889deb66800000000000000000000000000000000000000000000000000000000000000000000000000000000000173636f7265006f7468657200020000000000000000000000000000000000010280f889deb66800000000000000016368656174730001000001a1b5e13e00000000000008fefefefe00000000000000000000000000000000000000000000000000000000000000000000000000000000c800000002636865617473000680f889deb66873636f7265000b80f889deb66880f889deb6680100",
    ),
    (
        "01616e61000100653100",
        "02038e71cd5107ee1311f093860453f15e4f80f889deb6680001020000000000000100000173636f72650041cdcd65000000004008000000000000010b0040126666666666663ff800000000000001010000",
    ),
    (
        "01616e6100030000000000000002",
        "0402653100616e610080f889deb6686475656c000173636f726500000980f889deb668000173636f72650041cdcd65000000004008000000000000010b0040126666666666663ff8000000000000010100",
    ),
];

/// Key and record of version 3, in the order of keys, of those kinds that have one.
const GOLDEN_3: &[(&str, &str)] = &[
    (
        "01616e610000",
        "01030484f889deb66800008c0103000501df1dfa106a43eec2492a32687bd67b47e14b44ef755fd9fa7efc583a080347d7000163686573740081fc84af9b340000000000012c3d572eecec565b010105016461696c7900b8c40201010104c0a191deb6680000000000",
    ),
    (
        "01616e61000100653100",
        "0203b8fb95bc6d7754e7cc0358353a2ed5ef80f889deb66800009601000000960100020102e759497c2c50f4cebf8a61d6574ff752ec4c5e2e81e28a67fb78a82407ad212464617900036461696c7900b8c4020163757272656e63790067656d00010065310080f889deb668fa67fd4cc753477f8910a82ee2de9e3cacdb179c5b33c6bb9a78158e5274cafa5f73c8bd3c11e0dfe0a84b0044a562b8025c054909b86896343fddff2d82cf720000000163686573740067656d0080fc84af9b340000000101bcb5635ccf8ee5eb3306728e69d84fc813df9546c6807c6547c6a1ec33c6e4716372617465000002016974656d00626f7800010065310080f889deb668fa67fd4cc753477f8910a82ee2de9e3cacdb179c5b33c6bb9a78158e5274cafa000000000000000000000000000000000000000000000000000000000000000001c0a191deb66800010000",
    ),
    (
        "01616e61000100653200",
        "020397bd5fda23298b7ac31e3b0732aa696780f889deb66800006400000f55000301054bbf36203d2113e3b0a70b2d6fca3e162a16fa5194328f814ff6992f8480f8f670617261676f6e0004010163757272656e6379006475737400010065320080f889deb6683c34dd87f322f5e774033fe2390e3a41e808ea709cd2ab0ff54080e547e2ee07e7454a987221dccf63e02a8ef471788368bd31449036ff7295ae7408d24a866b0000000000000104abb1bf79cec3953c42a7b951f84bb049549ffd0fa7e7eddc9df0121388019de16372617465000003016974656d00626f7800010065320080f889deb6683c34dd87f322f5e774033fe2390e3a41e808ea709cd2ab0ff54080e547e2ee07d36f4fc81349a43ddfe3ab4ee0cd057196d1ea2486bb8ccbf5e46b2916ba4b5c01c0a191deb668000100019601370202",
    ),
    (
        "01616e61000101633863336161613566383734653336303161633262393066646263346436386500",
        "0203c9365c33765558131e10846fa7fd5ea682f889deb6680000000000000000020101bcb5635ccf8ee5eb3306728e69d84fc813df9546c6807c6547c6a1ec33c6e4716372617465000002016974656d00626f7800010065310080f889deb668fa67fd4cc753477f8910a82ee2de9e3cacdb179c5b33c6bb9a78158e5274cafa0000000000000000000000000000000000000000000000000000000000000000000001c0a191deb66800020182f889deb6680000",
    ),
    (
        "01616e61000101723100",
        "0203b68b7803ccc27d4580fb5a97a84c968b84f889deb6680000000000000000020103eba5dc2ee4bb6f05c29e447f7b312990ddaa4eb471803e8fb3b32df89ffecb616372617465000501bcb5635ccf8ee5eb3306728e69d84fc813df9546c6807c6547c6a1ec33c6e471016974656d00626f7800ffffffffffffffffff010172310084f889deb668fa67fd4cc753477f8910a82ee2de9e3cacdb179c5b33c6bb9a78158e5274cafaeef0cafd26b1b92deb8ffc5595ab71bbdb942441b8bfe4907e83f39c8f4624340000000000000000",
    ),
    (
        "01616e6100020000000000000001",
        "030301bcb5635ccf8ee5eb3306728e69d84fc813df9546c6807c6547c6a1ec33c6e4716372617465000002016974656d00626f7800010065310080f889deb668fa67fd4cc753477f8910a82ee2de9e3cacdb179c5b33c6bb9a78158e5274cafa000000000000000000000000000000000000000000000000000000000000000001c0a191deb66800040184f889deb668",
    ),
    (
        "01616e6100020000000000000002",
        "030302e759497c2c50f4cebf8a61d6574ff752ec4c5e2e81e28a67fb78a82407ad212464617900036461696c7900b8c4020163757272656e63790067656d00010065310080f889deb668fa67fd4cc753477f8910a82ee2de9e3cacdb179c5b33c6bb9a78158e5274cafa5f73c8bd3c11e0dfe0a84b0044a562b8025c054909b86896343fddff2d82cf72000163686573740067656d0080fc84af9b34000000",
    ),
    (
        "01616e6100020000000000000003",
        "030303eba5dc2ee4bb6f05c29e447f7b312990ddaa4eb471803e8fb3b32df89ffecb616372617465000501bcb5635ccf8ee5eb3306728e69d84fc813df9546c6807c6547c6a1ec33c6e471016974656d00626f7800ffffffffffffffffff010172310084f889deb668fa67fd4cc753477f8910a82ee2de9e3cacdb179c5b33c6bb9a78158e5274cafaeef0cafd26b1b92deb8ffc5595ab71bbdb942441b8bfe4907e83f39c8f46243400000000",
    ),
    (
        "01616e6100020000000000000004",
        "030304abb1bf79cec3953c42a7b951f84bb049549ffd0fa7e7eddc9df0121388019de16372617465000003016974656d00626f7800010065320080f889deb6683c34dd87f322f5e774033fe2390e3a41e808ea709cd2ab0ff54080e547e2ee07d36f4fc81349a43ddfe3ab4ee0cd057196d1ea2486bb8ccbf5e46b2916ba4b5c01c0a191deb668000100",
    ),
    (
        "01616e6100020000000000000005",
        "0303054bbf36203d2113e3b0a70b2d6fca3e162a16fa5194328f814ff6992f8480f8f670617261676f6e0004010163757272656e6379006475737400010065320080f889deb6683c34dd87f322f5e774033fe2390e3a41e808ea709cd2ab0ff54080e547e2ee07e7454a987221dccf63e02a8ef471788368bd31449036ff7295ae7408d24a866b00000000",
    ),
];

/// Key and record of version 2, in the order of keys, of those kinds that have one.
const GOLDEN_2: &[(&str, &str)] = &[
    (
        "01616e610000",
        "010204809089acb8680000f001000002014d8935287a72850e7d3ff0d1f625fb912fe1d1ecdfb4beef5d209ea5dbea5d8d000000000478700000b8c402f0010080f889deb66880f889deb668000078700000bcc402f0010080d8ef82b86880d8ef82b868000078700001ac2ef0010080f889deb66880f889deb668000078700001ae2ef0010080d8ef82b86880d8ef82b8680000017870000002b8c402b8c402bcc402bcc402",
    ),
    (
        "01616e61000101663637613966356461336435623633646264616262306361396639613033313700",
        "0202e7a727b9b92ccc09e3861131cbe654b880c8a2d5b868000000000000000001010229a2e43ac604aacc85f76779747575d263445ff9e60d2aaaef315bfde2fca99b676f6c64000278700000bcc402676f6c6400016974656d0063726f776e000101663637613966356461336435623633646264616262306361396639613033313700809089acb868984e84f33b1245095a5f4b163c52d91dd8ad4ed27b4231e00e715df5442bbbbf0b503cfc8be7bcab304aa9ac6c5525ec8cbd11ae6c3a6090c851a798dc97b87d0000",
    ),
    (
        "01616e6100020000000000000001",
        "030201df90fb91d3d7876ed0f1d076571ac982c6e75fce75486168b93740f5d8c9cc02676f6c64000278700000b8c402676f6c6400016974656d0063726f776e00010161646464636364353539663765333936353963613431313535323131393230340080b0a387b768984e84f33b1245095a5f4b163c52d91dd8ad4ed27b4231e00e715df5442bbbbf0000000000000000000000000000000000000000000000000000000000000000",
    ),
    (
        "01616e6100020000000000000002",
        "03020229a2e43ac604aacc85f76779747575d263445ff9e60d2aaaef315bfde2fca99b676f6c64000278700000bcc402676f6c6400016974656d0063726f776e000101663637613966356461336435623633646264616262306361396639613033313700809089acb868984e84f33b1245095a5f4b163c52d91dd8ad4ed27b4231e00e715df5442bbbbf0b503cfc8be7bcab304aa9ac6c5525ec8cbd11ae6c3a6090c851a798dc97b87d",
    ),
];

/// Key and record of version 1, in the order of keys.
const GOLDEN: &[(&str, &str)] = &[
    ("00", "000180f889deb6688088d78bb668"),
    (
        "01616e610000",
        "01010480f889deb66800007e0201b8c4027e020111e3f16cf958d6e21e98255e776df014866aaf83a46750e359d3acfcbeb21ecb01666972737400016368657374000101027870006f746865720002034005529b932b6bdd4002d494c0be35557a006f74686572000003405e000000000000c05380000000000040c1d70000000000010380f889deb6680278700000b8c402fc010080f889deb66880f889deb66800007870000400fc010080f889deb66880f889deb6680000",
    ),
    (
        "01616e61000100653100",
        "0201baccd36aa71a3b3555579c2b6bfcc8f580f889deb668000078000000780002010191cfc1a053636e85c21c7c880251b1610c3dfc76964fd694ca003bf23d914700676f6c640000020163757272656e637900676f6c64000a0065310080f889deb668051356d7ad3a5d59cdfd2bf11aa99dcd7fb5291390598f640c1831758ee499c900000000000000000000000000000000000000000000000000000000000000000000",
    ),
    (
        "01616e61000100653200",
        "0201eb33d79cd4bbca4916bf5e35c1be554b80f889deb668000005000000050002010245006cac7bff0a6db2144b038853ae1510bd891abe1bdc9966179f73983caf0c6669727374000165320080f889deb668000065320080f889deb668051356d7ad3a5d59cdfd2bf11aa99dcd7fb5291390598f640c1831758ee499c9dc942d46029a3c9a0735bd480d4d5df10d12c4fe1217a944cc63c3c117cd7d7c0000",
    ),
    (
        "01616e61000100653300",
        "0201f8e42d3d62b037354484d453a7b4313e80f889deb66801030000000000000002000001666c6f6f72004014000000000000408f400000000000010600408f40000000000000000000000000000202",
    ),
    (
        "01616e610001006576745f30313233343536373839616263646566303100",
        "0201c9f17868263705ef0d3ecb84f809ad8c80f889deb668000001000000010002000000",
    ),
    (
        "01616e6100020000000000000001",
        "03010191cfc1a053636e85c21c7c880251b1610c3dfc76964fd694ca003bf23d914700676f6c640000020163757272656e637900676f6c64000a0065310080f889deb668051356d7ad3a5d59cdfd2bf11aa99dcd7fb5291390598f640c1831758ee499c90000000000000000000000000000000000000000000000000000000000000000",
    ),
    (
        "01616e6100020000000000000002",
        "03010245006cac7bff0a6db2144b038853ae1510bd891abe1bdc9966179f73983caf0c6669727374000165320080f889deb668000065320080f889deb668051356d7ad3a5d59cdfd2bf11aa99dcd7fb5291390598f640c1831758ee499c9dc942d46029a3c9a0735bd480d4d5df10d12c4fe1217a944cc63c3c117cd7d7c",
    ),
    (
        "01616e6100030000000000000003",
        "0401653300616e610080f889deb668626f73735f6b696c6c0002626f7373496400026879647261006475726174696f6e4d7300000a80f889deb6680101666c6f6f72004014000000000000408f400000000000010600408f4000000000000000000000000000020200",
    ),
];
/// The newest version of each kind.
const NEWEST: [(u8, u8); 5] = [(0, 1), (1, 4), (2, 4), (3, 3), (4, 2)];
const SNAPSHOT_SHA256: &str = "aad396191aa58672ae43fb57852b4248e0b460a97834979dce85384dc368cdbb";
const DIGEST: &str = "v1:ebf89571d8abb65407bda03bb1c431a94ac92b42cf27bb7a8ffc494b8e973dcc";

#[test]
fn records_keep_their_bytes() {
    let records = all(&store());
    keep_their_bytes(&records, GOLDEN);
    let kinds: BTreeSet<_> = GOLDEN.iter().map(|(_, record)| &record[..4]).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["0001", "0101", "0201", "0301", "0401"], "every kind");

    let mut records = all(&paid());
    records.retain(|(_, record)| record.encode()[1] == 2);
    keep_their_bytes(&records, GOLDEN_2);
    let kinds: BTreeSet<_> = GOLDEN_2.iter().map(|(_, record)| &record[..4]).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["0102", "0202", "0302"], "what a payment is in");

    let mut records = all(&changed());
    records.retain(|(_, record)| record.encode()[1] == 3);
    keep_their_bytes(&records, GOLDEN_3);
    let kinds: BTreeSet<_> = GOLDEN_3.iter().map(|(_, record)| &record[..4]).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["0103", "0203", "0303"], "what claims and curves are in");

    let mut records = all(&newest());
    records.retain(|(_, record)| record.encode()[1] == 4);
    keep_their_bytes(&records, GOLDEN_4);
    let kinds: BTreeSet<_> = GOLDEN_4.iter().map(|(_, record)| &record[..4]).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["0104", "0204"], "what is owed and what was taken");

    let mut records = all(&unanchored());
    records.retain(|(_, record)| record.encode()[1] == 4);
    keep_their_bytes(&records, GOLDEN_UNANCHORED);
    let kinds: BTreeSet<_> = GOLDEN_UNANCHORED.iter().map(|(_, record)| &record[..4]).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["0104"], "what was learned without a prior is in");

    let mut records = all(&doubted());
    records.retain(|(_, record)| record.encode()[1] > 1);
    keep_their_bytes(&records, GOLDEN_DOUBTED);
    let kinds: BTreeSet<_> = GOLDEN_DOUBTED.iter().map(|(_, record)| &record[..4]).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["0103", "0203", "0402"], "what later detectors are in");

    let mut records = all(&reviewed());
    records.retain(|(_, record)| record.encode()[1] == 4);
    keep_their_bytes(&records, GOLDEN_REVIEWED);
}

fn keep_their_bytes(records: &[(Key, Record)], golden: &[(&str, &str)]) {
    let found: Vec<_> = records.iter().map(|(key, record)| (hex(&key.to_bytes()), hex(&record.encode()))).collect();
    let table: Vec<_> = found.iter().map(|(key, record)| format!("    (\"{key}\", \"{record}\"),")).collect();
    assert!(
        found.iter().map(|(k, r)| (k.as_str(), r.as_str())).eq(golden.iter().copied()),
        "now:\n{}",
        table.join("\n")
    );
    for ((key, record), (key_hex, hex)) in records.iter().zip(golden) {
        let bytes = unhex(hex).unwrap();
        assert_eq!(&Record::decode(&bytes).unwrap(), record);
        assert_eq!(Key::take(&mut &unhex(key_hex).unwrap()[..]).as_ref(), Some(key));
        for cut in 0..bytes.len() {
            assert!(Record::decode(&bytes[..cut]).is_err(), "{key:?} cut at {cut}");
        }
        assert_eq!(Record::decode(&[&bytes[..], &[0]].concat()), Err(StoreErrorKind::Corrupt), "{key:?} and more");
        // A record has one form: not that of another version.
        let newest = NEWEST.iter().find(|(kind, _)| *kind == bytes[0]).unwrap().1;
        for version in (0..=newest + 1).filter(|version| *version != bytes[1]) {
            let other = [&bytes[..1], &[version], &bytes[2..]].concat();
            let wanted = if version > newest { StoreErrorKind::TooNew } else { StoreErrorKind::Corrupt };
            assert_eq!(Record::decode(&other), Err(wanted), "{key:?} as version {version}");
        }
    }
}

#[test]
fn a_snapshot_keeps_its_bytes_and_its_digest() {
    let store = store();
    assert_eq!(store.digest(), DIGEST);
    let of_version_1 = sealed(&all(&store));
    assert_eq!(Digest::of(&[&of_version_1]).to_hex(), SNAPSHOT_SHA256);
    assert_eq!(MemoryStore::restore(&of_version_1).unwrap().digest(), DIGEST);
    // The present version has its own test: `golden_changes.rs`.
    assert_eq!(store.snapshot()[..17], *b"liveops snapshot\x02");
    assert_eq!(MemoryStore::restore(&store.snapshot()).unwrap().digest(), DIGEST);
}

/// Sealed as it should be: the checksum tells faults, not who wrote it.
#[test]
fn a_snapshot_has_every_record_once_and_in_order() {
    let records = all(&store());
    let restore = |records: &[(Key, Record)]| {
        MemoryStore::restore(&sealed(records)).map(|store| store.digest()).map_err(|error| error.kind)
    };
    assert_eq!(restore(&records), Ok(DIGEST.to_owned()));
    let mut reversed = records.clone();
    reversed[1..].reverse();
    let mut misplaced = records.clone();
    misplaced[1].1 = records[2].1.clone();
    let twice = [&records[..], &records[records.len() - 1..]].concat();
    for bad in [&reversed, &misplaced, &twice, &records[1..], &[]] {
        assert_eq!(restore(bad), Err(StoreErrorKind::Corrupt));
    }
}

/// What a game with a million events a day pays for a day of retries.
#[test]
fn the_common_outcome_is_small() {
    let records = all(&store());
    let is_plain = |key: &Key| matches!(key, Key::Outcome(_, id) if id.id.as_str() == "evt_0123456789abcdef01");
    let (_, record) = records.iter().find(|(key, _)| is_plain(key)).unwrap();
    let len = record.encode().len();
    assert!(len <= 64, "an outcome of XP alone takes {len} bytes");
}

#[test]
fn a_newer_record_is_known_as_such() {
    for (_, hex) in GOLDEN
        .iter()
        .chain(GOLDEN_2)
        .chain(GOLDEN_3)
        .chain(GOLDEN_DOUBTED)
        .chain(GOLDEN_4)
        .chain(GOLDEN_REVIEWED)
        .chain(GOLDEN_UNANCHORED)
    {
        let mut bytes = unhex(hex).unwrap();
        bytes[1] = NEWEST.iter().find(|(kind, _)| *kind == bytes[0]).unwrap().1 + 1;
        assert_eq!(Record::decode(&bytes), Err(StoreErrorKind::TooNew));
        bytes[1] = 0;
        assert_eq!(Record::decode(&bytes), Err(StoreErrorKind::Corrupt));
    }
    let mut snapshot = store().snapshot();
    snapshot[16] = 3;
    assert_eq!(MemoryStore::restore(&snapshot).unwrap_err().kind, StoreErrorKind::TooNew);
}
