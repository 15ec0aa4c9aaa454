//! The async engine: the same plan, no runtime named.

use std::borrow::Borrow;

use crate::error::{Code, Error, StoreError};
use crate::plan::{Outcome, Plan};
use crate::record::{ChangeSet, Command, CommitOutcome, Horizon, Key, Record};
use crate::rules::Rules;
use crate::store::{AsyncStore, Store};
use crate::time::Timestamp;

/// Rules and an asynchronous store.
#[derive(Debug)]
pub struct AsyncEngine<S> {
    rules: Rules,
    store: S,
}

impl<S: AsyncStore> AsyncEngine<S> {
    /// Joins the two.
    pub const fn new(rules: Rules, store: S) -> Self {
        Self { rules, store }
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
                return plan.finish();
            }
            let batch = plan.decide(self.store.load(&keys).await);
            if !batch.is_empty() {
                plan.resolve(self.store.commit(batch).await);
            }
        }
    }

    /// Moves the horizon to `now`, never back, and forgets what no acceptable command can ask for any more.
    pub async fn advance(&self, now: Timestamp) -> Result<Horizon, Error> {
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
