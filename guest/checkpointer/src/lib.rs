//! The component `checkpointer`: a loop around the guest's operations, whose batches the host's
//! `storage` runs.

#![allow(unsafe_code, reason = "the generated exports are `unsafe extern` functions")]

use std::cell::Cell;

use langgraph_checkpoint_guest as guest;

#[allow(
    unreachable_pub,
    clippy::all,
    reason = "generated from wit/checkpointer.wit, where the documentation is"
)]
mod generated {
    wit_bindgen::generate!({ path: "../../wit", world: "checkpointer-sql" });
}

mod calls;
mod convert;
mod known;
mod sql;

use generated::exports::langgraph::checkpoint::checkpointer as wit;
use generated::langgraph::checkpoint::storage;

thread_local! {
    /// Whether the tables are there.
    static READY: Cell<bool> = const { Cell::new(false) };
}

struct Checkpointer;

/// Runs a call, after the setup of the store. A setup that failed is tried again by the next
/// call.
fn run(call: guest::Call) -> Result<guest::Outcome, wit::Error> {
    if !READY.get() {
        drive(guest::Call::Setup)?;
        READY.set(true);
    }
    drive(call)
}

fn drive(call: guest::Call) -> Result<guest::Outcome, wit::Error> {
    let (mut operation, mut progress) = guest::Store::Sqlite.start(call, Moment::default())?;
    loop {
        match progress {
            guest::Progress::Need(guest::Need::Sql(batch)) => {
                let sets = storage::run(&batch.into())?;
                let sets = sets.into_iter().map(Into::into).collect();
                progress = operation.advance(guest::Answer::Sql(sets))?;
            }
            guest::Progress::Done(outcome) => return Ok(outcome),
        }
    }
}

generated::export!(Checkpointer with_types_in generated);
