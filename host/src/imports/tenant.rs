//! A tenant: its own store, and the limits of one call on it.

use std::sync::Arc;
use std::time::Duration;

use crate::checkpointer::Checkpointer;
use crate::storage::sqlite::SqliteStorage;

/// The limits of one call of a guest. The memory of a call is limited by the `Limits` of the
/// checkpointer's planner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// How long it may take, including the time of the store. A call that times out may still take
    /// effect, as a whole.
    pub time_limit: Duration,
    /// How many bytes of values, names and ids one call may pass, which is more than it stores.
    pub call_bytes_max: usize,
    /// How many elements the lists of one call may have in total: channels, versions, writes.
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

/// The checkpointer for a guest's calls. Each tenant needs one on its own store, because a guest
/// can list and delete every thread of its store. `SqliteOptions::quota` limits the threads and
/// bytes of that store.
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

    /// The tenant's checkpointer, for the host's own calls.
    pub fn checkpointer(&self) -> &Checkpointer<S> {
        &self.checkpointer
    }
}

impl<S> Clone for Tenant<S> {
    fn clone(&self) -> Self {
        Self { checkpointer: Arc::clone(&self.checkpointer), limits: self.limits }
    }
}
