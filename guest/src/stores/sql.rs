//! An operation on a store of SQL: each step's asks become one batch.

use std::fmt::Debug;

use crate::contract::call::Call;
use crate::contract::error::Error;
use crate::contract::outcome::Outcome;
use crate::contract::progress::{Answer, Expected, Need, Progress};
use crate::contract::statement::{Access, Batch, RowSet, Statement};
use crate::operations::ask::{Ask, Step};
use crate::operations::method::{Begun, Method};

/// The statements and the setup of a store of SQL.
pub(super) trait Dialect {
    /// The state of a setup.
    type Setup: Debug;

    /// Starts the setup of a store and returns its first batch.
    fn start_setup() -> (Self::Setup, Batch);

    /// Takes the row sets of the last batch and returns the next one; `None` if the setup is done.
    fn advance_setup(setup: &mut Self::Setup, sets: &[RowSet]) -> Result<Option<Batch>, Error>;

    /// The statements that answer an ask, and whether they write. The last statement gives the
    /// ask's row set.
    fn statements(ask: Ask) -> (Access, Vec<Statement>);
}

/// One call under way.
#[derive(Debug)]
pub(super) struct Operation<D: Dialect> {
    state: State<D>,
    /// The number of statements of each ask of the last need; `None` after the end.
    statements: Option<Vec<usize>>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "one at a time is under way, and it is moved a few times"
)]
#[derive(Debug)]
enum State<D: Dialect> {
    Setup(D::Setup),
    /// Nothing waits in a store of SQL.
    Flush,
    Method(Method),
}

impl<D: Dialect> Operation<D> {
    pub(super) fn start(call: Call) -> Result<(Self, Progress), Error> {
        let mut operation;
        let progress = match Method::start(call)? {
            Begun::Setup => {
                let (setup, batch) = D::start_setup();
                operation = Self { state: State::Setup(setup), statements: None };
                operation.need(batch)
            }
            Begun::Flush => {
                operation = Self { state: State::Flush, statements: None };
                Progress::Done(Outcome::Ready)
            }
            Begun::Method(method, step) => {
                operation = Self { state: State::Method(method), statements: None };
                operation.plan(step)
            }
        };
        Ok((operation, progress))
    }

    pub(super) fn expected(&self) -> Result<Option<Expected>, Error> {
        match &self.state {
            State::Setup(_) | State::Flush => Ok(None),
            State::Method(method) => method.expected(),
        }
    }

    pub(super) fn advance(&mut self, answer: Answer) -> Result<Progress, Error> {
        let Some(counts) = self.statements.take() else {
            return Err(Error::ended_operation());
        };
        let Answer::Sql(mut sets) = answer else {
            return Err(Error::wrong_answer());
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
            State::Setup(setup) => Ok(match D::advance_setup(setup, &sets)? {
                Some(batch) => self.need(batch),
                None => Progress::Done(Outcome::Ready),
            }),
            State::Flush => Ok(Progress::Done(Outcome::Ready)),
            State::Method(method) => {
                if counts.len() < sets.len() {
                    sets = last_of_each(&counts, sets);
                }
                let step = method.advance(&sets)?;
                Ok(self.plan(step))
            }
        }
    }

    /// Turns a step into a batch, or into the end.
    fn plan(&mut self, step: Step) -> Progress {
        let asks = match step {
            Step::Ask(asks) => asks,
            Step::Done(outcome) => return Progress::Done(outcome),
        };
        let mut counts = Vec::with_capacity(asks.len());
        let mut access = Access::Read;
        let mut statements = Vec::new();
        for ask in asks {
            let (its, own) = D::statements(ask);
            if its == Access::Write {
                access = its;
            }
            counts.push(own.len());
            statements.extend(own);
        }
        self.statements = Some(counts);
        Progress::Need(Need::Sql(Batch { access, statements }))
    }

    fn need(&mut self, batch: Batch) -> Progress {
        self.statements = Some(vec![1; batch.statements.len()]);
        Progress::Need(Need::Sql(batch))
    }
}

/// The row sets of the asks: each is that of the ask's last statement.
fn last_of_each(counts: &[usize], sets: Vec<RowSet>) -> Vec<RowSet> {
    let mut sets = sets.into_iter();
    let last = |count: &usize| sets.by_ref().take(*count).last().unwrap_or_default();
    counts.iter().map(last).collect()
}
