//! A server behind a pool of connections.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Timeouts,
};
use langgraph_checkpoint_guest::{Batch, RowSet};
use tokio::time::{Instant, sleep, timeout_at};

use super::address::Address;
use super::attempt::Attempt;
use super::failure::Failure;
use super::options::PostgresOptions;
use crate::storage::agent_limits::AgentLimits;
use crate::storage::{StorageError, StorageErrorKind, Stored};

/// The first pause before a batch is run again, and the longest one.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// What runs batches.
pub(super) struct Server {
    pool: Pool,
    deadline: Duration,
    prepares: bool,
    /// Those of an agent's batches.
    limits: Option<AgentLimits>,
    /// Whether the server was ever there.
    has_connected: AtomicBool,
}

impl Server {
    /// Makes a pool. Nothing is sent.
    pub(super) fn new(
        address: Address,
        options: &PostgresOptions,
        limits: Option<AgentLimits>,
    ) -> Result<Self, StorageError> {
        let Address { config, tls } = address;
        let recycling_method = RecyclingMethod::Fast;
        let manager = Manager::from_config(config, tls, ManagerConfig { recycling_method });
        let pool = Pool::builder(manager)
            .max_size(options.connections_max.max(1))
            .build()
            .map_err(|error| {
                let message = "the pool of connections could not be made";
                StorageError::new(StorageErrorKind::Failed, message).with_source(error)
            })?;
        let PostgresOptions { deadline, prepare: prepares, .. } = *options;
        let deadline = limits.map_or(deadline, |limits| limits.time_limit.min(deadline));
        Ok(Self { pool, deadline, prepares, limits, has_connected: AtomicBool::default() })
    }

    /// How long a batch may take, with all attempts.
    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Closes the connections that no batch uses. Later batches are refused.
    pub(super) fn close(&self) {
        self.pool.close();
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
            let was_there = self.has_connected() || failure.is_answer;
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

    async fn attempt(&self, batch: &Batch, end: Instant) -> Result<Vec<RowSet>, Failure> {
        let connection = self.connection(end).await?;
        self.has_connected.store(true, Ordering::Relaxed);
        if Instant::now() >= end {
            return Err(Failure::no_connection(true));
        }
        Attempt::new(connection).run(batch, end, self.prepares, self.limits.as_ref()).await
    }

    /// A connection that is free, or a new one.
    async fn connection(&self, end: Instant) -> Result<Object, Failure> {
        let at_once = Timeouts { wait: Some(Duration::ZERO), ..Timeouts::default() };
        let got = match timeout_at(end, self.pool.timeout_get(&at_once)).await {
            // All are in use.
            Ok(Err(PoolError::Timeout(_))) => match timeout_at(end, self.pool.get()).await {
                Ok(got) => got,
                Err(_) => return Err(Failure::no_connection(self.has_connected())),
            },
            Ok(got) => got,
            // The server was there, and lets a new connection wait.
            Err(_) if self.has_connected() => return Err(Failure::late(false)),
            Err(_) => return Err(Failure::no_connection(false)),
        };
        got.map_err(Failure::unconnected)
    }

    fn has_connected(&self) -> bool {
        self.has_connected.load(Ordering::Relaxed)
    }
}

/// A random time between half the pause and the whole, so that two processes do not stay in step.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(pause);
    let share = f64::from(u32::try_from(random >> 32).unwrap_or(0)) / f64::from(u32::MAX);
    pause.mul_f64(0.5 + share / 2.0)
}
