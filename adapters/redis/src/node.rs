//! One server: its connections, made when they are needed and again when they broke.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::{ConnectionLike as _, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, Pipeline, PushInfo, PushKind, Value};

use crate::error::Fault;

/// Calls that one connection takes before callers wait for a place.
const QUEUED_MAX: usize = 1_024;
/// Connections for commits that wait for replicas: such a wait holds up whatever is behind it.
const WAITING: usize = 8;

#[derive(Debug)]
pub(crate) struct Node {
    client: Client,
    timeout: Duration,
    plain: Lane,
    waiting: [Lane; WAITING],
    next: AtomicUsize,
    /// How many connections there were so far.
    made: Arc<AtomicU64>,
}

/// A place for one connection.
#[derive(Debug, Default)]
struct Lane {
    open: Mutex<Option<Open>>,
    /// One at a time makes it.
    opening: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug)]
struct Open {
    connection: MultiplexedConnection,
    /// It ended: whatever is given to it is not sent.
    ended: Arc<AtomicBool>,
}

impl Node {
    pub(crate) fn new(client: Client, timeout: Duration, made: Arc<AtomicU64>) -> Self {
        Self { client, timeout, plain: Lane::default(), waiting: Default::default(), next: AtomicUsize::new(0), made }
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Sends commands in one piece, and gives their answers; a server's error is an answer too.
    pub(crate) async fn send(&self, commands: &Pipeline) -> Result<Vec<Value>, Fault> {
        self.send_by(&self.plain, commands).await
    }

    /// The same for commands of which the last waits for replicas.
    pub(crate) async fn send_and_wait(&self, commands: &Pipeline) -> Result<Vec<Value>, Fault> {
        let next = self.next.fetch_add(1, Ordering::Relaxed) % WAITING;
        self.send_by(&self.waiting[next], commands).await
    }

    async fn send_by(&self, lane: &Lane, commands: &Pipeline) -> Result<Vec<Value>, Fault> {
        let Open { mut connection, ended } = lane.open(self).await?;
        let asked = commands.len();
        let answered = connection.req_packed_commands(commands, 0, asked).await;
        let again = || ended.store(true, Ordering::Release);
        match answered {
            Ok(answers) if answers.len() == asked => {
                // Whoever was a master and is none may be another machine by now.
                if answers.iter().any(|answer| matches!(answer, Value::ServerError(e) if e.code() == "READONLY")) {
                    again();
                }
                Ok(answers)
            }
            Ok(_) => {
                again();
                Err(Fault::Strange)
            }
            Err(error) => {
                // Also one that is only late: whatever holds the answers up may never let go of this connection.
                again();
                Err(Fault::of_asking(&error))
            }
        }
    }
}

impl Lane {
    async fn open(&self, node: &Node) -> Result<Open, Fault> {
        if let Some(open) = self.current() {
            return Ok(open);
        }
        let waited = tokio::time::timeout(node.timeout, self.opening.lock()).await;
        let _one = waited.map_err(|_| Fault::NotSent("no connection in time".to_owned()))?;
        if let Some(open) = self.current() {
            return Ok(open);
        }
        let ended = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&ended);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(node.timeout))
            .set_response_timeout(Some(node.timeout))
            .set_pipeline_buffer_size(QUEUED_MAX)
            .set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection {
                    told.store(true, Ordering::Release);
                }
                Ok::<(), redis::aio::SendError>(())
            });
        let made = node.client.get_multiplexed_async_connection_with_config(&config).await;
        let open = Open { connection: made.map_err(|error| Fault::of_connecting(&error))?, ended };
        node.made.fetch_add(1, Ordering::AcqRel);
        *self.open.lock() = Some(open.clone());
        Ok(open)
    }

    /// The connection, unless it ended.
    fn current(&self) -> Option<Open> {
        let mut open = self.open.lock();
        if open.as_ref().is_some_and(|open| open.ended.load(Ordering::Acquire)) {
            *open = None;
        }
        open.clone()
    }
}
