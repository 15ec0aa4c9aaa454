//! The same commands leave the same state in PostgreSQL and in memory, to the last bit.

use liveops_core::record::{Action, Horizon, Reason, Ruling};
use liveops_core::store::FullStore;
use liveops_core::time::DAY_MILLIS;
use liveops_core::{Command, Engine, EventId, MemoryStore, PlayerId, Rules, Timestamp};

use crate::game::{Random, at, fresh, open, options, player, server};

/// Levels, receipts that are trimmed, holds, boards.
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

const PLAYERS: u64 = 30;

fn line(id: &str, kind: &str, name: u64, ts: Timestamp, payload: &str) -> String {
    let ts = ts.as_unix_seconds();
    format!("{{\"id\":\"{id}\",\"type\":\"{kind}\",\"playerId\":\"p{name}\",\"ts\":{ts},\"payload\":{{{payload}}}}}\n")
}

/// Events, late ones among them, each batch twice; operators' commands; ten days, so that players who were erased are forgotten and
/// come back.
fn season<S: FullStore>(engine: &Engine<S>, seed: u64) -> Vec<String> {
    let start = at("2026-11-02T00:00:00Z");
    let mut random = Random(seed);
    let mut codes = Vec::new();
    for round in 0..60_i64 {
        let now = start.plus_millis(round * DAY_MILLIS / 6);
        let mut lines = String::new();
        for _ in 0..=random.below(40) {
            let (name, event, xp) = (random.below(PLAYERS), random.below(300), random.below(90));
            let ts = now.minus_millis(i64::try_from(random.below(8)).unwrap() * 14_000_000);
            lines += &line(&format!("e{event}-{round}"), "progression", name, ts, &format!("\"deltaXp\":{xp}"));
            if random.below(4) == 0 {
                let payload = format!("\"bossId\":\"hydra\",\"durationMs\":{}", 700 + random.below(1_000));
                lines += &line(&format!("b{event}-{round}"), "boss_kill", name, ts, &payload);
            }
        }
        for _ in 0..2 {
            codes.extend(engine.submit_ndjson(lines.as_bytes(), now).iter().map(|outcome| outcome.code().to_owned()));
        }
        let reason = || Reason::new("a test").unwrap();
        for n in 0..3 {
            let action = match random.below(7) {
                0 | 1 => Action::Erase,
                2 => Action::SetVisibility { hidden: true },
                3 => Action::SetVisibility { hidden: false },
                4 => Action::Adjust { xp: 50, reason: reason() },
                5 => Action::Adjust { xp: -50, reason: reason() },
                _ => Action::Review { suspicion: 1 + random.below(3), ruling: Ruling::Release },
            };
            let id = EventId::new(&format!("x{round}-{n}")).unwrap();
            let name: PlayerId = player(&format!("p{}", random.below(PLAYERS)));
            codes.push(engine.submit(&Command::operator(id, name, now, now, action)).code().to_owned());
        }
        if round % 3 == 2 {
            let to = Horizon { now, forgotten_before: now.minus_millis(DAY_MILLIS) };
            assert_eq!(engine.store().advance(to).unwrap(), to);
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
        for code in ["applied", "replayed", "held", "too_old"] {
            assert!(wanted.iter().any(|found| found == code), "seed {seed}: something is {code}");
        }
        for options in [options(&fresh("digest")), options(&fresh("digest")).feed(1_000_000)] {
            let engine = Engine::open(rules(), open(&server().url(), options.clone())).unwrap();
            assert_eq!(season(&engine, seed), wanted, "seed {seed}: the same outcomes");
            assert_eq!(engine.digest().unwrap(), memory.digest().unwrap(), "seed {seed}: the same records");
            // What another process reads of it.
            let other = Engine::open(rules(), open(&server().url(), options)).unwrap();
            assert_eq!(other.digest().unwrap(), memory.digest().unwrap(), "seed {seed}: for whoever comes later");
            let mut bytes = Vec::new();
            other.snapshot(&mut bytes).unwrap();
            let restored = MemoryStore::restore(&bytes).unwrap();
            assert_eq!(restored.digest(), memory.store().digest(), "seed {seed}: the snapshot too");
            let size = |size: liveops_core::store::Size| (size.players, size.outcomes, size.receipts, size.suspicions);
            assert_eq!(size(other.size().unwrap()), size(memory.size().unwrap()), "seed {seed}: as much is counted");
        }
    }
}
