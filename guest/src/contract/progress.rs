//! How far an operation is: what it needs of its host, what the host answers, how it ends.

use super::http::{HttpAnswer, HttpRequest};
use super::outcome::Outcome;
use super::statement::{Batch, RowSet};

/// What an operation asks of its host.
#[derive(Clone, Debug, PartialEq)]
pub enum Need {
    /// Run a batch and answer with `Answer::Sql`.
    Sql(Batch),
    /// Send the request and answer with `Answer::Http`.
    Http(HttpRequest),
    /// Let so many milliseconds pass and answer with `Answer::Waited`.
    Wait(u32),
}

/// What a host answers, by the case of the need.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// One row set per statement, in order.
    Sql(Vec<RowSet>),
    /// Of `Need::Http`.
    Http(HttpAnswer),
    /// Of `Need::Wait`.
    Waited,
}

/// How far an operation is.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time is under way, and it is moved a few times"
)]
#[derive(Clone, Debug, PartialEq)]
pub enum Progress<T = Outcome> {
    /// The host must do something and answer.
    Need(Need),
    /// The end.
    Done(T),
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
