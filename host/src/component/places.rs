//! Places that calls take turns on, and how long a call waits for its turn.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failure::unusable;
use crate::error::{ComponentError, ComponentErrorKind};

/// A number of places, set by one of the limits.
#[derive(Debug)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
    /// The field of `Limits` that says how many there are.
    limit: &'static str,
    wait_limit: Duration,
}

/// A place. It is free again when this is dropped.
pub(crate) type Place = OwnedSemaphorePermit;

impl Places {
    pub(crate) fn new(limit: &'static str, count: usize, wait_limit: Duration) -> Self {
        // A semaphore cannot have more permits.
        let count = count.clamp(1, Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(count)), limit, wait_limit }
    }

    /// Waits for a place, at most for `wait_limit`; then fails with `component-busy`.
    pub(crate) async fn take(&self) -> Result<Place, ComponentError> {
        // Most calls find a free place and need no timer.
        if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
            return Ok(place);
        }
        match tokio::time::timeout(self.wait_limit, Arc::clone(&self.free).acquire_owned()).await {
            Ok(place) => place.map_err(unusable),
            Err(_) => Err(ComponentError::bare(
                ComponentErrorKind::Busy,
                format!(
                    "no place became free within Limits::wait_limit; make fewer calls at once, \
                     or raise Limits::{}",
                    self.limit
                ),
            )),
        }
    }

    /// Waits for a place without a limit. For callers that gain nothing by giving up, on places
    /// that nobody keeps for long.
    pub(crate) async fn wait(&self) -> Result<Place, ComponentError> {
        Arc::clone(&self.free).acquire_owned().await.map_err(unusable)
    }
}
