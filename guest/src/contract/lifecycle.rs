//! The calls about whole threads: what to keep of them, copies, and lists of threads.
//! `wit/planner/types.wit` has the same types.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::contract::call::{Id, MetadataFilter, Payload};

/// What a prune keeps of each namespace of a thread.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum Keep {
    /// Nothing: the thread is deleted.
    #[cfg_attr(feature = "wasmtime", component(name = "nothing"))]
    Nothing,
    /// The newest checkpoint.
    #[default]
    #[cfg_attr(feature = "wasmtime", component(name = "latest"))]
    Latest,
    /// This many of the newest checkpoints, at least 1.
    #[cfg_attr(feature = "wasmtime", component(name = "last"))]
    Last(u32),
    /// The checkpoints whose `ts` is not before this one, as ISO 8601 in UTC; and the newest.
    #[cfg_attr(feature = "wasmtime", component(name = "newer-than"))]
    NewerThan(String),
}

/// Which threads a prune is about.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum Pruned {
    /// These threads. One that does not exist is no error.
    #[cfg_attr(feature = "wasmtime", component(name = "threads"))]
    Threads(Vec<Id>),
    /// Every thread whose newest checkpoint has a `ts` before this one, as ISO 8601 in UTC.
    #[cfg_attr(feature = "wasmtime", component(name = "idle"))]
    Idle(String),
    /// Every thread that has checkpoints of these runs. They go, whatever `keep` says; all others
    /// stay.
    #[cfg_attr(feature = "wasmtime", component(name = "runs"))]
    Runs(Vec<Id>),
}

/// `prune`, `deleteForRuns` and `expire`: removes checkpoints, one thread in each call.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Prune {
    /// Which threads.
    pub pruned: Pruned,
    /// What stays of each.
    pub keep: Keep,
    /// The largest number of threads; `None` for all.
    pub limit: Option<f64>,
    /// Whether to count only, and remove nothing.
    #[cfg_attr(feature = "wasmtime", component(name = "dry-run"))]
    pub dry_run: bool,
    /// `Work::next` of the previous call; `None` for the first.
    pub resume: Option<Vec<u8>>,
}

/// `copyThread`.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct CopyThread {
    /// The thread to copy.
    pub source: Id,
    /// The new thread. It must not exist.
    pub target: Id,
    /// Whether to copy only what a prune with `Keep::Latest` would keep.
    #[cfg_attr(feature = "wasmtime", component(name = "latest-only"))]
    pub latest_only: bool,
}

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

/// `threads`: a page of threads, the one with the newest checkpoint first.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Threads {
    /// The largest number of threads in the page; `None` for 100.
    pub limit: Option<f64>,
    /// Selects only threads whose newest checkpoint has a `ts` before this one, as ISO 8601 in UTC.
    #[cfg_attr(feature = "wasmtime", component(name = "idle-since"))]
    pub idle_since: Option<String>,
    /// Selects only threads whose id begins with this text.
    #[cfg_attr(feature = "wasmtime", component(name = "id-prefix"))]
    pub id_prefix: Option<String>,
    /// A thread is selected if the metadata of its newest checkpoint has all of these.
    pub filter: Vec<MetadataFilter>,
    /// `ThreadsPage::next` of the previous page; `None` for the first.
    pub resume: Option<Vec<u8>>,
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
