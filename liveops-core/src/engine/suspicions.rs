//! Suspicions for people and programs outside: as lines of JSON.

use serde::Serialize;

use super::pages::{ScanCursor, ScanPage};
use super::{AsyncEngine, Engine, ready};
use crate::error::{Error, StoreError, StoreErrorKind};
use crate::id::PlayerId;
use crate::record::Suspicion;
use crate::store::{AsyncScan, AsyncStore, Scan, Store};

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

impl Line<'_> {
    fn of((player_id, number, suspicion): &(PlayerId, u64, Suspicion)) -> Result<String, Error> {
        let sentences = suspicion.verdicts.iter().map(|judgement| judgement.verdict.sentence()).collect();
        let line = Line { player_id, number: *number, suspicion, sentences };
        // Nothing that a store can hold fails to become JSON.
        let corrupt = |_| StoreError::new(StoreErrorKind::Corrupt);
        Ok(serde_json::to_string(&line).map_err(corrupt)? + "\n")
    }
}

impl<S: AsyncStore + AsyncScan> AsyncEngine<S> {
    /// See [`Engine::suspicions_ndjson`].
    pub async fn suspicions_ndjson(&self) -> Result<String, Error> {
        self.suspicions().await?.iter().map(Line::of).collect()
    }

    /// See [`Engine::suspicions_ndjson_page`].
    pub async fn suspicions_ndjson_page(
        &self,
        after: Option<&ScanCursor>,
        limit: usize,
    ) -> Result<ScanPage<String>, Error> {
        let ScanPage { items, next } = self.suspicions_page(after, limit).await?;
        Ok(ScanPage { items: items.iter().map(Line::of).collect::<Result<_, _>>()?, next })
    }
}

impl<S: Store + Scan> Engine<S> {
    /// Every kept suspicion as a line of JSON, by player and number: who, the number that a review names, the event, whether it
    /// was held, the verdicts, each of them in a sentence, and where it stands. At once: for few.
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
        ready(self.0.suspicions_ndjson())
    }

    /// The same lines, a page at a time and by the store's order; each ends in a line feed.
    ///
    /// Errors: `cursor_invalid` for a cursor of another listing.
    pub fn suspicions_ndjson_page(&self, after: Option<&ScanCursor>, limit: usize) -> Result<ScanPage<String>, Error> {
        ready(self.0.suspicions_ndjson_page(after, limit))
    }
}
