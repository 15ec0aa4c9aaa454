//! A few connections that calls share.

use std::ops::{Deref, DerefMut};

use liveops_core::error::StoreError;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::unavailable;
use crate::options::Options;
use crate::session::{Server, Session};

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
        let used = std::iter::from_fn(|| self.idle.lock().pop()).find(Session::is_sound);
        let session = match used {
            Some(session) => session,
            None => self.server.connect().await?,
        };
        Ok(Lease { session, pool: self, _permit: permit })
    }
}

impl Lease<'_> {
    /// Gives it back, outside of a transaction.
    pub(crate) fn done(self) {
        if self.session.is_sound() {
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
