//! The calls of a store, whichever it is.

use langgraph_checkpoint_guest::Access;
#[cfg(feature = "kusto")]
use langgraph_checkpoint_host::KustoCheckpointer;
use langgraph_checkpoint_host::{
    CheckpointTuple, Checkpointer, Config, CopyThread, Diff, Difference, Error, Export, Exported,
    List, Page, Prune, Stats, StorageErrorKind, Threads, ThreadsPage, Vacuum, Verified, Verify,
    Work,
};

use crate::arguments::Store;
use crate::failure::{Failure, Result};
use crate::kusto;
use crate::sql::{Confined, is_postgres};

/// A store that exists, opened for a command.
pub(crate) struct Opened<'a> {
    store: &'a Store,
    access: Access,
    kind: Kind,
}

enum Kind {
    Sql(Box<Checkpointer<Confined>>),
    #[cfg(feature = "kusto")]
    Kusto(KustoCheckpointer),
}

impl<'a> Opened<'a> {
    /// Opens a store. Only a store that is opened to write is written to.
    pub(crate) async fn open(store: &'a Store, access: Access) -> Result<Self> {
        // A command that writes must not make a store of whatever it is given.
        if access == Access::Write && !kusto::is_address(&store.location) {
            let nothing = Threads { limit: Some(0.0), ..Threads::default() };
            Self::connect(store, Access::Read)?.threads(nothing).await?;
        }
        Self::connect(store, access)
    }

    fn connect(store: &'a Store, access: Access) -> Result<Self> {
        let kind = if kusto::is_address(&store.location) {
            Kind::kusto(store)?
        } else {
            let storage = Confined::existing(&store.location, &store.schema, access)?;
            Kind::Sql(Box::new(storage.checkpointer()))
        };
        Ok(Self { store, access, kind })
    }

    /// A page of threads.
    pub(crate) async fn threads(&self, call: Threads) -> Result<ThreadsPage> {
        self.explained(match &self.kind {
            Kind::Sql(it) => it.threads(call).await,
            #[cfg(feature = "kusto")]
            Kind::Kusto(it) => it.threads(call).await,
        })
    }

    /// All checkpoints of a list.
    pub(crate) async fn list(&self, call: List) -> Result<Vec<CheckpointTuple>> {
        self.explained(match &self.kind {
            Kind::Sql(it) => it.list(call).try_collect().await,
            #[cfg(feature = "kusto")]
            Kind::Kusto(it) => it.list(call).try_collect().await,
        })
    }

    /// A page of a list.
    pub(crate) async fn page(&self, call: List) -> Result<Page> {
        self.explained(match &self.kind {
            Kind::Sql(it) => it.page(call).await,
            #[cfg(feature = "kusto")]
            Kind::Kusto(it) => it.page(call).await,
        })
    }

    /// One checkpoint.
    pub(crate) async fn get_tuple(&self, config: Config) -> Result<Option<CheckpointTuple>> {
        self.explained(match &self.kind {
            Kind::Sql(it) => it.get_tuple(config).await,
            #[cfg(feature = "kusto")]
            Kind::Kusto(it) => it.get_tuple(config).await,
        })
    }

    /// Compares two checkpoints.
    pub(crate) async fn diff(&self, call: Diff) -> Result<Option<Difference>> {
        self.explained(match &self.kind {
            Kind::Sql(it) => it.diff(call).await,
            #[cfg(feature = "kusto")]
            Kind::Kusto(_) => return Err(kusto::sql_only("diff")),
        })
    }

    /// What is stored of one checkpoint; `None` after the last one.
    pub(crate) async fn export(&self, call: Export) -> Result<Option<Exported>> {
        self.explained(match &self.kind {
            Kind::Sql(it) => it.export(call).await,
            #[cfg(feature = "kusto")]
            Kind::Kusto(_) => return Err(kusto::sql_only("export")),
        })
    }

    /// Counts what is stored.
    pub(crate) async fn stats(&self, thread: Option<&str>) -> Result<Stats> {
        self.explained(match &self.kind {
            Kind::Sql(it) => it.stats(thread).await,
            #[cfg(feature = "kusto")]
            Kind::Kusto(it) => it.stats(thread).await,
        })
    }

    /// Reads everything of a thread.
    pub(crate) async fn verify(&self, call: Verify) -> Result<Verified> {
        self.explained(match &self.kind {
            Kind::Sql(it) => it.verify(call).await,
            #[cfg(feature = "kusto")]
            Kind::Kusto(it) => it.verify(call).await,
        })
    }

    /// Copies a thread.
    pub(crate) async fn copy_thread(&self, call: CopyThread) -> Result<Work> {
        self.explained(match &self.kind {
            Kind::Sql(it) => it.copy_thread(call).await,
            #[cfg(feature = "kusto")]
            Kind::Kusto(it) => it.copy_thread(call).await,
        })
    }

    /// Prunes at most one thread.
    pub(crate) async fn prune(&self, call: Prune) -> Result<Work> {
        self.explained(match &self.kind {
            Kind::Sql(it) => it.prune(call).await,
            #[cfg(feature = "kusto")]
            Kind::Kusto(it) => it.prune(call).await,
        })
    }

    /// Gives free pages back, a few.
    pub(crate) async fn vacuum(&self, call: Vacuum) -> Result<Work> {
        self.explained(match &self.kind {
            Kind::Sql(it) => it.vacuum(call).await,
            #[cfg(feature = "kusto")]
            Kind::Kusto(_) => return Err(kusto::no_vacuum()),
        })
    }

    /// Only making the tables writes to a store that is read.
    fn explained<T>(&self, done: std::result::Result<T, Error>) -> Result<T> {
        done.map_err(|error| match self.access {
            Access::Read if error.code() == StorageErrorKind::ReadOnly.code() => {
                let location = &self.store.location;
                // A connection string may have a password.
                let is_secret = is_postgres(location) || kusto::is_address(location);
                let name = if is_secret { "the schema" } else { location };
                Failure::Usage(format!(
                    "{name} has no store of this package; take over one of LangGraph's own by \
                     import"
                ))
            }
            _ => error.into(),
        })
    }
}

impl Kind {
    #[cfg(feature = "kusto")]
    fn kusto(store: &Store) -> Result<Self> {
        Ok(Self::Kusto(kusto::open(store)?))
    }

    #[cfg(not(feature = "kusto"))]
    fn kusto(_: &Store) -> Result<Self> {
        Err(Failure::usage("this program was built without Kusto: build it with the feature kusto"))
    }
}
