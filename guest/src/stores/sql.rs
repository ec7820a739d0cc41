//! An operation on a store of SQL: each step's asks become one batch.

use std::fmt::Debug;

use crate::contract::call::Call;
use crate::contract::error::Error;
use crate::contract::outcome::Outcome;
use crate::contract::progress::{Answer, Expected, Need, Progress};
use crate::contract::statement::{Access, Batch, RowSet, Statement};
use crate::format::{FORMAT, newer};
use crate::operations::ask::{Ask, Step};
use crate::operations::method::{Begun, Method};
use crate::operations::row::rows;
use crate::operations::set;

/// The statements and the setup of a store of SQL. Each operation has its own.
pub(super) trait Dialect: Debug {
    /// The state of a setup.
    type Setup: Debug;

    /// Starts the setup of a store and returns its first batch.
    fn start_setup(&self) -> (Self::Setup, Batch);

    /// Takes the row sets of the last batch and returns what comes next.
    fn advance_setup(&self, setup: &mut Self::Setup, sets: &[RowSet]) -> Result<SetupStep, Error>;

    /// The statements that answer an ask, and whether they write; none if the answer came with an
    /// earlier one.
    fn statements(&mut self, ask: Ask) -> Result<(Access, Vec<Statement>), Error>;

    /// The row sets of the last asks. `sets` are those of their statements, `counts` says how many
    /// statements each ask has.
    fn answers(&mut self, counts: &[usize], sets: Vec<RowSet>) -> Result<Vec<RowSet>, Error>;
}

/// What a setup does next.
#[derive(Debug)]
pub(super) enum SetupStep {
    /// The host must run this batch.
    Need(Batch),
    /// It has ended, maybe with a warning.
    Ready(Option<String>),
}

impl SetupStep {
    /// The end of a setup. `stock` are the rows of a statement that gives one if the database has
    /// threads of LangGraph's own saver and none of ours.
    pub(super) fn ready(stock: Option<&RowSet>) -> Self {
        const WARNING: &str = "this database has threads of LangGraph's own saver and none of this \
                               package's, which reads them as new; to store them again, run: npx \
                               langgraph-checkpoint-wasm import SOURCE TARGET";
        let has_stock = stock.is_some_and(|set| !set.rows.is_empty());
        Self::Ready(has_stock.then(|| WARNING.to_owned()))
    }
}

/// One call under way.
#[derive(Debug)]
pub(super) struct Operation<D: Dialect> {
    dialect: D,
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
    pub(super) fn start(dialect: D, call: Call) -> Result<(Self, Progress), Error> {
        let begin = |dialect, state| Self { dialect, state, statements: None };
        let mut operation;
        let progress = match Method::start(call)? {
            Begun::Setup => {
                let (setup, batch) = dialect.start_setup();
                operation = begin(dialect, State::Setup(setup));
                operation.need(batch)
            }
            Begun::Flush => {
                operation = begin(dialect, State::Flush);
                Progress::Done(Outcome::Ready(None))
            }
            Begun::Method(method, step) => {
                operation = begin(dialect, State::Method(method));
                operation.plan(step)?
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
        let Answer::Sql(sets) = answer else {
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
            State::Setup(setup) => Ok(match self.dialect.advance_setup(setup, &sets)? {
                SetupStep::Need(batch) => self.need(batch),
                SetupStep::Ready(warning) => Progress::Done(Outcome::Ready(warning)),
            }),
            State::Flush => Ok(Progress::Done(Outcome::Ready(None))),
            State::Method(method) => {
                let answers = self.dialect.answers(&counts, sets)?;
                let step = method.advance(&answers)?;
                self.plan(step)
            }
        }
    }

    /// Turns a step into a batch, or into the end.
    fn plan(&mut self, mut step: Step) -> Result<Progress, Error> {
        loop {
            let asks = match step {
                Step::Ask(asks) => asks,
                Step::Done(outcome) => return Ok(Progress::Done(outcome)),
            };
            let mut counts = Vec::with_capacity(asks.len());
            let mut access = Access::Read;
            let mut statements = Vec::new();
            for ask in asks {
                let (its, own) = self.dialect.statements(ask)?;
                if its == Access::Write {
                    access = its;
                }
                counts.push(own.len());
                statements.extend(own);
            }
            if !statements.is_empty() {
                self.statements = Some(counts);
                return Ok(Progress::Need(Need::Sql(Batch { access, statements })));
            }
            let answers = self.dialect.answers(&counts, Vec::new())?;
            let State::Method(method) = &mut self.state else {
                return Err(Error::ended_operation());
            };
            step = method.advance(&answers)?;
        }
    }

    fn need(&mut self, batch: Batch) -> Progress {
        self.statements = Some(vec![1; batch.statements.len()]);
        Progress::Need(Need::Sql(batch))
    }
}

/// The row sets of the asks, if each is that of the ask's last statement.
pub(super) fn last_of_each(counts: &[usize], sets: Vec<RowSet>) -> Vec<RowSet> {
    if counts.len() == sets.len() {
        return sets;
    }
    let mut sets = sets.into_iter();
    let last = |count: &usize| sets.by_ref().take(*count).last().unwrap_or_default();
    counts.iter().map(last).collect()
}

/// Refuses a store whose format this crate does not read. The format is in the last row set.
pub(super) fn check_format(sets: &[RowSet]) -> Result<(), Error> {
    let last = sets.len().saturating_sub(1);
    let Some(mut row) = rows(set(sets, last)?, "lg_format").next() else {
        return Err(Error::corrupt(
            "missing-format",
            "table lg_format gives no row; restore the store from a copy",
        ));
    };
    let format = row.integer("format")?;
    if format < 1 {
        return Err(Error::corrupt(
            "damaged-format",
            format!("table lg_format has the format {format}, which none is; restore the store"),
        ));
    }
    if format > i64::from(FORMAT) {
        return Err(newer(format.unsigned_abs(), "the store"));
    }
    Ok(())
}
