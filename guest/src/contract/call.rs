//! What a caller passes: LangGraph's calls as plain data. `wit/checkpoint/types.wit` and
//! `wit/planner/types.wit` have the same types and document each in full.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

/// An identifier as the caller's config holds it. `config.rs` decides what is acceptable.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum Id {
    /// Not given.
    #[default]
    #[cfg_attr(feature = "wasmtime", component(name = "absent"))]
    Absent,
    /// Text.
    #[cfg_attr(feature = "wasmtime", component(name = "text"))]
    Text(String),
    /// A number. A whole number of at most 53 bits becomes its decimal digits.
    #[cfg_attr(feature = "wasmtime", component(name = "number"))]
    Number(f64),
    /// Neither text nor a number: the name of the value's type.
    #[cfg_attr(feature = "wasmtime", component(name = "unsupported"))]
    Unsupported(String),
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Id {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// The part of `config.configurable` that addresses a checkpoint.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Config {
    /// `thread_id`.
    #[cfg_attr(feature = "wasmtime", component(name = "thread-id"))]
    pub thread_id: Id,
    /// `checkpoint_ns`. Absent means the root, `""`.
    #[cfg_attr(feature = "wasmtime", component(name = "checkpoint-ns"))]
    pub checkpoint_ns: Id,
    /// `checkpoint_id`. Absent or empty means the latest checkpoint.
    #[cfg_attr(feature = "wasmtime", component(name = "checkpoint-id"))]
    pub checkpoint_id: Id,
    /// `thread_ts`, an older name of `checkpoint_id`. It is used if `checkpoint_id` is absent or
    /// empty.
    #[cfg_attr(feature = "wasmtime", component(name = "thread-ts"))]
    pub thread_ts: Id,
}

/// A value as LangGraph's serializer gave it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Payload {
    /// The serializer's type tag.
    pub kind: String,
    /// The serialized value, kept exactly.
    pub bytes: Vec<u8>,
}

/// The version of a channel.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum Version {
    /// A number.
    #[cfg_attr(feature = "wasmtime", component(name = "number"))]
    Number(f64),
    /// Text.
    #[cfg_attr(feature = "wasmtime", component(name = "text"))]
    Text(String),
}

/// A channel and its version.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct ChannelVersion {
    /// The channel's name.
    pub channel: String,
    /// Its version.
    pub version: Version,
}

/// A channel and its value.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct ChannelValue<V = Payload> {
    /// The channel's name.
    pub channel: String,
    /// Its value.
    pub value: V,
}

/// Consecutive elements of a base list, or entries of a base map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct KeptElements {
    /// The position of the first one, counted from zero.
    pub first: u32,
    /// The number of elements.
    pub count: u32,
}

/// A run: consecutive elements of a list, or entries of a map.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum Run {
    /// Those of the base value, unchanged.
    #[cfg_attr(feature = "wasmtime", component(name = "kept"))]
    Kept(KeptElements),
    /// New elements: JSON text with one comma between two, or MessagePack one after the other.
    #[cfg_attr(feature = "wasmtime", component(name = "fresh"))]
    Fresh(Vec<u8>),
}

/// The value of a channel to store. `Edited` and `Unchanged` refer to the base: the value that the
/// channel has in `Put::known`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum NewValue {
    /// The whole value.
    #[cfg_attr(feature = "wasmtime", component(name = "whole"))]
    Whole(Payload),
    /// The list or map that these runs make, in order.
    #[cfg_attr(feature = "wasmtime", component(name = "edited"))]
    Edited(Vec<Run>),
    /// The base itself.
    #[cfg_attr(feature = "wasmtime", component(name = "unchanged"))]
    Unchanged,
}

impl From<Payload> for NewValue {
    fn from(payload: Payload) -> Self {
        Self::Whole(payload)
    }
}

/// A checkpoint to store.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Checkpoint<V = NewValue> {
    /// `checkpoint.id`, the only order of checkpoints.
    pub id: Id,
    /// `checkpoint.v`.
    pub v: f64,
    /// `checkpoint.ts`, ISO 8601.
    pub ts: String,
    /// `checkpoint.channel_versions`.
    #[cfg_attr(feature = "wasmtime", component(name = "channel-versions"))]
    pub channel_versions: Vec<ChannelVersion>,
    /// `checkpoint.channel_values`, the full state.
    #[cfg_attr(feature = "wasmtime", component(name = "channel-values"))]
    pub channel_values: Vec<ChannelValue<V>>,
    /// Every other field, as one serialized object.
    pub rest: Payload,
}

/// `put`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Put {
    /// The thread and namespace. Its checkpoint id is the id of the parent.
    pub config: Config,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The metadata, one serialized object.
    pub metadata: Payload,
    /// The names of the channels in `newVersions`.
    #[cfg_attr(feature = "wasmtime", component(name = "new-versions"))]
    pub new_versions: Vec<String>,
    /// The run that puts the checkpoint, as far as the caller's config names it. Used if the
    /// metadata has no `run_id` of its own.
    #[cfg_attr(feature = "wasmtime", component(name = "run-id"))]
    pub run_id: Id,
    /// The `known` of an earlier outcome of the same thread and store.
    pub known: Option<Vec<u8>>,
}

/// A pending write to store.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct NewWrite {
    /// The channel written to.
    pub channel: String,
    /// The value.
    pub value: Payload,
}

/// `put_writes`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct PutWrites {
    /// Thread, namespace and checkpoint.
    pub config: Config,
    /// The writes, in order.
    pub writes: Vec<NewWrite>,
    /// The task.
    #[cfg_attr(feature = "wasmtime", component(name = "task-id"))]
    pub task_id: Id,
    /// The task's path; `""` if it has none.
    #[cfg_attr(feature = "wasmtime", component(name = "task-path"))]
    pub task_path: String,
}

/// A condition on one top-level key of the metadata.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct MetadataFilter {
    /// The key. Dots and quotes in it have no special meaning.
    pub key: String,
    /// The JSON text that its value must equal.
    pub json: String,
}

/// `list`, one page of it.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct List {
    /// Which threads, namespaces and checkpoints.
    pub config: Config,
    /// The largest number of tuples in all pages together; `None` for all.
    pub limit: Option<f64>,
    /// Selects only checkpoints whose id sorts before this one.
    pub before: Id,
    /// A checkpoint is selected if all of these hold.
    pub filter: Vec<MetadataFilter>,
    /// `Page::next` of the previous page; `None` for the first page.
    pub resume: Option<Vec<u8>>,
}

/// `getTuple`.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct GetTuple {
    /// The checkpoint.
    pub config: Config,
    /// The `known` of an earlier outcome whose channel values the caller still has. A value that is
    /// the same is neither read nor returned.
    pub known: Option<Vec<u8>>,
}

/// `getDeltaChannelHistory`.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct DeltaChannelHistory {
    /// The checkpoint whose ancestors are walked.
    pub config: Config,
    /// The channels.
    pub channels: Vec<String>,
    /// `ChannelHistory::known` of earlier outcomes of the same thread and namespace whose histories
    /// the caller still has. A known history that is part of the requested one is not read again.
    pub known: Vec<Vec<u8>>,
}

/// `verify`: reads everything, of one thread in each call.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Verify {
    /// The thread; all threads if it is absent.
    pub thread: Id,
    /// `Verified::next` of the previous call; `None` for the first.
    pub resume: Option<Vec<u8>>,
}

/// `export`: reads what is stored of one checkpoint in each call.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Export {
    /// The thread; all threads if it is absent.
    pub thread: Id,
    /// `Exported::next` of the previous call; `None` for the first.
    pub resume: Option<Vec<u8>>,
}

/// `diff`: compares a checkpoint with an earlier one.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Diff {
    /// The checkpoint. Its id has to be given.
    pub config: Config,
    /// The checkpoint to compare it with, of the same namespace; its parent if this is absent.
    pub before: Id,
    /// Whether to read the values that differ.
    pub values: bool,
}

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
    /// Every thread that has checkpoints of these runs: `run_id` of the metadata, or else
    /// `Put::run_id`. They go, whatever `keep` says; all others stay.
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
    /// For a sweep that one of several processes shall make. If another one has the lease, nothing
    /// is done; when the lease has ended, so has the sweep.
    pub lease: Option<Lease>,
    /// `Work::next` of the previous call; `None` for the first.
    pub resume: Option<Vec<u8>>,
}

/// The right to sweep a store. It begins when it is free, and ends by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Lease {
    /// The time of the call, in milliseconds since 1970.
    #[cfg_attr(feature = "wasmtime", component(name = "now-ms"))]
    pub now_ms: f64,
    /// How many milliseconds it lasts, the same for all who sweep the store.
    #[cfg_attr(feature = "wasmtime", component(name = "length-ms"))]
    pub length_ms: f64,
}

/// `vacuum`: gives free pages of a SQLite file back, a few in each call.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Vacuum {
    /// The largest number of pages in all calls together; `None` for all.
    pub pages: Option<f64>,
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

/// One of LangGraph's calls, or of the store's own: `Setup` and `Flush`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum Call {
    /// Makes missing tables, and refuses a store of a newer format.
    #[cfg_attr(feature = "wasmtime", component(name = "setup"))]
    Setup,
    /// Reads one checkpoint with its pending writes.
    #[cfg_attr(feature = "wasmtime", component(name = "get-tuple"))]
    GetTuple(GetTuple),
    /// Reads one page of checkpoints, newest first.
    #[cfg_attr(feature = "wasmtime", component(name = "list"))]
    List(List),
    /// Stores a checkpoint.
    #[cfg_attr(feature = "wasmtime", component(name = "put"))]
    Put(Put),
    /// Stores the writes of one task.
    #[cfg_attr(feature = "wasmtime", component(name = "put-writes"))]
    PutWrites(PutWrites),
    /// Removes a thread.
    #[cfg_attr(feature = "wasmtime", component(name = "delete-thread"))]
    DeleteThread(Config),
    /// Reads the writes to delta channels since their last value.
    #[cfg_attr(feature = "wasmtime", component(name = "delta-channel-history"))]
    DeltaChannelHistory(DeltaChannelHistory),
    /// Sends all rows that wait in a store with write-behind.
    #[cfg_attr(feature = "wasmtime", component(name = "flush"))]
    Flush,
    /// Removes checkpoints of a thread.
    #[cfg_attr(feature = "wasmtime", component(name = "prune"))]
    Prune(Prune),
    /// Copies a thread.
    #[cfg_attr(feature = "wasmtime", component(name = "copy-thread"))]
    CopyThread(CopyThread),
    /// Reads a page of threads.
    #[cfg_attr(feature = "wasmtime", component(name = "threads"))]
    Threads(Threads),
    /// Counts what is stored of this thread; of all threads if it is absent.
    #[cfg_attr(feature = "wasmtime", component(name = "stats"))]
    Stats(Id),
    /// Reads everything of a thread, and names what is damaged.
    #[cfg_attr(feature = "wasmtime", component(name = "verify"))]
    Verify(Verify),
    /// Gives free pages of a file back.
    #[cfg_attr(feature = "wasmtime", component(name = "vacuum"))]
    Vacuum(Vacuum),
    /// Reads everything that is stored, checkpoint by checkpoint.
    #[cfg_attr(feature = "wasmtime", component(name = "export"))]
    Export(Export),
    /// Compares two checkpoints.
    #[cfg_attr(feature = "wasmtime", component(name = "diff"))]
    Diff(Diff),
}

impl Call {
    /// The name of the call, as in LangGraph's Python package.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::GetTuple(_) => "get_tuple",
            Self::List(_) => "list",
            Self::Put(_) => "put",
            Self::PutWrites(_) => "put_writes",
            Self::DeleteThread(_) => "delete_thread",
            Self::DeltaChannelHistory(_) => "get_delta_channel_history",
            Self::Flush => "flush",
            Self::Prune(_) => "prune",
            Self::CopyThread(_) => "copy_thread",
            Self::Threads(_) => "threads",
            Self::Stats(_) => "stats",
            Self::Verify(_) => "verify",
            Self::Vacuum(_) => "vacuum",
            Self::Export(_) => "export",
            Self::Diff(_) => "diff",
        }
    }

    /// Whether the call changes what is stored.
    pub fn writes(&self) -> bool {
        match self {
            Self::Setup
            | Self::Put(_)
            | Self::PutWrites(_)
            | Self::DeleteThread(_)
            | Self::CopyThread(_)
            | Self::Vacuum(_)
            | Self::Flush => true,
            Self::Prune(prune) => !prune.dry_run,
            Self::GetTuple(_)
            | Self::List(_)
            | Self::DeltaChannelHistory(_)
            | Self::Threads(_)
            | Self::Stats(_)
            | Self::Verify(_)
            | Self::Export(_)
            | Self::Diff(_) => false,
        }
    }

    /// The config of the call; `None` if it has none.
    pub fn config(&self) -> Option<&Config> {
        match self {
            Self::Setup
            | Self::Flush
            | Self::Prune(_)
            | Self::CopyThread(_)
            | Self::Threads(_)
            | Self::Stats(_)
            | Self::Verify(_)
            | Self::Vacuum(_)
            | Self::Export(_) => None,
            Self::Diff(call) => Some(&call.config),
            Self::GetTuple(call) => Some(&call.config),
            Self::List(call) => Some(&call.config),
            Self::Put(call) => Some(&call.config),
            Self::PutWrites(call) => Some(&call.config),
            Self::DeleteThread(config) => Some(config),
            Self::DeltaChannelHistory(call) => Some(&call.config),
        }
    }
}
