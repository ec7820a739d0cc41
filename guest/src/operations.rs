//! One LangGraph call under way: a small state machine.
//!
//! Each operation says at its top which rounds it takes. A bound over all of them is kept here.

pub(crate) mod ask;
mod delete_thread;
mod delta_history;
mod list;
pub(crate) mod method;
mod page;
mod put;
mod put_writes;
pub(crate) mod row;
mod sizes;
mod tuples;

use crate::contract::call::Call;
use crate::contract::error::Error;
use crate::contract::outcome::Outcome;
use crate::contract::statement::{Access, Batch, RowSet, Statement};
use crate::operations::ask::Step;
use crate::stores::sqlite;

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

/// What an operation ends in, told with its last need.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// This, once the need is answered.
    Certain(Outcome),
    /// This, where the last statement gives rows; otherwise the operation goes on.
    WithRows(Outcome),
    /// One that the answer tells: the operation does not go on.
    Answered,
}

/// One call under way on an SQL store.
#[derive(Debug)]
pub struct Operation {
    state: State,
    /// How many statements each ask of the last need took; nothing after the end.
    statements: Option<Vec<usize>>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "one at a time is under way, and it is moved a few times"
)]
#[derive(Debug)]
enum State {
    /// What the tables need is SQL's own affair.
    Setup(sqlite::setup::Setup),
    Method(method::Method),
}

impl Operation {
    /// Begins a call. Bad input is refused here, before anything is executed.
    pub fn start(call: Call) -> Result<(Self, Progress), Error> {
        let mut operation;
        let progress = match method::Method::start(call)? {
            None => {
                let (setup, progress) = sqlite::setup::Setup::start();
                operation = Self { state: State::Setup(setup), statements: None };
                operation.note(progress)
            }
            Some((method, step)) => {
                operation = Self { state: State::Method(method), statements: None };
                operation.plan(step)
            }
        };
        Ok((operation, progress))
    }

    /// The outcome of the last need, as far as that can be told before it is answered. Who goes by
    /// it drops the operation.
    pub fn expected(&self) -> Result<Option<Expected>, Error> {
        match &self.state {
            State::Setup(_) => Ok(None),
            State::Method(method) => method.expected(),
        }
    }

    /// Gives the answer to the last need, gets what comes next.
    ///
    /// Call it with exactly one row set per statement, in order; never after `Done` or an error.
    pub fn advance(&mut self, answer: Answer) -> Result<Progress, Error> {
        let Answer::Sql(mut sets) = answer;
        let Some(counts) = self.statements.take() else {
            return Err(Error::protocol(
                "ended-operation",
                "an operation was advanced after its end; start another one",
            ));
        };
        let count: usize = counts.iter().sum();
        if count != sets.len() {
            return Err(Error::protocol(
                "wrong-row-sets",
                format!(
                    "an operation asked for {count} row sets and was given {}; \
                     answer each statement with one row set",
                    sets.len()
                ),
            ));
        }
        match &mut self.state {
            State::Setup(setup) => {
                let progress = setup.advance(&sets)?;
                Ok(self.note(progress))
            }
            State::Method(method) => {
                if counts.len() < sets.len() {
                    sets = last_of_each(&counts, sets);
                }
                let step = method.advance(&sets)?;
                Ok(self.plan(step))
            }
        }
    }

    /// The batch for what is asked.
    fn plan(&mut self, step: Step) -> Progress {
        let asks = match step {
            Step::Ask(asks) => asks,
            Step::Done(outcome) => return self.note(Progress::Done(outcome)),
        };
        let mut counts = Vec::with_capacity(asks.len());
        let mut access = Access::Read;
        let mut statements = Vec::new();
        for ask in asks {
            let (its, own) = sqlite::statements(ask);
            if its == Access::Write {
                access = its;
            }
            counts.push(own.len());
            statements.extend(own);
        }
        self.statements = Some(counts);
        Progress::Need(Need::Sql(Batch { access, statements }))
    }

    fn note(&mut self, progress: Progress) -> Progress {
        if let Progress::Need(Need::Sql(batch)) = &progress {
            self.statements = Some(vec![1; batch.statements.len()]);
        }
        progress
    }
}

impl Progress {
    pub(crate) fn read(statements: Vec<Statement>) -> Self {
        Self::Need(Need::Sql(Batch { access: Access::Read, statements }))
    }

    pub(crate) fn write(statements: Vec<Statement>) -> Self {
        Self::Need(Need::Sql(Batch { access: Access::Write, statements }))
    }
}

/// An ask's row set is that of its last statement.
fn last_of_each(counts: &[usize], sets: Vec<RowSet>) -> Vec<RowSet> {
    let mut sets = sets.into_iter();
    let last = |count: &usize| sets.by_ref().take(*count).last().unwrap_or_default();
    counts.iter().map(last).collect()
}

/// The row set of the ask at `index`.
pub(crate) fn set(sets: &[RowSet], index: usize) -> Result<&RowSet, Error> {
    sets.get(index).ok_or_else(|| {
        Error::protocol("wrong-row-sets", "a row set is missing; answer each statement with one")
    })
}
