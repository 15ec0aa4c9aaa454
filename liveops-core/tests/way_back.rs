//! Advancing too far: what refuses it, and how a store comes back from it without taking anything in twice.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::error::Error as _;

use common::{DAY, GRACE, Rng, START, at, operator, player, progression, received};
use liveops_core::record::{AdvanceError, Measure};
use liveops_core::store::Ready;
use liveops_core::{Action, AsyncEngine, Code, Engine, Error, MemoryStore, Outcome, Rules, Window};

const RULES: &str = r#"{ "version": 1, "game": "emberfall", "calendar": { "graceSeconds": 3600 },
    "limits": { "maxPastSeconds": 86400 },
    "boards": { "xp": { "value": "grantedXp", "keepPeriods": { "daily": 3, "weekly": 2, "allTime": 0 }, "payouts": {
        "weekly": [ { "tier": "gold", "ranks": [1, 1], "grant": { "kind": "item", "id": "crown", "amount": 1 } } ] } } } }"#;

/// When the week of [`START`] closes.
const CLOSED: i64 = START + 2 * DAY + GRACE;
const MONTH: i64 = 31 * DAY;

fn rules() -> Rules {
    Rules::from_json(RULES).unwrap()
}

fn engine() -> Engine<MemoryStore> {
    Engine::new(rules(), MemoryStore::new())
}

fn why<T: std::fmt::Debug>(refused: Result<T, Error>) -> AdvanceError {
    *refused.unwrap_err().source().unwrap().downcast_ref::<AdvanceError>().unwrap()
}

fn back(engine: &Engine<MemoryStore>, now: i64) -> Engine<MemoryStore> {
    Engine::new(rules(), MemoryStore::restore_at(&engine.store().snapshot(), &rules(), at(now)).unwrap())
}

fn horizon(engine: &Engine<MemoryStore>) -> (i64, i64) {
    let horizon = engine.horizon().unwrap();
    (horizon.now.as_unix_millis(), horizon.forgotten_before.as_unix_millis())
}

#[test]
fn a_wrong_clock_moves_nothing() {
    let engine = engine();
    engine.advance(at(START)).unwrap();
    let digest = engine.digest();
    for (now, wanted) in [
        (START * 1_000_000, AdvanceError::Nanoseconds(Measure::Horizon)),
        (START * 1_000, AdvanceError::Microseconds(Measure::Horizon)),
        (START / 1_000, AdvanceError::Seconds(Measure::Horizon)),
        (START + MONTH + 1, AdvanceError::Jump),
        (i64::MAX, AdvanceError::Jump),
    ] {
        let refused = engine.advance(at(now));
        let code = refused.as_ref().unwrap_err().code();
        assert_eq!(code, if wanted == AdvanceError::Jump { Code::ClockJump } else { Code::ClockUnit });
        assert_eq!((why(refused), engine.digest()), (wanted, digest.clone()), "{now}");
    }
    assert_eq!(engine.submit(&progression("e", "ana", START, 5)).code(), "applied", "none is too old");
    assert_eq!(engine.advance(at(START - 1)).unwrap().now, at(START), "a little behind is no mistake");
    assert_eq!(engine.advance(at(START + MONTH)).unwrap().now, at(START + MONTH));
    assert_eq!(engine.advance_far(at(START + 900 * DAY)).unwrap().now, at(START + 900 * DAY), "meant");
}

#[test]
fn the_first_advance_is_measured_by_events_alone() {
    assert!(engine().advance(at(START * 1_000_000)).is_ok(), "nothing is known");
    let engine = engine();
    engine.submit(&progression("refused", "ana", START - 9 * DAY, 0));
    engine.submit(&progression("e", "ana", START, 5));
    assert_eq!(why(engine.advance(at(START * 1_000_000))), AdvanceError::Nanoseconds(Measure::Event));
    assert_eq!(why(engine.advance(at(START / 1_000))), AdvanceError::Seconds(Measure::Event));
    assert!(engine.advance(at(START + 400 * DAY)).is_ok(), "free, however far");
}

#[test]
fn the_async_engine_refuses_the_same() {
    fn wait<F: Future>(future: F) -> F::Output {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::pin!(future).poll(&mut context) {
            std::task::Poll::Ready(output) => output,
            std::task::Poll::Pending => panic!("it answers at once"),
        }
    }
    let engine = AsyncEngine::new(rules(), Ready(MemoryStore::new()));
    wait(engine.submit(&progression("e", "ana", START, 5)));
    assert_eq!(why(wait(engine.advance(at(START * 1_000)))), AdvanceError::Microseconds(Measure::Event));
    wait(engine.advance(at(START))).unwrap();
    assert_eq!(why(wait(engine.advance(at(START + MONTH + 1)))), AdvanceError::Jump);
    assert_eq!(wait(engine.advance_far(at(START + MONTH + 1))).unwrap().now, at(START + MONTH + 1));
}

#[test]
fn what_was_forgotten_is_not_taken_in_again() {
    let engine = engine();
    let events = [progression("e1", "ana", START, 50), progression("e2", "bo", START + 1_000, 40)];
    engine.submit_batch(&events);
    engine.advance(at(START + 60_000)).unwrap();
    engine.advance_far(at(START + 4_000 * DAY)).unwrap();
    assert_eq!(engine.store().size().outcomes, 0, "their outcomes are gone");
    let meanwhile = progression("e3", "ana", START + 120_000, 7);
    assert_eq!(engine.submit(&meanwhile).code(), "too_old");

    // A plain restore is as stuck as before.
    let stuck = Engine::new(rules(), MemoryStore::restore(&engine.store().snapshot()).unwrap());
    assert_eq!(stuck.submit(&meanwhile).code(), "too_old");

    let now = START + 180_000;
    let engine = back(&engine, now);
    assert_eq!(horizon(&engine), (now, START + 1_001), "just after the newest command of any player");
    let digest = engine.digest();
    for event in &events {
        let again = received(event.clone(), now);
        assert_eq!(engine.submit(&again).code(), "too_old", "applied before, its outcome dropped");
    }
    assert_eq!(engine.digest(), digest);
    assert_eq!(engine.submit(&meanwhile).code(), "applied", "never taken in: now it is");
    assert_eq!(engine.submit(&meanwhile).code(), "replayed");
    assert_eq!(engine.player(&player("ana")).unwrap().unwrap().xp, 57);
    assert!(engine.advance(at(now + 60_000)).is_ok(), "and time goes on");
}

#[test]
fn a_period_that_was_paid_stays_closed() {
    let engine = engine();
    engine.submit_batch(&[progression("e1", "ana", START, 50), progression("e2", "bo", START, 40)]);
    engine.advance_far(at(CLOSED + 60_000)).unwrap();
    engine.pay_closed(None, at(CLOSED + 60_000)).unwrap();

    // The true time is a day before the week's end: but the week was paid.
    let now = START + DAY;
    let engine = back(&engine, now);
    let (moved_to, forgotten_before) = horizon(&engine);
    assert_eq!(moved_to, CLOSED);
    assert_eq!(forgotten_before, CLOSED + 60_000 - DAY, "what the wrong advance remembered is remembered");
    let digest = engine.digest();
    let late = received(progression("e3", "bo", START + DAY + 2 * GRACE, 900), now);
    let outcome = engine.submit(&late).into_effect().unwrap();
    assert_eq!(
        outcome.late().iter().map(|key| key.period.window).collect::<Vec<_>>(),
        [Window::Daily, Window::Weekly],
        "nor on its last day"
    );
    let week = liveops_core::Period { window: Window::Weekly, index: 2966 };
    assert_eq!(engine.board("xp").unwrap().of(week).page(0, 9).unwrap()[0].owner.as_str(), "ana");
    let again = engine.pay_closed(None, at(now)).unwrap();
    assert!(again.periods.iter().all(|period| period.paid == 0 && period.unpaid.is_empty()), "{again:?}");
    assert_ne!(engine.digest(), digest);
}

/// Random games, advanced too far at a random moment, brought back: whatever was applied is not applied again, whatever was not
/// can be, and XP is the sum of each event once.
#[test]
fn however_it_went_each_event_counts_once() {
    for seed in 0..200 {
        let mut rng = Rng(seed);
        let mut engine = engine();
        let mut now = START;
        let (mut all, mut xp) = (Vec::new(), std::collections::BTreeMap::<String, u64>::new());
        for round in 0..3 {
            for n in 0..rng.below(20) {
                now += rng.millis(3_600_000);
                let name = format!("p{}", rng.below(4));
                let event = progression(&format!("{round}-{n}"), &name, now, 1 + rng.millis(9));
                if let Outcome::Applied(effect) = engine.submit(&event) {
                    *xp.entry(name).or_default() += effect.xp.granted;
                }
                all.push(event);
                if rng.below(5) == 0 {
                    engine.advance_far(at(now)).unwrap();
                }
            }
            if rng.below(4) == 0 {
                let hidden = rng.below(2) == 0;
                engine.submit(&operator(&format!("h{round}"), "p0", now, Action::SetVisibility { hidden }));
            }
            engine.advance_far(at(now + 1 + rng.millis(900 * DAY))).unwrap();
            engine = back(&engine, now);
            for event in &all {
                let outcome = engine.submit(&received(event.clone(), now));
                if let Outcome::Applied(effect) = outcome {
                    panic!("seed {seed}: {} came again for {}", event.id.id, effect.xp.granted);
                }
            }
        }
        for (name, xp) in xp {
            let view = engine.player(&player(&name)).unwrap().unwrap();
            assert_eq!(view.xp, xp, "seed {seed}: {name}");
        }
    }
}

#[test]
fn restoring_at_a_later_time_changes_nothing() {
    let engine = engine();
    engine.submit(&progression("e1", "ana", START, 50));
    engine.advance(at(START)).unwrap();
    assert_eq!(back(&engine, START + 9).digest(), engine.digest());
    assert_eq!(back(&Engine::new(rules(), MemoryStore::new()), START).store().digest(), MemoryStore::new().digest());
    assert!(MemoryStore::restore_at(b"none", &rules(), at(START)).is_err());
}
