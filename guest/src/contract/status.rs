//! What a store keeps in memory between calls: only a store that is reached over the network keeps
//! any.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

/// What a host does something about between calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// When `Call::Flush` is due, in microseconds since 1970; `None` if no row waits.
    pub flush_due: Option<u64>,
    /// What is lost if the process ends without another flush.
    pub waiting: Waiting,
    /// The calls that were sent and that no query has shown yet. A host keeps them: if the instance
    /// fails, the next one awaits them.
    pub unshown: Vec<UnshownCall>,
    /// What the caller should be warned of, given once: such as that streaming is off.
    pub warning: Option<String>,
}

/// What is acknowledged and not ingested yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Checkpoints.
    pub checkpoints: u32,
    /// Pending writes.
    pub writes: u32,
    /// The threads that they are of.
    pub threads: u32,
}

/// A call whose rows are ingested and that no query has shown yet: enough to wait for it, for an
/// instance that has not sent it itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct UnshownCall {
    /// Its thread.
    #[cfg_attr(feature = "wasmtime", component(name = "thread-id"))]
    pub thread_id: String,
    /// The revision of its rows.
    pub rev: i64,
    /// How many they are.
    pub rows: u32,
}
