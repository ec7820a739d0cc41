//! What differs between two checkpoints. `wit/planner/types.wit` has the same types.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::contract::call::{Payload, Version};

/// What differs between a checkpoint and an earlier one.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Difference {
    /// The earlier checkpoint; `None` if the checkpoint has no parent. Then everything is new.
    pub before: Option<String>,
    /// The channels whose version or value differs, by name.
    pub channels: Vec<ChannelDifference>,
    /// The writes stored with the earlier checkpoint: what its tasks wrote.
    pub writes: Vec<WriteSize>,
}

/// A channel that differs.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct ChannelDifference {
    /// The channel.
    pub channel: String,
    /// Its version before; `None` if it had none.
    #[cfg_attr(feature = "wasmtime", component(name = "version-before"))]
    pub version_before: Option<Version>,
    /// Its version after; `None` if it has none.
    #[cfg_attr(feature = "wasmtime", component(name = "version-after"))]
    pub version_after: Option<Version>,
    /// Its value before; `None` if it had none.
    pub before: Option<PartSize>,
    /// Its value after; `None` if it has none.
    pub after: Option<PartSize>,
    /// If both values are lists: the elements that differ. `None` if not.
    pub elements: Option<Vec<ElementDifference>>,
}

/// An element of a list that differs: added if it has no `before`, removed if it has no `after`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct ElementDifference {
    /// Its place in the list after, from 0; of a removed element its place in the list before.
    /// `None` if more than what differs would have to be read to count it.
    pub place: Option<u32>,
    /// The element before.
    pub before: Option<PartSize>,
    /// The element after.
    pub after: Option<PartSize>,
}

/// A value or an element.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct PartSize {
    /// Its size in bytes.
    pub bytes: u64,
    /// The part itself, if values were asked for. A list whose elements are named has none.
    pub value: Option<Payload>,
}

/// A write.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct WriteSize {
    /// The task.
    #[cfg_attr(feature = "wasmtime", component(name = "task-id"))]
    pub task_id: String,
    /// The channel.
    pub channel: String,
    /// Its value.
    pub value: PartSize,
}
