//! OS threads that own connections and take batches from a queue.

use std::thread::JoinHandle;
use std::time::Instant;

use langgraph_checkpoint_guest::{Access, Batch, RowSet};
use tokio::sync::{mpsc, oneshot};

use crate::storage::{StorageError, StorageErrorKind};

/// How many batches a queue holds. Callers of further batches wait for room.
const QUEUE_MAX: usize = 1024;

/// What a worker answers.
pub(super) type Answer = Result<Vec<RowSet>, StorageError>;

/// A batch in the queue.
pub(super) struct Job {
    pub(super) batch: Batch,
    /// When it was queued; the deadline for locks counts from then.
    pub(super) queued: Instant,
    answer: oneshot::Sender<Answer>,
}

impl Job {
    /// Answers the caller, who may have stopped waiting.
    pub(super) fn answer(self, answer: Answer) {
        let _ = self.answer.send(answer);
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
        let (answer, answered) = oneshot::channel();
        let job = Job { batch, queued: Instant::now(), answer };
        let Some(queue) = &self.queue else {
            return Err(closed());
        };
        queue.send(job).await.map_err(|_| closed())?;
        match answered.await {
            Ok(answer) => answer,
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

fn closed() -> StorageError {
    StorageError::new(StorageErrorKind::Closed, "the store's worker is gone; open the store again")
}
