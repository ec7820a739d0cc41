//! A schema of a database as a store.

use std::fmt;
use std::sync::Arc;

use langgraph_checkpoint_guest::{Batch, RowSet};

use super::address::Address;
use super::lanes::Lanes;
use super::options::PostgresOptions;
use super::server::Server;
use crate::error::Error;
use crate::storage::agent_limits::AgentLimits;
use crate::storage::{Dialect, StorageAdapter, StorageError};

/// A schema of a PostgreSQL database as a store.
///
/// Its connections are tasks of the tokio runtime in which they are opened, and end with it: use
/// one in one runtime. Dropping it closes the connections that no call uses.
pub struct PostgresStorage {
    lanes: Arc<Lanes>,
    schema: String,
}

impl PostgresStorage {
    /// Makes a pool of connections for a connection string, which is a URL or has `key=value` pairs
    /// as in libpq. Nothing is sent before the first batch.
    pub fn new(url: &str, options: &PostgresOptions) -> Result<Self, Error> {
        Self::limited(url, options, None)
    }

    /// The same, for an agent's batches if there are limits.
    pub(super) fn limited(
        url: &str,
        options: &PostgresOptions,
        limits: Option<AgentLimits>,
    ) -> Result<Self, Error> {
        let schema = options.schema.clone();
        Dialect::Postgres { schema: schema.clone() }.store()?;
        let server = Server::new(Address::parse(url, options)?, options, limits)?;
        Ok(Self { lanes: Arc::new(Lanes::new(server)), schema })
    }

    /// Closes the connections that no call uses. Later calls are refused.
    pub fn close(&self) {
        self.lanes.server().close();
    }
}

impl StorageAdapter for PostgresStorage {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres { schema: self.schema.clone() }
    }

    async fn run(&self, batch: Batch) -> Result<Vec<RowSet>, StorageError> {
        self.lanes.server().run(&batch).await
    }

    async fn run_of_thread(
        &self,
        thread_id: &str,
        batch: Batch,
    ) -> Result<Vec<RowSet>, StorageError> {
        self.lanes.run(thread_id, batch).await
    }
}

impl fmt::Debug for PostgresStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The pool's configuration has the password.
        f.debug_struct("PostgresStorage").field("schema", &self.schema).finish_non_exhaustive()
    }
}
