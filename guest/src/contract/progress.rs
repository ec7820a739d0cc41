//! How far an operation is: what it needs of its host, what the host answers, how it ends.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use super::http::{HttpAnswer, HttpRequest};
use super::outcome::Outcome;
use super::statement::{Batch, RowSet};

/// What an operation asks of its host.
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
    /// Let so many milliseconds pass and answer with `Answer::Waited`.
    #[cfg_attr(feature = "wasmtime", component(name = "wait"))]
    Wait(u32),
}

/// What a host answers, by the case of the need.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum Answer {
    /// One row set per statement, in order.
    #[cfg_attr(feature = "wasmtime", component(name = "sql"))]
    Sql(Vec<RowSet>),
    /// Of `Need::Http`.
    #[cfg_attr(feature = "wasmtime", component(name = "http"))]
    Http(HttpAnswer),
    /// Of `Need::Wait`.
    #[cfg_attr(feature = "wasmtime", component(name = "waited"))]
    Waited,
}

/// How far an operation is.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time is under way, and it is moved a few times"
)]
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum Progress {
    /// The host must do something and answer.
    #[cfg_attr(feature = "wasmtime", component(name = "need"))]
    Need(Need),
    /// The end.
    #[cfg_attr(feature = "wasmtime", component(name = "done"))]
    Done(Outcome),
}

/// What an operation ends in, as far as that is known before its last need is answered. A host that
/// goes by it does not advance the operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// This outcome, whatever the answer.
    Certain(Outcome),
    /// This outcome if the last statement gives rows; otherwise the operation must be advanced.
    WithRows(Outcome),
    /// An outcome that the answer decides: the operation needs nothing more.
    Answered,
}
