//! The async engine: the same plan, no runtime named.

use std::borrow::Borrow;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::error::{Code, Error, StoreError, StoreErrorKind};
use crate::plan::{self, Outcome, Plan};
use crate::record::{ChangeSet, Command, CommitOutcome, Horizon, Key, Record};
use crate::rules::Rules;
use crate::store::{AsyncStore, Store};
use crate::time::Timestamp;

/// Rules and an asynchronous store.
#[derive(Debug)]
pub struct AsyncEngine<S> {
    rules: Rules,
    store: S,
    /// The time of the newest event that was applied: what the next [`Self::advance`] is measured by.
    newest_event: AtomicI64,
}

impl<S: AsyncStore> AsyncEngine<S> {
    /// Joins the two.
    pub const fn new(rules: Rules, store: S) -> Self {
        Self { rules, store, newest_event: AtomicI64::new(Timestamp::MIN.as_unix_millis()) }
    }

    /// Takes one command.
    pub async fn submit(&self, command: &Command) -> Outcome {
        let unknown = || Outcome::Unknown(Code::StoreOutcomeUnknown.into());
        self.submit_batch(std::slice::from_ref(command)).await.pop().unwrap_or_else(unknown)
    }

    /// Takes a batch; one outcome per command, in order. Dropping the future is like losing the reply: send the batch
    /// again.
    pub async fn submit_batch<C: Borrow<Command>>(&self, commands: &[C]) -> Vec<Outcome> {
        let mut plan = Plan::new(&self.rules, commands.iter().map(Borrow::borrow));
        loop {
            let keys = plan.keys();
            if keys.is_empty() {
                let outcomes = plan.finish();
                if let Some(newest) = plan::newest_event(commands, &outcomes) {
                    self.newest_event.fetch_max(newest.as_unix_millis(), Ordering::Relaxed);
                }
                return outcomes;
            }
            let batch = plan.decide(self.store.load(&keys).await);
            if !batch.is_empty() {
                plan.resolve(self.store.commit(batch).await);
            }
        }
    }

    /// Moves the horizon to `now`, never back, and forgets what no acceptable command can ask for any more. Refuses what
    /// [`crate::Engine::advance`] refuses.
    ///
    /// Errors: `clock_unit`, `clock_jump`; those of the store.
    pub async fn advance(&self, now: Timestamp) -> Result<Horizon, Error> {
        let newest = Timestamp::from_unix_millis(self.newest_event.load(Ordering::Relaxed));
        let horizon = match self.store.load(&[Key::Horizon]).await?.pop() {
            Some(Some(Record::Horizon(horizon))) => horizon,
            Some(None) => Horizon::default(),
            _ => return Err(StoreError::new(StoreErrorKind::Misconfigured).into()),
        };
        horizon.check_advance(now, (newest != Timestamp::MIN).then_some(newest))?;
        self.advance_far(now).await
    }

    /// The same to any time, because the caller means it.
    pub async fn advance_far(&self, now: Timestamp) -> Result<Horizon, Error> {
        let forgotten_before = now.minus_millis(self.rules.door().limits().past_millis_max);
        Ok(self.store.advance(Horizon { now, forgotten_before }).await?)
    }

    /// The rules.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The store.
    pub const fn store(&self) -> &S {
        &self.store
    }
}

/// A blocking store behind the asynchronous boundary, answering at once: for stores in memory.
#[derive(Debug, Default)]
pub struct Ready<S>(pub S);

impl<S: Store> AsyncStore for Ready<S> {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, StoreError> {
        self.0.load(keys)
    }

    async fn commit(&self, batch: Vec<ChangeSet>) -> Vec<CommitOutcome> {
        self.0.commit(batch)
    }

    async fn advance(&self, to: Horizon) -> Result<Horizon, StoreError> {
        self.0.advance(to)
    }
}
