//! What a caller gets: tuples, pages and histories as plain data. `wit/checkpoint/types.wit` and
//! `wit/planner/types.wit` have the same types.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::contract::call::{ChannelValue, ChannelVersion, Payload};
use crate::contract::difference::Difference;
use crate::contract::lifecycle::{Stats, ThreadsPage, Verified, Work};

/// A pending write as stored.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct PendingWrite {
    /// The task.
    #[cfg_attr(feature = "wasmtime", component(name = "task-id"))]
    pub task_id: String,
    /// The channel.
    pub channel: String,
    /// The value.
    pub value: Payload,
}

/// A part of a page's shared bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Span {
    /// The position of its first byte.
    pub begin: u32,
    /// The position after its last byte.
    pub end: u32,
}

/// A value made of parts of a page's shared bytes.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct SharedPayload {
    /// The serializer's type tag.
    pub kind: String,
    /// The parts whose concatenation is the serialized value.
    pub spans: Vec<Span>,
}

/// The value of a channel as stored.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum TupleValue {
    /// The whole value.
    #[cfg_attr(feature = "wasmtime", component(name = "whole"))]
    Whole(Payload),
    /// Parts of the page's shared bytes. Only in a page.
    #[cfg_attr(feature = "wasmtime", component(name = "shared"))]
    Shared(SharedPayload),
    /// The value that the channel has in `GetTuple::known`. Only if that was given.
    #[cfg_attr(feature = "wasmtime", component(name = "unchanged"))]
    Unchanged,
}

/// A checkpoint as stored.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct CheckpointTuple<V = Payload> {
    /// The thread.
    #[cfg_attr(feature = "wasmtime", component(name = "thread-id"))]
    pub thread_id: String,
    /// The namespace.
    #[cfg_attr(feature = "wasmtime", component(name = "checkpoint-ns"))]
    pub checkpoint_ns: String,
    /// The checkpoint.
    #[cfg_attr(feature = "wasmtime", component(name = "checkpoint-id"))]
    pub checkpoint_id: String,
    /// The id of the parent. The parent may be missing from the store.
    #[cfg_attr(feature = "wasmtime", component(name = "parent-checkpoint-id"))]
    pub parent_checkpoint_id: Option<String>,
    /// `checkpoint.v` as put.
    pub v: f64,
    /// `checkpoint.ts` as put.
    pub ts: String,
    /// `checkpoint.channel_versions` as put.
    #[cfg_attr(feature = "wasmtime", component(name = "channel-versions"))]
    pub channel_versions: Vec<ChannelVersion>,
    /// The stored channel values, in the order of the put.
    #[cfg_attr(feature = "wasmtime", component(name = "channel-values"))]
    pub channel_values: Vec<ChannelValue<V>>,
    /// Every other field of the checkpoint as put.
    pub rest: Payload,
    /// The metadata as put.
    pub metadata: Payload,
    /// The writes, ordered by (task path, task id, place), bytewise.
    #[cfg_attr(feature = "wasmtime", component(name = "pending-writes"))]
    pub pending_writes: Vec<PendingWrite>,
    /// The parent's writes to `__pregel_tasks`; `None` unless `v` is under 4 and there is a parent.
    #[cfg_attr(feature = "wasmtime", component(name = "pending-sends"))]
    pub pending_sends: Option<Vec<Payload>>,
}

impl CheckpointTuple<TupleValue> {
    /// The tuple with whole values. `None` if a value is `Unchanged`, or has a span outside of
    /// `shared`.
    pub fn resolve(self, shared: &[u8]) -> Option<CheckpointTuple> {
        self.map_values(|value| match value {
            TupleValue::Whole(payload) => Some(payload),
            TupleValue::Shared(SharedPayload { kind, spans }) => {
                let mut bytes = Vec::new();
                for Span { begin, end } in spans {
                    bytes.extend_from_slice(shared.get(begin as usize..end as usize)?);
                }
                Some(Payload { kind, bytes })
            }
            TupleValue::Unchanged => None,
        })
    }
}

impl<V> CheckpointTuple<V> {
    /// The tuple with each value mapped; `None` if `map` returns `None` for any of them.
    pub fn map_values<W>(self, mut map: impl FnMut(V) -> Option<W>) -> Option<CheckpointTuple<W>> {
        let values = self.channel_values.into_iter();
        let value =
            |ChannelValue { channel, value }| Some(ChannelValue { channel, value: map(value)? });
        Some(CheckpointTuple {
            thread_id: self.thread_id,
            checkpoint_ns: self.checkpoint_ns,
            checkpoint_id: self.checkpoint_id,
            parent_checkpoint_id: self.parent_checkpoint_id,
            v: self.v,
            ts: self.ts,
            channel_versions: self.channel_versions,
            channel_values: values.map(value).collect::<Option<_>>()?,
            rest: self.rest,
            metadata: self.metadata,
            pending_writes: self.pending_writes,
            pending_sends: self.pending_sends,
        })
    }
}

/// A list or map that an edit may start from.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Base {
    /// The channel's name.
    pub channel: String,
    /// The length of each element or entry, in bytes of the value.
    pub lengths: Vec<u32>,
}

/// What `getTuple` returns.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct FoundCheckpoint {
    /// The checkpoint.
    pub tuple: CheckpointTuple<TupleValue>,
    /// For `Put::known` and `GetTuple::known`.
    pub known: Vec<u8>,
    /// The lists and maps that an edit may start from, without those that are `Unchanged`.
    pub bases: Vec<Base>,
}

/// A page of `list`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Page {
    /// The tuples, newest first.
    pub tuples: Vec<CheckpointTuple<TupleValue>>,
    /// The bytes that `Shared` values are made of.
    pub shared: Vec<u8>,
    /// For `List::resume`; `None` after the last page.
    pub next: Option<Vec<u8>>,
}

/// A value that `known` says is stored.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct KnownValue {
    /// The channel's name.
    pub channel: String,
    /// Whether it is a list or map that an edit may start from.
    pub editable: bool,
}

/// What `put` returns.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct StoredCheckpoint {
    /// The thread.
    #[cfg_attr(feature = "wasmtime", component(name = "thread-id"))]
    pub thread_id: String,
    /// The namespace.
    #[cfg_attr(feature = "wasmtime", component(name = "checkpoint-ns"))]
    pub checkpoint_ns: String,
    /// The checkpoint.
    #[cfg_attr(feature = "wasmtime", component(name = "checkpoint-id"))]
    pub checkpoint_id: String,
    /// For `Put::known` and `GetTuple::known`.
    pub known: Vec<u8>,
    /// The stored values. A later put may pass `Unchanged` or `Edited` for them.
    pub values: Vec<KnownValue>,
}

/// The history of one delta channel.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct ChannelHistory {
    /// The channel.
    pub channel: String,
    /// Whether this continues a history of `DeltaChannelHistory::known`. Then that history's writes
    /// come first and its seed is the seed, and neither is returned again.
    #[cfg_attr(feature = "wasmtime", component(name = "goes-on"))]
    pub goes_on: bool,
    /// The writes to it since the seed, oldest first.
    pub writes: Vec<PendingWrite>,
    /// The value at the nearest ancestor that has one; `None` if none has.
    pub seed: Option<Payload>,
    /// For `DeltaChannelHistory::known`; `None` if there is nothing to go on from.
    pub known: Option<Vec<u8>>,
}

/// What is stored of one checkpoint.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Exported {
    /// The thread.
    #[cfg_attr(feature = "wasmtime", component(name = "thread-id"))]
    pub thread_id: String,
    /// The namespace.
    #[cfg_attr(feature = "wasmtime", component(name = "checkpoint-ns"))]
    pub checkpoint_ns: String,
    /// The checkpoint.
    #[cfg_attr(feature = "wasmtime", component(name = "checkpoint-id"))]
    pub checkpoint_id: String,
    /// The checkpoint, without writes and sends; `None` if only its writes are stored.
    pub checkpoint: Option<CheckpointTuple>,
    /// Its writes, ordered by (task path, task id, place), bytewise.
    pub writes: Vec<PlacedWrite>,
    /// For `Export::resume`.
    pub next: Vec<u8>,
}

/// A pending write with its place.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct PlacedWrite {
    /// The task.
    #[cfg_attr(feature = "wasmtime", component(name = "task-id"))]
    pub task_id: String,
    /// The task's path; `""` if it has none.
    #[cfg_attr(feature = "wasmtime", component(name = "task-path"))]
    pub task_path: String,
    /// Its place in its task.
    pub idx: i64,
    /// The channel.
    pub channel: String,
    /// The value.
    pub value: Payload,
}

/// What an operation ends in.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum Outcome {
    /// Of `Setup` and `Flush`. A setup may have a warning for the caller.
    #[cfg_attr(feature = "wasmtime", component(name = "ready"))]
    Ready(Option<String>),
    /// Of `GetTuple`; `None` if there is no such checkpoint.
    #[cfg_attr(feature = "wasmtime", component(name = "found"))]
    Found(Option<FoundCheckpoint>),
    /// Of `List`.
    #[cfg_attr(feature = "wasmtime", component(name = "page"))]
    Page(Page),
    /// Of `Put`.
    #[cfg_attr(feature = "wasmtime", component(name = "stored"))]
    Stored(StoredCheckpoint),
    /// Of `Put`: nothing was stored, because what its `known` says does not hold any more. Holds
    /// the `known` for the put that repeats this one with whole values.
    #[cfg_attr(feature = "wasmtime", component(name = "stale"))]
    Stale(Vec<u8>),
    /// Of `PutWrites`.
    #[cfg_attr(feature = "wasmtime", component(name = "writes-stored"))]
    WritesStored,
    /// Of `DeleteThread`.
    #[cfg_attr(feature = "wasmtime", component(name = "deleted"))]
    Deleted,
    /// Of `DeltaChannelHistory`: one for each channel asked for.
    #[cfg_attr(feature = "wasmtime", component(name = "history"))]
    History(Vec<ChannelHistory>),
    /// Of `Prune`.
    #[cfg_attr(feature = "wasmtime", component(name = "worked"))]
    Worked(Work),
    /// Of `Threads`.
    #[cfg_attr(feature = "wasmtime", component(name = "threads"))]
    Threads(ThreadsPage),
    /// Of `Stats`.
    #[cfg_attr(feature = "wasmtime", component(name = "stats"))]
    Stats(Stats),
    /// Of `Verify`.
    #[cfg_attr(feature = "wasmtime", component(name = "verified"))]
    Verified(Verified),
    /// Of `Export`; `None` after the last checkpoint.
    #[cfg_attr(feature = "wasmtime", component(name = "exported"))]
    Exported(Option<Exported>),
    /// Of `Diff`; `None` if one of the two checkpoints is not stored.
    #[cfg_attr(feature = "wasmtime", component(name = "differences"))]
    Differences(Option<Difference>),
}
