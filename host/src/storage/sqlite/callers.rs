//! Batches that run on their callers' threads.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::execute::Session;
use super::reader::read;
use super::worker::{Answer, Job, Reply, closed};
use super::writer::Writer;
use langgraph_checkpoint_guest::{Access, Batch};

/// The connections of a database without threads of their own.
pub(super) struct Callers {
    // Fields are dropped in order. The writer closes last, because it can move the write-ahead log
    // into the database.
    readers: Vec<Mutex<Session>>,
    writer: Mutex<Writer>,
    /// The batches that wait for the writer.
    waiting: Mutex<VecDeque<Job>>,
    busy_deadline: Duration,
}

impl fmt::Debug for Callers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Callers").finish_non_exhaustive()
    }
}

impl Callers {
    pub(super) fn new(writer: Session, readers: Vec<Session>, busy_deadline: Duration) -> Self {
        Self {
            readers: readers.into_iter().map(Mutex::new).collect(),
            writer: Mutex::new(Writer::new(writer, busy_deadline)),
            waiting: Mutex::default(),
            busy_deadline,
        }
    }

    pub(super) async fn run(&self, batch: Batch) -> Answer {
        match (batch.access, self.readers.as_slice()) {
            (Access::Read, [first, ..]) => {
                let free = self.readers.iter().find_map(try_lock);
                let reader = free.unwrap_or_else(|| lock(first));
                read(&reader, &batch, Instant::now(), self.busy_deadline)
            }
            _ => self.write(batch).await,
        }
    }

    /// Runs a batch of the writer: here, with all that wait by then, or on the thread of a caller
    /// that is writing.
    async fn write(&self, batch: Batch) -> Answer {
        let writes = batch.access == Access::Write;
        let (job, reply) = Job::new(batch, Instant::now());
        lock(&self.waiting).push_back(job);
        let mut waiting = Waiting { callers: self, reply };
        loop {
            self.lead();
            match (&mut waiting.reply).await {
                Ok(Reply::Answer(answer)) => return answer,
                Ok(Reply::Lead(batch, queued)) => waiting.reply = self.wait_again(batch, queued),
                Err(_) if writes => return Err(closed().with_unknown_effect()),
                Err(_) => return Err(closed()),
            }
        }
    }

    /// Puts a batch in front of those that wait.
    fn wait_again(&self, batch: Batch, queued: Instant) -> oneshot::Receiver<Reply> {
        let (job, reply) = Job::new(batch, queued);
        lock(&self.waiting).push_front(job);
        reply
    }

    /// Runs a group of the batches that wait, unless another thread does. Then the caller whose
    /// batch has waited longest is the next to lead.
    fn lead(&self) {
        loop {
            let Some(writer) = try_lock(&self.writer) else { return };
            writer.work(|| lock(&self.waiting).pop_front());
            drop(writer);
            // A batch that came meanwhile found the writer locked, so it is here.
            let Some(next) = lock(&self.waiting).pop_front() else { return };
            let Some((batch, queued)) = next.lead() else { return };
            // Its caller has stopped waiting.
            drop(self.wait_again(batch, queued));
        }
    }
}

/// A caller that waits for its batch.
struct Waiting<'a> {
    callers: &'a Callers,
    reply: oneshot::Receiver<Reply>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.reply.close();
        // It stops waiting just as it is told to lead: the others rely on it.
        if let Ok(Reply::Lead(batch, queued)) = self.reply.try_recv() {
            drop(self.callers.wait_again(batch, queued));
            self.callers.lead();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}
