//! Decides which of several rows counts: which revision of a checkpoint, which of two writes at one
//! place, and what a tombstone hides. The rules are the same for rows of the store and for laid
//! rows.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::frames::{Record, Table};
pub(crate) use super::row::CheckpointKey;
use super::row::{CHECKPOINT, Encoding, LogRow, TOMBSTONE, WRITE};
use crate::contract::error::Error;
use crate::format::places::{Places, incomplete};
use crate::format::write::{WriteColumns, WriteEnvelope};

/// Rows from queries and laid rows, together.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    rows: Vec<Rc<LogRow>>,
    /// The newest tombstone by thread.
    cuts: BTreeMap<String, i64>,
    /// The newest tombstone by checkpoint, for laid rows. Queries return no row that one hides.
    hidden: BTreeMap<CheckpointKey, i64>,
}

/// A checkpoint or write with its parts joined.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    /// Its first row, for the columns that are the same in all of its rows.
    pub(crate) row: Rc<LogRow>,
    /// The joined data.
    pub(crate) data: String,
}

/// Something of which only a part shows.
#[derive(Debug)]
pub(crate) struct Late {
    pub(crate) thread_id: String,
    /// What it is, in words.
    pub(crate) what: String,
    /// Whether a row lacks parts. If not, a task lacks rows.
    pub(crate) is_row: bool,
}

impl Seen {
    /// Takes the rows of a query's table.
    pub(crate) fn take(&mut self, table: &Table, kind: &str) -> Result<(), Error> {
        for record in table.records() {
            let row = read(record, kind)?;
            if let Some(cut) = record.optional_integer("cut")? {
                self.cut(&row.thread_id, cut);
            }
            self.rows.push(Rc::new(row));
        }
        Ok(())
    }

    /// Takes laid rows.
    pub(crate) fn lay(&mut self, rows: impl Iterator<Item = Rc<LogRow>>) {
        for row in rows {
            if row.hides_a_thread() {
                self.cut(&row.thread_id, row.rev);
            } else if row.kind == TOMBSTONE {
                self.hide(row.place(), row.rev);
            } else {
                self.rows.push(row);
            }
        }
    }

    /// Notes a tombstone of a checkpoint.
    pub(crate) fn hide(&mut self, place: CheckpointKey, rev: i64) {
        let hidden = self.hidden.entry(place).or_default();
        *hidden = rev.max(*hidden);
    }

    /// Notes a tombstone of a thread.
    pub(crate) fn cut(&mut self, thread_id: &str, rev: i64) {
        let cut = self.cuts.entry(thread_id.to_owned()).or_default();
        *cut = rev.max(*cut);
    }

    /// The newest tombstone of a thread; 0 if there is none.
    pub(crate) fn cut_of(&self, thread_id: &str) -> i64 {
        self.cuts.get(thread_id).copied().unwrap_or_default()
    }

    /// Whether a tombstone hides a row.
    fn hides(&self, row: &LogRow) -> bool {
        let is_hidden = || self.hidden.get(&row.place()).is_some_and(|hidden| row.rev <= *hidden);
        row.rev <= self.cut_of(&row.thread_id) || (!self.hidden.is_empty() && is_hidden())
    }

    /// The newest revision of each thread.
    pub(crate) fn newest(&self) -> BTreeMap<&str, i64> {
        let rows = self.rows.iter().map(|row| (row.thread_id.as_str(), row.rev));
        let cuts = self.cuts.iter().map(|(thread_id, cut)| (thread_id.as_str(), *cut));
        let mut newest: BTreeMap<&str, i64> = BTreeMap::new();
        for (thread_id, rev) in rows.chain(cuts) {
            let known = newest.entry(thread_id).or_default();
            *known = rev.max(*known);
        }
        newest
    }

    /// The newest revision of each checkpoint.
    pub(crate) fn checkpoints(&self) -> BTreeMap<CheckpointKey, Whole> {
        let mut checkpoints: BTreeMap<CheckpointKey, Whole> = BTreeMap::new();
        for whole in self.wholes(CHECKPOINT) {
            let key = whole.checkpoint_key();
            let newer = checkpoints.get(&key).is_none_or(|other| other.order() < whole.order());
            if newer {
                checkpoints.insert(key, whole);
            }
        }
        checkpoints
    }

    /// The writes by checkpoint, each checkpoint's in their order. At the place of a special
    /// channel the newest write counts, at any other place the first.
    pub(crate) fn writes(&self) -> BTreeMap<CheckpointKey, Vec<Whole>> {
        let mut kept: BTreeMap<(CheckpointKey, String, i64), Whole> = BTreeMap::new();
        for whole in self.wholes(WRITE) {
            let key = (whole.checkpoint_key(), whole.row.task_id.clone(), whole.row.idx);
            let replaces = kept.get(&key).is_none_or(|other| {
                let newer = other.order() < whole.order();
                if whole.row.idx < 0 { newer } else { !newer }
            });
            if replaces {
                kept.insert(key, whole);
            }
        }
        let mut writes: BTreeMap<CheckpointKey, Vec<Whole>> = BTreeMap::new();
        for ((checkpoint, ..), whole) in kept {
            writes.entry(checkpoint).or_default().push(whole);
        }
        for of_one in writes.values_mut() {
            of_one.sort_by(|a, b| {
                let key = |whole: &Whole| {
                    (whole.row.task_path.clone(), whole.row.task_id.clone(), whole.row.idx)
                };
                key(a).cmp(&key(b))
            });
        }
        writes
    }

    /// The complete checkpoints or writes that are not hidden, by thread and row id.
    pub(crate) fn rows_of(&self, kind: &str) -> BTreeMap<(&str, &str), Whole> {
        let whole = |(key, rows)| Some((key, joined(&rows)?));
        self.parts(kind).into_iter().filter_map(whole).collect()
    }

    /// The complete checkpoints or writes that are not hidden.
    fn wholes(&self, kind: &str) -> Vec<Whole> {
        self.rows_of(kind).into_values().collect()
    }

    /// A row of which parts are missing, or a task of which writes are missing.
    pub(crate) fn late(&self) -> Option<Late> {
        self.late_row().or_else(|| self.late_writes())
    }

    /// A row of which parts are missing.
    pub(crate) fn late_row(&self) -> Option<Late> {
        let LogRow { kind, checkpoint_id, thread_id, .. } = self.broken()?;
        let what = format!("a {kind} of checkpoint {checkpoint_id} of thread {thread_id}");
        Some(Late { thread_id: thread_id.clone(), what, is_row: true })
    }

    fn late_writes(&self) -> Option<Late> {
        let late = |(key, writes): (CheckpointKey, Vec<Whole>)| {
            let (thread_id, _, id) = key;
            // A write that cannot be opened is refused where it is read.
            let places: Option<Vec<Places>> = writes.iter().map(Whole::places).collect();
            let rows = writes.iter().map(|Whole { row, .. }| (row.task_id.as_str(), row.idx));
            let rows = rows.zip(places.as_ref()?).map(|((task, idx), places)| (task, idx, places));
            let task_id = incomplete(rows)?;
            let what =
                format!("the writes of task {task_id} to checkpoint {id} of thread {thread_id}");
            Some(Late { thread_id, what, is_row: false })
        };
        self.writes().into_iter().find_map(late)
    }

    /// A row whose first part is there, and others are missing. The first part is sent last.
    fn broken(&self) -> Option<&LogRow> {
        let mut parts = self.parts(CHECKPOINT);
        parts.append(&mut self.parts(WRITE));
        let broken = parts.into_values().find(|rows| rows.contains_key(&0) && !is_complete(rows));
        broken.and_then(|rows| rows.get(&0).map(|first| &***first))
    }

    /// The parts of each row of a kind that is not hidden, by thread and row id. The thread is part
    /// of the key because a person may have copied a thread's rows to another thread.
    fn parts(&self, kind: &str) -> BTreeMap<(&str, &str), BTreeMap<i64, &Rc<LogRow>>> {
        let mut parts: BTreeMap<_, BTreeMap<i64, &Rc<LogRow>>> = BTreeMap::new();
        for row in &self.rows {
            if row.kind == kind && (row.waits || !self.hides(row)) {
                parts
                    .entry((row.thread_id.as_str(), row.row_id.as_str()))
                    .or_default()
                    .insert(row.part, row);
            }
        }
        parts
    }
}

impl Whole {
    /// The places of a write's call; `None` if the write cannot be opened.
    fn places(&self) -> Option<Places> {
        let row = &self.row;
        let columns = WriteColumns {
            thread_id: &row.thread_id,
            checkpoint_ns: &row.checkpoint_ns,
            checkpoint_id: &row.checkpoint_id,
            task_id: &row.task_id,
            idx: row.idx,
            task_path: &row.task_path,
            channel: &row.channel,
        };
        let envelope = row.encoding.decode(&self.data)?;
        WriteEnvelope::open(&envelope, columns, &String::new).ok().map(|write| write.places)
    }

    /// The key of its checkpoint.
    pub(crate) fn checkpoint_key(&self) -> CheckpointKey {
        self.row.place()
    }

    /// What orders revisions. Rows with the same revision are of one call, or of two that drew the
    /// same bits in the same microsecond; for those any fixed order is right.
    fn order(&self) -> (i64, &str) {
        (self.row.rev, &self.row.row_id)
    }
}

/// A row of its parts; `None` if some are missing.
fn joined(rows: &BTreeMap<i64, &Rc<LogRow>>) -> Option<Whole> {
    is_complete(rows).then_some(())?;
    let (_, first) = rows.first_key_value()?;
    let data = rows.values().map(|row| row.data.as_str()).collect();
    Some(Whole { row: Rc::clone(first), data })
}

fn is_complete(rows: &BTreeMap<i64, &Rc<LogRow>>) -> bool {
    rows.first_key_value()
        .is_some_and(|(_, first)| first.part == 0 && rows.len() as i64 == first.parts)
}

fn read(record: Record<'_>, kind: &str) -> Result<LogRow, Error> {
    let text = |column| record.text(column).map(str::to_owned);
    Ok(LogRow {
        kind: kind.to_owned(),
        thread_id: text("thread_id")?,
        checkpoint_ns: text("checkpoint_ns")?,
        checkpoint_id: text("checkpoint_id")?,
        task_id: text("task_id")?,
        task_path: text("task_path")?,
        idx: record.optional_integer("idx")?.unwrap_or_default(),
        channel: text("channel")?,
        encoding: encoding(record)?,
        data: text("data")?,
        part: record.integer("part")?,
        parts: record.integer("parts")?,
        rev: record.integer("rev")?,
        row_id: text("row_id")?,
        ..LogRow::default()
    })
}

/// How a row's data is encoded.
pub(crate) fn encoding(record: Record<'_>) -> Result<Encoding, Error> {
    match record.text("encoding")? {
        "text" => Ok(Encoding::Text),
        "base64" => Ok(Encoding::Base64),
        _ => Err(Error::corrupt(
            "unexpected-column",
            "column encoding of the log is neither text nor base64; restore the table",
        )),
    }
}
