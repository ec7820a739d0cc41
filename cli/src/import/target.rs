//! Where threads are imported to.

use std::path::Path;

use langgraph_checkpoint_guest::takeover::Takeover;
use langgraph_checkpoint_guest::{Access, Call, Moment, Store, StoreOptions};
#[cfg(feature = "kusto")]
use langgraph_checkpoint_host::KustoCheckpointer;
use langgraph_checkpoint_host::{
    CheckpointTuple, Checkpointer, Config, Error, List, Page, Put, PutWrites, StorageErrorKind,
    Synchronous,
};

use super::source::Address;
use crate::arguments::Import;
use crate::failure::Result;
use crate::kusto;
use crate::sql::{Confined, is_postgres};

/// A store that calls are made on.
pub(super) struct Target {
    /// `None` if the store is missing, and stays so.
    kind: Option<Kind>,
    /// What a dry run asks whether the store would refuse a call.
    planner: Option<Store>,
}

enum Kind {
    Sql(Box<Checkpointer<Confined>>),
    #[cfg(feature = "kusto")]
    Kusto(KustoCheckpointer),
}

impl Target {
    /// Opens a store. A file is made if it is missing. A loss of power may undo the last commits of
    /// a file: the import is repeated then. In a dry run, the store stays as it is.
    pub(super) async fn open(arguments: &Import) -> Result<Self> {
        let Import { target: location, schema, table, dry_run, .. } = arguments;
        let is_dry = *dry_run;
        // Every store refuses the same calls.
        let planner = is_dry.then(|| Store::open(StoreOptions::Sqlite)).transpose();
        let planner = planner.map_err(Error::from)?;
        if kusto::is_address(location) {
            let kind = Some(Kind::kusto(location, table.as_deref()).await?);
            return Ok(Self { kind, planner });
        }
        if is_dry && !is_postgres(location) && !Path::new(location).exists() {
            return Ok(Self { kind: None, planner });
        }
        let access = if is_dry { Access::Read } else { Access::Write };
        let storage = Confined::open(location, schema, access, Synchronous::Normal)?;
        // The setup warns of the threads that are being imported.
        let checkpointer = storage.checkpointer().on_warning(|_| {});
        match checkpointer.setup().await {
            // A dry run would have to make the tables.
            Err(error) if is_dry && error.code() == StorageErrorKind::ReadOnly.code() => {
                Ok(Self { kind: None, planner })
            }
            ready => {
                ready?;
                Ok(Self { kind: Some(Kind::Sql(Box::new(checkpointer))), planner })
            }
        }
    }

    /// Stores a checkpoint and its writes, the checkpoint last.
    pub(super) async fn store(&self, takeover: Takeover) -> Result<()> {
        if self.planner.is_some() {
            takeover
                .writes
                .into_iter()
                .try_for_each(|writes| self.check(Call::PutWrites(writes)))?;
            return takeover.put.map_or(Ok(()), |put| self.check(Call::Put(put)));
        }
        let Some(kind) = &self.kind else { return Ok(()) };
        for writes in takeover.writes {
            kind.put_writes(writes).await?;
        }
        if let Some(put) = takeover.put {
            kind.put(put).await?;
        }
        Ok(())
    }

    /// The checkpoint at an address; `None` if it is missing, or its thread has an id that no store
    /// can have.
    pub(super) async fn read(&self, address: &Address) -> Result<Option<CheckpointTuple>> {
        let config = Config {
            thread_id: address.thread.as_str().into(),
            checkpoint_ns: address.namespace.as_str().into(),
            checkpoint_id: address.id.as_str().into(),
            ..Config::default()
        };
        let Some(kind) = &self.kind else { return Ok(None) };
        match kind.get_tuple(config).await {
            Err(Error::InvalidInput(_)) => Ok(None),
            read => Ok(read?),
        }
    }

    /// The newest checkpoint of a thread.
    pub(super) async fn newest(&self, thread: &str) -> Result<Option<CheckpointTuple>> {
        let config = Config { thread_id: thread.into(), ..Config::default() };
        let list = List { config, limit: Some(1.0), ..List::default() };
        self.check(Call::List(list.clone()))?;
        let Some(kind) = &self.kind else { return Ok(None) };
        Ok(kind.page(list).await?.tuples.into_iter().next())
    }

    /// In a dry run, refuses what the store would refuse.
    fn check(&self, call: Call) -> Result<()> {
        if let Some(planner) = &self.planner {
            planner.start(call, Moment::default()).map_err(Error::from)?;
        }
        Ok(())
    }
}

impl Kind {
    #[cfg(feature = "kusto")]
    async fn kusto(location: &str, table: Option<&str>) -> Result<Self> {
        let checkpointer = kusto::open(location, table)?;
        checkpointer.setup().await?;
        Ok(Self::Kusto(checkpointer))
    }

    #[cfg(not(feature = "kusto"))]
    async fn kusto(_: &str, _: Option<&str>) -> Result<Self> {
        Err(kusto::not_built())
    }

    async fn put(&self, put: Put) -> std::result::Result<(), Error> {
        match self {
            Self::Sql(it) => it.put(put).await.map(|_| ()),
            #[cfg(feature = "kusto")]
            Self::Kusto(it) => it.put(put).await.map(|_| ()),
        }
    }

    async fn put_writes(&self, writes: PutWrites) -> std::result::Result<(), Error> {
        match self {
            Self::Sql(it) => it.put_writes(writes).await,
            #[cfg(feature = "kusto")]
            Self::Kusto(it) => it.put_writes(writes).await,
        }
    }

    async fn get_tuple(
        &self,
        config: Config,
    ) -> std::result::Result<Option<CheckpointTuple>, Error> {
        match self {
            Self::Sql(it) => it.get_tuple(config).await,
            #[cfg(feature = "kusto")]
            Self::Kusto(it) => it.get_tuple(config).await,
        }
    }

    async fn page(&self, list: List) -> std::result::Result<Page, Error> {
        match self {
            Self::Sql(it) => it.page(list).await,
            #[cfg(feature = "kusto")]
            Self::Kusto(it) => it.page(list).await,
        }
    }
}
