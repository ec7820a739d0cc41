//! The component `checkpointer-kusto`: the drive loop around the guest's store on Kusto. Its
//! requests go out through WASI's HTTP.

#![allow(unsafe_code, reason = "the generated exports are `unsafe extern` functions")]

use std::cell::RefCell;

use langgraph_checkpoint_guest::{Cache, Call, Error, Fault, Outcome};

#[allow(
    unreachable_pub,
    clippy::all,
    reason = "generated from wit/kusto, where the documentation is"
)]
mod generated {
    wit_bindgen::generate!({
        path: ["../../wit/checkpoint", "../../wit/kusto"],
        world: "langgraph:checkpoint-kusto/checkpointer-kusto@0.1.0",
        generate_all,
        with: {
            "langgraph:checkpoint/types@0.1.0": langgraph_checkpoint_guest::wit::types,
            "langgraph:checkpoint-kusto/connection-types@0.1.0":
                langgraph_checkpoint_guest::wit::connection_types,
        },
    });
}

#[path = "../../checkpointer/src/calls.rs"]
mod calls;
mod connected;
mod connection;
mod http;
mod time;

use connected::Connected;

thread_local! {
    static CACHE: RefCell<Cache<Vec<u8>>> = RefCell::default();
    static CONNECTED: RefCell<Option<Connected>> = const { RefCell::new(None) };
}

struct Checkpointer;

/// Runs a call on the store that `connect` chose.
fn run(call: Call) -> Result<Outcome, Error> {
    on_store(|connected| connected.run(call))
}

fn on_store<T>(work: impl FnOnce(&mut Connected) -> Result<T, Error>) -> Result<T, Error> {
    CONNECTED.with_borrow_mut(|connected| match connected {
        Some(connected) => work(connected),
        None => Err(Error::InvalidInput(Fault {
            code: "not-connected".to_owned(),
            message: "no cluster has been chosen; call `connect` first".to_owned(),
        })),
    })
}

generated::export!(Checkpointer with_types_in generated);
