//! What a call keeps of a copy under way.

use super::resolve::Whole;
use crate::operations::ask::{NewCheckpoint, NewWrites, RecordKey};

/// A record as the store has it.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) key: RecordKey,
    /// `None` if a part of it is gone.
    pub(super) whole: Option<Whole>,
}

/// A copy under way.
#[derive(Debug, Default)]
pub(super) struct Copying {
    /// The page of the source's records that was read last.
    pub(super) page: Vec<Record>,
    /// The target's newest tombstone when the copy began.
    pub(super) cut: i64,
    pub(super) writes: Vec<NewWrites>,
    pub(super) checkpoints: Vec<NewCheckpoint>,
}
