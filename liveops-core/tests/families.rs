//! Families of detectors through rules and engine: configured, anchored on a population, acted upon, reviewed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{DAY, START, at, kill, player, progression};
use liveops_core::anomaly::{
    Budget, Calibrator, DropRate, FamilyDetector, PlayerProfile, Population, PopulationBuilder, Reason, Source,
};
use liveops_core::event::{Event, FieldValue};
use liveops_core::{Action, Command, Effect, Engine, EventId, MemoryStore, Outcome, Rules, Ruling, Store};

const FAMILY: &str = r#""cheats": { "kind": "family", "floors": { "hydra": 45000 },
    "drops": { "crown": { "boss": "ogre", "odds": "0.05" } },
    "action": { "timeFloor": "hold", "robust": "flag" } }"#;

fn rules(detectors: &str, more: &str) -> Rules {
    let text = format!(
        r#"{{ "version": 1, "game": "g", "limits": {{ "maxPastSeconds": 2592000 }}, {more}
        "progress": {{ "curve": {{ "kind": "linear", "base": 100000, "step": 0, "maxLevel": 9 }} }},
        "detectors": {{ {detectors} }} }}"#
    );
    Rules::from_json(&text).unwrap_or_else(|error| panic!("{error}"))
}

fn engine(more: &str) -> Engine<MemoryStore> {
    Engine::new(rules(FAMILY, more), MemoryStore::new())
}

fn applied(outcome: Outcome) -> Effect {
    if let Outcome::Applied(effect) = outcome { effect } else { panic!("{outcome:?}") }
}

/// A minute apart, so that nothing is as regular as a program but the minutes; amounts that vary.
fn play<S: Store>(engine: &Engine<S>, name: &str, from: i64, amounts: impl Iterator<Item = i64>) -> Vec<Effect> {
    let effects = amounts.enumerate().map(|(n, amount)| {
        let n = i64::try_from(n).unwrap();
        let ts = START + (from + n) * 61_000 + (n * n * 7_919) % 40_000;
        applied(engine.submit(&progression(&format!("e{}", from + n), name, ts, amount)))
    });
    effects.collect()
}

fn usual(count: i64) -> impl Iterator<Item = i64> {
    (0..count).map(|n| 80 + (n * 37) % 50)
}

#[test]
fn a_burst_is_flagged_once_with_its_reason_and_can_be_settled() {
    let engine = engine("");
    let calm = play(&engine, "ana", 0, usual(60));
    assert!(calm.iter().all(|effect| effect.flagged().is_none() && effect.held().is_none()));
    let burst = play(&engine, "ana", 60, std::iter::repeat_n(40_000, 12));
    let flagged: Vec<_> = burst.iter().filter_map(|effect| effect.flagged().map(|number| (number, effect))).collect();
    assert_eq!(
        flagged.iter().map(|(_, e)| e.verdicts()[0].verdict.reason).collect::<Vec<_>>(),
        [Reason::FarAboveUsual]
    );
    let (number, effect) = &flagged[0];
    assert_eq!((effect.verdicts()[0].detector.as_str(), effect.xp.granted), ("cheats", 40_000), "flagged is granted");
    assert!(effect.verdicts()[0].verdict.sentence().contains("threshold"));
    // Also in a process that comes after this one.
    let engine = Engine::new(rules(FAMILY, ""), MemoryStore::restore(&engine.store().snapshot()).unwrap());
    let settle = |id: &str| {
        let id = EventId::new(id).unwrap();
        engine.submit(&Command::review(id, player("ana"), at(START + DAY), *number, Ruling::Confirm))
    };
    assert_eq!(
        (settle("r1").code(), settle("r1").code(), settle("r2").code()),
        ("applied", "replayed", "suspicion_settled")
    );
}

fn claim(id: &str, name: &str, ts: i64, drop: &str) -> Command {
    let payload = vec![
        ("dropId", FieldValue::Id(common::id(drop))),
        ("itemId", FieldValue::Id(common::id(drop))),
        ("quantity", FieldValue::Int(1)),
    ];
    common::event(id, name, ts, "drop_claimed", payload)
}

#[test]
fn floors_hold_and_drops_are_counted_against_their_odds() {
    let engine = engine("");
    let held = applied(engine.submit(&kill("k1", "ana", START, "hydra", 12_000)));
    assert_eq!((held.verdicts()[0].verdict.reason, held.held().is_some()), (Reason::BelowFloor, true));
    assert_eq!(held.verdicts()[0].verdict.baseline.source, Source::Rule);
    assert!(applied(engine.submit(&kill("k2", "bo", START, "hydra", 46_000))).verdicts().is_empty());
    // A kill tells the chance, the claim tells the drop: every third instead of every twentieth.
    let mut reasons = Vec::new();
    for n in 0..60_i64 {
        let ts = START + n * 97_000 + (n * n * 7_919) % 60_000;
        let mut effects = vec![applied(engine.submit(&kill(&format!("o{n}"), "cy", ts, "ogre", 50_000)))];
        if n % 3 == 0 {
            effects.push(applied(engine.submit(&claim(&format!("c{n}"), "cy", ts + 900, "crown"))));
        }
        reasons.extend(
            effects.into_iter().flat_map(|effect| effect.into_more().verdicts).map(|found| found.verdict.reason),
        );
    }
    assert_eq!(reasons, [Reason::TooManyDrops], "one excursion, one alert");
}

/// A chest with pity, opened at every ogre, by so many players so often: how many of them the family flags, and how many a
/// detector alone.
fn flagged_at_a_chest(odds: &str) -> (usize, usize) {
    let rules = rules(
        &format!(r#""cheats": {{ "kind": "family", "drops": {{ "crown": {{ "boss": "ogre", "odds": {odds} }} }} }}"#),
        r#""loot": { "chest": { "entries": { "crown": { "weight": 1 }, "scale": { "weight": 99 } },
            "pity": { "entry": "crown", "guaranteedAt": 50 } } },"#,
    );
    let (family, chest) = (rules.family("cheats").unwrap(), &rules.loot()[&common::id("chest")]);
    let crown = &chest.odds()[0];
    let alone = if odds.contains("loot") { crown.long_run.into() } else { 0.01 };
    let (mut by_family, mut by_one) = (0, 0);
    for who in 0..60 {
        let name = format!("p{who}");
        let (mut profile, mut counts, mut misses) = (PlayerProfile::default(), DropRate::new(alone, 11.5).unwrap(), 0);
        let mut found = (false, false);
        for nonce in 0..4_000_u32 {
            let roll = chest.roll(&[7; 32], &common::id("chest"), &player(&name), u64::from(nonce), misses);
            misses = roll.misses_after;
            let ts = START + i64::from(nonce) * 97_000 + i64::from(nonce * nonce % 60) * 1_000;
            let mut events = vec![kill("k", &name, ts, "ogre", 50_000)];
            if roll.entry == crown.entry {
                events.push(claim("c", &name, ts + 900, "crown"));
            }
            for command in &events {
                let seen = rules.observation("cheats", &event(command)).unwrap().unwrap();
                let findings = family.observe(&mut profile, &seen).unwrap();
                found.0 |= findings.iter().any(|finding| finding.detector == FamilyDetector::DropRate);
            }
            found.1 |= counts.observe(1, events.len() as u64 - 1).unwrap().is_anomaly();
        }
        by_family += usize::from(found.0);
        by_one += usize::from(found.1);
    }
    (by_family, by_one)
}

/// One in a hundred by weight is one in 39.5 with pity: who counts drops against the weight flags everybody.
#[test]
fn who_rolls_a_table_with_pity_is_compared_with_what_it_gives_in_the_long_run() {
    assert_eq!(flagged_at_a_chest(r#""0.01""#), (60, 60));
    assert_eq!(flagged_at_a_chest(r#"{ "loot": "chest", "entry": "crown" }"#), (0, 0));
}

fn event(command: &Command) -> Event {
    let Action::Event { kind, payload } = &command.action else { panic!("an event") };
    let (id, player) = (command.id.id.clone(), command.player.clone());
    Event { id, player, ts: command.ts, kind: kind.clone(), payload: payload.clone() }
}

/// Forty players, as the rules tell families of them.
fn history() -> Vec<Event> {
    let each = (0..250_i64).flat_map(|who| {
        (0..40_i64).map(move |n| {
            let ts = START - 20 * DAY + n * 61_000 + ((n + who) * (n + who) * 7_919) % 40_000;
            let amount = 2_000 + (who * 131 + n * 977) % 6_000;
            event(&progression(&format!("h{who}-{n}"), &format!("p{who}"), ts, amount))
        })
    });
    each.collect()
}

#[test]
fn a_population_says_what_is_usual_from_the_first_event_on_and_stays() {
    let plain = rules(FAMILY, "");
    assert_eq!(plain.population_hash(), None);
    let mut builder = PopulationBuilder::new();
    for event in history() {
        plain.teach(&mut builder, &event).unwrap();
    }
    let population = builder.finish();
    assert_eq!(population.activities().collect::<Vec<_>>(), ["progression"]);
    let anchored = rules(FAMILY, "").with_population(population.clone()).unwrap();
    assert_eq!(anchored.population_hash(), Some(population.hash()));

    // Calibrated on the same history: the family of the rules, told of events as an engine tells it.
    let family = anchored.family("cheats").unwrap();
    let mut calibrator = Calibrator::new();
    for player in history().chunk_by(|a, b| a.player == b.player) {
        let (mut profile, mut most) = (PlayerProfile::default(), calibrator.player());
        for event in player {
            let seen = anchored.observation("cheats", event).unwrap().unwrap();
            family.observe(&mut profile, &seen).unwrap();
            most.observe(&profile.scores());
        }
        calibrator.add(most, 1);
    }
    let thresholds = calibrator.thresholds(Budget::PerPlayer { part: 0.01, events: None }).unwrap();
    assert!(FamilyDetector::ALL.iter().all(|detector| (7.0..100.0).contains(&thresholds.of(*detector))));

    let engine = Engine::new(anchored, MemoryStore::new());
    let flags = |engine: &Engine<MemoryStore>, name: &str| {
        play(engine, name, 0, std::iter::repeat_n(5_000, 8)).iter().filter(|e| e.flagged().is_some()).count()
    };
    assert_eq!(flags(&engine, "ana"), 0, "usual in this game");
    engine.replace_rules(rules(FAMILY, "")).unwrap();
    assert_eq!(engine.rules().population_hash(), Some(population.hash()), "new rules keep it");
    assert_eq!(flags(&engine, "bo"), 0);
    assert_ne!(Population::default().hash(), population.hash());
}

#[test]
fn findings_are_acted_upon_only_when_they_agree() {
    let engine = engine(r#""alerts": { "corroborate": { "findings": 2, "withinSeconds": 3600 } },"#);
    assert!(applied(engine.submit(&kill("k1", "ana", START, "hydra", 9_000))).verdicts().is_empty(), "one alone");
    let doubts = engine.record(&player("ana")).unwrap().unwrap().rare().doubts.clone();
    assert_eq!(doubts.iter().map(|doubt| doubt.reason).collect::<Vec<_>>(), [Reason::BelowFloor]);
    play(&engine, "ana", 0, usual(20));
    let burst = play(&engine, "ana", 20, std::iter::repeat_n(40_000, 12));
    assert_eq!(burst.iter().filter(|effect| effect.flagged().is_some()).count(), 1, "another, within the hour");
    // Too late to agree with anything.
    assert!(applied(engine.submit(&kill("k2", "bo", START, "hydra", 9_000))).verdicts().is_empty());
    let later = usual(20).chain(std::iter::repeat_n(40_000, 12));
    assert!(play(&engine, "bo", 90, later).iter().all(|effect| effect.verdicts().is_empty()));
}

#[test]
fn a_storm_of_one_player_buries_nobody_else() {
    let alone = r#""z": { "kind": "zScore", "threshold": "0.001" }"#;
    let storm = |more: &str| {
        let engine = Engine::new(rules(alone, more), MemoryStore::new());
        let effects = play(&engine, "ana", 0, (0..60).map(|n| 10 + n * n));
        (effects.iter().filter(|effect| effect.flagged().is_some()).count(), engine)
    };
    let (all, _) = storm("");
    let (few, engine) = storm(r#""alerts": { "perPlayerDay": 3 },"#);
    let alerts = engine.record(&player("ana")).unwrap().unwrap().rare().alerts;
    assert_eq!((all > 40, few), (true, 3));
    assert_eq!(alerts.suppressed(), u64::try_from(all - few).unwrap(), "and none is lost without a count");
}

#[test]
fn what_is_learned_survives_a_snapshot_bit_for_bit() {
    let through = engine("");
    play(&through, "ana", 0, usual(50));
    play(&through, "ana", 50, std::iter::repeat_n(40_000, 6));
    for cut in [1, 17, 52] {
        let first = engine("");
        let amounts: Vec<i64> = usual(50).chain(std::iter::repeat_n(40_000, 6)).collect();
        let whole = |engine: &Engine<MemoryStore>, range: std::ops::Range<usize>| {
            for n in range {
                let i = i64::try_from(n).unwrap();
                let (from, k) = if n < 50 { (0, i) } else { (50, i - 50) };
                let ts = START + (from + k) * 61_000 + (k * k * 7_919) % 40_000;
                applied(engine.submit(&progression(&format!("e{n}"), "ana", ts, amounts[n])));
            }
        };
        whole(&first, 0..cut);
        let restored = Engine::new(rules(FAMILY, ""), MemoryStore::restore(&first.store().snapshot()).unwrap());
        whole(&restored, cut..amounts.len());
        assert_eq!(restored.digest(), through.digest(), "cut at {cut}");
    }
}

#[test]
fn bad_families_say_where() {
    let read = |detectors: &str, more: &str| {
        let text = format!(r#"{{ "version": 1, "game": "g", {more} "detectors": {{ {detectors} }} }}"#);
        let error = Rules::from_json(&text).unwrap_err();
        (error.path, error.issue.as_str())
    };
    // Pity at every roll: one entry always comes, and the other never.
    let chest = r#""loot": { "chest": { "entries": { "all": { "weight": 1 }, "none": { "weight": 1 } },
        "pity": { "entry": "all", "guaranteedAt": 1 } } },"#;
    let family = |members: &str| read(&format!(r#""f": {{ "kind": "family", {members} }}"#), chest);
    for (members, path, issue) in [
        (r#""action": "ban""#, "/detectors/f/action", "invalid_format"),
        (r#""action": { "moon": "flag" }"#, "/detectors/f/action/moon", "unknown_field"),
        (r#""thresholds": { "robust": 18 }"#, "/detectors/f/thresholds/robust", "wrong_type"),
        (r#""thresholds": { "robust": "-1" }"#, "/detectors/f/thresholds/robust", "invalid_format"),
        (r#""floors": { "hydra": 0 }"#, "/detectors/f/floors/hydra", "out_of_range"),
        (r#""drops": { "d": { "boss": "b", "odds": 0.5 } }"#, "/detectors/f/drops/d/odds", "not_integer"),
        (r#""drops": { "d": { "boss": "b", "odds": "1" } }"#, "/detectors/f/drops/d/odds", "out_of_range"),
        (r#""drops": { "d": { "odds": "0.5" } }"#, "/detectors/f/drops/d/boss", "missing"),
        (
            r#""drops": { "d": { "boss": "b", "odds": { "loot": "box", "entry": "e" } } }"#,
            "/detectors/f/drops/d/odds/loot",
            "missing",
        ),
        (
            r#""drops": { "d": { "boss": "b", "odds": { "loot": "chest", "entry": "e" } } }"#,
            "/detectors/f/drops/d/odds/entry",
            "missing",
        ),
        (
            r#""drops": { "d": { "boss": "b", "odds": { "loot": "chest", "entry": "all" } } }"#,
            "/detectors/f/drops/d/odds",
            "out_of_range",
        ),
        (
            r#""drops": { "d": { "boss": "b", "odds": { "loot": "chest", "entry": "none" } } }"#,
            "/detectors/f/drops/d/odds",
            "out_of_range",
        ),
        (
            r#""drops": { "d": { "boss": "b", "odds": { "loot": "chest" } } }"#,
            "/detectors/f/drops/d/odds/entry",
            "missing",
        ),
        (
            r#""drops": { "d": { "boss": "b", "odds": "0.5" }, "e": { "boss": "b", "odds": "0.1" } }"#,
            "/detectors/f/drops/e/boss",
            "invalid_format",
        ),
        (r#""threshold": "6""#, "/detectors/f/threshold", "unknown_field"),
    ] {
        assert_eq!(family(members), (path.to_owned(), issue), "{members}");
    }
    let alerts = |members: &str| read("", &format!(r#""alerts": {{ {members} }},"#));
    assert_eq!(alerts(r#""perPlayerDay": 0"#), ("/alerts/perPlayerDay".to_owned(), "out_of_range"));
    let one = r#""corroborate": { "findings": 1, "withinSeconds": 9 }"#;
    assert_eq!(alerts(one), ("/alerts/corroborate/findings".to_owned(), "out_of_range"));
    assert_eq!(
        alerts(r#""corroborate": { "findings": 2 }"#),
        ("/alerts/corroborate/withinSeconds".to_owned(), "missing")
    );
}

/// What a table with pity comes to in the long run takes powers as large as its pity: once for each entry named, and bounded.
#[test]
fn odds_of_loot_tables_are_worked_out_once_and_within_a_bound() {
    let table = r#"{ "pity": { "entry": "a", "guaranteedAt": 10000 }, "entries": { "a": { "weight": 1 }, "b": { "weight": 1 } } }"#;
    let tables: Vec<_> = (0..11).map(|n| format!(r#""t{n}": {table}"#)).collect();
    let read = |families: &[Vec<usize>]| {
        let drop = |n: usize, table: &usize| {
            format!(r#""d{n}": {{ "boss": "b{n}", "odds": {{ "loot": "t{table}", "entry": "a" }} }}"#)
        };
        let drops = |of: &Vec<usize>| of.iter().enumerate().map(|(n, t)| drop(n, t)).collect::<Vec<_>>().join(",");
        let families = families.iter().enumerate();
        let families: Vec<_> = families
            .map(|(n, of)| format!(r#""f{n}": {{ "kind": "family", "drops": {{ {} }} }}"#, drops(of)))
            .collect();
        Rules::from_json(&format!(
            r#"{{ "version": 1, "game": "g", "loot": {{ {} }}, "detectors": {{ {} }} }}"#,
            tables.join(","),
            families.join(",")
        ))
    };
    assert!(read(&[vec![0; 250], vec![0; 250], (0..10).collect()]).is_ok(), "ten of ten thousand rolls, named often");
    let error = read(&[(0..10).collect(), vec![3, 10]]).unwrap_err();
    assert_eq!((error.path.as_str(), error.issue.as_str()), ("/detectors/f1/drops/d1/odds", "out_of_range"));
}
