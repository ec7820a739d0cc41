//! The worker that writes: group commit.
//!
//! The first waiting batch takes the write lock; every batch that waits by then joins its
//! transaction. Each runs in a savepoint, so a failing batch undoes nothing of the others. No batch
//! is answered before the commit.

use std::time::Duration;

use super::execute::Session;
use super::failure::{commit_error, retry_while_busy, storage_error};
use super::worker::{Answer, Job, Worker};
use crate::storage::StorageError;

/// How many batches may share a transaction.
const GROUP_MAX: usize = 64;

/// Starts the one thread that writes.
pub(super) fn start(session: Session, busy_deadline: Duration) -> Result<Worker, StorageError> {
    let writer = Writer::new(session, busy_deadline);
    Worker::start("checkpoint-write", |mut jobs| {
        vec![move || {
            while let Some(first) = jobs.blocking_recv() {
                let mut first = Some(first);
                writer.work(|| first.take().or_else(|| jobs.try_recv().ok()));
            }
        }]
    })
}

/// Writes on one connection.
pub(super) struct Writer {
    session: Session,
    busy_deadline: Duration,
}

impl Writer {
    pub(super) fn new(session: Session, busy_deadline: Duration) -> Self {
        Self { session, busy_deadline }
    }

    /// Runs a group of the jobs that `next` gives, and answers them.
    pub(super) fn work(&self, mut next: impl FnMut() -> Option<Job>) {
        let Some(first) = next() else { return };
        if let Err(error) = self.begin(&first) {
            return first.answer(Err(error));
        }
        let mut group = vec![first];
        while group.len() < GROUP_MAX
            && let Some(job) = next()
        {
            group.push(job);
        }
        self.run_group(group);
    }

    fn begin(&self, job: &Job) -> Result<(), StorageError> {
        retry_while_busy(job.queued + self.busy_deadline, || {
            self.session.keep_log()?;
            self.session.control("BEGIN IMMEDIATE").map_err(storage_error)
        })
    }

    /// Runs a group in the open transaction, commits and answers.
    fn run_group(&self, group: Vec<Job>) {
        match self.commit_group(&group) {
            Ok(answers) => {
                for (job, answer) in group.into_iter().zip(answers) {
                    job.answer(answer);
                }
            }
            // One batch may have made the transaction fail (too much for the disk, a deferred
            // constraint). Run alone, each gets its own result. Batches may be repeated.
            Err(_) if group.len() > 1 => {
                for job in group {
                    match self.begin(&job) {
                        Ok(()) => self.run_group(vec![job]),
                        Err(error) => job.answer(Err(error)),
                    }
                }
            }
            Err(error) => {
                if let Some(job) = group.into_iter().next() {
                    job.answer(Err(error));
                }
            }
        }
    }

    /// Runs a group and commits. Returns the answers; after an error the transaction is rolled
    /// back.
    fn commit_group(&self, group: &[Job]) -> Result<Vec<Answer>, StorageError> {
        let committed = self.run_savepoints(group).and_then(|answers| {
            let deadline = std::time::Instant::now() + self.busy_deadline;
            retry_while_busy(deadline, || self.session.control("COMMIT").map_err(commit_error))?;
            Ok(answers)
        });
        // SQLite itself rolls back on some failures; then no transaction is open.
        if committed.is_err() && !self.session.is_autocommit() {
            self.session.control("ROLLBACK").map_err(storage_error)?;
        }
        // Commits to a deleted file are lost.
        self.session.check_files().map_err(StorageError::with_unknown_effect)?;
        committed
    }

    /// Runs each batch inside a savepoint. An error means that the transaction is lost.
    fn run_savepoints(&self, group: &[Job]) -> Result<Vec<Answer>, StorageError> {
        if let [job] = group {
            // The transaction is its own.
            return self.session.run(&job.batch, job.queued).map(|sets| vec![Ok(sets)]);
        }
        let mut answers = Vec::with_capacity(group.len());
        for job in group {
            self.session.control("SAVEPOINT batch").map_err(storage_error)?;
            let answer = self.session.run(&job.batch, job.queued);
            if answer.is_err() {
                if self.session.is_autocommit() {
                    return answer.map(|_| Vec::new());
                }
                self.session.control("ROLLBACK TO batch").map_err(storage_error)?;
            }
            self.session.control("RELEASE batch").map_err(storage_error)?;
            answers.push(answer);
        }
        Ok(answers)
    }
}
