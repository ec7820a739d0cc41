//! The batches of each thread, in the order in which they came.
//!
//! Writers of one thread wait for each other on the server. They wait here instead, where they hold
//! no connection, and those that have gathered by the time that the one before them ends are one
//! transaction, with one round trip and one wait for the disk.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use langgraph_checkpoint_guest::{Access, Batch, RowSet, Value};
use tokio::runtime::Handle;
use tokio::sync::oneshot::{self, Sender};
use tokio::time::timeout;

use super::failure::Failure;
use super::server::Server;
use crate::storage::{StorageError, StorageErrorKind, Stored};

/// How many batches are one transaction at most.
const TOGETHER_MAX: usize = 256;
/// A transaction with more bytes than this has the batch of one call.
const TOGETHER_BYTES_MAX: usize = 1_000_000;

type Answer = Result<Vec<RowSet>, StorageError>;

/// A server, and by thread what waits for the batch under way.
pub(super) struct Lanes {
    server: Server,
    waiting: Mutex<HashMap<String, VecDeque<Job>>>,
}

/// A batch that waits.
struct Job {
    batch: Batch,
    bytes: usize,
    answer: Sender<Answer>,
}

impl Lanes {
    pub(super) fn new(server: Server) -> Self {
        Self { server, waiting: Mutex::default() }
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// Runs a batch of a thread after those before it. A read waits only for writes. The deadline
    /// includes the wait.
    pub(super) async fn run(self: &Arc<Self>, thread_id: &str, batch: Batch) -> Answer {
        let writes = batch.access == Access::Write;
        let waiting = {
            let mut lanes = self.lock();
            match lanes.get_mut(thread_id) {
                Some(lane) => {
                    let (answer, answered) = oneshot::channel();
                    let bytes = bytes_of(&batch);
                    lane.push_back(Job { batch, bytes, answer });
                    Err(answered)
                }
                None if !writes => Ok((batch, None)),
                None => {
                    lanes.insert(thread_id.to_owned(), VecDeque::new());
                    let first = First {
                        lanes: Arc::clone(self),
                        thread_id: thread_id.to_owned(),
                        runtime: Handle::current(),
                    };
                    Ok((batch, Some(first)))
                }
            }
        };
        match waiting {
            Ok((batch, first)) => {
                let answer = self.server.run(&batch).await;
                drop(first);
                answer
            }
            Err(answered) => match timeout(self.server.deadline(), answered).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => {
                    let message = "the runtime ended before the batch was run";
                    Err(StorageError::new(StorageErrorKind::Closed, message))
                }
                Err(_) => Err(Failure::late(writes).error),
            },
        }
    }

    /// Takes what is run next: one batch, or several that write, without those that nobody waits
    /// for. Ends the lane if there is none.
    fn next(&self, thread_id: &str) -> Vec<Job> {
        let mut lanes = self.lock();
        let Some(lane) = lanes.get_mut(thread_id) else { return Vec::new() };
        lane.retain(|job| !job.answer.is_closed());
        let mut jobs = Vec::from_iter(lane.pop_front());
        let Some(first) = jobs.first() else {
            lanes.remove(thread_id);
            return jobs;
        };
        let mut bytes = first.bytes;
        if first.batch.access == Access::Read {
            return jobs;
        }
        while let Some(job) = lane.front()
            && job.batch.access == Access::Write
            && bytes + job.bytes <= TOGETHER_BYTES_MAX
            && jobs.len() < TOGETHER_MAX
        {
            bytes += job.bytes;
            jobs.extend(lane.pop_front());
        }
        jobs
    }

    /// Held for a moment, and never while something waits.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, VecDeque<Job>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The batch that the others of its thread wait for. They are run when it ends, or is given up.
struct First {
    lanes: Arc<Lanes>,
    thread_id: String,
    runtime: Handle,
}

impl Drop for First {
    fn drop(&mut self) {
        let jobs = self.lanes.next(&self.thread_id);
        if jobs.is_empty() {
            return;
        }
        let (lanes, thread_id) = (Arc::clone(&self.lanes), self.thread_id.clone());
        self.runtime.spawn(async move {
            let mut jobs = jobs;
            while !jobs.is_empty() {
                run_together(&lanes.server, jobs).await;
                jobs = lanes.next(&thread_id);
            }
        });
    }
}

/// Runs batches as one.
async fn run_together(server: &Server, jobs: Vec<Job>) {
    let Some(access) = jobs.first().map(|job| job.batch.access) else { return };
    let mut waiting = Vec::with_capacity(jobs.len());
    let mut together = Batch { access, statements: Vec::new() };
    for Job { batch, answer, .. } in jobs {
        waiting.push((batch.statements.len(), answer));
        together.statements.extend(batch.statements);
    }
    // A caller that gave up hears nothing.
    match server.run(&together).await {
        Ok(sets) => {
            let mut sets = sets.into_iter();
            for (count, answer) in waiting {
                let _ = answer.send(Ok(sets.by_ref().take(count).collect()));
            }
        }
        // One of them may have made the others fail: only that one shall.
        Err(error) if waiting.len() > 1 && is_of_one(&error) => {
            let mut statements = together.statements.into_iter();
            for (count, answer) in waiting {
                let statements = statements.by_ref().take(count).collect();
                let _ = answer.send(server.run(&Batch { access, statements }).await);
            }
        }
        Err(error) => {
            for (_, answer) in waiting {
                let _ = answer.send(Err(error.clone()));
            }
        }
    }
}

/// Whether a failure is about one statement, and not about the server.
fn is_of_one(error: &StorageError) -> bool {
    use StorageErrorKind::{Damaged, Failed, TooLarge};
    matches!(error.kind(), Damaged | Failed | TooLarge) && error.stored() == Stored::Nothing
}

/// About how many bytes a batch binds.
fn bytes_of(batch: &Batch) -> usize {
    let values =
        batch.statements.iter().flat_map(|statement| statement.parameters.iter().flatten());
    values
        .map(|value| match value {
            Value::Text(text) => text.len(),
            Value::Blob(bytes) => bytes.len(),
            _ => 0,
        })
        .sum()
}
