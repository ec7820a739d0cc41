//! What an instance may use, and the state that counts it.

use std::time::Duration;

use wasmtime::{ResourceLimiter, UpdateDeadline};

use super::ticker::TICK;

/// What the instances of a component may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most memory of one instance. A call needs a few times the size of its state.
    pub memory_bytes_max: usize,
    /// The longest time that one entry into the component may take. An operation enters it once a
    /// round; the time of its batches does not count. Measured in steps of 10 ms.
    pub time_limit: Duration,
    /// The most bytes that the component may return at once: the statements of a batch or the
    /// outcome of a call. That is about the size of a state, and more if the state has many small
    /// parts.
    pub answer_bytes_max: usize,
    /// How many calls the component works on at once. A call gives up its place while its batches
    /// run, so a slow or locked store delays no other store's calls.
    pub running_max: usize,
    /// How many operations may be under way, each with its own instance, also while its batches
    /// run. This limits the memory of all instances together.
    pub instances_max: usize,
    /// How many of these instances one checkpointer may use. With one checkpointer for each tenant,
    /// no tenant can use them all.
    pub instances_per_checkpointer_max: usize,
    /// How long a call waits for one of those places before it fails with `component-busy`.
    pub wait_limit: Duration,
    /// The most memory that an instance may keep between two operations; an instance with more is
    /// replaced, because the memory of a component never shrinks. With 0, each operation gets a new
    /// instance.
    pub idle_memory_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes_max: 512 << 20,
            time_limit: Duration::from_secs(10),
            answer_bytes_max: 512 << 20,
            running_max: 64,
            instances_max: 512,
            instances_per_checkpointer_max: 32,
            wait_limit: Duration::from_secs(30),
            idle_memory_bytes_max: 32 << 20,
        }
    }
}

/// The component asked for more memory than its limit.
#[derive(Debug, thiserror::Error)]
#[error("the memory limit was reached")]
pub(super) struct MemoryLimitReached;

/// The component ran longer than its limit.
#[derive(Debug, thiserror::Error)]
#[error("the time limit was reached")]
pub(super) struct TimeLimitReached;

/// What an instance has used.
pub(crate) struct State {
    memory_bytes_max: usize,
    memory_bytes: usize,
    ticks_max: u128,
    ticks: u128,
}

impl State {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            memory_bytes_max: limits.memory_bytes_max,
            memory_bytes: 0,
            ticks_max: limits.time_limit.as_nanos().div_ceil(TICK.as_nanos()),
            ticks: 0,
        }
    }

    /// Resets the time limit for the next entry.
    pub(crate) fn rearm(&mut self) {
        self.ticks = 0;
    }

    /// Called when a tick has passed inside the component: yields to other tasks, or fails if its
    /// time is over.
    pub(crate) fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        if self.ticks >= self.ticks_max {
            return Err(wasmtime::Error::new(TimeLimitReached));
        }
        self.ticks += 1;
        Ok(UpdateDeadline::Yield(1))
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }
}

impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let memory_bytes = self.memory_bytes - current + desired;
        if memory_bytes > self.memory_bytes_max {
            return Err(wasmtime::Error::new(MemoryLimitReached));
        }
        self.memory_bytes = memory_bytes;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // The planner's tables hold its functions and do not grow.
        Ok(desired <= 10_000)
    }
}
