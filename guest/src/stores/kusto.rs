//! The checkpointer on Kusto (Azure Data Explorer). `wit/kusto/connection.wit` documents its
//! options in full.
//!
//! The methods are those of every store (`operations`). This module answers what they ask with one
//! table that is only appended to, over HTTP that a host sends.

mod call;
mod clock;
pub mod connection;
mod copy;
mod copying;
mod failure;
mod filter;
mod frames;
mod ingest;
mod io;
mod literal;
mod memory;
mod options;
mod parameter;
mod query;
mod read;
mod records;
mod resolve;
mod row;
mod send;
mod setup;
mod store;
mod threads;
mod together;
pub mod token;
mod url;
mod write;

pub use io::{Task, TaskProgress};
pub use options::{ConnectOptions, IngestMode, KustoOptions};
pub use send::changes;
pub use store::Store;
pub use together::Ended;
