//! Rules put in force over a store: at first, and others later.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::advance::horizon;
use super::{AsyncEngine, Engine, InForce, ready};
use crate::error::{Code, Error, StoreErrorKind};
use crate::limits::ATTEMPTS_MAX;
use crate::record::{BoardKey, Header, Horizon};
use crate::rules::{BoardRule, Rules, RulesDiff};
use crate::store::{AsyncBoards, AsyncStore, Boards, Ready, Store};
use crate::time::Timestamp;

impl<S: AsyncStore + AsyncBoards> AsyncEngine<S> {
    /// See [`Engine::open`].
    pub async fn open(rules: impl Into<Arc<Rules>> + Send, store: S) -> Result<Self, Error> {
        Self::new(rules, store).opened(None).await
    }

    /// See [`Engine::open_at`].
    pub async fn open_at(rules: impl Into<Arc<Rules>> + Send, store: S, now: Timestamp) -> Result<Self, Error> {
        Self::new(rules, store).opened(Some(now)).await
    }

    async fn opened(self, now: Option<Timestamp>) -> Result<Self, Error> {
        let horizon = horizon(&self.store).await?;
        self.fit_store(&self.rules(), now).await?;
        match self.store.catch_up().await {
            // A store that lets nobody catch up now, because of somebody's long transaction say, takes events all the same. One that is away
            // cannot be built from, and boards that follow it know that they do not yet.
            Err(error) if error.kind == StoreErrorKind::Unavailable => {}
            caught_up => caught_up?,
        }
        self.builds_due.fetch_add(1, Ordering::AcqRel);
        self.build_what_is_due(horizon).await?;
        self.retain(horizon).await?;
        Ok(self)
    }

    /// See [`Engine::replace_rules`].
    pub async fn replace_rules(&self, new: Rules) -> Result<RulesDiff, Error> {
        self.replace(new, None).await
    }

    /// See [`Engine::replace_rules_at`].
    pub async fn replace_rules_at(&self, new: Rules, now: Timestamp) -> Result<RulesDiff, Error> {
        self.replace(new, Some(now)).await
    }

    async fn replace(&self, new: Rules, now: Option<Timestamp>) -> Result<RulesDiff, Error> {
        for _ in 0..ATTEMPTS_MAX {
            let (old, horizon) = (self.rules(), horizon(&self.store).await?);
            let diff = match now {
                Some(now) => old.diff_at(&new, now),
                None => old.diff(&new),
            }?;
            let new = new.clone().with_loot_seed_of(&old).with_population_of(&old);
            self.fit_store(&new, now).await?;
            if self.put_in_force(&old, new) {
                self.build_what_is_due(horizon).await?;
                return Ok(diff);
            }
        }
        Err(Code::Contended.into())
    }

    /// Unless others came between; whether it did.
    fn put_in_force(&self, old: &Arc<Rules>, new: Rules) -> bool {
        let gains = gains(old, &new);
        let new = InForce::new(new.into(), self.recording);
        let _alone = self.replacing.lock();
        if !Arc::ptr_eq(&self.in_force.load().rules, old) {
            return false;
        }
        if gains {
            self.builds_due.fetch_add(1, Ordering::AcqRel);
        }
        self.in_force.store(Arc::new(new));
        true
    }

    /// Builds the boards that the rules in force have gained, unless that is done, and says for how many [`Self::builds_due`].
    pub(super) async fn build_what_is_due(&self, horizon: Horizon) -> Result<u64, Error> {
        let due = self.builds_due();
        if self.builds_done.load(Ordering::Acquire) < due {
            self.store.rebuild(&|key| self.keeps(key, horizon)).await?;
            self.builds_done.fetch_max(due, Ordering::AcqRel);
        }
        Ok(due)
    }

    pub(super) fn builds_due(&self) -> u64 {
        self.builds_due.load(Ordering::Acquire)
    }
}

impl<S> AsyncEngine<S> {
    /// By the rules in force when the store asks, not when it was called: a replacement puts its rules in force first and builds
    /// then, so what another thread frees meanwhile by the old rules is built, and what it comes to later is kept.
    pub(super) fn keeps(&self, key: &BoardKey, horizon: Horizon) -> bool {
        self.rules().keeps(key, horizon.now)
    }
}

impl<S: AsyncStore> AsyncEngine<S> {
    /// Compares the store's header with rules, and lets it say what they add.
    async fn fit_store(&self, rules: &Rules, now: Option<Timestamp>) -> Result<(), Error> {
        for _ in 0..ATTEMPTS_MAX {
            let stored = self.store.header().await?;
            let fitting = rules.fit(&stored, now)?;
            if fitting == stored || self.store.replace_header(&stored, &fitting).await? {
                self.is_named.store(true, Ordering::Relaxed);
                return Ok(());
            }
        }
        Err(Code::Contended.into())
    }

    /// Gives a store that has no header one, unless that is done.
    pub(super) async fn name_store(&self) -> Result<(), Error> {
        if self.is_named.load(Ordering::Relaxed) {
            return Ok(());
        }
        if self.store.header().await? == Header::default() {
            return self.fit_store(&self.rules(), None).await;
        }
        self.is_named.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl<S: Store> Engine<S> {
    /// Joins rules and an empty store; `S` may be `Box<dyn FullStore>` or `Arc<dyn FullStore>`, and rules in an `Arc` are shared by
    /// many engines. The store is told what its records are of ([`Header`]); if that fails, the next advance does it. It is asked
    /// nothing else, so a store that may hold something is [opened](Self::open).
    pub fn new(rules: impl Into<Arc<Rules>>, store: S) -> Self {
        let engine = AsyncEngine::new(rules, Ready(store));
        // An advance does it again, and so does whoever replaces the rules.
        _ = ready(engine.name_store());
        Self(engine)
    }
}

impl<S: Store + Boards> Engine<S> {
    /// Joins rules and a store that may hold something, a file or a restored snapshot, say: checks that they fit, brings its
    /// boards up to date (as far as the store lets anybody, now: see [`Self::catch_up`]), builds those that the rules have and the store has not, and frees those that are past.
    ///
    /// Errors: `store_misconfigured` for the records of another game; `board_incompatible` where they are of boards that count or
    /// sort otherwise, or of a calendar that did more than grow (see [`Rules::diff`]); `contended`; those of the store. Rules that
    /// are refused write nothing. A store that failed may have its header already: open it again.
    ///
    /// ```
    /// use liveops_core::{Code, Engine, MemoryStore, Rules, Timestamp, Window};
    ///
    /// let rules = |operator: &str| Rules::from_json(&format!(r#"{{ "version": 1, "game": "emberfall", "boards": {{
    ///     "xp": {{ "value": "grantedXp", "operator": "{operator}", "keepPeriods": {{ "daily": 2 }} }} }} }}"#));
    /// let engine = Engine::new(rules("incr")?, MemoryStore::new());
    /// let now = Timestamp::from_rfc3339("2026-11-07T12:00:00Z").unwrap();
    /// let line = br#"{"id":"e1","type":"progression","playerId":"ana","ts":1794052800,"payload":{"deltaXp":120}}"#;
    /// engine.submit_ndjson(line, now);
    /// let bytes = engine.store().snapshot();
    ///
    /// let engine = Engine::open(rules("incr")?, MemoryStore::restore(&bytes)?)?;
    /// assert_eq!(engine.board("xp")?.top(Window::Daily, 10, now)?[0].score, 120);
    /// let refused = Engine::open(rules("best")?, MemoryStore::restore(&bytes)?).unwrap_err();
    /// assert_eq!(refused.code(), Code::BoardIncompatible);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(rules: impl Into<Arc<Rules>> + Send, store: S) -> Result<Self, Error> {
        Ok(Self(ready(AsyncEngine::open(rules, Ready(store)))?))
    }

    /// The same at a known time, so that whatever of the calendar has not begun by then may differ: a season to come, say; see
    /// [`Rules::diff_at`].
    pub fn open_at(rules: impl Into<Arc<Rules>> + Send, store: S, now: Timestamp) -> Result<Self, Error> {
        Ok(Self(ready(AsyncEngine::open_at(rules, Ready(store), now))?))
    }

    /// Puts new rules in force and says how they differ. Batches in flight finish under the rules they began with; an
    /// [`crate::intake::Intake`] is told by its own `replace`. Boards, windows and periods that the new rules keep and the old ones
    /// did not are built from the players' records before it returns.
    ///
    /// Errors: `store_misconfigured` for the rules of another game; `board_incompatible`, see [`Rules::diff`], and [`Self::open`] for what the store remembers of boards that rules
    /// had before; `contended`; those of the store. If the store fails while boards are built, the rules are in force, and the next
    /// advance, replacement or payout builds.
    pub fn replace_rules(&self, new: Rules) -> Result<RulesDiff, Error> {
        ready(self.0.replace_rules(new))
    }

    /// The same at a known time, so that whatever has not begun by then may change: a season to come, say; see
    /// [`Rules::diff_at`].
    pub fn replace_rules_at(&self, new: Rules, now: Timestamp) -> Result<RulesDiff, Error> {
        ready(self.0.replace_rules_at(new, now))
    }
}

/// Whether new rules keep anything that old ones may have freed.
fn gains(old: &Rules, new: &Rules) -> bool {
    let more = |rule: &BoardRule| {
        let known = old.board(&rule.board);
        rule.windows.iter().any(|&(window, keep)| known.and_then(|old| old.keep(window)).is_none_or(|old| old < keep))
    };
    old.calendar() != new.calendar() || new.boards().iter().any(more)
}
