//! Detectors alone, and families with what they learn from history: to the last bit.

use std::fmt::Write as _;

use liveops_core::Rules;
use liveops_core::anomaly::{
    Budget, Cusum, DropRate, Ewma, Family, FamilyDetector, Observation, PlayerProfile, Population, PopulationBuilder,
    Prior, Regularity, Robust, Thresholds, TimeFloor, Verdict, ZScore,
};
use liveops_core::hash::hex;
use serde_json::{Value, json};

use super::case::{Case, text, time};

/// Each of a detector's values, observed by one that is restored from bytes before every one of them.
macro_rules! observed {
    ($case:expr, $fresh:expr, $detector:ident, $value:ident => $observe:expr) => {{
        let mut $detector = $fresh;
        let verdict = |$value: &Value| {
            $detector = $fresh.with_bytes(&$detector.to_bytes()).unwrap();
            $observe
        };
        let verdicts: Vec<Verdict> = $case.need("observe").as_array().unwrap().iter().map(verdict).collect();
        (verdicts, $detector.to_bytes())
    }};
}

pub(crate) fn detector(case: &Case) {
    let of = case.need("detector");
    let threshold = of.get("threshold").map_or(0.0, number);
    let prior = || {
        let prior = of.get("prior").map(|prior| [0, 1, 2].map(|at| number(&prior[at])));
        prior.map(|[mean, sd, weight]| Prior::new(mean, sd, weight).unwrap())
    };
    let (verdicts, bytes) = match text(&of["kind"]) {
        "zScore" => observed!(case, ZScore::new(threshold), detector, value => detector.observe(number(value))),
        "ewma" => {
            let span = u32::try_from(of["span"].as_u64().unwrap()).unwrap();
            observed!(case, Ewma::new(threshold, span), detector, value => detector.observe(number(value)))
        }
        "robust" => {
            observed!(case, Robust::new(threshold, prior()), detector, value => detector.observe(number(value)))
        }
        "cusum" => observed!(case, Cusum::new(threshold, prior()), detector, value => detector.observe(number(value))),
        "timeFloor" => {
            let minimum_ms = u32::try_from(of["minimumMs"].as_u64().unwrap()).unwrap();
            observed!(case, TimeFloor { minimum_ms }, detector, value => detector.observe(number(value)))
        }
        "dropRate" => {
            let fresh = DropRate::new(number(&of["odds"]), threshold).unwrap();
            observed!(case, fresh, detector, value => {
                detector.observe(value[0].as_u64().unwrap(), value[1].as_u64().unwrap()).unwrap()
            })
        }
        "regularity" => {
            let fresh = Regularity::new(threshold, &Population::default());
            observed!(case, fresh.clone(), detector, value => detector.observe(time(value)))
        }
        kind => panic!("unknown detector {kind}"),
    };
    let scores: Vec<_> = verdicts.iter().map(|verdict| bits(verdict.score.get())).collect();
    let reasons: Vec<_> = verdicts.iter().map(|verdict| verdict.reason.as_str()).collect();
    case.compare(case.expect(), &json!({ "scores": scores, "reasons": reasons, "bytesHex": hex(&bytes) }));
}

pub(crate) fn family(case: &Case) {
    let mut actual = json!({});
    let (mut population, mut thresholds) = (Population::default(), Thresholds::DEFAULT);
    if let Some(history) = case.get("history") {
        let lines = lines(history);
        let document = json!({ "version": 1, "game": "vectors", "activities": ["dungeon", "quest"],
            "detectors": { "cheats": { "kind": "family" } } });
        let rules = Rules::from_json(&document.to_string()).unwrap();
        let mut builder = PopulationBuilder::new();
        assert_eq!(rules.teach_ndjson(&mut builder, lines.as_bytes()).refused, 0);
        population = builder.finish();
        population = Population::from_bytes(&population.to_bytes()).unwrap();
        let rules = rules.with_population(population.clone()).unwrap();
        let mut calibration = rules.calibrate("cheats").unwrap();
        calibration.add_ndjson(lines.as_bytes());
        thresholds =
            calibration.thresholds(Budget::PerPlayer { part: number(&history["perPlayer"]), events: None }).unwrap();
        actual["populationHash"] = json!(population.hash().to_hex());
        actual["thresholds"] = json!(FamilyDetector::ALL.map(|detector| bits(thresholds.of(detector))));
    }
    let mut family = Family::new(population).with_thresholds(thresholds);
    let members = |member: &str| case.get(member).and_then(Value::as_object).into_iter().flatten();
    for (boss, floor) in members("floors") {
        family.boss(boss, floor.as_u64().map(|floor| u32::try_from(floor).unwrap())).unwrap();
    }
    for (drop, odds) in members("drops") {
        family.drop_odds(drop, number(odds)).unwrap();
    }
    let (mut profile, mut findings) = (PlayerProfile::default(), Vec::new());
    for (index, event) in case.need("events").as_array().unwrap().iter().enumerate() {
        profile = PlayerProfile::from_bytes(&profile.to_bytes()).unwrap();
        let seen = observation(&mut family, case, event);
        for finding in family.observe(&mut profile, &seen).unwrap() {
            let (detector, verdict) = (finding.detector.as_str(), finding.verdict);
            findings.push(json!([index, detector, verdict.reason.as_str(), verdict.sentence()]));
        }
    }
    actual["findings"] = json!(findings);
    actual["scores"] = json!(FamilyDetector::ALL.map(|detector| bits(profile.scores().of(detector))));
    actual["profileHex"] = json!(hex(&profile.to_bytes()));
    case.compare(case.expect(), &actual);
}

/// An event, its names looked up.
fn observation(family: &mut Family, case: &Case, event: &Value) -> Observation {
    let count = |member: &str| event.get(member).map_or(0, |n| u32::try_from(n.as_u64().unwrap()).unwrap());
    let mut seen = Observation::at(time(&event["atMs"]));
    if let Some(amount) = event.get("amount") {
        let activity = family.activity(text(&event["activity"]));
        seen = seen.gain(activity, number(amount), event.get("boost").map_or(1.0, number));
    }
    if let Some(boss) = event.get("boss") {
        seen = seen.kill(family.boss(text(boss), None).unwrap(), count("durationMs"));
    }
    if let Some(drop) = event.get("drop") {
        let odds = number(&case.need("drops")[text(drop)]);
        seen = seen.drops(family.drop_odds(text(drop), odds).unwrap(), count("chances"), count("hits"));
    }
    seen
}

/// The events of `vectors/README.md`.
fn lines(history: &Value) -> String {
    let [players, events, start] = ["players", "events", "startMs"].map(|member| history[member].as_i64().unwrap());
    let mut lines = String::new();
    for (who, n) in (0..players).flat_map(|who| (0..events).map(move |n| (who, n))) {
        let ts = (start + n * 61_000 + (n + who) * (n + who) * 7919 % 40_000) / 1000;
        let event = if n % 10 == 9 {
            let duration = 60_000 + (who * 7907 + n * 311) % 60_000;
            json!({ "type": "boss_kill", "playerId": format!("p{who}"), "ts": ts,
                "payload": { "bossId": "ogre", "durationMs": duration } })
        } else {
            let (xp, activity) = (2000 + (who * 131 + n * 977) % 6000, ["dungeon", "quest"][usize::from(n % 2 == 1)]);
            json!({ "type": "progression", "playerId": format!("p{who}"), "ts": ts,
                "payload": { "deltaXp": xp, "activity": activity } })
        };
        writeln!(lines, "{event}").unwrap();
    }
    lines
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("a number expected, not {value}"))
}

/// The eight bytes of IEEE 754, in hex.
fn bits(number: f64) -> String {
    format!("{:016x}", number.to_bits())
}
