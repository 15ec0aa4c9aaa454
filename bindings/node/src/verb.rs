//! One verb of an engine, written once: done here and now, or on a thread of Node's pool as a promise.

use std::sync::Arc;

use liveops_bindings::{Core, Shared};
use liveops_core::Code;
use liveops_sqlite::SqliteStore;
use napi::bindgen_prelude::{AsyncTask, Either, ToNapiValue, TypeName};
use napi::{Env, Task};
use serde_json::{Value, json};

use crate::failure::{Failure, OrThrow as _, Result};
use crate::memory::{Moved, tell};

/// What a verb answers: the answer, or a promise of it.
pub(crate) type Answer<T> = Either<T, AsyncTask<Verb<T>>>;

/// What it does with the engine.
type Work<T> = Box<dyn FnOnce(&Shared) -> Result<T> + Send>;

/// A verb on its way through a thread of the pool.
#[expect(missing_debug_implementations, reason = "a closure has none")]
pub struct Verb<T> {
    shared: Arc<Shared>,
    work: Option<Work<T>>,
}

impl<T> Verb<T> {
    pub(crate) fn new(shared: &Arc<Shared>, work: impl FnOnce(&Shared) -> Result<T> + Send + 'static) -> Self {
        Self { shared: Arc::clone(shared), work: Some(Box::new(work)) }
    }
}

impl<T: ToNapiValue + TypeName + Send + 'static> Task for Verb<T> {
    type Output = Moved<Result<T>>;
    type JsValue = T;

    fn compute(&mut self) -> Result<Self::Output> {
        let work = self.work.take();
        Ok(Moved::made(|| match work {
            Some(work) => work(&self.shared),
            None => Err(Code::InvalidArgument).or_throw(),
        }))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> Result<T> {
        let answer = output.arrived();
        tell(&env)?;
        answer
    }
}

/// Works with an engine that is not closed.
pub(crate) fn with<T>(shared: &Shared, work: impl FnOnce(&Core) -> Result<T>) -> Result<T> {
    shared.with(work).or_throw()?
}

/// The same with its file.
pub(crate) fn with_file<T>(shared: &Shared, work: impl FnOnce(&SqliteStore) -> Result<T>) -> Result<T> {
    shared.with_file(work).or_throw()?
}

/// Done here and now this verb would hold the event loop for as long as the store waits for its disk or its server.
pub(crate) struct WouldBlock(pub(crate) &'static str);

impl Failure for WouldBlock {
    fn details(&self) -> Value {
        let (code, verb) = (Code::WouldBlock, self.0);
        json!({ "kind": "liveops", "code": code,
            "message": format!("{code}: {verb} would hold the event loop while the store waits; call {verb}Async") })
    }
}
