//! The interface `storage`, on a database that holds its statements.

use langgraph_checkpoint_guest as guest;

use super::bindings::storage as wit;
use crate::storage::sqlite::AgentStorage;
use crate::storage::{StorageAdapter, StorageError, Stored};

/// A store that a component reaches.
pub(super) struct Served<'a>(pub(super) &'a AgentStorage);

impl wit::Host for Served<'_> {
    async fn run(&mut self, batch: wit::Batch) -> Result<Vec<wit::RowSet>, wit::Failure> {
        let sets = self.0.run(batch.into()).await?;
        Ok(sets.into_iter().map(Into::into).collect())
    }
}

fn all<A, B: From<A>>(list: Vec<A>) -> Vec<B> {
    list.into_iter().map(B::from).collect()
}

impl From<wit::Batch> for guest::Batch {
    fn from(batch: wit::Batch) -> Self {
        let access = match batch.access {
            wit::Access::Read => guest::Access::Read,
            wit::Access::Write => guest::Access::Write,
        };
        let statement = |statement: wit::Statement| guest::Statement {
            text: statement.text,
            parameters: statement.parameters.into_iter().map(all).collect(),
        };
        Self { access, statements: batch.statements.into_iter().map(statement).collect() }
    }
}

impl From<guest::RowSet> for wit::RowSet {
    fn from(set: guest::RowSet) -> Self {
        Self { rows: set.rows.into_iter().map(all).collect() }
    }
}

impl From<wit::Value> for guest::Value {
    fn from(value: wit::Value) -> Self {
        match value {
            wit::Value::Null => Self::Null,
            wit::Value::Integer(integer) => Self::Integer(integer),
            wit::Value::Real(real) => Self::Real(real),
            wit::Value::Text(text) => Self::Text(text),
            wit::Value::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

impl From<guest::Value> for wit::Value {
    fn from(value: guest::Value) -> Self {
        match value {
            guest::Value::Null => Self::Null,
            guest::Value::Integer(integer) => Self::Integer(integer),
            guest::Value::Real(real) => Self::Real(real),
            guest::Value::Text(text) => Self::Text(text),
            guest::Value::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

impl From<StorageError> for wit::Failure {
    fn from(error: StorageError) -> Self {
        let maybe_stored = error.stored() == Stored::Unknown;
        Self { code: error.code().to_owned(), message: error.to_string(), maybe_stored }
    }
}
