//! The same commands leave the same state in Redis and in memory.

use liveops_core::record::{Action, Horizon, Reason, Ruling};
use liveops_core::store::{FullStore, Whole as _};
use liveops_core::{Command, Engine, EventId, MemoryStore, PlayerId, Rules};
use liveops_redis::{Options, RedisStore};

use crate::common::{Blocked, game, now, server};
use crate::kit::cluster;

/// Levels, receipts that are trimmed, holds and boards.
fn rules() -> Rules {
    Rules::from_json(
        r#"{ "version": 1, "game": "emberfall",
          "progress": { "curve": { "kind": "linear", "base": 100, "step": 0, "maxLevel": 60 } },
          "rewards": { "gold": { "on": { "everyLevels": 1 }, "grant": [ { "kind": "currency", "id": "gold", "amount": 10 } ] } },
          "boards": {
            "xp": { "value": "grantedXp", "keepPeriods": { "daily": 2, "allTime": 0 } },
            "fastest": { "on": "boss_kill", "value": { "field": "durationMs" }, "operator": "best", "order": "asc",
                "keepPeriods": { "weekly": 1 } } },
          "detectors": {
            "xp": { "kind": "robust", "threshold": "3" },
            "floor": { "kind": "timeFloor", "boss": "hydra", "minimumMs": 1000, "action": "hold" } },
          "retention": { "receiptsPerPlayer": 5 } }"#,
    )
    .unwrap()
}

/// A number that looks random, from 0 to `below`.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// Events, late ones among them, each batch twice; operators' commands; time.
fn season<S: FullStore>(engine: &Engine<S>, seed: u64) -> Vec<String> {
    let mut dice = Dice(seed);
    let mut codes = Vec::new();
    for round in 0..40_i64 {
        let t = round * 5_000;
        let mut lines = String::new();
        for _ in 0..=dice.roll(60) {
            let (player, event, xp) = (dice.roll(40), dice.roll(400), dice.roll(90));
            let late = i64::try_from(dice.roll(5)).unwrap() * 900;
            let at = now(t - late).as_unix_seconds();
            lines += &format!(
                "{{\"id\":\"e{event}-{round}\",\"type\":\"progression\",\"playerId\":\"p{player}\",\"ts\":{at},\
                 \"payload\":{{\"deltaXp\":{xp}}}}}\n"
            );
            if dice.roll(4) == 0 {
                let took = 700 + dice.roll(1_000);
                lines += &format!(
                    "{{\"id\":\"b{event}-{round}\",\"type\":\"boss_kill\",\"playerId\":\"p{player}\",\"ts\":{at},\
                     \"payload\":{{\"bossId\":\"hydra\",\"durationMs\":{took}}}}}\n"
                );
            }
        }
        for _ in 0..2 {
            codes
                .extend(engine.submit_ndjson(lines.as_bytes(), now(t)).iter().map(|outcome| outcome.code().to_owned()));
        }
        let player = PlayerId::new(&format!("p{}", dice.roll(40))).unwrap();
        let reason = || Reason::new("a test").unwrap();
        let action = match dice.roll(8) {
            0 => Action::Erase,
            1 => Action::SetVisibility { hidden: true },
            2 => Action::SetVisibility { hidden: false },
            3 => Action::Adjust { xp: 50, reason: reason() },
            4 => Action::Adjust { xp: -50, reason: reason() },
            _ => Action::Review { suspicion: 1, ruling: Ruling::Release },
        };
        let command = Command::operator(EventId::new(&format!("x{round}")).unwrap(), player, now(t), now(t), action);
        codes.push(engine.submit(&command).code().to_owned());
        if round % 4 == 3 {
            let to = Horizon { now: now(t), forgotten_before: now(t - 86_400) };
            engine.store().advance(to).unwrap();
        }
    }
    codes
}

#[test]
fn digests_are_those_of_memory() {
    for seed in [7, 99, 12_345] {
        println!("seed {seed}");
        let memory = Engine::new(rules(), MemoryStore::new());
        let wanted = season(&memory, seed);
        for code in ["applied", "replayed", "held"] {
            assert!(wanted.iter().any(|found| found == code), "seed {seed}: something is {code}");
        }
        let options = |partitions| Options::new(game("digest")).partitions(partitions).clock_ahead_max(None);
        for partitions in [1, 16] {
            let options = options(partitions);
            let open = || RedisStore::connect_blocking(&server().url(), options.clone()).unwrap();
            assert_same(seed, &wanted, memory.store(), open);
        }
        let options = options(16);
        let open = || RedisStore::connect_cluster_blocking(cluster().urls(), options.clone()).unwrap();
        assert_same(seed, &wanted, memory.store(), open);
    }
}

/// The same outcomes, the same records, and the same that another process reads.
fn assert_same(seed: u64, wanted: &[String], memory: &MemoryStore, open: impl Fn() -> Blocked) {
    let engine = Engine::new(rules(), open());
    assert_eq!(season(&engine, seed), wanted, "seed {seed}: the same outcomes");
    assert_eq!(engine.digest().unwrap(), memory.digest(), "seed {seed}: the same records");
    let mut bytes = Vec::new();
    open().snapshot(&mut bytes).unwrap();
    assert_eq!(MemoryStore::restore(&bytes).unwrap().digest(), memory.digest(), "seed {seed}: the snapshot too");
}
