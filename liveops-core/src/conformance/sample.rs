//! What the checks write: change sets with one record of each kind, and commands under small rules.

use crate::board::{Sort, Standing};
use crate::event::{Event, FieldValue, Payload};
use crate::hash::Digest;
use crate::id::{CommandId, EventId, Id, Origin, PlayerId};
use crate::record::{
    Action, BoardKey, ChangeSet, Command, CommitOutcome, Effect, Horizon, Key, Kind, Payment, Player, Receipt, Record,
    Run, Settled, StoredOutcome, Suspicion,
};
use crate::reward::{Item, ReceiptState, Scope};
use crate::rules::Rules;
use crate::store::{Scan, Store, records};
use crate::time::Timestamp;
use crate::window::{Calendar, Period, Window};

/// 2023-11-14T22:13:20Z
pub(super) const NOW: Timestamp = Timestamp::from_unix_millis(1_700_000_000_000);

pub(super) fn id(text: &str) -> Id {
    Id::new(text).expect("a valid id")
}

pub(super) fn player(name: &str) -> PlayerId {
    id(name).into()
}

pub(super) fn command_id(number: u64) -> CommandId {
    CommandId { origin: Origin::Event, id: id(&format!("c{number}")).into() }
}

fn payload(delta_xp: i64) -> Payload {
    Payload::new(vec![(id("deltaXp"), FieldValue::Int(delta_xp))]).expect("one field")
}

pub(super) fn receipt(number: u64) -> Receipt {
    Receipt {
        number,
        id: Digest::of(&[&number.to_be_bytes()]),
        reward: id("level-gold"),
        scope: Scope::Level(2),
        items: vec![Item::new(id("currency"), id("gold"), 100).expect("more than none")],
        cause: command_id(number),
        ts: NOW,
        rules: Digest::default(),
        previous: Digest::default(),
        claim_until: None,
        roll: None,
        state: ReceiptState::Issued,
        settled_at: None,
    }
}

/// The day of [`NOW`] on the board of XP.
pub(super) fn day() -> BoardKey {
    let period: Period = Calendar::utc().period(Window::Daily, NOW).expect("every time has its day");
    BoardKey { board: id("xp").into(), period }
}

/// The mark of an erasure at a time, under a version.
pub(super) fn erased(version: u64, through: Timestamp) -> Box<Player> {
    Player::erased(version, through, through).into()
}

/// A change set over a player of that version, with one record of each kind and an entry on the board of XP.
pub(super) fn set(name: &str, expected: u64) -> ChangeSet {
    let number = expected + 1;
    let id = command_id(number).id;
    let event = Event { id, player: player(name), ts: NOW, kind: self::id("progression"), payload: payload(1) };
    let mut effect = Effect::default();
    effect.more_mut().receipts.push(receipt(number));
    let suspicion = Suspicion { event, received_at: NOW, held: true, verdicts: Vec::new(), settled: Settled::Open };
    let score = i64::try_from(number).expect("few versions").into();
    let standing = Standing { score, reached_at: NOW, newest_ts: NOW, sort: Sort::default() };
    let standings = [(day(), standing)].into_iter().collect();
    ChangeSet {
        player: player(name),
        expected,
        forgotten_before: Timestamp::MIN,
        closes_at: Timestamp::MAX,
        forget: false,
        record: Player { version: number, newest_ts: NOW, xp: number, standings, ..Player::default() }.into(),
        outcomes: vec![(command_id(number), StoredOutcome { fingerprint: number.into(), ts: NOW, effect })],
        receipts: vec![receipt(number)],
        suspicions: vec![(number, suspicion)],
        removed: Vec::new(),
        shown: vec![(day(), Some(standing))],
        run: None,
    }
}

/// The same, with what led to it.
pub(super) fn recorded(name: &str, expected: u64) -> ChangeSet {
    let commands = vec![progression(&format!("c{}", expected + 1), name, 0, 1)];
    let run = Run { rules: Digest::of(&[b"rules"]), horizon: Horizon::default(), commands };
    ChangeSet { run: Some(run.into()), ..set(name, expected) }
}

/// The erasure of a player of that version, at [`NOW`]: nothing is left but the mark and its own outcome.
pub(super) fn erasure(name: &str, expected: u64) -> ChangeSet {
    ChangeSet {
        forget: true,
        record: erased(expected + 1, NOW),
        receipts: Vec::new(),
        suspicions: Vec::new(),
        shown: vec![(day(), None)],
        ..set(name, expected)
    }
}

/// A change set that was decided once nothing before the mark was remembered.
pub(super) fn under(forgotten_before: Timestamp, set: ChangeSet) -> ChangeSet {
    ChangeSet { forgotten_before, ..set }
}

/// The keys of the records that [`set`] writes beside the player: outcome, receipt, suspicion.
pub(super) fn parts(name: &str, number: u64) -> [Key; 3] {
    [
        Key::Outcome(player(name), command_id(number)),
        Key::Receipt(player(name), number),
        Key::Suspicion(player(name), number),
    ]
}

/// Whether each set was applied; anything but that or a conflict is a broken promise.
pub(super) fn commit<S: Store + ?Sized>(store: &S, sets: Vec<ChangeSet>) -> Vec<bool> {
    let wanted = sets.len();
    let results = store.commit(sets);
    assert_eq!(results.len(), wanted, "commit answers every change set");
    let applied = |result| match result {
        CommitOutcome::Applied => true,
        CommitOutcome::Conflict => false,
        CommitOutcome::Failed(error) => panic!("commit failed: {error}"),
    };
    results.into_iter().map(applied).collect()
}

pub(super) fn applied<S: Store + ?Sized>(store: &S, set: ChangeSet) {
    assert_eq!(commit(store, vec![set]), [true], "a change set that fits is applied");
}

pub(super) fn load<S: Store + ?Sized>(store: &S, keys: &[Key]) -> Vec<Option<Record>> {
    let answers = store.load(keys);
    assert_eq!(answers.len(), keys.len(), "load answers every key");
    answers.into_iter().collect::<Result<_, _>>().expect("every key can be read")
}

pub(super) fn present<S: Store + ?Sized>(store: &S, keys: &[Key]) -> Vec<bool> {
    load(store, keys).iter().map(Option::is_some).collect()
}

/// Of a player who may be absent.
pub(super) fn xp<S: Store + ?Sized>(store: &S, name: &str) -> u64 {
    match &load(store, &[Key::Player(player(name))])[..] {
        [None] => 0,
        [Some(Record::Player(player))] => player.xp,
        other => panic!("a player's key answers with the player: {other:?}"),
    }
}

/// What commits of now are decided under.
pub(super) fn horizon_of<S: Store + ?Sized>(store: &S) -> Horizon {
    match &load(store, &[Key::Horizon])[..] {
        [None] => Horizon::default(),
        [Some(Record::Horizon(horizon))] => *horizon,
        other => panic!("the horizon's key answers with the horizon: {other:?}"),
    }
}

/// All records of a kind or of every kind, in key order.
pub(super) fn all<S: Scan + ?Sized>(store: &S, kind: Option<Kind>) -> Vec<(Key, Record)> {
    let mut all: Vec<_> = records(store, kind, 50).collect::<Result<_, _>>().expect("scan");
    all.sort_unstable_by(|a: &(Key, Record), b| a.0.cmp(&b.0));
    all
}

pub(super) fn advance<S: Store + ?Sized>(store: &S, to: Horizon) -> Horizon {
    store.advance(to).expect("advance")
}

/// A horizon, by milliseconds after [`NOW`].
pub(super) fn horizon(now: i64, forgotten_before: i64) -> Horizon {
    Horizon { now: NOW.plus_millis(now), forgotten_before: NOW.plus_millis(forgotten_before) }
}

/// Small rules with a bit of everything.
pub(super) fn rules() -> Rules {
    let document = r#"{ "version": 1, "game": "conformance",
        "progress": { "curve": { "kind": "linear", "base": 100, "step": 0, "maxLevel": 60 }, "dailyXpCap": 5000 },
        "rewards": {
            "level-gold": { "on": { "everyLevels": 1 },
                "grant": [ { "kind": "currency", "id": "gold", "amount": 10 } ] },
            "first-hydra": { "on": { "boss": "hydra", "kill": "first" }, "loot": "chest" } },
        "loot": { "chest": { "entries": {
            "crown": { "weight": 1, "grant": { "kind": "item", "id": "crown", "amount": 1 } },
            "scale": { "weight": 2, "grant": { "kind": "item", "id": "scale", "amount": 5 } } } } },
        "boards": {
            "xp": { "value": "grantedXp", "keepPeriods": { "daily": 1, "allTime": 0 } },
            "fastest": { "on": "boss_kill", "value": { "field": "durationMs" }, "operator": "best", "order": "asc",
                "ties": "ownerId", "keepPeriods": { "weekly": 1 } },
            "latest": { "on": "boss_kill", "value": { "field": "durationMs" }, "operator": "set",
                "ties": "lastToReach", "keepPeriods": { "allTime": 0 } } },
        "detectors": {
            "xp": { "kind": "robust", "threshold": "3" },
            "floor": { "kind": "timeFloor", "boss": "hydra", "minimumMs": 1000, "action": "hold" } },
        "retention": { "receiptsPerPlayer": 5 } }"#;
    Rules::from_json(document).expect("the rules of the kit")
}

/// An event that gives XP.
pub(super) fn progression(id: &str, name: &str, millis: i64, delta_xp: i64) -> Command {
    event(id, name, millis, "progression", vec![("deltaXp", FieldValue::Int(delta_xp))])
}

pub(super) fn boss_kill(id: &str, name: &str, millis: i64, duration_ms: i64) -> Command {
    let fields = vec![
        ("bossId", FieldValue::Id(self::id("hydra"))),
        ("durationMs", FieldValue::Int(duration_ms)),
        ("deltaXp", FieldValue::Int(7)),
    ];
    event(id, name, millis, "boss_kill", fields)
}

fn event(id: &str, name: &str, millis: i64, kind: &str, fields: Vec<(&str, FieldValue)>) -> Command {
    let fields = fields.into_iter().map(|(name, value)| (self::id(name), value)).collect();
    let ts = NOW.plus_millis(millis);
    let payload = Payload::new(fields).expect("fields of different names");
    Command::event(Event { id: self::id(id).into(), player: player(name), ts, kind: self::id(kind), payload }, ts)
}

pub(super) fn operator(id: &str, name: &str, millis: i64, action: Action) -> Command {
    let now = NOW.plus_millis(millis);
    Command::operator(EventId::from(self::id(id)), player(name), now, now, action)
}

/// A payment for the day of [`NOW`] on the board of XP, made at a time.
pub(super) fn payment(name: &str, now: Timestamp) -> Command {
    let board = day();
    let closed = Calendar::utc().closes_at(board.period);
    let items = vec![Item::new(id("item"), id("crown"), 1).expect("more than none")];
    let payment = Payment { board, tier: id("gold"), rank: 1, items };
    Command::payout("conformance", player(name), closed, now, payment)
}

/// A season of a dozen players: everything that the rules of the kit know, in a fixed order.
pub(super) fn season() -> Vec<Command> {
    let mut commands = Vec::new();
    for n in 0..240_i64 {
        let name = format!("p{}", n * 7 % 12);
        let id = format!("e{n}");
        commands.push(match n % 5 {
            0 => boss_kill(&id, &name, n, 900 + n * 37 % 1000),
            4 => progression(&id, &name, n, 4000 * (n % 2)),
            _ => progression(&id, &name, n, n * 31 % 90),
        });
    }
    for name in ["p1", "p2", "p3"] {
        commands.push(operator("hide", name, 300, Action::SetVisibility { hidden: true }));
    }
    commands.push(operator("show", "p2", 301, Action::SetVisibility { hidden: false }));
    commands.push(operator("erase", "p4", 302, Action::Erase));
    commands
}
