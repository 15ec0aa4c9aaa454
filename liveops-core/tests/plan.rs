//! A plan and what a store may answer it: each player by itself.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{DAY, PAST, Rng, START, at, kill, operator, player, progression, rules};
use liveops_core::error::StoreErrorKind;
use liveops_core::hash::Digest;
use liveops_core::plan::Records;
use liveops_core::record::{CommitOutcome, Horizon, Player, Receipt, StoredOutcome, Suspicion, Written};
use liveops_core::rules::{Decided, Scratch, Stored};
use liveops_core::store::{Feed as _, Loaded, by_load_and_commit};
use liveops_core::{
    Action, Command, CommandId, Engine, EventId, Key, MemoryStore, Outcome, Plan, PlayerId, Record, Rules, Ruling,
    Store as _,
};

/// One player's records, as a store has them that holds them for a while.
struct Held<'s> {
    store: &'s MemoryStore,
    id: PlayerId,
    player: Option<Box<Player>>,
}

impl<'s> Held<'s> {
    fn of(store: &'s MemoryStore, id: &PlayerId) -> Self {
        let mut held = Self { store, id: id.clone(), player: None };
        held.player = held.find(Key::Player(id.clone())).map(|record| match record {
            Record::Player(player) => player,
            other => panic!("{other:?}"),
        });
        held
    }

    fn find(&self, key: Key) -> Option<Record> {
        self.store.load(&[key]).remove(0).unwrap()
    }
}

impl Records for Held<'_> {
    fn player(&self) -> Option<&Player> {
        self.player.as_deref()
    }
    fn outcome(&self, _: usize, id: &CommandId) -> Result<Option<Box<StoredOutcome>>, StoreErrorKind> {
        let found = self.find(Key::Outcome(self.id.clone(), id.clone()));
        Ok(found.map(|record| if let Record::Outcome(outcome) = record { outcome } else { panic!("{record:?}") }))
    }
    fn receipt(&self, number: u64) -> Result<Option<Box<Receipt>>, StoreErrorKind> {
        let found = self.find(Key::Receipt(self.id.clone(), number));
        Ok(found.map(|record| if let Record::Receipt(receipt) = record { receipt } else { panic!("{record:?}") }))
    }
    fn suspicion(&self, number: u64) -> Result<Option<Box<Suspicion>>, StoreErrorKind> {
        let found = self.find(Key::Suspicion(self.id.clone(), number));
        Ok(found.map(|record| if let Record::Suspicion(suspicion) = record { suspicion } else { panic!("{record:?}") }))
    }
    fn write(&mut self, written: Written<'_>) -> CommitOutcome {
        let changes = written.to_change_set().unwrap();
        let encoded: Vec<_> =
            written.outcomes.iter().map(|outcome| (outcome.id.clone(), outcome.decode().unwrap())).collect();
        assert_eq!(changes.outcomes, encoded);
        // As a store does that has no copy to give away.
        let Written { changes: whole, .. } = written;
        let record = std::mem::take(&mut whole.record);
        assert_eq!(record, changes.record);
        self.player = Some(record);
        self.store.commit(vec![changes]).remove(0)
    }
}

/// A batch taken through where the records lie.
fn in_place(store: &MemoryStore, plan: &mut Plan<'_>) {
    let Some(Ok(Some(Record::Horizon(horizon)))) = store.load(&[Key::Horizon]).pop() else { panic!("no horizon") };
    let mut lanes = plan.lanes(&[0; 16]);
    for at in 0..lanes.len() {
        let view = lanes.get(at);
        assert!(view.commands.iter().all(|command| command.player == *view.player));
        let mut held = Held::of(store, view.player);
        while lanes.decide(at, horizon, &mut held) {}
        assert!(lanes.get(at).commands.is_empty());
    }
}

/// What one of a few players does, ids that come again included.
fn anything(rng: &mut Rng, now: i64) -> Command {
    let name = *rng.of(&["ana", "bo", "cy", "di", "ed", "a-player-with-a-long-name"]);
    let id = format!("{}{}", rng.of(&["e", "an-id-of-36-bytes-as-uuids-have-them-"]), rng.below(400));
    let ts = now - rng.millis(40 * 3_600_000);
    let command = match rng.below(12) {
        0..6 => progression(&id, name, ts, rng.millis(300)),
        6..9 => {
            kill(&id, name, ts, ["hydra", "ogre", "rat"][usize::try_from(rng.below(3)).unwrap()], rng.millis(3_000) + 1)
        }
        9 => {
            let (suspicion, ruling) = (rng.below(40), *rng.of(&[Ruling::Release, Ruling::Confirm]));
            operator(&id, name, now, Action::Review { suspicion, ruling })
        }
        10 => operator(&id, name, now, Action::SetVisibility { hidden: rng.below(2) == 0 }),
        _ if rng.below(6) == 0 => operator(&id, name, now, Action::Erase),
        _ => Command::adjust(EventId::new(&id).unwrap(), player(name), at(now), rng.millis(200) - 100, "why").unwrap(),
    };
    Command { received_at: at(now), ..command }
}

/// Others over the same players: their types, periods and boards stand at other places.
fn other_rules() -> Rules {
    let text = common::RULES.replace("death", "birth").replace(r#""graceSeconds": 3600"#, r#""graceSeconds": 60"#);
    Rules::from_json(&text.replace(r#""fastest""#, r#""ymir""#)).unwrap()
}

/// Loaded and committed, or decided where the records lie: the same outcomes, state and feed, batch by batch. The second in memory that
/// other rules have used.
#[test]
fn both_ways_decide_alike() {
    for seed in 1..=8 {
        let (mut rng, all, mut now) = (Rng(seed), [rules(), other_rules()], START + 2 * DAY);
        let (far, near) = (MemoryStore::with_feed(100_000), MemoryStore::with_feed(100_000));
        let mut work = Box::default();
        for round in 0..30 {
            let (rules, many) = (rng.of(&all), rng.below(60));
            let commands: Vec<_> = (0..many).map(|_| anything(&mut rng, now)).collect();
            let mut plan = Plan::new(rules, &commands).recording(rules.identity());
            by_load_and_commit(&far, &mut plan);
            let wanted = plan.finish();
            let mut plan = Plan::within(work, rules, &commands).recording(rules.identity());
            in_place(&near, &mut plan);
            let (outcomes, used) = plan.finish_within();
            work = used;
            let seen = |outcomes: &[Outcome]| outcomes.iter().map(|outcome| format!("{outcome:?}")).collect::<Vec<_>>();
            assert_eq!(seen(&outcomes), seen(&wanted), "seed {seed}, round {round}");
            assert_eq!(near.digest(), far.digest(), "seed {seed}, round {round}");
            now += rng.millis(6 * 3_600_000);
            if rng.below(4) == 0 {
                let horizon = Horizon { now: at(now), forgotten_before: at(now - PAST) };
                assert_eq!(near.advance(horizon).unwrap(), far.advance(horizon).unwrap());
            }
        }
        let feed = |store: &MemoryStore| store.feed(0, 0, 100_000).unwrap();
        assert_eq!(format!("{:?}", feed(&near)), format!("{:?}", feed(&far)), "seed {seed}");
    }
}

/// A player with more commands than fit a run, of a plan that was begun in another order.
#[test]
fn lanes_take_up_what_is_left() {
    let rules = rules();
    let commands: Vec<_> = (0..600).map(|n| progression(&format!("e{n}"), &format!("p{}", n % 3), START, 1)).collect();
    let store = MemoryStore::new();
    let mut plan = Plan::new(&rules, &commands);
    let keys = plan.keys(2);
    let batch = plan.decide(store.load(&keys));
    plan.resolve(store.commit(batch));
    let left: usize = {
        let lanes = plan.lanes(&[7; 16]);
        assert!((1..lanes.len()).all(|at| lanes.get(at - 1).hash < lanes.get(at).hash));
        (0..lanes.len()).map(|at| lanes.get(at).commands.len()).sum()
    };
    assert_eq!(left, 600 - 2 * 64);
    in_place(&store, &mut plan);
    assert!(plan.finish().iter().all(|outcome| outcome.code() == "applied"));
    assert_eq!(store.size().outcomes, 600);
}

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
