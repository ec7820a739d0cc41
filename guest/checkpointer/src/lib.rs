//! The component `checkpointer`: the drive loop around the guest. The host's `storage` runs its
//! batches.

#![allow(unsafe_code, reason = "the generated exports are `unsafe extern` functions")]

use std::cell::{Cell, RefCell};

use langgraph_checkpoint_guest as guest;
use langgraph_checkpoint_guest::{
    Batch, Cache, Call, Error, HttpAnswer, HttpRequest, Moment, Outcome, RowSet, Store, World,
};

#[allow(
    unreachable_pub,
    clippy::all,
    reason = "generated from wit/checkpoint, where the documentation is"
)]
mod generated {
    wit_bindgen::generate!({
        path: "../../wit/checkpoint",
        world: "checkpointer-sql",
        with: { "langgraph:checkpoint/types@0.1.0": langgraph_checkpoint_guest::wit::types },
    });
}

mod calls;

use generated::langgraph::checkpoint::storage;

thread_local! {
    static CACHE: RefCell<Cache<Vec<u8>>> = RefCell::default();
    /// Whether the store has been set up.
    static READY: Cell<bool> = const { Cell::new(false) };
}

struct Checkpointer;

/// Runs a call. The first call also sets up the store; if that fails, the next call tries again.
fn run(call: Call) -> Result<Outcome, Error> {
    if !READY.get() {
        guest::drive(&Store::Sqlite, Call::Setup, &mut Host)?;
        READY.set(true);
    }
    guest::drive(&Store::Sqlite, call, &mut Host)
}

/// What this component imports.
struct Host;

impl World for Host {
    fn sql(&mut self, batch: Batch) -> Result<Vec<RowSet>, Error> {
        storage::run(&batch).map_err(Error::Storage)
    }

    fn http(&mut self, _: HttpRequest) -> Result<HttpAnswer, Error> {
        Err(needs_sql_alone())
    }

    fn wait(&mut self, _: u32) {}

    fn moment(&mut self) -> Moment {
        Moment::default()
    }
}

fn needs_sql_alone() -> Error {
    Error::Protocol(guest::Fault {
        code: "unexpected-need".to_owned(),
        message: "a call on SQLite asked for a request, which is a defect; please report it"
            .to_owned(),
    })
}

generated::export!(Checkpointer with_types_in generated);
