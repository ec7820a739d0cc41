//! The workers that read.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::mpsc;

use super::execute::{control, run_statements};
use super::failure::{retry_while_busy, storage_error};
use super::worker::{Answer, Job, Worker};

/// Starts one thread for each connection; they share a queue.
pub(super) fn start(
    connections: Vec<Connection>,
    busy_deadline: Duration,
) -> Result<Worker, crate::StorageError> {
    Worker::start("checkpoint-read", |jobs| {
        let jobs = Arc::new(Mutex::new(jobs));
        connections
            .into_iter()
            .map(|connection| {
                let jobs = Arc::clone(&jobs);
                move || {
                    while let Some(job) = next(&jobs) {
                        let answer = read(&connection, &job, busy_deadline);
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

/// Runs a batch in a read transaction of its own: one consistent state of the store.
fn read(connection: &Connection, job: &Job, busy_deadline: Duration) -> Answer {
    retry_while_busy(job.queued + busy_deadline, || {
        control(connection, "BEGIN DEFERRED").map_err(storage_error)?;
        let answer = run_statements(connection, &job.batch);
        // Nothing was written, so the two ends of a transaction are the same.
        let end = control(connection, "ROLLBACK").map_err(storage_error);
        answer.and_then(|sets| end.map(|()| sets))
    })
}
