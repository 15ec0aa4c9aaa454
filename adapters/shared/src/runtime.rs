//! A runtime for callers who block.

use liveops_core::error::{StoreError, StoreErrorKind};
use liveops_core::store::BlockOn;
use tokio::runtime::{Builder, Handle};

/// Threads of its own on which an asynchronous store works for callers who block: [`liveops_core::store::Blocking`] joins the two.
///
/// ```
/// use liveops_adapters::Runtime;
/// use liveops_core::store::BlockOn;
///
/// let runtime = Runtime::new(1)?;
/// assert_eq!(runtime.block_on(async { 7 }).unwrap(), 7);
/// # Ok::<(), liveops_core::error::StoreError>(())
/// ```
#[derive(Debug)]
pub struct Runtime {
    /// There until it is dropped.
    inner: Option<tokio::runtime::Runtime>,
    /// The process whose threads these are.
    process: u32,
}

impl Runtime {
    /// With so many threads, at least 1.
    ///
    /// Errors: `store_unavailable` where the system gives none.
    pub fn new(workers: usize) -> Result<Self, StoreError> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(workers.max(1)).thread_name("liveops-store").enable_all();
        let inner = builder.build().map_err(|error| StoreError::with_source(StoreErrorKind::Unavailable, error))?;
        Ok(Self { inner: Some(inner), process: std::process::id() })
    }
}

impl BlockOn for Runtime {
    fn block_on<F: Future>(&self, future: F) -> Result<F::Output, StoreErrorKind> {
        if std::process::id() != self.process {
            return Err(StoreErrorKind::Forked);
        }
        // Any runtime's thread: who blocks it holds up the tasks of others, and waiting for one's own would never end.
        if Handle::try_current().is_ok() {
            return Err(StoreErrorKind::WouldBlock);
        }
        let runtime = self.inner.as_ref().ok_or(StoreErrorKind::Unavailable)?;
        Ok(runtime.block_on(future))
    }
}

/// Waits for nothing, so that it may happen on any thread. In a forked child there are no threads to end, and what they held locked
/// stays locked.
impl Drop for Runtime {
    fn drop(&mut self) {
        let Some(inner) = self.inner.take() else { return };
        if std::process::id() == self.process {
            inner.shutdown_background();
        } else {
            std::mem::forget(inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_waits_for_timers_and_tasks() {
        let runtime = Runtime::new(0).unwrap();
        let answer = runtime.block_on(async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            tokio::spawn(async { 7 }).await.unwrap()
        });
        assert_eq!(answer, Ok(7));
    }

    #[test]
    fn it_blocks_no_thread_of_a_runtime() {
        let (runtime, other) = (Runtime::new(1).unwrap(), Runtime::new(1).unwrap());
        let inside = runtime.block_on(async { runtime.block_on(async {}) });
        assert_eq!(inside, Ok(Err(StoreErrorKind::WouldBlock)), "its own");
        let inside = runtime.block_on(async { tokio::spawn(async move { other.block_on(async {}) }).await.unwrap() });
        assert_eq!(inside, Ok(Err(StoreErrorKind::WouldBlock)), "another's, dropped there as well");
        assert_eq!(runtime.block_on(async {}), Ok(()));
    }

    #[test]
    fn it_is_dropped_inside_a_runtime_while_tasks_run() {
        let (outer, inner) = (Runtime::new(1).unwrap(), Runtime::new(1).unwrap());
        inner.block_on(async { drop(tokio::spawn(std::future::pending::<()>())) }).unwrap();
        outer.block_on(async move { drop(inner) }).unwrap();
    }

    #[test]
    fn in_a_forked_child_it_is_left_alone() {
        let mut runtime = Runtime::new(1).unwrap();
        runtime.process ^= 1;
        assert_eq!(runtime.block_on(async {}), Err(StoreErrorKind::Forked));
        drop(runtime);
    }
}
