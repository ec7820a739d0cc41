//! The component `checkpointer-kusto`: a loop around the guest's store on Kusto, whose requests
//! go out through WASI's HTTP.

#![allow(unsafe_code, reason = "the generated exports are `unsafe extern` functions")]

use std::cell::RefCell;

use langgraph_checkpoint_guest as guest;

#[allow(
    unreachable_pub,
    clippy::all,
    reason = "generated from wit/checkpointer.wit, where the documentation is"
)]
mod generated {
    wit_bindgen::generate!({ path: "../../wit", world: "checkpointer-kusto", generate_all });
}

#[path = "../../checkpointer/src/calls.rs"]
mod calls;
mod connected;
mod connection;
#[path = "../../checkpointer/src/convert.rs"]
mod convert;
mod http;
#[path = "../../checkpointer/src/known.rs"]
mod known;
mod time;

use connected::Connected;
use generated::exports::langgraph::checkpoint::checkpointer as wit;

thread_local! {
    static CONNECTED: RefCell<Option<Connected>> = const { RefCell::new(None) };
}

struct Checkpointer;

/// Runs a call on the store that `connect` chose.
fn run(call: guest::Call) -> Result<guest::Outcome, wit::Error> {
    on_store(|connected| connected.run(call))
}

fn on_store<T>(
    work: impl FnOnce(&mut Connected) -> Result<T, guest::Error>,
) -> Result<T, wit::Error> {
    CONNECTED.with_borrow_mut(|connected| match connected {
        Some(connected) => Ok(work(connected)?),
        None => Err(wit::Error::InvalidInput(wit::Fault {
            code: "not-connected".to_owned(),
            message: "no cluster has been chosen; call `connect` of `kusto-connection` first"
                .to_owned(),
        })),
    })
}

generated::export!(Checkpointer with_types_in generated);
