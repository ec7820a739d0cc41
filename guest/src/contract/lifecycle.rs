//! What the calls about whole threads give. `wit/planner/types.wit` has the same types.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::contract::call::Payload;

/// What was done so far, in all calls together; or what would be done, in a dry run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Work {
    /// Threads from which something was removed, or that were copied.
    pub threads: u64,
    /// Checkpoints.
    pub checkpoints: u64,
    /// Pending writes.
    pub writes: u64,
    /// Chunks.
    pub chunks: u64,
    /// The bytes of these chunks.
    pub bytes: u64,
    /// For `Prune::resume`; `None` if nothing is left to do.
    pub next: Option<Vec<u8>>,
}

/// What is known of a thread without reading a state.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct ThreadSummary {
    /// The thread.
    #[cfg_attr(feature = "wasmtime", component(name = "thread-id"))]
    pub thread_id: String,
    /// The newest checkpoint of the root namespace; of a thread without one, of any namespace.
    #[cfg_attr(feature = "wasmtime", component(name = "checkpoint-id"))]
    pub checkpoint_id: String,
    /// Its `ts`.
    pub ts: String,
    /// Its metadata.
    pub metadata: Payload,
    /// The number of namespaces.
    pub namespaces: u64,
    /// The number of checkpoints in all namespaces.
    pub checkpoints: u64,
    /// The number of pending writes.
    pub writes: u64,
}

/// A page of threads.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct ThreadsPage {
    /// The threads.
    pub threads: Vec<ThreadSummary>,
    /// For `Threads::resume`; `None` if this is the last page.
    pub next: Option<Vec<u8>>,
}

/// What is stored, of one thread or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Stats {
    /// Threads.
    pub threads: u64,
    /// Checkpoints.
    pub checkpoints: u64,
    /// Pending writes.
    pub writes: u64,
    /// The bytes of envelopes and metadata.
    #[cfg_attr(feature = "wasmtime", component(name = "record-bytes"))]
    pub record_bytes: u64,
    /// Chunks.
    pub chunks: u64,
    /// The bytes of the chunks.
    #[cfg_attr(feature = "wasmtime", component(name = "chunk-bytes"))]
    pub chunk_bytes: u64,
}

/// Something that is damaged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Problem {
    /// The thread; empty if the file of the store is damaged.
    #[cfg_attr(feature = "wasmtime", component(name = "thread-id"))]
    pub thread_id: String,
    /// The code of the error that reading it gives.
    pub code: String,
    /// What is damaged, and what to do.
    pub message: String,
}

/// What was read so far, in all calls together, and what is damaged in the last thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Verified {
    /// Threads.
    pub threads: u64,
    /// Checkpoints.
    pub checkpoints: u64,
    /// Pending writes.
    pub writes: u64,
    /// Chunks.
    pub chunks: u64,
    /// The bytes of these chunks.
    pub bytes: u64,
    /// What is damaged in the thread of this call, at most 20 things.
    pub problems: Vec<Problem>,
    /// For `Verify::resume`; `None` if nothing is left to read.
    pub next: Option<Vec<u8>>,
}

/// The language of one of LangGraph's own savers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// LangGraph.js.
    JavaScript,
    /// LangGraph in Python.
    Python,
}
