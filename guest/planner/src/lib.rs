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
    #[cfg(not(feature = "kusto"))]
    wit_bindgen::generate!({ path: "../../wit", world: "planner" });
    #[cfg(feature = "kusto")]
    wit_bindgen::generate!({ path: "../../wit", world: "kusto-planner" });
}

mod convert;
#[cfg(feature = "kusto")]
mod kusto;

use generated::exports::langgraph::checkpoint::operations as wit;

struct Planner;

/// The resource behind `operation`.
struct Operation(RefCell<guest::Operation>);

impl wit::Guest for Planner {
    type Operation = Operation;

    fn setup() -> Started {
        start(guest::Call::Setup)
    }

    fn get_tuple(call: wit::GetTupleCall) -> Started {
        start(guest::Call::GetTuple(call.into()))
    }

    fn list(call: wit::ListCall) -> Started {
        start(guest::Call::List(call.into()))
    }

    fn put(call: wit::PutCall) -> Started {
        start(guest::Call::Put(call.into()))
    }

    fn put_writes(call: wit::PutWritesCall) -> Started {
        start(guest::Call::PutWrites(call.into()))
    }

    fn delete_thread(thread: wit::Config) -> Started {
        start(guest::Call::DeleteThread(thread.into()))
    }

    fn delta_channel_history(call: wit::DeltaChannelHistoryCall) -> Started {
        start(guest::Call::DeltaChannelHistory(call.into()))
    }
}

type Started = Result<(wit::Operation, wit::Progress), wit::Error>;

fn start(call: guest::Call) -> Started {
    let (operation, progress) = guest::Store::Sqlite.start(call, Moment::default())?;
    Ok((wit::Operation::new(Operation(RefCell::new(operation))), progress.into()))
}

impl wit::GuestOperation for Operation {
    fn advance(&self, answer: wit::Answer) -> Result<wit::Progress, wit::Error> {
        Ok(self.0.borrow_mut().advance(answer.into())?.into())
    }
}

generated::export!(Planner with_types_in generated);
