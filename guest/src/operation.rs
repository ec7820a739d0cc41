//! One LangGraph call under way: a small state machine.
//!
//! Each operation says at its top which rounds it takes. A bound over all of them is kept here.

mod delete_thread;
mod delta_history;
mod list;
mod put;
mod put_writes;
mod setup;
mod tuples;

use crate::call::Call;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::statement::{Access, Batch, RowSet, Statement};

/// More rounds than any operation can need: twice the levels a value can have, and some.
const ROUNDS_MAX: usize = 256;

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
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time is under way, and it is moved a few times"
)]
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// The host must do something and answer.
    Need(Need),
    /// The end.
    Done(Outcome),
}

/// One call under way.
#[derive(Debug)]
pub struct Operation {
    state: State,
    /// How many statements the last need had; nothing after the end.
    statements: Option<usize>,
    rounds: usize,
}

/// The operations.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time is under way, and it is moved a few times"
)]
#[derive(Debug)]
enum State {
    Setup(setup::Setup),
    List(list::List),
    Put(put::Put),
    PutWrites(put_writes::PutWrites),
    DeleteThread(delete_thread::DeleteThread),
    DeltaHistory(delta_history::DeltaHistory),
}

impl Operation {
    /// Begins a call. Bad input is refused here, before anything is executed.
    pub fn start(call: Call) -> Result<(Self, Progress), Error> {
        let (state, progress) = match call {
            Call::Setup => setup::Setup::start().map(|(s, p)| (State::Setup(s), p)),
            Call::GetTuple(call) => {
                list::List::start_get_tuple(&call).map(|(s, p)| (State::List(s), p))
            }
            Call::List(call) => list::List::start(call).map(|(s, p)| (State::List(s), p)),
            Call::Put(call) => put::Put::start(call).map(|(s, p)| (State::Put(s), p)),
            Call::PutWrites(call) => {
                put_writes::PutWrites::start(call).map(|(s, p)| (State::PutWrites(s), p))
            }
            Call::DeleteThread(config) => delete_thread::DeleteThread::start(&config)
                .map(|(s, p)| (State::DeleteThread(s), p)),
            Call::DeltaChannelHistory(call) => {
                delta_history::DeltaHistory::start(call).map(|(s, p)| (State::DeltaHistory(s), p))
            }
        }?;
        let mut operation = Self { state, statements: None, rounds: 0 };
        operation.note(&progress);
        Ok((operation, progress))
    }

    /// Gives the answer to the last need, gets what comes next.
    ///
    /// Call it with exactly one row set per statement, in order; never after `Done` or an error.
    pub fn advance(&mut self, answer: Answer) -> Result<Progress, Error> {
        let Answer::Sql(sets) = answer;
        match self.statements.take() {
            None => {
                return Err(Error::protocol(
                    "ended-operation",
                    "an operation was advanced after its end; start another one",
                ));
            }
            Some(count) if count != sets.len() => {
                return Err(Error::protocol(
                    "wrong-row-sets",
                    format!(
                        "an operation asked for {count} row sets and was given {}; \
                         answer each statement with one row set",
                        sets.len()
                    ),
                ));
            }
            Some(_) if self.rounds >= ROUNDS_MAX => {
                return Err(Error::corrupt(
                    "endless-value",
                    format!("a value has not ended after {ROUNDS_MAX} rounds; restore the store"),
                ));
            }
            Some(_) => {}
        }
        let progress = match &mut self.state {
            State::Setup(setup) => setup.advance(&sets),
            State::List(list) => list.advance(&sets),
            State::Put(put) => put.advance(&sets),
            State::PutWrites(put_writes) => put_writes.advance(),
            State::DeleteThread(delete_thread) => delete_thread.advance(),
            State::DeltaHistory(history) => history.advance(&sets),
        }?;
        self.note(&progress);
        Ok(progress)
    }

    fn note(&mut self, progress: &Progress) {
        self.rounds += 1;
        self.statements = match progress {
            Progress::Need(Need::Sql(batch)) => Some(batch.statements.len()),
            Progress::Done(_) => None,
        };
    }
}

impl Progress {
    fn read(statements: Vec<Statement>) -> Self {
        Self::Need(Need::Sql(Batch { access: Access::Read, statements }))
    }

    fn write(statements: Vec<Statement>) -> Self {
        Self::Need(Need::Sql(Batch { access: Access::Write, statements }))
    }
}

/// The row set of the statement at `index`; `advance` has counted them.
fn set(sets: &[RowSet], index: usize) -> Result<&RowSet, Error> {
    sets.get(index).ok_or_else(|| {
        Error::protocol("wrong-row-sets", "a row set is missing; answer each statement with one")
    })
}
