//! The component `checkpointer`: the drive loop around the guest. The host's `storage` runs its
//! batches.

#![allow(unsafe_code, reason = "the generated exports are `unsafe extern` functions")]

use std::cell::RefCell;
use std::rc::Rc;

use langgraph_checkpoint_guest as guest;
use langgraph_checkpoint_guest::{
    Batch, Cache, Call, Error, HttpAnswer, HttpRequest, Moment, Outcome, PostgresOptions, RowSet,
    Store, StoreOptions, World,
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

use generated::langgraph::checkpoint::storage::{self, SqlDialect};

thread_local! {
    static CACHE: RefCell<Cache<Vec<u8>>> = RefCell::default();
    /// The store, once it has been set up.
    static STORE: RefCell<Option<Rc<Store>>> = const { RefCell::new(None) };
}

struct Checkpointer;

/// Runs a call. The first call also sets up the store; if that fails, the next call tries again.
fn run(call: Call) -> Result<Outcome, Error> {
    let ready = STORE.with_borrow(Option::clone);
    let store = match ready {
        Some(store) => store,
        None => {
            let store = Rc::new(open()?);
            guest::drive(&store, Call::Setup, &mut Host)?;
            STORE.set(Some(Rc::clone(&store)));
            store
        }
    };
    guest::drive(&store, call, &mut Host)
}

/// The store that the host has for this instance.
fn open() -> Result<Store, Error> {
    Store::open(match storage::dialect() {
        SqlDialect::Sqlite => StoreOptions::Sqlite,
        SqlDialect::Postgres(schema) => StoreOptions::Postgres(PostgresOptions { schema }),
    })
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
        message: "a call on SQL asked for a request, which is a defect; please report it"
            .to_owned(),
    })
}

generated::export!(Checkpointer with_types_in generated);
