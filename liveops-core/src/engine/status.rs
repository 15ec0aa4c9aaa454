//! How an engine and its store stand to the others of a fleet.

use serde::Serialize;

use super::advance::horizon;
use super::{AsyncEngine, Engine, ready};
use crate::error::Error;
use crate::hash::Digest;
use crate::record::Horizon;
use crate::store::{AsyncBoards, AsyncStore, Boards, Lag, Store};

/// Under which rules an engine decides, under which others do, and how far boards and store are: [`Engine::status`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// [What names the rules](crate::Rules::identity) in force here.
    pub rules: Digest,
    /// What names those that were put in force over the store by any process, the last of them last: at most
    /// [eight](crate::limits::HEADER_RULES_MAX).
    pub rules_seen: Vec<Digest>,
    /// How far the store was moved in time.
    pub horizon: Horizon,
    /// How far the boards here are behind the store.
    pub lag: Lag,
}

impl<S: AsyncBoards> AsyncEngine<S> {
    /// See [`Engine::lag`].
    pub async fn lag(&self) -> Result<Lag, Error> {
        Ok(self.store.lag().await?)
    }

    /// See [`Engine::catch_up`].
    pub async fn catch_up(&self) -> Result<(), Error> {
        Ok(self.store.catch_up().await?)
    }
}

impl<S: AsyncStore + AsyncBoards> AsyncEngine<S> {
    /// See [`Engine::status`].
    pub async fn status(&self) -> Result<Status, Error> {
        let (rules, rules_seen) = (self.rules().identity(), self.store.header().await?.rules);
        Ok(Status { rules, rules_seen, horizon: horizon(&self.store).await?, lag: self.lag().await? })
    }
}

impl<S: Boards> Engine<S> {
    /// How far the boards are behind what was committed. Where many processes share a store, each follows the others' commits: this
    /// says whether it keeps up, and what holds it up.
    ///
    /// Errors: those of the store, of one whose boards follow it no longer.
    pub fn lag(&self) -> Result<Lag, Error> {
        ready(self.0.lag())
    }

    /// Everything that was committed before the call, by any process, is on the boards when it returns.
    ///
    /// Errors: those of the store.
    pub fn catch_up(&self) -> Result<(), Error> {
        ready(self.0.catch_up())
    }
}

impl<S: Store + Boards> Engine<S> {
    /// Under which rules this engine decides, which others were put in force over its store, and how far it is. While a fleet goes over to
    /// new rules, some processes decide by the old ones: they are through once all say the same of [`Status::rules`].
    ///
    /// Errors: those of the store.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use liveops_core::{Engine, MemoryStore, Rules};
    ///
    /// let rules = |members: &str| Rules::from_json(&format!(r#"{{ "version": 1, "game": "emberfall" {members} }}"#));
    /// let store = Arc::new(MemoryStore::new());
    /// let before = Engine::open(rules("")?, Arc::clone(&store))?;
    /// let after = Engine::open(rules(r#", "limits": { "maxPastSeconds": 3600 }"#)?, store)?;
    /// let (before, after) = (before.status()?, after.status()?);
    /// assert_ne!(before.rules, after.rules);
    /// assert_eq!(before.rules_seen, [before.rules, after.rules]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn status(&self) -> Result<Status, Error> {
        ready(self.0.status())
    }
}
