//! The pure component: exports the guest's stores and operations as resources.

#![allow(unsafe_code, reason = "the generated exports are `unsafe extern` functions")]

use std::cell::RefCell;

use langgraph_checkpoint_guest as guest;

#[allow(
    unreachable_pub,
    clippy::all,
    reason = "generated from wit/planner, where the documentation is"
)]
mod generated {
    wit_bindgen::generate!({
        path: ["../../wit/checkpoint", "../../wit/planner"],
        world: "langgraph:checkpoint-planner/pure-planner@0.1.0",
        with: {
            "langgraph:checkpoint/types@0.1.0": langgraph_checkpoint_guest::wit::types,
            "langgraph:checkpoint-planner/planner-types@0.1.0":
                langgraph_checkpoint_guest::wit::planner_types,
        },
    });
}

use generated::exports::langgraph::checkpoint_planner::planner as wit;

struct Planner;

/// The resource behind `store`.
struct Store(guest::Store);

/// The resource behind `operation`.
struct Operation(RefCell<guest::Operation>);

impl wit::Guest for Planner {
    type Operation = Operation;
    type Store = Store;
}

impl wit::GuestStore for Store {
    fn open(options: wit::StoreOptions) -> Result<wit::Store, guest::Error> {
        let options = match options {
            wit::StoreOptions::Sqlite => guest::StoreOptions::Sqlite,
            wit::StoreOptions::Postgres(wit::PostgresOptions { schema }) => {
                guest::StoreOptions::Postgres(guest::PostgresOptions { schema })
            }
        };
        Ok(wit::Store::new(Self(guest::Store::open(options)?)))
    }

    fn start(
        &self,
        call: guest::Call,
        at: guest::Moment,
    ) -> Result<(wit::Operation, guest::Progress), guest::Error> {
        let (operation, progress) = self.0.start(call, at)?;
        Ok((wit::Operation::new(Operation(RefCell::new(operation))), progress))
    }
}

impl wit::GuestOperation for Operation {
    fn advance(
        &self,
        answer: guest::Answer,
        at: guest::Moment,
    ) -> Result<guest::Progress, guest::Error> {
        self.0.borrow_mut().advance(answer, at)
    }
}

generated::export!(Planner with_types_in generated);
