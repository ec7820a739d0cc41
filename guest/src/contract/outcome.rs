//! What a caller gets: tuples, pages, histories as plain data. The words are those of
//! `wit/planner.wit`.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::contract::call::{ChannelValue, ChannelVersion, Payload};

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
    /// Where it begins.
    pub begin: u32,
    /// Where it ends: the position after its last byte.
    pub end: u32,
}

/// A value that is put together from a page's shared bytes.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct SharedPayload {
    /// The serializer's type tag.
    pub kind: String,
    /// The serialized value is these parts, one after the other.
    pub spans: Vec<Span>,
}

/// The value of a channel as stored.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum TupleValue {
    /// All of it.
    #[cfg_attr(feature = "wasmtime", component(name = "whole"))]
    Whole(Payload),
    /// Parts of the page's shared bytes.
    #[cfg_attr(feature = "wasmtime", component(name = "shared"))]
    Shared(SharedPayload),
    /// The value the channel has in `GetTuple::known`.
    #[cfg_attr(feature = "wasmtime", component(name = "unchanged"))]
    Unchanged,
}

/// A checkpoint as stored, whole.
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
    /// The checkpoint this one grew from; it may not exist.
    #[cfg_attr(feature = "wasmtime", component(name = "parent-checkpoint-id"))]
    pub parent_checkpoint_id: Option<String>,
    /// `checkpoint.v` as put.
    pub v: f64,
    /// `checkpoint.ts` as put.
    pub ts: String,
    /// `checkpoint.channel_versions` as put.
    #[cfg_attr(feature = "wasmtime", component(name = "channel-versions"))]
    pub channel_versions: Vec<ChannelVersion>,
    /// The stored channel values, in the order they were put.
    #[cfg_attr(feature = "wasmtime", component(name = "channel-values"))]
    pub channel_values: Vec<ChannelValue<V>>,
    /// Every other field of the checkpoint as put.
    pub rest: Payload,
    /// The metadata as put.
    pub metadata: Payload,
    /// The writes, ordered by (task path, task id, place), bytewise.
    #[cfg_attr(feature = "wasmtime", component(name = "pending-writes"))]
    pub pending_writes: Vec<PendingWrite>,
    /// For `v` under 4 with a parent: the parent's writes to `__pregel_tasks`.
    #[cfg_attr(feature = "wasmtime", component(name = "pending-sends"))]
    pub pending_sends: Option<Vec<Payload>>,
}

impl CheckpointTuple<TupleValue> {
    /// The tuple with its values whole; nothing where one is unchanged, or has a part that the
    /// shared bytes have not.
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
    /// The tuple with other values; nothing where there is none for a value.
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
    /// How long each element or entry is in the value's bytes.
    pub lengths: Vec<u32>,
}

/// What `getTuple` gives.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct FoundCheckpoint {
    /// The checkpoint.
    pub tuple: CheckpointTuple<TupleValue>,
    /// For `Put::known` and `GetTuple::known`.
    pub known: Vec<u8>,
    /// The lists and maps that an edit may start from, those unchanged left out.
    pub bases: Vec<Base>,
}

/// A page of `list`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Page {
    /// The tuples, newest first.
    pub tuples: Vec<CheckpointTuple<TupleValue>>,
    /// What the tuples' values are made of.
    pub shared: Vec<u8>,
    /// For `List::resume`; nothing after the last page.
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

/// What `put` gives.
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
    /// The values that are stored, those of a later `Unchanged` or `Edited`.
    pub values: Vec<KnownValue>,
}

/// The history of one delta channel.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct ChannelHistory {
    /// The channel.
    pub channel: String,
    /// Whether it goes on from the one in `DeltaChannelHistory::known`: that one's writes come
    /// first and its seed is the seed, and neither is given again.
    #[cfg_attr(feature = "wasmtime", component(name = "goes-on"))]
    pub goes_on: bool,
    /// The writes to it since the seed, oldest first.
    pub writes: Vec<PendingWrite>,
    /// The value at the nearest ancestor that has one.
    pub seed: Option<Payload>,
    /// For `DeltaChannelHistory::known`; nothing where there is no history to speak of.
    pub known: Option<Vec<u8>>,
}

/// What an operation ends in.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time is under way, and it is moved a few times"
)]
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum Outcome {
    /// Of `Setup`.
    #[cfg_attr(feature = "wasmtime", component(name = "ready"))]
    Ready,
    /// Of `GetTuple`.
    #[cfg_attr(feature = "wasmtime", component(name = "found"))]
    Found(Option<FoundCheckpoint>),
    /// Of `List`.
    #[cfg_attr(feature = "wasmtime", component(name = "page"))]
    Page(Page),
    /// Of `Put`.
    #[cfg_attr(feature = "wasmtime", component(name = "stored"))]
    Stored(StoredCheckpoint),
    /// Of `Put`: nothing was stored, since what its `known` says does not hold any more. What is
    /// left of it, for the put that repeats this one with whole values.
    #[cfg_attr(feature = "wasmtime", component(name = "stale"))]
    Stale(Vec<u8>),
    /// Of `PutWrites`.
    #[cfg_attr(feature = "wasmtime", component(name = "writes-stored"))]
    WritesStored,
    /// Of `DeleteThread`.
    #[cfg_attr(feature = "wasmtime", component(name = "deleted"))]
    Deleted,
    /// Of `DeltaChannelHistory`.
    #[cfg_attr(feature = "wasmtime", component(name = "history"))]
    History(Vec<ChannelHistory>),
}
