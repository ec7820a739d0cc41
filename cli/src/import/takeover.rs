//! Takes the threads of a source over, one after the other.

use langgraph_checkpoint_guest::takeover::Takeover;
use langgraph_checkpoint_host::{CheckpointTuple, Error};

use super::compare::{WRITES, difference, has_other_writes};
use super::report::Report;
use super::source::{Address, Source};
use super::target::Target;
use crate::failure::{Failure, Result};

/// The threads of a source, and what is found on the way.
pub(super) struct Threads<'a> {
    source: &'a Source,
    pub(super) ids: Vec<String>,
    pub(super) report: Report,
}

/// What a target has of a thread.
enum State {
    Missing,
    Present,
    Conflicting,
}

impl<'a> Threads<'a> {
    pub(super) async fn of(source: &'a Source) -> Result<Self> {
        let found = source.threads().await?;
        let count = found.len();
        let ids: Vec<String> = found.into_iter().flatten().collect();
        let mut report = Report { found: ids.len(), ..Report::default() };
        if ids.len() < count {
            // SQLite keeps bytes in a column of texts, too.
            let message = "a thread's id is not text, so no saver finds the thread; it is not \
                           imported";
            report.findings.problem("", "unreadable-stock-id", message);
        }
        Ok(Self { source, ids, report })
    }

    /// Stores every thread that the target lacks, or has in part.
    pub(super) async fn store(
        &mut self,
        target: &Target,
        progress: &impl Fn(usize, &Report),
    ) -> Result<()> {
        for (index, id) in self.ids.clone().iter().enumerate() {
            let stored = self.store_thread(id, target).await;
            self.unless_refused(id, stored)?;
            progress(index + 1, &self.report);
        }
        Ok(())
    }

    /// Reads every checkpoint again, from the target too, and compares their bytes.
    pub(super) async fn verify(
        &mut self,
        target: &Target,
        progress: &impl Fn(usize, &Report),
    ) -> Result<()> {
        for (index, id) in self.ids.clone().iter().enumerate() {
            for address in self.source.checkpoints(id).await? {
                let (takeover, _) = self.source.takeover(&address).await?;
                // Writes without a checkpoint are found once that is stored.
                if takeover.as_ref().is_ok_and(|takeover| takeover.put.is_none()) {
                    continue;
                }
                self.report.compared += 1;
                let stored = target.read(&address).await;
                let Some(stored) = self.unless_refused(id, stored)? else { continue };
                let Some(what) = differing(takeover.ok().as_ref(), stored.as_ref()) else {
                    continue;
                };
                self.report.different += 1;
                let message = format!("checkpoint {} differs in the target: {what}", address.id);
                self.report.findings.problem(id, "different-checkpoint", &message);
            }
            progress(index + 1, &self.report);
        }
        Ok(())
    }

    async fn store_thread(&mut self, id: &str, target: &Target) -> Result<()> {
        let addresses = self.source.checkpoints(id).await?;
        match self.state_of(id, &addresses, target).await? {
            State::Present => {
                self.report.present += 1;
                return Ok(());
            }
            State::Conflicting => {
                self.report.conflicting += 1;
                self.report.findings.problem(
                    id,
                    "conflicting-thread",
                    "the target has something else under the thread's id, and it was left alone; \
                     delete the thread there, or import into another database",
                );
                return Ok(());
            }
            State::Missing => self.report.imported += 1,
        }
        self.note_shared(id).await?;
        for address in &addresses {
            if let Some(takeover) = self.takeover(address).await? {
                let (tasks, checkpoints) = counts(&takeover);
                let stored = target.store(takeover).await;
                if self.unless_refused(id, stored)?.is_some() {
                    self.report.tasks += tasks;
                    self.report.checkpoints += checkpoints;
                }
            }
        }
        Ok(())
    }

    /// What was done for one thread or checkpoint. If that is what failed, reports it and returns
    /// `None`: an id or a value that no store accepts, or something damaged in the target. Another
    /// failure would meet all threads.
    fn unless_refused<T>(&mut self, id: &str, done: Result<T>) -> Result<Option<T>> {
        match done {
            Err(Failure::Store(Error::InvalidInput(fault) | Error::Corrupt(fault))) => {
                self.report.findings.problem(id, &fault.code, &fault.message);
                Ok(None)
            }
            done => done.map(Some),
        }
    }

    /// What the target has of a thread. Its last checkpoint is stored last: if that is there, so is
    /// all that the source had then. If others are there, an import was interrupted, or the source
    /// went on: what is missing is stored, and the rest again. That would replace writes of a
    /// thread that went on in the target, so it is left alone.
    async fn state_of(&self, id: &str, addresses: &[Address], target: &Target) -> Result<State> {
        let (Some(newest), Some(last)) = (target.newest(id).await?, addresses.last()) else {
            return Ok(State::Missing);
        };
        let went_on = self.has_newer(addresses, &newest.checkpoint_id).await?;
        let stored = target.read(last).await?;
        if let (Ok(takeover), Some(stored)) = (self.source.takeover(last).await?.0, stored) {
            let what = difference(&takeover, &stored);
            if what.is_none() && !went_on {
                return Ok(State::Present);
            }
            let is_of_target = !went_on && has_other_writes(&takeover, &stored);
            if is_of_target || what.is_some_and(|what| what != WRITES) {
                return Ok(State::Conflicting);
            }
        }
        let is_ours = addresses.iter().any(|address| {
            address.namespace == newest.checkpoint_ns && address.id == newest.checkpoint_id
        });
        Ok(if is_ours { State::Missing } else { State::Conflicting })
    }

    /// Whether the source has a checkpoint that is newer than one with this id, in any namespace.
    async fn has_newer(&self, addresses: &[Address], checkpoint_id: &str) -> Result<bool> {
        for address in addresses.iter().filter(|address| *address.id > *checkpoint_id) {
            let (takeover, _) = self.source.takeover(address).await?;
            // Writes without a checkpoint have an address too.
            if takeover.is_ok_and(|takeover| takeover.put.is_some()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is stored of a checkpoint, as calls. If that cannot be read: `None`, and a problem.
    async fn takeover(&mut self, address: &Address) -> Result<Option<Takeover>> {
        let (takeover, bytes) = self.source.takeover(address).await?;
        match takeover {
            Ok(takeover) => {
                self.report.bytes_read += bytes;
                for note in &takeover.notes {
                    self.report.findings.note(&address.thread, note.code, &note.message);
                }
                Ok(Some(takeover))
            }
            Err(error) => {
                self.report.findings.problem(&address.thread, error.code(), &error.to_string());
                Ok(None)
            }
        }
    }

    async fn note_shared(&mut self, id: &str) -> Result<()> {
        for note in self.source.shared(id).await? {
            self.report.findings.note(id, note.code, &note.message);
        }
        Ok(())
    }
}

/// How many tasks' writes and checkpoints these calls store.
fn counts(takeover: &Takeover) -> (u64, u64) {
    (takeover.writes.len() as u64, u64::from(takeover.put.is_some()))
}

fn differing(
    takeover: Option<&Takeover>,
    stored: Option<&CheckpointTuple>,
) -> Option<&'static str> {
    match (takeover, stored) {
        (None, _) => Some("the source cannot be read"),
        (_, None) => Some("it is missing"),
        (Some(takeover), Some(stored)) => difference(takeover, stored),
    }
}
