//! The loop: start a call, run what it needs, advance, until it is done.

use langgraph_checkpoint_guest::{
    Access, Answer, Batch, Call, Id, Need, Outcome, Progress, RowSet,
};
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::error::Error;
use crate::planner::{Operation, Planner};
use crate::storage::{StorageAdapter, StorageError};

/// The most rounds that an operation may take. The planner's own limit is far lower: an operation
/// that exceeds this one would never end.
const ROUNDS_MAX: usize = 10_000;

/// Drives one call to its outcome.
pub(crate) async fn drive(
    planner: &Planner,
    storage: &impl StorageAdapter,
    call: Call,
) -> Result<Outcome, Error> {
    let span = tracing::info_span!(
        "checkpoint_operation",
        call = call.name(),
        rounds = Empty,
        statements = Empty,
        code = Empty,
    );
    let outcome = run(planner, storage, call, &span).instrument(span.clone()).await;
    if let Err(error) = &outcome {
        span.record("code", error.code());
    }
    outcome
}

async fn run(
    planner: &Planner,
    storage: &impl StorageAdapter,
    call: Call,
    span: &Span,
) -> Result<Outcome, Error> {
    let thread_id = thread_of(&call).map(str::to_owned);
    let (mut operation, progress) = planner.start(&storage.dialect(), call).await?;
    let storage = Addressed { storage, thread_id };
    let outcome = advance_to_end(&mut operation, &storage, progress, span).await;
    operation.finish().await;
    outcome
}

/// The store, for one call.
struct Addressed<'a, S> {
    storage: &'a S,
    /// The thread that the call is about.
    thread_id: Option<String>,
}

impl<S: StorageAdapter> Addressed<'_, S> {
    async fn run(&self, batch: Batch) -> Result<Vec<RowSet>, StorageError> {
        match &self.thread_id {
            Some(thread_id) => self.storage.run_of_thread(thread_id, batch).await,
            None => self.storage.run(batch).await,
        }
    }
}

/// The thread that a call is about, if it is named as text.
fn thread_of(call: &Call) -> Option<&str> {
    let config = match call {
        Call::Setup
        | Call::Flush
        | Call::Prune(_)
        | Call::CopyThread(_)
        | Call::Threads(_)
        | Call::Stats(_)
        | Call::Verify(_)
        | Call::Vacuum(_)
        | Call::Export(_) => return None,
        Call::Diff(diff) => &diff.config,
        Call::GetTuple(get) => &get.config,
        Call::List(list) => &list.config,
        Call::Put(put) => &put.config,
        Call::PutWrites(put_writes) => &put_writes.config,
        Call::DeleteThread(config) => config,
        Call::DeltaChannelHistory(history) => &history.config,
    };
    match &config.thread_id {
        Id::Text(thread_id) => Some(thread_id),
        _ => None,
    }
}

async fn advance_to_end(
    operation: &mut Operation,
    storage: &Addressed<'_, impl StorageAdapter>,
    mut progress: Progress,
    span: &Span,
) -> Result<Outcome, Error> {
    let mut statements = 0;
    let mut wrote = false;
    for rounds in 0..=ROUNDS_MAX {
        let batch = match progress {
            Progress::Need(Need::Sql(batch)) => batch,
            Progress::Need(Need::Http(_) | Need::Wait(_)) => {
                return Err(Error::protocol(
                    "unexpected-need",
                    "a call on SQL asked for a request, which is a defect; please report it",
                ));
            }
            Progress::Done(outcome) => {
                span.record("rounds", rounds).record("statements", statements);
                return Ok(outcome);
            }
        };
        statements += batch.statements.len();
        let writes = batch.access == Access::Write;
        let sets = storage.run(batch).await?;
        wrote |= writes;
        progress = match operation.advance(Answer::Sql(sets)).await {
            Err(Error::Component(error)) if wrote => {
                return Err(error.with_unknown_effect().into());
            }
            advanced => advanced?,
        };
    }
    Err(Error::protocol(
        "too-many-rounds",
        "the planner asked for more rounds than any operation needs; use a component and a \
         host of the same version",
    ))
}
