//! Random traces: the engine answers what the model answers, and its state depends on nothing else than the commands and
//! the advances between them. A failure prints the seed.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that fails names its seed")]

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use common::trace::{Manners, Step, Trace, trace};
use common::{DAY, KEEP, Rng, START, as_inner, at, horizon, player, records, rules, told};
use liveops_core::board::{Index, Ranking, Row};
use liveops_core::decorate::{Fault, FaultyStore};
use liveops_core::error::StoreError;
use liveops_core::record::{BoardKey, ChangeSet, CommitOutcome, Header, Horizon, Player};
use liveops_core::reward::{Scope, verify_chain};
use liveops_core::store::{AsyncBoards, BoardAnswer, BoardRead, Keeps, Lag, Loaded};
use liveops_core::{
    Action, AsyncEngine, AsyncStore, BoardId, Boards as _, Command, Engine, Key, MemoryStore, Outcome, Period,
    PlayerId, Receipt, Record, Rules, Store, Window,
};

const SEEDS: std::ops::Range<u64> = 1..9;
const STEPS: usize = 40;

fn each_seed(manners: Manners, test: impl Fn(u64, Trace)) {
    for seed in SEEDS {
        println!("seed {seed}");
        test(seed, trace(seed, STEPS, manners));
    }
}

fn engine() -> Engine<MemoryStore> {
    Engine::new(rules(), MemoryStore::new())
}

/// Runs a trace in batches of `size`.
fn run(trace: &Trace, size: usize) -> (Engine<MemoryStore>, Vec<Outcome>) {
    let engine = engine();
    let mut outcomes = Vec::new();
    for step in &trace.steps {
        match step {
            Step::Advance(to) => _ = engine.advance(*to).unwrap(),
            Step::Batch(commands) => {
                outcomes.extend(commands.chunks(size).flat_map(|chunk| engine.submit_batch(chunk)));
            }
        }
    }
    (engine, outcomes)
}

fn players(store: &MemoryStore) -> BTreeMap<PlayerId, Player> {
    let players = records(store).into_iter().filter_map(|(key, record)| match (key, record) {
        (Key::Player(id), Record::Player(player)) => Some((id, *player)),
        _ => None,
    });
    players.collect()
}

fn key(board: &str, day: i64) -> BoardKey {
    let period = if day < 0 {
        Period { window: Window::AllTime, index: 0 }
    } else {
        Period { window: Window::Daily, index: day }
    };
    BoardKey { board: BoardId::new(board).unwrap(), period }
}

fn rows(store: &MemoryStore, key: &BoardKey) -> Vec<Row> {
    static RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| Arc::new(rules()));
    let engine = Engine::new(Arc::clone(&RULES), store);
    engine.board(key.board.as_str()).unwrap().of(key.period).page(0, 10_000).unwrap()
}

fn shown(store: &MemoryStore, key: &BoardKey) -> Vec<(PlayerId, i64)> {
    rows(store, key).into_iter().map(|row| (row.owner, row.score)).collect()
}

#[test]
fn every_answer_and_board_is_the_model_s() {
    each_seed(Manners::Hostile, |_, trace| {
        let (engine, outcomes) = run(&trace, 1_000);
        for ((command, outcome), wanted) in trace.commands().zip(&outcomes).zip(&trace.told) {
            assert_eq!(&told(outcome), wanted, "{command:?}");
        }
        let model = &trace.model;
        let players = players(engine.store());
        assert!(players.keys().map(PlayerId::as_str).eq(model.heroes.keys()), "the same players are known");
        for (id, player) in players {
            let hero = &model.heroes[id.as_str()];
            let found = (player.version, player.xp, player.hidden, player.receipts);
            assert_eq!(found, (hero.version, hero.xp.unsigned_abs(), hero.hidden, hero.receipts), "{id:?}");
        }
        // Days that no reader may see any more are freed by `advance`, which the model does not do.
        let first = START.div_euclid(DAY).max(model.now.div_euclid(DAY) - KEEP);
        let days = first..=model.now.div_euclid(DAY) + 1;
        for (board, day) in days.flat_map(|day| [("xp", day), ("fastest", day)]).chain([("xp", -1), ("latest", -1)]) {
            let page = shown(engine.store(), &key(board, day));
            assert_eq!(page, model.board(board, day), "{board} {day}");
            let standings = engine.board(board).unwrap().of(key(board, day).period);
            for (rank, (id, _)) in (1..).zip(&page) {
                assert_eq!(standings.rank(id).unwrap(), Some(rank));
            }
        }
    });
}

#[test]
fn the_traces_go_everywhere() {
    let covered: String =
        SEEDS.flat_map(|seed| trace(seed, STEPS, Manners::Hostile).told).collect::<Vec<_>>().join("\n");
    for answer in [
        "held Some",
        "flagged Some",
        "late 1",
        "late 2",
        "rewards 1 ",
        "rewards 2 ",
        "level 20",
        "adjusted -",
        "xp -",
        "replayed",
        "too_old",
        "event_id_reused",
        "too_far_in_future",
        "player_erased",
        "suspicion_unknown",
        "suspicion_settled",
        "score_overflow",
        "out_of_range",
        "period_open",
        "standing_unknown",
        "player_hidden",
        "unknown_board",
        "unknown_window",
    ] {
        assert!(covered.contains(answer), "no trace reaches `{answer}`");
    }
    assert!(SEEDS.clone().any(|seed| !trace(seed, STEPS, Manners::Hostile).model.erased.is_empty()));
}

/// What must hold of a store whatever happened to it.
fn assert_sound(store: &MemoryStore) {
    let mut chains: BTreeMap<PlayerId, Vec<Receipt>> = BTreeMap::new();
    for (key, record) in records(store) {
        if let (Key::Receipt(id, number), Record::Receipt(receipt)) = (key, record) {
            assert_eq!(receipt.number, number);
            chains.entry(id).or_default().push(*receipt);
        }
    }
    let players = players(store);
    for (id, player) in &players {
        let chain = chains.remove(id).unwrap_or_default();
        verify_chain(&chain, player.chain_head).unwrap();
        assert_eq!(chain.len() as u64, player.receipts);
        let levels: Vec<u32> =
            chain.iter().filter_map(|r| if let Scope::Level(level) = r.scope { Some(level) } else { None }).collect();
        assert_eq!(levels, (2..=player.granted_through).collect::<Vec<_>>(), "each level once, in order");
        let mut paid: Vec<BoardKey> = chain.iter().filter_map(|receipt| paid_for(&receipt.scope)).collect();
        assert_eq!(chain.len() - levels.len() - paid.len(), player.rare().marks.len(), "and the first hydra, once");
        assert!(paid.iter().all(|key| player.rare().paid.contains(key)), "and what was paid is marked");
        let payments = paid.len();
        paid.sort();
        paid.dedup();
        assert_eq!(paid.len(), payments, "and paid once");
    }
    assert!(chains.is_empty(), "receipts of nobody");
    assert_boards_are_a_fold(store, &players);
}

fn paid_for(scope: &Scope) -> Option<BoardKey> {
    let Scope::Payout { board, period, .. } = scope else { return None };
    Some(BoardKey { board: board.clone(), period: *period })
}

fn assert_boards_are_a_fold(store: &MemoryStore, players: &BTreeMap<PlayerId, Player>) {
    let (horizon, rules) = (horizon(store), rules());
    let mut folded: BTreeMap<BoardKey, Index> = BTreeMap::new();
    let mut shuffled: Vec<_> = players.iter().collect();
    let mut rng = Rng(players.len() as u64);
    shuffled.sort_by_cached_key(|_| rng.below(1_000));
    for (id, player) in shuffled {
        for (key, _) in player.standings.to_vec().into_iter().filter(|(key, _)| rules.keeps(key, horizon.now)) {
            let shown = player.shown(&key);
            let index = folded.entry(key).or_insert_with(|| Index::new([7; 16]));
            index.apply(id, player.version, shown).unwrap();
        }
    }
    for (key, index) in folded {
        assert_eq!(rows(store, &key), index.view(Ranking::Ordinal).page(0, usize::MAX), "{key:?}");
    }
}

#[test]
fn receipts_and_boards_add_up() {
    each_seed(Manners::Hostile, |_, trace| {
        let (engine, outcomes) = run(&trace, 7);
        assert_sound(engine.store());
        // What was told adds up to what is stored.
        let mut totals: BTreeMap<PlayerId, i64> = BTreeMap::new();
        for (command, outcome) in trace.commands().zip(&outcomes) {
            let Outcome::Applied(effect) = outcome else { continue };
            let total = totals.entry(command.player.clone()).or_default();
            *total += effect.xp.granted.cast_signed() - effect.xp.taken.cast_signed() + effect.adjusted;
            if command.action == Action::Erase {
                *total = 0;
            }
        }
        for (id, record) in players(engine.store()) {
            assert_eq!(i64::try_from(record.xp).unwrap(), totals[&id], "{id:?}");
        }
    });
}

#[test]
fn batches_make_no_difference() {
    each_seed(Manners::Hostile, |_, trace| {
        let (whole, outcomes) = run(&trace, 1_000);
        for size in [1, 7] {
            let (engine, cut) = run(&trace, size);
            assert_eq!(engine.digest(), whole.digest(), "batches of {size}");
            assert!(outcomes.iter().map(told).eq(cut.iter().map(told)), "batches of {size}");
        }
    });
}

/// Answers on the second poll, as a network would.
struct Remote(MemoryStore);

async fn elsewhere() {
    let mut asked = false;
    std::future::poll_fn(|_| {
        let ready = std::mem::replace(&mut asked, true);
        if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

impl AsyncStore for Remote {
    async fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        elsewhere().await;
        self.0.load(keys)
    }
    async fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        elsewhere().await;
        self.0.commit(batch)
    }
    fn round_players(&self) -> usize {
        self.0.round_players()
    }
    async fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        elsewhere().await;
        self.0.advance(to)
    }
    async fn header(&self) -> Result<Header, StoreError> {
        elsewhere().await;
        self.0.header()
    }
    async fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        elsewhere().await;
        self.0.replace_header(expected, new)
    }
}

impl AsyncBoards for Remote {
    async fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
        elsewhere().await;
        self.0.read(reads)
    }
    async fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        elsewhere().await;
        self.0.retain(keep)
    }
    async fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        elsewhere().await;
        self.0.rebuild(keep)
    }
    async fn catch_up(&self) -> Result<(), StoreError> {
        elsewhere().await;
        self.0.catch_up()
    }
    fn horizon(&self) -> Horizon {
        self.0.horizon()
    }
    async fn lag(&self) -> Result<Lag, StoreError> {
        elsewhere().await;
        self.0.lag()
    }
    async fn note_final(&self, key: &BoardKey, rows: &[Row]) -> Result<(), StoreError> {
        elsewhere().await;
        self.0.note_final(key, rows)
    }
}

fn wait<F: Future + Send>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(out) = future.as_mut().poll(&mut context) {
            return out;
        }
    }
}

#[test]
fn the_async_driver_makes_no_difference() {
    each_seed(Manners::Hostile, |_, trace| {
        let (blocking, _) = run(&trace, 1_000);
        let engine = AsyncEngine::new(rules(), Remote(MemoryStore::new()));
        let mut answers = Vec::new();
        for step in &trace.steps {
            match step {
                Step::Advance(to) => _ = wait(engine.advance(*to)).unwrap(),
                Step::Batch(commands) => answers.extend(wait(engine.submit_batch(commands))),
            }
        }
        assert_eq!(answers.iter().map(told).collect::<Vec<_>>(), trace.told);
        assert_eq!(engine.store().0.digest(), blocking.store().digest());
    });
}

#[test]
fn threads_make_no_difference() {
    const THREADS: usize = 8;
    each_seed(Manners::Hostile, |_, trace| {
        let (serial, _) = run(&trace, 1_000);
        let engine = engine();
        for step in &trace.steps {
            let commands = match step {
                Step::Advance(to) => {
                    engine.advance(*to).unwrap();
                    continue;
                }
                Step::Batch(commands) => commands,
            };
            let mut shares = vec![Vec::new(); THREADS];
            for command in commands {
                let number: usize = command.player.as_str()[1..].parse().unwrap();
                shares[number % THREADS].push(command.clone());
            }
            std::thread::scope(|scope| {
                for share in &shares {
                    scope.spawn(|| share.chunks(5).for_each(|chunk| drop(engine.submit_batch(chunk))));
                }
            });
        }
        assert_eq!(engine.digest(), serial.digest());
        assert_sound(engine.store());
    });
}

#[test]
fn replaying_everything_changes_nothing() {
    each_seed(Manners::Hostile, |_, trace| {
        let (engine, outcomes) = run(&trace, 7);
        let before = engine.digest();
        let late = at(trace.model.now + 1);
        for (command, outcome) in trace.commands().zip(&outcomes) {
            // Erasing takes the mark too, and once the entry has gone with its period nothing is left to tell by. That is
            // why an archive's names are part of what is erased.
            let for_dropped = matches!(&command.action, Action::Payout(payment)
                if !rules().keeps(&payment.board, at(trace.model.now)));
            if for_dropped && trace.model.erased.contains(command.player.as_str()) {
                continue;
            }
            if matches!(outcome, Outcome::Applied(_)) {
                let again = engine.submit(&Command { received_at: late, ..command.clone() });
                assert!(matches!(again, Outcome::Replayed(_) | Outcome::Refused(_)), "{command:?} {again:?}");
            }
        }
        assert_eq!(engine.digest(), before);
    });
}

/// Whether a command must be sent again.
fn in_doubt(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Refused(error) => error.is_transient(),
        outcome => matches!(outcome, Outcome::Unknown(_)),
    }
}

/// Sends a trace again and again until nothing is in doubt; how often something was.
fn insist<S: Store>(trace: &Trace, store: &MemoryStore, engine: &Engine<S>) -> usize {
    let advances = Engine::new(rules(), store);
    let mut troubled = 0;
    for step in &trace.steps {
        match step {
            Step::Advance(to) => _ = advances.advance(*to).unwrap(),
            Step::Batch(commands) => {
                for chunk in commands.chunks(100) {
                    let mut open: Vec<&Command> = chunk.iter().collect();
                    while !open.is_empty() {
                        let again: Vec<Command> = open.iter().map(|command| (*command).clone()).collect();
                        let outcomes = engine.submit_batch(&again);
                        let doubts = open.iter().zip(&outcomes).filter(|(_, outcome)| in_doubt(outcome));
                        open = doubts.map(|(command, _)| *command).collect();
                        troubled += usize::from(!open.is_empty());
                    }
                }
            }
        }
    }
    troubled
}

fn faults(seed: u64) -> impl FnMut() -> Fault + Send {
    let mut rng = Rng(seed ^ 0xfa17);
    move || match rng.below(10) {
        0 => Fault::Before,
        1 => Fault::Middle,
        2 => Fault::LostCall,
        3 => Fault::LostReply,
        _ => Fault::None,
    }
}

#[test]
fn faults_and_retries_end_in_the_same_state() {
    each_seed(Manners::Repeatable, |seed, trace| {
        let (calm, _) = run(&trace, 100);
        let store = MemoryStore::new();
        let troubled = insist(&trace, &store, &Engine::new(rules(), FaultyStore::new(&store, faults(seed))));
        assert!(troubled > 5, "the trace met only {troubled} faults");
        assert_eq!(store.digest(), calm.store().digest());
        assert_sound(&store);
    });
}

#[test]
fn faults_leave_hostile_traces_sound() {
    each_seed(Manners::Hostile, |seed, trace| {
        let store = MemoryStore::new();
        insist(&trace, &store, &Engine::new(rules(), FaultyStore::new(&store, faults(seed))));
        assert_sound(&store);
        assert!(records(&store).iter().all(|(key, _)| key.player().is_none_or(|p| p.as_str().starts_with('p'))));
    });
}

/// Another server, which sends the same commands of one player in the same order, between our load and our commit.
struct Rivals<'s> {
    store: &'s MemoryStore,
    /// What it may send: the batch in hand.
    commands: Mutex<(Rng, Vec<Command>)>,
}

impl Store for Rivals<'_> {
    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        let loaded = self.store.load(keys);
        let (rng, commands) = &mut *self.commands.lock().unwrap();
        if rng.below(2) == 0 {
            let name = player(&format!("p{}", rng.below(4)));
            let own: Vec<Command> = commands.iter().filter(|command| command.player == name).cloned().collect();
            let len = usize::try_from(rng.below(own.len() as u64 + 1)).unwrap();
            Engine::new(rules(), self.store).submit_batch(&own[..len]);
        }
        loaded
    }
    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        self.store.commit(batch)
    }
    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        self.store.advance(to)
    }
    as_inner!(store);
}

#[test]
fn a_rival_between_load_and_commit_changes_nothing() {
    each_seed(Manners::Repeatable, |seed, trace| {
        let (calm, _) = run(&trace, 1_000);
        let store = MemoryStore::new();
        let rivals = Rivals { store: &store, commands: Mutex::new((Rng(seed), Vec::new())) };
        let engine = Engine::new(rules(), &rivals);
        let advances = Engine::new(rules(), &store);
        let mut replayed = 0;
        for step in &trace.steps {
            match step {
                Step::Advance(to) => _ = advances.advance(*to).unwrap(),
                Step::Batch(commands) => {
                    rivals.commands.lock().unwrap().1.clone_from(commands);
                    let outcomes = engine.submit_batch(commands);
                    assert!(!outcomes.iter().any(in_doubt), "a few conflicts are no trouble");
                    replayed += outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Replayed(_))).count();
                }
            }
        }
        assert!(replayed > 100, "the rival came first only {replayed} times");
        assert_eq!(store.digest(), calm.store().digest());
        assert_sound(&store);
    });
}

#[test]
fn snapshots_restore_everything() {
    each_seed(Manners::Hostile, |_, trace| {
        let (engine, _) = run(&trace, 7);
        let bytes = engine.store().snapshot();
        assert!(bytes == run(&trace, 1_000).0.store().snapshot(), "the bytes depend on the state alone");
        let restored = MemoryStore::restore(&bytes).unwrap();
        assert_eq!(restored.digest(), engine.store().digest());
        assert_sound(&restored);
        for key in [key("xp", -1), key("latest", -1)] {
            assert_eq!(shown(&restored, &key), shown(engine.store(), &key));
        }
        let mut rng = Rng(bytes.len() as u64);
        for _ in 0..20 {
            let mut bad = bytes.clone();
            let at = usize::try_from(rng.below(bad.len() as u64)).unwrap();
            bad[at] ^= 1 << rng.below(8);
            assert!(MemoryStore::restore(&bad).is_err(), "a flipped bit at {at}");
            assert!(MemoryStore::restore(&bytes[..at]).is_err(), "cut at {at}");
        }
    });
}

#[test]
fn a_restored_store_goes_on_as_if_nothing_had_happened() {
    each_seed(Manners::Hostile, |_, trace| {
        let (whole, _) = run(&trace, 1_000);
        let half = trace.steps.len() / 2;
        let mut engine = engine();
        for (number, step) in trace.steps.iter().enumerate() {
            if number == half {
                engine = Engine::open(rules(), MemoryStore::restore(&engine.store().snapshot()).unwrap()).unwrap();
            }
            match step {
                Step::Advance(to) => _ = engine.advance(*to).unwrap(),
                Step::Batch(commands) => drop(engine.submit_batch(commands)),
            }
        }
        assert_eq!(engine.digest(), whole.digest());
        assert_sound(engine.store());
    });
}
