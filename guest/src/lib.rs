//! The LangGraph checkpointer as a pure function.
//!
//! This crate has no clock, no randomness, no I/O, no global state, and knows nothing of
//! LangGraph beyond the checkpoint contract. It turns calls into statements and rows into
//! tuples; a host executes.

mod ask;
pub mod call;
mod config;
mod dialect;
pub mod error;
mod format;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod json;
mod known;
mod known_history;
#[cfg(feature = "kusto")]
pub mod kusto;
pub mod operation;
pub mod outcome;
pub mod packed;
mod row;
pub mod statement;
mod value;
mod write;

pub use call::{
    Call, ChannelValue, ChannelVersion, Checkpoint, Config, DeltaChannelHistory, GetTuple, Id,
    List, MetadataFilter, NewValue, NewWrite, Payload, Put, PutWrites, Run, Version,
};
pub use error::{Error, Fault, StoreFault};
pub use operation::{Answer, Expected, Need, Operation, Progress};
pub use outcome::{
    Base, ChannelHistory, CheckpointTuple, FoundCheckpoint, KnownValue, Outcome, Page,
    PendingWrite, StoredCheckpoint, TupleValue,
};
pub use statement::{Access, Batch, RowSet, Statement, Value};
