//! The Rust host.

pub mod storage;
pub use storage::{StorageAdapter, StorageError, StorageErrorKind, Stored};
