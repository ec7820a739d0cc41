//! Calls and outcomes for callers that pass no `known`: every value is whole.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use super::call::{ChannelValue, Checkpoint, Config, Id, NewValue, Payload, Put};
use super::outcome::{self, CheckpointTuple, PendingWrite};

/// A checkpoint to store, and what goes with it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct PutCall {
    /// The thread and namespace. Its checkpoint id is the id of the parent.
    pub config: Config,
    /// The checkpoint.
    pub checkpoint: Checkpoint<Payload>,
    /// The metadata, one serialized object.
    pub metadata: Payload,
    /// The names of the channels that have a new version.
    #[cfg_attr(feature = "wasmtime", component(name = "new-versions"))]
    pub new_versions: Vec<String>,
    /// The run that puts the checkpoint, if the caller knows it. It is noted if the metadata has no
    /// `run_id` of its own.
    #[cfg_attr(feature = "wasmtime", component(name = "run-id"))]
    pub run_id: Id,
}

impl From<PutCall> for Put {
    fn from(call: PutCall) -> Self {
        let whole = |ChannelValue { channel, value }| ChannelValue {
            channel,
            value: NewValue::Whole(value),
        };
        Self {
            config: call.config,
            checkpoint: Checkpoint {
                id: call.checkpoint.id,
                v: call.checkpoint.v,
                ts: call.checkpoint.ts,
                channel_versions: call.checkpoint.channel_versions,
                channel_values: call.checkpoint.channel_values.into_iter().map(whole).collect(),
                rest: call.checkpoint.rest,
            },
            metadata: call.metadata,
            new_versions: call.new_versions,
            run_id: call.run_id,
            known: None,
        }
    }
}

impl PutCall {
    /// The call without its `known`; `None` if a value is not whole.
    pub fn of(put: Put) -> Option<Self> {
        let whole = |ChannelValue { channel, value }| match value {
            NewValue::Whole(value) => Some(ChannelValue { channel, value }),
            NewValue::Edited(_) | NewValue::Unchanged => None,
        };
        Some(Self {
            config: put.config,
            checkpoint: Checkpoint {
                id: put.checkpoint.id,
                v: put.checkpoint.v,
                ts: put.checkpoint.ts,
                channel_versions: put.checkpoint.channel_versions,
                channel_values: put
                    .checkpoint
                    .channel_values
                    .into_iter()
                    .map(whole)
                    .collect::<Option<_>>()?,
                rest: put.checkpoint.rest,
            },
            metadata: put.metadata,
            new_versions: put.new_versions,
            run_id: put.run_id,
        })
    }
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Page {
    /// The tuples, newest first.
    pub tuples: Vec<CheckpointTuple>,
    /// For `List::resume`; `None` after the last page.
    pub next: Option<Vec<u8>>,
}

impl Page {
    /// The page with whole values; `None` if a value is `Unchanged` or has a span outside of the
    /// shared bytes.
    pub fn of(page: outcome::Page) -> Option<Self> {
        let whole = page.tuples.into_iter().map(|tuple| tuple.resolve(&page.shared));
        Some(Self { tuples: whole.collect::<Option<_>>()?, next: page.next })
    }
}

/// Where a checkpoint was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

impl From<outcome::StoredCheckpoint> for StoredCheckpoint {
    fn from(stored: outcome::StoredCheckpoint) -> Self {
        Self {
            thread_id: stored.thread_id,
            checkpoint_ns: stored.checkpoint_ns,
            checkpoint_id: stored.checkpoint_id,
        }
    }
}

impl From<StoredCheckpoint> for outcome::StoredCheckpoint {
    fn from(stored: StoredCheckpoint) -> Self {
        Self {
            thread_id: stored.thread_id,
            checkpoint_ns: stored.checkpoint_ns,
            checkpoint_id: stored.checkpoint_id,
            known: Vec::new(),
            values: Vec::new(),
        }
    }
}

/// The history of one delta channel.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct ChannelHistory {
    /// The channel.
    pub channel: String,
    /// The writes to it since the seed, oldest first.
    pub writes: Vec<PendingWrite>,
    /// The value at the nearest ancestor that has one; `None` if none has.
    pub seed: Option<Payload>,
}

impl From<outcome::ChannelHistory> for ChannelHistory {
    fn from(history: outcome::ChannelHistory) -> Self {
        Self { channel: history.channel, writes: history.writes, seed: history.seed }
    }
}

impl From<ChannelHistory> for outcome::ChannelHistory {
    fn from(history: ChannelHistory) -> Self {
        Self {
            channel: history.channel,
            writes: history.writes,
            seed: history.seed,
            ..Self::default()
        }
    }
}
