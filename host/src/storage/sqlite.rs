//! SQLite, through rusqlite.
//!
//! One worker writes and commits in groups: waiting batches share one transaction, and each is
//! answered after its commit. A few workers read at the same time, each in its own read
//! transaction, which the write-ahead log allows. An in-memory database has one connection, so the
//! writer also reads. Or batches run on their callers' threads: the first of those that want to
//! write does so for all.

mod agent;
mod callers;
mod confine;
mod connection;
mod database;
mod execute;
mod failure;
mod files;
mod options;
mod quota;
mod reader;
mod worker;
mod writer;

pub use self::agent::AgentStorage;
pub use self::database::SqliteStorage;
pub use self::options::{SqliteOptions, Synchronous};
pub use self::quota::Quota;
