//! What crosses between an operation and a store: statements out, row sets in.

/// A value bound to a statement or read from a row: SQLite's five storage classes.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The absent value.
    Null,
    /// A signed integer of 64 bits.
    Integer(i64),
    /// A double.
    Real(f64),
    /// UTF-8 text.
    Text(String),
    /// Bytes, kept exactly.
    Blob(Vec<u8>),
}

/// One statement, run once for each row of parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The text; it never holds a caller's value.
    pub text: String,
    /// The parameters of each run, bound to `?1`, `?2`, ... in order.
    pub parameters: Vec<Vec<Value>>,
}

/// Whether a batch changes the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only reads.
    Read,
    /// Reads and writes.
    Write,
}

/// Statements that run in order in one transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Whether the batch writes.
    pub access: Access,
    /// The statements, at least one.
    pub statements: Vec<Statement>,
}

/// The rows one statement gave, all its runs one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowSet {
    /// Each row has its columns in the order of the statement.
    pub rows: Vec<Vec<Value>>,
}
