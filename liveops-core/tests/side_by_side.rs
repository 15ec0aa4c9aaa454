//! Two processes over one store while a fleet goes over to new rules: each decides by its own, and neither spoils what the other does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::sync::Arc;

use common::{DAY, START, as_inner, at, player, progression};
use liveops_core::board::Row;
use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::record::{BoardKey, ChangeSet, CommitOutcome, Horizon, Kind};
use liveops_core::store::{BoardAnswer, BoardRead, Keeps, Lag, Loaded, Partitioned};
use liveops_core::{
    Action, Boards, Code, Command, Engine, Key, MemoryStore, PlayerId, Record, Replica, Rules, Scan, Store, Window,
};

/// What one process has of a store that many share: boards of its own, which follow.
#[derive(Debug)]
struct Process {
    shared: Arc<MemoryStore>,
    boards: Replica,
    /// Whose record was written by a library that is newer than this process.
    newer: Option<PlayerId>,
}

impl Store for Process {
    as_inner!(shared);

    fn load(&self, keys: &[Key]) -> Vec<Loaded> {
        let is_newer = |key: &Key| key.player().is_some() && key.player() == self.newer.as_ref();
        let answers = keys.iter().zip(self.shared.load(keys));
        let too_new = || Err(StoreErrorKind::TooNew.into());
        answers.map(|(key, answer)| if is_newer(key) { too_new() } else { answer }).collect()
    }
    fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        self.shared.commit(batch)
    }
    fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        self.shared.advance(to)
    }
}

impl Partitioned for Process {
    fn partitions(&self) -> u16 {
        self.shared.partitions()
    }
}

type Page = Result<Vec<(Key, Record)>, StoreError>;

impl Scan for Process {
    fn scan(&self, partition: u16, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> Page {
        self.shared.scan(partition, kind, after, limit)
    }
    fn scan_player(&self, player: &PlayerId, kind: Option<Kind>, after: Option<&Key>, limit: usize) -> Page {
        self.shared.scan_player(player, kind, after, limit)
    }
}

impl Boards for Process {
    fn read(&self, reads: &[BoardRead]) -> Vec<Result<BoardAnswer, StoreError>> {
        self.boards.read(reads)
    }
    fn retain(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.boards.retain(keep);
        Ok(())
    }
    fn rebuild(&self, keep: Keeps<'_>) -> Result<(), StoreError> {
        self.boards.rebuild(&*self.shared, keep)
    }
    fn catch_up(&self) -> Result<(), StoreError> {
        self.boards.catch_up(&*self.shared)
    }
    fn horizon(&self) -> Horizon {
        self.boards.horizon()
    }
    fn lag(&self) -> Result<Lag, StoreError> {
        self.boards.follow(&*self.shared, 0)
    }
    fn note_final(&self, key: &BoardKey, rows: &[Row]) -> Result<(), StoreError> {
        self.shared.note_final(key, rows)
    }
}

fn shared() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::with_feed(10_000))
}

fn process(shared: &Arc<MemoryStore>, members: &str) -> Engine<Process> {
    process_of_before(shared, members, None)
}

/// It was built before somebody's record could be what it is.
fn process_of_before(shared: &Arc<MemoryStore>, members: &str, newer: Option<PlayerId>) -> Engine<Process> {
    let rules = Rules::from_json(&format!(r#"{{ "version": 1, "game": "emberfall", {members} }}"#)).unwrap();
    let boards = Replica::default();
    boards.join(&**shared, &|_| true).unwrap();
    Engine::open(rules, Process { shared: Arc::clone(shared), boards, newer }).unwrap()
}

fn code(engine: &Engine<Process>, command: &Command) -> &'static str {
    engine.submit(command).code()
}

/// A fingerprint is over what was parsed. So schemas are widened everywhere before anybody sends more.
#[test]
fn a_retry_elsewhere_is_another_event_where_schemas_differ() {
    let events = |more: &str| {
        format!(
            r#""events": {{ "win": {{ "unknownFields": "ignore", "fields": {{ "rating": {{ "type": "uint" }}{more} }} }} }}"#
        )
    };
    let wide = events(r#", "map": { "type": "id" }"#);
    let line = |id: &str| {
        let ts = START / 1_000;
        let win = format!(r#""type":"win","playerId":"ana","ts":{ts},"payload":{{"rating":5,"map":"dunes"}}"#);
        format!(r#"{{"id":"{id}",{win}}}"#).into_bytes()
    };
    let shared = shared();
    let (old, new) = (process(&shared, &events("")), process(&shared, &wide));
    let sent = |engine: &Engine<Process>, id: &str| engine.submit_ndjson(&line(id), at(START))[0].code();
    assert_eq!([sent(&old, "e1"), sent(&old, "e1"), sent(&new, "e1")], ["applied", "replayed", "event_id_reused"]);
    assert_eq!([sent(&new, "e2"), sent(&old, "e2"), sent(&new, "e2")], ["applied", "event_id_reused", "replayed"]);

    // Widened everywhere, the other rules may differ.
    let old = process(&shared, &wide);
    let new = process(
        &shared,
        &format!(r#"{wide}, "progress": {{ "curve": {LINEAR}, "xp": [ {{ "on": "win", "amount": 7 }} ] }}"#),
    );
    assert_eq!([sent(&old, "e3"), sent(&new, "e3")], ["applied", "replayed"]);
    assert_eq!([sent(&new, "e4"), sent(&old, "e4")], ["applied", "replayed"]);
    assert_eq!(new.player(&player("ana")).unwrap().unwrap().xp, 7, "each by the rules of whoever was first");
}

const LINEAR: &str = r#"{ "kind": "linear", "base": 10, "step": 0, "maxLevel": 50 }"#;

#[test]
fn a_player_on_a_newer_curve_waits_for_a_process_that_knows_it() {
    let curve = format!(r#""progress": {{ "curve": {LINEAR} }}"#);
    let slower = LINEAR.replace("\"base\": 10", "\"base\": 100");
    let migrates = format!(
        r#""progress": {{ "curve": {slower}, "migrations": [ {{ "from": {LINEAR}, "policy": "keepLevelAndFraction", "levelRewards": "skip" }} ] }}"#
    );
    let shared = shared();
    let (old, new) = (process(&shared, &curve), process(&shared, &migrates));
    let gives = |id: &str, name: &str| progression(id, name, START, 25);
    for name in ["ana", "bo"] {
        assert_eq!(code(&old, &gives("e1", name)), "applied");
    }
    assert_eq!(code(&new, &gives("e2", "ana")), "applied");
    let outcomes = old.submit_batch(&[gives("e3", "ana"), gives("e3", "bo")]);
    assert_eq!([outcomes[0].code(), outcomes[1].code()], ["curve_unknown", "applied"], "that player alone");
    assert!(old.submit(&gives("e3", "ana")).into_effect().unwrap_err().is_transient(), "to be sent again");
    assert_eq!([code(&new, &gives("e3", "ana")), code(&new, &gives("e3", "bo"))], ["applied", "replayed"]);
    let retried = code(&old, &gives("e2", "ana"));
    assert_eq!(retried, "replayed", "what was applied anywhere is known everywhere");
}

fn board(name: &str) -> String {
    format!(r#""{name}": {{ "value": "grantedXp", "keepPeriods": {{ "daily": 2, "allTime": 0 }} }}"#)
}

fn boards(names: &[&str]) -> String {
    format!(r#""boards": {{ {} }}"#, names.iter().map(|name| board(name)).collect::<Vec<_>>().join(", "))
}

fn scores(engine: &Engine<Process>, board: &str) -> Vec<(String, i64)> {
    engine.catch_up().unwrap();
    let rows = engine.board(board).unwrap().top(Window::AllTime, 9, at(START)).unwrap();
    rows.into_iter().map(|row| (row.owner.to_string(), row.score)).collect()
}

fn of(scores: &[(&str, i64)]) -> Vec<(String, i64)> {
    scores.iter().map(|(name, score)| ((*name).to_owned(), *score)).collect()
}

/// Whoever does not know a board counts nothing on it, and leaves alone what stands there.
#[test]
fn boards_that_a_process_does_not_know_stay() {
    let shared = shared();
    let (old, new) = (process(&shared, &boards(&["arena", "xp"])), process(&shared, &boards(&["duel", "xp"])));
    for (turn, xp) in (0..).zip([1, 10, 100, 1_000]) {
        for (engine, name) in [(&old, "ana"), (&new, "bo"), (&new, "ana"), (&old, "bo")] {
            assert_eq!(code(engine, &progression(&format!("e{turn}-{engine:p}"), name, START, xp)), "applied");
        }
        for engine in [&old, &new] {
            engine.advance(at(START + i64::from(turn))).unwrap();
        }
    }
    let (all, half) = (of(&[("ana", 2_222), ("bo", 2_222)]), of(&[("ana", 1_111), ("bo", 1_111)]));
    assert_eq!([scores(&old, "xp"), scores(&new, "xp")], [all.clone(), all]);
    assert_eq!([scores(&old, "arena"), scores(&new, "duel")], [half.clone(), half]);
    let header = shared.header().unwrap();
    let known: Vec<_> = header.boards.iter().map(|(board, _)| board.as_str()).collect();
    assert_eq!(known, ["arena", "duel", "xp"], "both are of the store");
    assert_eq!(old.board("duel").map(drop).unwrap_err().code(), Code::UnknownBoard);

    // Begun again, the old process is as it was.
    let again = process(&shared, &boards(&["arena", "xp"]));
    assert_eq!(scores(&again, "arena"), of(&[("ana", 1_111), ("bo", 1_111)]));
    // Hidden by one, gone from the boards of both.
    let hide = common::operator("hide", "ana", START, Action::SetVisibility { hidden: true });
    assert_eq!(code(&old, &hide), "applied");
    assert_eq!([scores(&again, "arena"), scores(&new, "duel")], [of(&[("bo", 1_111)]), of(&[("bo", 1_111)])]);
}

#[test]
fn each_process_says_which_rules_are_in_force_anywhere() {
    let shared = shared();
    let old = process(&shared, &boards(&["xp"]));
    let new = process(&shared, &boards(&["duel", "xp"]));
    let [first, second] = [&old, &new].map(|engine| engine.rules().identity());
    for (engine, own) in [(&old, first), (&new, second)] {
        let status = engine.status().unwrap();
        assert_eq!((status.rules, status.rules_seen), (own, vec![first, second]));
    }
    code(&old, &progression("e", "ana", START, 5));
    assert_eq!(new.status().unwrap().lag.behind, 1);
    new.catch_up().unwrap();
    assert_eq!(new.status().unwrap().lag.behind, 0);
    old.advance(at(START)).unwrap();
    assert_eq!(new.status().unwrap().horizon.now, at(START), "the store's");
    // All have gone over.
    old.replace_rules(Rules::clone(&new.rules())).unwrap();
    assert_eq!(old.status().unwrap().rules, new.status().unwrap().rules);
}

/// One process moves the store; in all others the same is over.
#[test]
fn what_one_process_drops_is_dropped_in_all() {
    let shared = shared();
    let (here, there) = (process(&shared, &boards(&["xp"])), process(&shared, &boards(&["xp"])));
    code(&here, &progression("e", "ana", START, 5));
    let day = here.rules().calendar().period(Window::Daily, at(START)).unwrap();
    let shown = |engine: &Engine<Process>| {
        engine.catch_up().unwrap();
        let board = engine.board("xp").unwrap();
        board.of(day).top(9).map(|rows| rows.len()).map_err(|error| error.code())
    };
    assert_eq!([shown(&here), shown(&there)], [Ok(1); 2]);
    here.advance(at(START + 4 * DAY)).unwrap();
    assert_eq!([shown(&here), shown(&there)], [Err(Code::PeriodDropped); 2]);
}

/// What a newer library wrote is left alone, and holds up nobody else.
#[test]
fn a_newer_record_is_too_new_for_its_player_alone() {
    let shared = shared();
    let new = process(&shared, &boards(&["xp"]));
    for name in ["ana", "bo"] {
        assert_eq!(code(&new, &progression("e1", name, START, 5)), "applied");
    }
    let old = process_of_before(&shared, &boards(&["xp"]), Some(player("ana")));
    let before = shared.digest();
    assert_eq!(code(&old, &progression("e2", "ana", START, 5)), "record_too_new");
    assert_eq!(shared.digest(), before, "nothing was written");
    assert_eq!(code(&old, &progression("e2", "bo", START, 5)), "applied");
    assert_eq!(code(&new, &progression("e2", "ana", START, 5)), "applied");
}
