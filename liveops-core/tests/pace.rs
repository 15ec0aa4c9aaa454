//! How fast somebody plays is no reason to be flagged: a rhythm is judged only where a clock of whole seconds resolves it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{Rng, START, at, progression};
use liveops_core::anomaly::{Population, Reason, Regularity};
use liveops_core::{Engine, MemoryStore, Outcome, Rules, Timestamp};

/// Nearly standard normal.
fn normal(random: &mut Rng) -> f64 {
    let mut part = || f64::from(u32::try_from(random.below(1 << 32)).unwrap()) / 4_294_967_296.0;
    (0..12).map(|_| part()).sum::<f64>() - 6.0
}

/// Times of somebody who acts every so many seconds, by the median and the spread of its logarithm.
fn times(who: u64, seconds: f64, spread: f64, events: usize) -> Vec<Timestamp> {
    let mut random = Rng(who * 7_919 + 3);
    let mut millis = 0.0;
    let mut next = || {
        millis += 1000.0 * seconds * (spread * normal(&mut random)).exp();
        #[expect(clippy::cast_possible_truncation, reason = "some days")]
        at(START + millis as i64)
    };
    (0..events).map(|_| next()).collect()
}

fn by_seconds(time: Timestamp) -> Timestamp {
    at(time.as_unix_millis().div_euclid(1000) * 1000)
}

/// Players, and events of each; without optimisation, fewer.
const CROWD: (u64, usize) = if cfg!(debug_assertions) { (10, 600) } else { (60, 2_000) };

/// Of a crowd: how many are ever too regular, and how often the sum rises above the threshold.
fn found(seconds: f64, spread: f64, read: impl Fn(Timestamp) -> Timestamp) -> (usize, usize) {
    let (mut players, mut alerts) = (0, 0);
    for who in 0..CROWD.0 {
        let mut clock = Regularity::new(16.0, &Population::default());
        let mut above = false;
        let mut before = 0;
        for time in times(who, seconds, spread, CROWD.1) {
            let is_above = clock.observe(read(time)).is_anomaly();
            before += usize::from(is_above && !above);
            above = is_above;
        }
        players += usize::from(before > 0);
        alerts += before;
    }
    (players, alerts)
}

const PACES: [f64; 11] = [0.1, 0.3, 0.5, 0.9, 1.2, 1.5, 2.0, 2.5, 3.0, 6.0, 30.0];

#[test]
fn people_are_too_regular_equally_seldom_at_whatever_pace() {
    let mut all = 0;
    for spread in [0.7, 0.8, 1.0] {
        for seconds in PACES {
            for (clock, (players, alerts)) in
                [("millis", found(seconds, spread, |time| time)), ("seconds", found(seconds, spread, by_seconds))]
            {
                println!("{seconds} s, spread {spread}, by {clock}: {players} of {CROWD:?}, {alerts} alerts");
                // One in a hundred thousand events; of all paces together, fewer.
                assert!(
                    alerts <= usize::from(!cfg!(debug_assertions)),
                    "{seconds} s, spread {spread}, by {clock}: {alerts}"
                );
                all += alerts;
            }
        }
    }
    assert!(all <= 4, "{all} alerts of all paces");
}

/// Of two seconds and more; one that acts every second looks like whoever is busy.
#[test]
fn programs_are_found_from_two_seconds_on() {
    for seconds in [2.0, 2.5, 4.0, 30.0] {
        for spread in [0.0, 0.05, 0.1] {
            for players in [found(seconds, spread, |time| time).0, found(seconds, spread, by_seconds).0] {
                println!("{seconds} s, spread {spread}: {players} of {CROWD:?}");
                assert_eq!(u64::try_from(players), Ok(CROWD.0), "{seconds} s, spread {spread}");
            }
        }
    }
    assert_eq!(found(1.0, 0.0, by_seconds), (0, 0));
}

#[test]
fn an_engine_flags_two_second_programs_and_no_fast_people() {
    let document = r#"{ "version": 1, "game": "g", "limits": { "maxPastSeconds": 8640000 },
        "detectors": { "d": { "kind": "family" } } }"#;
    let engine = Engine::new(Rules::from_json(document).unwrap(), MemoryStore::new());
    let flagged = |name: &str, seconds: f64, spread: f64| {
        let of = |who: &u64| {
            let events = times(*who, seconds, spread, 300).into_iter().enumerate();
            let reasons = events.flat_map(|(n, time)| {
                let ts = by_seconds(time).as_unix_millis();
                let command = progression(&format!("e{n}"), &format!("{name}-{who}"), ts, 100);
                let Outcome::Applied(effect) = engine.submit(&command) else { panic!("applied") };
                effect.into_more().verdicts
            });
            // Everybody to the end, found or not.
            reasons.filter(|found| found.verdict.reason == Reason::TooRegular).count() > 0
        };
        (0..10).filter(of).count()
    };
    for seconds in [0.3, 0.5, 0.9, 1.2] {
        assert_eq!(flagged(&format!("person-{seconds}"), seconds, 0.8), 0, "{seconds} s");
    }
    assert_eq!(flagged("program", 2.0, 0.0), 10);
}
