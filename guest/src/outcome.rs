//! What a caller gets: tuples, pages, histories as plain data. The words are those of
//! `wit/planner.wit`.

use crate::call::{ChannelValue, ChannelVersion, Payload};

/// A pending write as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingWrite {
    /// The task.
    pub task_id: String,
    /// The channel.
    pub channel: String,
    /// The value.
    pub value: Payload,
}

/// A checkpoint as stored, whole.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckpointTuple {
    /// The thread.
    pub thread_id: String,
    /// The namespace.
    pub checkpoint_ns: String,
    /// The checkpoint.
    pub checkpoint_id: String,
    /// The checkpoint this one grew from; it may not exist.
    pub parent_checkpoint_id: Option<String>,
    /// `checkpoint.v` as put.
    pub v: f64,
    /// `checkpoint.ts` as put.
    pub ts: String,
    /// `checkpoint.channel_versions` as put.
    pub channel_versions: Vec<ChannelVersion>,
    /// The stored channel values, in the order they were put.
    pub channel_values: Vec<ChannelValue>,
    /// Every other field of the checkpoint as put.
    pub rest: Payload,
    /// The metadata as put.
    pub metadata: Payload,
    /// The writes, ordered by (task path, task id, place), bytewise.
    pub pending_writes: Vec<PendingWrite>,
    /// For `v` under 4 with a parent: the parent's writes to `__pregel_tasks`.
    pub pending_sends: Option<Vec<Payload>>,
    /// For `Put::known`.
    pub known: Vec<u8>,
}

/// A page of `list`.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The tuples, newest first.
    pub tuples: Vec<CheckpointTuple>,
    /// For `List::resume`; nothing after the last page.
    pub next: Option<Vec<u8>>,
}

/// What `put` gives.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredCheckpoint {
    /// The thread.
    pub thread_id: String,
    /// The namespace.
    pub checkpoint_ns: String,
    /// The checkpoint.
    pub checkpoint_id: String,
    /// For `Put::known`.
    pub known: Vec<u8>,
}

/// The history of one delta channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelHistory {
    /// The channel.
    pub channel: String,
    /// The writes to it since the seed, oldest first.
    pub writes: Vec<PendingWrite>,
    /// The value at the nearest ancestor that has one.
    pub seed: Option<Payload>,
}

/// What an operation ends in.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time is under way, and it is moved a few times"
)]
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Of `Setup`.
    Ready,
    /// Of `GetTuple`.
    Found(Option<CheckpointTuple>),
    /// Of `List`.
    Page(Page),
    /// Of `Put`.
    Stored(StoredCheckpoint),
    /// Of `PutWrites`.
    WritesStored,
    /// Of `DeleteThread`.
    Deleted,
    /// Of `DeltaChannelHistory`.
    History(Vec<ChannelHistory>),
}
