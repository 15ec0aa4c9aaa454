//! Experience through rules and engine: what is taken away, and what boosts leave over.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{DAY, START, at, event, kill, player, progression};
use liveops_core::anomaly::PopulationBuilder;
use liveops_core::event::{Event, FieldValue, Payload};
use liveops_core::{Command, Effect, Engine, EventId, MemoryStore, Outcome, Rules, Ruling, Window};

const CURVE: &str = r#""curve": { "kind": "table", "costs": [100, 200, 300] }"#;
const GOLD: &str = r#""rewards": { "gold": { "on": { "everyLevels": 1 },
    "grant": { "kind": "currency", "id": "gold", "amount": 10 } } }"#;
const DEATH: &str = r#""events": { "death": { "fields": {} } }"#;
const DEATH_TAKES: &str =
    r#""xp": [ { "on": "progression", "amount": { "field": "deltaXp" } }, { "on": "death", "amount": -50 } ]"#;

fn rules(members: &str) -> Rules {
    Rules::from_json(&format!(r#"{{ "version": 1, "game": "g", {members} }}"#)).unwrap()
}

fn engine(members: &str) -> Engine<MemoryStore> {
    Engine::new(rules(members), MemoryStore::new())
}

fn applied(outcome: Outcome) -> Effect {
    if let Outcome::Applied(effect) = outcome { effect } else { panic!("{outcome:?}") }
}

fn death(id: &str, ts: i64) -> Command {
    event(id, "ana", ts, "death", vec![])
}

fn xp_of(engine: &Engine<MemoryStore>) -> u64 {
    engine.player(&player("ana")).unwrap().unwrap().xp
}

#[test]
fn rules_that_can_take_say_how_far() {
    let duel = r#""events": { "death": { "fields": {} }, "duel": { "fields": {
        "won": { "type": "int" }, "kept": { "type": "int", "min": 0 }, "lost": { "type": "int", "min": -9, "max": -1 } } } }"#;
    let xp = |rule: &str, more: &str| format!(r#"{duel}, "progress": {{ {CURVE}, "xp": [ {rule} ] {more} }}"#);
    let refused = |members: &str| {
        let error =
            Rules::from_json(&format!(r#"{{ "version": 1, "game": "g", {members} }}"#)).map(|_| ()).unwrap_err();
        (error.path, error.issue.as_str())
    };
    let missing = ("/progress/floor".to_owned(), "missing");
    for rule in [
        r#"{ "on": "death", "amount": -50 }"#,
        r#"{ "amount": 5 }, { "on": "duel", "amount": { "field": "won" } }"#,
        r#"{ "amount": { "field": "lost" } }"#,
    ] {
        assert_eq!(refused(&xp(rule, "")), missing, "{rule}");
        rules(&xp(rule, r#", "floor": "level""#));
        rules(&xp(rule, r#", "floor": "zero""#));
    }
    rules(&xp(r#"{ "on": "duel", "amount": { "field": "kept" } }, { "amount": 0 }"#, ""));
    // Without rules for XP every event gives its `deltaXp`.
    let signed = r#""events": { "duel": { "fields": { "deltaXp": { "type": "int" } } } }"#;
    assert_eq!(refused(signed), missing);
    assert_eq!(refused(&format!(r#"{signed}, "progress": {{ {CURVE} }}"#)), missing);
    rules(&format!(r#"{signed}, "progress": {{ {CURVE}, "floor": "zero" }}"#));
    let word = xp(r#"{ "on": "death", "amount": -50 }"#, r#", "floor": 0"#);
    assert_eq!(refused(&word).0, "/progress/floor");
}

#[test]
fn a_level_that_was_reached_is_not_lost_unless_the_rules_say_so() {
    let play = |floor: &str| {
        let engine =
            engine(&format!(r#"{DEATH}, "progress": {{ {CURVE}, {DEATH_TAKES}, "floor": "{floor}" }}, {GOLD}"#));
        let mut told = Vec::new();
        let mut one = |command: Command| {
            let effect = applied(engine.submit(&command));
            told.push((effect.xp.taken, xp_of(&engine), effect.level, effect.receipts().len()));
        };
        one(death("e0", START));
        one(progression("e1", "ana", START, 130));
        one(death("e2", START));
        one(death("e3", START));
        one(progression("e4", "ana", START, 60));
        assert_eq!(engine.submit(&death("e2", START)).code(), "replayed");
        told
    };
    assert_eq!(play("level"), [(0, 0, 1, 0), (0, 130, 2, 1), (30, 100, 2, 0), (0, 100, 2, 0), (0, 160, 2, 0)]);
    let zero = [(0, 0, 1, 0), (0, 130, 2, 1), (50, 80, 1, 0), (50, 30, 1, 0), (0, 90, 1, 0)];
    assert_eq!(play("zero"), zero, "level 2 was rewarded, and is not again");
}

#[test]
fn one_event_may_give_and_take() {
    let xp =
        r#""xp": [ { "on": "duel", "amount": { "field": "won" } }, { "on": "duel", "amount": { "field": "lost" } } ]"#;
    let duel = r#""events": { "duel": { "fields": { "won": { "type": "uint" }, "lost": { "type": "int" } } } }"#;
    let engine = engine(&format!(
        r#"{duel}, "progress": {{ {CURVE}, {xp}, "floor": "zero", "boosts": [ {{ "id": "b", "factor": "2",
            "from": "2026-11-07T00:00:00Z", "until": "2026-11-08T00:00:00Z" }} ] }}, {GOLD}"#
    ));
    let duel = |id: &str, won: i64, lost: i64| {
        let payload = vec![("lost", FieldValue::Int(lost)), ("won", FieldValue::Int(won))];
        let effect = applied(engine.submit(&event(id, "ana", START, "duel", payload)));
        (
            effect.xp.requested,
            effect.xp.boost,
            effect.xp.granted,
            effect.xp.taken,
            effect.level,
            effect.receipts().len(),
        )
    };
    assert_eq!(duel("e1", 50, -70), (50, 50, 100, 70, 1, 1), "level 2 was reached, and rewarded");
    assert_eq!(xp_of(&engine), 30, "only gains are boosted");
    assert_eq!(duel("e2", 35, -9_007_199_254_740_991), (35, 35, 70, 100, 1, 0));
    assert_eq!(xp_of(&engine), 0);
}

#[test]
fn what_is_taken_frees_no_cap_and_touches_no_overflow() {
    let engine = engine(&format!(
        r#"{DEATH}, "progress": {{ "curve": {{ "kind": "table", "costs": [100] }}, {DEATH_TAKES}, "floor": "zero",
            "dailyXpCap": 120, "atMaxLevel": {{ "convert": {{ "reward": "dust", "every": 1000,
                "grant": {{ "kind": "currency", "id": "dust", "amount": 1 }} }} }} }}"#
    ));
    applied(engine.submit(&progression("e1", "ana", START, 110)));
    let effect = applied(engine.submit(&death("e2", START)));
    assert_eq!((effect.xp.taken, xp_of(&engine)), (50, 50));
    let effect = applied(engine.submit(&progression("e3", "ana", START, 110)));
    assert_eq!((effect.xp.granted, effect.xp.over_daily_cap), (10, 100), "110 of 120 are spent");
    let record = engine.record(&player("ana")).unwrap().unwrap();
    assert_eq!((record.rare().overflow.rest, record.rare().xp_by_day[0].1), (10, 120));
}

#[test]
fn boards_that_add_up_show_what_is_left_and_others_what_was_gained() {
    let board = |name: &str, more: &str| format!(r#""{name}": {{ {more}, "keepPeriods": {{ "allTime": 0 }} }}"#);
    let boards = [
        board("best", r#""value": "grantedXp", "operator": "best""#),
        board("down", r#""value": "grantedXp", "operator": "decr""#),
        board("net", r#""value": "grantedXp""#),
        board("set", r#""value": "grantedXp", "operator": "set""#),
        board("want", r#""value": "requestedXp""#),
    ];
    let engine = engine(&format!(
        r#"{DEATH}, "progress": {{ {CURVE}, {DEATH_TAKES}, "floor": "zero" }}, "boards": {{ {} }}"#,
        boards.join(", ")
    ));
    let shown = || {
        ["best", "down", "net", "set", "want"].map(|board| {
            let page = engine.board(board).unwrap().top(Window::AllTime, 1, at(START)).unwrap();
            page.first().map(|row| row.score)
        })
    };
    applied(engine.submit(&death("e0", START)));
    assert_eq!(shown(), [None; 5], "nothing was taken from whoever had nothing");
    applied(engine.submit(&progression("e1", "ana", START, 130)));
    applied(engine.submit(&death("e2", START)));
    assert_eq!(shown(), [130, -130, 80, 130, 130].map(Some));
    applied(engine.submit(&progression("e3", "ana", START, 7)));
    assert_eq!(shown(), [130, -137, 87, 7, 137].map(Some));
}

#[test]
fn an_open_hold_that_would_take_is_told_where_it_counts() {
    let holds = |operator: &str| {
        let engine = engine(&format!(
            r#""progress": {{ {CURVE}, "floor": "zero", "xp": [
                {{ "on": "progression", "amount": {{ "field": "deltaXp" }} }}, {{ "on": "boss_kill", "amount": -20 }} ] }},
            "boards": {{ "xp": {{ "value": "grantedXp", "operator": "{operator}", "keepPeriods": {{ "daily": 1 }},
                "payouts": {{ "daily": [ {{ "tier": "gold", "ranks": [1, 1],
                    "grant": {{ "kind": "item", "id": "crown", "amount": 1 }} }} ] }} }} }},
            "detectors": {{ "floor": {{ "kind": "timeFloor", "boss": "hydra", "minimumMs": 1000, "action": "hold" }} }}"#
        ));
        applied(engine.submit(&progression("e1", "ana", START, 130)));
        assert!(applied(engine.submit(&kill("e2", "ana", START, "hydra", 5))).held().is_some());
        engine.advance(at(START + DAY)).unwrap();
        let day = engine.rules().calendar().period(Window::Daily, at(START)).unwrap();
        engine.payout("xp", day, at(START + DAY)).unwrap().holds.len()
    };
    assert_eq!((holds("incr"), holds("best")), (1, 0));
}

#[test]
fn detectors_do_not_see_what_is_taken() {
    let engine = engine(&format!(
        r#"{DEATH}, "progress": {{ {CURVE}, {DEATH_TAKES}, "floor": "zero" }},
            "detectors": {{ "xp": {{ "kind": "robust", "threshold": "6" }}, "all": {{ "kind": "family" }} }}"#
    ));
    applied(engine.submit(&progression("e1", "ana", START, 130)));
    let before = engine.record(&player("ana")).unwrap().unwrap();
    applied(engine.submit(&death("e2", START)));
    let after = engine.record(&player("ana")).unwrap().unwrap();
    assert_eq!(after.rare().profile, before.rare().profile);
    let mut population = PopulationBuilder::new();
    let mut teach = |kind: &str, fields: Vec<_>| {
        let (id, kind) = (EventId::new("e3").unwrap(), common::id(kind));
        let payload = Payload::new(fields).unwrap();
        let event = Event { id, player: player("ana"), ts: at(START), kind, payload };
        engine.rules().teach(&mut population, &event).unwrap();
        format!("{population:?}")
    };
    let none = format!("{:?}", PopulationBuilder::new());
    assert_eq!(teach("death", Vec::new()), none, "nor do tables of history");
    assert_ne!(teach("progression", vec![(common::id("deltaXp"), FieldValue::Int(5))]), none);
}

#[test]
fn what_is_held_takes_when_it_is_released_and_all_of_it_is_explained() {
    let engine = engine(&format!(
        r#"{DEATH}, "progress": {{ {CURVE}, "floor": "level", "xp": [
            {{ "on": "progression", "amount": {{ "field": "deltaXp" }} }}, {{ "on": "boss_kill", "amount": -20 }} ] }},
            "detectors": {{ "floor": {{ "kind": "timeFloor", "boss": "hydra", "minimumMs": 1000, "action": "hold" }} }}"#
    ));
    applied(engine.submit(&progression("e1", "ana", START, 130)));
    let held = applied(engine.submit(&kill("e2", "ana", START, "hydra", 5)));
    assert_eq!((held.xp.taken, xp_of(&engine)), (0, 130));
    let review = Command::review(
        EventId::new("r").unwrap(),
        player("ana"),
        at(START + 1),
        held.held().unwrap(),
        Ruling::Release,
    );
    assert_eq!(applied(engine.submit(&review)).xp.taken, 20);
    applied(engine.submit(&kill("e3", "ana", START + 2, "ogre", 5_000)));
    let told = engine.explain(&player("ana"), at(START + DAY)).unwrap().unwrap();
    assert_eq!((told.xp, told.lines.iter().map(|line| line.xp).sum::<i64>()), (100, 100));
    let taken: Vec<_> = told.lines.iter().filter(|line| line.xp < 0).map(|line| line.text.as_str()).collect();
    assert_eq!(taken, ["operator's r: -20 XP taken away", "event e3: -10 XP taken away"]);
}

/// A boost that holds on the first day, and what its factor multiplies.
fn boosted(factor: &str, more: &str) -> Engine<MemoryStore> {
    engine(&format!(
        r#""progress": {{ {CURVE}, "xp": [ {{ "on": "boss_kill", "amount": 3 }},
            {{ "on": "progression", "amount": {{ "field": "deltaXp" }} }} ], "boosts": [ {{ "id": "b", "factor": "{factor}",
            "from": "2026-11-07T00:00:00Z", "until": "2026-11-08T00:00:00Z" }} ] }} {more}"#
    ))
}

#[test]
fn boosts_lose_nothing_from_event_to_event() {
    let engine = boosted("1.25", "");
    let kills: Vec<_> = (0..100).map(|n| kill(&format!("k{n}"), "ana", START + n, "hydra", 60_000)).collect();
    // In batches, one by one and sent twice: it makes no difference.
    engine.submit_batch(&kills[..50]);
    engine.submit_batch(&kills);
    assert_eq!(xp_of(&engine), 375);
    let record = engine.record(&player("ana")).unwrap().unwrap();
    assert!(record.rare().remainders.is_empty(), "as many parts as make it whole");

    let engine = boosted("0.5", "");
    let granted =
        [1, 2, 3, 4].map(|n| applied(engine.submit(&progression(&format!("e{n}"), "ana", START, 1))).xp.granted);
    assert_eq!(granted, [0, 1, 0, 1]);
}

#[test]
fn boosts_that_are_too_fine_together_are_refused() {
    let boost = |id: &str, factor: &str, from: u32, until: u32| {
        format!(
            r#"{{ "id": "{id}", "factor": "{factor}", "from": "2026-11-0{from}T00:00:00Z", "until": "2026-11-0{until}T00:00:00Z" }}"#
        )
    };
    let read = |second: &str, from: u32, stacking: &str| {
        let boosts = [boost("a", "1.000000001", 1, 5), boost("b", "2", 1, 9), boost("c", second, from, 9)].join(", ");
        let text = format!(
            r#"{{ "version": 1, "game": "g",
                "progress": {{ {CURVE}, "boosts": [ {boosts} ], "boostStacking": "{stacking}" }} }}"#
        );
        Rules::from_json(&text).map(|_| ()).map_err(|error| (error.path, error.issue.as_str()))
    };
    let refused = Err(("/progress/boosts/2/factor".to_owned(), "out_of_range"));
    assert_eq!(read("1.00000001", 4, "multiply"), refused, "10^17");
    assert_eq!(read("1.00000001", 5, "multiply"), Ok(()), "one after the other");
    assert_eq!(read("1.000001", 4, "multiply"), Ok(()), "10^15");
    assert_eq!(read("1.00000001", 4, "add"), Ok(()), "10^9 is common to both");
    assert_eq!(read("1/999999999", 4, "add"), refused);
    assert_eq!(read("1/999999999", 4, "highest"), Ok(()));
}

#[test]
fn what_boosts_owe_is_erased_and_migrated_and_outlives_what_is_refused() {
    let engine = boosted("1.25", "");
    let owed = |engine: &Engine<MemoryStore>| {
        let record = engine.record(&player("ana")).unwrap().unwrap();
        record.rare().remainders.iter().map(|one| (one.factor(), one.rest())).collect::<Vec<_>>()
    };
    applied(engine.submit(&progression("e1", "ana", START, 3)));
    let three = vec![("5/4".to_owned(), 3)];
    assert_eq!(owed(&engine), three);
    let adjust = Command::adjust(EventId::new("a1").unwrap(), player("ana"), at(START), 9_007_199_254_740_900, "x");
    applied(engine.submit(&adjust.unwrap()));
    assert_eq!(engine.submit(&progression("e2", "ana", START, 1_000)).code(), "score_overflow");
    applied(engine.submit(&progression("e3", "ana", START, 0)));
    applied(engine.submit(&progression("e4", "ana", START + DAY, 1)));
    assert_eq!(owed(&engine), three, "nor does what it says nothing about touch it");
    let new = r#""progress": { "curve": { "kind": "table", "costs": [7] }, "boosts": [ { "id": "later", "factor": "5/4",
        "from": "2026-11-08T00:00:00Z", "until": "2026-11-09T00:00:00Z" } ], "migrations": [
        { "from": { "kind": "table", "costs": [100, 200, 300] }, "policy": "keepLevelAndFraction", "levelRewards": "skip" } ] }"#;
    engine.replace_rules(rules(new)).unwrap();
    let migrated = applied(engine.submit(&engine.migrations(at(START + DAY)).unwrap()[0]));
    assert!(migrated.migrated().is_some());
    assert_eq!(owed(&engine), three);
    assert_eq!(applied(engine.submit(&progression("e5", "ana", START + DAY, 1))).xp.granted, 2, "a factor is a factor");
    applied(engine.submit(&progression("e6", "ana", START + DAY, 1)));
    assert_eq!(owed(&engine), [("5/4".to_owned(), 1)]);
    let restored = MemoryStore::restore(&engine.store().snapshot()).unwrap();
    assert_eq!(restored.digest(), engine.store().digest());
    applied(engine.submit(&Command::erase(EventId::new("x").unwrap(), player("ana"), at(START + DAY + 1))));
    assert_eq!(owed(&engine), []);
}

#[test]
fn records_without_fractions_are_written_as_before() {
    let version = |factor: &str, xp: i64| {
        let engine = boosted(factor, "");
        applied(engine.submit(&progression("e1", "ana", START, xp)));
        liveops_core::Record::Player(engine.record(&player("ana")).unwrap().unwrap().into()).encode()[1]
    };
    assert_eq!([version("2", 3), version("1.25", 4), version("1.25", 3)], [3, 3, 4]);
}

#[test]
fn what_is_released_is_boosted_with_what_was_left_over() {
    let engine = boosted(
        "1.5",
        r#", "detectors": { "floor": { "kind": "timeFloor", "boss": "hydra", "minimumMs": 1000, "action": "hold" } }"#,
    );
    let held = applied(engine.submit(&kill("e1", "ana", START, "hydra", 5))).held().unwrap();
    assert_eq!(applied(engine.submit(&progression("e2", "ana", START, 1))).xp.granted, 1);
    let ruling = Ruling::Release;
    let review = Command::review(EventId::new("r").unwrap(), player("ana"), at(START + DAY), held, ruling);
    assert_eq!(applied(engine.submit(&review)).xp.granted, 5, "4.5 and the half of before");
}
