//! The pure component: conversions around the guest's operations, and nothing else.

#![allow(unsafe_code, reason = "the generated exports are `unsafe extern` functions")]

use std::cell::RefCell;

use langgraph_checkpoint_guest as guest;

#[allow(
    unreachable_pub,
    clippy::all,
    reason = "generated from wit/planner.wit, where the documentation is"
)]
mod generated {
    wit_bindgen::generate!({ path: "../../wit", world: "planner" });
}

mod convert;

use generated::exports::langgraph::checkpoint::operations as wit;

struct Planner;

/// The resource behind `operation`.
struct Operation(RefCell<guest::Operation>);

impl wit::Guest for Planner {
    type Operation = Operation;

    fn start(call: wit::Call) -> Result<(wit::Operation, wit::Progress), wit::Error> {
        let (operation, progress) = guest::Operation::start(call.into())?;
        Ok((wit::Operation::new(Operation(RefCell::new(operation))), progress.into()))
    }
}

impl wit::GuestOperation for Operation {
    fn advance(&self, answer: wit::Answer) -> Result<wit::Progress, wit::Error> {
        Ok(self.0.borrow_mut().advance(answer.into())?.into())
    }
}

generated::export!(Planner with_types_in generated);
