//! The records of one checkpoint: its row, and its writes, also those of a checkpoint that is not
//! stored. One round, more if it has many writes.

use super::plan::Place;
use super::row::rows;
use super::tuples::{StoredCheckpoint, StoredWrite, check_complete};
use crate::contract::error::Error;
use crate::contract::statement::RowSet;
use crate::operations::ask::{Ask, CHECKPOINT, RecordKey};

/// The records that are read at first: most checkpoints have fewer.
const FIRST_RECORDS: u64 = 8;
/// The records that are read at once if there are more.
const PAGE_RECORDS: u64 = 1024;

/// The records of one checkpoint.
#[derive(Debug, Default)]
pub(super) struct Records {
    thread_key: i64,
    thread_id: String,
    /// The checkpoint; `None` until its first record has been read.
    pub(super) place: Option<Place>,
    pub(super) checkpoint: Option<StoredCheckpoint>,
    /// The writes, ordered by task path, task id, place.
    pub(super) writes: Vec<StoredWrite>,
    /// The key of the record before the next one.
    pub(super) last: Option<RecordKey>,
    count: u64,
}

impl Records {
    /// Those of the first checkpoint whose records come after `last`.
    pub(super) fn after(thread_key: i64, thread_id: &str, last: Option<RecordKey>) -> Self {
        let thread_id = thread_id.to_owned();
        Self { thread_key, thread_id, last, count: FIRST_RECORDS, ..Self::default() }
    }

    /// Those of this checkpoint.
    pub(super) fn at(thread_key: i64, thread_id: &str, (ns, id): Place) -> Self {
        let before = (ns.clone(), id.clone(), String::new(), -1);
        Self { place: Some((ns, id)), ..Self::after(thread_key, thread_id, Some(before)) }
    }

    pub(super) fn ask(&self) -> Ask {
        let (thread_key, after) = (self.thread_key, self.last.clone());
        Ask::Records { thread_key, after, count: self.count }
    }

    /// Takes an answer. Returns whether there may be more; else the writes are complete.
    pub(super) fn take(&mut self, set: &RowSet) -> Result<bool, Error> {
        for row in rows(set, "lg_records") {
            let mut key = row.clone();
            let is_checkpoint = key.integer("part")? == CHECKPOINT;
            // A checkpoint has its generation and thread in place of these.
            let mut columns = key.clone();
            columns.integer("thread_key")?;
            columns.integer("idx")?;
            columns.text("task_id")?;
            let (ns, id) = (columns.text("checkpoint_ns")?, columns.text("checkpoint_id")?);
            let place = (ns.to_owned(), id.to_owned());
            if *self.place.get_or_insert_with(|| place.clone()) != place {
                return self.end();
            }
            let (task_id, idx) = if is_checkpoint {
                self.checkpoint = Some(StoredCheckpoint::from_row(key)?);
                (String::new(), 0)
            } else {
                let write = StoredWrite::from_row(key, &self.thread_id)?;
                let (_, task_id, idx) = write.order();
                let ordered = (task_id.to_owned(), idx);
                self.writes.push(write);
                ordered
            };
            self.last = Some((place.0, place.1, task_id, idx));
        }
        if set.rows.len() as u64 == self.count {
            self.count = PAGE_RECORDS;
            return Ok(true);
        }
        self.end()
    }

    fn end(&mut self) -> Result<bool, Error> {
        if let Some((ns, id)) = &self.place {
            check_complete(self.writes.iter().map(StoredWrite::placed), &self.thread_id, ns, id)?;
        }
        self.writes.sort_by(|left, right| left.order().cmp(&right.order()));
        Ok(false)
    }
}
