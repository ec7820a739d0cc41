//! A schema on which agents run the planner's statements.

use langgraph_checkpoint_guest::{self as guest, AgentStatements, Batch, Call, RowSet};

use super::database::PostgresStorage;
use super::options::PostgresOptions;
use crate::drive::drive;
use crate::error::Error;
use crate::planner::Planner;
use crate::storage::agent_limits::AgentLimits;
use crate::storage::{ConfinedStorage, Dialect, StorageAdapter, StorageError, StorageErrorKind};

/// A schema of a PostgreSQL database for an agent that is composed with the component
/// `checkpointer`, and so calls its host in SQL.
///
/// An agent may send other statements than that component does. Only that component's own are run,
/// with any values; they use four tables of the schema. Others are refused before they reach the
/// server. So compose agents with the component of this crate's version: another one's statements
/// may differ. A batch that exceeds the `AgentLimits` is refused or ended, on the server too.
///
/// **Each tenant needs its own schema.** An agent can read and change every thread of its schema.
/// If tenants share one, serve `checkpointer` instead (`imports::add_checkpointer_to_linker`),
/// behind a check of the thread ids.
///
/// Connect with a role of the tenant's own that has SELECT, INSERT, UPDATE and DELETE on the tables
/// of its schema and no other rights, so that the server holds it there too. There is no quota: an
/// agent may fill the disk. What sorting takes of it, the role's `temp_file_limit` limits.
#[derive(Debug)]
pub struct PostgresAgentStorage {
    inner: PostgresStorage,
    statements: AgentStatements,
    limits: AgentLimits,
}

impl PostgresAgentStorage {
    /// Connects as [`PostgresStorage::new`] does, and makes the schema and the tables if they are
    /// missing. Where they are there, the role needs no right to make any.
    pub async fn connect(
        url: &str,
        options: &PostgresOptions,
        limits: AgentLimits,
    ) -> Result<Self, Error> {
        let inner = PostgresStorage::limited(url, options, Some(limits))?;
        let schema = options.schema.clone();
        let statements =
            guest::Postgres::open(&guest::PostgresOptions { schema })?.agent_statements()?;
        drive(&Planner::native(), &inner, Call::Setup).await?;
        Ok(Self { inner, statements, limits })
    }

    /// Closes the connections that no batch uses. Later batches are refused.
    pub fn close(&self) {
        self.inner.close();
    }
}

impl ConfinedStorage for PostgresAgentStorage {}

impl StorageAdapter for PostgresAgentStorage {
    fn dialect(&self) -> Dialect {
        self.inner.dialect()
    }

    async fn run(&self, batch: Batch) -> Result<Vec<RowSet>, StorageError> {
        self.limits.check(&batch)?;
        if batch.statements.iter().all(|statement| self.statements.contains(statement)) {
            return self.inner.run(batch).await;
        }
        Err(StorageError::new(
            StorageErrorKind::Refused,
            "an agent's statement is none of the component checkpointer's; compose the agent with \
             the component of the host's version",
        ))
    }
}
