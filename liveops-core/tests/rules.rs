//! What is read of a rules document, what is refused and where, and what may change while a game runs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{START, progression as xp, rules};
use liveops_core::board::{Cut, Percent};
use liveops_core::record::BoardKey;
use liveops_core::{BoardId, Code, Engine, MemoryStore, Outcome, Period, Rules, Timestamp, Window};

fn engine() -> Engine<MemoryStore> {
    Engine::new(rules(), MemoryStore::new())
}

#[track_caller]
fn applied(outcome: &Outcome) -> &liveops_core::Effect {
    if let Outcome::Applied(effect) = outcome { effect } else { panic!("{outcome:?}") }
}

/// What is wrong, at which path, and which kind of fault it is.
type Bad = (&'static str, &'static str, &'static str);

/// Whole documents.
const DOCUMENTS: &[Bad] = &[
    ("", "", "syntax"),
    ("[]", "", "wrong_type"),
    ("{}", "/version", "missing"),
    (r#"{ "version": 2, "game": "g" }"#, "/version", "out_of_range"),
    (r#"{ "version": 1 }"#, "/game", "missing"),
    (r#"{ "version": 1, "game": "" }"#, "/game", "id_invalid"),
    (r#"{ "version": 1, "game": "g", "game": "h" }"#, "/game", "duplicate_key"),
    (r#"{ "version": 1, "game": "g", "$schema": { "a": 1 } }"#, "/$schema", "wrong_type"),
];

/// Members of a document that is sound otherwise.
const MEMBERS: &[Bad] = &[
    (r#""bords": {}"#, "/bords", "unknown_field"),
    (r#""limits": { "maxPastSeconds": -1 }"#, "/limits/maxPastSeconds", "out_of_range"),
    (r#""limits": { "maxPastSeconds": 1.5 }"#, "/limits/maxPastSeconds", "not_integer"),
    (r#""events": "all""#, "/events", "invalid_format"),
    (r#""events": { "x": { "fields": { "f": {} } } }"#, "/events/x/fields/f/type", "missing"),
    (r#""events": { "x": { "fields": { "f": { "type": "float" } } } }"#, "/events/x/fields/f/type", "invalid_format"),
    (r#""events": { "x": { "fields": { "f": { "type": "enum" } } } }"#, "/events/x/fields/f", "missing"),
    (r#""progress": {}"#, "/progress/curve", "missing"),
    (
        r#""progress": { "curve": { "kind": "linear", "base": 1, "step": 0, "maxLevel": 9 },
                "xp": [ { "on": "boss", "amount": 1 } ] }"#,
        "/progress/xp/0/on",
        "unknown_type",
    ),
    (
        r#""progress": { "curve": { "kind": "linear", "base": 1, "step": 0, "maxLevel": 9 },
                "xp": [ { "on": "boss_kill", "amount": { "field": "bossId" } } ] }"#,
        "/progress/xp/0/amount/field",
        "not_integer",
    ),
    (
        r#""progress": { "curve": { "kind": "linear", "base": 1, "step": 0, "maxLevel": 9 }, "boosts": [
                { "id": "b", "from": "2026-11-07T00:00:00Z", "until": "2026-11-07T00:00:00Z", "factor": "2" } ] }"#,
        "/progress/boosts/0/until",
        "out_of_range",
    ),
    (
        r#""progress": { "curve": { "kind": "linear", "base": 1, "step": 0, "maxLevel": 9 }, "boosts": [
                { "id": "b", "from": "2026-11-07 00:00:00", "until": "2026-11-08T00:00:00Z", "factor": "2" } ] }"#,
        "/progress/boosts/0/from",
        "invalid_format",
    ),
    (r#""rewards": { "r": { "on": {}, "grant": [] } }"#, "/rewards/r/on", "missing"),
    (r#""rewards": { "r": { "on": { "level": 1 }, "grant": [] } }"#, "/rewards/r/on/level", "out_of_range"),
    (r#""rewards": { "r": { "on": { "level": 2 } } }"#, "/rewards/r", "missing"),
    (r#""rewards": { "r": { "on": { "level": 2 }, "loot": "none" } }"#, "/rewards/r/loot", "missing"),
    (r#""loot": { "a/b": { "entries": {} } }"#, "/loot/a~1b", "too_short"),
    (r#""calendar": { "utcOffsetMinutes": 841 }"#, "/calendar/utcOffsetMinutes", "out_of_range"),
    (r#""calendar": { "weekStart": "Monday" }"#, "/calendar/weekStart", "invalid_format"),
    (r#""calendar": { "resetMinute": 1440 }"#, "/calendar/resetMinute", "out_of_range"),
    (r#""calendar": { "graceSeconds": 2592001 }"#, "/calendar/graceSeconds", "out_of_range"),
    (r#""calendar": { "utcOffsetChanges": [] }"#, "/calendar/utcOffsetMinutes", "missing"),
    (
        r#""calendar": { "utcOffsetMinutes": 60, "utcOffsetChanges": [ { "from": "2026-03-29T01:00:00Z" } ] }"#,
        "/calendar/utcOffsetChanges/0/minutes",
        "missing",
    ),
    (
        r#""calendar": { "utcOffsetMinutes": 60, "utcOffsetChanges": [
                { "from": "2026-03-29T01:00:00Z", "minutes": 841 } ] }"#,
        "/calendar/utcOffsetChanges/0/minutes",
        "out_of_range",
    ),
    (
        r#""calendar": { "utcOffsetMinutes": 60, "utcOffsetChanges": [
                { "from": "2026-10-25T01:00:00Z", "minutes": 60 }, { "from": "2026-03-29T01:00:00Z", "minutes": 120 } ] }"#,
        "/calendar/utcOffsetChanges/1/from",
        "out_of_range",
    ),
    (
        r#""calendar": { "utcOffsetMinutes": -600, "utcOffsetChanges": [
                { "from": "2011-12-30T10:00:00Z", "minutes": 840 } ] }"#,
        "/calendar/utcOffsetChanges",
        "invalid_argument",
    ),
    (r#""calendar": { "seasons": {} }"#, "/calendar/seasons/every", "missing"),
    (
        r#""calendar": { "seasons": { "table": [
                { "label": "a", "from": "2026-01-01T00:00:00Z", "until": "2026-03-01T00:00:00Z" },
                { "label": "b", "from": "2026-02-28T23:59:59Z", "until": "2026-06-01T00:00:00Z" } ] } }"#,
        "/calendar/seasons/table/1/from",
        "out_of_range",
    ),
    (
        r#""calendar": { "seasons": { "table": [
                { "label": "a", "from": "2026-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z" } ] } }"#,
        "/calendar/seasons/table/0/until",
        "out_of_range",
    ),
    (
        r#""calendar": { "seasons": { "table": [
                { "label": "a", "from": "2026-01-01T00:00:00Z", "until": "2026-03-01T00:00:00Z" },
                { "label": "a", "from": "2026-03-01T00:00:00Z", "until": "2026-06-01T00:00:00Z" } ] } }"#,
        "/calendar/seasons/table/1/label",
        "invalid_argument",
    ),
    (r#""detectors": { "d": { "kind": "robust", "threshold": 6 } }"#, "/detectors/d/threshold", "wrong_type"),
    (r#""detectors": { "d": { "kind": "robust", "threshold": "0" } }"#, "/detectors/d/threshold", "invalid_format"),
    (r#""detectors": { "d": { "kind": "timeFloor", "boss": "x" } }"#, "/detectors/d/minimumMs", "missing"),
    (r#""detectors": { "d": { "kind": "robust", "action": "ban" } }"#, "/detectors/d/action", "invalid_format"),
    (r#""retention": { "receiptsPerPlayer": 0 }"#, "/retention/receiptsPerPlayer", "out_of_range"),
    (
        r#""door": { "quotas": [ { "per": "planet", "limit": 1, "periodSeconds": 1 } ] }"#,
        "/door/quotas/0/per",
        "invalid_format",
    ),
    (
        r#""door": { "quotas": [ { "id": "a b", "per": "ip", "limit": 1, "periodSeconds": 1 } ] }"#,
        "/door/quotas/0/id",
        "id_invalid",
    ),
    (
        r#""door": { "quotas": [ { "id": "a", "per": "ip", "limit": 1, "periodSeconds": 1 },
            { "id": "a", "per": "player", "limit": 1, "periodSeconds": 1 },
            { "id": "a", "per": "ip", "limit": 2, "periodSeconds": 9 } ] }"#,
        "/door/quotas/2/id",
        "invalid_argument",
    ),
];

/// Boards named `b`.
const BOARDS: &[Bad] = &[
    (r#"{ "value": "grantedXp" }"#, "/boards/b/keepPeriods", "missing"),
    (r#"{ "value": "grantedXp", "keepPeriods": {} }"#, "/boards/b/keepPeriods", "too_short"),
    (r#"{ "value": "grantedXp", "keepPeriods": { "hourly": 1 } }"#, "/boards/b/keepPeriods/hourly", "unknown_window"),
    (r#"{ "value": "xp", "keepPeriods": { "daily": 1 } }"#, "/boards/b/value", "invalid_format"),
    (r#"{ "value": 1.5, "keepPeriods": { "daily": 1 } }"#, "/boards/b/value", "not_integer"),
    (
        r#"{ "value": 1, "where": { "zone": null }, "keepPeriods": { "daily": 1 } }"#,
        "/boards/b/where/zone",
        "wrong_type",
    ),
    (
        r#"{ "value": 1, "where": { "zoned": "a" }, "keepPeriods": { "daily": 1 } }"#,
        "/boards/b/where/zoned",
        "unknown_field",
    ),
    (r#"{ "value": 1, "operator": "max", "keepPeriods": { "daily": 1 } }"#, "/boards/b/operator", "invalid_format"),
];

/// Payouts of a board `b`.
const PAYOUTS: &[Bad] = &[
    (r"[]", "/boards/b/payouts", "wrong_type"),
    (r#"{ "hourly": [] }"#, "/boards/b/payouts/hourly", "unknown_window"),
    (r#"{ "weekly": [] }"#, "/boards/b/payouts/weekly", "unknown_window"),
    (r#"{ "allTime": [] }"#, "/boards/b/payouts/allTime", "unknown_window"),
    (r#"{ "monthly": [] }"#, "/boards/b/payouts/monthly", "out_of_range"),
    (r#"{ "daily": {} }"#, "/boards/b/payouts/daily", "wrong_type"),
    (r#"{ "daily": [] }"#, "/boards/b/payouts/daily", "too_short"),
    (r#"{ "daily": [ 1 ] }"#, "/boards/b/payouts/daily/0", "wrong_type"),
    (r#"{ "daily": [ { "ranks": [1, 1], "grant": [] } ] }"#, "/boards/b/payouts/daily/0/tier", "missing"),
    (
        r#"{ "daily": [ { "tier": "a b", "ranks": [1, 1], "grant": [] } ] }"#,
        "/boards/b/payouts/daily/0/tier",
        "id_invalid",
    ),
    (r#"{ "daily": [ { "tier": "a", "grant": [] } ] }"#, "/boards/b/payouts/daily/0", "missing"),
    (
        r#"{ "daily": [ { "tier": "a", "ranks": [1, 1], "percent": "1", "grant": [] } ] }"#,
        "/boards/b/payouts/daily/0",
        "missing",
    ),
    (r#"{ "daily": [ { "tier": "a", "ranks": [1, 1] } ] }"#, "/boards/b/payouts/daily/0/grant", "missing"),
    (
        r#"{ "daily": [ { "tier": "a", "ranks": [1, 1], "grant": { "kind": "item", "id": "x", "amount": 0 } } ] }"#,
        "/boards/b/payouts/daily/0/grant/amount",
        "out_of_range",
    ),
    (r#"{ "daily": [ { "tier": "a", "ranks": [1], "grant": [] } ] }"#, "/boards/b/payouts/daily/0/ranks", "wrong_type"),
    (r#"{ "daily": [ { "tier": "a", "ranks": 1, "grant": [] } ] }"#, "/boards/b/payouts/daily/0/ranks", "wrong_type"),
    (
        r#"{ "daily": [ { "tier": "a", "ranks": [0, 1], "grant": [] } ] }"#,
        "/boards/b/payouts/daily/0/ranks/0",
        "out_of_range",
    ),
    (
        r#"{ "daily": [ { "tier": "a", "ranks": [3, 2], "grant": [] } ] }"#,
        "/boards/b/payouts/daily/0/ranks/1",
        "out_of_range",
    ),
    (
        r#"{ "daily": [ { "tier": "a", "ranks": [1, 1.5], "grant": [] } ] }"#,
        "/boards/b/payouts/daily/0/ranks/1",
        "not_integer",
    ),
    (
        r#"{ "daily": [ { "tier": "a", "percent": 10, "grant": [] } ] }"#,
        "/boards/b/payouts/daily/0/percent",
        "wrong_type",
    ),
    (
        r#"{ "daily": [ { "tier": "a", "percent": "0", "grant": [] } ] }"#,
        "/boards/b/payouts/daily/0/percent",
        "out_of_range",
    ),
    (
        r#"{ "daily": [ { "tier": "a", "percent": "1.005", "grant": [] } ] }"#,
        "/boards/b/payouts/daily/0/percent",
        "invalid_format",
    ),
    (
        r#"{ "daily": [ { "tier": "a", "ranks": [1, 1], "grant": [], "loot": "x" } ] }"#,
        "/boards/b/payouts/daily/0/loot",
        "unknown_field",
    ),
    (
        r#"{ "daily": [ { "tier": "a", "ranks": [1, 1], "grant": [] }, { "tier": "a", "ranks": [2, 2], "grant": [] } ] }"#,
        "/boards/b/payouts/daily/1",
        "invalid_argument",
    ),
    (
        r#"{ "daily": [ { "tier": "a", "ranks": [1, 3], "grant": [] }, { "tier": "b", "ranks": [2, 3], "grant": [] } ] }"#,
        "/boards/b/payouts/daily/1",
        "invalid_argument",
    ),
];

#[test]
fn bad_rules_say_where() {
    let with = |member: &str| format!(r#"{{ "version": 1, "game": "g", {member} }}"#);
    let documents = DOCUMENTS.iter().map(|(document, ..)| (*document).to_owned());
    let members = MEMBERS.iter().map(|(member, ..)| with(member));
    let boards = BOARDS.iter().map(|(board, ..)| with(&format!(r#""boards": {{ "b": {board} }}"#)));
    let payouts = PAYOUTS.iter().map(|(payouts, ..)| {
        let keep = r#""value": 1, "keepPeriods": { "daily": 2, "monthly": 0, "allTime": 0 }"#;
        with(&format!(r#""boards": {{ "b": {{ {keep}, "payouts": {payouts} }} }}"#))
    });
    let wanted = [DOCUMENTS, MEMBERS, BOARDS, PAYOUTS].concat();
    for (document, (_, path, issue)) in documents.chain(members).chain(boards).chain(payouts).zip(wanted) {
        let error = Rules::from_json(&document).expect_err(&document);
        let found = (error.code(), error.path.as_str(), error.issue.as_str());
        assert_eq!(found, (Code::RulesInvalid, path, issue), "{document}: {error}");
        assert!(!error.message.is_empty());
    }
}

#[test]
fn rules_are_replaced_unless_a_live_board_would_mean_something_else() {
    let engine = engine();
    applied(&engine.submit(&xp("e", "ann", START, 150)));
    let same = engine.replace_rules(rules()).unwrap();
    assert!(same.is_empty());
    let replace = |from: &str, to: &str| {
        assert!(common::RULES.contains(from), "{from}");
        engine.replace_rules(Rules::from_json(&common::RULES.replace(from, to)).unwrap())
    };
    let before = engine.rules().hash();
    for (from, to) in [
        (r#""operator": "best""#, r#""operator": "set""#),
        (r#""order": "asc""#, r#""order": "desc""#),
        (r#""calendar": {"#, r#""calendar": { "utcOffsetMinutes": 60,"#),
        (r#""calendar": {"#, r#""calendar": { "weekStart": "sunday","#),
    ] {
        assert_eq!(replace(from, to).unwrap_err().code(), Code::BoardIncompatible, "{to}");
    }
    let other = replace(r#""game": "emberfall""#, r#""game": "other""#);
    assert_eq!(other.unwrap_err().code(), Code::StoreMisconfigured);
    assert_eq!(engine.rules().hash(), before, "what was refused is not in force");
    let diff = replace(r#""amount": 10 "#, r#""amount": 20 "#).unwrap();
    assert_eq!((diff.changed, diff.added.len()), (vec!["/rewards/level-gold/grant/amount".to_owned()], 0));
    let receipts = engine.submit(&xp("f", "ann", START, 100)).into_effect().unwrap().into_more().receipts;
    assert_eq!(receipts[0].items[0].amount(), 20);
    assert_ne!(receipts[0].rules, before, "a receipt says under which rules");
}

/// A table of seasons and one of offsets, each given up to a line of its own.
fn with_tables(seasons: &str, changes: &str) -> Rules {
    let calendar = format!(
        r#""calendar": {{ "utcOffsetMinutes": 60, "utcOffsetChanges": [ {changes} ],
            "seasons": {{ "table": [ {seasons} ] }} }}, "boards": {{ "xp": {{ "value": 1, "keepPeriods": {{ "seasonal": 1 }} }} }}"#
    );
    Rules::from_json(&format!(r#"{{ "version": 1, "game": "g", {calendar} }}"#)).unwrap()
}

#[test]
fn the_calendar_of_a_live_board_may_only_grow() {
    const ONE: &str = r#"{ "label": "one", "from": "2026-01-01T00:00:00Z", "until": "2026-03-01T00:00:00Z" }"#;
    const TWO: &str = r#"{ "label": "two", "from": "2026-04-01T00:00:00Z", "until": "2026-06-01T00:00:00Z" }"#;
    const TWO_LONGER: &str = r#"{ "label": "two", "from": "2026-04-01T00:00:00Z", "until": "2026-07-01T00:00:00Z" }"#;
    const SPRING: &str = r#"{ "from": "2026-03-29T01:00:00Z", "minutes": 120 }"#;
    const AUTUMN: &str = r#"{ "from": "2026-10-25T01:00:00Z", "minutes": 60 }"#;
    let join = |lines: &[&str]| lines.join(", ");
    let at = |text| Timestamp::from_rfc3339(text).unwrap();
    let engine = Engine::new(with_tables(ONE, SPRING), MemoryStore::new());
    let replace = |seasons: &[&str], changes: &[&str]| {
        engine.replace_rules(with_tables(&join(seasons), &join(changes))).map(|diff| diff.added.len())
    };
    let refused =
        |result: Result<usize, liveops_core::Error>| assert_eq!(result.unwrap_err().code(), Code::BoardIncompatible);
    refused(replace(&[TWO, ONE][..1], &[SPRING]));
    refused(replace(&[ONE], &[]));
    assert_eq!(replace(&[ONE, TWO], &[SPRING]).unwrap(), 3, "a season at the end");
    refused(replace(&[ONE, TWO_LONGER], &[SPRING]));
    refused(replace(&[ONE], &[SPRING]));
    assert_eq!(replace(&[ONE, TWO], &[SPRING, AUTUMN]).unwrap(), 2, "a change at the end");

    // Who says what time it is may change what is still to come, and nothing else.
    let (old, new) = (engine.rules(), with_tables(&join(&[ONE, TWO_LONGER]), &join(&[SPRING, AUTUMN])));
    let changed = old.diff_at(&new, at("2026-03-31T23:54:59Z")).unwrap().changed;
    assert_eq!(changed, ["/calendar/seasons/table/1/until"]);
    for late in ["2026-03-31T23:55:00Z", "2026-05-01T00:00:00Z"] {
        assert_eq!(old.diff_at(&new, at(late)).unwrap_err().code(), Code::BoardIncompatible, "{late}");
    }
    assert_eq!(
        engine.replace_rules_at(new.clone(), at("2026-05-01T00:00:00Z")).unwrap_err().code(),
        Code::BoardIncompatible
    );
    assert_eq!(engine.replace_rules_at(new, at("2026-03-01T00:00:00Z")).unwrap().changed.len(), 1);
    let grown = with_tables(&join(&[ONE, TWO]), &join(&[SPRING]));
    assert!(grown.diff(&old).is_ok(), "nobody says what time it is");
    assert!(grown.diff_at(&old, at("2026-10-25T00:54:59Z")).is_ok());
    assert!(grown.diff_at(&old, at("2026-10-25T00:55:00Z")).is_err(), "the clocks are set already");
}

/// A steeper curve, then the old one again: no level is rewarded twice.
#[test]
fn a_level_is_rewarded_once_whatever_the_curve() {
    let engine = engine();
    engine.submit(&xp("a", "ann", START, 350));
    let steep = common::RULES.replace(r#""base": 100"#, r#""base": 200"#);
    engine.replace_rules(Rules::from_json(&steep).unwrap()).unwrap();
    let lower = engine.submit(&xp("b", "ann", START, 100));
    assert_eq!((applied(&lower).level, applied(&lower).receipts().len()), (3, 0));
    engine.replace_rules(rules()).unwrap();
    let back = engine.submit(&xp("c", "ann", START, 50));
    let (level, receipts) = (applied(&back).level, applied(&back).receipts().len());
    assert_eq!((level, receipts), (6, 2), "levels 5 and 6, after 2 to 4 before");
}

#[test]
fn the_name_of_a_schema_is_no_part_of_the_rules() {
    let rules = |schema: &str| Rules::from_json(&format!(r#"{{ {schema} "version": 1, "game": "g" }}"#)).unwrap();
    let (plain, named) = (rules(""), rules(r#""$schema": "./rules.v1.json","#));
    assert_eq!((plain.hash(), plain.identity()), (named.hash(), named.identity()));
    assert!(plain.diff(&named).unwrap().is_empty());
}

#[test]
fn the_door_is_no_part_of_the_rules_hash_and_order_does_not_matter() {
    let hash = |document: &str| Rules::from_json(document).unwrap().hash();
    let plain = hash(r#"{ "version": 1, "game": "g", "limits": { "maxPastSeconds": 9 } }"#);
    assert_eq!(
        plain,
        hash(r#"{ "limits": { "maxPastSeconds": 9 }, "game": "g", "version": 1, "$schema": "./s.json" }"#)
    );
    let door = r#"{ "version": 1, "game": "g", "limits": { "maxPastSeconds": 9 },
        "door": { "quotas": [ { "per": "ip", "limit": 1, "periodSeconds": 1 } ] } }"#;
    assert_eq!(plain, hash(door));
    assert_ne!(plain, hash(r#"{ "version": 1, "game": "g", "limits": { "maxPastSeconds": 8 } }"#));
}

/// By Python: SHA-256 over `"liveops rules v1" 0` and every path and leaf, as JSON, behind their lengths.
#[test]
fn the_hash_is_over_json_whatever_the_text() {
    let document = r#"{ "version": 1, "game": "g", "events": { "t": { "fields": { "x": { "type": "text" } } } },
        "boards": { "b": { "on": "t", "where": { "x": "\u0300\u200b\u0000\u007f\"\\\n'\u00e9" }, "value": 1,
            "keepPeriods": { "daily": 0 } } } }"#;
    let hash = Rules::from_json(document).unwrap().hash().to_hex();
    assert_eq!(hash, "41447c171b50c60293bd46181d7064a9babc871217a97be3a7707adafa1a3421");
}

#[test]
fn payouts_are_read_are_part_of_the_hash_and_may_change() {
    let engine = engine();
    let before = engine.rules();
    let xp = BoardKey { board: BoardId::new("xp").unwrap(), period: Period { window: Window::Daily, index: 0 } };
    let rule = before.payout_rule(&xp).unwrap();
    let tiers: Vec<_> = rule.tiers.iter().map(|tier| (tier.name.as_str(), tier.cut)).collect();
    let half = Percent::from_hundredths(5_000).unwrap();
    assert_eq!(tiers, [("gold", Cut::Ranks { from: 1, through: 1 }), ("half", Cut::Percent(half))]);
    assert_eq!(rule.grant("half").unwrap()[0].amount(), 5);
    assert_eq!(rule.grant("silver"), None);

    let of = |board: &str, window| {
        let key = BoardKey { board: BoardId::new(board).unwrap(), period: Period { window, index: 0 } };
        before.payout_rule(&key).unwrap_err().code()
    };
    assert_eq!(of("none", Window::Daily), Code::UnknownBoard);
    assert_eq!(of("xp", Window::Weekly), Code::UnknownWindow);
    assert_eq!((of("xp", Window::AllTime), of("fastest", Window::Daily)), (Code::UnknownPayout, Code::UnknownPayout));

    let more = common::RULES.replace(r#""percent": "50""#, r#""percent": "60""#);
    let diff = engine.replace_rules(Rules::from_json(&more).unwrap()).unwrap();
    assert_eq!(diff.changed, ["/boards/xp/payouts/daily/1/percent"]);
    assert_ne!(engine.rules().hash(), before.hash());
}
