//! Where threads are imported to.

use langgraph_checkpoint_guest::Access;
use langgraph_checkpoint_guest::takeover::Takeover;
#[cfg(feature = "kusto")]
use langgraph_checkpoint_host::KustoCheckpointer;
use langgraph_checkpoint_host::{CheckpointTuple, Checkpointer, Config, Error, List, Synchronous};

use super::source::Address;
use crate::failure::Result;
use crate::kusto;
use crate::sql::Confined;

/// A store that calls are made on.
pub(super) enum Target {
    Sql(Box<Checkpointer<Confined>>),
    #[cfg(feature = "kusto")]
    Kusto(KustoCheckpointer),
}

impl Target {
    /// Opens a store. A file is made if it is missing. A loss of power may undo the last commits of
    /// a file: the import is repeated then.
    pub(super) async fn open(location: &str, schema: &str, table: Option<&str>) -> Result<Self> {
        if kusto::is_address(location) {
            return Self::open_kusto(location, table).await;
        }
        let storage = Confined::open(location, schema, Access::Write, Synchronous::Normal)?;
        // The setup warns of the threads that are being imported.
        let checkpointer = storage.checkpointer().on_warning(|_| {});
        checkpointer.setup().await?;
        Ok(Self::Sql(Box::new(checkpointer)))
    }

    #[cfg(feature = "kusto")]
    async fn open_kusto(location: &str, table: Option<&str>) -> Result<Self> {
        let checkpointer = kusto::open(location, table)?;
        checkpointer.setup().await?;
        Ok(Self::Kusto(checkpointer))
    }

    #[cfg(not(feature = "kusto"))]
    async fn open_kusto(_: &str, _: Option<&str>) -> Result<Self> {
        Err(kusto::not_built())
    }

    /// Stores a checkpoint and its writes, the checkpoint last.
    pub(super) async fn store(&self, takeover: Takeover) -> Result<()> {
        for writes in takeover.writes {
            match self {
                Self::Sql(it) => it.put_writes(writes).await?,
                #[cfg(feature = "kusto")]
                Self::Kusto(it) => it.put_writes(writes).await?,
            }
        }
        if let Some(put) = takeover.put {
            match self {
                Self::Sql(it) => it.put(put).await?,
                #[cfg(feature = "kusto")]
                Self::Kusto(it) => it.put(put).await?,
            };
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
        let read = match self {
            Self::Sql(it) => it.get_tuple(config).await,
            #[cfg(feature = "kusto")]
            Self::Kusto(it) => it.get_tuple(config).await,
        };
        match read {
            Err(Error::InvalidInput(_)) => Ok(None),
            read => Ok(read?),
        }
    }

    /// The newest checkpoint of a thread in any namespace; `None` if there is none.
    pub(super) async fn newest(&self, thread: &str) -> Result<Option<CheckpointTuple>> {
        let config = Config { thread_id: thread.into(), ..Config::default() };
        let list = List { config, limit: Some(1.0), ..List::default() };
        let page = match self {
            Self::Sql(it) => it.page(list).await?,
            #[cfg(feature = "kusto")]
            Self::Kusto(it) => it.page(list).await?,
        };
        Ok(page.tuples.into_iter().next())
    }
}
