//! The pure component for calls as bytes: exports the guest's `Wire`.

#![allow(unsafe_code, reason = "the generated exports are `unsafe extern` functions")]

use std::cell::RefCell;

use langgraph_checkpoint_guest::wire::Wire;

#[allow(
    unreachable_pub,
    clippy::all,
    reason = "generated from wit/planner/wire.wit, where the documentation is"
)]
mod generated {
    wit_bindgen::generate!({
        path: ["../../wit/checkpoint", "../../wit/planner"],
        world: "langgraph:checkpoint-planner/wire-planner@0.1.0",
    });
}

use generated::exports::langgraph::checkpoint_planner::wire::Guest;

thread_local! {
    static WIRE: RefCell<Wire> = RefCell::default();
}

struct Planner;

impl Guest for Planner {
    fn open(options: Vec<u8>) -> Vec<u8> {
        WIRE.with_borrow_mut(|wire| wire.open(&options))
    }

    fn close(store: u32) {
        WIRE.with_borrow_mut(|wire| wire.close(store));
    }

    fn start(store: u32, call: Vec<u8>, at: Vec<u8>) -> Vec<u8> {
        WIRE.with_borrow_mut(|wire| wire.start(store, &call, &at))
    }

    fn advance(operation: u32, answer: Vec<u8>, at: Vec<u8>) -> Vec<u8> {
        WIRE.with_borrow_mut(|wire| wire.advance(operation, &answer, &at))
    }

    fn end(operation: u32) {
        WIRE.with_borrow_mut(|wire| wire.end(operation));
    }

    fn status(store: u32) -> Vec<u8> {
        WIRE.with_borrow(|wire| wire.status(store))
    }

    fn await_shown(store: u32, calls: Vec<u8>) -> Vec<u8> {
        WIRE.with_borrow(|wire| wire.await_shown(store, &calls))
    }

    fn login(question: Vec<u8>) -> Vec<u8> {
        WIRE.with_borrow(|wire| wire.login(&question))
    }

    fn takeover(store: u32, question: Vec<u8>) -> Vec<u8> {
        WIRE.with_borrow(|wire| wire.takeover(store, &question))
    }
}

generated::export!(Planner with_types_in generated);
