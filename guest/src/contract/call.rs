//! What a caller says: LangGraph's calls as plain data. The words are those of
//! `wit/planner.wit`, where each is documented in full.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

/// An identifier as the caller's config holds it. What is acceptable is decided in `config.rs`.
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
    /// A number; a whole one of at most 53 bits stands for its decimal digits.
    #[cfg_attr(feature = "wasmtime", component(name = "number"))]
    Number(f64),
    /// Neither text nor a number: the name of its type.
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
    /// `checkpoint_ns`; absent stands for the root, `""`.
    #[cfg_attr(feature = "wasmtime", component(name = "checkpoint-ns"))]
    pub checkpoint_ns: Id,
    /// `checkpoint_id`; absent or empty stands for the latest checkpoint.
    #[cfg_attr(feature = "wasmtime", component(name = "checkpoint-id"))]
    pub checkpoint_id: Id,
    /// `thread_ts`, an older name of `checkpoint_id`.
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

/// Consecutive elements of a list, or entries of a map, that a base value has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct KeptElements {
    /// The position of the first one, counted from zero.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// Consecutive elements of a list or entries of a map.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum Run {
    /// Those of the base value, unchanged.
    #[cfg_attr(feature = "wasmtime", component(name = "kept"))]
    Kept(KeptElements),
    /// New ones: their JSON text with a comma between every two.
    #[cfg_attr(feature = "wasmtime", component(name = "fresh"))]
    Fresh(Vec<u8>),
}

/// The value of a channel to store. `Edited` and `Unchanged` refer to the base: the value that
/// `Put::known` says the channel has.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum NewValue {
    /// All of it.
    #[cfg_attr(feature = "wasmtime", component(name = "whole"))]
    Whole(Payload),
    /// The list or map made of these runs, in order.
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
    /// Thread and namespace; its checkpoint id becomes the parent's.
    pub config: Config,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The metadata, one serialized object.
    pub metadata: Payload,
    /// The names of the channels in `newVersions`.
    #[cfg_attr(feature = "wasmtime", component(name = "new-versions"))]
    pub new_versions: Vec<String>,
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
    /// The task's path, `""` when there is none.
    #[cfg_attr(feature = "wasmtime", component(name = "task-path"))]
    pub task_path: String,
}

/// A condition on one top-level key of the metadata.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct MetadataFilter {
    /// The key, literally.
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
    /// At most so many tuples in all pages together.
    pub limit: Option<f64>,
    /// Only checkpoints whose id sorts before this one.
    pub before: Id,
    /// All must hold.
    pub filter: Vec<MetadataFilter>,
    /// `Page::next` of the page before.
    pub resume: Option<Vec<u8>>,
}

/// `getTuple`.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct GetTuple {
    /// The checkpoint.
    pub config: Config,
    /// The `known` of an earlier outcome whose channel values the caller still has.
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
    /// `ChannelHistory::known` of earlier outcomes of the same thread and namespace whose
    /// histories the caller still has. One that is part of what is asked for is not read again.
    pub known: Vec<Vec<u8>>,
}

/// A call of LangGraph's.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum Call {
    /// Make the tables where they are missing.
    #[cfg_attr(feature = "wasmtime", component(name = "setup"))]
    Setup,
    /// One checkpoint with its pending writes.
    #[cfg_attr(feature = "wasmtime", component(name = "get-tuple"))]
    GetTuple(GetTuple),
    /// One page of checkpoints, newest first.
    #[cfg_attr(feature = "wasmtime", component(name = "list"))]
    List(List),
    /// Store a checkpoint.
    #[cfg_attr(feature = "wasmtime", component(name = "put"))]
    Put(Put),
    /// Store the writes of one task.
    #[cfg_attr(feature = "wasmtime", component(name = "put-writes"))]
    PutWrites(PutWrites),
    /// Remove a thread.
    #[cfg_attr(feature = "wasmtime", component(name = "delete-thread"))]
    DeleteThread(Config),
    /// The writes to delta channels since their last value.
    #[cfg_attr(feature = "wasmtime", component(name = "delta-channel-history"))]
    DeltaChannelHistory(DeltaChannelHistory),
    /// Send all that waits in a store with write-behind.
    #[cfg_attr(feature = "wasmtime", component(name = "flush"))]
    Flush,
}

impl Call {
    /// LangGraph's name of the call.
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
        }
    }

    /// Whether the call changes what is stored.
    pub fn writes(&self) -> bool {
        match self {
            Self::Setup
            | Self::Put(_)
            | Self::PutWrites(_)
            | Self::DeleteThread(_)
            | Self::Flush => true,
            Self::GetTuple(_) | Self::List(_) | Self::DeltaChannelHistory(_) => false,
        }
    }

    /// What the call says of the checkpoint, thread or threads it is about; `None` if it is about
    /// the store.
    pub fn config(&self) -> Option<&Config> {
        match self {
            Self::Setup | Self::Flush => None,
            Self::GetTuple(call) => Some(&call.config),
            Self::List(call) => Some(&call.config),
            Self::Put(call) => Some(&call.config),
            Self::PutWrites(call) => Some(&call.config),
            Self::DeleteThread(config) => Some(config),
            Self::DeltaChannelHistory(call) => Some(&call.config),
        }
    }
}
