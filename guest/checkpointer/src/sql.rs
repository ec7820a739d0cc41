//! Batches to the host's `storage`, row sets and failures back, field by field.

use langgraph_checkpoint_guest as guest;

use crate::convert::all;
use crate::{storage, wit};

impl From<guest::Batch> for storage::Batch {
    fn from(batch: guest::Batch) -> Self {
        let access = match batch.access {
            guest::Access::Read => storage::Access::Read,
            guest::Access::Write => storage::Access::Write,
        };
        let statement = |statement: guest::Statement| storage::Statement {
            text: statement.text,
            parameters: statement.parameters.into_iter().map(all).collect(),
        };
        Self { access, statements: batch.statements.into_iter().map(statement).collect() }
    }
}

impl From<guest::Value> for storage::Value {
    fn from(value: guest::Value) -> Self {
        match value {
            guest::Value::Null => Self::Null,
            guest::Value::Integer(integer) => Self::Integer(integer),
            guest::Value::Real(real) => Self::Real(real),
            guest::Value::Text(text) => Self::Text(text),
            guest::Value::Blob(blob) => Self::Blob(blob),
        }
    }
}

impl From<storage::Value> for guest::Value {
    fn from(value: storage::Value) -> Self {
        match value {
            storage::Value::Null => Self::Null,
            storage::Value::Integer(integer) => Self::Integer(integer),
            storage::Value::Real(real) => Self::Real(real),
            storage::Value::Text(text) => Self::Text(text),
            storage::Value::Blob(blob) => Self::Blob(blob),
        }
    }
}

impl From<storage::RowSet> for guest::RowSet {
    fn from(set: storage::RowSet) -> Self {
        Self { rows: set.rows.into_iter().map(all).collect() }
    }
}

impl From<storage::Failure> for wit::Error {
    fn from(failure: storage::Failure) -> Self {
        let storage::Failure { code, message, maybe_stored } = failure;
        Self::Storage(wit::StoreFault { code, message, maybe_stored })
    }
}
