//! WASI's clocks and random numbers, in the guest's types.

use langgraph_checkpoint_guest::Moment;

use crate::generated::wasi::clocks::{monotonic_clock, wall_clock};
use crate::generated::wasi::io::poll::{self, Pollable};
use crate::generated::wasi::random::random;

/// The current time, and 64 new random bits.
pub(crate) fn moment() -> Moment {
    let wall_clock::Datetime { seconds, nanoseconds } = wall_clock::now();
    let now = seconds.saturating_mul(1_000_000).saturating_add(u64::from(nanoseconds / 1000));
    Moment { now, entropy: random::get_random_u64() }
}

/// Lets this many milliseconds pass.
pub(crate) fn wait(milliseconds: u32) {
    after(milliseconds).block();
}

fn after(milliseconds: u32) -> Pollable {
    monotonic_clock::subscribe_duration(u64::from(milliseconds) * 1_000_000)
}

/// The time by which a request must end.
pub(crate) struct Deadline(Pollable);

impl Deadline {
    /// The deadline in this many milliseconds.
    pub(crate) fn after(milliseconds: u32) -> Self {
        Self(after(milliseconds))
    }

    /// Waits until `other` is ready. Fails if the time is up before.
    pub(crate) fn wait_for(&self, other: &Pollable) -> Result<(), TimeIsUp> {
        let ready = poll::poll(&[other, &self.0]);
        if ready.contains(&0) { Ok(()) } else { Err(TimeIsUp) }
    }
}

/// The deadline has passed.
pub(crate) struct TimeIsUp;
