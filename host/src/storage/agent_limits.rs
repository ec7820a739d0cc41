//! What one batch of an agent may take.

use std::time::Duration;

use langgraph_checkpoint_guest::{Batch, Value};

use crate::storage::{StorageError, StorageErrorKind};

/// The limits of one batch of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentLimits {
    /// How long it may take, including the time that it waits.
    pub time_limit: Duration,
    /// How many statements it may have.
    pub statements_max: usize,
    /// The longest text of a statement.
    pub statement_bytes_max: usize,
    /// How many parameters its statements may have in total, over all their runs.
    pub parameters_max: usize,
    /// How many bytes of texts and parameters it may have; each parameter counts 16 extra.
    pub batch_bytes_max: usize,
    /// The largest value, both of a parameter and of a statement's results, and the largest row. A
    /// statement holds at most some hundreds of values at once, so it can take that many times this
    /// much memory. Values that the planner makes itself are under 1.5 MB; a checkpoint's metadata
    /// is as large as its caller makes it.
    ///
    /// It is not for PostgreSQL, where one parameter has all chunks of a call.
    pub value_bytes_max: usize,
    /// How many rows it may return.
    pub rows_max: usize,
    /// How many bytes it may return; each value counts 16 extra.
    pub answer_bytes_max: usize,
}

impl Default for AgentLimits {
    fn default() -> Self {
        Self {
            time_limit: Duration::from_secs(30),
            statements_max: 64,
            statement_bytes_max: 16 << 10,
            parameters_max: 2_000_000,
            batch_bytes_max: 128 << 20,
            value_bytes_max: 2 << 20,
            rows_max: 1_000_000,
            answer_bytes_max: 128 << 20,
        }
    }
}

impl AgentLimits {
    /// Refuses a batch that exceeds the limits.
    pub(super) fn check(&self, batch: &Batch) -> Result<(), StorageError> {
        let statements = &batch.statements;
        let parameters = || statements.iter().flat_map(|statement| &statement.parameters);
        let longest = statements.iter().map(|statement| statement.text.len()).max();
        let texts = statements.iter().map(|statement| statement.text.len());
        let values = parameters().flatten().map(|value| bytes(length(value)));
        // A run without parameters counts as one, so that the number of runs is limited too.
        let count = parameters().map(|row| row.len().max(1)).sum();
        for (found, max, name) in [
            (statements.len(), self.statements_max, "statements_max"),
            (longest.unwrap_or(0), self.statement_bytes_max, "statement_bytes_max"),
            (count, self.parameters_max, "parameters_max"),
            (texts.chain(values).sum(), self.batch_bytes_max, "batch_bytes_max"),
        ] {
            if found > max {
                return Err(beyond(name, max));
            }
        }
        Ok(())
    }
}

/// The error for exceeding a limit.
pub(super) fn beyond(limit: &str, max: usize) -> StorageError {
    StorageError::new(
        StorageErrorKind::Refused,
        format!("an agent's batch exceeds AgentLimits::{limit}, which is {max}"),
    )
}

/// How many bytes a value of this length counts; even an empty value counts some.
pub(super) fn bytes(length: usize) -> usize {
    const ANY: usize = 16;
    ANY + length
}

fn length(value: &Value) -> usize {
    match value {
        Value::Null | Value::Integer(_) | Value::Real(_) => 0,
        Value::Text(text) => text.len(),
        Value::Blob(blob) => blob.len(),
    }
}
