//! What needs no horizon goes by a command's own times: an `advance` that runs ahead changes nothing of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use liveops_core::testing::EventBuilder;
use liveops_core::{Engine, MemoryStore, Rules, Timestamp};

const RULES: &str = r#"{ "version": 1, "game": "emberfall",
    "rewards": { "gift": { "on": { "boss": "hydra", "kill": "any" }, "claimWithinSeconds": 3600,
        "grant": [{ "kind": "currency", "id": "gold", "amount": 5 }] } },
    "detectors": { "fast": { "kind": "timeFloor", "boss": "hydra", "minimumMs": 45000, "action": "flag" } },
    "alerts": { "perPlayerDay": 1 }, "retention": { "suspicionsDays": 1 } }"#;

/// 2026-11-07T00:00:00Z.
const MIDNIGHT: i64 = 1_794_009_600;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(MIDNIGHT + seconds)
}

/// Kills too fast at these seconds, each before an `advance` that is so many seconds ahead of it.
fn played(seconds: &[i64], ahead: i64) -> Engine<MemoryStore> {
    let engine = Engine::new(Rules::from_json(RULES).unwrap(), MemoryStore::new());
    for second in seconds {
        engine.advance(at(second + ahead)).unwrap();
        let kill = EventBuilder::boss_kill("ana", "hydra", 12_000, at(*second)).id(&format!("kill-{second}")).body();
        assert_eq!(engine.submit_ndjson(&kill, at(*second))[0].code(), "applied");
    }
    engine.advance(at(90_000)).unwrap();
    engine
}

#[test]
fn an_advance_that_runs_ahead_finds_neither_more_nor_less() {
    // Two kills of one day: one alert. The day after a flag has its time, and of the evening before it is let go.
    let seconds = [-40, -10, 86_365, 86_395];
    let (own, ahead) = (played(&seconds, 0), played(&seconds, 30));
    let told = |engine: &Engine<MemoryStore>| engine.suspicions_ndjson().unwrap();
    assert_eq!(told(&own), told(&ahead));
    assert_eq!(own.digest(), ahead.digest());
}
