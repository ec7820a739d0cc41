//! What a takeover is given, and what it gives; and the rows that an export gives.

use crate::contract::call::{Put, PutWrites};
use crate::contract::statement::{RowSet, Value};

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

/// The parameters of `StockInserts` for what is stored of one checkpoint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewStockRows {
    /// The checkpoint's row; `None` if it is not stored, or does not fit.
    pub checkpoint: Option<Vec<Value>>,
    /// The rows of values beside it.
    pub values: Vec<Vec<Value>>,
    /// The rows of its writes.
    pub writes: Vec<Vec<Value>>,
    /// What is stored otherwise than it was.
    pub notes: Vec<Note>,
    /// What has no row, and why.
    pub problems: Vec<Note>,
}

/// Something that a person who moves a database should know. The words contain no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// A stable code.
    pub code: &'static str,
    /// What was found, and what was made of it.
    pub message: String,
}
