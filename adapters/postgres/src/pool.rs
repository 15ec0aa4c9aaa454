//! A few connections that calls share.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use liveops_core::error::StoreError;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::unavailable;
use crate::options::Options;
use crate::session::{Server, Session};

/// Who was not used for so long is asked before it is used.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// Connections, at most so many: each is made when it is needed, and given up after anything that leaves it in doubt.
pub(crate) struct Pool {
    server: Server,
    permits: Semaphore,
    idle: Mutex<Vec<Session>>,
    options: Options,
}

/// A session that is somebody's. It comes back by [`Self::done`]; dropped, it is closed.
pub(crate) struct Lease<'p> {
    session: Session,
    pool: &'p Pool,
    _permit: SemaphorePermit<'p>,
}

impl Pool {
    pub(crate) fn new(server: Server, options: &Options) -> Self {
        let permits = Semaphore::new(options.connections.min(Semaphore::MAX_PERMITS));
        Self { server, permits, idle: Mutex::default(), options: options.clone() }
    }

    /// A session, used before or new.
    ///
    /// Errors: whatever keeps one from being had. Nothing was sent.
    pub(crate) async fn lease(&self) -> Result<Lease<'_>, StoreError> {
        let permit = tokio::time::timeout(self.options.timeout, self.permits.acquire()).await;
        let Ok(Ok(permit)) = permit else { return Err(unavailable("no connection of the pool came free in time")) };
        loop {
            let used = self.idle.lock().pop();
            let session = match used {
                Some(session) if !session.is_sound() => continue,
                // A server, or what is between, may have let go of it without a word: a commit that is lost with it would be unknown.
                Some(session) if session.is_idle_since(IDLE_MAX) && session.run("").await.is_err() => continue,
                Some(session) => session,
                None => self.server.connect().await?,
            };
            return Ok(Lease { session, pool: self, _permit: permit });
        }
    }
}

impl Lease<'_> {
    /// Gives it back, outside of a transaction.
    pub(crate) fn done(mut self) {
        if self.session.is_sound() {
            self.session.used();
            self.pool.idle.lock().push(self.session);
        }
    }
}

impl Deref for Lease<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.session
    }
}
