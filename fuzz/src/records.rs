//! Stored bytes: those that are read are those that would be written, so that a digest means one state; a player that is
//! read can be played on; and what is kept outside a store (boards, archives) holds together once its checksum is right.

use std::sync::LazyLock;

use liveops_core::board::{Archive, Cursor, Leaderboard, Names};
use liveops_core::codec::Stable;
use liveops_core::error::StoreErrorKind;
use liveops_core::hash::{Digest, hex};
use liveops_core::record::{BoardKey, Horizon, Payment, Player, ReceiptName};
use liveops_core::reward::{Receipt, ReceiptState, Scope};
use liveops_core::rules::{Decided, Found, Scratch, Stored};
use liveops_core::{BoardId, Code, Command, EventId, Id, Key, Period, PlayerId, Record, Rules, Ruling};
use liveops_core::{Timestamp, Window};

/// What is claimed and taken back, of players who have one of this number.
const RECEIPT: ReceiptName = ReceiptName { number: 1, id: Digest([7; 32]) };
const NOW: Timestamp = Timestamp::from_unix_seconds(1_794_052_800);

pub fn check(bytes: &[u8]) {
    match Record::decode(bytes) {
        Ok(record) => {
            assert_eq!(record.encode(), bytes, "{record:?}");
            assert!(serde_json::to_string(&record).is_ok());
            if let Record::Player(player) = &record {
                plays_on(player);
            }
            for end in [0, 1, 2, bytes.len() / 2, bytes.len() - 1] {
                assert!(Record::decode(&bytes[..end]).is_err(), "a part of it is read as well");
            }
            let longer = Record::decode(&[bytes, &[0]].concat());
            assert!(matches!(longer, Err(StoreErrorKind::Corrupt)), "{longer:?}");
        }
        Err(kind) => assert!(matches!(kind, StoreErrorKind::Corrupt | StoreErrorKind::TooNew), "{kind:?}"),
    }
    key(bytes);
    cursor(bytes);
    sealed(bytes);
}

/// Every kind of command is decided upon, whatever the state.
fn plays_on(player: &Player) {
    static RULES: LazyLock<Rules> = LazyLock::new(|| {
        let rules = r#"{ "version": 1, "game": "fuzz",
            "progress": { "curve": { "kind": "linear", "base": 100, "step": 0, "maxLevel": 9 }, "dailyXpCap": 500,
                "xp": [ { "amount": { "field": "deltaXp" } }, { "on": "boss_kill", "amount": -50 } ], "floor": "zero",
                "boosts": [ { "id": "third", "from": "2026-11-07T00:00:00Z", "until": "2026-11-08T00:00:00Z",
                    "factor": "4/3" } ],
                "migrations": [ { "from": { "kind": "table", "costs": [ 7, 9 ] }, "policy": "keepEffort",
                    "levelRewards": "grant" } ],
                "atMaxLevel": { "convert": { "reward": "dust", "every": 7,
                    "grant": { "kind": "coin", "id": "dust", "amount": 1 } } },
                "streaks": { "daily": { "missedDaysMax": 1 } } },
            "rewards": { "day": { "on": { "streak": "daily", "everyDays": 1 }, "loot": "chest", "claimWithinSeconds": 9 },
                "gold": { "on": { "everyLevels": 1 }, "grant": { "kind": "coin", "id": "gold", "amount": 1 } },
                "first": { "on": { "boss": "hydra", "kill": "first" }, "loot": "chest" } },
            "loot": { "chest": { "pity": { "entry": "a", "guaranteedAt": 9 }, "entries": {
                "a": { "weight": 1 }, "b": { "weight": 9 } } } },
            "boards": { "xp": { "value": "grantedXp", "keepPeriods": { "daily": 1, "allTime": 0 } } },
            "detectors": { "xp": { "kind": "robust", "threshold": "6" },
                "floor": { "kind": "timeFloor", "boss": "hydra", "minimumMs": 1000 },
                "z": { "kind": "zScore" }, "e": { "kind": "ewma" } },
            "retention": { "receiptsPerPlayer": 2 } }"#;
        Rules::from_json(rules).unwrap()
    });
    static COMMANDS: LazyLock<[Command; 9]> = LazyLock::new(|| {
        let (ana, id) = (|| PlayerId::new("ana").unwrap(), |text| EventId::new(text).unwrap());
        let kill = br#"{ "type": "boss_kill", "playerId": "ana", "ts": 1794052800,
            "payload": { "bossId": "hydra", "durationMs": 5, "deltaXp": 500 } }"#;
        let kill = RULES.door().parser().parse(kill, NOW).unwrap().into_event(id("kill"));
        let day = Period { window: Window::Daily, index: 3 };
        let board = BoardKey { board: BoardId::new("xp").unwrap(), period: day };
        let payment = Payment { board, tier: Id::new("gold").unwrap(), rank: 1, items: Vec::new() };
        [
            Command::event(kill, NOW),
            Command::adjust(id("adjust"), ana(), NOW, 1000, "sorry").unwrap(),
            Command::review(id("review"), ana(), NOW, 3, Ruling::Release),
            Command::set_visibility(id("hide"), ana(), NOW, true),
            Command::payout("fuzz", ana(), NOW, NOW, payment),
            Command::erase(id("erase"), ana(), NOW),
            Command::claim(ana(), RECEIPT, NOW),
            Command::revoke(id("revoke"), ana(), NOW, RECEIPT, "sorry").unwrap(),
            Command::migrate(ana(), RULES.progression().levels.hash(), 0, NOW),
        ]
    });
    let waiting = Receipt {
        number: RECEIPT.number,
        id: RECEIPT.id,
        reward: Id::new("gold").unwrap(),
        scope: Scope::Level(2),
        items: Vec::new(),
        cause: COMMANDS[0].id.clone(),
        ts: NOW,
        rules: Digest::default(),
        previous: Digest::default(),
        claim_until: Some(NOW.plus_millis(1)),
        roll: None,
        state: ReceiptState::Claimable,
        settled_at: None,
    };
    let horizon = Horizon { now: NOW, forgotten_before: NOW.minus_millis(1000) };
    let mut scratch = Scratch::default();
    // Nobody counts as far as 2^52, and further than 2^53 nobody may.
    let units = player.rare().overflow.units;
    let mut counters =
        player.rare().rolls.iter().map(|(_, rolls)| rolls.count).chain([player.version, player.receipts, units]);
    let is_at_the_end = counters.any(|counter| counter > 1 << 52);
    for command in &*COMMANDS {
        let found = Found { receipt: Some(Box::new(waiting.clone())), ..Found::default() };
        let mut stored = Stored { player: Some(Box::new(player.clone())), listed: Vec::new() };
        let mut decide = |stored| RULES.decide(&[command], horizon, stored, [found.clone()], &mut scratch, |_| ());
        let mut decided = decide(stored.clone());
        if let Decided::Lacks(keys) = decided {
            // Nothing of what the player lists is there.
            stored.listed = keys.into_iter().map(|key| (key, None)).collect();
            decided = decide(stored);
        }
        let after = match decided {
            Decided::Changes(changes) => Some(Record::Player(changes.record).encode()),
            Decided::Nothing => None,
            Decided::Lacks(keys) => panic!("{command:?} lacks {keys:?} again"),
        };
        let is_read = after.is_none_or(|bytes| Record::decode(&bytes).is_ok());
        assert!(is_read || is_at_the_end, "{command:?} leaves what cannot be read");
    }
}

fn key(bytes: &[u8]) {
    let mut rest = bytes;
    if let Some(key) = Key::take(&mut rest) {
        assert_eq!(key.to_bytes(), bytes[..bytes.len() - rest.len()], "{key:?}");
    }
}

fn cursor(bytes: &[u8]) {
    match hex(bytes).parse::<Cursor>() {
        Ok(cursor) => assert_eq!(cursor.to_string(), hex(bytes)),
        Err(error) => assert_eq!(error.code(), Code::CursorInvalid),
    }
}

/// The bytes with the checksum that they should have.
fn sealed(bytes: &[u8]) {
    let sealed = [bytes, &Digest::of(&[bytes]).0].concat();
    if let Ok(archive) = Archive::from_bytes(&sealed) {
        assert_eq!(archive.to_bytes(), sealed);
    }
    if let Ok(names) = Names::from_bytes(&sealed) {
        assert_eq!(names.to_bytes(), sealed);
    }
    if let Ok(board) = Leaderboard::restore(&sealed) {
        let bytes = board.snapshot();
        assert_eq!(Leaderboard::restore(&bytes).map(|again| again.snapshot()), Ok(bytes));
        assert_eq!(board.top(usize::MAX).len() as u64, board.len());
    }
}
