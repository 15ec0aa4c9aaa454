//! A plan and what a store may answer it: each player by itself.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{START, at, kill, operator, progression, rules};
use liveops_core::error::StoreErrorKind;
use liveops_core::hash::Digest;
use liveops_core::record::Horizon;
use liveops_core::rules::{Decided, Scratch, Stored};
use liveops_core::store::Loaded;
use liveops_core::{Action, Command, Engine, Key, MemoryStore, Outcome, Plan, Record, Rules, Ruling, Store as _};

/// Three players; the second also has a review, which asks for more keys.
fn commands() -> Vec<Command> {
    let review = Action::Review { suspicion: 1, ruling: Ruling::Release };
    vec![
        progression("e1", "ana", START, 5),
        kill("e1", "bo", START, "hydra", 10),
        operator("r1", "bo", START, review),
        progression("e1", "cy", START, 5),
    ]
}

/// The outcomes after some answers to the first keys were replaced, by command.
fn answered(replace: impl Fn(&[Key], &mut Vec<Loaded>)) -> Vec<&'static str> {
    let (rules, commands, store) = (rules(), commands(), MemoryStore::new());
    let mut plan = Plan::new(&rules, &commands);
    let mut is_first = true;
    loop {
        let keys = plan.keys(256);
        if keys.is_empty() {
            return plan.finish().iter().map(Outcome::code).collect();
        }
        let mut answers = store.load(&keys);
        if std::mem::take(&mut is_first) {
            replace(&keys, &mut answers);
        }
        let batch = plan.decide(answers);
        plan.resolve(store.commit(batch));
    }
}

#[test]
fn one_bad_answer_fails_its_player_alone() {
    assert_eq!(answered(|_, _| {}), ["applied", "held", "applied", "applied"]);
    let of_bo = |keys: &[Key], kind: usize| {
        let mine = keys.iter().enumerate().filter(|(_, key)| key.player().is_some_and(|p| p.as_str() == "bo"));
        let mine: Vec<_> = mine.map(|(at, _)| at).collect();
        assert_eq!(mine.len(), 4, "player, outcome, outcome, suspicion");
        mine[kind]
    };
    for at in 0..4 {
        let corrupt = answered(|keys, answers| answers[of_bo(keys, at)] = Err(StoreErrorKind::Corrupt.into()));
        assert_eq!(corrupt, ["applied", "store_corrupt", "store_corrupt", "applied"], "its key {at}");
        let wrong = || Ok(Some(Record::Horizon(Horizon::default())));
        let other = answered(|keys, answers| answers[of_bo(keys, at)] = wrong());
        assert_eq!(other, ["applied", "store_misconfigured", "store_misconfigured", "applied"], "its key {at}");
    }
    // The first error counts.
    let two = answered(|keys, answers| {
        answers[of_bo(keys, 1)] = Err(StoreErrorKind::TooNew.into());
        answers[of_bo(keys, 3)] = Err(StoreErrorKind::Corrupt.into());
    });
    assert_eq!(two[1], "record_too_new");
}

#[test]
fn too_few_answers_are_a_store_that_cannot_be_reached() {
    let gone = "store_unavailable";
    let all = answered(|keys, answers| answers.truncate(keys.len()));
    assert_eq!(all, ["applied", "held", "applied", "applied"]);
    assert_eq!(answered(|_, answers| answers.clear()), [gone; 4]);
    for len in 0..9 {
        let outcomes = answered(|keys, answers| {
            // The order of players is by a hash.
            assert_eq!(keys.len(), 9);
            answers.truncate(len);
        });
        let failed = outcomes.iter().filter(|code| **code == gone).count();
        assert!(
            failed >= 1 && outcomes.iter().all(|code| *code == gone || ["applied", "held"].contains(code)),
            "{len}"
        );
    }
}

#[test]
fn a_bad_horizon_fails_everybody() {
    let unavailable = |kind: StoreErrorKind| answered(move |_, answers| answers[0] = Err(kind.into()));
    assert_eq!(unavailable(StoreErrorKind::Unavailable), ["store_unavailable"; 4]);
    assert_eq!(unavailable(StoreErrorKind::Forked), ["forked"; 4]);
    let other = answered(|keys, answers| {
        let player = Record::Player(Box::default());
        assert_eq!(keys[0], Key::Horizon);
        answers[0] = Ok(Some(player));
    });
    assert_eq!(other, ["store_misconfigured"; 4]);
}

#[test]
fn a_store_says_how_many_players_a_round_takes() {
    let rules = rules();
    let commands: Vec<_> = (0..10).map(|n| progression("e", &format!("p{n}"), START, 1)).collect();
    for (round_players, rounds) in [(0, 10), (1, 10), (3, 4), (10, 1), (usize::MAX, 1)] {
        let (mut plan, store, mut asked) = (Plan::new(&rules, &commands), MemoryStore::new(), 0);
        loop {
            let keys = plan.keys(round_players);
            if keys.is_empty() {
                break;
            }
            asked += 1;
            let batch = plan.decide(store.load(&keys));
            plan.resolve(store.commit(batch));
        }
        assert_eq!(asked, rounds, "{round_players}");
        assert!(plan.finish().iter().all(|outcome| outcome.code() == "applied"));
    }
}

/// What was recorded decides alike: rules, horizon and commands are all that a run needs.
#[test]
fn a_recorded_run_can_be_decided_again() {
    let (rules, commands) = (rules(), commands());
    let identity = rules.identity();
    let mut plan = Plan::new(&rules, &commands).recording(identity);
    let keys = plan.keys(256);
    let horizon = Horizon { now: at(START), forgotten_before: at(START - 1) };
    let answer = |key: &Key| Ok((*key == Key::Horizon).then_some(Record::Horizon(horizon)));
    let batch = plan.decide(keys.iter().map(answer).collect());
    assert_eq!(batch.len(), 3);
    for changes in batch {
        let run = changes.run.as_deref().unwrap();
        assert_eq!((run.rules, run.horizon, changes.forgotten_before), (identity, horizon, horizon.forgotten_before));
        let given = commands.iter().filter(|command| command.player == changes.player);
        assert!(run.commands.iter().eq(given), "all of the run, in order, also those that change nothing");
        let again = decide(&rules, &run.commands, run.horizon);
        assert_eq!(again, liveops_core::record::ChangeSet { run: None, ..changes });
    }
}

fn decide(rules: &Rules, run: &[Command], horizon: Horizon) -> liveops_core::record::ChangeSet {
    let run: Vec<_> = run.iter().collect();
    let found = run.iter().map(|_| liveops_core::rules::Found::default());
    match rules.decide(&run, horizon, Stored::default(), found, &mut Scratch::default(), |_| {}) {
        Decided::Changes(changes) => changes,
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_a_recording_engine_says_what_led_to_a_change() {
    use liveops_core::store::{Feed as _, Happened};
    for recording in [false, true] {
        let store = MemoryStore::with_feed(100);
        let engine = Engine::new(rules(), store);
        let engine = if recording { engine.recording() } else { engine };
        engine.submit_batch(&commands());
        engine.replace_rules(rules()).unwrap();
        engine.submit(&progression("e2", "ana", START, 7));
        let entries: Vec<_> =
            (0..engine.partitions()).flat_map(|partition| engine.store().feed(partition, 0, 100).unwrap()).collect();
        let runs: Vec<Option<Digest>> = entries
            .iter()
            .map(|entry| match &entry.what {
                Happened::Committed(changes) => changes.run.as_ref().map(|run| run.rules),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(runs, vec![recording.then(|| engine.rules().identity()); 4]);
    }
}
