//! Statements and row sets: what an operation on a store of SQL sends and gets.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

/// A value bound to a statement or read from a row: SQLite's five storage classes.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum Value {
    /// The absent value.
    #[cfg_attr(feature = "wasmtime", component(name = "null"))]
    Null,
    /// A signed integer of 64 bits.
    #[cfg_attr(feature = "wasmtime", component(name = "integer"))]
    Integer(i64),
    /// A double.
    #[cfg_attr(feature = "wasmtime", component(name = "real"))]
    Real(f64),
    /// UTF-8 text.
    #[cfg_attr(feature = "wasmtime", component(name = "text"))]
    Text(String),
    /// Bytes, kept exactly.
    #[cfg_attr(feature = "wasmtime", component(name = "blob"))]
    Blob(Vec<u8>),
}

/// One statement. It runs once for each row of parameters.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Statement {
    /// The text. It never holds a caller's value.
    pub text: String,
    /// The parameters of each run, bound to `?1`, `?2`, ... in order; in PostgreSQL to `$1`, ...
    pub parameters: Vec<Vec<Value>>,
}

/// Whether a batch changes the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(enum))]
#[repr(u8)]
pub enum Access {
    /// Only reads.
    #[cfg_attr(feature = "wasmtime", component(name = "read"))]
    Read,
    /// Reads and writes.
    #[cfg_attr(feature = "wasmtime", component(name = "write"))]
    Write,
}

/// Statements that run in order in one transaction.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Batch {
    /// Whether the batch writes.
    pub access: Access,
    /// The statements, at least one.
    pub statements: Vec<Statement>,
}

/// The rows that one statement returned. Those of its runs follow each other.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct RowSet {
    /// Each row has its columns in the order of the statement.
    pub rows: Vec<Vec<Value>>,
}
