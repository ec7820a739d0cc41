//! The pure component of the JavaScript package: bytes in, bytes out.

#![allow(unsafe_code, reason = "the generated exports are `unsafe extern` functions")]

use std::cell::RefCell;

use langgraph_checkpoint_guest::wire::Packed;

#[allow(
    unreachable_pub,
    clippy::all,
    reason = "generated from wit/planner.wit, where the documentation is"
)]
mod generated {
    wit_bindgen::generate!({ path: "../../wit", world: "packed-planner" });
}

use generated::exports::langgraph::checkpoint::packed::Guest;

thread_local! {
    static PACKED: RefCell<Packed> = RefCell::default();
}

struct Planner;

impl Guest for Planner {
    fn start(calls: Vec<Vec<u8>>) -> Vec<u8> {
        PACKED.with_borrow_mut(|packed| packed.start(&calls))
    }

    fn advance(operation: u32, row_sets: Vec<u8>) -> Vec<u8> {
        PACKED.with_borrow_mut(|packed| packed.advance(operation, &row_sets))
    }

    fn end(operation: u32) {
        PACKED.with_borrow_mut(|packed| packed.end(operation));
    }
}

generated::export!(Planner with_types_in generated);
