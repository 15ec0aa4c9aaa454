//! What a caller sees, one promise per test.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use common::{
    DAY, FIGHT_MIN, FUTURE, GRACE, INTEGER_MAX, PAST, START, as_inner, at, kill, operator, player, received, rules,
};
use liveops_core::decorate::{CountingStore, Fault, FaultyStore, SlowStore};
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::event::FieldValue;
use liveops_core::limits::{ATTEMPTS_MAX, RUN_LEN_MAX};
use liveops_core::record::{ChangeSet, CommitOutcome, Header, Horizon, Player, Reason, Settled};
use liveops_core::store::{Happened, Loaded, Partitioned as _, by_load_and_commit};
use liveops_core::{
    Action, Code, Command, Engine, Feed as _, FullStore, Key, MemoryStore, Outcome, Plan, Record, Rules, Ruling,
    Scan as _, Store, Window,
};

fn engine() -> Engine<MemoryStore> {
    Engine::new(rules(), MemoryStore::new())
}

fn engine_of(document: &str) -> Engine<MemoryStore> {
    Engine::new(Rules::from_json(document).unwrap(), MemoryStore::new())
}

fn xp(id: &str, name: &str, ts: i64, delta_xp: i64) -> Command {
    common::progression(id, name, ts, delta_xp)
}

fn stored<S: Store>(engine: &Engine<S>, name: &str) -> Player {
    engine.record(&player(name)).unwrap().unwrap()
}

fn order(engine: &Engine<MemoryStore>) -> Vec<String> {
    let rows = engine.board("xp").unwrap().top(Window::AllTime, 99, at(START)).unwrap();
    rows.into_iter().map(|row| row.owner.to_string()).collect()
}

fn hide(id: &str, name: &str, ts: i64, hidden: bool) -> Command {
    operator(id, name, ts, Action::SetVisibility { hidden })
}

fn review(id: &str, ts: i64, suspicion: u64, ruling: Ruling) -> Command {
    operator(id, "ann", ts, Action::Review { suspicion, ruling })
}

fn adjust(id: &str, name: &str, ts: i64, xp: i64) -> Command {
    operator(id, name, ts, Action::Adjust { xp, reason: Reason::new("a test").unwrap() })
}

#[track_caller]
fn applied(outcome: &Outcome) -> &liveops_core::Effect {
    if let Outcome::Applied(effect) = outcome { effect } else { panic!("{outcome:?}") }
}

#[track_caller]
fn code(outcome: &Outcome) -> Code {
    match outcome {
        Outcome::Refused(error) | Outcome::Unknown(error) => error.code(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn engines_share_rules_until_one_gets_others() {
    let shared = Arc::new(rules());
    let [one, other] = [(); 2].map(|()| Engine::new(Arc::clone(&shared), MemoryStore::new()));
    assert!(Arc::ptr_eq(&one.rules(), &shared) && Arc::ptr_eq(&other.rules(), &shared), "none has a copy");
    one.replace_rules(rules()).unwrap();
    assert!(!Arc::ptr_eq(&one.rules(), &shared) && Arc::ptr_eq(&other.rules(), &shared));
}

#[test]
fn a_payout_cannot_be_blocked_by_an_event_of_its_name() {
    let engine = engine();
    engine.submit(&xp("payout-7", "ann", START, 1));
    applied(&engine.submit(&hide("payout-7", "ann", START, false)));
}

#[test]
fn a_retry_in_the_same_batch_is_a_retry() {
    let engine = engine();
    let first = xp("e", "ann", START, 150);
    let again = received(first.clone(), START + 9);
    let outcomes = engine.submit_batch(&[first, again, xp("e", "ann", START, 151)]);
    assert_eq!(applied(&outcomes[0]).receipts().len(), 1);
    assert!(matches!(&outcomes[1], Outcome::Replayed(e) if e.receipts().len() == 1));
    assert_eq!(code(&outcomes[2]), Code::EventIdReused);
}

#[test]
fn unhiding_restores_the_exact_order() {
    let engine = engine();
    for (n, name) in (0..).zip(["dee", "ann", "cat", "bob", "eve"]) {
        engine.submit(&xp("e", name, START + n, if name == "eve" { 90 } else { 50 }));
    }
    let before = order(&engine);
    assert_eq!(before, ["eve", "dee", "ann", "cat", "bob"], "ties in the order reached");
    engine.submit(&hide("hide", "ann", START + 9, true));
    assert_eq!(order(&engine), ["eve", "dee", "cat", "bob"]);
    let rank = |name| engine.board("xp").unwrap().at(Window::AllTime, at(START)).unwrap().rank(&player(name)).unwrap();
    assert_eq!((rank("ann"), rank("cat")), (None, Some(3)));
    engine.submit(&hide("show", "ann", START + 10, false));
    assert_eq!(order(&engine), before);
}

#[test]
fn a_late_event_counts_where_it_still_can() {
    let engine = engine();
    let late = |id: &str, came: i64| {
        let outcome = engine.submit(&received(xp(id, "ann", START - 1, 10), came));
        applied(&outcome).late().iter().map(|key| key.period.window).collect::<Vec<_>>()
    };
    assert_eq!(late("grace", START + GRACE - 1), []);
    assert_eq!(late("late", START + GRACE), [Window::Daily]);
    engine.advance(at(START + GRACE)).unwrap();
    assert_eq!(late("slow", START + GRACE - 1), [Window::Daily], "the horizon decides too");
    let rows = engine.board("xp").unwrap().top(Window::AllTime, 9, at(START)).unwrap();
    assert_eq!(rows[0].score, 30);
}

#[test]
fn a_held_event_is_decided_by_one_review() {
    let engine = engine();
    let held = kill("fight", "ann", START, "hydra", FIGHT_MIN - 1);
    let first = engine.submit(&held);
    assert_eq!((first.code(), applied(&first).held(), applied(&first).xp.granted), ("held", Some(1), 0));
    assert!(order(&engine).is_empty());
    let release = review("r1", START + 5, 1, Ruling::Release);
    let outcomes = engine.submit_batch(&[
        release.clone(),
        release.clone(),
        review("r2", START + 5, 1, Ruling::Confirm),
        review("r3", START + 5, 9, Ruling::Release),
    ]);
    assert_eq!((applied(&outcomes[0]).xp.granted, applied(&outcomes[0]).receipts().len()), (25, 1));
    assert!(matches!(&outcomes[1], Outcome::Replayed(e) if e.xp.granted == 25));
    assert_eq!(code(&outcomes[2]), Code::SuspicionSettled);
    assert_eq!(code(&outcomes[3]), Code::SuspicionUnknown);
    assert!(matches!(engine.submit(&held), Outcome::Replayed(e) if e.held() == Some(1)), "the first answer stays");
    assert_eq!(stored(&engine, "ann").xp, 25);

    engine.submit(&kill("fight2", "ann", START + 6, "hydra", 1));
    let confirmed = engine.submit(&review("r4", START + 7, 3, Ruling::Confirm));
    assert_eq!(applied(&confirmed).xp.granted, 0);
    assert_eq!(code(&engine.submit(&review("r5", START + 7, 3, Ruling::Release))), Code::SuspicionSettled);
    assert_eq!(stored(&engine, "ann").xp, 25);
    let settled: Vec<_> = engine.suspicions_of(&player("ann")).unwrap().into_iter().map(|s| s.1.settled).collect();
    assert_eq!(settled, [Settled::Released, Settled::Confirmed]);
}

#[test]
fn a_flagged_event_counts_at_once_and_its_review_changes_no_score() {
    let engine = engine();
    let flagged = engine.submit(&kill("fight", "ann", START, "ogre", FIGHT_MIN - 1));
    assert_eq!((applied(&flagged).flagged(), applied(&flagged).held()), (Some(1), None));
    let before = stored(&engine, "ann").standings;
    applied(&engine.submit(&review("r", START + 1, 1, Ruling::Confirm)));
    assert_eq!(stored(&engine, "ann").standings, before);
}

#[test]
fn a_release_long_after_keeps_closed_periods_closed() {
    let engine = engine();
    engine.submit(&kill("fight", "ann", START, "hydra", 1));
    let later = START + 3 * PAST;
    engine.advance(at(later)).unwrap();
    let outcome = engine.submit(&review("r", later, 1, Ruling::Release));
    let effect = applied(&outcome);
    assert_eq!((effect.xp.granted, effect.late().len(), effect.receipts().len()), (25, 2, 1), "both daily boards");
    let row = &engine.board("xp").unwrap().top(Window::AllTime, 1, at(later)).unwrap()[0];
    assert_eq!(row.reached_at, at(later), "reached by the review");
}

#[test]
fn erasing_leaves_nothing_and_nothing_comes_back() {
    let engine = engine();
    let fast_clock = received(xp("fast", "ann", START + FUTURE, 10), START);
    let before = [xp("e", "ann", START, 250), fast_clock, kill("fight", "ann", START, "hydra", 1)];
    engine.submit_batch(&before);
    engine.submit(&xp("other", "ann~", START, 10));
    let erase = operator("erase", "ann", START + 1, Action::Erase);
    applied(&engine.submit(&erase));
    assert!(matches!(engine.submit(&erase), Outcome::Replayed(_)));
    let left = engine.store().scan_player(&player("ann"), None, None, 1_000).unwrap();
    assert_eq!(left.len(), 2, "the mark and the outcome of erasing: {left:?}");
    assert_eq!(order(&engine), ["ann~"]);
    assert_eq!(engine.player(&player("ann")).unwrap(), None);
    for again in &before {
        assert_eq!(code(&engine.submit(again)), Code::PlayerErased, "its outcome is gone, so it may not come back");
    }
    applied(&engine.submit(&xp("new", "ann", START + FUTURE + 1, 10)));
    let ann = stored(&engine, "ann");
    assert_eq!((ann.version, ann.xp, ann.receipts), (5, 10, 0), "a new life, under the old version");
    let seen = engine.player(&player("ann")).unwrap();
    assert_eq!(seen.map(|view| view.xp), Some(10), "seen as soon as she is on boards, not when the mark is let go");
}

#[test]
fn an_export_holds_everything_about_one_player() {
    let engine = engine();
    engine.submit_batch(&[xp("e", "ann", START, 250), kill("k", "ann", START, "hydra", 1), xp("e", "bob", START, 1)]);
    let export = engine.export_player(&player("ann")).unwrap();
    assert_eq!(export.record.as_ref().map(|record| record.xp), Some(250));
    assert_eq!((export.receipts.len(), export.suspicions.len(), export.outcomes.len()), (2, 1, 2));
    let nobody = engine.export_player(&player("cat")).unwrap();
    assert!(nobody.record.is_none() && nobody.outcomes.is_empty());
}

#[test]
fn an_overflow_refuses_the_whole_event() {
    let engine = engine();
    applied(&engine.submit(&xp("e1", "ann", START, INTEGER_MAX - 5)));
    // The total of XP has room again, the boards have not: they count events, not corrections.
    applied(&engine.submit(&adjust("a", "ann", START, -1_000)));
    let before = engine.digest();
    assert_eq!(code(&engine.submit(&xp("e2", "ann", START, 6))), Code::ScoreOverflow);
    assert_eq!(code(&engine.submit(&xp("e2", "ann", START, INTEGER_MAX))), Code::ScoreOverflow);
    assert_eq!(code(&engine.submit(&adjust("b", "ann", START, INTEGER_MAX))), Code::ScoreOverflow);
    assert_eq!(code(&engine.submit(&adjust("b", "ann", START, -INTEGER_MAX))), Code::OutOfRange);
    assert_eq!(engine.digest(), before, "no window took a part of it");
    applied(&engine.submit(&xp("e3", "ann", START, 5)));
}

/// Calls a function before each commit, which fails if it says false.
struct Before<F>(MemoryStore, F);

impl<F: Fn(&MemoryStore, &[ChangeSet]) -> bool + Send + Sync> Store for Before<F> {
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        self.0.load(keys)
    }
    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        if (self.1)(&self.0, &batch) {
            return self.0.commit(batch);
        }
        batch.iter().map(|_| CommitOutcome::Failed(StoreErrorKind::Unavailable.into())).collect()
    }
    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        self.0.advance(to)
    }
    as_inner!(0);
}

#[test]
fn an_advance_in_between_makes_a_command_late_or_too_old() {
    let submit = |command: &Command, millis: i64| {
        let store = Before(MemoryStore::new(), |store: &MemoryStore, _: &[ChangeSet]| {
            let now = at(START + millis);
            store.advance(Horizon { now, forgotten_before: now.minus_millis(PAST) }).unwrap();
            true
        });
        Engine::new(rules(), store).submit(command)
    };
    assert_eq!(applied(&submit(&xp("e", "ann", START, 10), DAY + GRACE)).late().len(), 1);
    assert_eq!(code(&submit(&hide("hide", "ann", START, true), PAST + 1)), Code::TooOld);
}

#[test]
fn later_rules_cannot_bring_forgotten_commands_back() {
    let engine = engine();
    let first = xp("e", "ann", START, 10);
    engine.submit(&first);
    engine.advance(at(START + PAST + 1)).unwrap();
    let lenient = common::RULES.replace(r#""maxPastSeconds": 129600"#, r#""maxPastSeconds": 9129600"#);
    engine.replace_rules(Rules::from_json(&lenient).unwrap()).unwrap();
    assert_eq!(code(&engine.submit(&first)), Code::TooOld, "its outcome was dropped");
}

#[test]
fn long_runs_go_in_order_and_stop_at_a_failure() {
    let sizes = Mutex::new(Vec::new());
    let calls = AtomicU32::new(0);
    let store = Before(MemoryStore::new(), |_: &MemoryStore, batch: &[ChangeSet]| {
        sizes.lock().unwrap().push(batch.iter().map(|set| set.outcomes.len()).collect::<Vec<_>>());
        calls.fetch_add(1, Ordering::SeqCst) != 1
    });
    let engine = Engine::new(rules(), store);
    let mut events: Vec<_> = (0..=RUN_LEN_MAX * 2).map(|n| xp(&format!("e{n}"), "ann", START, 1)).collect();
    events.insert(1, xp("e", "bob", START, 1));
    let outcomes = engine.submit_batch(&events);
    assert_eq!(*sizes.lock().unwrap(), [vec![RUN_LEN_MAX, 1], vec![RUN_LEN_MAX]], "one set per player and commit");
    let applied = outcomes.iter().take_while(|o| matches!(o, Outcome::Applied(_))).count();
    assert_eq!(applied, RUN_LEN_MAX + 1, "what was applied before the error is reported as applied");
    let (failed, rest) = outcomes[applied..].split_at(RUN_LEN_MAX);
    assert!(failed.iter().all(|o| code(o) == Code::StoreUnavailable));
    assert!(rest.iter().all(|o| code(o) == Code::NotAttempted), "or the player's order would not hold");
    let again = engine.submit_batch(&events);
    assert!(again[..applied].iter().all(|o| matches!(o, Outcome::Replayed(_))));
    assert!(again[applied..].iter().all(|o| matches!(o, Outcome::Applied(_))));
}

#[test]
fn nothing_is_tried_after_a_doubt() {
    // A new store is asked for its header twice, and given one; then the first run is loaded and committed.
    let mut faults = std::iter::repeat_n(Fault::None, 4).chain([Fault::LostCall]);
    let store = FaultyStore::new(MemoryStore::new(), move || faults.next().unwrap_or(Fault::None));
    let events: Vec<_> = (0..=RUN_LEN_MAX).map(|n| xp(&format!("e{n}"), "ann", START, 1)).collect();
    let outcomes = Engine::new(rules(), store).submit_batch(&events);
    let (last, run) = outcomes.split_last().unwrap();
    assert!(run.iter().all(|o| matches!(o, Outcome::Unknown(e) if e.code() == Code::StoreOutcomeUnknown)));
    assert_eq!(code(last), Code::NotAttempted);
}

#[test]
fn endless_conflict_ends() {
    let rounds = AtomicU32::new(0);
    let store = Before(MemoryStore::new(), |store: &MemoryStore, _: &[ChangeSet]| {
        let n = rounds.fetch_add(1, Ordering::SeqCst);
        Engine::new(rules(), store).submit(&xp(&format!("rival{n}"), "ann", START, 1));
        true
    });
    let outcome = Engine::new(rules(), store).submit(&xp("e", "ann", START, 1));
    assert_eq!(code(&outcome), Code::Contended);
    assert_eq!(rounds.load(Ordering::SeqCst), ATTEMPTS_MAX);
}

#[test]
fn a_store_that_answers_nonsense_is_an_error_not_a_panic() {
    struct Nonsense(Option<Record>, usize);
    impl Store for Nonsense {
        fn load(&self, keys: &[Key]) -> Vec<Loaded> {
            vec![Ok(self.0.clone()); self.1.min(keys.len())]
        }
        fn commit(&self, _: Vec<ChangeSet>) -> Vec<CommitOutcome> {
            Vec::new()
        }
        fn drive(&self, plan: &mut Plan<'_>) {
            by_load_and_commit(self, plan);
        }
        fn round_players(&self) -> usize {
            0
        }
        fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
            Ok(to)
        }
        fn header(&self) -> Result<Header, StoreError> {
            Ok(Header::default())
        }
        fn replace_header(&self, _: &Header, _: &Header) -> Result<bool, StoreError> {
            Ok(false)
        }
    }
    let submit = |nonsense| code(&Engine::new(rules(), nonsense).submit(&xp("e", "ann", START, 1)));
    for answers in 0..3 {
        assert_eq!(submit(Nonsense(None, answers)), Code::StoreUnavailable, "too few answers");
    }
    let horizon = Some(Record::Horizon(Horizon::default()));
    assert_eq!(submit(Nonsense(horizon, 9)), Code::StoreMisconfigured, "answers of another kind");
    assert_eq!(submit(Nonsense(None, 9)), Code::StoreOutcomeUnknown, "a commit without an answer");
    let engine = Engine::new(rules(), Nonsense(None, 0));
    assert_eq!(engine.player(&player("ann")).unwrap_err().code(), Code::StoreUnavailable);
}

#[test]
fn every_pointer_to_a_store_is_a_store() {
    let store = Arc::new(MemoryStore::new());
    let shared: Engine<Arc<dyn Store>> = Engine::new(rules(), store.clone());
    shared.submit(&xp("e", "ann", START, 1));
    let boxed: Engine<Box<dyn Store>> = Engine::new(rules(), Box::new(store.clone()));
    assert!(matches!(boxed.submit(&xp("e", "ann", START, 1)), Outcome::Replayed(_)));
    assert_eq!(Engine::new(rules(), &*store).store().digest(), store.digest());
    // With every verb.
    let full: Engine<Arc<dyn FullStore>> = Engine::open(rules(), store.clone() as _).unwrap();
    full.advance(at(START)).unwrap();
    assert_eq!(full.board("xp").unwrap().top(Window::AllTime, 9, at(START)).unwrap().len(), 1);
    assert_eq!(full.players().unwrap().len(), 1);
    assert_eq!(full.digest().unwrap(), store.digest());
    assert_eq!((full.partitions(), full.last(0).unwrap()), (store.partitions(), store.last(0).unwrap()));
}

#[test]
fn half_a_load_fails_half_of_the_players() {
    let mut faults = std::iter::repeat_n(Fault::None, 3).chain([Fault::Middle]);
    let store = FaultyStore::new(MemoryStore::new(), move || faults.next().unwrap_or(Fault::None));
    let engine = Engine::new(rules(), store);
    let events: Vec<_> = (0..8).map(|n| xp("e", &format!("p{n}"), START, 1)).collect();
    let outcomes = engine.submit_batch(&events);
    let applied = outcomes.iter().filter(|outcome| outcome.code() == "applied").count();
    assert_eq!(applied, 3, "eight keys of seventeen were answered: the horizon, and two for each of three players");
    assert!(outcomes.iter().all(|o| matches!(o, Outcome::Applied(_)) || code(o) == Code::StoreUnavailable));
    assert!(
        engine.submit_batch(&events).into_iter().all(|outcome| outcome.into_effect().is_ok()),
        "all can be sent again"
    );
}

#[test]
fn a_full_feed_refuses_until_it_is_acknowledged() {
    let engine = Engine::new(rules(), MemoryStore::with_feed(2));
    for n in 0..2 {
        applied(&engine.submit(&xp(&format!("e{n}"), "ann", START, 120)));
    }
    let before = engine.digest();
    let full = engine.submit(&xp("e2", "ann", START, 1));
    assert_eq!((code(&full), full.http_status()), (Code::FeedFull, 503));
    assert_eq!(engine.digest(), before);
    let entries = engine.feed(0, 0, 9).unwrap();
    let receipts = entries.iter().map(|entry| match &entry.what {
        Happened::Committed(set) => set.receipts.len(),
        other => panic!("{other:?}"),
    });
    assert_eq!(receipts.collect::<Vec<_>>(), [1, 1]);
    engine.ack(&common::id("inventory"), 0, entries[0].cursor).unwrap();
    applied(&engine.submit(&xp("e2", "ann", START, 1)));
    assert!(matches!(engine.submit(&xp("e1", "ann", START, 120)), Outcome::Replayed(_)), "a retry tells nothing new");
}

#[test]
fn old_receipts_and_suspicions_go() {
    let engine = engine_of(
        r#"{ "version": 1, "game": "g",
            "progress": { "curve": { "kind": "linear", "base": 10, "step": 0, "maxLevel": 100 } },
            "rewards": { "gold": { "on": { "everyLevels": 1 },
                "grant": { "kind": "currency", "id": "gold", "amount": 1 } } },
            "detectors": { "floor": { "kind": "timeFloor", "boss": "hydra", "minimumMs": 1000, "action": "hold" },
                "flag": { "kind": "timeFloor", "boss": "ogre", "minimumMs": 1000 } },
            "retention": { "receiptsPerPlayer": 3, "suspicionsDays": 1 } }"#,
    );
    let jump = engine.submit(&xp("e", "ann", START, 55));
    assert_eq!(applied(&jump).receipts().len(), 5, "a retry will be answered in full");
    engine.submit(&xp("f", "ann", START, 20));
    let kept = engine.receipts(&player("ann")).unwrap();
    assert_eq!(kept.iter().map(|receipt| receipt.number).collect::<Vec<_>>(), [5, 6, 7]);
    liveops_core::reward::verify_chain(&kept, stored(&engine, "ann").chain_head).unwrap();
    assert!(matches!(engine.submit(&xp("e", "ann", START, 55)), Outcome::Replayed(e) if e.receipts().len() == 5));
    assert_eq!(engine.store().size().receipts, 3);

    engine.submit(&kill("held", "ann", START, "hydra", 1));
    for n in 0..3 {
        engine.submit(&kill(&format!("k{n}"), "ann", START + n * DAY, "ogre", 1));
    }
    let kept: Vec<_> = engine.suspicions_of(&player("ann")).unwrap().into_iter().map(|(number, _)| number).collect();
    assert_eq!(kept, [3, 5, 6], "a day old is kept, two days are not; what is held stays until it is reviewed");
    assert_eq!(engine.store().size().suspicions, 3);
    assert_eq!(code(&engine.submit(&review("r", START + 2 * DAY, 4, Ruling::Release))), Code::SuspicionUnknown);
    applied(&engine.submit(&review("s", START + 2 * DAY, 3, Ruling::Release)));
    engine.submit(&kill("last", "ann", START + 2 * DAY, "ogre", 1));
    assert_eq!(code(&engine.submit(&review("t", START + 2 * DAY, 3, Ruling::Release))), Code::SuspicionUnknown);
}

/// Numbers of a player's kept suspicions.
fn kept<S: Store>(engine: &Engine<S>) -> Vec<u64> {
    engine.suspicions_of(&player("ann")).unwrap().into_iter().map(|(number, _)| number).collect()
}

fn kills(from: u64, through: u64, boss: &str) -> Vec<Command> {
    (from..=through).map(|n| kill(&format!("k{n}"), "ann", START, boss, 1)).collect()
}

#[test]
fn held_events_wait_however_many_come_after_them() {
    let engine = engine();
    let all = kills(1, 300, "hydra");
    let outcomes = engine.submit_batch(&all);
    assert!(outcomes[..256].iter().all(|outcome| outcome.code() == "held"));
    assert!(outcomes[256..].iter().all(|outcome| code(outcome) == Code::HoldsFull));
    assert_eq!(kept(&engine), (1..=256).collect::<Vec<_>>());

    let flagged = engine.submit(&kill("flag", "ann", START, "ogre", 1));
    let flagged = applied(&flagged);
    assert_eq!((flagged.flagged(), flagged.verdicts().len()), (None, 1), "there is no room to keep it");
    applied(&engine.submit(&xp("more", "ann", START, 10)));

    applied(&engine.submit(&review("first", START, 1, Ruling::Release)));
    assert_eq!(engine.submit(&all[299]).code(), "held", "a refused event may come again when there is room");
    assert_eq!(kept(&engine)[..3], [2, 3, 4], "what is settled makes it");
    for number in kept(&engine) {
        applied(&engine.submit(&review(&format!("r{number}"), START, number, Ruling::Release)));
    }
    assert_eq!(stored(&engine, "ann").xp, 10 + 257 * 25);
}

#[test]
fn a_refused_event_teaches_nothing() {
    let rules = r#"{ "version": 1, "game": "g", "detectors": {
            "floor": { "kind": "timeFloor", "boss": "hydra", "minimumMs": 1000, "action": "hold" },
            "z": { "kind": "zScore", "on": "boss_kill", "value": { "field": "durationMs" } },
            "cheats": { "kind": "family", "floors": { "ogre": 1000 } } } }"#;
    let [engine, other] = [(); 2].map(|()| {
        let engine = engine_of(rules);
        engine.submit_batch(&kills(1, 256, "hydra"));
        engine
    });
    let (refused, taken) = (kill("k257", "ann", START, "hydra", 2), xp("e", "ann", START, 1));
    assert_eq!(code(&engine.submit_batch(&[refused, taken.clone()])[0]), Code::HoldsFull);
    applied(&other.submit(&taken));
    assert_eq!(engine.digest(), other.digest());
}

#[test]
fn settled_suspicions_make_room_first_and_then_flags() {
    let engine = engine();
    engine.submit_batch(&kills(1, 1, "hydra"));
    engine.submit_batch(&kills(2, 255, "ogre"));
    engine.submit_batch(&kills(256, 256, "hydra"));
    applied(&engine.submit(&review("a", START, 9, Ruling::Confirm)));
    applied(&engine.submit(&review("b", START, 256, Ruling::Confirm)));
    let without = |gone: &[u64]| {
        let last = stored(&engine, "ann").version;
        let numbers = (1..=last).filter(|number| !gone.contains(number));
        // Reviews have versions too.
        numbers.filter(|number| !(257..=258).contains(number)).collect::<Vec<_>>()
    };
    engine.submit_batch(&kills(301, 301, "ogre"));
    assert_eq!(kept(&engine), without(&[9]));
    engine.submit_batch(&kills(302, 302, "hydra"));
    assert_eq!(kept(&engine), without(&[9, 256]));
    engine.submit_batch(&kills(303, 304, "hydra"));
    assert_eq!(kept(&engine), without(&[9, 256, 2, 3]), "the oldest flags");
    engine.submit_batch(&kills(1001, 1300, "ogre"));
    let left = kept(&engine);
    assert_eq!((left.len(), &left[..4]), (256, &[1, 260, 261, 262][..]), "300 flags push out no hold");
}

/// A record of before version 4 does not say where its suspicions stand. They are looked at with the first event that adds one.
#[test]
fn suspicions_of_before_are_told_apart() {
    let old = engine();
    old.submit_batch(&kills(1, 100, "hydra"));
    old.submit_batch(&kills(101, 256, "ogre"));
    for number in [7, 200] {
        applied(&old.submit(&review(&format!("r{number}"), START, number, Ruling::Confirm)));
    }
    let engine = Engine::new(rules(), CountingStore::new(MemoryStore::new()));
    let mut record = stored(&old, "ann");
    let (triage, version) = (record.rare_mut().triage.take(), record.version);
    assert_eq!(triage.unwrap().settled, [7, 200]);
    let changes = common::left("ann", record, old.suspicions_of(&player("ann")).unwrap());
    assert!(matches!(engine.store().commit(vec![changes])[..], [CommitOutcome::Applied]));

    applied(&engine.submit(&xp("e", "ann", START, 1)));
    assert_eq!(stored(&engine, "ann").rare().triage, None, "as long as nothing asks for it");
    assert_eq!(engine.submit(&kill("new", "ann", START, "hydra", 1)).code(), "held");
    let triage = stored(&engine, "ann").rare().triage.clone().unwrap();
    let holds: Vec<u64> = (1..=100).filter(|number| *number != 7).chain([version + 2]).collect();
    assert_eq!((triage.holds, triage.settled), (holds, vec![200]), "what was settled made room");
    let loads = engine.store().calls().loads;
    assert_eq!(engine.submit(&kill("newer", "ann", START, "hydra", 1)).code(), "held");
    assert_eq!(engine.store().calls().loads, loads + 1, "known from now on");
}

/// A door may have admitted it under earlier rules.
#[test]
fn an_event_of_a_type_that_is_gone_is_refused() {
    let rules = |events: &str| {
        format!(
            r#"{{ "version": 1, "game": "g", "events": {{ {events} }},
                "detectors": {{ "all": {{ "kind": "robust", "value": {{ "field": "score" }}, "action": "hold" }} }},
                "boards": {{ "count": {{ "value": 1, "keepPeriods": {{ "daily": 1 }},
                    "payouts": {{ "daily": [ {{ "tier": "all", "percent": "100",
                        "grant": {{ "kind": "coin", "id": "gold", "amount": 1 }} }} ] }} }} }},
                "rewards": {{ "any": {{ "on": {{ "event": "progression" }},
                    "grant": {{ "kind": "coin", "id": "gold", "amount": 1 }} }} }} }}"#
        )
    };
    let field = r#""fields": { "score": { "type": "int" } }"#;
    let known = rules(&format!(r#""duel": {{ {field} }}, "progression": {{ {field} }}"#));
    let engine = engine_of(&known);
    let duel = |id: &str, score| common::event(id, "ann", START, "duel", vec![("score", FieldValue::Int(score))]);
    applied(&engine.submit(&duel("e1", 5)));
    assert_eq!(engine.submit(&duel("e2", -5)).code(), "held");
    let others = rules(&format!(r#""progression": {{ {field} }}"#));
    engine.replace_rules(Rules::from_json(&others).unwrap()).unwrap();
    let before = engine.digest();
    assert_eq!(code(&engine.submit(&duel("e3", 5))), Code::UnknownType);
    assert_eq!(engine.digest(), before);
    assert_eq!(engine.submit(&duel("e1", 5)).code(), "replayed", "what was taken stays taken");

    let day = engine.rules().calendar().period(Window::Daily, at(START)).unwrap();
    engine.advance(at(START + DAY)).unwrap();
    let payout = engine.payout("count", day, at(START + DAY)).unwrap();
    assert_eq!((payout.awards.len(), payout.holds.len()), (1, 0), "its release changes no board");
    let release = engine.submit(&review("r", START + DAY, 2, Ruling::Release));
    assert_eq!(applied(&release), &liveops_core::Effect { level: 1, ..Default::default() });
    let settled: Vec<_> = engine.suspicions_of(&player("ann")).unwrap().into_iter().map(|s| s.1.settled).collect();
    assert_eq!(settled, [Settled::Released]);
}

#[test]
fn a_day_gives_no_more_xp_than_its_cap() {
    let engine = engine_of(
        r#"{ "version": 1, "game": "g", "progress": {
            "curve": { "kind": "linear", "base": 10, "step": 0, "maxLevel": 100 }, "dailyXpCap": 100 } }"#,
    );
    let granted = |id, ts, asked| applied(&engine.submit(&xp(id, "ann", ts, asked))).xp.granted;
    assert_eq!((granted("a", START, 70), granted("b", START + 1, 70), granted("c", START + 2, 1)), (70, 30, 0));
    assert_eq!(granted("d", START + DAY, 70), 70, "a new day");
    let late = received(xp("e", "ann", START + 3, 5), START + DAY);
    assert_eq!(applied(&engine.submit(&late)).xp.over_daily_cap, 5, "a day is that of the event");
    assert_eq!(stored(&engine, "ann").xp, 170);
}

#[test]
fn counts_have_stable_names() {
    let engine = engine();
    let line = br#"{"id":"x","type":"progression","playerId":"ann","ts":1794009600,"payload":{"deltaXp":-1}}"#;
    engine.submit_batch(&[xp("e", "ann", START, 1), xp("e", "ann", START, 1), xp("e", "ann", START, 2)]);
    engine.submit(&kill("k", "ann", START, "hydra", 1));
    engine.submit_ndjson(line, at(START));
    let stats: Vec<_> = engine.stats().iter().map(|(name, count)| format!("{name} {count}")).collect();
    assert_eq!(
        stats,
        [
            "applied 1",
            "commands 5",
            "held 1",
            "refused 2",
            "refused.event_id_reused 1",
            "refused.out_of_range 1",
            "replayed 1"
        ]
    );
}

#[test]
fn lines_are_answered_one_by_one() {
    let engine = engine();
    let line = |id: &str| {
        format!(r#"{{"id":"{id}","type":"progression","playerId":"ann","ts":1794009600,"payload":{{"deltaXp":1}}}}"#)
    };
    let codes = |text: &str| {
        let outcomes = engine.submit_ndjson(text.as_bytes(), at(START));
        outcomes.iter().map(Outcome::code).collect::<Vec<_>>()
    };
    assert_eq!(codes(""), [""; 0]);
    assert_eq!(codes("\n"), [""; 0], "an empty last line is no line");
    assert_eq!(
        codes(&format!("{}\r\nnonsense\n\n{}\n", line("a"), line("b"))),
        ["applied", "syntax", "syntax", "applied"]
    );
    let many: Vec<String> = (0..3_000).map(|n| line(&format!("m{n}"))).collect();
    assert!(codes(&many.join("\n")).iter().all(|code| *code == "applied"));
    assert_eq!(stored(&engine, "ann").xp, 3_002);
}

#[test]
fn an_engine_over_a_decorated_store_does_all_it_can() {
    let store = CountingStore::new(SlowStore::new(MemoryStore::with_feed(9), Duration::ZERO));
    let engine = Engine::new(rules(), FaultyStore::new(&store, || Fault::None));
    applied(&engine.submit(&xp("e", "ann", START, 120)));
    engine.advance(at(START)).unwrap();
    assert_eq!(engine.board("xp").unwrap().top(Window::AllTime, 9, at(START)).unwrap().len(), 1);
    assert_eq!(engine.export_player(&player("ann")).unwrap().outcomes.len(), 1);
    assert_eq!(engine.feed(0, 0, 9).unwrap().len(), 2);
    let calls = store.calls();
    assert_eq!((calls.loads, calls.keys, calls.commits, calls.change_sets), (2, 4, 1, 1), "one event, and the horizon");
}
