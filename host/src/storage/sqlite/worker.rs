//! Batches that wait, and OS threads that own connections and take batches from a queue.

use std::thread::JoinHandle;
use std::time::Instant;

use langgraph_checkpoint_guest::{Access, Batch, RowSet};
use tokio::sync::{mpsc, oneshot};

use crate::storage::{StorageError, StorageErrorKind};

/// How many batches a queue holds. Callers of further batches wait for room.
const QUEUE_MAX: usize = 1024;

/// What a worker answers.
pub(super) type Answer = Result<Vec<RowSet>, StorageError>;

/// What the caller of a batch is told.
pub(super) enum Reply {
    Answer(Answer),
    /// It has to run the batch itself, which was queued then.
    Lead(Batch, Instant),
}

/// A batch that waits.
pub(super) struct Job {
    pub(super) batch: Batch,
    /// When it was queued; the deadline for locks counts from then.
    pub(super) queued: Instant,
    reply: oneshot::Sender<Reply>,
}

impl Job {
    /// A batch, and what its caller waits for.
    pub(super) fn new(batch: Batch, queued: Instant) -> (Self, oneshot::Receiver<Reply>) {
        let (reply, receiver) = oneshot::channel();
        (Self { batch, queued, reply }, receiver)
    }

    /// Answers the caller, who may have stopped waiting.
    pub(super) fn answer(self, answer: Answer) {
        let _ = self.reply.send(Reply::Answer(answer));
    }

    /// Has the caller run the batch. Returns it if the caller has stopped waiting.
    pub(super) fn lead(self) -> Option<(Batch, Instant)> {
        match self.reply.send(Reply::Lead(self.batch, self.queued)) {
            Err(Reply::Lead(batch, queued)) => Some((batch, queued)),
            Err(Reply::Answer(_)) | Ok(()) => None,
        }
    }
}

/// Threads that share a queue.
#[derive(Debug)]
pub(super) struct Worker {
    /// Taken on drop, which closes the queue.
    queue: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Worker {
    /// Starts one thread for each body; a body receives jobs until its queue is closed.
    pub(super) fn start<B>(
        name: &str,
        bodies: impl FnOnce(mpsc::Receiver<Job>) -> Vec<B>,
    ) -> Result<Self, StorageError>
    where
        B: FnOnce() + Send + 'static,
    {
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let mut worker = Self { queue: Some(queue), threads: Vec::new() };
        for body in bodies(jobs) {
            let thread =
                std::thread::Builder::new().name(name.to_owned()).spawn(body).map_err(|error| {
                    StorageError::new(StorageErrorKind::Unreachable, "no thread could be started")
                        .with_source(error)
                })?;
            worker.threads.push(thread);
        }
        Ok(worker)
    }

    /// Queues a batch and waits for its answer.
    pub(super) async fn run(&self, batch: Batch) -> Answer {
        let writes = batch.access == Access::Write;
        let (job, reply) = Job::new(batch, Instant::now());
        let Some(queue) = &self.queue else {
            return Err(closed());
        };
        queue.send(job).await.map_err(|_| closed())?;
        match reply.await {
            Ok(Reply::Answer(answer)) => answer,
            Ok(Reply::Lead(..)) => Err(closed()),
            Err(_) if writes => Err(closed().with_unknown_effect()),
            Err(_) => Err(closed()),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has reported it on stderr, and its callers got an error.
            let _ = thread.join();
        }
    }
}

pub(super) fn closed() -> StorageError {
    StorageError::new(StorageErrorKind::Closed, "the store's worker is gone; open the store again")
}
