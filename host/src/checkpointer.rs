//! One method a LangGraph call.

use std::sync::{Mutex, MutexGuard, PoisonError};

use langgraph_checkpoint_guest::wit::types::Page;
use langgraph_checkpoint_guest::{
    Cache, Call, ChannelHistory, CheckpointTuple, Config, DeltaChannelHistory, GetTuple, List,
    NewValue, Outcome, Put, PutWrites, StoredCheckpoint,
};
use tokio::sync::OnceCell;

use crate::drive::drive;
use crate::error::Error;
use crate::planner::{Planner, Turns};
use crate::storage::StorageAdapter;
#[cfg(feature = "sqlite")]
use crate::storage::sqlite::{SqliteOptions, SqliteStorage};

/// A LangGraph checkpointer on one store.
///
/// All methods take `&self` and may be called at once from many tasks. Calls that are under way
/// at once may take effect in any order, those of one thread too: where one has to see another,
/// await that one first. An operation whose future is dropped may still take effect, whole.
#[derive(Debug)]
pub struct Checkpointer<
    #[cfg(feature = "sqlite")] S = SqliteStorage,
    #[cfg(not(feature = "sqlite"))] S,
> {
    planner: Planner,
    storage: S,
    ready: OnceCell<()>,
    known: Mutex<Cache>,
    turns: Turns,
}

#[cfg(feature = "sqlite")]
impl Checkpointer<SqliteStorage> {
    /// Opens the SQLite database in a file, which is made where it is missing; `:memory:` opens
    /// one in memory.
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
                StorageError::new(StorageErrorKind::Unreachable, "opening the store was cut off")
                    .with_source(error)
            })??;
        Ok(Self::new(planner, storage))
    }
}

impl<S: StorageAdapter> Checkpointer<S> {
    /// A checkpointer on any store. Its tables are made before the first call.
    pub fn new(planner: Planner, storage: S) -> Self {
        let turns = planner.turns();
        Self { planner, storage, ready: OnceCell::new(), known: Mutex::default(), turns }
    }

    /// Stores a checkpoint. `Put::known` may be left out where all values are whole: what
    /// earlier calls of this checkpointer made known is passed on.
    ///
    /// Values that refer to a base need the `Put::known` that the base belongs to: without it
    /// the error's code is `edit-without-known`. Where it does not hold any more, the code is
    /// `stale-known`. Nothing is stored then: put again with whole values and without it.
    pub async fn put(&self, mut put: Put) -> Result<StoredCheckpoint, Error> {
        let values = &put.checkpoint.channel_values;
        // What is known here may be of another branch than the base of an edit.
        if put.known.is_none()
            && values.iter().all(|entry| matches!(entry.value, NewValue::Whole(_)))
        {
            put.known = self.known().of(&put.config);
        }
        match self.run(Call::Put(put)).await? {
            Outcome::Stored(stored) => {
                let known = stored.known.clone();
                self.known().remember(&stored.thread_id, &stored.checkpoint_ns, known);
                Ok(stored)
            }
            Outcome::Stale(_) => Err(Error::invalid(
                "stale-known",
                "the thread has been removed since the put's known was given; put again with \
                 whole values and without known",
            )),
            _ => Err(other_outcome()),
        }
    }

    /// Stores the writes of one task.
    pub async fn put_writes(&self, put_writes: PutWrites) -> Result<(), Error> {
        match self.run(Call::PutWrites(put_writes)).await? {
            Outcome::WritesStored => Ok(()),
            _ => Err(other_outcome()),
        }
    }

    /// One checkpoint with its pending writes; the latest, where the config names none.
    pub async fn get_tuple(&self, config: Config) -> Result<Option<CheckpointTuple>, Error> {
        match self.run(Call::GetTuple(GetTuple { config, known: None })).await? {
            Outcome::Found(None) => Ok(None),
            Outcome::Found(Some(found)) => {
                let tuple = found.tuple.resolve(&[]).ok_or_else(other_outcome)?;
                self.known().remember(&tuple.thread_id, &tuple.checkpoint_ns, found.known);
                Ok(Some(tuple))
            }
            _ => Err(other_outcome()),
        }
    }

    /// Checkpoints, newest first, in pages that are read as they are asked for. Nothing is held
    /// open between two pages.
    pub fn list(&self, list: List) -> Pages<'_, S> {
        Pages { checkpointer: self, next: Some(list) }
    }

    /// One page of a list.
    pub(crate) async fn page(&self, list: List) -> Result<Page, Error> {
        match self.run(Call::List(list)).await? {
            Outcome::Page(page) => Page::of(page).ok_or_else(other_outcome),
            _ => Err(other_outcome()),
        }
    }

    /// Removes everything of one thread, in all namespaces. A thread that does not exist is no
    /// error.
    pub async fn delete_thread(&self, config: Config) -> Result<(), Error> {
        self.known().forget_thread(&config);
        match self.run(Call::DeleteThread(config)).await? {
            Outcome::Deleted => Ok(()),
            _ => Err(other_outcome()),
        }
    }

    /// The writes to delta channels since their last value, one history for each channel.
    pub async fn get_delta_channel_history(
        &self,
        config: Config,
        channels: Vec<String>,
    ) -> Result<Vec<ChannelHistory>, Error> {
        let history = DeltaChannelHistory { config, channels, known: Vec::new() };
        let call = Call::DeltaChannelHistory(history);
        match self.run(call).await? {
            Outcome::History(histories) => Ok(histories),
            _ => Err(other_outcome()),
        }
    }

    /// Runs a call, after the setup of the store. A setup that failed is tried again by the
    /// next call.
    async fn run(&self, call: Call) -> Result<Outcome, Error> {
        let _turn = self.turns.take().await?;
        self.ready.get_or_try_init(|| self.setup()).await?;
        drive(&self.planner, &self.storage, call).await
    }

    /// What is known of the namespaces that were used last.
    fn known(&self) -> MutexGuard<'_, Cache> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn setup(&self) -> Result<(), Error> {
        match drive(&self.planner, &self.storage, Call::Setup).await? {
            Outcome::Ready => Ok(()),
            _ => Err(other_outcome()),
        }
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
    /// The call for the next page; nothing after the last one.
    next: Option<List>,
}

impl<S: StorageAdapter> Pages<'_, S> {
    /// The next page, which may be empty; nothing after the last one. After an error the same
    /// page may be asked for again.
    pub async fn next_page(&mut self) -> Result<Option<Vec<CheckpointTuple>>, Error> {
        let Some(list) = &self.next else {
            return Ok(None);
        };
        let Page { tuples, next } = self.checkpointer.page(list.clone()).await?;
        self.next = next.map(|next| List { resume: Some(next), ..list.clone() });
        Ok(Some(tuples))
    }

    /// All pages that are left, together.
    pub async fn try_collect(mut self) -> Result<Vec<CheckpointTuple>, Error> {
        let mut tuples = Vec::new();
        while let Some(page) = self.next_page().await? {
            tuples.extend(page);
        }
        Ok(tuples)
    }
}

fn other_outcome() -> Error {
    Error::protocol(
        "wrong-outcome",
        "the planner answered another call than the one it was given; use the component and the \
         host of one version",
    )
}
