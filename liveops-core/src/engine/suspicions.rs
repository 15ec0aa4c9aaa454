//! Suspicions for people and programs outside: as lines of JSON.

use serde::Serialize;

use super::Engine;
use crate::error::{Error, StoreError, StoreErrorKind};
use crate::id::PlayerId;
use crate::record::Suspicion;
use crate::store::{Scan, Store};

/// One line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    player_id: &'a PlayerId,
    number: u64,
    #[serde(flatten)]
    suspicion: &'a Suspicion,
    /// Each verdict in words, in order.
    sentences: Vec<String>,
}

impl<S: Store + Scan> Engine<S> {
    /// Every kept suspicion as a line of JSON, by player and number: who, the number that a review names, the event, whether it
    /// was held, the verdicts, each of them in a sentence, and where it stands. Walks the whole store.
    ///
    /// ```
    /// use liveops_core::testing::EventBuilder;
    /// use liveops_core::{Engine, MemoryStore, Rules, Timestamp};
    ///
    /// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall", "detectors": {
    ///     "cheats": { "kind": "family", "floors": { "hydra": 45000 }, "action": "hold" } } }"#)?;
    /// let engine = Engine::new(rules, MemoryStore::new());
    /// let now = Timestamp::from_unix_seconds(1_794_052_800);
    /// engine.submit_ndjson(&EventBuilder::boss_kill("ana", "hydra", 12_000, now).id("e1").body(), now);
    ///
    /// let lines = engine.suspicions_ndjson()?;
    /// assert!(lines.starts_with(r#"{"playerId":"ana","number":1,"event":"#) && lines.ends_with("]}\n"));
    /// assert!(lines.contains("The duration is shorter than the rules hold possible"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn suspicions_ndjson(&self) -> Result<String, Error> {
        let mut lines = String::new();
        for (player_id, number, suspicion) in self.suspicions()? {
            let sentences = suspicion.verdicts.iter().map(|judgement| judgement.verdict.sentence()).collect();
            let line = Line { player_id: &player_id, number, suspicion: &suspicion, sentences };
            // Nothing that a store can hold fails to become JSON.
            let corrupt = |_| StoreError::new(StoreErrorKind::Corrupt);
            lines += &serde_json::to_string(&line).map_err(corrupt)?;
            lines.push('\n');
        }
        Ok(lines)
    }
}
