//! One connection, as this store needs it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use liveops_core::error::StoreError;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{Fault, connecting, misconfigured, unavailable};
use crate::options::Options;

/// What a statement is given.
pub(crate) type Values<'v> = [&'v (dyn ToSql + Sync)];

/// The oldest release whose plans were looked at: 14.
const VERSION_MIN: i32 = 140_000;

/// Where sessions are opened.
pub(crate) struct Server {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    timeout: Duration,
}

impl Server {
    /// Reads an address.
    pub(crate) fn new(url: &str, options: &Options) -> Result<Self, StoreError> {
        // What libpq calls these is what is done anyway, whenever there is TLS.
        let url = url.replace("sslmode=verify-full", "sslmode=require").replace("sslmode=verify-ca", "sslmode=require");
        let mut config: Config =
            url.parse().map_err(|_| misconfigured("an address: postgres://user@host/database, or host=.. user=.."))?;
        config.connect_timeout(options.timeout);
        if config.get_application_name().is_none() {
            config.application_name("liveops");
        }
        if options.tls.is_some() {
            if config.get_ssl_mode() == SslMode::Disable {
                return Err(misconfigured("an address without sslmode=disable, where TLS is asked for"));
            }
            config.ssl_mode(SslMode::Require);
        }
        let is_local = config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
        let tls = if config.get_ssl_mode() == SslMode::Disable || (is_local && options.tls.is_none()) {
            None
        } else {
            let tls = options.tls.clone().unwrap_or_default().config()?;
            Some(MakeRustlsConnect::new(tls))
        };
        Ok(Self { config, tls, timeout: options.timeout })
    }

    /// Opens a session, in time: of several hosts the next is still tried where one does not answer.
    pub(crate) async fn connect(&self) -> Result<Session, StoreError> {
        let hosts = u32::try_from(self.config.get_hosts().len()).unwrap_or(u32::MAX).max(1);
        let opened = tokio::time::timeout(self.timeout.saturating_mul(hosts), self.connect_at_last()).await;
        opened.unwrap_or_else(|_| Err(unavailable("no connection in time")))
    }

    async fn connect_at_last(&self) -> Result<Session, StoreError> {
        let (client, connection) = if let Some(tls) = &self.tls {
            let (client, connection) = self.config.connect(tls.clone()).await.map_err(|e| connecting(&e))?;
            (client, tokio::spawn(async { drop(connection.await) }))
        } else {
            let (client, connection) = self.config.connect(NoTls).await.map_err(|e| connecting(&e))?;
            (client, tokio::spawn(async { drop(connection.await) }))
        };
        let mut session = Session {
            client,
            connection,
            statements: HashMap::new(),
            patience: self.timeout.mul_f32(1.25),
            is_doubtful: AtomicBool::new(false),
            used: Instant::now(),
            cluster: String::new(),
            is_known: false,
        };
        session.begin(self.timeout).await?;
        Ok(session)
    }
}

/// A connection. Whoever drops it in the middle of something leaves the rest to the server.
pub(crate) struct Session {
    client: Client,
    connection: JoinHandle<()>,
    /// Prepared, by where their texts are.
    statements: HashMap<usize, Statement>,
    patience: Duration,
    /// Whether an answer is outstanding, or the server ended it.
    is_doubtful: AtomicBool,
    used: Instant,
    /// Of which cluster, and which life of it.
    pub(crate) cluster: String,
    /// Whether the game's cursors count that one's transactions.
    pub(crate) is_known: bool,
}

/// At once: a server that does not answer is not waited for.
impl Drop for Session {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Session {
    /// Whether another statement may be sent.
    pub(crate) fn is_sound(&self) -> bool {
        !self.client.is_closed() && !self.is_doubtful.load(Ordering::Relaxed)
    }

    /// It is given back.
    pub(crate) fn used(&mut self) {
        self.used = Instant::now();
    }

    /// Whether nobody used it for so long.
    pub(crate) fn is_idle_since(&self, long: Duration) -> bool {
        self.used.elapsed() >= long
    }

    /// How long to wait for each answer from now on; how long it was.
    pub(crate) fn wait_up_to(&mut self, patience: Duration) -> Duration {
        std::mem::replace(&mut self.patience, patience)
    }

    /// Some statements without values, one after the other.
    pub(crate) async fn run(&self, sql: &str) -> Result<(), Fault> {
        self.in_time(self.client.batch_execute(sql)).await
    }

    /// One statement, prepared once.
    pub(crate) async fn query(&mut self, sql: &'static str, values: &Values<'_>) -> Result<Vec<Row>, Fault> {
        let at = sql.as_ptr().addr();
        let known = self.statements.get(&at).cloned();
        let statement = if let Some(statement) = known {
            statement
        } else {
            // Nothing is written by preparing.
            let prepared = self.in_time(self.client.prepare(sql)).await.map_err(Fault::reading)?;
            self.statements.insert(at, prepared.clone());
            prepared
        };
        self.in_time(self.client.query(&statement, values)).await
    }

    /// The only row of one.
    pub(crate) async fn query_one(&mut self, sql: &'static str, values: &Values<'_>) -> Result<Row, Fault> {
        let row = self.query(sql, values).await?.pop();
        row.ok_or_else(|| misconfigured("the game's rows in the database").into())
    }

    async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>> + Send,
    ) -> Result<T, Fault> {
        // Dropped half way, too.
        self.is_doubtful.store(true, Ordering::Relaxed);
        let answer = tokio::time::timeout(self.patience, answer).await.map_err(|_| Fault::TimedOut)?;
        let answer = answer.map_err(Fault::from);
        let is_doubtful =
            answer.as_ref().err().is_some_and(|fault| !matches!(fault, Fault::Refused { is_fatal: false, .. }));
        self.is_doubtful.store(is_doubtful, Ordering::Relaxed);
        answer
    }

    /// Settings of ours, and a look at those of the server.
    async fn begin(&mut self, timeout: Duration) -> Result<(), StoreError> {
        let millis = timeout.as_millis().clamp(1, 1 << 30);
        // Every look-up goes by an index and no plan by what is in the tables: without statistics the planner takes large tables
        // for small ones. `remote_apply` promises more than `on`; everything else promises less.
        let settings = format!(
            "SET statement_timeout = {millis}; SET idle_in_transaction_session_timeout = {millis}; SET lock_timeout = 0;
             SET default_transaction_isolation = 'read committed'; SET default_transaction_deferrable = off;
             SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off; SET jit = off; SET row_security = off;
             SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') <> 'remote_apply'"
        );
        self.run(&settings).await.map_err(Fault::reading)?;
        let row = self.query_one(CHECKS, &[]).await.map_err(Fault::reading)?;
        if row.get::<_, i32>(0) < VERSION_MIN {
            return Err(misconfigured("PostgreSQL 14 or later"));
        }
        if row.get::<_, bool>(1) {
            return Err(unavailable("a server that recovers, or a standby, takes no writes"));
        }
        if !row.get::<_, bool>(2) {
            return Err(misconfigured("fsync = on and full_page_writes = on"));
        }
        if !row.get::<_, bool>(3) {
            return Err(misconfigured("a database whose encoding is UTF8"));
        }
        self.cluster = row.get(4);
        Ok(())
    }
}

/// A timeline is one life of a cluster: another begins when a standby is promoted, and when a backup is brought to an earlier time.
const CHECKS: &str = "
SELECT current_setting('server_version_num')::int, pg_is_in_recovery(),
  current_setting('fsync')::bool AND current_setting('full_page_writes')::bool, current_setting('server_encoding') = 'UTF8',
  CASE WHEN pg_is_in_recovery() THEN '' ELSE
    (SELECT system_identifier::text FROM pg_control_system()) || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END";
