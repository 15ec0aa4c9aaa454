//! What an advance forgets is absent at once, wherever one looks, and nothing else is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use liveops_core::record::Kind;
use liveops_core::store::{digest_of, records};
use liveops_core::{
    Action, Command, CommandId, Engine, EventId, Key, MemoryStore, Origin, Outcome, Record, Scan as _, Store as _,
};

use crate::common::{DAY, FUTURE, PAST, Rng, START, at, operator, player, progression, received, rules};
use crate::{assert_boards_fit, ends, horizon};

const BOARDS: [&str; 3] = ["fastest", "latest", "xp"];

/// What is left of a player, by a model that knows no more than the contract.
#[derive(Default)]
struct Left {
    outcomes: BTreeMap<CommandId, i64>,
    /// Nothing but the mark of an erasure through this.
    mark: Option<i64>,
    version: u64,
    newest: i64,
}

#[derive(Default)]
struct Model {
    players: BTreeMap<String, Left>,
    forgotten_before: i64,
}

impl Model {
    fn applied(&mut self, command: &Command) {
        let ts = command.ts.as_unix_millis();
        let left = self.players.entry(command.player.as_str().to_owned()).or_default();
        left.version += 1;
        if command.action == Action::Erase {
            *left = Left { mark: Some(ts.max(left.newest)), version: left.version, newest: ts, ..Left::default() };
        } else {
            (left.mark, left.newest) = (None, left.newest.max(ts));
        }
        if ts >= self.forgotten_before {
            left.outcomes.insert(command.id.clone(), ts);
        }
    }

    fn advance(&mut self, forgotten_before: i64) {
        self.forgotten_before = forgotten_before;
        self.players.retain(|_, left| {
            left.outcomes.retain(|_, ts| *ts >= forgotten_before);
            !(left.mark.is_some_and(|through| through < forgotten_before) && left.outcomes.is_empty())
        });
    }
}

fn check(engine: &Engine<MemoryStore>, model: &Model, ever: &BTreeSet<(String, CommandId)>) {
    let store = engine.store();
    let outcomes: BTreeSet<_> = model
        .players
        .iter()
        .flat_map(|(name, left)| left.outcomes.keys().map(move |id| (name.clone(), id.clone())))
        .collect();
    let keys: Vec<_> = ever.iter().map(|(name, id)| Key::Outcome(player(name), id.clone())).collect();
    for ((key, answer), name) in keys.iter().zip(store.load(&keys)).zip(ever) {
        assert_eq!(answer.unwrap().is_some(), outcomes.contains(name), "{key:?}");
    }
    let names: BTreeSet<_> = ever.iter().map(|(name, _)| name.clone()).collect();
    for name in &names {
        let version = match store.load(&[Key::Player(player(name))]).remove(0).unwrap() {
            Some(Record::Player(record)) => record.version,
            None => 0,
            other => panic!("{other:?}"),
        };
        assert_eq!(version, model.players.get(name).map_or(0, |left| left.version), "{name}");
    }
    let scanned: Vec<_> = records(store, Some(Kind::Outcome), 7).map(|item| item.unwrap().0).collect();
    let expected: BTreeSet<_> = outcomes.iter().map(|(name, id)| Key::Outcome(player(name), id.clone())).collect();
    assert!(scanned.iter().eq(&expected), "outcomes that are scanned");
    let scanned: Vec<_> = records(store, Some(Kind::Player), 7).map(|item| item.unwrap().0).collect();
    let expected: BTreeSet<_> = model.players.keys().map(|name| Key::Player(player(name))).collect();
    assert!(scanned.iter().eq(&expected), "players who are scanned");
    let size = store.size();
    assert_eq!((size.players, size.outcomes), (model.players.len() as u64, outcomes.len() as u64));
    assert_eq!(store.digest(), digest_of(store).unwrap());
    assert_eq!(MemoryStore::restore(&store.snapshot()).unwrap().digest(), store.digest());
}

#[test]
fn outcomes_of_mixed_times_and_erased_players_go_when_they_are_due() {
    for seed in 1..=4 {
        println!("seed {seed}");
        let engine = Engine::new(rules(), MemoryStore::with_feed(1_000_000));
        let (mut rng, mut model, mut ever) = (Rng(seed), Model::default(), BTreeSet::new());
        let mut known: Vec<Command> = Vec::new();
        let (mut now, mut came_back) = (START, 0);
        for round in 0..60_u64 {
            now += rng.millis(DAY / 3);
            let batch: Vec<_> = (0..rng.below(60))
                .map(|n| {
                    // Each plays for a day, then nobody hears of them for two.
                    let name = format!("p{}", 3 * rng.below(9) + round / 6 % 3);
                    let ts = now - rng.millis(PAST + DAY / 8) + rng.millis(FUTURE);
                    let id = format!("e{round}-{n}");
                    let erases = rng.below(7) == 0;
                    let command =
                        if erases { operator(&id, &name, ts, Action::Erase) } else { progression(&id, &name, ts, 20) };
                    received(command, now)
                })
                .collect();
            for (command, outcome) in batch.iter().zip(engine.submit_batch(&batch)) {
                ever.insert((command.player.as_str().to_owned(), command.id.clone()));
                if matches!(outcome, Outcome::Applied(_)) {
                    let is_new = !model.players.contains_key(command.player.as_str());
                    came_back += usize::from(is_new && known.iter().any(|other| other.player == command.player));
                    model.applied(command);
                    known.push(command.clone());
                } else {
                    assert!(["too_old", "player_erased"].contains(&outcome.code()), "{outcome:?}");
                }
            }
            check(&engine, &model, &ever);
            if rng.below(2) == 0 {
                // The same one again moves nothing; an earlier one neither.
                for to in [now, now, now - DAY] {
                    engine.advance(at(to)).unwrap();
                }
                model.advance(now - PAST);
                assert_eq!(horizon(engine.store()).forgotten_before, at(now - PAST));
                check(&engine, &model, &ever);
            }
            // Retries.
            for _ in 0..20.min(known.len()) {
                let command = rng.of(&known).clone();
                let left = model.players.get(command.player.as_str());
                let is_known = left.is_some_and(|left| left.outcomes.contains_key(&command.id));
                let outcome = engine.submit(&received(command.clone(), now));
                let expected: &[&str] = if is_known { &["replayed"] } else { &["too_old", "player_erased"] };
                assert!(expected.contains(&outcome.code()), "{command:?}: {outcome:?}");
            }
        }
        assert!(came_back > 3, "erased, forgotten and back: {came_back}");
        assert_boards_fit(&engine, &BOARDS);
    }
}

/// Whoever asks after an advance has returned finds nothing of before it, and all that is newer.
#[test]
fn nothing_of_before_an_advance_is_found_after_it() {
    const STEP: i64 = 60_000;
    /// Of event `n`.
    fn time(n: i64) -> i64 {
        START + n * STEP
    }
    /// The times of the outcomes that are found of a player, one way or the other.
    fn found(engine: &Engine<MemoryStore>, of: i64, by_load: bool) -> BTreeSet<i64> {
        let name = player(&format!("p{of}"));
        let records = if by_load {
            let id = |n: i64| CommandId { origin: Origin::Event, id: EventId::new(&format!("e{n}")).unwrap() };
            let keys: Vec<_> = (of..800).step_by(40).map(|n| Key::Outcome(name.clone(), id(n))).collect();
            engine.store().load(&keys).into_iter().filter_map(Result::unwrap).collect()
        } else {
            let page = engine.store().scan_player(&name, Some(Kind::Outcome), None, 1_000).unwrap();
            page.into_iter().map(|(_, record)| record).collect::<Vec<_>>()
        };
        let ts = |record| if let Record::Outcome(outcome) = record { outcome.ts } else { panic!("{record:?}") };
        records.into_iter().map(|record| ts(record).as_unix_millis()).collect()
    }
    ends(|| {
        let engine = Engine::new(rules(), MemoryStore::new());
        let event = |n| received(progression(&format!("e{n}"), &format!("p{}", n % 40), time(n), 1), time(800));
        let batch: Vec<_> = (0..800).map(event).collect();
        assert!(engine.submit_batch(&batch).iter().all(|outcome| outcome.code() == "applied"));
        let (published, ended) = (AtomicI64::new(START), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let (engine, published, ended) = (&engine, &published, &ended);
            for reader in 0..2 {
                scope.spawn(move || {
                    let mut rng = Rng(reader);
                    while !ended.load(Ordering::SeqCst) {
                        let before = published.load(Ordering::SeqCst);
                        let of = rng.millis(40);
                        let found = found(engine, of, rng.below(2) == 0);
                        let after = horizon(engine.store()).forgotten_before.as_unix_millis();
                        assert!(found.iter().all(|ts| *ts >= before), "older than {before}: {found:?}");
                        let mut left = (of..800).step_by(40).map(time).filter(|ts| *ts >= after);
                        assert!(left.all(|ts| found.contains(&ts)), "not older than {after}, and gone");
                        let counted = i64::try_from(engine.store().size().outcomes).unwrap();
                        assert!(counted <= 801 - (before - START) / STEP, "{counted} counted");
                    }
                });
            }
            let thread = scope.spawn(move || {
                let (mut rng, mut forgotten) = (Rng(3), START);
                while forgotten < time(780) {
                    forgotten += rng.millis(4 * STEP);
                    engine.advance_far(at(forgotten + PAST)).unwrap();
                    published.store(forgotten, Ordering::SeqCst);
                }
            });
            let result = thread.join();
            ended.store(true, Ordering::SeqCst);
            result.unwrap();
        });
        assert_eq!(engine.store().digest(), digest_of(engine.store()).unwrap());
    });
}
