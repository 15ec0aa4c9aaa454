//! The store as one value.

use std::io::Write;

use super::{AsyncEngine, Engine, ready};
use crate::error::Error;
use crate::store::{AsyncWhole, Size, Whole};

impl<S: AsyncWhole> AsyncEngine<S> {
    /// See [`Engine::digest`].
    pub async fn digest(&self) -> Result<String, Error> {
        Ok(self.store.digest().await?)
    }

    /// See [`Engine::snapshot`].
    pub async fn snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), Error> {
        Ok(self.store.snapshot(to).await?)
    }

    /// See [`Engine::size`].
    pub async fn size(&self) -> Result<Size, Error> {
        Ok(self.store.size().await?)
    }
}

impl<S: Whole> Engine<S> {
    /// Names the whole state: `v1:` and 64 hex digits. Two stores with one digest hold the same, to the last bit.
    pub fn digest(&self) -> Result<String, Error> {
        ready(self.0.digest())
    }

    /// Writes the whole state, in one form for every store; [`Whole::restore`] of an empty one takes it. The writer must not wait for
    /// others: a store in memory holds commits up until all is written.
    ///
    /// ```
    /// use liveops_core::{Engine, MemoryStore, Rules, Timestamp, Whole};
    ///
    /// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall" }"#)?;
    /// let engine = Engine::new(rules.clone(), MemoryStore::new());
    /// let now = Timestamp::from_unix_seconds(1_794_052_800);
    /// let line = br#"{"id":"e1","type":"progression","playerId":"ana","ts":1794052800,"payload":{"deltaXp":120}}"#;
    /// engine.submit_ndjson(line, now);
    ///
    /// let mut bytes = Vec::new(); // or a file
    /// engine.snapshot(&mut bytes)?;
    /// let store = MemoryStore::new();
    /// Whole::restore(&store, &mut &bytes[..])?;
    /// let copy = Engine::open(rules, store)?;
    /// assert_eq!(copy.digest()?, engine.digest()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn snapshot(&self, to: &mut (dyn Write + Send)) -> Result<(), Error> {
        ready(self.0.snapshot(to))
    }

    /// How much the store holds.
    pub fn size(&self) -> Result<Size, Error> {
        ready(self.0.size())
    }
}
