//! Where threads are imported to.

use std::path::Path;

use langgraph_checkpoint_guest::takeover::Takeover;
use langgraph_checkpoint_guest::{Access, Call, Moment, Store, StoreOptions};
use langgraph_checkpoint_host::{
    CheckpointTuple, Checkpointer, Config, Error, List, StorageErrorKind, Synchronous,
};

use super::source::Address;
use crate::failure::{Failure, Result};
use crate::sql::{Confined, is_postgres};

/// A store that calls are made on.
pub(super) struct Target {
    /// `None` if the store is missing, and stays so.
    checkpointer: Option<Checkpointer<Confined>>,
    /// What a dry run asks whether the store would refuse a call.
    planner: Option<Store>,
}

impl Target {
    /// Opens a store. A file is made if it is missing. A loss of power may undo the last commits of
    /// a file: the import is repeated then. In a dry run, the store stays as it is.
    pub(super) async fn open(location: &str, schema: &str, is_dry: bool) -> Result<Self> {
        let opened = Self::try_open(location, schema, is_dry).await;
        opened.map_err(|failure| failure.concerning("TARGET"))
    }

    async fn try_open(location: &str, schema: &str, is_dry: bool) -> Result<Self> {
        if is_dry && !is_postgres(location) && !Path::new(location).exists() {
            let planner = Store::open(StoreOptions::Sqlite).map_err(Error::from)?;
            return Ok(Self { checkpointer: None, planner: Some(planner) });
        }
        let access = if is_dry { Access::Read } else { Access::Write };
        let storage = Confined::open(location, schema, access, Synchronous::Normal)?;
        let planner = is_dry.then(|| storage.planner()).transpose()?;
        // The setup warns of the threads that are being imported.
        let checkpointer = storage.checkpointer().on_warning(|_| {});
        let ready = checkpointer.setup().await;
        let has_store = unless_missing(ready.map(Some), is_dry)?.is_some();
        Ok(Self { checkpointer: has_store.then_some(checkpointer), planner })
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
        let Some(checkpointer) = &self.checkpointer else { return Ok(()) };
        for writes in takeover.writes {
            located(checkpointer.put_writes(writes).await)?;
        }
        if let Some(put) = takeover.put {
            located(checkpointer.put(put).await)?;
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
        let Some(checkpointer) = &self.checkpointer else { return Ok(None) };
        match checkpointer.get_tuple(config).await {
            Err(Error::InvalidInput(_)) => Ok(None),
            read => located(read),
        }
    }

    /// The newest checkpoint of a thread in any namespace; `None` if there is none.
    pub(super) async fn newest(&self, thread: &str) -> Result<Option<CheckpointTuple>> {
        let config = Config { thread_id: thread.into(), ..Config::default() };
        let list = List { config, limit: Some(1.0), ..List::default() };
        self.check(Call::List(list.clone()))?;
        let Some(checkpointer) = &self.checkpointer else { return Ok(None) };
        Ok(located(checkpointer.page(list).await)?.tuples.into_iter().next())
    }

    /// In a dry run, refuses what the store would refuse.
    fn check(&self, call: Call) -> Result<()> {
        if let Some(planner) = &self.planner {
            planner.start(call, Moment::default()).map_err(Error::from)?;
        }
        Ok(())
    }
}

/// `None` if a dry run would have to make the tables.
fn unless_missing<T>(
    done: std::result::Result<Option<T>, Error>,
    is_dry: bool,
) -> Result<Option<T>> {
    match done {
        Err(error) if is_dry && error.code() == StorageErrorKind::ReadOnly.code() => Ok(None),
        done => Ok(done?),
    }
}

fn located<T>(done: std::result::Result<T, Error>) -> Result<T> {
    done.map_err(|error| Failure::from(error).concerning("TARGET"))
}
