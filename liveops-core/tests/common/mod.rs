//! Commands, rules and small things that several test programs build on.

// Each test program uses a part of it.
#![allow(dead_code, unreachable_pub)]

pub mod model;
pub mod trace;

use liveops_core::event::{Event, FieldValue, Payload};
use liveops_core::record::{BoardKey, ChangeSet, Effect, Horizon, Payment, Player, Suspicion};
use liveops_core::reward::Item;
use liveops_core::time::DAY_MILLIS;
use liveops_core::{
    Action, BoardId, Command, EventId, Id, Key, Outcome, Period, PlayerId, Record, Rules, Scan, Store, Timestamp,
    Window,
};

/// 2026-11-07T00:00:00Z
pub const START: i64 = 1_794_009_600_000;
pub const DAY: i64 = DAY_MILLIS;
pub const GRACE: i64 = 3_600_000;
/// A day and a half.
pub const PAST: i64 = DAY + DAY / 2;
pub const FUTURE: i64 = 300_000;
/// Closed days that stay readable.
pub const KEEP: i64 = 2;
pub const LEVEL_XP: u64 = 100;
pub const LEVEL_MAX: u64 = 20;
/// A hydra in less is held, an ogre in less is flagged.
pub const FIGHT_MIN: i64 = 1_000;
pub const INTEGER_MAX: i64 = liveops_core::limits::INTEGER_MAX;

pub const RULES: &str = r#"{ "version": 1, "game": "emberfall",
    "limits": { "maxPastSeconds": 129600, "maxFutureSeconds": 300 },
    "events": { "death": { "fields": {} } },
    "progress": {
        "curve": { "kind": "linear", "base": 100, "step": 0, "maxLevel": 20 },
        "xp": [
            { "on": "progression", "amount": { "field": "deltaXp" } },
            { "on": "boss_kill", "where": { "bossId": "hydra" }, "amount": 25 },
            { "on": "death", "amount": 20 },
            { "on": "death", "amount": -55 } ],
        "floor": "zero",
        "boosts": [
            { "id": "a", "factor": "1.25", "from": "2026-11-07T12:00:00Z", "until": "2026-11-08T12:00:00Z" },
            { "id": "b", "factor": "2/3", "from": "2026-11-08T00:00:00Z", "until": "2026-11-09T06:00:00Z" } ] },
    "rewards": {
        "level-gold": { "on": { "everyLevels": 1 }, "grant": { "kind": "currency", "id": "gold", "amount": 10 } },
        "hydra-first": { "on": { "boss": "hydra", "kill": "first" },
            "grant": { "kind": "item", "id": "crown", "amount": 1 } } },
    "calendar": { "graceSeconds": 3600 },
    "boards": {
        "xp": { "value": "grantedXp", "keepPeriods": { "daily": 2, "allTime": 0 }, "payouts": { "daily": [
            { "tier": "gold", "ranks": [1, 1], "grant": { "kind": "item", "id": "crown", "amount": 1 } },
            { "tier": "half", "percent": "50", "grant": { "kind": "currency", "id": "gem", "amount": 5 } } ] } },
        "fastest": { "on": "boss_kill", "value": { "field": "durationMs" },
            "operator": "best", "order": "asc", "keepPeriods": { "daily": 2 } },
        "latest": { "on": "boss_kill", "value": { "field": "durationMs" },
            "operator": "set", "keepPeriods": { "allTime": 0 } } },
    "detectors": {
        "hydra-floor": { "kind": "timeFloor", "boss": "hydra", "minimumMs": 1000, "action": "hold" },
        "ogre-floor": { "kind": "timeFloor", "boss": "ogre", "minimumMs": 1000, "action": "flag" } } }"#;

pub fn rules() -> Rules {
    Rules::from_json(RULES).unwrap()
}

/// `SplitMix64`.
pub struct Rng(pub u64);

impl Rng {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    pub fn millis(&mut self, below: i64) -> i64 {
        i64::try_from(self.below(below.unsigned_abs())).unwrap()
    }

    pub fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

pub fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

pub fn player(name: &str) -> PlayerId {
    PlayerId::new(name).unwrap()
}

fn fields(fields: Vec<(&str, FieldValue)>) -> Payload {
    Payload::new(fields.into_iter().map(|(name, value)| (id(name), value)).collect()).unwrap()
}

/// An event that came in at once; the fields as the parser would order them.
pub fn event(event: &str, name: &str, ts: i64, kind: &str, payload: Vec<(&str, FieldValue)>) -> Command {
    let payload = fields(payload);
    let event = Event { id: EventId::new(event).unwrap(), player: player(name), ts: at(ts), kind: id(kind), payload };
    Command::event(event, at(ts))
}

pub fn progression(event_id: &str, name: &str, ts: i64, delta_xp: i64) -> Command {
    event(event_id, name, ts, "progression", vec![("deltaXp", FieldValue::Int(delta_xp))])
}

pub fn kill(event_id: &str, name: &str, ts: i64, boss: &str, duration_ms: i64) -> Command {
    let payload = vec![("bossId", FieldValue::Id(id(boss))), ("durationMs", FieldValue::Int(duration_ms))];
    event(event_id, name, ts, "boss_kill", payload)
}

pub fn operator(command: &str, name: &str, ts: i64, action: Action) -> Command {
    Command::operator(EventId::new(command).unwrap(), player(name), at(ts), at(ts), action)
}

/// The methods of a test's store that are those of the one it wraps, in a field.
#[allow(unused_macros, reason = "each test program uses a part of what is here")]
macro_rules! as_inner {
    ($inner:tt) => {
        fn drive(&self, plan: &mut liveops_core::Plan<'_>) {
            liveops_core::store::by_load_and_commit(self, plan);
        }
        fn round_players(&self) -> usize {
            self.$inner.round_players()
        }
        fn header(&self) -> Result<liveops_core::record::Header, liveops_core::error::StoreError> {
            self.$inner.header()
        }
        fn replace_header(
            &self,
            expected: &liveops_core::record::Header,
            new: &liveops_core::record::Header,
        ) -> Result<bool, liveops_core::error::StoreError> {
            self.$inner.replace_header(expected, new)
        }
    };
}
#[allow(unused_imports, reason = "each test program uses a part of what is here")]
pub(crate) use as_inner;

/// Every record but the horizon, in key order.
pub fn records<S: Scan>(store: &S) -> Vec<(Key, Record)> {
    let mut all: Vec<_> = liveops_core::store::records(store, None, 1_000).map(Result::unwrap).collect();
    all.sort_by(|a: &(Key, Record), b| a.0.cmp(&b.0));
    all
}

pub fn horizon<S: Store>(store: &S) -> Horizon {
    match store.load(&[Key::Horizon]).remove(0).unwrap() {
        Some(Record::Horizon(horizon)) => horizon,
        None => Horizon::default(),
        other => panic!("{other:?}"),
    }
}

/// Writes a player as an earlier release left them.
pub fn left(name: &str, record: Player, suspicions: Vec<(u64, Suspicion)>) -> ChangeSet {
    ChangeSet {
        player: player(name),
        expected: 0,
        forgotten_before: Timestamp::MIN,
        closes_at: Timestamp::MAX,
        forget: false,
        shown: record.standings.to_vec().into_iter().map(|(key, _)| (key.clone(), record.shown(&key))).collect(),
        record: Box::new(record),
        outcomes: Vec::new(),
        receipts: Vec::new(),
        suspicions,
        removed: Vec::new(),
        run: None,
    }
}

/// A payment for a day of a board, whatever stands on it.
pub fn payout(board: &str, window: Window, day: i64, name: &str, rank: u64) -> Command {
    let board = BoardKey { board: BoardId::new(board).unwrap(), period: Period { window, index: day } };
    let items = vec![Item::new(id("item"), id("crown"), 1).unwrap()];
    let payment = Payment { board, tier: id("gold"), rank, items };
    let closed_at = at((day + 1) * DAY + GRACE);
    Command::payout("emberfall", player(name), closed_at, closed_at, payment)
}

pub fn received(command: Command, millis: i64) -> Command {
    Command { received_at: at(millis), ..command }
}

/// What an outcome says, as text.
pub fn told(outcome: &Outcome) -> String {
    let effect = |e: &Effect| {
        let granted = e.xp.granted.cast_signed() - e.xp.taken.cast_signed();
        let (adjusted, receipts, late) = (e.adjusted, e.receipts().len(), e.late().len());
        let (held, flagged) = (e.held(), e.flagged());
        format!(
            "xp {granted} adjusted {adjusted} level {} held {held:?} flagged {flagged:?} rewards {receipts} late {late}",
            e.level
        )
    };
    match outcome {
        Outcome::Applied(e) => format!("applied {}", effect(e)),
        Outcome::Replayed(e) => format!("replayed {}", effect(e)),
        Outcome::Refused(e) => format!("refused {}", e.code()),
        Outcome::Unknown(e) => format!("unknown {}", e.code()),
        _ => unreachable!(),
    }
}
