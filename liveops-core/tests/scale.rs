//! What amounts are counted in is no detector's business, unless a prior or a population says what is usual.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{Rng, START, at, id, progression};
use liveops_core::anomaly::{
    Cusum, Ewma, Family, FamilyDetector, Observation, PlayerProfile, Population, Reason, Robust, Verdict, ZScore,
};
use liveops_core::event::FieldValue;
use liveops_core::{Engine, MemoryStore, Outcome, Rules};

/// In 0..1.
fn part(random: &mut Rng) -> f64 {
    f64::from(u32::try_from(random.below(1 << 32)).unwrap()) / 4_294_967_296.0
}

/// Nearly standard normal.
fn normal(random: &mut Rng) -> f64 {
    (0..12).map(|_| part(random)).sum::<f64>() - 6.0
}

/// Around one, as players have them: with luck, days without anything, a new level, and now and then a burst.
fn amounts(seed: u64) -> Vec<f64> {
    let (mut random, mut amounts) = (Rng(seed), Vec::new());
    let spread = 0.1 + 1.2 * part(&mut random);
    for n in 0..300_u32 {
        let level = if n > 200 { 1.0 } else { 0.0 };
        let burst = if n % 70 > 64 { 6.0 * part(&mut random) } else { 0.0 };
        let none = random.below(25) == 0;
        let amount = (level + burst + spread * normal(&mut random)).exp();
        amounts.push(if none { 0.0 } else { amount });
    }
    amounts
}

/// Twelve orders of magnitude, some factors that round differently.
const FACTORS: [f64; 9] = [1e-6, 3.7e-4, 0.01, 0.3, 7.0, 123.456, 1e4, 9.99e5, 1e6];

/// Whether two verdicts say the same, or one was so near to its threshold that rounding may decide.
fn same(one: &Verdict, other: &Verdict) -> bool {
    let near = |verdict: &Verdict| (verdict.score.get() / verdict.threshold.get() - 1.0).abs() < 1e-3;
    one.reason == other.reason || near(one) || near(other)
}

#[test]
fn verdicts_are_the_same_in_whatever_unit() {
    let mut anomalies = 0;
    for seed in 0..20 {
        let amounts = amounts(seed);
        let verdicts = |factor: f64| {
            let (mut robust, mut cusum) = (Robust::new(6.0, None), Cusum::new(12.0, None));
            let (mut all, mut recent) = (ZScore::new(4.0), Ewma::new(4.0, 30));
            let each = amounts.iter().map(|amount| amount * factor);
            each.map(|x| [robust.observe(x), cusum.observe(x), all.observe(x), recent.observe(x)]).collect::<Vec<_>>()
        };
        let plain = verdicts(1.0);
        anomalies += plain.iter().flatten().filter(|verdict| verdict.is_anomaly()).count();
        for factor in FACTORS {
            for (n, (one, other)) in plain.iter().zip(verdicts(factor)).enumerate() {
                let all = one.iter().zip(&other).all(|(one, other)| same(one, other));
                assert!(all, "seed {seed}, value {n}, times {factor}: {one:?} {other:?}");
            }
        }
    }
    assert!(anomalies > 500, "{anomalies}: there is something to see");
}

/// When each detector of a family without a population alerts, as long as no score comes so near to its threshold that rounding
/// may decide.
fn alerts(amounts: &[f64], factor: f64) -> Option<Vec<(usize, FamilyDetector)>> {
    let family = Family::new(Population::default());
    let names = ["quest", "dungeon", "arena"].map(|name| family.activity(name));
    let (mut profile, mut alerts) = (PlayerProfile::default(), Vec::new());
    for (n, amount) in amounts.iter().enumerate() {
        // One activity brings a thousand times as much as another.
        let times = [1.0, 1_000.0, 0.02][n % 3];
        let seen = Observation::at(at(START)).gain(names[n % 3], amount * times * factor, 1.0);
        alerts.extend(family.observe(&mut profile, &seen).unwrap().into_iter().map(|found| (n, found.detector)));
        let near = |detector| {
            let (score, threshold) = (profile.scores().of(detector), family.thresholds().of(detector));
            [threshold, threshold / 2.0].iter().any(|at| (score / at - 1.0).abs() < 1e-3)
        };
        if FamilyDetector::ALL.into_iter().any(near) {
            return None;
        }
    }
    Some(alerts)
}

#[test]
fn families_without_a_population_alert_alike_in_whatever_unit() {
    let (mut compared, mut found) = (0, 0);
    for seed in 0..40 {
        let amounts = amounts(seed);
        let Some(plain) = alerts(&amounts, 1.0) else { continue };
        found += plain.len();
        for factor in FACTORS {
            let Some(other) = alerts(&amounts, factor) else { continue };
            assert_eq!(plain, other, "seed {seed}, times {factor}");
            compared += 1;
        }
    }
    assert!(compared > 150 && found > 30, "{compared} compared, {found} found");
}

fn engine(detectors: &str) -> Engine<MemoryStore> {
    let text = format!(
        r#"{{ "version": 1, "game": "g", "limits": {{ "maxPastSeconds": 8640000 }}, "activities": ["quest", "dungeon"],
        "detectors": {{ {detectors} }} }}"#
    );
    Engine::new(Rules::from_json(&text).unwrap(), MemoryStore::new())
}

/// Whole amounts of one player, a while apart: after how many the first is flagged.
fn flagged(engine: &Engine<MemoryStore>, name: &str, amounts: impl Iterator<Item = f64>) -> Option<usize> {
    let mut random = Rng(5);
    let mut ts = START;
    let mut flagged = None;
    for (n, amount) in amounts.enumerate() {
        ts += 20_000 + random.millis(200_000);
        #[expect(clippy::cast_possible_truncation, reason = "at most a million")]
        let command = progression(&format!("e{n}"), name, ts, amount as i64);
        let Outcome::Applied(effect) = engine.submit(&command) else { panic!("applied") };
        let amounts = |found: &liveops_core::record::Judgement| found.verdict.reason != Reason::TooRegular;
        flagged = flagged.or(effect.verdicts().iter().any(amounts).then_some(n));
    }
    flagged
}

/// What stood in for a prior before: amounts around a hundred.
const AROUND_A_HUNDRED: &str = r#""d": { "kind": "robust", "prior": { "mean": "4.6", "sd": "1.5", "weight": "4" } }"#;
const BY_DEFAULT: [&str; 2] = [r#""d": { "kind": "robust" }"#, r#""d": { "kind": "family" }"#];

#[test]
fn honest_quests_of_a_hundred_thousand_are_nothing_special() {
    for detector in BY_DEFAULT {
        let engine = engine(detector);
        for who in 0..50 {
            let mut random = Rng(who);
            let quests = (0..60).map(|_| 120_000.0 * (0.3 * normal(&mut random)).exp());
            assert_eq!(flagged(&engine, &format!("p{who}"), quests), None, "player {who}, {detector}");
        }
    }
    let mut random = Rng(0);
    let quests = (0..60).map(|_| 120_000.0 * (0.3 * normal(&mut random)).exp());
    assert!(flagged(&engine(AROUND_A_HUNDRED), "ana", quests).is_some_and(|n| n < 5), "to a prior they are");
}

#[test]
fn a_hundredfold_cheat_stands_out_among_small_amounts_too() {
    for (detector, most) in BY_DEFAULT.into_iter().zip([21, 30]) {
        let engine = engine(detector);
        for who in 0..20 {
            let mut random = Rng(who);
            let honest = (0..20).map(|_| 1.0 + f64::from(u32::try_from(random.below(3)).unwrap()));
            let found = flagged(&engine, &format!("p{who}"), honest.chain(std::iter::repeat_n(200.0, 40)));
            assert!(found.is_some_and(|n| (20..most).contains(&n)), "player {who}, {detector}: {found:?}");
        }
    }
}

/// What the rules list is kept apart, also beside what they do not list.
#[test]
fn activities_of_the_rules_have_scales_of_their_own_in_families() {
    let rules = engine(BY_DEFAULT[1]).rules();
    let family = rules.family("d").unwrap();
    let mut profile = PlayerProfile::default();
    let mut random = Rng(3);
    for n in 0..300_i64 {
        let (activity, usual) = [("quest", 50.0), ("dungeon", 90_000.0), ("", 900.0)][usize::try_from(n % 3).unwrap()];
        #[expect(clippy::cast_possible_truncation, reason = "small")]
        let amount = (usual * (0.5 * normal(&mut random)).exp()) as i64;
        let activity = if activity.is_empty() { String::new() } else { format!(r#","activity":"{activity}""#) };
        let ts = START / 1000 + n * 60 + random.millis(40);
        let line = format!(
            r#"{{"type":"progression","playerId":"ana","ts":{ts},"payload":{{"deltaXp":{amount}{activity}}}}}"#
        );
        let event = rules.door().parser().parse(line.as_bytes(), at(ts * 1000)).unwrap();
        let event = event.into_event(liveops_core::EventId::new("e").unwrap());
        let seen = rules.observation("d", &event).unwrap().unwrap();
        let found = family.observe(&mut profile, &seen).unwrap();
        assert!(found.iter().all(|found| found.detector == FamilyDetector::Regularity), "{n}: {found:?}");
    }
}

/// Whatever order they come in, one spike among a player's first values does not blind a detector to the next ones.
#[test]
fn one_spike_among_the_first_values_blinds_nobody() {
    let (usual, spike) = (100.0, 1_000_000.0);
    for factor in FACTORS {
        for place in 0..10 {
            let (mut robust, mut cusum) = (Robust::new(6.0, None), Cusum::new(12.0, None));
            for n in 0..10 {
                let value = factor * if n == place { spike } else { usual };
                assert!(!robust.observe(value).is_anomaly() && !cusum.observe(value).is_anomaly());
            }
            let baseline = robust.score(factor * spike).baseline;
            assert!(baseline.sd.get() < 1.51, "spike at {place}: {baseline:?}");
            let (mut spikes, mut first_risen) = (0, None);
            for n in 0..200 {
                let value = factor * if n % 2 == 0 { usual } else { spike };
                spikes += u32::from(robust.observe(value).is_anomaly());
                let risen = cusum.observe(value).is_anomaly();
                first_risen = first_risen.or(risen.then_some(n));
            }
            assert!((6..=9).contains(&spikes), "spike at {place}, times {factor}: {spikes} found");
            assert!(first_risen.is_some_and(|n| n < 30), "spike at {place}, times {factor}: {first_risen:?}");
        }
    }
}

/// Nor is anybody flagged whose first value is a small one.
#[test]
fn a_small_first_value_makes_no_honest_player_stand_out() {
    for who in 0..200 {
        let mut random = Rng(who);
        let mut robust = Robust::new(4.5, None);
        robust.observe(1.0);
        for n in 0..60 {
            let verdict = robust.observe(120_000.0 * (0.5 * normal(&mut random)).exp());
            assert!(!verdict.is_anomaly(), "player {who}, value {n}: {verdict:?}");
        }
    }
}

/// A family's profile holds four activities: a fifth must not make one of these unjudged again.
#[test]
fn other_activities_do_not_keep_one_from_being_judged() {
    let mut family = Family::new(Population::default());
    let names = ["dungeon", "quest", "progression", "raid", "boss_kill"];
    for name in names {
        family.keep_apart(name).unwrap();
    }
    let [dungeon, quest, progression, raid, fifth] = names.map(|name| family.activity(name));
    let mut profile = PlayerProfile::default();
    let mut observe = |activity, amount| {
        let seen = Observation::at(at(START)).gain(activity, amount, 1.0);
        let found = family.observe(&mut profile, &seen).unwrap();
        found.iter().any(|found| found.detector == FamilyDetector::Robust)
    };
    for (activity, times) in [(dungeon, 40), (quest, 40), (progression, 40), (raid, 10)] {
        (0..times).for_each(|_| assert!(!observe(activity, 100.0)));
    }
    let alerted = (0..50).position(|_| {
        observe(fifth, 10.0);
        observe(raid, 1_000_000.0)
    });
    assert!(alerted.is_some_and(|n| n < 5), "{alerted:?}");
}

/// "pvp" and "progression" hash to one place: the type of event has it, whatever is listed.
#[test]
fn activities_that_are_listed_later_move_no_type_of_event() {
    let place = |activities: &str| {
        let text = format!(
            r#"{{ "version": 1, "game": "g", "activities": [{activities}], "detectors": {{ {} }} }}"#,
            BY_DEFAULT[1]
        );
        let rules = Rules::from_json(&text).unwrap();
        let family = rules.family("d").unwrap();
        ["progression", "boss_kill", "pvp"].map(|name| family.activity(name))
    };
    let (without, with) = (place(""), place(r#""pvp""#));
    assert_eq!(without[..2], with[..2]);
    assert_ne!(with[0], with[2]);
}

/// What the rules do not list is kept apart by its type of event, in families and in `robust` without a prior.
#[test]
fn types_of_events_have_scales_of_their_own() {
    let kill = |event_id: &str, ts: i64, xp: i64| {
        let fields = vec![
            ("bossId", FieldValue::Id(id("hydra"))),
            ("deltaXp", FieldValue::Int(xp)),
            ("durationMs", FieldValue::Int(60_000)),
        ];
        common::event(event_id, "ana", ts, "boss_kill", fields)
    };
    for detector in BY_DEFAULT {
        let engine = engine(detector);
        let flagged = |command| {
            let Outcome::Applied(effect) = engine.submit(&command) else { panic!("applied") };
            !effect.verdicts().is_empty()
        };
        let (mut random, mut ts) = (Rng(1), START);
        let mut next = || {
            ts += 20_000 + random.millis(200_000);
            ts
        };
        for n in 0..10 {
            assert!(!flagged(progression(&format!("p{n}"), "ana", next(), 10)));
        }
        for n in 0..12 {
            assert!(!flagged(kill(&format!("k{n}"), next(), 10_000)), "kill {n}, {detector}");
            assert!(!flagged(progression(&format!("q{n}"), "ana", next(), 10)), "{n}, {detector}");
        }
        let cheats = (0..5).filter(|n| flagged(progression(&format!("c{n}"), "ana", next(), 1_000_000))).count();
        assert!(cheats > 0, "{detector}");
    }
    // With a prior, what is not listed is one, as it was.
    for (detector, kept) in [(AROUND_A_HUNDRED, &["other"][..]), (BY_DEFAULT[0], &["boss_kill", "progression"])] {
        let engine = engine(detector);
        engine.submit(&progression("p", "ana", START, 10));
        engine.submit(&kill("k", START + 60_000, 10));
        let record = engine.record(&common::player("ana")).unwrap().unwrap();
        assert_eq!(record.rare().profile.iter().map(|profile| profile.activity.as_str()).collect::<Vec<_>>(), kept);
    }
}
