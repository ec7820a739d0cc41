//! The interface `storage`, on a store that confines its statements.

use langgraph_checkpoint_guest::{Batch, RowSet, StoreFault};

use super::bindings::storage::{Host, SqlDialect};
use super::failures;
use crate::storage::{ConfinedStorage, Dialect};

/// A store that a component reaches.
pub(super) struct Served<'a, S>(pub(super) &'a S);

impl<S: ConfinedStorage> Host for Served<'_, S> {
    async fn dialect(&mut self) -> SqlDialect {
        match self.0.dialect() {
            Dialect::Sqlite => SqlDialect::Sqlite,
            Dialect::Postgres { schema } => SqlDialect::Postgres(schema),
        }
    }

    async fn run(&mut self, batch: Batch) -> Result<Vec<RowSet>, StoreFault> {
        self.0.run(batch).await.map_err(|error| failures::of_storage(&error))
    }
}
