//! The interface `storage`, on a database that confines its statements.

use langgraph_checkpoint_guest::{Batch, RowSet, StoreFault};

use super::bindings::storage::Host;
use super::failures;
use crate::storage::StorageAdapter;
use crate::storage::sqlite::AgentStorage;

/// A store that a component reaches.
pub(super) struct Served<'a>(pub(super) &'a AgentStorage);

impl Host for Served<'_> {
    async fn run(&mut self, batch: Batch) -> Result<Vec<RowSet>, StoreFault> {
        self.0.run(batch).await.map_err(|error| failures::of_storage(&error))
    }
}
