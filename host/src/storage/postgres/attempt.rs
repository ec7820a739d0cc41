//! One attempt at a batch, on one connection.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use deadpool_postgres::Object;
use langgraph_checkpoint_guest::{Access, Batch, RowSet, Statement, Value};
use tokio::time::{Instant, timeout_at};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row, Statement as Prepared};

use super::failure::Failure;
use super::values::{Column, Parameter, type_of};

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
    ) -> Result<Vec<RowSet>, Failure> {
        let writes = batch.access == Access::Write;
        let Some(client) = &self.0 else { return Err(Failure::late(writes)) };
        let ran = match timeout_at(end, run(client, batch, prepares)).await {
            Ok(ran) => ran.map_err(|error| Failure::of(error, writes)),
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

/// Runs a batch in one round trip: the statements are sent without waiting for answers.
///
/// They have no names, because poolers do not keep those, unless they are prepared.
async fn run(client: &Object, batch: &Batch, prepares: bool) -> Result<Vec<RowSet>, Error> {
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
    // One statement is a transaction of its own.
    let around = usize::from(queries.len() != 1);
    if around > 0 {
        let begin = match batch.access {
            Access::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Access::Write => "BEGIN ISOLATION LEVEL READ COMMITTED",
        };
        let [begin, commit] = [begin, "COMMIT"].map(Query::without_values);
        queries.insert(0, begin);
        queries.push(commit);
    }
    let answers = all(queries.iter().map(|query| query.run(client))).await;
    // After a failure, COMMIT rolls back. Without BEGIN, each statement was a transaction, and the
    // batch has to be repeated.
    let mut answers = answers.into_iter();
    answers.by_ref().take(around).try_for_each(|begun| begun.map(|_| ()))?;
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

    async fn run(&self, client: &Client) -> Result<Vec<Vec<Value>>, Error> {
        let parameters: Vec<Parameter<'_>> = self.values.iter().map(Parameter).collect();
        let rows = if let Some(prepared) = &self.prepared {
            let values: Vec<&(dyn ToSql + Sync)> =
                parameters.iter().map(|parameter| parameter as _).collect();
            client.query(prepared, &values).await?
        } else {
            let typed: Vec<(&(dyn ToSql + Sync), Type)> =
                parameters.iter().map(|parameter| (parameter as _, type_of(parameter.0))).collect();
            client.query_typed(self.text, &typed).await?
        };
        rows.iter().map(columns).collect()
    }
}

fn columns(row: &Row) -> Result<Vec<Value>, Error> {
    (0..row.len()).map(|at| row.try_get(at).map(|Column(value)| value)).collect()
}

/// What all futures give, which are polled in order: the first poll sends a query.
async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<Result<F::Output, Pin<Box<F>>>> =
        futures.map(|future| Err(Box::pin(future))).collect();
    poll_fn(|context| {
        let mut is_ready = true;
        for one in &mut waiting {
            if let Err(future) = one {
                match future.as_mut().poll(context) {
                    Poll::Ready(output) => *one = Ok(output),
                    Poll::Pending => is_ready = false,
                }
            }
        }
        if is_ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    waiting.into_iter().filter_map(Result::ok).collect()
}
