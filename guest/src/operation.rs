//! One LangGraph call under way: a small state machine.

use crate::call::Call;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::statement::{Batch, RowSet};

/// What an operation asks of its host.
#[derive(Clone, Debug, PartialEq)]
pub enum Need {
    /// Run a batch and answer with its row sets.
    Sql(Batch),
}

/// What a host answers, by the case of the need.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// One row set per statement, in order.
    Sql(Vec<RowSet>),
}

/// How far an operation is.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// The host must do something and answer.
    Need(Need),
    /// The end.
    Done(Outcome),
}

/// One call under way.
#[derive(Debug)]
pub struct Operation {}

impl Operation {
    /// Begins a call. Bad input is refused here, before anything is executed.
    pub fn start(call: Call) -> Result<(Self, Progress), Error> {
        match call {
            _ => Err(Error::protocol("no-such-call", "not there yet")),
        }
    }

    /// Gives the answer to the last need, gets what comes next.
    ///
    /// Call it with exactly one row set per statement, in order; never after `Done` or an error.
    pub fn advance(&mut self, answer: Answer) -> Result<Progress, Error> {
        let Answer::Sql(_sets) = answer;
        Err(Error::protocol("no-such-call", "not there yet"))
    }
}
