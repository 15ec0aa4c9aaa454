//! Tests that need no second process; `tests/crash` has the others.

mod bad_inputs;
mod behaviour;
mod feed;
mod kit;

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use liveops_core::board::{Sort, Standing};
use liveops_core::event::{Event, FieldValue, Payload};
use liveops_core::hash::Digest;
use liveops_core::record::{BoardKey, ChangeSet, Effect, Player, Receipt, Settled, StoredOutcome, Suspicion};
use liveops_core::reward::{Item, ReceiptState, Scope};
use liveops_core::testing::EventBuilder;
use liveops_core::{
    BoardId, CommandId, EventId, Id, Key, Origin, Period, PlayerId, Record, Rules, Store as _, Timestamp, Whole as _,
    Window,
};

use crate::{Options, SqliteStore};

/// The game of the kit's rules.
const GAME: &str = "conformance";

/// A folder that is removed again.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("liveops-sqlite-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

/// What most tests open: what they say does not depend on when the disk is waited for.
fn normal() -> Options {
    SqliteStore::options().normal()
}

fn open(path: &Path) -> SqliteStore {
    normal().open(path, GAME).unwrap()
}

/// 2023-11-14T22:13:20Z
const NOW: Timestamp = Timestamp::from_unix_millis(1_700_000_000_000);

fn player(name: &str) -> PlayerId {
    PlayerId::new(name).unwrap()
}

fn command(number: u64) -> CommandId {
    CommandId { origin: Origin::Event, id: EventId::new(&format!("c{number}")).unwrap() }
}

fn outcome_key(name: &str, number: u64) -> Key {
    Key::Outcome(player(name), command(number))
}

/// A change set over a player of that version, with a record of each kind and an entry on a board.
fn set(name: &str, expected: u64) -> ChangeSet {
    let number = expected + 1;
    let receipt = Receipt {
        number,
        id: Digest::default(),
        reward: Id::new("level-gold").unwrap(),
        scope: Scope::Level(2),
        items: vec![Item::new(Id::new("currency").unwrap(), Id::new("gold").unwrap(), 100).unwrap()],
        cause: command(number),
        ts: NOW,
        rules: Digest::default(),
        previous: Digest::default(),
        claim_until: None,
        roll: None,
        state: ReceiptState::Issued,
        settled_at: None,
    };
    let event = Event {
        id: command(number).id,
        player: player(name),
        ts: NOW,
        kind: Id::new("progression").unwrap(),
        payload: Payload::new(vec![(Id::new("deltaXp").unwrap(), FieldValue::Int(1))]).unwrap(),
    };
    let suspicion = Suspicion { event, received_at: NOW, held: true, verdicts: Vec::new(), settled: Settled::Open };
    let period = Period { window: Window::AllTime, index: 0 };
    let key = BoardKey { board: BoardId::new("xp").unwrap(), period };
    let score = i64::try_from(number).unwrap().into();
    let standing = Standing { score, reached_at: NOW, newest_ts: NOW, sort: Sort::default() };
    let standings = [(key.clone(), standing)].into_iter().collect();
    ChangeSet {
        player: player(name),
        expected,
        forgotten_before: Timestamp::MIN,
        closes_at: Timestamp::MAX,
        forget: false,
        record: Player { version: number, newest_ts: NOW, xp: number, standings, ..Player::default() }.into(),
        outcomes: vec![(command(number), StoredOutcome { fingerprint: 7, ts: NOW, effect: Effect::default() })],
        receipts: vec![receipt],
        suspicions: vec![(number, suspicion)],
        removed: Vec::new(),
        shown: vec![(key, Some(standing))],
        run: None,
    }
}

fn load(store: &SqliteStore, keys: &[Key]) -> Vec<Option<Record>> {
    store.load(keys).into_iter().map(Result::unwrap).collect()
}

fn digest(store: &SqliteStore) -> String {
    store.digest().unwrap()
}

fn rules() -> Rules {
    Rules::from_json(
        r#"{ "version": 1, "game": "conformance",
        "progress": { "curve": { "kind": "linear", "base": 100, "step": 0, "maxLevel": 60 } },
        "rewards": { "level-gold": { "on": { "everyLevels": 1 },
            "grant": [ { "kind": "currency", "id": "gold", "amount": 10 } ] } },
        "boards": { "xp": { "value": "grantedXp", "keepPeriods": { "daily": 1, "allTime": 0 } } },
        "detectors": { "floor": { "kind": "timeFloor", "boss": "hydra", "minimumMs": 1000, "action": "hold" } } }"#,
    )
    .unwrap()
}

/// Events of ten players.
fn events(numbers: Range<u64>) -> Vec<u8> {
    let body = |n: u64| {
        let xp = i64::try_from(50 + 10 * (n % 10)).unwrap();
        let mut body = EventBuilder::progression(&format!("p{}", n % 10), xp, NOW).id(&format!("e{n}")).body();
        body.push(b'\n');
        body
    };
    numbers.flat_map(body).collect()
}
