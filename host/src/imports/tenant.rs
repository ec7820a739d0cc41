//! A tenant: a store of its own, and what one call on it may take.

use std::sync::Arc;
use std::time::Duration;

use crate::checkpointer::Checkpointer;
use crate::storage::sqlite::SqliteStorage;

/// What one call of a guest may take. The memory of a call is for `Limits` to bound, of the
/// planner that the checkpointer was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// How long it may take, with the time that the store takes. A call that is cut off may take
    /// effect all the same, whole.
    pub time_limit: Duration,
    /// How many bytes of values, names and ids one call may bring, which is more than it stores.
    pub call_bytes_max: usize,
    /// How many elements the lists of one call may have together: channels, versions, writes.
    pub call_elements_max: usize,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            time_limit: Duration::from_secs(30),
            call_bytes_max: 64 << 20,
            call_elements_max: 65_536,
        }
    }
}

/// The checkpointer that a guest's calls are made on. Each tenant needs one on a store of its
/// own: a guest lists and deletes every thread of its store. How many threads and bytes that store
/// may come to is said where it is opened (`SqliteOptions::quota`).
#[derive(Debug)]
pub struct Tenant<S = SqliteStorage> {
    pub(super) checkpointer: Arc<Checkpointer<S>>,
    pub(super) limits: CallLimits,
}

impl<S> Tenant<S> {
    /// A tenant with this checkpointer.
    pub fn new(checkpointer: Arc<Checkpointer<S>>, limits: CallLimits) -> Self {
        Self { checkpointer, limits }
    }

    /// The tenant's checkpointer, for what the host does itself.
    pub fn checkpointer(&self) -> &Checkpointer<S> {
        &self.checkpointer
    }
}

impl<S> Clone for Tenant<S> {
    fn clone(&self) -> Self {
        Self { checkpointer: Arc::clone(&self.checkpointer), limits: self.limits }
    }
}
