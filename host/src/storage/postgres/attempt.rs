//! One attempt at a batch, on one connection.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use deadpool_postgres::Object;
use futures_util::TryStreamExt;
use langgraph_checkpoint_guest::{Access, Batch, RowSet, Statement, Value};
use tokio::time::{Instant, timeout_at};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Row, RowStream, Statement as Prepared};

use super::failure::Failure;
use super::values::{Column, Parameter, type_of};
use crate::storage::StorageError;
use crate::storage::agent_limits::{AgentLimits, beyond, bytes};

/// A connection that is closed when it is dropped, unless it is given back to its pool.
pub(super) struct Attempt(Option<Object>);

impl Attempt {
    pub(super) fn new(connection: Object) -> Self {
        Self(Some(connection))
    }

    /// Runs a batch. The connection is kept if it can be used again.
    pub(super) async fn run(
        mut self,
        batch: &Batch,
        end: Instant,
        prepares: bool,
        limits: Option<&AgentLimits>,
    ) -> Result<Vec<RowSet>, Failure> {
        let writes = batch.access == Access::Write;
        let Some(client) = &self.0 else { return Err(Failure::late(writes)) };
        let ran = match timeout_at(end, run(client, batch, prepares, limits)).await {
            Ok(ran) => ran.map_err(|unanswered| match unanswered {
                Unanswered::Driver(error) => Failure::of(error, writes),
                Unanswered::Beyond(error) => Failure::beyond(error, writes),
            }),
            Err(_) => Err(Failure::late(writes)),
        };
        if ran.as_ref().map_or_else(|failure| failure.keeps_connection, |_| true) {
            drop(self.0.take());
        }
        ran
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        // What is under way on it would delay whoever gets it next.
        self.0.take().map(Object::take);
    }
}

/// Why a batch has no answer.
enum Unanswered {
    /// The server or the driver failed.
    Driver(Error),
    /// The answer of an agent's batch exceeds a limit.
    Beyond(StorageError),
}

impl From<Error> for Unanswered {
    fn from(error: Error) -> Self {
        Self::Driver(error)
    }
}

/// Runs a batch in one round trip: the statements are sent without waiting for answers.
///
/// They have no names, because poolers do not keep those, unless they are prepared.
async fn run(
    client: &Object,
    batch: &Batch,
    prepares: bool,
    limits: Option<&AgentLimits>,
) -> Result<Vec<RowSet>, Unanswered> {
    let timeout = limits.map(|limits| statement_timeout(limits.time_limit));
    let mut queries: Vec<Query<'_>> = Vec::new();
    for Statement { text, parameters } in &batch.statements {
        queries.extend(parameters.iter().map(|values| Query { text, values, prepared: None }));
    }
    // Those of a setup cannot be prepared before the others have run.
    if let [only] = queries.as_mut_slice()
        && prepares
    {
        only.prepared = Some(prepared(client, only.text, only.values).await?);
    }
    let mut begin = Vec::new();
    // One statement is a transaction of its own.
    if queries.len() != 1 || limits.is_some() {
        begin.push(Query::without_values(match batch.access {
            Access::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Access::Write => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }));
        begin.extend(timeout.as_deref().map(Query::without_values));
        queries.push(Query::without_values("COMMIT"));
    }
    let before = begin.len();
    queries.splice(0..0, begin);
    let budget = limits.map(Budget::of);
    let budget = budget.as_ref();
    let answers = all(queries.iter().map(|query| query.run(client, budget))).await;
    // After a failure, COMMIT rolls back. Without BEGIN, each statement was a transaction, and the
    // batch has to be repeated.
    let mut answers = answers.map_err(Unanswered::Beyond)?.into_iter();
    answers.by_ref().take(before).try_for_each(|begun| begun.map(|_| ()))?;
    let mut sets = Vec::with_capacity(batch.statements.len());
    for statement in &batch.statements {
        let mut rows = Vec::new();
        for answer in answers.by_ref().take(statement.parameters.len()) {
            rows.extend(answer?);
        }
        sets.push(RowSet { rows });
    }
    answers.try_for_each(|answer| answer.map(|_| ()))?;
    Ok(sets)
}

/// The statement that ends those after it in its transaction, which poolers pass on: the server
/// itself notices late that nobody waits for an answer.
fn statement_timeout(limit: Duration) -> String {
    let milliseconds = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX).max(1);
    format!("SET LOCAL statement_timeout = {milliseconds}")
}

/// At most about this many statements stay prepared, so that a session does not grow.
const PREPARED_MAX: usize = 64;

/// The statement with this text, which the connection keeps.
async fn prepared(client: &Object, text: &str, values: &[Value]) -> Result<Prepared, Error> {
    if client.statement_cache.size() > PREPARED_MAX {
        client.statement_cache.clear();
    }
    let types: Vec<Type> = values.iter().map(type_of).collect();
    client.prepare_typed_cached(text, &types).await
}

/// One run of a statement.
struct Query<'a> {
    text: &'a str,
    values: &'a [Value],
    prepared: Option<Prepared>,
}

impl<'a> Query<'a> {
    fn without_values(text: &'a str) -> Self {
        Self { text, values: &[], prepared: None }
    }

    async fn run(
        &self,
        client: &Client,
        budget: Option<&Budget>,
    ) -> Result<Vec<Vec<Value>>, Unanswered> {
        let mut answer = pin!(self.start(client).await?);
        let mut rows = Vec::new();
        while let Some(row) = answer.try_next().await? {
            budget.map_or(Ok(()), |budget| budget.take(&row)).map_err(Unanswered::Beyond)?;
            rows.push(columns(&row)?);
        }
        Ok(rows)
    }

    async fn start(&self, client: &Client) -> Result<RowStream, Error> {
        let values = self.values.iter();
        match &self.prepared {
            Some(prepared) => client.query_raw(prepared, values.map(Parameter)).await,
            None => {
                let typed = values.map(|value| (Parameter(value), type_of(value)));
                client.query_typed_raw(self.text, typed).await
            }
        }
    }
}

/// What an agent's batch may still return.
struct Budget {
    limits: AgentLimits,
    rows: AtomicUsize,
    bytes: AtomicUsize,
}

impl Budget {
    fn of(limits: &AgentLimits) -> Self {
        let AgentLimits { rows_max, answer_bytes_max, .. } = *limits;
        Self { limits: *limits, rows: rows_max.into(), bytes: answer_bytes_max.into() }
    }

    /// Refuses a row that is too much.
    fn take(&self, row: &Row) -> Result<(), StorageError> {
        let row_bytes = row.len() * bytes(0) + row.raw_size_bytes();
        for (left, taken, name, max) in [
            (&self.rows, 1, "rows_max", self.limits.rows_max),
            (&self.bytes, row_bytes, "answer_bytes_max", self.limits.answer_bytes_max),
        ] {
            let less = |left: usize| left.checked_sub(taken);
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
                .map_err(|_| beyond(name, max))?;
        }
        Ok(())
    }
}

fn columns(row: &Row) -> Result<Vec<Value>, Error> {
    (0..row.len()).map(|at| row.try_get(at).map(|Column(value)| value)).collect()
}

/// A query under way, or what it gave.
enum Sent<T, F> {
    Waiting(Pin<Box<F>>),
    Answered(Result<T, Error>),
}

/// What all futures give, which are polled in order: the first poll sends a query. Fails as soon as
/// one of them exceeds a limit.
async fn all<T, F: Future<Output = Result<T, Unanswered>>>(
    futures: impl Iterator<Item = F>,
) -> Result<Vec<Result<T, Error>>, StorageError> {
    let mut queries: Vec<_> = futures.map(|future| Sent::Waiting(Box::pin(future))).collect();
    poll_fn(|context| {
        let mut is_ready = true;
        for query in &mut queries {
            let Sent::Waiting(future) = query else { continue };
            match future.as_mut().poll(context) {
                Poll::Ready(Ok(answer)) => *query = Sent::Answered(Ok(answer)),
                Poll::Ready(Err(Unanswered::Driver(error))) => *query = Sent::Answered(Err(error)),
                Poll::Ready(Err(Unanswered::Beyond(error))) => return Poll::Ready(Err(error)),
                Poll::Pending => is_ready = false,
            }
        }
        if is_ready { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .await?;
    let answer = |query| match query {
        Sent::Answered(answer) => Some(answer),
        Sent::Waiting(_) => None,
    };
    Ok(queries.into_iter().filter_map(answer).collect())
}
