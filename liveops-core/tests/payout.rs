//! Finished boards are paid once, whatever happens in between.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::collections::BTreeMap;

use common::{DAY, GRACE, Rng, START, as_inner, at, kill, operator, player, progression, received};
use liveops_core::board::{Archive, Names};
use liveops_core::decorate::{Fault, FaultyStore};
use liveops_core::error::StoreError;
use liveops_core::record::{ChangeSet, CommitOutcome, Horizon};
use liveops_core::reward::{Scope, verify_chain};
use liveops_core::rules::Payout;
use liveops_core::store::{Loaded, Ready};
use liveops_core::{
    Action, AsyncEngine, Code, Command, Engine, Key, MemoryStore, Outcome, Period, Rules, Ruling, Scan as _, Store,
    Window,
};

const RULES: &str = r#"{ "version": 1, "game": "emberfall",
    "calendar": { "graceSeconds": 3600 },
    "boards": {
        "xp": { "value": "grantedXp", "ranking": "competition", "keepPeriods": { "daily": 2, "weekly": 8, "allTime": 0 },
            "payouts": {
                "daily": [ { "tier": "best", "ranks": [1, 1], "grant": { "kind": "item", "id": "star", "amount": 1 } } ],
                "weekly": [
                    { "tier": "gold", "ranks": [1, 1], "grant": { "kind": "item", "id": "crown", "amount": 1 } },
                    { "tier": "silver", "ranks": [2, 3], "grant": [ { "kind": "currency", "id": "gem", "amount": 50 } ] },
                    { "tier": "top-half", "percent": "50", "grant": { "kind": "currency", "id": "gem", "amount": 5 } }
                ] } },
        "fights": { "on": "boss_kill", "value": 1, "keepPeriods": { "weekly": 1 } } },
    "detectors": { "floor": { "kind": "timeFloor", "boss": "hydra", "minimumMs": 1000, "action": "hold" } } }"#;

/// The week of [`START`], and the day.
const WEEK: Period = Period { window: Window::Weekly, index: 2966 };
const TODAY: Period = Period { window: Window::Daily, index: START / DAY };
/// When that week closes: Monday at 01:00.
const CLOSED: i64 = START + 2 * DAY + GRACE;
/// How long outcomes are kept.
const PAST: i64 = DAY;

fn rules() -> Rules {
    Rules::from_json(RULES).unwrap()
}

/// Ten players, `p0` the best, on a week that is over.
fn played() -> MemoryStore {
    let engine = Engine::new(rules(), MemoryStore::new());
    let events: Vec<_> = (0..10_i64).map(|n| progression("e", &format!("p{n}"), START + n, 100 - 10 * n)).collect();
    engine.submit_batch(&events);
    engine.advance(at(CLOSED)).unwrap();
    MemoryStore::restore(&engine.store().snapshot()).unwrap()
}

fn engine() -> Engine<MemoryStore> {
    Engine::new(rules(), played())
}

fn hide(id: &str, name: &str, ts: i64, hidden: bool) -> Command {
    operator(id, name, ts, Action::SetVisibility { hidden })
}

/// The tiers that each player was paid, as the receipts say.
fn granted(store: &MemoryStore) -> BTreeMap<String, Vec<String>> {
    let engine = Engine::new(rules(), store);
    let mut granted = BTreeMap::new();
    for n in 0..10 {
        let name = format!("p{n}");
        let receipts = engine.receipts(&player(&name)).unwrap();
        let head = engine.record(&player(&name)).unwrap().unwrap_or_default().chain_head;
        verify_chain(&receipts, head).unwrap();
        let tiers: Vec<_> = receipts
            .iter()
            .filter_map(|receipt| match &receipt.scope {
                Scope::Payout { period: WEEK, tier, .. } => Some(tier.to_string()),
                _ => None,
            })
            .collect();
        if !tiers.is_empty() {
            granted.insert(name, tiers);
        }
    }
    granted
}

/// The same, written short: who and what.
fn told(granted: &BTreeMap<String, Vec<String>>) -> String {
    granted.iter().map(|(name, tiers)| format!("{name} {}", tiers.join("+"))).collect::<Vec<_>>().join(", ")
}

const ALL: &str = "p0 gold, p1 silver, p2 silver, p3 top-half, p4 top-half";

fn awarded(payout: &Payout) -> String {
    payout.awards.iter().map(|award| format!("{} {}", award.owner, award.tier)).collect::<Vec<_>>().join(", ")
}

fn codes(outcomes: &[Outcome]) -> Vec<&'static str> {
    outcomes.iter().map(Outcome::code).collect()
}

fn receipts(outcomes: &[Outcome]) -> Vec<usize> {
    outcomes.iter().map(|outcome| outcome.clone().into_effect().unwrap().receipts().len()).collect()
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, liveops_core::Error>) -> Code {
    result.unwrap_err().code()
}

#[test]
fn running_it_again_gives_the_first_answers() {
    let engine = engine();
    let payout = engine.payout("xp", WEEK, at(CLOSED)).unwrap();
    assert_eq!((awarded(&payout).as_str(), payout.closed_at), (ALL, at(CLOSED)));
    assert_eq!(payout.awards.iter().map(|award| award.rank).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let first = engine.submit_batch(payout.commands());
    assert_eq!((codes(&first), receipts(&first)), (vec!["applied"; 5], vec![1; 5]));
    let receipt = &first[1].clone().into_effect().unwrap().into_more().receipts[0];
    assert_eq!((receipt.reward.as_str(), receipt.ts, receipt.items[0].amount()), ("silver", at(CLOSED), 50));
    let id = receipt.cause.id.as_str();
    assert!(id.len() == 32 && payout.commands().iter().all(|command| command.id.id.as_str() == id), "{id}");

    let digest = engine.digest();
    let later = engine.payout("xp", WEEK, at(CLOSED + 9)).unwrap();
    let again = engine.submit_batch(later.commands());
    assert_eq!((codes(&again), receipts(&again)), (vec!["replayed"; 5], vec![1; 5]));
    assert_eq!((engine.digest(), told(&granted(engine.store())).as_str()), (digest, ALL));
}

#[test]
fn a_month_later_the_mark_still_knows() {
    let engine = engine();
    let payout = engine.payout("xp", WEEK, at(CLOSED)).unwrap();
    engine.submit_batch(&payout.commands()[..3]);
    let later = CLOSED + 30 * DAY;
    engine.advance(at(later)).unwrap();
    assert_eq!(engine.store().size().outcomes, 0, "the outcomes were dropped");

    let again = engine.payout("xp", WEEK, at(later)).unwrap();
    assert_eq!(again.awards, payout.awards);
    let outcomes = engine.submit_batch(again.commands());
    assert_eq!(codes(&outcomes), ["replayed", "replayed", "replayed", "applied", "applied"]);
    assert_eq!(receipts(&outcomes), [0, 0, 0, 1, 1], "a mark says that it was paid, not what");
    assert_eq!(told(&granted(engine.store())), ALL);

    // What closed long ago is remembered as long as what closed just now.
    let digest = engine.digest();
    assert_eq!(receipts(&engine.submit_batch(&again.commands()[3..])), [1, 1]);
    engine.advance(at(later + PAST)).unwrap();
    assert_eq!(receipts(&engine.submit_batch(&again.commands()[3..])), [1, 1]);
    engine.advance(at(later + PAST + 1)).unwrap();
    assert_eq!(receipts(&engine.submit_batch(&again.commands()[3..])), [0, 0]);
    assert_ne!(engine.digest(), digest, "outcomes went");
    assert_eq!(told(&granted(engine.store())), ALL);
}

/// Runs the whole recipe until nothing is in doubt.
fn insist<S: Store + liveops_core::Boards + liveops_core::Scan>(engine: &Engine<S>, now: i64, size: usize) -> usize {
    let mut runs = 0;
    loop {
        runs += 1;
        let Ok(payout) = engine.payout("xp", WEEK, at(now)) else { continue };
        let outcomes: Vec<_> = payout.commands().chunks(size).flat_map(|batch| engine.submit_batch(batch)).collect();
        if outcomes.iter().all(|outcome| matches!(outcome, Outcome::Applied(_) | Outcome::Replayed(_))) {
            return runs;
        }
    }
}

#[test]
fn crashes_on_the_way_change_nothing() {
    let calm = engine();
    insist(&calm, CLOSED, 100);
    let mut most = 0;
    for seed in 0..40 {
        let store = played();
        let mut rng = Rng(seed);
        let faults = move || match rng.below(8) {
            0 => Fault::Before,
            1 => Fault::Middle,
            2 => Fault::LostCall,
            3 => Fault::LostReply,
            _ => Fault::None,
        };
        let runs = insist(&Engine::new(rules(), FaultyStore::new(&store, faults)), CLOSED, 3);
        assert_eq!(store.digest(), calm.store().digest(), "seed {seed}");
        assert_eq!(told(&granted(&store)), ALL);
        most = most.max(runs);
    }
    assert!(most > 3, "no payout met more than {most} runs");
}

#[test]
fn batches_and_threads_make_no_difference() {
    let whole = engine();
    insist(&whole, CLOSED, 100);
    for size in [1, 2, 7] {
        let engine = engine();
        insist(&engine, CLOSED, size);
        assert_eq!(engine.digest(), whole.digest(), "batches of {size}");
    }
    let engine = engine();
    std::thread::scope(|scope| {
        for size in 1..=6 {
            let engine = &engine;
            scope.spawn(move || insist(engine, CLOSED + i64::try_from(size).unwrap(), size));
        }
    });
    assert_eq!(engine.digest(), whole.digest(), "six payouts at a time");
}

#[test]
fn the_async_engine_takes_the_same_commands() {
    let blocking = engine();
    let payout = blocking.payout("xp", WEEK, at(CLOSED)).unwrap();
    let engine = AsyncEngine::new(rules(), Ready(played()));
    // Whose rows are read elsewhere, as an asynchronous store's are, makes the same commands by rules alone.
    let rows = blocking.board("xp").unwrap().of(WEEK).page(0, 1_000).unwrap();
    let horizon = Horizon { now: at(CLOSED), ..Horizon::default() };
    assert_eq!(engine.rules().payout(&payout.board, &rows, horizon, at(CLOSED)).unwrap(), payout);
    let open = Horizon { now: at(CLOSED - 1), ..horizon };
    assert_eq!(refused(engine.rules().payout(&payout.board, &rows, open, at(CLOSED))), Code::PeriodOpen);
    let commands = payout.into_commands();
    for wanted in ["applied", "replayed"] {
        let mut future = std::pin::pin!(engine.submit_batch(&commands));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready(outcomes) = future.as_mut().poll(&mut context) else { panic!("it answers at once") };
        assert_eq!(codes(&outcomes), [wanted; 5]);
    }
    blocking.submit_batch(&commands);
    assert_eq!(engine.store().0.digest(), blocking.store().digest());
}

#[test]
fn only_the_horizon_closes_a_period() {
    let engine = Engine::new(rules(), MemoryStore::new());
    engine.submit(&progression("e", "p0", START, 10));
    let open = |now: i64| (refused(engine.payout("xp", WEEK, at(now))), refused(archived(&engine, "xp", WEEK, now)));
    assert_eq!(open(START), (Code::PeriodOpen, Code::PeriodOpen));
    engine.advance(at(CLOSED - 1)).unwrap();
    let by_the_clock = common::payout("xp", Window::Weekly, 2966, "p0", 1);
    assert_eq!(open(CLOSED + DAY), (Code::PeriodOpen, Code::PeriodOpen), "the grace lasts until an advance");
    assert_eq!(engine.submit(&received(by_the_clock.clone(), CLOSED + DAY)).code(), "period_open");

    // It came in before, and is taken after all: the board was not finished.
    let sunday = CLOSED - GRACE - 1;
    let slow = received(progression("slow", "p1", sunday, 20), CLOSED - 1);
    assert!(engine.submit(&slow).into_effect().unwrap().late().is_empty());
    engine.advance(at(CLOSED)).unwrap();
    let payout = engine.payout("xp", WEEK, at(CLOSED)).unwrap();
    assert_eq!(awarded(&payout), "p1 gold, p0 silver");
    let slower = received(progression("slower", "p0", sunday, 99), CLOSED - 1);
    assert!(!engine.submit(&slower).into_effect().unwrap().late().is_empty(), "from here on it is");
    assert_eq!(engine.payout("xp", WEEK, at(CLOSED)).unwrap(), payout);
}

fn archived(
    engine: &Engine<MemoryStore>,
    board: &str,
    period: Period,
    now: i64,
) -> Result<(Archive, Names), liveops_core::Error> {
    engine.board(board)?.archive(period, at(now))
}

#[test]
fn what_cannot_be_paid_is_refused() {
    let engine = engine();
    let payout = |board: &str, period, now: i64| refused(engine.payout(board, period, at(now)));
    let next = Period { index: WEEK.index + 1, ..WEEK };
    let all_time = Period { window: Window::AllTime, index: 0 };
    let monthly = Period { window: Window::Monthly, index: 682 };
    assert_eq!(payout("xp", next, CLOSED), Code::PeriodOpen);
    assert_eq!(payout("xp", Period { index: i64::MAX, ..WEEK }, CLOSED), Code::PeriodOpen);
    assert_eq!(payout("xp", Period { index: i64::MIN, ..WEEK }, CLOSED), Code::PeriodDropped);
    assert_eq!(payout("none", WEEK, CLOSED), Code::UnknownBoard);
    assert_eq!(payout("a b", WEEK, CLOSED), Code::UnknownBoard);
    assert_eq!(payout("xp", monthly, CLOSED), Code::UnknownWindow);
    assert_eq!(
        (payout("fights", WEEK, CLOSED), payout("xp", all_time, CLOSED)),
        (Code::UnknownPayout, Code::UnknownPayout)
    );
    assert_eq!(refused(archived(&engine, "xp", monthly, CLOSED)), Code::UnknownWindow);
    assert_eq!(refused(archived(&engine, "xp", all_time, CLOSED)), Code::PeriodOpen);
    assert!(archived(&engine, "fights", WEEK, CLOSED).is_ok(), "what pays nothing can be archived");

    let command = |board: &str, window, index, name: &str| {
        engine.submit(&received(common::payout(board, window, index, name, 1), CLOSED)).code()
    };
    assert_eq!(command("none", Window::Weekly, 2966, "p0"), "unknown_board");
    assert_eq!(command("xp", Window::Monthly, 0, "p0"), "unknown_window");
    assert_eq!(command("xp", Window::AllTime, 0, "p0"), "period_open");
    assert_eq!(command("xp", Window::Weekly, 2966, "nobody"), "standing_unknown");
    assert_eq!(command("xp", Window::Weekly, 2965, "p0"), "standing_unknown", "kept, and the player was not there");
    assert_eq!(command("xp", Window::Daily, 0, "nobody"), "standing_unknown", "dropped, and nobody is there");
    assert_eq!(engine.digest(), Engine::new(rules(), played()).digest(), "nothing was written");

    // The eighth week after it closes: dropped.
    let dropped = CLOSED + 8 * 7 * DAY;
    engine.advance_far(at(dropped - 1)).unwrap();
    assert_eq!(engine.payout("xp", WEEK, at(dropped - 1)).unwrap().awards.len(), 5);
    assert_eq!(payout("xp", WEEK, dropped), Code::PeriodDropped, "by the clock, which no reader outlives");
    engine.advance(at(dropped)).unwrap();
    assert_eq!(payout("xp", WEEK, dropped), Code::PeriodDropped);
    assert_eq!(refused(archived(&engine, "xp", WEEK, dropped)), Code::PeriodDropped);
}

#[test]
fn an_archive_pays_after_its_period_was_dropped() {
    for paid_before in [0, 2, 5] {
        let engine = engine();
        let payout = engine.payout("xp", WEEK, at(CLOSED)).unwrap();
        let (archive, names) = archived(&engine, "xp", WEEK, CLOSED).unwrap();
        assert_eq!(archive.heading().label.as_ref(), "2026-W45");
        engine.submit_batch(&payout.commands()[..paid_before]);
        let dropped = CLOSED + 60 * DAY;
        engine.advance_far(at(dropped)).unwrap();
        // A write lets go of the entries.
        let events: Vec<_> = (0..10).map(|n| progression("later", &format!("p{n}"), dropped, 1)).collect();
        engine.submit_batch(&events);
        assert_eq!(refused(engine.payout("xp", WEEK, at(dropped))), Code::PeriodDropped);

        let archive = Archive::from_bytes(&archive.to_bytes()).unwrap();
        let again = engine.payout_archived(&archive, &names, at(dropped)).unwrap();
        assert_eq!((&again.awards, &again.board), (&payout.awards, &payout.board));
        assert_eq!(again.commands()[0].ts, payout.commands()[0].ts);
        let outcomes = engine.submit_batch(again.commands());
        let wanted = [vec!["replayed"; paid_before], vec!["applied"; 5 - paid_before]].concat();
        assert_eq!(codes(&outcomes), wanted);
        assert_eq!(told(&granted(engine.store())), ALL);
        assert_eq!(codes(&engine.submit_batch(again.commands())), ["replayed"; 5]);
        // From the board, if that were still there, it would be the same commands.
        assert_eq!(codes(&engine.submit_batch(payout.commands())), ["replayed"; 5]);
    }
}

#[test]
fn who_is_hidden_is_paid_nothing() {
    let engine = engine();
    let payout = engine.payout("xp", WEEK, at(CLOSED)).unwrap();
    let (archive, names) = archived(&engine, "xp", WEEK, CLOSED).unwrap();
    // Between reading the board and paying it.
    engine.submit(&hide("h1", "p0", CLOSED, true));
    assert_eq!(codes(&engine.submit_batch(&payout.commands()[..1])), ["player_hidden"]);
    // On the board nobody knows of them, and everyone moves up; in an archive ranks stay.
    let now = engine.payout("xp", WEEK, at(CLOSED)).unwrap();
    assert_eq!(awarded(&now), "p1 gold, p2 silver, p3 silver, p4 top-half, p5 top-half", "half of nine are five");
    let from_archive = engine.payout_archived(&archive, &names, at(CLOSED)).unwrap();
    assert_eq!(awarded(&from_archive), "p1 silver, p2 silver, p3 top-half, p4 top-half");
    assert_eq!(codes(&engine.submit_batch(from_archive.commands())), ["applied"; 4]);
    // Shown again, they are paid by the next run.
    engine.submit(&hide("h2", "p0", CLOSED + 1, false));
    insist(&engine, CLOSED + 1, 100);
    assert_eq!(told(&granted(engine.store())), ALL);
}

#[test]
fn hiding_between_two_runs_moves_ranks_but_pays_nobody_twice() {
    let engine = engine();
    let first = engine.payout("xp", WEEK, at(CLOSED)).unwrap();
    // Crashed after three: gold, silver, silver.
    engine.submit_batch(&first.commands()[..3]);
    engine.submit(&hide("h", "p1", CLOSED, true));
    let second = engine.payout("xp", WEEK, at(CLOSED)).unwrap();
    assert_eq!(awarded(&second), "p0 gold, p2 silver, p3 silver, p4 top-half, p5 top-half");
    let outcomes = engine.submit_batch(second.commands());
    assert_eq!(
        codes(&outcomes),
        ["replayed", "event_id_reused", "applied", "applied", "applied"],
        "p2 was paid as third and is second now"
    );
    let paid = "p0 gold, p1 silver, p2 silver, p3 silver, p4 top-half, p5 top-half";
    assert_eq!(told(&granted(engine.store())), paid);

    // Once the outcomes are dropped, the marks answer alone, whatever the content.
    engine.advance(at(CLOSED + PAST + 1)).unwrap();
    for hidden in [true, false] {
        engine.submit(&hide(&format!("again-{hidden}"), "p1", CLOSED + PAST + 2, hidden));
        let payout = engine.payout("xp", WEEK, at(CLOSED + PAST + 2)).unwrap();
        assert_eq!(codes(&engine.submit_batch(payout.commands())), ["replayed"; 5]);
        assert_eq!(codes(&engine.submit_batch(first.commands())), ["replayed"; 5]);
    }
    assert_eq!(told(&granted(engine.store())), paid);
}

#[test]
fn open_holds_are_reported_and_releasing_them_moves_nobody() {
    let engine = Engine::new(rules(), MemoryStore::new());
    let with_xp = |id: &str, name: &str, ts| {
        use liveops_core::event::FieldValue;
        let fields = vec![
            ("bossId", FieldValue::Id(common::id("hydra"))),
            ("deltaXp", FieldValue::Int(500)),
            ("durationMs", FieldValue::Int(5)),
        ];
        common::event(id, name, ts, "boss_kill", fields)
    };
    engine.submit_batch(&[
        progression("e", "p0", START, 50),
        progression("e", "p1", START, 40),
        with_xp("held", "p1", START + 1),
        with_xp("held", "p2", START + 2),
        with_xp("settled", "p2", START + 3),
        kill("no-xp", "p3", START + 4, "hydra", 5),
    ]);
    let before = with_xp("before", "p4", START - 5 * DAY - 1);
    assert_eq!(engine.submit(&before).code(), "held", "in the week before");
    engine.submit(&operator("r", "p2", START + 9, Action::Review { suspicion: 2, ruling: Ruling::Confirm }));
    engine.advance(at(CLOSED)).unwrap();

    let payout = engine.payout("xp", WEEK, at(CLOSED)).unwrap();
    let holds: Vec<_> = payout.holds.iter().map(|hold| (hold.player_id.as_str(), hold.suspicion)).collect();
    assert_eq!(holds, [("p1", 2), ("p2", 1)], "not the settled one, nor what is worth no XP, nor another week's");
    assert_eq!(payout.holds[0].ts, at(START + 1));
    engine.submit_batch(&payout.commands()[..1]);

    let release = operator("r1", "p1", CLOSED + 1, Action::Review { suspicion: 2, ruling: Ruling::Release });
    let released = engine.submit(&release).into_effect().unwrap();
    assert_eq!((released.xp.granted, released.late().len()), (500, 3), "too late for the week");
    let again = engine.payout("xp", WEEK, at(CLOSED + 2)).unwrap();
    assert_eq!((&again.awards, again.holds.len()), (&payout.awards, 1));
    assert_eq!(codes(&engine.submit_batch(again.commands())), ["replayed", "applied"]);
    assert_eq!(told(&granted(engine.store())), "p0 gold, p1 silver");
}

#[test]
fn erasing_ends_it() {
    let engine = engine();
    let payout = engine.payout("xp", WEEK, at(CLOSED)).unwrap();
    let (archive, mut names) = archived(&engine, "xp", WEEK, CLOSED).unwrap();
    engine.submit_batch(&payout.commands()[..1]);
    for name in ["p0", "p1"] {
        engine.submit(&operator("erase", name, CLOSED + 1, Action::Erase));
    }
    let both = &payout.commands()[..2];
    assert_eq!(codes(&engine.submit_batch(both)), ["player_erased"; 2]);
    assert_eq!(awarded(&engine.payout("xp", WEEK, at(CLOSED)).unwrap()), "p2 gold, p3 silver, p4 silver, p5 top-half");
    let from_archive = engine.payout_archived(&archive, &names, at(CLOSED)).unwrap();
    assert_eq!(awarded(&from_archive), "p2 silver, p3 top-half, p4 top-half", "whoever is gone is left out");

    // The mark of erasing goes too, and p1 comes back: as somebody new, who was not there that week.
    let later = CLOSED + PAST + 2;
    engine.advance(at(later)).unwrap();
    assert!(engine.store().scan_player(&player("p0"), None, None, 1_000).unwrap().is_empty());
    engine.submit(&progression("new", "p1", later, 10));
    assert_eq!(codes(&engine.submit_batch(both)), ["standing_unknown"; 2]);

    // Once the period is dropped only the names can tell: they were to be forgotten.
    let dropped = CLOSED + 60 * DAY;
    engine.advance_far(at(dropped)).unwrap();
    names.forget(&player("p0"));
    names.forget(&player("p1"));
    let from_archive = engine.payout_archived(&archive, &names, at(dropped)).unwrap();
    assert_eq!(awarded(&from_archive), "p2 silver, p3 top-half, p4 top-half");
    assert_eq!(codes(&engine.submit_batch(&both[..1])), ["standing_unknown"], "nobody is there");
    assert_eq!(told(&granted(engine.store())), "");
}

#[test]
fn windows_and_boards_are_paid_apart() {
    let engine = engine();
    for (period, paid) in [(TODAY, 1), (WEEK, 5)] {
        let payout = engine.payout("xp", period, at(CLOSED)).unwrap();
        assert_eq!(codes(&engine.submit_batch(payout.commands())), vec!["applied"; paid]);
    }
    let record = engine.record(&player("p0")).unwrap().unwrap();
    assert_eq!(record.receipts, 2);
    let json = serde_json::to_value(&record).unwrap()["paid"].clone();
    let day = TODAY.index;
    assert_eq!(
        json,
        serde_json::json!([{ "board": "xp", "window": "daily", "ranges": [[day, day]] },
            { "board": "xp", "window": "weekly", "ranges": [[2966, 2966]] }])
    );
    let restored = Engine::new(rules(), MemoryStore::restore(&engine.store().snapshot()).unwrap());
    assert_eq!(restored.digest(), engine.digest());
    restored.advance(at(CLOSED + 3 * DAY)).unwrap();
    let payout = restored.payout("xp", WEEK, at(CLOSED + 3 * DAY)).unwrap();
    assert_eq!(codes(&restored.submit_batch(payout.commands())), ["replayed"; 5], "marks are restored");
}

/// New tiers do not pay again, and a payment commits beside other commands of the player.
#[test]
fn changed_rules_pay_nobody_again() {
    let engine = engine();
    let payout = engine.payout("xp", WEEK, at(CLOSED)).unwrap();
    engine.submit_batch(payout.commands());
    let generous =
        RULES.replace(r#""percent": "50""#, r#""percent": "70""#).replace(r#""amount": 50"#, r#""amount": 60"#);
    engine.replace_rules(Rules::from_json(&generous).unwrap()).unwrap();
    let again = engine.payout("xp", WEEK, at(CLOSED)).unwrap();
    let mut batch = again.into_commands();
    batch.insert(0, progression("new", "p5", CLOSED, 10));
    let outcomes = engine.submit_batch(&batch);
    assert_eq!(
        codes(&outcomes),
        ["applied", "replayed", "event_id_reused", "event_id_reused", "replayed", "replayed", "applied", "applied"]
    );
    assert_eq!(told(&granted(engine.store())), format!("{ALL}, p5 top-half, p6 top-half"));
}

/// Advances far between load and commit.
struct Leaps<'s>(&'s MemoryStore, i64);

impl Store for Leaps<'_> {
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        self.0.load(keys)
    }
    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        Engine::new(rules(), self.0).advance(at(self.1)).unwrap();
        self.0.commit(batch)
    }
    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        self.0.advance(to)
    }
    as_inner!(0);
}

#[test]
fn an_advance_in_between_does_not_make_a_payment_too_old() {
    let store = played();
    let far = CLOSED + 20 * DAY;
    let commands = Engine::new(rules(), &store).payout("xp", WEEK, at(CLOSED)).unwrap().into_commands();
    let engine = Engine::new(rules(), Leaps(&store, far));
    assert_eq!(codes(&engine.submit_batch(&commands)), ["applied"; 5]);
    // No outcome was written that the next advance would drop at once.
    Engine::new(rules(), &store).advance(at(far + PAST)).unwrap();
    assert_eq!(receipts(&engine.submit_batch(&commands)), [1; 5]);
}
