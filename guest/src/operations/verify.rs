//! `verify`: reads everything of one thread in each call, and names what is damaged.
//!
//! 1. Find the next thread.
//! 2. Read its records, page by page.
//! 3. Read all chunks that the records refer to, level by level.
//! 4. Only if something is wrong: look whether the thread was deleted or pruned meanwhile, and then
//!    start over with it.
//! 5. After the last thread, if all were asked for: let a store that is a file check it. No answer
//!    before has the rows that a damaged tree hides.

use std::collections::{BTreeMap, BTreeSet};

use super::found_thread::FoundThread;
use super::row::{Row, rows, set};
use super::tuples::{StoredCheckpoint, StoredWrite, check_complete, checkpoint_in_words, chunks};
use crate::contract::call::Verify as Call;
use crate::contract::config;
use crate::contract::error::Error;
use crate::contract::lifecycle::{Problem, Verified};
use crate::contract::outcome::Outcome;
use crate::contract::statement::RowSet;
use crate::format::places::Places;
use crate::format::values::hash::{Hash, Role};
use crate::format::values::piece::Piece;
use crate::format::values::refs;
use crate::format::{FORMAT, decode, encode};
use crate::operations::ask::{Ask, CHECKPOINT, RecordKey, Step};

/// The records of a page, and the chunks that are read at once.
const PAGE_RECORDS: u64 = 1024;
const CHUNKS_MAX: usize = 512;
/// At most this many problems of a thread are named.
const NAMED_MAX: usize = 20;
/// How often a thread is read again because it was changed meanwhile.
const ATTEMPTS_MAX: usize = 4;

/// A verification under way.
#[derive(Debug)]
pub(super) struct Verify {
    /// The only thread; `None` for all.
    only: Option<String>,
    /// The key and the id of the last thread found, and those of the one before it.
    cursor: (i64, String),
    before: (i64, String),
    done: Verified,
    attempts: usize,
    thread: Thread,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Find,
    Records,
    Chunks,
    Again,
    File,
}

/// What has been read of a thread.
#[derive(Debug, Default)]
struct Thread {
    identity: FoundThread,
    last: Option<RecordKey>,
    found: Verified,
    /// The checkpoint whose writes are being read, with their tasks and places.
    place: (String, String),
    writes: Vec<(String, i64, Places)>,
    /// Whether a record of that checkpoint cannot be read.
    is_damaged: bool,
    seen: BTreeSet<Hash>,
    /// The chunks to read, each with a record that needs it.
    wanted: BTreeMap<Hash, (Role, usize)>,
    asked: Vec<(Hash, (Role, usize))>,
    /// The records in words.
    records: Vec<String>,
}

/// How far a verification has come, as a host carries it: format, cursor, and the counts.
type Resume = (u8, (i64, String), u64, u64, u64, u64, u64);

impl Verify {
    #[inline(never)]
    pub(super) fn start(call: Call) -> Result<(Self, Step), Error> {
        let mut verify = Self {
            only: config::text("thread_id", &call.thread)?,
            cursor: (0, String::new()),
            before: (0, String::new()),
            done: Verified::default(),
            attempts: 0,
            thread: Thread::default(),
            stage: Stage::Find,
        };
        if let Some(bytes) = call.resume {
            let Some((FORMAT, cursor, threads, checkpoints, writes, chunks, bytes)) =
                decode::<Resume>(&bytes)
            else {
                return Err(Error::protocol(
                    "foreign-resume",
                    "resume was not made by a verification of this version; start it anew",
                ));
            };
            verify.cursor = cursor;
            let done = Verified { threads, checkpoints, writes, chunks, bytes, ..verify.done };
            verify.done = done;
        }
        let step = verify.find();
        Ok((verify, step))
    }

    #[inline(never)]
    pub(super) fn advance(&mut self, sets: &[RowSet]) -> Result<Step, Error> {
        let answer = set(sets, 0)?;
        match self.stage {
            Stage::Find => match FoundThread::of(answer)? {
                None if self.only.is_some() => self.end(false),
                None => {
                    self.stage = Stage::File;
                    Ok(Step::Ask(vec![
                        Ask::CheckFile { count: NAMED_MAX as u64 },
                        Ask::CheckIndexes,
                    ]))
                }
                Some(thread) => {
                    let cursor = (thread.key, thread.id.clone());
                    self.before = std::mem::replace(&mut self.cursor, cursor);
                    self.thread = Thread { identity: thread, ..Thread::default() };
                    self.stage = Stage::Records;
                    Ok(self.thread.page())
                }
            },
            Stage::Records => {
                if self.thread.take_records(answer) {
                    return Ok(self.thread.page());
                }
                self.stage = Stage::Chunks;
                self.round()
            }
            Stage::Chunks => {
                self.thread.take_chunks(answer)?;
                self.round()
            }
            Stage::Again => {
                let is_same = FoundThread::of(answer)?.as_ref() == Some(&self.thread.identity);
                self.attempts += 1;
                if is_same || self.attempts >= ATTEMPTS_MAX {
                    return self.count();
                }
                // It was deleted or pruned, which is no damage.
                self.cursor = self.before.clone();
                Ok(self.find())
            }
            Stage::File => {
                self.take_file(answer, set(sets, 1)?)?;
                self.end(false)
            }
        }
    }

    /// Takes what is wrong with the file.
    fn take_file(&mut self, said: &RowSet, indexes: &RowSet) -> Result<(), Error> {
        let mut problem = |said: String| {
            self.done.problems.push(Problem {
                thread_id: String::new(),
                code: "damaged-file".to_owned(),
                message: format!("{said}; restore the file from a copy"),
            });
        };
        for mut row in rows(said, "the database's file") {
            let said = row.text("problem")?;
            if said != "ok" {
                problem(format!("SQLite finds in the file: {}", said.replace('\n', " ")));
            }
        }
        for mut row in rows(indexes, "the database's file") {
            let table = row.text("name")?.to_owned();
            let (stored, found) = (row.integer("stored")?, row.integer("found")?);
            problem(format!("table {table} has {stored} rows, and its index has {found}"));
        }
        Ok(())
    }

    fn find(&mut self) -> Step {
        self.stage = Stage::Find;
        FoundThread::ask_after(self.cursor.clone(), self.only.clone())
    }

    fn round(&mut self) -> Result<Step, Error> {
        if let Some(step) = self.thread.round() {
            return Ok(step);
        }
        if self.thread.found.problems.is_empty() {
            return self.count();
        }
        self.stage = Stage::Again;
        Ok(FoundThread::ask(&self.thread.identity.id))
    }

    /// Adds what was found of a thread, and ends with it.
    fn count(&mut self) -> Result<Step, Error> {
        let found = std::mem::take(&mut self.thread.found);
        self.done.threads += 1;
        self.done.checkpoints += found.checkpoints;
        self.done.writes += found.writes;
        self.done.chunks += found.chunks;
        self.done.bytes += found.bytes;
        self.done.problems = found.problems;
        self.end(self.only.is_none())
    }

    fn end(&self, is_more: bool) -> Result<Step, Error> {
        let Verified { threads, checkpoints, writes, chunks, bytes, .. } = self.done;
        let resume = (FORMAT, &self.cursor, threads, checkpoints, writes, chunks, bytes);
        let next = is_more.then(|| encode(&resume)).transpose()?;
        Ok(Step::Done(Outcome::Verified(Verified { next, ..self.done.clone() })))
    }
}

impl Thread {
    fn page(&self) -> Step {
        let (thread_key, after) = (self.identity.key, self.last.clone());
        Step::ask(Ask::Records { thread_key, after, count: PAGE_RECORDS })
    }

    /// Takes a page. Returns whether another follows.
    fn take_records(&mut self, set: &RowSet) -> bool {
        let before = self.last.clone();
        for row in rows(set, "lg_records") {
            if let Err(error) = self.take_record(row) {
                self.problem(&error);
                self.is_damaged = true;
            }
        }
        let is_full = set.rows.len() as u64 == PAGE_RECORDS;
        // Where no row of a page has a key, there is no way on.
        if is_full && self.last != before {
            return true;
        }
        self.end_place();
        false
    }

    fn take_record(&mut self, mut row: Row<'_>) -> Result<(), Error> {
        let is_checkpoint = row.integer("part")? == CHECKPOINT;
        let mut key = row.clone();
        key.integer("thread_key")?;
        let idx = key.integer("idx")?;
        let task_id = key.text("task_id")?;
        let (ns, id) = (key.text("checkpoint_ns")?, key.text("checkpoint_id")?);
        self.last = Some(if is_checkpoint {
            (ns.to_owned(), id.to_owned(), String::new(), 0)
        } else {
            (ns.to_owned(), id.to_owned(), task_id.to_owned(), idx)
        });
        if (self.place.0.as_str(), self.place.1.as_str()) != (ns, id) {
            self.end_place();
            self.place = (ns.to_owned(), id.to_owned());
        }
        let here = self.records.len();
        self.records.push(checkpoint_in_words(&self.identity.id, ns, id));
        if is_checkpoint {
            let StoredCheckpoint { envelope, .. } = StoredCheckpoint::from_row(row)?;
            self.found.checkpoints += 1;
            self.want(&envelope.rest.piece, here);
            envelope.values.iter().for_each(|entry| self.want(&entry.value.piece, here));
        } else {
            let write = StoredWrite::from_row(row, &self.identity.id)?;
            self.found.writes += 1;
            self.want(&write.value.piece, here);
            let (_, task_id, idx) = write.order();
            self.writes.push((task_id.to_owned(), idx, write.places.clone()));
        }
        Ok(())
    }

    /// Looks whether each task of a checkpoint has all its writes.
    fn end_place(&mut self) {
        let writes = std::mem::take(&mut self.writes);
        let all = writes.iter().map(|(task_id, idx, places)| (task_id.as_str(), *idx, places));
        let is_damaged = std::mem::take(&mut self.is_damaged);
        let checked = check_complete(all, &self.identity.id, &self.place.0, &self.place.1);
        if let Err(missing) = checked
            && !is_damaged
        {
            self.problem(&missing);
        }
    }

    fn want(&mut self, piece: &Piece, record: usize) {
        refs::each_of_piece(piece, &mut |role, hash| {
            if self.seen.insert(hash) {
                self.wanted.insert(hash, (role, record));
            }
        });
    }

    fn round(&mut self) -> Option<Step> {
        self.asked.clear();
        while self.asked.len() < CHUNKS_MAX
            && let Some(next) = self.wanted.pop_first()
        {
            self.asked.push(next);
        }
        let hashes: Vec<_> = self.asked.iter().map(|(hash, _)| *hash).collect();
        let thread_key = self.identity.key;
        (!hashes.is_empty())
            .then(|| Step::ask(Ask::Chunks { thread_key, hashes, to_the_end: false }))
    }

    fn take_chunks(&mut self, set: &RowSet) -> Result<(), Error> {
        let hashes: Vec<_> = self.asked.iter().map(|(hash, _)| *hash).collect();
        let found: BTreeMap<_, _> = chunks(set, &hashes)?.into_iter().collect();
        for (hash, (role, record)) in std::mem::take(&mut self.asked) {
            let here = self.records.get(record).cloned().unwrap_or_default();
            match found.get(&hash) {
                None => self.problem(&Error::corrupt(
                    "missing-chunk",
                    format!("chunk {hash} of {here} is not stored; restore it"),
                )),
                Some(data) if Hash::of(role, data) != hash => {
                    self.problem(&Error::corrupt(
                        "damaged-chunk",
                        format!("chunk {hash} of {here} has other bytes; restore it"),
                    ));
                }
                Some(data) => {
                    self.found.chunks += 1;
                    self.found.bytes += data.len() as u64;
                    refs::each_of_chunk(role, data, &mut |role, hash| {
                        if self.seen.insert(hash) {
                            self.wanted.insert(hash, (role, record));
                        }
                    });
                }
            }
        }
        Ok(())
    }

    fn problem(&mut self, error: &Error) {
        if self.found.problems.len() < NAMED_MAX {
            let (thread_id, code) = (self.identity.id.clone(), error.code().to_owned());
            let message = error.fault().message.clone();
            self.found.problems.push(Problem { thread_id, code, message });
        }
    }
}
