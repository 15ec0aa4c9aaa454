//! Progress and rewards through rules and engine: what is refused and where, days in a row over changes of the clock,
//! experience beyond the top, and curves that change back.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{DAY, START, at, player, progression, received};
use liveops_core::progress::Streak;
use liveops_core::record::{BoardKey, CommitOutcome, CurveMark, OnCurve, Payment};
use liveops_core::reward::{Item, ReceiptState, Scope};
use liveops_core::{
    BoardId, Command, Effect, Engine, EventId, MemoryStore, Outcome, Receipt, Rules, Ruling, Store as _, Timestamp,
    Window,
};

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
#[expect(clippy::too_many_lines, reason = "a list")]
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
        (r#""rewards": { "r": { "on": { "level": 2 } } }"#.to_string(), "/rewards/r", "missing"),
        (
            format!(r#""rewards": {{ "r": {{ "on": {{ "level": 2 }}, "loot": "t", "grant": {GOLD} }} }}"#),
            "/rewards/r",
            "missing",
        ),
        (r#""rewards": { "r": { "on": { "level": 2 }, "loot": "t" } }"#.to_string(), "/rewards/r/loot", "missing"),
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
                r#""progress": {{ "curve": {{ "kind": "linear", "base": 1, "step": 0, "maxLevel": 10000 }} }},
                "rewards": {{ "a": {{ "on": {{ "everyLevels": 1 }}, "grant": {GOLD} }},
                    "b": {{ "on": {{ "everyLevels": 1 }}, "grant": {GOLD} }},
                    "c": {{ "on": {{ "levels": [2, 5] }}, "grant": {GOLD} }} }}"#
            ),
            "/rewards",
            "too_long",
        ),
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
        (effect.xp.granted, effect.receipts().len())
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
        (effect.xp.granted, effect.xp.over_max_level, effect.xp.over_daily_cap, effect.into_more().receipts)
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
        (seen.level, effect.receipts().len())
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
    let moved = applied(engine.submit(&progression("e2", "ana", START, 10))).migrated().unwrap();
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
    assert!(applied(engine.submit(&progression("e3", "bo", START, 10))).migrated().is_none());
    applied(engine.submit(&commands[0]));
    let curve = |name: &str| engine.record(&player(name)).unwrap().unwrap().curve;
    let mark = CurveMark::of(&engine.rules().progression().levels);
    assert_eq!(curve("bo"), Some(OnCurve { mark, brought: false }));
    assert_eq!(curve("ana"), Some(OnCurve { mark, brought: true }));
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
    assert_eq!((held.held().is_some(), held.level, held.migrated()), (true, 6, None));
    let record = || engine.record(&player("ana")).unwrap().unwrap();
    assert_eq!(record().curve.map(|curve| curve.brought), Some(false));
    let reason = |xp| Command::adjust(EventId::new("a1").unwrap(), player("ana"), at(START), xp, "x").unwrap();
    assert!(matches!(engine.submit(&reason(-251)), Outcome::Refused(_)));
    assert_eq!((record().curve.map(|curve| curve.brought), record().granted_through), (Some(false), 3));
    let migrated = applied(engine.submit(&reason(-50))).migrated().unwrap();
    assert_eq!((migrated.from_level, migrated.to_level, record().xp), (3, 6, 200));
}

#[test]
fn what_waits_to_be_claimed_is_kept_for_it() {
    let engine = engine(&format!(
        r#""progress": {{ {CURVE} }}, "retention": {{ "receiptsPerPlayer": 2 }}, "rewards": {{
            "crate": {{ "on": {{ "everyLevels": 1 }}, "grant": {GOLD}, "claimWithinSeconds": 60 }},
            "urn": {{ "on": {{ "event": "progression" }}, "grant": {GOLD} }} }}"#
    ));
    let ana = player("ana");
    let effect = applied(engine.submit(&progression("e1", "ana", START, 400)));
    assert_eq!((effect.claimable().len(), effect.receipts().len()), (4, 1));
    let numbers = |receipts: Vec<Receipt>| receipts.iter().map(|receipt| receipt.number).collect::<Vec<_>>();
    let waiting = |millis| numbers(engine.claimable(&ana, at(START + millis)).unwrap());
    assert_eq!((waiting(0), numbers(engine.receipts(&ana).unwrap())), (vec![1, 2, 3, 4], vec![4, 5]));
    let claim = |receipt: &Receipt| engine.submit(&Command::claim(ana.clone(), receipt, at(START)));
    let claimed = applied(claim(&effect.claimable()[0]));
    assert_eq!((claimed.receipts()[0].number, claimed.receipts()[0].state), (1, ReceiptState::Claimed));
    assert_eq!(claim(&effect.claimable()[0]).code(), "replayed", "the same command");
    let later = Command::claim(ana.clone(), &effect.claimable()[0], at(START + 1));
    assert_eq!(engine.submit(&later).code(), "receipt_unknown", "those of its age are gone, and so is it");
    let id = EventId::new("r1").unwrap();
    let revoke = Command::revoke(id, ana.clone(), at(START), &effect.claimable()[1], "not honest").unwrap();
    assert!(applied(engine.submit(&revoke)).receipts()[0].items.is_empty(), "nobody had claimed it");
    assert_eq!((waiting(59_999), waiting(60_000)), (vec![3, 4], vec![]));
    // Once their time is over, they go with the next command.
    engine.advance(at(START + 60_000)).unwrap();
    applied(engine.submit(&progression("e2", "ana", START, 0)));
    let export = engine.export_player(&ana).unwrap();
    assert_eq!((numbers(export.receipts), export.record.unwrap().rare().claimable.clone()), (vec![6, 7], vec![]));
    assert_eq!(claim(&effect.claimable()[2]).code(), "receipt_unknown");
}

#[test]
fn the_oldest_of_too_many_that_wait_is_given() {
    let engine = engine(&format!(
        r#""progress": {{ {CURVE} }}, "retention": {{ "receiptsPerPlayer": 1 }},
        "rewards": {{ "r": {{ "on": {{ "event": "progression" }}, "grant": {GOLD}, "claimWithinSeconds": 60 }} }}"#
    ));
    let events: Vec<_> = (0..300).map(|n| progression(&format!("e{n}"), "ana", START, 0)).collect();
    let effects: Vec<_> = engine.submit_batch(&events).into_iter().map(applied).collect();
    let given: Vec<_> = effects.iter().flat_map(Effect::receipts).collect();
    assert_eq!(given.iter().map(|receipt| receipt.number).collect::<Vec<_>>(), (1..=44).collect::<Vec<_>>());
    for receipt in &given {
        assert_eq!((receipt.state, receipt.settled_at), (ReceiptState::Claimed, Some(at(START))));
        assert_eq!(receipt.items.len(), 1, "what whoever delivers has to know");
    }
    assert_eq!(effects[256].receipts()[0].number, 1, "with the first for which there is no room");
    let waiting = engine.claimable(&player("ana"), at(START)).unwrap();
    assert_eq!((waiting.len(), waiting[0].number, waiting[255].number), (256, 45, 300));
    assert_eq!(engine.store().size().receipts, 256);
    assert!(matches!(engine.submit(&events[299]), Outcome::Replayed(effect) if effect == effects[299]));
    assert_eq!(engine.submit(&Command::claim(player("ana"), given[0], at(START))).code(), "receipt_unknown");
    assert_eq!(engine.submit(&Command::claim(player("ana"), &waiting[0], at(START))).code(), "applied");
    assert_eq!(engine.store().size().receipts, 255);
}

/// Also if they come with one event, which then gives at once what it would let wait; and whose time is over is not given.
#[test]
fn rewards_never_refuse_an_event() {
    let rewards = format!(
        r#""progress": {{ "curve": {{ "kind": "linear", "base": 1, "step": 0, "maxLevel": 1000 }} }},
        "rewards": {{ "r": {{ "on": {{ "everyLevels": 1 }}, "grant": {GOLD}, "claimWithinSeconds": 60 }} }}"#
    );
    let engine = engine(&rewards);
    let effect = applied(engine.submit(&progression("e1", "ana", START, 999)));
    assert_eq!((effect.receipts().len(), effect.claimable().len()), (999 - 256, 256));
    assert!(effect.receipts().iter().all(|receipt| receipt.state == ReceiptState::Claimed));
    let receipts = engine.receipts(&player("ana")).unwrap();
    let claimed = receipts.iter().filter(|receipt| receipt.state == ReceiptState::Claimed).count();
    assert_eq!(claimed, 999 - 256, "each is stored as it was told");
    let record = engine.record(&player("ana")).unwrap().unwrap();
    liveops_core::reward::verify_chain(&receipts, record.chain_head).unwrap();

    // As far as the horizon knows, all of them wait.
    let engine = self::engine(&rewards);
    applied(engine.submit(&progression("e1", "ana", START, 256)));
    let later = applied(engine.submit(&progression("e2", "ana", START + 60_000, 1)));
    assert_eq!((later.receipts().len(), later.claimable().len()), (0, 1));
}

#[test]
fn time_to_claim_begins_with_the_decision() {
    let floor =
        r#""detectors": { "f": { "kind": "timeFloor", "boss": "hydra", "minimumMs": 1000, "action": "hold" } }"#;
    let engine = engine(&format!(
        r#""progress": {{ {CURVE} }}, {floor}, "rewards": {{
            "crate": {{ "on": {{ "everyLevels": 1 }}, "grant": {GOLD}, "claimWithinSeconds": 3600 }},
            "kill": {{ "on": {{ "boss": "hydra" }}, "grant": {GOLD}, "claimWithinSeconds": 3600 }} }}"#
    ));
    let two_hours_late = received(progression("e1", "ana", START, 150), START + 2 * 3_600_000);
    let waiting = applied(engine.submit(&two_hours_late)).into_more().claimable.remove(0);
    assert_eq!(waiting.claim_until, Some(at(START + 3 * 3_600_000)));
    let held = applied(engine.submit(&common::kill("e2", "ana", START, "hydra", 5))).held().unwrap();
    let days_later = at(START + 3 * DAY);
    engine.advance(days_later).unwrap();
    let review = Command::review(EventId::new("v").unwrap(), player("ana"), days_later, held, Ruling::Release);
    let waiting = applied(engine.submit(&review)).into_more().claimable.remove(0);
    assert_eq!(waiting.claim_until, Some(days_later.plus_millis(3_600_000)));
}

/// Curves of which one is a hundred times the other: whoever takes a total of one for one of the other gives away everything.
#[test]
fn a_total_is_never_taken_for_one_on_another_curve() {
    let curve = |base: u32| format!(r#"{{ "kind": "linear", "base": {base}, "step": 0, "maxLevel": 100 }}"#);
    let leave = |base: u32| {
        format!(r#"{{ "from": {}, "policy": "keepLevelAndFraction", "levelRewards": "skip" }}"#, curve(base))
    };
    let rules = |base: u32, left: &[u32]| {
        let left: Vec<_> = left.iter().map(|base| leave(*base)).collect();
        rules(&format!(
            r#""progress": {{ "curve": {}, "migrations": [ {} ] }},
            "rewards": {{ "gold": {{ "on": {{ "everyLevels": 1 }}, "grant": {GOLD} }} }}"#,
            curve(base),
            left.join(", ")
        ))
    };
    let play = |engine: &Engine<&MemoryStore>, name: &str, id: &str, xp: i64| {
        let outcome = engine.submit(&progression(id, name, START, xp));
        outcome
            .into_effect()
            .map(|effect| (effect.level, effect.receipts().len()))
            .map_err(|error| error.code().as_str())
    };

    // A process that still has the old rules meets a player whom another one has brought over; and so does whoever rolls back.
    let store = MemoryStore::new();
    let (old, new) = (Engine::new(rules(10, &[]), &store), Engine::new(rules(1_000, &[10]), &store));
    assert_eq!(play(&old, "ana", "e1", 45), Ok((5, 4)));
    assert_eq!(play(&new, "ana", "e2", 10), Ok((5, 0)));
    let before = store.digest();
    assert_eq!(play(&old, "ana", "e3", 10), Err("curve_unknown"));
    let adjust = Command::adjust(EventId::new("a").unwrap(), player("ana"), at(START), 5, "x").unwrap();
    assert_eq!(old.submit(&adjust).code(), "curve_unknown");
    let migrate = Command::migrate(player("ana"), old.rules().progression().levels.hash(), 2, at(START));
    assert_eq!(old.submit(&migrate).code(), "curve_unknown");
    assert_eq!(store.digest(), before);
    let told = new.plan_migration(&rules(10, &[])).unwrap();
    assert_eq!((told.unknown, told.levels.players), (1, 0), "and who plans it is told");
    assert_eq!(play(&new, "ana", "e3", 10), Ok((5, 0)), "the same event, later");

    // A list that was cut short, with a player on what was cut off.
    let store = MemoryStore::new();
    assert_eq!(play(&Engine::new(rules(1_000, &[]), &store), "bo", "e1", 1_500), Ok((2, 1)));
    let engine = Engine::new(rules(10, &[100]), &store);
    assert_eq!(play(&engine, "bo", "e2", 1), Err("curve_unknown"));
    assert_eq!(play(&Engine::new(rules(10, &[1_000, 100]), &store), "bo", "e2", 1), Ok((2, 0)));

    // A list of everything that there ever was, with a player who came in between.
    let store = MemoryStore::new();
    assert_eq!(play(&Engine::new(rules(10, &[]), &store), "cy", "e1", 25), Ok((3, 2)));
    assert_eq!(play(&Engine::new(rules(1_000, &[]), &store), "di", "e1", 900), Ok((1, 0)));
    let engine = Engine::new(rules(100, &[10, 1_000]), &store);
    assert_eq!((play(&engine, "di", "e2", 1), play(&engine, "cy", "e2", 1)), (Ok((1, 0)), Ok((3, 0))));

    // Nobody said anything: totals stay, and planner and commands say the same.
    let store = MemoryStore::new();
    assert_eq!(play(&Engine::new(rules(1_000, &[]), &store), "ed", "e1", 900), Ok((1, 0)));
    let engine = Engine::new(rules(1_000, &[]), &store);
    let minted = engine.plan_migration(&rules(100, &[])).unwrap().rewards[0].receipts;
    engine.replace_rules(rules(100, &[])).unwrap();
    let commands = engine.migrations(at(START)).unwrap();
    let effect = applied(engine.submit(&commands[0]));
    assert_eq!((minted, effect.receipts().len(), effect.level), (9, 9, 10));
    assert!(engine.migrations(at(START)).unwrap().is_empty());
}

/// A curve that comes into force again is led to again, also within one millisecond.
#[test]
fn curves_that_change_back_and_forth_bring_players_along() {
    let curve = |base: u64| format!(r#"{{ "kind": "linear", "base": {base}, "step": 0, "maxLevel": 20 }}"#);
    let rules = |base: u64, left: &[u64]| {
        let left = left
            .iter()
            .map(|base| format!(r#"{{ "from": {}, "policy": "keepTotalXp", "levelRewards": "grant" }}"#, curve(*base)));
        rules(&format!(
            r#""progress": {{ "curve": {}, "migrations": [ {} ] }}"#,
            curve(base),
            left.collect::<Vec<_>>().join(", ")
        ))
    };
    let engine = Engine::new(rules(10, &[]), MemoryStore::new());
    applied(engine.submit(&progression("e1", "ana", START, 45)));
    for (base, left, level) in
        [(100, &[10][..], 1), (10, &[10, 100], 5), (100, &[10, 100, 10], 1), (10, &[10, 100, 10, 100], 5)]
    {
        engine.replace_rules(rules(base, left)).unwrap();
        let [command] = &engine.migrations(at(START)).unwrap()[..] else { panic!("one player is on another curve") };
        assert_eq!(applied(engine.submit(command)).level, level);
        assert_eq!(engine.submit(command).code(), "replayed");
        assert!(engine.migrations(at(START)).unwrap().is_empty());
    }
}

#[test]
fn a_migration_makes_nobody() {
    let engine = engine(&format!(r#""progress": {{ {CURVE} }}"#));
    let curve = engine.rules().progression().levels.hash();
    let migrate = |millis| engine.submit(&Command::migrate(player("ana"), curve, 0, at(START + millis)));
    assert_eq!(migrate(0).code(), "replayed");
    assert_eq!(engine.player(&player("ana")).unwrap(), None);
    applied(engine.submit(&progression("e1", "ana", START, 10)));
    applied(engine.submit(&Command::erase(EventId::new("x").unwrap(), player("ana"), at(START + 1))));
    engine.replace_rules(rules(r#""progress": { "curve": { "kind": "table", "costs": [5] } }"#)).unwrap();
    let curve = engine.rules().progression().levels.hash();
    let again = engine.submit(&Command::migrate(player("ana"), curve, 2, at(START + 2)));
    assert_eq!((again.code(), engine.player(&player("ana")).unwrap()), ("replayed", None));
}

const CHEST: &str = r#""loot": { "chest": { "pity": { "entry": "a", "guaranteedAt": 6 }, "entries": {
    "a": { "weight": 3, "grant": { "kind": "item", "id": "a", "amount": 1 } },
    "b": { "weight": 7, "grant": { "kind": "item", "id": "b", "amount": 2 } } } } },
    "rewards": { "drop": { "on": { "event": "progression" }, "loot": "chest" } }"#;

#[test]
fn what_an_engine_rolled_can_be_checked_once_the_seed_is_out() {
    let seed = [42; 32];
    let engine = Engine::new(rules(CHEST).with_loot_seed(seed), MemoryStore::new());
    let commitment = engine.rules().loot_commitment().unwrap();
    let events: Vec<_> = (0..40).map(|n| progression(&format!("e{n}"), "ana", START + n, 1)).collect();
    engine.submit_batch(&events);
    // New rules know nothing of the secret; the engine does.
    engine.replace_rules(rules(CHEST)).unwrap();
    assert_eq!(engine.rules().loot_commitment(), Some(commitment));
    applied(engine.submit(&progression("last", "ana", START, 1)));
    assert_eq!(rules(CHEST).loot_commitment(), None, "rolls that anyone can foretell");

    let receipts = engine.receipts(&player("ana")).unwrap();
    let rules = engine.rules();
    let table = rules.loot().values().next().unwrap();
    assert_eq!(receipts.len(), 41);
    assert!(receipts.iter().all(|receipt| table.verify_receipt(&seed, commitment, &player("ana"), receipt)));
    let nonces: Vec<_> = receipts.iter().map(|receipt| receipt.roll.as_ref().unwrap().nonce).collect();
    assert!(nonces.iter().zip(nonces.iter().skip(1)).all(|(a, b)| a + 1 == *b), "none is left out");
    let check =
        |seed: &[u8; 32], name: &str, receipt: &Receipt| table.verify_receipt(seed, commitment, &player(name), receipt);
    assert!(!check(&[41; 32], "ana", &receipts[0]));
    assert!(receipts.iter().any(|receipt| !check(&seed, "bo", receipt)), "of another player");
    let mut forged = receipts[0].clone();
    forged.items[0] = forged.items[0].times(5).unwrap();
    assert!(!check(&seed, "ana", &forged));
    forged.roll = None;
    assert!(!check(&seed, "ana", &forged));
}

/// Chances are such that nobody rolls anything but `c`.
fn pity_for(entry: Option<&str>, guaranteed_at: u32) -> Rules {
    let pity = entry.map(|entry| format!(r#""pity": {{ "entry": "{entry}", "guaranteedAt": {guaranteed_at} }}, "#));
    rules(&format!(
        r#""loot": {{ "chest": {{ {} "entries": {{ "a": {{ "weight": 1 }}, "b": {{ "weight": 1 }},
            "c": {{ "weight": 1000000000000 }} }} }} }},
        "rewards": {{ "drop": {{ "on": {{ "event": "progression" }}, "loot": "chest" }} }}"#,
        pity.unwrap_or_default()
    ))
}

#[test]
fn misses_are_of_an_entry() {
    let engine = Engine::new(pity_for(Some("a"), 50), MemoryStore::new());
    let mut count = 0;
    let mut roll = |engine: &Engine<MemoryStore>| {
        count += 1;
        let effect = applied(engine.submit(&progression(&format!("e{count}"), "ana", START, 1)));
        let roll = effect.receipts()[0].roll.clone().unwrap();
        (roll.entry.to_string(), roll.misses)
    };
    let gave = |entry: &str, misses: u32| (entry.to_owned(), misses);
    for misses in 0..46 {
        assert_eq!(roll(&engine), gave("c", misses));
    }
    engine.replace_rules(pity_for(Some("b"), 10)).unwrap();
    assert_eq!(roll(&engine), gave("c", 0), "46 misses of another entry give nothing");
    engine.replace_rules(pity_for(None, 0)).unwrap();
    assert_eq!(roll(&engine), gave("c", 0));
    let engine = Engine::new(pity_for(Some("a"), 50), MemoryStore::restore(&engine.store().snapshot()).unwrap());
    for misses in 46..49 {
        assert_eq!(roll(&engine), gave("c", misses), "rules changed back cost nobody");
    }
    assert_eq!(roll(&engine), gave("a", 49));
    engine.replace_rules(pity_for(Some("b"), 3)).unwrap();
    assert_eq!([roll(&engine), roll(&engine), roll(&engine)], [gave("c", 1), gave("b", 2), gave("c", 0)]);

    // What comes without pity is no miss, whichever rules are in force.
    engine.replace_rules(pity_for(Some("c"), 10)).unwrap();
    roll(&engine);
    let record = engine.record(&player("ana")).unwrap().unwrap();
    let kept: Vec<_> = record.rare().misses.iter().map(|misses| (misses.entry.as_str(), misses.count)).collect();
    assert_eq!(kept, [("b", 1)]);
}

/// A record of before version 4 does not say which entry its misses are of: they are the first's that pity is for.
#[test]
fn misses_of_before_go_on() {
    let old = Engine::new(pity_for(Some("a"), 50), MemoryStore::new());
    let events: Vec<_> = (0..46).map(|n| progression(&format!("e{n}"), "ana", START, 1)).collect();
    old.submit_batch(&events);
    let mut record = old.record(&player("ana")).unwrap().unwrap();
    let [misses] = &std::mem::take(&mut record.rare_mut().misses)[..] else { panic!("of one entry") };
    record.rare_mut().rolls[0].1.misses = misses.count;
    let store = MemoryStore::new();
    let changes = common::left("ana", record, Vec::new());
    assert!(matches!(store.commit(vec![changes])[..], [CommitOutcome::Applied]));
    let engine = Engine::new(pity_for(None, 0), store);
    let roll = |id: &str| {
        applied(engine.submit(&progression(id, "ana", START, 1))).into_more().receipts.remove(0).roll.unwrap().misses
    };
    assert_eq!(roll("f1"), 0);
    engine.replace_rules(pity_for(Some("a"), 50)).unwrap();
    assert_eq!((roll("f2"), roll("f3")), (46, 47));
    engine.replace_rules(pity_for(Some("b"), 50)).unwrap();
    assert_eq!(roll("f4"), 0);
}

#[test]
fn whoever_comes_back_does_not_know_what_will_be_rolled() {
    let engine = engine(CHEST);
    let rolls = |life: i64| {
        let events: Vec<_> =
            (0..60).map(|n| progression(&format!("{life}-{n}"), "ana", START + life * DAY, 1)).collect();
        engine.submit_batch(&events);
        let receipts = engine.receipts(&player("ana")).unwrap();
        receipts.iter().map(|receipt| receipt.items[0].id().to_string()).collect::<String>()
    };
    let first = rolls(0);
    applied(engine.submit(&Command::erase(EventId::new("x").unwrap(), player("ana"), at(START + DAY / 2))));
    let second = rolls(1);
    assert_eq!((first.len(), second.len()), (60, 60));
    assert_ne!(first, second);
}

#[test]
fn only_a_claw_back_takes() {
    let engine = engine(r#""boards": { "xp": { "value": "grantedXp", "keepPeriods": { "daily": 2 } } }"#);
    applied(engine.submit(&progression("e1", "ana", START, 10)));
    engine.advance(at(START + 2 * DAY)).unwrap();
    let period = engine.rules().calendar().period(Window::Daily, at(START)).unwrap();
    let board = BoardKey { board: BoardId::new("xp").unwrap(), period };
    let taking = Item::new(common::id("currency"), common::id("gold"), 5).unwrap().negated();
    let payment = Payment { board, tier: common::id("gold"), rank: 1, items: vec![taking] };
    let before = engine.digest();
    let pay = Command::payout("g", player("ana"), at(START + DAY), at(START + 2 * DAY), payment);
    assert_eq!(engine.submit(&pay).code(), "out_of_range");
    assert_eq!(engine.digest(), before);
}

#[test]
fn what_is_too_much_at_once_is_given_in_turns() {
    let engine = engine(
        r#""progress": { "curve": { "kind": "table", "costs": [1] }, "atMaxLevel": { "convert": { "reward": "p", "every": 1,
            "grant": { "kind": "currency", "id": "gold", "amount": 4503599627370496 } } } }"#,
    );
    let play = |id: &str, xp| {
        let receipts = applied(engine.submit(&progression(id, "ana", START, xp))).into_more().receipts;
        receipts.iter().map(|receipt| receipt.items[0].amount()).collect::<Vec<_>>()
    };
    assert_eq!((play("e1", 1), play("e2", 3), play("e3", 0)), (vec![], vec![1 << 52], vec![]));
    assert_eq!(play("e4", 1), [1 << 52]);
    let overflow = engine.player(&player("ana")).unwrap().unwrap().overflow;
    assert_eq!((overflow.units, overflow.rest), (2, 2));
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
