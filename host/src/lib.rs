//! The LangGraph checkpointer for Rust: what an agent platform embeds.
//!
//! The planner has the rules. It runs as a component under wasmtime (the feature `component`) or
//! natively. This crate executes: it drives operations, runs their batches on a store, and returns
//! plain data. It decides nothing about checkpoints.
//!
#![cfg_attr(all(feature = "embedded", feature = "sqlite"), doc = "```no_run")]
#![cfg_attr(not(all(feature = "embedded", feature = "sqlite")), doc = "```ignore")]
//! use langgraph_checkpoint_host::{Checkpointer, Config, Limits, Planner, SqliteOptions};
//!
//! # async fn example() -> Result<(), langgraph_checkpoint_host::Error> {
//! let planner = Planner::embedded(Limits::default())?;
//! let options = SqliteOptions::default();
//! let checkpointer = Checkpointer::open_sqlite(planner, "checkpoints.db", options).await?;
//! let config = Config { thread_id: "thread-1".into(), ..Config::default() };
//! if let Some(tuple) = checkpointer.get_tuple(config).await? {
//!     println!("{} has {} channels", tuple.checkpoint_id, tuple.channel_values.len());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Other stores and uses:
//!
//! - `KustoCheckpointer` stores on Azure Data Explorer, through the component
//!   `checkpointer-kusto` (the feature `kusto`).
//! - `Checkpointer::connect_postgres` stores in a PostgreSQL database (the feature `postgres`).
//! - Any [`StorageAdapter`] can be a store.
//! - `imports` serves agents that are components themselves: it implements the interfaces that they
//!   import, for each tenant on its own store.
//!
//! # What is promised
//!
//! - A call that returned `Ok` is committed; with the defaults it survives a loss of power.
//! - A call that returned an error stored nothing, or the error says that this is not known.
//! - A call waits for a locked database until `SqliteOptions::busy_deadline`, then fails with
//!   `storage-busy`.
//! - If a component traps or exceeds its [`Limits`], only its own call fails.
//! - Checkpointers that share a [`Planner`] may wait for each other's components, never for each
//!   other's stores.
//! - A file that is deleted or replaced while it is open fails every call with
//!   `storage-replaced`, on systems that tell files apart by inode.
//!
//! Calls that wait for a place to run use tokio's timers: enable them in the runtime.
//!
//! # Spans
//!
//! Each operation is a `tracing` span `checkpoint_operation` with the field `call`. At its end it
//! gets `rounds` and `statements` (on Kusto: `requests`), or `code` if it failed. No span, event or
//! error contains a value, a token or a secret.

#[cfg(feature = "component")]
mod bindings;
mod checkpointer;
#[cfg(feature = "component")]
mod component;
mod drive;
pub mod error;
#[cfg(all(feature = "component", feature = "sqlite"))]
pub mod imports;
#[cfg(feature = "kusto")]
pub mod kusto;
mod lifecycle;
mod planner;
pub mod storage;
mod sweeper;
#[cfg(feature = "component")]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "generated code may use any of it, and wants it public"
)]
mod wit;

pub use langgraph_checkpoint_guest::{
    Base, Batch, ChannelDifference, ChannelHistory, ChannelValue, ChannelVersion, Checkpoint,
    CheckpointTuple, Config, CopyThread, DeltaChannelHistory, Diff, Difference, ElementDifference,
    Export, Exported, FoundCheckpoint, GetTuple, Id, Keep, KeptElements, KnownValue, Lease, List,
    MetadataFilter, NewValue, NewWrite, PartSize, Payload, PendingWrite, PlacedWrite, Problem,
    Prune, Pruned, Put, PutWrites, RowSet, Run, Statement, Stats, StoredCheckpoint, ThreadSummary,
    Threads, ThreadsPage, TupleValue, Vacuum, Value, Verified, Verify, Version, Work, WriteSize,
    contract::statement, wit::types::Page,
};

#[cfg(all(doctest, feature = "embedded", feature = "sqlite"))]
#[doc = include_str!("../../README.md")]
mod readme_of_the_repository {}

#[cfg(all(doctest, feature = "embedded", feature = "sqlite"))]
#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(all(doctest, feature = "component"))]
#[doc = include_str!("../../docs/tutorials/embedding-in-rust.md")]
mod tutorial {}

#[cfg(all(doctest, feature = "component"))]
#[doc = include_str!("../../docs/tutorials/agents-as-components.md")]
mod tutorial_of_agents {}

pub use self::checkpointer::{Checkpointer, Pages};
#[cfg(feature = "component")]
pub use self::component::Limits;
pub use self::error::{ComponentError, ComponentErrorKind, Error, Fault, StoreFault};
#[cfg(feature = "kusto")]
pub use self::kusto::{
    BearerToken, CredentialError, KustoCheckpointer, KustoComponent, KustoCredential,
    KustoIngestMode, KustoLogin, KustoOptions, KustoPages,
};
pub use self::lifecycle::Lifecycle;
pub use self::planner::Planner;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use self::storage::agent_limits::AgentLimits;
#[cfg(feature = "postgres")]
pub use self::storage::postgres::{PostgresAgentStorage, PostgresOptions, PostgresStorage};
#[cfg(feature = "sqlite")]
pub use self::storage::sqlite::{AgentStorage, Quota, SqliteOptions, SqliteStorage, Synchronous};
pub use self::storage::{
    ConfinedStorage, Dialect, StorageAdapter, StorageError, StorageErrorKind, Stored,
};
pub use self::sweeper::{Sweeper, Ttl};
/// The wasmtime whose linkers `imports` adds to.
#[cfg(feature = "component")]
pub use wasmtime;
