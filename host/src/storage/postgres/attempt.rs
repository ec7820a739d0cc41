//! One attempt at a batch, on one connection.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use deadpool_postgres::Object;
use langgraph_checkpoint_guest::{Access, Batch, RowSet, Value};
use tokio::time::{Instant, timeout_at};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Row};

use super::failure::Failure;
use super::values::{Column, Parameter, type_of};

/// A connection that is closed when it is dropped, unless it is given back to its pool.
pub(super) struct Attempt(Option<Object>);

impl Attempt {
    pub(super) fn new(connection: Object) -> Self {
        Self(Some(connection))
    }

    /// Runs a batch. The connection is kept if it can be used again.
    pub(super) async fn run(mut self, batch: &Batch, end: Instant) -> Result<Vec<RowSet>, Failure> {
        let writes = batch.access == Access::Write;
        let Some(client) = &self.0 else { return Err(Failure::late(writes)) };
        let ran = match timeout_at(end, run(client, batch)).await {
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
/// They have no names, because poolers do not keep those.
async fn run(client: &Client, batch: &Batch) -> Result<Vec<RowSet>, Error> {
    let queries = batch.statements.iter().flat_map(|statement| {
        statement
            .parameters
            .iter()
            .map(|parameters| (statement.text.as_str(), parameters.as_slice()))
    });
    let mut queries: Vec<(&str, &[Value])> = queries.collect();
    // One statement is a transaction of its own.
    let around = usize::from(queries.len() != 1);
    if around > 0 {
        let begin = match batch.access {
            Access::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Access::Write => "BEGIN ISOLATION LEVEL READ COMMITTED",
        };
        queries.insert(0, (begin, &[]));
        queries.push(("COMMIT", &[]));
    }
    let answers = all(queries.iter().map(|(text, values)| query(client, text, values))).await;
    // After a failure, COMMIT rolls back.
    let mut answers = answers.into_iter().skip(around);
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

async fn query(client: &Client, text: &str, values: &[Value]) -> Result<Vec<Vec<Value>>, Error> {
    let parameters: Vec<Parameter<'_>> = values.iter().map(Parameter).collect();
    let typed: Vec<(&(dyn tokio_postgres::types::ToSql + Sync), Type)> =
        parameters.iter().map(|parameter| (parameter as _, type_of(parameter.0))).collect();
    let rows = client.query_typed(text, &typed).await?;
    rows.iter().map(columns).collect()
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
