//! Where threads are imported to.

use langgraph_checkpoint_guest::Access;
use langgraph_checkpoint_guest::takeover::Takeover;
use langgraph_checkpoint_host::{CheckpointTuple, Checkpointer, Config, Error, List, Synchronous};

use super::source::Address;
use crate::failure::Result;
use crate::sql::Confined;

/// A store that calls are made on.
pub(super) struct Target(Checkpointer<Confined>);

impl Target {
    /// Opens a store. A file is made if it is missing. A loss of power may undo the last commits of
    /// a file: the import is repeated then.
    pub(super) async fn open(location: &str, schema: &str) -> Result<Self> {
        let storage = Confined::open(location, schema, Access::Write, Synchronous::Normal)?;
        // The setup warns of the threads that are being imported.
        let checkpointer = storage.checkpointer().on_warning(|_| {});
        checkpointer.setup().await?;
        Ok(Self(checkpointer))
    }

    /// Stores a checkpoint and its writes, the checkpoint last.
    pub(super) async fn store(&self, takeover: Takeover) -> Result<()> {
        for writes in takeover.writes {
            self.0.put_writes(writes).await?;
        }
        if let Some(put) = takeover.put {
            self.0.put(put).await?;
        }
        Ok(())
    }

    /// Reads a checkpoint; `None` if it is not stored, or has an id that no store accepts.
    pub(super) async fn read(&self, address: &Address) -> Result<Option<CheckpointTuple>> {
        let config = Config {
            thread_id: address.thread.as_str().into(),
            checkpoint_ns: address.namespace.as_str().into(),
            checkpoint_id: address.id.as_str().into(),
            ..Config::default()
        };
        match self.0.get_tuple(config).await {
            Err(Error::InvalidInput(_)) => Ok(None),
            read => Ok(read?),
        }
    }

    /// The newest checkpoint of a thread in any namespace; `None` if there is none.
    pub(super) async fn newest(&self, thread: &str) -> Result<Option<CheckpointTuple>> {
        let config = Config { thread_id: thread.into(), ..Config::default() };
        let list = List { config, limit: Some(1.0), ..List::default() };
        Ok(self.0.page(list).await?.tuples.into_iter().next())
    }
}
