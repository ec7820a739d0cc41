//! The workers that read.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use langgraph_checkpoint_guest::Batch;
use tokio::sync::mpsc;

use super::execute::Session;
use super::failure::{retry_while_busy, storage_error};
use super::worker::{Answer, Job, Worker};
use crate::storage::StorageError;

/// Starts one thread for each session; they share a queue.
pub(super) fn start(
    sessions: Vec<Session>,
    busy_deadline: Duration,
) -> Result<Worker, StorageError> {
    Worker::start("checkpoint-read", |jobs| {
        let jobs = Arc::new(Mutex::new(jobs));
        sessions
            .into_iter()
            .map(|session| {
                let jobs = Arc::clone(&jobs);
                move || {
                    while let Some(job) = next(&jobs) {
                        let answer = read(&session, &job.batch, job.queued, busy_deadline);
                        job.answer(answer);
                    }
                }
            })
            .collect()
    })
}

/// The next job, for whichever thread holds the lock while it waits.
fn next(jobs: &Mutex<mpsc::Receiver<Job>>) -> Option<Job> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv()
}

/// Runs a batch in its own read transaction, on one consistent state of the store.
pub(super) fn read(
    session: &Session,
    batch: &Batch,
    queued: Instant,
    busy_deadline: Duration,
) -> Answer {
    retry_while_busy(queued + busy_deadline, || {
        session.control("BEGIN DEFERRED").map_err(storage_error)?;
        let answer = session.run(batch, queued);
        // A result or failure from another file's pages says nothing about this one.
        let answer = session.check_files().and(answer);
        if session.is_autocommit() {
            // SQLite has ended the transaction itself, as it does on some failures.
            return answer;
        }
        // Nothing was written, so rollback and commit are the same.
        let end = session.control("ROLLBACK").map_err(storage_error);
        answer.and_then(|sets| end.map(|()| sets))
    })
}
