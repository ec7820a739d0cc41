//! The state of an operation: what it needs from its host, what the host answers, and how it ends.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use super::http::{HttpAnswer, HttpRequest};
use super::outcome::Outcome;
use super::statement::{Batch, RowSet};

/// What an operation needs from its host.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum Need {
    /// Run a batch and answer with `Answer::Sql`.
    #[cfg_attr(feature = "wasmtime", component(name = "sql"))]
    Sql(Batch),
    /// Send the request and answer with `Answer::Http`.
    #[cfg_attr(feature = "wasmtime", component(name = "http"))]
    Http(HttpRequest),
    /// Let this many milliseconds pass and answer with `Answer::Waited`.
    #[cfg_attr(feature = "wasmtime", component(name = "wait"))]
    Wait(u32),
}

/// A host's answer. Its case matches the case of the need.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum Answer {
    /// One row set per statement, in order.
    #[cfg_attr(feature = "wasmtime", component(name = "sql"))]
    Sql(Vec<RowSet>),
    /// The answer to `Need::Http`.
    #[cfg_attr(feature = "wasmtime", component(name = "http"))]
    Http(HttpAnswer),
    /// The answer to `Need::Wait`.
    #[cfg_attr(feature = "wasmtime", component(name = "waited"))]
    Waited,
}

/// The state of an operation.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time is under way, and it is moved a few times"
)]
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum Progress {
    /// The operation needs something from the host, and an answer.
    #[cfg_attr(feature = "wasmtime", component(name = "need"))]
    Need(Need),
    /// The operation has ended.
    #[cfg_attr(feature = "wasmtime", component(name = "done"))]
    Done(Outcome),
}

/// What an operation will end in, if that is known before its last need is answered. A host that
/// uses the prediction must drop the operation instead of advancing it.
///
/// Without predictions, a superstep takes 4 to 6 % longer in JavaScript.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// This outcome, whatever the answer.
    Certain(Outcome),
    /// This outcome if the last statement gives rows; otherwise the operation must be advanced.
    WithRows(Outcome),
    /// The answer ends the operation and decides the outcome: advance it once more.
    Answered,
}
