//! What a caller sees, one promise per test.

mod common;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use common::{DAY, FIGHT_MIN, FUTURE, GRACE, INTEGER_MAX, PAST, START, at, kill, operator, player, received, rules};
use liveops_core::decorate::{Fault, FaultyStore};
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::limits::{ATTEMPTS_MAX, RUN_LEN_MAX};
use liveops_core::record::{ChangeSet, CommitOutcome, Horizon, Player, Reason, Settled};
use liveops_core::{
    Action, Code, Command, Engine, Key, MemoryStore, Outcome, Record, Rules, Ruling, Scan as _, Store, Window,
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
    assert_eq!(applied(&outcomes[0]).receipts.len(), 1);
    assert!(matches!(&outcomes[1], Outcome::Replayed(e) if e.receipts.len() == 1));
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
    let rank = |name| engine.board("xp").unwrap().rank(Window::AllTime, &player(name), at(START)).unwrap();
    assert_eq!((rank("ann"), rank("cat")), (None, Some(3)));
    engine.submit(&hide("show", "ann", START + 10, false));
    assert_eq!(order(&engine), before);
}

#[test]
fn a_late_event_counts_where_it_still_can() {
    let engine = engine();
    let late = |id: &str, came: i64| {
        let outcome = engine.submit(&received(xp(id, "ann", START - 1, 10), came));
        applied(&outcome).late.iter().map(|key| key.period.window).collect::<Vec<_>>()
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
    assert_eq!((first.code(), applied(&first).held, applied(&first).xp.granted), ("held", Some(1), 0));
    assert!(order(&engine).is_empty());
    let release = review("r1", START + 5, 1, Ruling::Release);
    let outcomes = engine.submit_batch(&[
        release.clone(),
        release.clone(),
        review("r2", START + 5, 1, Ruling::Confirm),
        review("r3", START + 5, 9, Ruling::Release),
    ]);
    assert_eq!((applied(&outcomes[0]).xp.granted, applied(&outcomes[0]).receipts.len()), (25, 1));
    assert!(matches!(&outcomes[1], Outcome::Replayed(e) if e.xp.granted == 25));
    assert_eq!(code(&outcomes[2]), Code::SuspicionSettled);
    assert_eq!(code(&outcomes[3]), Code::SuspicionUnknown);
    assert!(matches!(engine.submit(&held), Outcome::Replayed(e) if e.held == Some(1)), "the first answer stays");
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
    assert_eq!((applied(&flagged).flagged, applied(&flagged).held), (Some(1), None));
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
    assert_eq!((effect.xp.granted, effect.late.len(), effect.receipts.len()), (25, 2, 1), "both daily boards");
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
    let left = engine.store().scan_player(&player("ann")).unwrap();
    assert_eq!(left.len(), 2, "the mark and the outcome of erasing: {left:?}");
    assert_eq!(order(&engine), ["ann~"]);
    assert_eq!(engine.player(&player("ann")).unwrap(), None);
    for again in &before {
        assert_eq!(code(&engine.submit(again)), Code::PlayerErased, "its outcome is gone, so it may not come back");
    }
    applied(&engine.submit(&xp("new", "ann", START + FUTURE + 1, 10)));
    let ann = stored(&engine, "ann");
    assert_eq!((ann.version, ann.xp, ann.receipts), (5, 10, 0), "a new life, under the old version");
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
    fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, StoreError> {
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
    assert_eq!(applied(&submit(&xp("e", "ann", START, 10), DAY + GRACE)).late.len(), 1);
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
    let mut faults = [Fault::None, Fault::LostCall].into_iter();
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
        fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, StoreError> {
            Ok(vec![self.0.clone(); self.1.min(keys.len())])
        }
        fn commit(&self, _: Vec<ChangeSet>) -> Vec<CommitOutcome> {
            Vec::new()
        }
        fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
            Ok(to)
        }
    }
    let submit = |nonsense| code(&Engine::new(rules(), nonsense).submit(&xp("e", "ann", START, 1)));
    for answers in 0..3 {
        assert_eq!(submit(Nonsense(None, answers)), Code::StoreMisconfigured, "too few answers");
    }
    let horizon = Some(Record::Horizon(Horizon::default()));
    assert_eq!(submit(Nonsense(horizon, 9)), Code::StoreMisconfigured, "answers of another kind");
    assert_eq!(submit(Nonsense(None, 9)), Code::StoreOutcomeUnknown, "a commit without an answer");
    let engine = Engine::new(rules(), Nonsense(None, 0));
    assert_eq!(engine.player(&player("ann")).unwrap_err().code(), Code::StoreMisconfigured);
}

#[test]
fn every_pointer_to_a_store_is_a_store() {
    let store = Arc::new(MemoryStore::new());
    let shared: Engine<Arc<dyn Store>> = Engine::new(rules(), store.clone());
    shared.submit(&xp("e", "ann", START, 1));
    let boxed: Engine<Box<dyn Store>> = Engine::new(rules(), Box::new(store.clone()));
    assert!(matches!(boxed.submit(&xp("e", "ann", START, 1)), Outcome::Replayed(_)));
    assert_eq!(Engine::new(rules(), &*store).store().digest(), store.digest());
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
    let entries = engine.feed(0, 9).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.changes.receipts.len()).collect::<Vec<_>>(), [1, 1]);
    engine.ack(entries[0].cursor).unwrap();
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
            "detectors": { "floor": { "kind": "timeFloor", "boss": "hydra", "minimumMs": 1000, "action": "hold" } },
            "retention": { "receiptsPerPlayer": 3, "suspicionsDays": 1 } }"#,
    );
    let jump = engine.submit(&xp("e", "ann", START, 55));
    assert_eq!(applied(&jump).receipts.len(), 5, "a retry will be answered in full");
    engine.submit(&xp("f", "ann", START, 20));
    let kept = engine.receipts(&player("ann")).unwrap();
    assert_eq!(kept.iter().map(|receipt| receipt.number).collect::<Vec<_>>(), [5, 6, 7]);
    liveops_core::reward::verify_chain(&kept, stored(&engine, "ann").chain_head).unwrap();
    assert!(matches!(engine.submit(&xp("e", "ann", START, 55)), Outcome::Replayed(e) if e.receipts.len() == 5));
    assert_eq!(engine.store().size().receipts, 3);

    for n in 0..3 {
        engine.submit(&kill(&format!("k{n}"), "ann", START + n * DAY, "hydra", 1));
    }
    let kept: Vec<_> = engine.suspicions_of(&player("ann")).unwrap().into_iter().map(|(number, _)| number).collect();
    assert_eq!(kept, [4, 5], "a day old is kept, two days are not");
    assert_eq!(engine.store().size().suspicions, 2);
    assert_eq!(code(&engine.submit(&review("r", START + 2 * DAY, 3, Ruling::Release))), Code::SuspicionUnknown);
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
        (r#""game": "emberfall""#, r#""game": "other""#),
    ] {
        assert_eq!(replace(from, to).unwrap_err().code(), Code::BoardIncompatible, "{to}");
    }
    assert_eq!(engine.rules().hash(), before, "what was refused is not in force");
    let diff = replace(r#""amount": 10 "#, r#""amount": 20 "#).unwrap();
    assert_eq!((diff.changed, diff.added.len()), (vec!["/rewards/level-gold/grant/amount".to_owned()], 0));
    let receipts = engine.submit(&xp("f", "ann", START, 100)).into_effect().unwrap().receipts;
    assert_eq!(receipts[0].items[0].amount(), 20);
    assert_ne!(receipts[0].rules, before, "a receipt says under which rules");
}

/// A steeper curve, then the old one again: no level is rewarded twice.
#[test]
fn a_level_is_rewarded_once_whatever_the_curve() {
    let engine = engine();
    engine.submit(&xp("a", "ann", START, 350));
    let steep = common::RULES.replace(r#""base": 100"#, r#""base": 200"#);
    engine.replace_rules(Rules::from_json(&steep).unwrap()).unwrap();
    let lower = engine.submit(&xp("b", "ann", START, 100));
    assert_eq!((applied(&lower).level, applied(&lower).receipts.len()), (3, 0));
    engine.replace_rules(rules()).unwrap();
    let back = engine.submit(&xp("c", "ann", START, 50));
    let (level, receipts) = (applied(&back).level, applied(&back).receipts.len());
    assert_eq!((level, receipts), (6, 2), "levels 5 and 6, after 2 to 4 before");
}

#[test]
fn bad_rules_say_where() {
    let with = |member: &str| format!(r#"{{ "version": 1, "game": "g", {member} }}"#);
    let board = |board: &str| with(&format!(r#""boards": {{ "b": {board} }}"#));
    let table: &[(String, &str, &str)] = &[
        ("".into(), "", "syntax"),
        ("[]".into(), "", "wrong_type"),
        ("{}".into(), "/version", "missing"),
        (r#"{ "version": 2, "game": "g" }"#.into(), "/version", "out_of_range"),
        (r#"{ "version": 1 }"#.into(), "/game", "missing"),
        (r#"{ "version": 1, "game": "" }"#.into(), "/game", "id_invalid"),
        (r#"{ "version": 1, "game": "g", "game": "h" }"#.into(), "/game", "duplicate_key"),
        (with(r#""bords": {}"#), "/bords", "unknown_field"),
        (with(r#""limits": { "maxPastSeconds": -1 }"#), "/limits/maxPastSeconds", "out_of_range"),
        (with(r#""limits": { "maxPastSeconds": 1.5 }"#), "/limits/maxPastSeconds", "not_integer"),
        (with(r#""events": "all""#), "/events", "invalid_format"),
        (with(r#""events": { "x": { "fields": { "f": {} } } }"#), "/events/x/fields/f/type", "missing"),
        (
            with(r#""events": { "x": { "fields": { "f": { "type": "float" } } } }"#),
            "/events/x/fields/f/type",
            "invalid_format",
        ),
        (with(r#""events": { "x": { "fields": { "f": { "type": "enum" } } } }"#), "/events/x/fields/f", "missing"),
        (with(r#""progress": {}"#), "/progress/curve", "missing"),
        (
            with(
                r#""progress": { "curve": { "kind": "linear", "base": 1, "step": 0, "maxLevel": 9 },
                "xp": [ { "on": "boss", "amount": 1 } ] }"#,
            ),
            "/progress/xp/0/on",
            "unknown_type",
        ),
        (
            with(
                r#""progress": { "curve": { "kind": "linear", "base": 1, "step": 0, "maxLevel": 9 },
                "xp": [ { "on": "boss_kill", "amount": { "field": "bossId" } } ] }"#,
            ),
            "/progress/xp/0/amount/field",
            "not_integer",
        ),
        (
            with(
                r#""progress": { "curve": { "kind": "linear", "base": 1, "step": 0, "maxLevel": 9 }, "boosts": [
                { "id": "b", "from": "2026-11-07T00:00:00Z", "until": "2026-11-07T00:00:00Z", "factor": "2" } ] }"#,
            ),
            "/progress/boosts/0/until",
            "out_of_range",
        ),
        (
            with(
                r#""progress": { "curve": { "kind": "linear", "base": 1, "step": 0, "maxLevel": 9 }, "boosts": [
                { "id": "b", "from": "2026-11-07 00:00:00", "until": "2026-11-08T00:00:00Z", "factor": "2" } ] }"#,
            ),
            "/progress/boosts/0/from",
            "invalid_format",
        ),
        (with(r#""rewards": { "r": { "on": {}, "grant": [] } }"#), "/rewards/r/on", "missing"),
        (with(r#""rewards": { "r": { "on": { "level": 1 }, "grant": [] } }"#), "/rewards/r/on/level", "out_of_range"),
        (with(r#""rewards": { "r": { "on": { "level": 2 } } }"#), "/rewards/r", "missing"),
        (with(r#""rewards": { "r": { "on": { "level": 2 }, "loot": "none" } }"#), "/rewards/r/loot", "missing"),
        (with(r#""loot": { "a/b": { "entries": {} } }"#), "/loot/a~1b", ""),
        (with(r#""calendar": { "utcOffsetMinutes": 841 }"#), "/calendar/utcOffsetMinutes", "out_of_range"),
        (with(r#""calendar": { "weekStart": "Monday" }"#), "/calendar/weekStart", "invalid_format"),
        (board(r#"{ "value": "grantedXp" }"#), "/boards/b/keepPeriods", "missing"),
        (board(r#"{ "value": "grantedXp", "keepPeriods": {} }"#), "/boards/b/keepPeriods", "too_short"),
        (
            board(r#"{ "value": "grantedXp", "keepPeriods": { "hourly": 1 } }"#),
            "/boards/b/keepPeriods/hourly",
            "unknown_window",
        ),
        (board(r#"{ "value": "xp", "keepPeriods": { "daily": 1 } }"#), "/boards/b/value", "invalid_format"),
        (board(r#"{ "value": 1.5, "keepPeriods": { "daily": 1 } }"#), "/boards/b/value", "not_integer"),
        (
            board(r#"{ "value": 1, "where": { "zone": null }, "keepPeriods": { "daily": 1 } }"#),
            "/boards/b/where/zone",
            "wrong_type",
        ),
        (
            board(r#"{ "value": 1, "where": { "zoned": "a" }, "keepPeriods": { "daily": 1 } }"#),
            "/boards/b/where/zoned",
            "unknown_field",
        ),
        (
            board(r#"{ "value": 1, "operator": "max", "keepPeriods": { "daily": 1 } }"#),
            "/boards/b/operator",
            "invalid_format",
        ),
        (with(r#""detectors": { "d": { "kind": "robust", "threshold": 6 } }"#), "/detectors/d/threshold", "wrong_type"),
        (
            with(r#""detectors": { "d": { "kind": "robust", "threshold": "0" } }"#),
            "/detectors/d/threshold",
            "invalid_format",
        ),
        (with(r#""detectors": { "d": { "kind": "timeFloor", "boss": "x" } }"#), "/detectors/d/minimumMs", "missing"),
        (
            with(r#""detectors": { "d": { "kind": "robust", "action": "ban" } }"#),
            "/detectors/d/action",
            "invalid_format",
        ),
        (with(r#""retention": { "receiptsPerPlayer": 0 }"#), "/retention/receiptsPerPlayer", "out_of_range"),
        (
            with(r#""door": { "quotas": [ { "per": "planet", "limit": 1, "periodSeconds": 1 } ] }"#),
            "/door/quotas/0/per",
            "invalid_format",
        ),
    ];
    for (document, path, issue) in table {
        let error = Rules::from_json(document).expect_err(document);
        assert_eq!((error.code(), error.path.as_str()), (Code::RulesInvalid, *path), "{document}: {error}");
        assert!(issue.is_empty() || error.issue.as_str() == *issue, "{document}: {error}");
        assert!(!error.message.is_empty());
    }
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
