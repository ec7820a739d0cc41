//! The LangGraph checkpointer as a pure function.
//!
//! This crate has no clock, no randomness, no I/O, no global state, and knows nothing of
//! LangGraph beyond the checkpoint contract. It turns calls into statements and rows into
//! tuples; a host executes.

pub mod contract;
mod format;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod operations;
pub mod stores;
pub mod wire;

pub use contract::call::{
    Call, ChannelValue, ChannelVersion, Checkpoint, Config, DeltaChannelHistory, GetTuple, Id,
    List, MetadataFilter, NewValue, NewWrite, Payload, Put, PutWrites, Run, Version,
};
pub use contract::error::{Error, Fault, StoreFault};
pub use contract::outcome::{
    Base, ChannelHistory, CheckpointTuple, FoundCheckpoint, KnownValue, Outcome, Page,
    PendingWrite, StoredCheckpoint, TupleValue,
};
pub use contract::statement::{Access, Batch, RowSet, Statement, Value};
pub use operations::{Answer, Expected, Need, Operation, Progress};
#[cfg(feature = "kusto")]
pub use stores::kusto;
