//! `copyThread`.
//!
//! 1. Only if the latest state alone is wanted: plan what that takes (`plan`).
//! 2. Reserve a key for the new thread. Nobody reads records under a key that no thread has.
//! 3. Read the checksums of all records, which say what the copy will have.
//! 4. Read the records, and copy them page by page, with checksums for the new thread's id. Those
//!    that were stored meanwhile are passed over.
//! 5. Read the chunks that refer to others (`marks`), and copy all that the copied records refer
//!    to, in batches.
//! 6. Give the key the new thread's id, if all is there and nothing was removed from the source
//!    meanwhile; else start over. If another copy to the same thread has begun, that one goes on.
//!
//! A crash leaves records and chunks under a key that no thread has. The next copy to the same
//! thread removes them.

use std::collections::BTreeSet;

use super::marks::{Marks, Record};
use super::plan::{Plan, Rule};
use super::row::{rows, set};
use super::tuples::Attempts;
use crate::contract::call::{CopyThread as Call, Keep};
use crate::contract::config;
use crate::contract::error::Error;
use crate::contract::lifecycle::Work;
use crate::contract::outcome::Outcome;
use crate::contract::statement::RowSet;
use crate::format::CHECKSUM_BYTES;
use crate::format::checkpoint::{self, CheckpointColumns, LinkColumns};
use crate::format::json;
use crate::format::values::hash::Hash;
use crate::format::write::{self, WriteColumns};
use crate::operations::ask::{Ask, Checkpoints, CopiedRecord, Step};

/// At most this many chunks are copied in one transaction.
const CHUNKS_MAX: usize = 512;

/// A copy under way.
#[derive(Debug)]
pub(super) struct CopyThread {
    source: String,
    target: String,
    latest_only: bool,
    work: Work,
    attempts: Attempts,
    stage: Stage,
}

#[expect(
    clippy::large_enum_variant,
    reason = "one at a time is under way, and it is moved a few times"
)]
#[derive(Debug)]
enum Stage {
    Plan(Box<Plan>),
    Begin(Option<Box<Plan>>),
    /// The rest of an earlier copy goes.
    Sweep(Keys, Option<Box<Plan>>),
    State(Keys, Option<Box<Plan>>),
    /// The records and chunks of the source are read.
    Read(Keys, Box<Marks>),
    /// A page of records is copied. What follows is read then.
    Records(Keys, Box<Marks>, Option<Step>),
    /// The chunks that are left to copy.
    Chunks(Keys, Vec<Hash>),
    End,
}

/// The threads of a copy.
#[derive(Clone, Copy, Debug)]
struct Keys {
    from: i64,
    generation: i64,
    to: i64,
    records: i64,
}

impl CopyThread {
    #[inline(never)]
    pub(super) fn start(call: &Call) -> Result<(Self, Step), Error> {
        let source = config::required("the source's thread_id", &call.source)?;
        let target = config::required("the target's thread_id", &call.target)?;
        if source == target {
            return Err(Error::invalid(
                "existing-thread",
                "a thread cannot be copied to itself; pass the id of a new thread",
            ));
        }
        let mut copy = Self {
            source,
            target,
            latest_only: call.latest_only,
            work: Work::default(),
            attempts: Attempts::default(),
            stage: Stage::End,
        };
        let step = copy.begin();
        Ok((copy, step))
    }

    #[inline(never)]
    pub(super) fn advance(&mut self, sets: &[RowSet]) -> Result<Step, Error> {
        let answer = set(sets, 0)?;
        match std::mem::replace(&mut self.stage, Stage::End) {
            Stage::Plan(mut plan) => match plan.advance(answer)? {
                Some(step) => {
                    self.stage = Stage::Plan(plan);
                    Ok(step)
                }
                None => Ok(self.reserve(Some(plan))),
            },
            Stage::Begin(plan) => self.begun(plan, answer, set(sets, 1)?),
            Stage::Sweep(keys, plan) => Ok(self.swept(keys, plan, answer)),
            Stage::State(keys, plan) => self.stated(keys, plan, answer),
            Stage::Read(keys, marks) => self.read(keys, marks, answer),
            Stage::Records(keys, marks, next) => self.go_on(keys, marks, next),
            Stage::Chunks(keys, hashes) => {
                if let Some(mut row) = rows(answer, "lg_chunks").next() {
                    self.work.chunks += row.integer("chunks")?.unsigned_abs();
                    self.work.bytes += row.integer("bytes")?.unsigned_abs();
                }
                Ok(self.copy_chunks(keys, hashes))
            }
            Stage::End => self.ended(answer),
        }
    }

    fn begin(&mut self) -> Step {
        self.work = Work::default();
        if !self.latest_only {
            return self.reserve(None);
        }
        let plan = Plan::of(self.source.clone(), Rule::Keep(Keep::Latest), Vec::new());
        let step = plan.start();
        self.stage = Stage::Plan(Box::new(plan));
        step
    }

    fn reserve(&mut self, plan: Option<Box<Plan>>) -> Step {
        self.stage = Stage::Begin(plan);
        let (source, target) = (self.source.clone(), self.target.clone());
        Step::Ask(vec![Ask::BeginCopy { source, target }, Ask::SweepDeleted])
    }

    /// Takes the keys.
    fn begun(
        &mut self,
        plan: Option<Box<Plan>>,
        answer: &RowSet,
        rest: &RowSet,
    ) -> Result<Step, Error> {
        let Some(mut row) = rows(answer, "lg_threads").next() else {
            return Err(Error::invalid(
                "missing-thread",
                format!("thread {} does not exist, so it cannot be copied", self.source),
            ));
        };
        let (from, generation) = (row.integer("thread_key")?, row.integer("generation")?);
        if row.integer("is_there")? != 0 {
            return Err(self.exists());
        }
        let Some(to) = row.optional_integer("copy_key")? else {
            // The source was made, or the target deleted, after the key was refused for it.
            self.again()?;
            return Ok(self.begin());
        };
        Ok(self.swept(Keys { from, generation, to, records: 0 }, plan, rest))
    }

    /// Goes on when nothing is left of an earlier copy.
    fn swept(&mut self, keys: Keys, plan: Option<Box<Plan>>, rest: &RowSet) -> Step {
        if !rest.rows.is_empty() {
            self.stage = Stage::Sweep(keys, plan);
            return Step::ask(Ask::SweepDeleted);
        }
        self.stage = Stage::State(keys, plan);
        Step::ask(Ask::State { thread_key: keys.from })
    }

    /// Takes what the copy will have.
    fn stated(
        &mut self,
        keys: Keys,
        plan: Option<Box<Plan>>,
        answer: &RowSet,
    ) -> Result<Step, Error> {
        let mut row = rows(answer, "lg_records").next().ok_or_else(|| {
            Error::protocol("wrong-row-sets", "the state of a thread has no row; answer with one")
        })?;
        let checksums = row.text("checksums")?.to_owned();
        let count = row.integer("checkpoints")?;
        let newest = row.text("newest")?.to_owned();
        let without: BTreeSet<_> = match plan {
            Some(plan)
                if plan.outline.thread_key != Some(keys.from)
                    || plan.outline.checkpoints() != (Checkpoints { count, newest }) =>
            {
                // The plan is about another state.
                self.again()?;
                return Ok(self.begin());
            }
            Some(plan) => plan.doomed().into_iter().collect(),
            None => BTreeSet::new(),
        };
        let (source, key) = (self.source.clone(), (keys.from, keys.generation));
        let marks = Marks::of(source, key, without).of_state(checksums);
        let step = marks.start();
        self.stage = Stage::Read(keys, Box::new(marks));
        Ok(step)
    }

    /// Takes a page of records, or chunks that refer to others.
    fn read(
        &mut self,
        mut keys: Keys,
        mut marks: Box<Marks>,
        answer: &RowSet,
    ) -> Result<Step, Error> {
        let mut records = Vec::new();
        let (target, work) = (&self.target, &mut self.work);
        let next = marks.advance(answer, &mut |record| {
            match &record {
                Record::Checkpoint(..) => work.checkpoints += 1,
                Record::Write(..) => work.writes += 1,
            }
            records.extend(copied(target, &record));
        })?;
        if records.is_empty() {
            return self.go_on(keys, marks, next);
        }
        keys.records += records.len() as i64;
        self.stage = Stage::Records(keys, marks, next);
        Ok(Step::ask(Ask::CopyRecords { from: keys.from, to: keys.to, records }))
    }

    fn go_on(&mut self, keys: Keys, marks: Box<Marks>, next: Option<Step>) -> Result<Step, Error> {
        match next {
            Some(step) => {
                self.stage = Stage::Read(keys, marks);
                Ok(step)
            }
            None if marks.is_outdated() => {
                self.again()?;
                Ok(self.begin())
            }
            None => Ok(self.copy_chunks(keys, marks.into_hashes().collect())),
        }
    }

    fn copy_chunks(&mut self, keys: Keys, mut hashes: Vec<Hash>) -> Step {
        let Keys { from, generation, to, records } = keys;
        let batch = hashes.split_off(hashes.len().saturating_sub(CHUNKS_MAX));
        if batch.is_empty() {
            self.stage = Stage::End;
            let target = self.target.clone();
            return Step::ask(Ask::EndCopy { from, generation, to, target, records });
        }
        self.stage = Stage::Chunks(keys, hashes);
        Step::ask(Ask::CopyChunks { from, to, hashes: batch })
    }

    fn ended(&mut self, answer: &RowSet) -> Result<Step, Error> {
        let mut row = rows(answer, "lg_threads").next().ok_or_else(|| {
            Error::protocol("wrong-row-sets", "the end of a copy has no row; answer with one")
        })?;
        if row.integer("is_copied")? != 0 {
            self.work.threads = 1;
            return Ok(Step::Done(Outcome::Worked(self.work.clone())));
        }
        if row.integer("is_there")? != 0 {
            return Err(self.exists());
        }
        if row.integer("is_reserved")? == 0 {
            // Two copies that started over would take the key from each other without end.
            return Err(Error::invalid(
                "existing-thread",
                format!(
                    "another copy to thread {} has begun, so this one ends; pass the id of a new \
                     thread, or wait for the other",
                    self.target
                ),
            ));
        }
        self.again()?;
        Ok(self.begin())
    }

    fn exists(&self) -> Error {
        Error::invalid(
            "existing-thread",
            format!(
                "thread {} exists, so nothing is copied to it; pass the id of a new thread, or \
                 delete it first",
                self.target
            ),
        )
    }

    fn again(&mut self) -> Result<(), Error> {
        if self.attempts.may_go_on() {
            return Ok(());
        }
        // A copy that is not complete is not there.
        Err(Error::thread_in_use(&format!("thread {}", self.source), "copied", false))
    }
}

/// A record as the new thread has it.
fn copied(target: &str, record: &Record<'_>) -> Option<CopiedRecord> {
    let (key, sealed, envelope) = match record {
        Record::Checkpoint(stored, sealed) => {
            let names = stored.envelope.values.iter().map(|entry| entry.channel.as_str());
            let channels = json::array_of_strings(names);
            let link = LinkColumns {
                thread_id: target,
                checkpoint_ns: &stored.checkpoint_ns,
                checkpoint_id: &stored.checkpoint_id,
                parent_checkpoint_id: stored.parent_checkpoint_id.as_deref(),
            };
            let columns = CheckpointColumns {
                link,
                channels: Some(&channels),
                created_at: &stored.created_at,
                metadata: &stored.metadata,
            };
            let place = (stored.checkpoint_ns.clone(), stored.checkpoint_id.clone());
            let key = (place.0, place.1, String::new(), 0);
            (key, *sealed, checkpoint::resealed(sealed, columns)?)
        }
        Record::Write(write, sealed) => {
            let columns = WriteColumns {
                thread_id: target,
                checkpoint_ns: &write.checkpoint_ns,
                checkpoint_id: &write.checkpoint_id,
                task_id: &write.task_id,
                idx: write.idx,
                task_path: &write.task_path,
                channel: &write.channel,
            };
            let (ns, id) = (write.checkpoint_ns.clone(), write.checkpoint_id.clone());
            let key = (ns, id, write.task_id.clone(), write.idx);
            (key, *sealed, write::resealed(sealed, columns)?)
        }
    };
    let checksum = sealed.last_chunk::<CHECKSUM_BYTES>()?.to_vec();
    Some(CopiedRecord { key, checksum, envelope })
}
