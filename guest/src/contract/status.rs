//! What a store keeps in memory between calls. Only a store that is reached over the network keeps
//! anything.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

/// What a host must act on between calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// When `Call::Flush` is due, in microseconds since 1970; `None` if no row waits.
    pub flush_due: Option<u64>,
    /// What is lost if the process ends without another flush.
    pub waiting: Waiting,
    /// The calls that were sent and that no query has shown yet. A host keeps this list: if the
    /// instance fails, the host gives it to `await_shown` of the next one.
    pub unshown: Vec<UnshownCall>,
    /// A warning for the caller, such as that streaming is off. Each warning is returned once.
    pub warning: Option<String>,
}

/// How much is acknowledged and not ingested yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// The number of checkpoints.
    pub checkpoints: u32,
    /// The number of pending writes.
    pub writes: u32,
    /// The number of threads that they belong to.
    pub threads: u32,
}

/// A call whose rows are ingested and that no query has shown yet. It says enough for another
/// instance to wait for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct UnshownCall {
    /// Its thread.
    #[cfg_attr(feature = "wasmtime", component(name = "thread-id"))]
    pub thread_id: String,
    /// The revision of its rows.
    pub rev: i64,
    /// The number of its rows.
    pub rows: u32,
}
