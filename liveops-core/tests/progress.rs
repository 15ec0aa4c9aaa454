//! Progress and rewards through rules and engine: what is refused and where, days in a row over changes of the clock,
//! experience beyond the top, and curves that change back.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{DAY, START, at, player, progression, received};
use liveops_core::progress::Streak;
use liveops_core::record::CurveMark;
use liveops_core::reward::{ReceiptState, Scope};
use liveops_core::{Command, Effect, Engine, EventId, MemoryStore, Outcome, Receipt, Rules, Timestamp};

const CURVE: &str = r#""curve": { "kind": "linear", "base": 100, "step": 0, "maxLevel": 9 }"#;
const GOLD: &str = r#"{ "kind": "currency", "id": "gold", "amount": 10 }"#;

fn rules(members: &str) -> Rules {
    Rules::from_json(&format!(r#"{{ "version": 1, "game": "g", {members} }}"#)).unwrap()
}

fn engine(members: &str) -> Engine<MemoryStore> {
    Engine::new(rules(members), MemoryStore::new())
}

fn applied(outcome: Outcome) -> Effect {
    if let Outcome::Applied(effect) = outcome { effect } else { panic!("{outcome:?}") }
}

#[test]
fn bad_rules_say_where() {
    let progress = |members: &str| format!(r#""progress": {{ {CURVE}, {members} }}"#);
    let reward = |on: &str| format!(r#""rewards": {{ "r": {{ "on": {on}, "grant": {GOLD} }} }}"#);
    let old = r#"{ "kind": "linear", "base": 50, "step": 0, "maxLevel": 9 }"#;
    for (members, path, issue) in [
        (progress(r#""boostStacking": "most""#), "/progress/boostStacking", "invalid_format"),
        (progress(r#""atMaxLevel": "burn""#), "/progress/atMaxLevel", "invalid_format"),
        (progress(r#""atMaxLevel": { "bank": 1 }"#), "/progress/atMaxLevel/convert", "missing"),
        (
            progress(&format!(r#""atMaxLevel": {{ "convert": {{ "reward": "p", "every": 0, "grant": {GOLD} }} }}"#)),
            "/progress/atMaxLevel/convert/every",
            "out_of_range",
        ),
        (progress(r#""streaks": { "s": { "on": "login" } }"#), "/progress/streaks/s/on", "unknown_type"),
        (
            progress(r#""streaks": { "s": { "missedDaysMax": -1 } }"#),
            "/progress/streaks/s/missedDaysMax",
            "out_of_range",
        ),
        (progress(r#""migrations": [ {} ]"#), "/progress/migrations/0/from", "missing"),
        (
            progress(&format!(r#""migrations": [ {{ "from": {old}, "policy": "keepTotalXp" }} ]"#)),
            "/progress/migrations/0/levelRewards",
            "missing",
        ),
        (
            progress(&format!(r#""migrations": [ {{ "from": {old}, "policy": "keep", "levelRewards": "skip" }} ]"#)),
            "/progress/migrations/0/policy",
            "invalid_format",
        ),
        (
            progress(&format!(
                r#""migrations": [ {{ "from": {{ {} }}, "policy": "keepTotalXp", "levelRewards": "skip" }} ]"#,
                r#""kind": "table", "costs": [100, 100, 100, 100, 100, 100, 100, 100]"#
            )),
            "/progress/migrations/0",
            "invalid_format",
        ),
        (
            progress(
                r#""migrations": [ { "from": { "kind": "linear", "base": 1, "step": 0 },
                "policy": "keepTotalXp", "levelRewards": "skip" } ]"#,
            ),
            "/progress/migrations/0/from",
            "missing",
        ),
        (reward("{}"), "/rewards/r/on", "missing"),
        (reward(r#"{ "moon": "full" }"#), "/rewards/r/on", "missing"),
        (reward(r#"{ "level": 1 }"#), "/rewards/r/on/level", "out_of_range"),
        (reward(r#"{ "levels": [5] }"#), "/rewards/r/on/levels", "wrong_type"),
        (reward(r#"{ "levels": [5, 4] }"#), "/rewards/r/on/levels/1", "out_of_range"),
        (reward(r#"{ "levels": [2, 4], "everyLevels": 0 }"#), "/rewards/r/on/everyLevels", "out_of_range"),
        (reward(r#"{ "level": 2, "boss": "hydra" }"#), "/rewards/r/on/boss", "unknown_field"),
        (reward(r#"{ "boss": "hydra", "kill": "last" }"#), "/rewards/r/on/kill", "invalid_format"),
        (reward(r#"{ "boss": "hydra", "where": { "itemId": "x" } }"#), "/rewards/r/on/where/itemId", "unknown_field"),
        (reward(r#"{ "drop": "urn", "where": { "rarity": 1.5 } }"#), "/rewards/r/on/where/rarity", "wrong_type"),
        (reward(r#"{ "streak": "daily", "day": 2 }"#), "/rewards/r/on/streak", "missing"),
        (reward(r#"{ "event": "login" }"#), "/rewards/r/on/event", "unknown_type"),
        (format!(r#""rewards": {{ "r": {{ "on": {{ "level": 2 }} }} }}"#), "/rewards/r", "missing"),
        (
            format!(r#""rewards": {{ "r": {{ "on": {{ "level": 2 }}, "loot": "t", "grant": {GOLD} }} }}"#),
            "/rewards/r",
            "missing",
        ),
        (format!(r#""rewards": {{ "r": {{ "on": {{ "level": 2 }}, "loot": "t" }} }}"#), "/rewards/r/loot", "missing"),
        (
            format!(r#""rewards": {{ "r": {{ "on": {{ "level": 2 }}, "grant": {GOLD}, "claimWithinSeconds": 0 }} }}"#),
            "/rewards/r/claimWithinSeconds",
            "out_of_range",
        ),
        (
            r#""rewards": { "r": { "on": { "level": 2 }, "grant": { "bundle": "b" } } }"#.to_owned(),
            "/rewards/r/grant/bundle",
            "missing",
        ),
        (
            r#""rewards": { "r": { "on": { "level": 2 },
                "grant": { "kind": "currency", "id": "gold", "amount": -5 } } }"#
                .to_owned(),
            "/rewards/r/grant/amount",
            "out_of_range",
        ),
        (r#""bundles": { "b": [ { "bundle": "b" } ] }"#.to_owned(), "/bundles/b/0/bundle", "missing"),
        (
            format!(
                r#""bundles": {{ "b": {GOLD} }}, "rewards": {{ "r": {{ "on": {{ "level": 2 }},
                "grant": {{ "bundle": "b", "times": 9007199254740991 }} }} }}"#
            ),
            "/rewards/r/grant",
            "out_of_range",
        ),
        (
            format!(
                r#""bundles": {{ "b": [ {} ] }}, "rewards": {{ "r": {{ "on": {{ "level": 2 }},
                "grant": [ {{ "bundle": "b" }}, {GOLD} ] }} }}"#,
                [GOLD; 64].join(", ")
            ),
            "/rewards/r/grant",
            "too_long",
        ),
    ] {
        let error = Rules::from_json(&format!(r#"{{ "version": 1, "game": "g", {members} }}"#)).unwrap_err();
        assert_eq!((error.path.as_str(), error.issue.as_str()), (path, issue), "{members}\n{error}");
    }
}

/// Berlin, autumn of 2026 and spring of 2027: a day of 25 hours and one of 23.
#[test]
fn changes_of_the_clock_break_no_streak_and_make_no_day_twice() {
    let engine = engine(&format!(
        r#""limits": {{ "maxPastSeconds": 604800 }},
        "calendar": {{ "utcOffsetMinutes": 120, "utcOffsetChanges": [
            {{ "from": "2026-10-25T01:00:00Z", "minutes": 60 }}, {{ "from": "2027-03-28T01:00:00Z", "minutes": 120 }} ] }},
        "progress": {{ {CURVE}, "dailyXpCap": 100, "streaks": {{ "daily": {{}} }} }},
        "rewards": {{ "day": {{ "on": {{ "streak": "daily", "everyDays": 1 }}, "grant": {GOLD} }} }}"#
    ));
    let mut number = 0;
    let mut play = |time: &str| {
        number += 1;
        let ts = Timestamp::from_rfc3339(time).unwrap().as_unix_millis();
        let effect = applied(engine.submit(&progression(&format!("e{number}"), "ana", ts, 60)));
        (effect.xp.granted, effect.receipts.len())
    };
    // The first and the last quarter of an hour of each local day.
    let days = [
        ("2026-10-23T22:05:00Z", "2026-10-24T21:55:00Z"),
        ("2026-10-24T22:05:00Z", "2026-10-25T22:55:00Z"),
        ("2026-10-25T23:05:00Z", "2026-10-26T22:55:00Z"),
    ];
    for (first, last) in days {
        assert_eq!((play(first), play(last)), ((60, 1), (40, 0)), "one day, one cap: {first}");
    }
    assert_eq!(engine.player(&player("ana")).unwrap().unwrap().streaks[b"daily".as_slice()].length, 3);
    let spring = ["2027-03-27T22:30:00Z", "2027-03-27T23:30:00Z", "2027-03-28T21:30:00Z", "2027-03-28T22:30:00Z"];
    let played = spring.map(&mut play);
    assert_eq!(played.map(|(_, receipts)| receipts), [1, 1, 0, 1], "23 hours are a day");
    let streak = engine.player(&player("ana")).unwrap().unwrap().streaks[b"daily".as_slice()];
    assert_eq!((streak.length, streak.longest), (3, 3));
}

#[test]
fn what_is_turned_into_something_counts_towards_the_cap() {
    let engine = engine(&format!(
        r#""progress": {{ "curve": {{ "kind": "table", "costs": [100] }}, "dailyXpCap": 250,
            "atMaxLevel": {{ "convert": {{ "reward": "dust", "every": 60, "grant": {GOLD} }} }} }}"#
    ));
    let grant = |id: &str, xp| {
        let effect = applied(engine.submit(&progression(id, "ana", START, xp)));
        (effect.xp.granted, effect.xp.over_max_level, effect.xp.over_daily_cap, effect.receipts)
    };
    let (granted, converted, capped, receipts) = grant("e1", 200);
    assert_eq!((granted, converted, capped, receipts.len()), (100, 100, 0, 1));
    assert_eq!(receipts[0].scope, Scope::Overflow { units: 1 });
    let (granted, converted, capped, receipts) = grant("e2", 200);
    assert_eq!((granted, converted, capped), (0, 50, 150), "250 a day, whatever it becomes");
    assert_eq!((receipts.len(), receipts[0].items[0].amount()), (1, 10), "100 and 50 are two units and a rest");
    let view = engine.player(&player("ana")).unwrap().unwrap();
    assert_eq!((view.xp, view.overflow.units, view.overflow.rest), (100, 2, 30));
}

#[test]
fn a_higher_top_lets_what_was_banked_make_no_levels_unless_the_rules_say_so() {
    let gold = format!(r#""rewards": {{ "gold": {{ "on": {{ "everyLevels": 1 }}, "grant": {GOLD} }} }}"#);
    let old = r#"{ "kind": "linear", "base": 100, "step": 0, "maxLevel": 3 }"#;
    let new = |migration: &str| {
        rules(&format!(
            r#""progress": {{ "curve": {{ "kind": "linear", "base": 100, "step": 0, "maxLevel": 50 }},
            "migrations": [ {migration} ] }}, {gold}"#
        ))
    };
    let after = |migration: &str| {
        let engine = engine(&format!(r#""progress": {{ "curve": {old} }}, {gold}"#));
        applied(engine.submit(&progression("e1", "ana", START, 4_000)));
        engine.replace_rules(new(migration)).unwrap();
        let seen = engine.player(&player("ana")).unwrap().unwrap();
        let effect = applied(engine.submit(&progression("e2", "ana", START, 10)));
        assert_eq!(seen.xp + 10, engine.player(&player("ana")).unwrap().unwrap().xp, "read before as written after");
        (seen.level, effect.receipts.len())
    };
    let policy = |policy: &str, rewards: &str| {
        format!(r#"{{ "from": {old}, "policy": "{policy}", "levelRewards": "{rewards}" }}"#)
    };
    assert_eq!(after(""), (41, 38), "totals stay, and what they reach is rewarded");
    assert_eq!(after(&policy("keepTotalXp", "skip")), (41, 0));
    assert_eq!(after(&policy("keepLevelAndFraction", "grant")), (3, 0));
    assert_eq!(after(&policy("keepEffort", "skip")), (50, 0));
}

#[test]
fn a_curve_that_comes_back_leaves_those_alone_who_never_left_it() {
    let [a, b] = [100, 50].map(|base| format!(r#"{{ "kind": "linear", "base": {base}, "step": 0, "maxLevel": 9 }}"#));
    let leave =
        |from: &str| format!(r#"{{ "from": {from}, "policy": "keepLevelAndFraction", "levelRewards": "skip" }}"#);
    let engine = engine(&format!(r#""progress": {{ "curve": {a} }}"#));
    for name in ["ana", "bo"] {
        applied(engine.submit(&progression("e1", name, START, 250)));
    }
    engine
        .replace_rules(rules(&format!(r#""progress": {{ "curve": {b}, "migrations": [ {} ] }}"#, leave(&a))))
        .unwrap();
    let moved = applied(engine.submit(&progression("e2", "ana", START, 10))).migrated.unwrap();
    assert_eq!((moved.from_xp, moved.to_xp, moved.from_level, moved.to_level), (250, 125, 3, 3));
    let diff = engine
        .replace_rules(rules(&format!(
            r#""progress": {{ "curve": {a}, "migrations": [ {}, {} ] }}"#,
            leave(&a),
            leave(&b)
        )))
        .unwrap();
    assert!(diff.level_curve.is_some_and(|change| change.migrates));
    let xp = |name: &str| engine.player(&player(name)).unwrap().unwrap().xp;
    assert_eq!((xp("ana"), xp("bo")), (270, 250), "135 is 70 of 100 into level 3; bo never left");
    let commands = engine.migrations(at(START)).unwrap();
    assert_eq!(commands.iter().map(|command| command.player.as_str()).collect::<Vec<_>>(), ["ana"]);
    assert!(applied(engine.submit(&progression("e3", "bo", START, 10))).migrated.is_none());
    let mark = engine.record(&player("bo")).unwrap().unwrap().curve;
    assert_eq!(mark, None, "nothing to say of whoever is where all began");
    applied(engine.submit(&commands[0]));
    let mark = engine.record(&player("ana")).unwrap().unwrap().curve;
    assert_eq!(mark, Some(CurveMark::of(&engine.rules().progression().levels)));
}

#[test]
fn what_is_held_or_refused_migrates_nobody() {
    let floor =
        r#""detectors": { "floor": { "kind": "timeFloor", "boss": "hydra", "minimumMs": 1000, "action": "hold" } }"#;
    let [a, b] = [100, 50].map(|base| format!(r#"{{ "kind": "linear", "base": {base}, "step": 0, "maxLevel": 9 }}"#));
    let engine = engine(&format!(r#""progress": {{ "curve": {a} }}, {floor}"#));
    applied(engine.submit(&progression("e1", "ana", START, 250)));
    engine
        .replace_rules(rules(&format!(
            r#""progress": {{ "curve": {b}, "migrations": [
                {{ "from": {a}, "policy": "keepTotalXp", "levelRewards": "grant" }} ] }}, {floor}"#
        )))
        .unwrap();
    let held = applied(engine.submit(&common::kill("e2", "ana", START, "hydra", 5)));
    assert_eq!((held.held.is_some(), held.level, held.migrated), (true, 6, None));
    let record = || engine.record(&player("ana")).unwrap().unwrap();
    assert_eq!(record().curve, None);
    let reason = |xp| Command::adjust(EventId::new("a1").unwrap(), player("ana"), at(START), xp, "x").unwrap();
    assert!(matches!(engine.submit(&reason(-251)), Outcome::Refused(_)));
    assert_eq!((record().curve, record().granted_through), (None, 3));
    let migrated = applied(engine.submit(&reason(-50))).migrated.unwrap();
    assert_eq!((migrated.from_level, migrated.to_level, record().xp), (3, 6, 200));
}

#[test]
fn claims_and_claw_backs_end_with_the_receipts_that_are_kept() {
    let engine = engine(&format!(
        r#""progress": {{ {CURVE} }}, "retention": {{ "receiptsPerPlayer": 2 }},
        "rewards": {{ "crate": {{ "on": {{ "everyLevels": 1 }}, "grant": {GOLD}, "claimWithinSeconds": 60 }} }}"#
    ));
    let ana = player("ana");
    let effect = applied(engine.submit(&progression("e1", "ana", START, 400)));
    assert_eq!((effect.claimable.len(), effect.receipts.len()), (4, 0));
    let kept: Vec<u64> = engine.receipts(&ana).unwrap().iter().map(|receipt| receipt.number).collect();
    assert_eq!(kept, [3, 4]);
    let claim = |receipt: &Receipt| engine.submit(&Command::claim(ana.clone(), receipt, at(START)));
    assert_eq!(claim(&effect.claimable[0]).code(), "receipt_unknown");
    let claimed = applied(claim(&effect.claimable[3]));
    assert_eq!((claimed.receipts[0].number, claimed.receipts[0].state), (4, ReceiptState::Claimed));
    // A claw-back is a link too: the oldest makes room.
    let id = EventId::new("r1").unwrap();
    let revoke = Command::revoke(id, ana.clone(), at(START), &effect.claimable[2], "not honest").unwrap();
    assert!(applied(engine.submit(&revoke)).receipts[0].items.is_empty(), "nobody had claimed it");
    let kept: Vec<_> = engine.receipts(&ana).unwrap().iter().map(|receipt| (receipt.number, receipt.state)).collect();
    assert_eq!(kept, [(4, ReceiptState::Claimed), (5, ReceiptState::Issued)]);
    // Whoever was erased and came back begins anew, with the same rewards for the same levels.
    engine.submit(&Command::erase(EventId::new("x").unwrap(), ana.clone(), at(START)));
    let late = received(progression("e2", "ana", START + 1, 400), START + 1);
    applied(engine.submit(&late));
    let again = Command::claim(ana.clone(), &effect.claimable[3], at(START + 2));
    assert_eq!(engine.submit(&again).code(), "applied");
    let other = Command::claim(ana.clone(), &effect.claimable[2], at(START + 2));
    assert_eq!(applied(engine.submit(&other)).receipts[0].scope, Scope::Level(4), "its number and its id are right");
}

#[test]
fn late_days_mend_no_streak() {
    let engine = engine(&format!(
        r#""limits": {{ "maxPastSeconds": 604800 }}, "progress": {{ {CURVE}, "streaks": {{
            "any": {{}}, "kills": {{ "on": "boss_kill" }}, "lenient": {{ "missedDaysMax": 1 }} }} }}"#
    ));
    for (number, day) in [0, 2, 1, 3].into_iter().enumerate() {
        let event = progression(&format!("e{number}"), "ana", START + day * DAY, 1);
        applied(engine.submit(&received(event, START + 4 * DAY)));
    }
    let streaks = engine.player(&player("ana")).unwrap().unwrap().streaks;
    let day = START / DAY + 3;
    let streak = |name: &str| streaks.get(name.as_bytes()).copied();
    assert_eq!(streak("any"), Some(Streak { last_day: day, length: 2, longest: 2 }));
    assert_eq!(streak("lenient"), Some(Streak { last_day: day, length: 3, longest: 3 }));
    assert_eq!(streak("kills"), None);
}
