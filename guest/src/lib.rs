//! The LangGraph checkpointer as a pure function.
//!
//! This crate has no clock, no randomness, no I/O and no global state. Of LangGraph it knows only
//! the checkpoint contract. It turns calls into statements and rows into tuples; a host executes
//! the statements.

mod cache;
pub mod contract;
mod format;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod operations;
pub mod stores;
#[cfg(feature = "takeover")]
pub mod takeover;
pub mod wire;
pub mod wit;

pub use cache::Cache;
pub use contract::call::{
    Call, ChannelValue, ChannelVersion, Checkpoint, Config, CopyThread, DeltaChannelHistory, Diff,
    Export, GetTuple, Id, Keep, KeptElements, Lease, List, MetadataFilter, NewValue, NewWrite,
    Payload, Prune, Pruned, Put, PutWrites, Run, Threads, Vacuum, Verify, Version,
};
pub use contract::difference::{
    ChannelDifference, Difference, ElementDifference, PartSize, WriteSize,
};
pub use contract::error::{Error, Fault, StoreFault};
pub use contract::http::{Authorization, HttpAnswer, HttpRequest, HttpResponse, Moment};
pub use contract::lifecycle::{
    Language, Problem, Stats, ThreadSummary, ThreadsPage, Verified, Work,
};
pub use contract::outcome::{
    Base, ChannelHistory, CheckpointTuple, Exported, FoundCheckpoint, KnownValue, Outcome, Page,
    PendingWrite, PlacedWrite, SharedPayload, Span, StoredCheckpoint, TupleValue,
};
pub use contract::progress::{Answer, Expected, Need, Progress};
pub use contract::statement::{Access, Batch, RowSet, Statement, Value};
pub use contract::status::{Status, UnshownCall, Waiting};
pub use stores::drive::{World, drive};
#[cfg(feature = "kusto")]
pub use stores::kusto;
#[cfg(feature = "postgres")]
pub use stores::{AgentStatements, Postgres, PostgresOperation, PostgresOptions};
pub use stores::{Operation, SqliteOperation, Store, StoreOptions};
