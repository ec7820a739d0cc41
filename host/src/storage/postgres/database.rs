//! A database behind a pool of connections.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use langgraph_checkpoint_guest::{Batch, RowSet};
use tokio::time::{Instant, sleep};

use super::address::Address;
use super::attempt::Attempt;
use super::failure::Failure;
use super::lanes::Lanes;
use super::options::PostgresOptions;
use crate::error::Error;
use crate::storage::{Dialect, StorageAdapter, StorageError, Stored};

/// The first pause before a batch is run again, and the longest one.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// A schema of a PostgreSQL database as a store.
///
/// Its connections are tasks of the tokio runtime in which they are opened, and end with it: use
/// one in one runtime. Dropping it closes the connections that no call uses.
pub struct PostgresStorage {
    database: Arc<Database>,
    schema: String,
}

/// What runs batches.
pub(super) struct Database {
    pool: Pool,
    deadline: Duration,
    /// Whether the server was ever there.
    has_connected: AtomicBool,
    pub(super) lanes: Lanes,
}

impl PostgresStorage {
    /// Makes a pool of connections for a connection string, which is a URL or has `key=value` pairs
    /// as in libpq. Nothing is sent before the first batch.
    pub fn new(url: &str, options: &PostgresOptions) -> Result<Self, Error> {
        let dialect = Dialect::Postgres { schema: options.schema.clone() };
        dialect.check()?;
        let Address { config, tls } = Address::parse(url, options)?;
        let recycling_method = RecyclingMethod::Fast;
        let manager = Manager::from_config(config, tls, ManagerConfig { recycling_method });
        let pool = Pool::builder(manager)
            .max_size(options.connections_max.max(1))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|_| Error::protocol("no-pool", "the pool could not be made"))?;
        let database = Database {
            pool,
            deadline: options.deadline,
            has_connected: AtomicBool::default(),
            lanes: Lanes::default(),
        };
        Ok(Self { database: Arc::new(database), schema: options.schema.clone() })
    }

    /// Closes the connections that no call uses. Later calls are refused.
    pub fn close(&self) {
        self.database.pool.close();
    }
}

impl StorageAdapter for PostgresStorage {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres { schema: self.schema.clone() }
    }

    async fn run(&self, batch: Batch) -> Result<Vec<RowSet>, StorageError> {
        self.database.run(&batch).await
    }

    async fn run_of_thread(
        &self,
        thread_id: &str,
        batch: Batch,
    ) -> Result<Vec<RowSet>, StorageError> {
        Lanes::run(&self.database, thread_id, batch).await
    }
}

impl Database {
    async fn attempt(&self, batch: &Batch, end: Instant) -> Result<Vec<RowSet>, Failure> {
        let left = Some(end.saturating_duration_since(Instant::now()));
        let timeouts = Timeouts { wait: left, create: left, recycle: left };
        let connection = self.pool.timeout_get(&timeouts).await.map_err(Failure::unconnected)?;
        self.has_connected.store(true, Ordering::Relaxed);
        if Instant::now() >= end {
            return Err(Failure::no_connection());
        }
        Attempt::new(connection).run(batch, end).await
    }

    /// Runs a batch, and again while its failures are temporary and there is time: it may be.
    pub(super) async fn run(&self, batch: &Batch) -> Result<Vec<RowSet>, StorageError> {
        let end = Instant::now() + self.deadline;
        let mut maybe_stored = false;
        let mut pause = PAUSE_MIN;
        loop {
            let failure = match self.attempt(batch, end).await {
                Ok(sets) => return Ok(sets),
                Err(failure) => failure,
            };
            let paused = jittered(pause);
            let is_last = Instant::now() + paused >= end;
            // A server that never answered is rather a wrong address than one that restarts.
            let was_there = self.has_connected.load(Ordering::Relaxed) || failure.is_answer;
            if !failure.is_temporary || is_last || !was_there {
                let error = failure.error;
                return Err(if maybe_stored { error.with_unknown_effect() } else { error });
            }
            maybe_stored |= failure.error.stored() == Stored::Unknown;
            tracing::debug!(code = failure.error.code(), "a batch is run again");
            sleep(paused).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
}

impl fmt::Debug for PostgresStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The pool's configuration has the password.
        f.debug_struct("PostgresStorage").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// A random time between half the pause and the whole, so that two processes do not stay in step.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(pause);
    let share = f64::from(u32::try_from(random >> 32).unwrap_or(0)) / f64::from(u32::MAX);
    pause.mul_f64(0.5 + share / 2.0)
}
