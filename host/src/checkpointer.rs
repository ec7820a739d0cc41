//! The checkpointer: one method for each of LangGraph's calls.

use std::sync::{Mutex, MutexGuard, PoisonError};

use langgraph_checkpoint_guest::wit::types::Page;
use langgraph_checkpoint_guest::{
    Cache, Call, ChannelHistory, CheckpointTuple, Config, DeltaChannelHistory, FoundCheckpoint,
    GetTuple, List, NewValue, Outcome, Put, PutWrites, StoredCheckpoint, Vacuum, Work,
};
use tokio::sync::OnceCell;

use crate::drive::drive;
use crate::error::Error;
use crate::lifecycle::Lifecycle;
use crate::planner::{Planner, Turns};
use crate::storage::StorageAdapter;
#[cfg(feature = "postgres")]
use crate::storage::postgres::{PostgresOptions, PostgresStorage};
#[cfg(feature = "sqlite")]
use crate::storage::sqlite::{SqliteOptions, SqliteStorage};

/// A LangGraph checkpointer on one store.
///
/// All methods take `&self` and may be called concurrently from many tasks. Concurrent calls may
/// take effect in any order, even those of one thread: await a call before you make another that
/// must see it. An operation whose future is dropped may still take effect, as a whole.
#[derive(Debug)]
pub struct Checkpointer<
    #[cfg(feature = "sqlite")] S = SqliteStorage,
    #[cfg(not(feature = "sqlite"))] S,
> {
    planner: Planner,
    storage: S,
    ready: OnceCell<()>,
    known: Mutex<Cache<Vec<u8>>>,
    turns: Turns,
    warn: fn(&str),
}

#[cfg(feature = "sqlite")]
impl Checkpointer<SqliteStorage> {
    /// Opens the SQLite database in a file, and creates the file if it is missing; `:memory:` opens
    /// a database in memory.
    pub async fn open_sqlite(
        planner: Planner,
        path: impl AsRef<std::path::Path>,
        options: SqliteOptions,
    ) -> Result<Self, Error> {
        use crate::storage::{StorageError, StorageErrorKind};

        let path = path.as_ref().to_owned();
        let storage = tokio::task::spawn_blocking(move || SqliteStorage::open(path, &options))
            .await
            .map_err(|error| {
                StorageError::new(
                    StorageErrorKind::Unreachable,
                    "opening the store was interrupted",
                )
                .with_source(error)
            })??;
        Ok(Self::new(planner, storage))
    }
}

#[cfg(feature = "postgres")]
impl Checkpointer<PostgresStorage> {
    /// Uses a schema of the PostgreSQL database that a connection string names, as libpq has them.
    /// Nothing is sent before the first call.
    ///
    /// ```no_run
    /// use langgraph_checkpoint_host::{Checkpointer, Planner, PostgresOptions};
    ///
    /// # async fn example() -> Result<(), langgraph_checkpoint_host::Error> {
    /// let url = "postgresql://worker@db.example/app?sslmode=verify-full";
    /// let options = PostgresOptions { schema: "agents".into(), ..PostgresOptions::default() };
    /// let checkpointer = Checkpointer::connect_postgres(Planner::native(), url, &options)?;
    /// checkpointer.setup().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn connect_postgres(
        planner: Planner,
        url: &str,
        options: &PostgresOptions,
    ) -> Result<Self, Error> {
        Ok(Self::new(planner, PostgresStorage::new(url, options)?))
    }
}

impl<S: StorageAdapter> Checkpointer<S> {
    /// A checkpointer on any store. The first call creates the tables.
    pub fn new(planner: Planner, storage: S) -> Self {
        let turns = planner.turns();
        let warn = |warning: &str| tracing::warn!("{warning}");
        Self { planner, storage, ready: OnceCell::new(), known: Mutex::default(), turns, warn }
    }

    /// Passes warnings of the setup and of sweeps to this function, on any thread. Otherwise they
    /// are events of `tracing`.
    #[must_use]
    pub fn on_warning(mut self, warn: fn(&str)) -> Self {
        self.warn = warn;
        self
    }

    /// Creates the tables that are missing. If this is not called, the first call does it.
    pub async fn setup(&self) -> Result<(), Error> {
        let _turn = self.turns.take().await?;
        self.create_tables().await?;
        // It fails if a first call has done or is doing the same.
        let _ = self.ready.set(());
        Ok(())
    }

    /// Stores a checkpoint. `Put::known` may be left out if all values are whole: the checkpointer
    /// then uses what it knows from its earlier calls.
    ///
    /// Edits need the `Put::known` that their base belongs to. Without it, the error's code is
    /// `edit-without-known`; if it is out of date, the code is `stale-known`. Nothing is stored
    /// then: put again with whole values and without `known`.
    pub async fn put(&self, mut put: Put) -> Result<StoredCheckpoint, Error> {
        let values = &put.checkpoint.channel_values;
        // What is known here may belong to another branch than the base of an edit.
        if put.known.is_none()
            && values.iter().all(|entry| matches!(entry.value, NewValue::Whole(_)))
        {
            put.known = self.known().of(&put.config).cloned();
        }
        match self.run(Call::Put(put)).await? {
            Outcome::Stored(stored) => {
                let known = stored.known.clone();
                self.known().remember(&stored.thread_id, &stored.checkpoint_ns, known, 1);
                Ok(stored)
            }
            Outcome::Stale(_) => Err(Error::invalid(
                "stale-known",
                "the thread was deleted after the put's known was given; put again with whole \
                 values and without known",
            )),
            _ => Err(Error::other_outcome()),
        }
    }

    /// Stores the writes of one task.
    pub async fn put_writes(&self, put_writes: PutWrites) -> Result<(), Error> {
        match self.run(Call::PutWrites(put_writes)).await? {
            Outcome::WritesStored => Ok(()),
            _ => Err(Error::other_outcome()),
        }
    }

    /// Returns a checkpoint with its pending writes: the one that the config names, or the latest.
    /// `None` if there is none.
    pub async fn get_tuple(&self, config: Config) -> Result<Option<CheckpointTuple>, Error> {
        let Some(found) = self.find(GetTuple { config, known: None }).await? else {
            return Ok(None);
        };
        let tuple = found.tuple.resolve(&[]).ok_or_else(Error::other_outcome)?;
        self.known().remember(&tuple.thread_id, &tuple.checkpoint_ns, found.known, 1);
        Ok(Some(tuple))
    }

    /// The same for a caller that remembers values. Those that it has, as `GetTuple::known` says,
    /// are `TupleValue::Unchanged` and are not read. What is known of the others is for its next
    /// `put` or `find`; the checkpointer itself remembers nothing of it.
    pub async fn find(&self, get: GetTuple) -> Result<Option<FoundCheckpoint>, Error> {
        match self.run(Call::GetTuple(get)).await? {
            Outcome::Found(found) => Ok(found),
            _ => Err(Error::other_outcome()),
        }
    }

    /// Returns checkpoints, newest first, in pages. Each page is read when it is requested; nothing
    /// stays open between two pages.
    pub fn list(&self, list: List) -> Pages<'_, S> {
        Pages { checkpointer: self, next: Some(list) }
    }

    /// Returns one page of a list: the first, or the one after the page whose `Page::next` is
    /// `List::resume`. This is `list` for a caller that cannot hold on to a [`Pages`].
    pub async fn page(&self, list: List) -> Result<Page, Error> {
        match self.run(Call::List(list)).await? {
            Outcome::Page(page) => Page::of(page).ok_or_else(Error::other_outcome),
            _ => Err(Error::other_outcome()),
        }
    }

    /// Removes everything of one thread, in all namespaces. It is no error if the thread does not
    /// exist.
    pub async fn delete_thread(&self, config: Config) -> Result<(), Error> {
        self.known().forget_thread(&config);
        match self.run(Call::DeleteThread(config)).await? {
            Outcome::Deleted => Ok(()),
            _ => Err(Error::other_outcome()),
        }
    }

    /// Returns the writes to delta channels since their last value, one history for each channel.
    pub async fn get_delta_channel_history(
        &self,
        config: Config,
        channels: Vec<String>,
    ) -> Result<Vec<ChannelHistory>, Error> {
        self.find_histories(DeltaChannelHistory { config, channels, known: Vec::new() }).await
    }

    /// The same for a caller that remembers histories. One that goes on from a history of
    /// `DeltaChannelHistory::known` has only what came after that.
    pub async fn find_histories(
        &self,
        call: DeltaChannelHistory,
    ) -> Result<Vec<ChannelHistory>, Error> {
        match self.run(Call::DeltaChannelHistory(call)).await? {
            Outcome::History(histories) => Ok(histories),
            _ => Err(Error::other_outcome()),
        }
    }

    /// Gives free pages of a SQLite file back to the file system, a few in each call. Fails with
    /// `no-incremental-vacuum` if the file cannot give any back without SQLite's `VACUUM`.
    ///
    /// While `Work::next` is given, pass it as `Vacuum::resume` of the next call; `Work::bytes` is
    /// what all of them together gave back.
    pub async fn vacuum(&self, vacuum: Vacuum) -> Result<Work, Error> {
        match self.run(Call::Vacuum(vacuum)).await? {
            Outcome::Worked(work) => Ok(work),
            _ => Err(Error::other_outcome()),
        }
    }

    /// The same until no page is free, and returns the bytes given back.
    pub async fn vacuum_all(&self) -> Result<u64, Error> {
        let mut vacuum = Vacuum::default();
        loop {
            let work = self.vacuum(vacuum).await?;
            if work.next.is_none() {
                return Ok(work.bytes);
            }
            vacuum = Vacuum { pages: None, resume: work.next };
        }
    }

    pub(crate) fn warn(&self, warning: &str) {
        (self.warn)(warning);
    }

    /// The store.
    pub fn storage(&self) -> &S {
        &self.storage
    }

    /// Runs a call, after the setup of the store. If the setup fails, the next call tries it again.
    async fn run(&self, call: Call) -> Result<Outcome, Error> {
        let _turn = self.turns.take().await?;
        self.ready.get_or_try_init(|| self.create_tables()).await?;
        drive(&self.planner, &self.storage, call).await
    }

    /// What is known of the most recently used namespaces.
    fn known(&self) -> MutexGuard<'_, Cache<Vec<u8>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn create_tables(&self) -> Result<(), Error> {
        match drive(&self.planner, &self.storage, Call::Setup).await? {
            Outcome::Ready(warning) => {
                if let Some(warning) = warning {
                    self.warn(&warning);
                }
                Ok(())
            }
            _ => Err(Error::other_outcome()),
        }
    }
}

impl<S: StorageAdapter> Lifecycle for Checkpointer<S> {
    async fn run_on_threads(&self, call: Call) -> Result<Outcome, Error> {
        self.run(call).await
    }
}

/// The pages of a list.
#[derive(Debug)]
pub struct Pages<
    'a,
    #[cfg(feature = "sqlite")] S = SqliteStorage,
    #[cfg(not(feature = "sqlite"))] S,
> {
    checkpointer: &'a Checkpointer<S>,
    /// The call for the next page; `None` after the last one.
    next: Option<List>,
}

impl<S: StorageAdapter> Pages<'_, S> {
    /// Returns the next page, which may be empty; `None` after the last one. After an error, the
    /// same page may be requested again.
    pub async fn next_page(&mut self) -> Result<Option<Vec<CheckpointTuple>>, Error> {
        let Some(list) = &self.next else {
            return Ok(None);
        };
        let Page { tuples, next } = self.checkpointer.page(list.clone()).await?;
        self.next = next.map(|next| List { resume: Some(next), ..list.clone() });
        Ok(Some(tuples))
    }

    /// Returns the tuples of all remaining pages.
    pub async fn try_collect(mut self) -> Result<Vec<CheckpointTuple>, Error> {
        let mut tuples = Vec::new();
        while let Some(page) = self.next_page().await? {
            tuples.extend(page);
        }
        Ok(tuples)
    }
}
