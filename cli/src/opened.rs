//! The calls of a store, whichever it is.

use langgraph_checkpoint_guest::{Access, Call, Outcome};
#[cfg(feature = "kusto")]
use langgraph_checkpoint_host::KustoCheckpointer;
use langgraph_checkpoint_host::{
    CheckpointTuple, Checkpointer, Config, Error, Fault, Lifecycle, List, Page, StorageErrorKind,
    Threads, Vacuum, Work,
};

use crate::arguments::Store;
use crate::failure::Failure;
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
    pub(crate) async fn open(store: &'a Store, access: Access) -> Result<Self, Failure> {
        // A command that writes must not make a store of whatever it is given.
        if access == Access::Write && !kusto::is_address(&store.location) {
            let nothing = Threads { limit: Some(0.0), ..Threads::default() };
            Self::connect(store, Access::Read)?.threads(nothing).await?;
        }
        Self::connect(store, access)
    }

    fn connect(store: &'a Store, access: Access) -> Result<Self, Failure> {
        let kind = if kusto::is_address(&store.location) {
            Kind::kusto(store)?
        } else {
            let storage = Confined::existing(&store.location, &store.schema, access)?;
            Kind::Sql(Box::new(storage.checkpointer()))
        };
        Ok(Self { store, access, kind })
    }

    /// All checkpoints of a list.
    pub(crate) async fn list(&self, call: List) -> Result<Vec<CheckpointTuple>, Error> {
        self.explained(match &self.kind {
            Kind::Sql(it) => it.list(call).try_collect().await,
            #[cfg(feature = "kusto")]
            Kind::Kusto(it) => it.list(call).try_collect().await,
        })
    }

    /// A page of a list.
    pub(crate) async fn page(&self, call: List) -> Result<Page, Error> {
        self.explained(match &self.kind {
            Kind::Sql(it) => it.page(call).await,
            #[cfg(feature = "kusto")]
            Kind::Kusto(it) => it.page(call).await,
        })
    }

    /// One checkpoint.
    pub(crate) async fn get_tuple(&self, config: Config) -> Result<Option<CheckpointTuple>, Error> {
        self.explained(match &self.kind {
            Kind::Sql(it) => it.get_tuple(config).await,
            #[cfg(feature = "kusto")]
            Kind::Kusto(it) => it.get_tuple(config).await,
        })
    }

    /// Gives free pages back, a few.
    pub(crate) async fn vacuum(&self, call: Vacuum) -> Result<Work, Failure> {
        match &self.kind {
            Kind::Sql(it) => Ok(self.explained(it.vacuum(call).await)?),
            #[cfg(feature = "kusto")]
            Kind::Kusto(_) => Err(kusto::no_vacuum()),
        }
    }

    /// Only making the tables writes to a store that is read.
    fn explained<T>(&self, done: Result<T, Error>) -> Result<T, Error> {
        done.map_err(|error| match self.access {
            Access::Read if error.code() == StorageErrorKind::ReadOnly.code() => {
                let location = &self.store.location;
                // A connection string may have a password.
                let is_secret = is_postgres(location) || kusto::is_address(location);
                let name = if is_secret { "the schema" } else { location };
                Error::InvalidInput(Fault {
                    code: "invalid-store".to_owned(),
                    message: format!(
                        "{name} has no store of this package; take over one of LangGraph's own by \
                         import"
                    ),
                })
            }
            _ => error,
        })
    }
}

impl Lifecycle for Opened<'_> {
    async fn run_on_threads(&self, call: Call) -> Result<Outcome, Error> {
        self.explained(match &self.kind {
            Kind::Sql(it) => it.run_on_threads(call).await,
            #[cfg(feature = "kusto")]
            Kind::Kusto(it) => it.run_on_threads(call).await,
        })
    }
}

impl Kind {
    #[cfg(feature = "kusto")]
    fn kusto(store: &Store) -> Result<Self, Failure> {
        Ok(Self::Kusto(kusto::open(&store.location, store.table.as_deref())?))
    }

    #[cfg(not(feature = "kusto"))]
    fn kusto(_: &Store) -> Result<Self, Failure> {
        Err(kusto::not_built())
    }
}
