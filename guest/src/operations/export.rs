//! `export`: reads what is stored of one checkpoint in each call, in the order of the keys.
//!
//! 1. Find the thread.
//! 2. Read the records of its next checkpoint. If it has none left, find the next thread.
//! 3. Read the chunks, level by level.
//! 4. Only if one is missing: look whether the thread was deleted or pruned meanwhile, and then
//!    start over with the checkpoint.

use super::found_thread::FoundThread;
use super::records::Records;
use super::row::set;
use super::tuples::{Attempts, Gathers, Trouble};
use crate::contract::call::Export as Call;
use crate::contract::config;
use crate::contract::error::Error;
use crate::contract::outcome::{CheckpointTuple, Exported, Outcome, PendingWrite, PlacedWrite};
use crate::contract::statement::RowSet;
use crate::format::{FORMAT, decode, encode};
use crate::operations::ask::{RecordKey, Step};

/// An export under way.
#[derive(Debug)]
pub(super) struct Export {
    /// The only thread; `None` for all.
    only: Option<String>,
    /// The key and id of the thread that is exported, or was exported last.
    cursor: (i64, String),
    /// The last record of the thread that was exported.
    last: Option<RecordKey>,
    thread: FoundThread,
    records: Records,
    gathers: Gathers,
    attempts: Attempts,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// The next thread, or the same one again.
    Find,
    FindAgain,
    Records,
    Chunks,
    Again,
}

/// How far an export has come, as a host carries it: format, the thread's key and id, and the last
/// record.
type Resume = (u8, (i64, String), RecordKey);

impl Export {
    #[inline(never)]
    pub(super) fn start(call: Call) -> Result<(Self, Step), Error> {
        let only = config::text("thread_id", &call.thread)?;
        let (cursor, last) = match call.resume.map(|bytes| decode::<Resume>(&bytes)) {
            None => ((0, String::new()), None),
            Some(Some((FORMAT, cursor, last))) => (cursor, Some(last)),
            Some(_) => {
                return Err(Error::protocol(
                    "foreign-resume",
                    "resume was not made by an export of this version; start it anew",
                ));
            }
        };
        let mut export = Self {
            only,
            cursor,
            last,
            thread: FoundThread::default(),
            records: Records::default(),
            gathers: Gathers::default(),
            attempts: Attempts::default(),
            stage: Stage::Find,
        };
        let step = match &export.last {
            Some(_) => export.find_again(),
            None => FoundThread::ask_after(export.cursor.clone(), export.only.clone()),
        };
        Ok((export, step))
    }

    #[inline(never)]
    pub(super) fn advance(&mut self, sets: &[RowSet]) -> Result<Step, Error> {
        match self.stage {
            Stage::Find | Stage::FindAgain => {
                let Some(thread) = FoundThread::of(set(sets, 0)?)? else {
                    // The thread that is exported may have been deleted.
                    let goes_on = self.stage == Stage::FindAgain && self.only.is_none();
                    let over = Step::Done(Outcome::Exported(None));
                    return Ok(if goes_on { self.next_thread() } else { over });
                };
                if self.stage == Stage::Find {
                    self.cursor = (thread.key, thread.id.clone());
                }
                self.records = Records::after(thread.key, &thread.id, self.last.clone());
                self.thread = thread;
                self.stage = Stage::Records;
                Ok(Step::ask(self.records.ask()))
            }
            Stage::Records => {
                if self.records.take(set(sets, 0)?)? {
                    return Ok(Step::ask(self.records.ask()));
                }
                if self.records.place.is_none() {
                    return Ok(self.next_thread());
                }
                self.gathers = Gathers::default();
                if let Some(checkpoint) = &self.records.checkpoint {
                    checkpoint.want(None, &mut self.gathers);
                }
                for write in &self.records.writes {
                    self.gathers.want(write.thread_key, &write.value);
                }
                self.stage = Stage::Chunks;
                self.chunks()
            }
            Stage::Chunks => {
                self.gathers.take(sets)?;
                self.chunks()
            }
            Stage::Again => {
                if FoundThread::of(set(sets, 0)?)?.as_ref() == Some(&self.thread) {
                    return match self.exported() {
                        Ok(outcome) => Ok(Step::Done(outcome)),
                        Err(Trouble::Missing(error) | Trouble::Final(error)) => Err(error),
                    };
                }
                self.attempts.next()?;
                Ok(self.find_again())
            }
        }
    }

    /// Finds the thread again that is exported.
    fn find_again(&mut self) -> Step {
        self.stage = Stage::FindAgain;
        FoundThread::ask(&self.cursor.1)
    }

    fn next_thread(&mut self) -> Step {
        if self.only.is_some() {
            return Step::Done(Outcome::Exported(None));
        }
        self.last = None;
        self.stage = Stage::Find;
        FoundThread::ask_after(self.cursor.clone(), None)
    }

    fn chunks(&mut self) -> Result<Step, Error> {
        if let Some(round) = self.gathers.round() {
            return Ok(round);
        }
        match self.exported() {
            Ok(outcome) => Ok(Step::Done(outcome)),
            Err(Trouble::Missing(_)) => {
                self.stage = Stage::Again;
                Ok(FoundThread::ask(&self.thread.id))
            }
            Err(Trouble::Final(error)) => Err(error),
        }
    }

    fn exported(&self) -> Result<Outcome, Trouble> {
        let (Some((ns, id)), Some(last)) = (&self.records.place, &self.records.last) else {
            return Ok(Outcome::Exported(None));
        };
        let checkpoint = self.records.checkpoint.as_ref();
        let tuple = checkpoint.map(|found| found.tuple(&self.gathers, &[], None, None, None));
        let whole = |tuple: CheckpointTuple<_>| {
            tuple.resolve(&[]).ok_or_else(|| {
                let message = "an export left a value out, which is a defect; please report it";
                Error::protocol("wrong-outcome", message)
            })
        };
        let write = |write: &super::tuples::StoredWrite| {
            let PendingWrite { task_id, channel, value } =
                write.pending(&self.gathers, &self.thread.id)?;
            let (task_path, idx) = (write.task_path.clone(), write.idx);
            Ok(PlacedWrite { task_id, task_path, idx, channel, value })
        };
        Ok(Outcome::Exported(Some(Exported {
            thread_id: self.thread.id.clone(),
            checkpoint_ns: ns.clone(),
            checkpoint_id: id.clone(),
            checkpoint: tuple.transpose()?.map(whole).transpose()?,
            writes: self.records.writes.iter().map(write).collect::<Result<_, Trouble>>()?,
            next: encode(&(FORMAT, &self.cursor, last))?,
        })))
    }
}
