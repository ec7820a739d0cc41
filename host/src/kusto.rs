//! Kusto (Azure Data Explorer) as a store, through the component `checkpointer-kusto`.
//!
//! The component sends its requests through WASI's HTTP. They may go only to the cluster, and to
//! the login endpoint if the component logs in with an application's secret.
//!
#![cfg_attr(feature = "embedded", doc = "```no_run")]
#![cfg_attr(not(feature = "embedded"), doc = "```ignore")]
//! use langgraph_checkpoint_host::{
//!     Config, KustoCheckpointer, KustoComponent, KustoOptions, Limits,
//! };
//!
//! # async fn example() -> Result<(), langgraph_checkpoint_host::Error> {
//! let component = KustoComponent::embedded(Limits::default())?;
//! let options = KustoOptions::new("http://localhost:8080", "langgraph");
//! let checkpointer = KustoCheckpointer::open(component, options)?;
//! checkpointer.setup().await?;
//! let config = Config { thread_id: "thread-1".into(), ..Config::default() };
//! if let Some(tuple) = checkpointer.get_tuple(config).await? {
//!     println!("{} has {} channels", tuple.checkpoint_id, tuple.channel_values.len());
//! }
//! checkpointer.close().await?;
//! # Ok(())
//! # }
//! ```

mod bindings;
mod component;
mod lane;
mod lost;
mod options;
mod outgoing;

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use langgraph_checkpoint_guest::wit::types::Page;
use langgraph_checkpoint_guest::{
    Call, ChannelHistory, CheckpointTuple, Config, DeltaChannelHistory, GetTuple, Id, List,
    Outcome, Put, PutWrites, Store, StoreOptions, StoredCheckpoint, UnshownCall,
};

pub use self::component::KustoComponent;
use self::lane::{Lane, Reply};
use self::lost::Caller;
pub use self::options::{
    BearerToken, CredentialError, KustoCredential, KustoIngestMode, KustoLogin, KustoOptions,
};
use self::outgoing::Outgoing;
use crate::error::Error;
use crate::lifecycle::Lifecycle;

/// The number of instances if the options do not set it.
const INSTANCES: usize = 8;

/// A LangGraph checkpointer on a table of Kusto.
///
/// All methods take `&self` and may be called concurrently from many tasks. One instance of the
/// component makes the calls of a thread, one after another, so each call sees those before it.
/// Calls of different threads may run concurrently. An operation whose future is dropped continues,
/// and may take effect.
#[derive(Debug)]
pub struct KustoCheckpointer {
    lanes: Vec<Lane>,
    write_behind: bool,
    /// Calls of other lanes that a query of the lists' lane has shown, by thread and revision.
    shown: Mutex<BTreeSet<(String, i64)>>,
}

impl KustoCheckpointer {
    /// A checkpointer with these options. Sends nothing, and asks for no token. Must be called in a
    /// tokio runtime.
    pub fn open(component: KustoComponent, options: KustoOptions) -> Result<Self, Error> {
        // The component checks them too, but only after a credential was asked for its token.
        Store::open(StoreOptions::Kusto(options.of_store()))?;
        let outgoing = Outgoing::of(&options)?;
        let write_behind = options.write_behind();
        let default = if write_behind { 1 } else { INSTANCES };
        let instances = options.instances.unwrap_or(default).max(1);
        let options = Arc::new(options);
        let lane = |_| Lane::start(component.clone(), Arc::clone(&options), outgoing.clone());
        let lanes = (0..instances).map(lane).collect();
        Ok(Self { lanes, write_behind, shown: Mutex::default() })
    }

    /// Checks that the table exists and is usable. The error says what is missing and how to fix
    /// it.
    pub async fn setup(&self) -> Result<(), Error> {
        self.run(&Config::default(), Call::Setup).await.map(|_| ())
    }

    /// Stores a checkpoint. Its values must be whole; `Put::known` is ignored.
    pub async fn put(&self, put: Put) -> Result<StoredCheckpoint, Error> {
        let config = put.config.clone();
        match self.run(&config, Call::Put(put)).await? {
            Reply::Stored(stored) => Ok(stored),
            _ => Err(Error::other_outcome()),
        }
    }

    /// Stores the writes of one task.
    pub async fn put_writes(&self, put_writes: PutWrites) -> Result<(), Error> {
        let config = put_writes.config.clone();
        self.run(&config, Call::PutWrites(put_writes)).await.map(|_| ())
    }

    /// Returns a checkpoint with its pending writes: the one that the config names, or the latest.
    /// `None` if there is none.
    pub async fn get_tuple(&self, config: Config) -> Result<Option<CheckpointTuple>, Error> {
        let call = GetTuple { config: config.clone(), known: None };
        match self.run(&config, Call::GetTuple(call)).await? {
            Reply::Found(found) => Ok(found),
            _ => Err(Error::other_outcome()),
        }
    }

    /// Returns checkpoints, newest first, in pages. Each page is read when it is requested.
    pub fn list(&self, list: List) -> KustoPages<'_> {
        KustoPages { checkpointer: self, next: Some(list) }
    }

    /// Returns one page of a list: the first, or the one after the page whose `Page::next` is
    /// `List::resume`. This is `list` for a caller that cannot hold on to a [`KustoPages`].
    pub async fn page(&self, list: List) -> Result<Page, Error> {
        match self.run(&list.config.clone(), Call::List(list)).await? {
            Reply::Page(page) => Ok(page),
            _ => Err(Error::other_outcome()),
        }
    }

    /// Hides everything of one thread, in all namespaces, and removes it if `KustoOptions::admin`
    /// is set. It is no error if the thread does not exist.
    pub async fn delete_thread(&self, config: Config) -> Result<(), Error> {
        self.run(&config.clone(), Call::DeleteThread(config)).await.map(|_| ())
    }

    /// Returns the writes to delta channels since their last value, one history for each channel.
    pub async fn get_delta_channel_history(
        &self,
        config: Config,
        channels: Vec<String>,
    ) -> Result<Vec<ChannelHistory>, Error> {
        let call = DeltaChannelHistory { config: config.clone(), channels, known: Vec::new() };
        match self.run(&config, Call::DeltaChannelHistory(call)).await? {
            Reply::History(histories) => Ok(histories),
            _ => Err(Error::other_outcome()),
        }
    }

    /// Ingests all waiting rows. Without write-behind there are none.
    pub async fn flush(&self) -> Result<(), Error> {
        self.flush_for(&Caller::Flush).await
    }

    /// Flushes all lanes, and returns the first error.
    async fn flush_for(&self, caller: &Caller) -> Result<(), Error> {
        let mut flushed = Ok(());
        for lane in &self.lanes {
            let ended = lane.run(Call::Flush, caller.clone(), Vec::new()).await;
            flushed = flushed.and(ended.map(|_| ()));
        }
        flushed
    }

    /// Finishes the calls that are under way, ingests the waiting rows, and returns the first
    /// error. Dropping a checkpointer does the same without reporting errors.
    pub async fn close(self) -> Result<(), Error> {
        let mut closed = Ok(());
        for lane in self.lanes {
            closed = closed.and(lane.close().await);
        }
        closed
    }

    async fn run(&self, config: &Config, call: Call) -> Result<Reply, Error> {
        let thread = match &config.thread_id {
            Id::Text(thread) => thread.clone(),
            Id::Number(number) => number.to_string(),
            Id::Absent | Id::Unsupported(_) if matches!(call, Call::List(_)) => {
                return self.run_on_all(call).await;
            }
            Id::Absent | Id::Unsupported(_) => String::new(),
        };
        let lane = self.lane_of(&thread)?;
        let lane = self.lanes.get(lane).ok_or_else(Error::other_outcome)?;
        lane.run(call, Caller::Thread(thread), Vec::new()).await
    }

    /// Runs a call that is not about one thread. It sees what other lanes have acknowledged, or
    /// fails with `store-stale`.
    async fn run_on_all(&self, call: Call) -> Result<Reply, Error> {
        if self.write_behind && self.lanes.len() > 1 {
            self.flush_for(&Caller::All).await?;
        }
        let at = self.lane_of("")?;
        let others = self.lanes.iter().enumerate().filter(|(other, _)| *other != at);
        let mut calls: Vec<_> = others.flat_map(|(_, lane)| lane.unshown()).collect();
        let name = |call: &UnshownCall| (call.thread_id.clone(), call.rev);
        let seen = calls.iter().map(name).collect();
        {
            let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            calls.retain(|call| !shown.contains(&name(call)));
        }
        let lane = self.lanes.get(at).ok_or_else(Error::other_outcome)?;
        let listed = lane.run(call, Caller::All, calls).await?;
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        Ok(listed)
    }

    /// The index of a thread's lane.
    fn lane_of(&self, thread: &str) -> Result<usize, Error> {
        let mut hasher = DefaultHasher::new();
        thread.hash(&mut hasher);
        let at = hasher
            .finish()
            .checked_rem(self.lanes.len() as u64)
            .ok_or_else(Error::other_outcome)?;
        usize::try_from(at).map_err(|_| Error::other_outcome())
    }
}

impl Lifecycle for KustoCheckpointer {
    async fn run_on_threads(&self, call: Call) -> Result<Outcome, Error> {
        match self.run_on_all(call).await? {
            Reply::Outcome(outcome) => Ok(outcome),
            _ => Err(Error::other_outcome()),
        }
    }
}

/// The pages of a list.
#[derive(Debug)]
pub struct KustoPages<'a> {
    checkpointer: &'a KustoCheckpointer,
    /// The call for the next page; `None` after the last one.
    next: Option<List>,
}

impl KustoPages<'_> {
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
