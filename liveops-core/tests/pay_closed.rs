//! One call pays whatever closed since a mark, however long nobody made it and whatever became of the mark.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{DAY, GRACE, Rng, START, at, event, operator, player, progression};
use liveops_core::decorate::{Fault, FaultyStore};
use liveops_core::engine::{PaidPeriod, PayRun};
use liveops_core::event::FieldValue;
use liveops_core::rules::DroppedPeriods;
use liveops_core::{Action, BoardId, Code, Engine, MemoryStore, Outcome, Rules, Window};

/// Two weeks are kept, and three days.
const RULES: &str = r#"{ "version": 1, "game": "emberfall", "calendar": { "graceSeconds": 3600 },
    "boards": {
        "xp": { "value": "grantedXp", "keepPeriods": { "daily": 3, "weekly": 2, "allTime": 0 }, "payouts": {
            "daily": [ { "tier": "best", "ranks": [1, 1], "grant": { "kind": "item", "id": "star", "amount": 1 } } ],
            "weekly": [ { "tier": "gold", "ranks": [1, 1], "grant": { "kind": "item", "id": "crown", "amount": 1 } },
                        { "tier": "all", "percent": "100", "grant": { "kind": "currency", "id": "gem", "amount": 5 } } ] } },
        "kills": { "on": "boss_kill", "value": 1, "keepPeriods": { "weekly": 9 } } },
    "detectors": { "floor": { "kind": "timeFloor", "boss": "hydra", "minimumMs": 1000, "action": "hold" } } }"#;

const WEEK: i64 = 7 * DAY;
/// When the week of [`START`] closes: Monday at 01:00.
const CLOSED: i64 = START + 2 * DAY + GRACE;

fn rules() -> Rules {
    Rules::from_json(RULES).unwrap()
}

/// Three players on each of so many weeks, the last of them over and closed.
fn played(weeks: i64) -> MemoryStore {
    let engine = Engine::new(rules(), MemoryStore::new());
    for week in 0..weeks {
        for n in 0..3 {
            let event = progression(&format!("w{week}"), &format!("p{n}"), START + week * WEEK, 90 - 10 * n);
            assert_eq!(engine.submit(&event).code(), "applied");
        }
    }
    engine.advance(at(CLOSED + (weeks - 1) * WEEK)).unwrap();
    MemoryStore::restore(&engine.store().snapshot()).unwrap()
}

fn told(run: &PayRun) -> Vec<(String, &str, u64, u64)> {
    let one = |period: &PaidPeriod| {
        (period.label.clone(), period.board.period.window.as_str(), period.paid, period.paid_before)
    };
    run.periods.iter().map(|period| (one(period).0, one(period).1, period.paid, period.paid_before)).collect()
}

#[test]
fn after_a_downtime_longer_than_periods_are_kept_the_later_ones_are_paid() {
    let engine = Engine::new(rules(), played(5));
    let now = at(CLOSED + 4 * WEEK + 60_000);
    // What the page said until now: throws at the first week, and so for ever.
    let first = engine.closed_between(at(START), now).into_iter().find(|(_, p)| p.window == Window::Weekly).unwrap().1;
    assert_eq!(engine.payout("xp", first, now).unwrap_err().code(), Code::PeriodDropped);

    let run = engine.pay_closed(Some(at(START)), now).unwrap();
    assert_eq!(
        told(&run),
        [
            ("2026-W48".into(), "weekly", 3, 0),
            ("2026-12-05".into(), "daily", 1, 0),
            ("2026-W49".into(), "weekly", 3, 0)
        ]
    );
    let xp = || BoardId::new("xp").unwrap();
    let day = START / DAY;
    assert_eq!(
        run.dropped,
        [
            DroppedPeriods { board: xp(), window: Window::Daily, first: day - 1, last: day + 26 },
            DroppedPeriods { board: xp(), window: Window::Weekly, first: 2966, last: 2968 }
        ],
        "said once, in two lines"
    );
    assert_eq!(run.mark, Some(at(CLOSED + 4 * WEEK)), "the horizon: what closes later is not dealt with");
    let receipts: Vec<_> = run.periods[2].receipts.iter().map(|receipt| receipt.reward.as_str()).collect();
    assert_eq!(receipts, ["gold", "all", "all"]);

    let digest = engine.digest();
    let again = engine.pay_closed(Some(at(START)), now).unwrap();
    assert_eq!(
        again.periods.iter().map(|p| (p.paid, p.paid_before, p.receipts.len())).collect::<Vec<_>>(),
        [(0, 3, 3), (0, 1, 1), (0, 3, 3)]
    );
    assert_eq!((again.mark, again.dropped, engine.digest()), (run.mark, run.dropped, digest));

    let next = engine.pay_closed(run.mark, now).unwrap();
    assert_eq!((next.periods.len(), next.dropped.len(), next.mark), (0, 0, run.mark));
}

#[test]
fn without_a_mark_it_begins_with_the_oldest_that_is_kept() {
    let engine = Engine::new(rules(), played(5));
    let run = engine.pay_closed(None, at(CLOSED + 4 * WEEK)).unwrap();
    assert_eq!((run.periods.len(), run.dropped.len()), (3, 0));
    let fresh = Engine::new(rules(), MemoryStore::new());
    let run = fresh.pay_closed(None, at(CLOSED)).unwrap();
    assert_eq!((run.periods.len(), run.mark), (0, None), "never advanced: nothing closed");
    assert_eq!(fresh.pay_closed(Some(at(START)), at(CLOSED)).unwrap().mark, None);
}

#[test]
fn only_the_horizon_closes_and_an_earlier_now_waits() {
    let engine = Engine::new(rules(), played(1));
    let run = engine.pay_closed(None, at(CLOSED - 1)).unwrap();
    assert_eq!((told(&run), run.mark), (vec![("2026-11-07".into(), "daily", 1, 0)], Some(at(CLOSED - 1))));
    let run = engine.pay_closed(run.mark, at(CLOSED + 9 * DAY)).unwrap();
    assert_eq!((told(&run).len(), run.mark), (1, Some(at(CLOSED))), "the week, and no further than the horizon");
    let back = engine.pay_closed(run.mark, at(CLOSED - DAY)).unwrap();
    assert_eq!((back.periods.len(), back.mark), (0, run.mark), "a mark never goes back by a now of before");
    // A mark of a store that had been further: see the way back.
    let ahead = engine.pay_closed(Some(at(CLOSED + 90 * DAY)), at(CLOSED)).unwrap();
    assert_eq!((ahead.periods.len(), ahead.mark), (0, Some(at(CLOSED))));
}

#[test]
fn holds_are_told_and_who_is_hidden_is_left_out() {
    let engine = Engine::new(rules(), MemoryStore::new());
    for n in 0..3 {
        engine.submit(&progression("e", &format!("p{n}"), START, 90 - 10 * n));
    }
    let fields = vec![
        ("bossId", FieldValue::Id(common::id("hydra"))),
        ("durationMs", FieldValue::Int(5)),
        ("deltaXp", FieldValue::Int(9)),
    ];
    assert_eq!(engine.submit(&event("held", "p1", START + 1, "boss_kill", fields)).code(), "held");
    engine.submit(&operator("hide", "p0", START + 2, Action::SetVisibility { hidden: true }));
    engine.advance(at(CLOSED)).unwrap();
    let run = engine.pay_closed(None, at(CLOSED)).unwrap();
    let week = run.periods.last().unwrap();
    assert_eq!((week.paid, week.unpaid.len()), (2, 0));
    assert_eq!(
        week.holds.iter().map(|hold| (hold.player_id.as_str(), hold.suspicion)).collect::<Vec<_>>(),
        [("p1", 2)]
    );
    assert_eq!(week.receipts[0].reward.as_str(), "gold", "p1 moved up");
    assert!(engine.receipts(&player("p0")).unwrap().is_empty());
}

#[test]
fn a_mark_waits_for_whoever_could_not_be_paid() {
    let now = at(CLOSED + WEEK);
    // Each call fails once; the first failure of a commit is the one looked for.
    let failing = |call: usize| {
        let mut calls = 0;
        let engine = Engine::new(
            rules(),
            FaultyStore::new(played(2), move || {
                calls += 1;
                if calls == call { Fault::LostReply } else { Fault::None }
            }),
        );
        let run = engine.pay_closed(Some(at(START)), now).ok()?;
        let met = run.periods.iter().any(|period| period.unpaid.iter().any(|u| u.code == Code::StoreOutcomeUnknown));
        met.then_some((engine, run))
    };
    let (engine, run) = (1..100).find_map(failing).unwrap();
    let bad = run.periods.iter().find(|period| !period.unpaid.is_empty()).unwrap();
    assert_eq!(
        run.mark,
        Some(bad.closed_at.minus_millis(1)),
        "later ones were paid, and the mark stays before this one"
    );
    assert!(run.periods.iter().any(|period| period.closed_at > bad.closed_at && period.paid > 0));
    let again = engine.pay_closed(run.mark, now).unwrap();
    assert_eq!((again.periods[0].board.clone(), again.mark), (bad.board.clone(), Some(now)));
    assert!(again.periods.iter().all(|period| period.unpaid.is_empty()));
}

/// What each player was given, in any order.
fn given(store: &MemoryStore) -> Vec<Vec<String>> {
    let engine = Engine::new(rules(), store);
    let of = |n: i32| {
        let mut given: Vec<_> = engine
            .receipts(&player(&format!("p{n}")))
            .unwrap()
            .iter()
            .map(|receipt| format!("{:?} {}", receipt.scope, receipt.reward))
            .collect();
        given.sort();
        given
    };
    (0..3).map(of).collect()
}

/// Whatever fails, and wherever the caller died: everybody is paid once, as by a calm run.
#[test]
fn crashes_anywhere_change_nothing() {
    let now = at(CLOSED + 4 * WEEK);
    let calm = Engine::new(rules(), played(5));
    calm.pay_closed(Some(at(START)), now).unwrap();
    assert_eq!(given(calm.store()).iter().map(Vec::len).collect::<Vec<_>>(), [3, 2, 2]);
    for seed in 0..60 {
        let store = played(5);
        let mut rng = Rng(seed);
        let faults = move || match rng.below(8) {
            0 => Fault::Before,
            1 => Fault::Middle,
            2 => Fault::LostCall,
            3 => Fault::LostReply,
            _ => Fault::None,
        };
        let engine = Engine::new(rules(), FaultyStore::new(&store, faults));
        let (mut mark, mut dice) = (Some(at(START)), Rng(seed));
        for runs in 0.. {
            assert!(runs < 1_000, "seed {seed} comes to no end");
            let Ok(run) = engine.pay_closed(mark, now) else { continue };
            // The caller dies before it keeps the mark, now and then.
            if dice.below(3) > 0 {
                mark = run.mark;
            }
            if mark == Some(now) {
                break;
            }
        }
        assert_eq!(given(&store), given(calm.store()), "seed {seed}");
    }
}

#[test]
fn it_gives_what_the_steps_of_before_give() {
    let (run, steps) = (Engine::new(rules(), played(2)), Engine::new(rules(), played(2)));
    let now = at(CLOSED + WEEK);
    run.pay_closed(None, now).unwrap();
    for (_, period) in steps.closed_between(at(START), now) {
        let Ok(payout) = steps.payout("xp", period, now) else { continue };
        assert!(steps.submit_batch(payout.commands()).iter().all(|outcome| matches!(outcome, Outcome::Applied(_))));
    }
    assert_eq!(run.digest(), steps.digest());
}
