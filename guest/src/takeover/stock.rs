//! What a takeover is given, and what it gives.

use crate::contract::call::{Put, PutWrites};
use crate::contract::statement::RowSet;

/// What a stock database has of one checkpoint. The rows are those of `StockStatements`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StockRows {
    /// The thread.
    pub thread_id: String,
    /// The namespace.
    pub checkpoint_ns: String,
    /// The checkpoint's id.
    pub checkpoint_id: String,
    /// Its row; none if only its writes are stored.
    pub checkpoint: RowSet,
    /// Its writes, by task.
    pub writes: RowSet,
    /// The values that are stored beside it.
    pub values: RowSet,
}

/// The calls that store the same again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Takeover {
    /// The writes of each task.
    pub writes: Vec<PutWrites>,
    /// The checkpoint. It names all its channels as new, and has no `known`.
    pub put: Option<Put>,
    /// What was stored in more than one way, or not as this version would store it.
    pub notes: Vec<Note>,
}

/// Something that a person who takes a database over should know. The words contain no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// A stable code.
    pub code: &'static str,
    /// What was found, and what was made of it.
    pub message: String,
}
