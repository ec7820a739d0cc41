//! The records of a thread, page by page: what calls about whole threads read. They read what the
//! store shows, after it shows everything that this store has sent.

use super::call::{Call, Patience, Rows};
use super::copying::Record;
use super::failure;
use super::query;
use super::query::threads::Beyond;
use super::read::data_of;
use super::resolve::{CheckpointKey, Seen, Whole};
use super::row::{CHECKPOINT, CheckpointData, Encoding, WRITE};
use crate::contract::error::Error;
use crate::contract::statement::Value;
use crate::format::checkpoint::{CheckpointColumns, CheckpointEnvelope, LinkColumns};
use crate::format::{CHECKSUM_BYTES, checksum_text, json};
use crate::operations::ask::{self, RecordKey};

const DOING: &str = "reading a thread";

/// The records that are read at once for their checksums.
const PAGE_RECORDS: u64 = 1024;

impl Record {
    pub(super) fn is_checkpoint(&self) -> bool {
        self.key.2.is_empty()
    }

    /// The data of a checkpoint; `None` if it is damaged, or a write.
    pub(super) fn data(&self) -> Option<CheckpointData> {
        let whole = self.whole.as_ref().filter(|_| self.is_checkpoint())?;
        data_of(whole).ok()
    }

    /// The envelope; empty if it is damaged, so that whoever opens it says so.
    fn sealed(&self) -> Vec<u8> {
        let opened = || {
            let Whole { row, data } = self.whole.as_ref()?;
            if self.is_checkpoint() {
                return Encoding::Base64.decode(&self.data()?.envelope);
            }
            row.encoding.decode(data)
        };
        opened().unwrap_or_default()
    }
}

impl Call {
    /// Ingests the rows that wait, and waits until the store shows everything that was sent: to a
    /// thread, or to all.
    pub(super) async fn settle(&mut self, thread_id: Option<&str>) -> Result<(), Error> {
        const DOING: &str = "waiting for what was stored";
        self.flush("ingesting rows that waited").await?;
        let mut patience = Patience::of(&self.sender);
        let since = self.sender.options.dropped_before(self.sender.io.now());
        self.shared.borrow_mut().expire(since);
        loop {
            let (threads, _) = self.shared.borrow().unshown(thread_id);
            let Some(first) = threads.first() else { return Ok(()) };
            // This query also shows a deletion, after which no row needs to show.
            let query = query::cut(&self.sender.options.table, first);
            if thread_id.is_none() {
                let tables = self.look(query::Query::empty(), None).await?;
                tables.map_err(|failure| failure.error(DOING, self.sent.get()))?;
            }
            self.cut_of(DOING, first, query).await?;
            let (left, _) = self.shared.borrow().unshown(thread_id);
            if left.len() < threads.len() || left.is_empty() {
                continue;
            }
            if !patience.wait(&self.sender).await? {
                return Err(failure::stale(&format!("what was stored in thread {first}")));
            }
        }
    }

    /// Answers `Ask::Outline`.
    pub(super) async fn outline(
        &mut self,
        thread_id: &str,
        runs: &[String],
        before: Option<RecordKey>,
        count: u64,
    ) -> Result<Rows, Error> {
        self.settle(Some(thread_id)).await?;
        let (records, _) =
            self.page_of_records(thread_id, Beyond::Before(before.as_ref()), count).await?;
        let thread_key = Value::Integer(self.key(thread_id));
        let row = |record: Record| {
            let (ns, id, task_id, idx) = record.key.clone();
            let mut row = vec![
                thread_key.clone(),
                Value::Null,
                Value::Text(ns),
                Value::Text(id),
                Value::Text(task_id),
                Value::Integer(idx),
            ];
            if record.is_checkpoint() {
                row.extend(outlined(thread_id, &record, runs));
            } else {
                let channel = record.whole.map(|whole| whole.row.channel.clone());
                row.push(channel.map_or(Value::Null, Value::Text));
            }
            row
        };
        Ok(records.into_iter().map(row).collect())
    }

    /// Answers `Ask::Records`.
    pub(super) async fn records(
        &mut self,
        thread_key: i64,
        after: Option<RecordKey>,
        count: u64,
    ) -> Result<Rows, Error> {
        let thread_id = self.thread_of(thread_key)?;
        self.settle(Some(&thread_id)).await?;
        let (records, cut) =
            self.page_of_records(&thread_id, Beyond::After(after.as_ref()), count).await?;
        let mut rows = Vec::with_capacity(records.len());
        for record in &records {
            rows.push(self.record_row(&thread_id, record, cut)?);
        }
        self.note_records(records);
        Ok(rows)
    }

    /// Answers `Ask::Checkpoints`.
    pub(super) async fn checkpoints(
        &mut self,
        thread_key: i64,
        places: Vec<(String, String)>,
    ) -> Result<Rows, Error> {
        let thread_id = self.thread_of(thread_key)?;
        self.settle(Some(&thread_id)).await?;
        let ids: std::collections::BTreeSet<_> = places.iter().map(|(_, id)| id.clone()).collect();
        let mut groups = vec![ids.into_iter().collect::<Vec<_>>()];
        let mut rows = Vec::new();
        while let Some(ids) = groups.pop() {
            let query = query::threads::checkpoints(&self.table(), &thread_id, ids.clone());
            let Some(tables) = self.try_query(DOING, query, Some(&thread_id)).await? else {
                groups.extend(halves(ids)?);
                continue;
            };
            let mut seen = Seen::default();
            let mut cut = 0;
            if let [checkpoints, cuts] = tables.as_slice() {
                seen.take(checkpoints, CHECKPOINT)?;
                for record in cuts.records() {
                    cut = record.integer("cut")?;
                }
            }
            self.observe(&seen);
            for ((_, ns, id), whole) in seen.checkpoints() {
                if places.iter().any(|place| (&place.0, &place.1) == (&ns, &id)) {
                    let record = Record { key: (ns, id, String::new(), 0), whole: Some(whole) };
                    // The first column says what a row of a page is.
                    rows.push(self.record_row(&thread_id, &record, cut)?.split_off(1));
                }
            }
        }
        Ok(rows)
    }

    /// Answers `Ask::State`.
    pub(super) async fn state(&mut self, thread_key: i64) -> Result<Rows, Error> {
        let thread_id = self.thread_of(thread_key)?;
        self.settle(Some(&thread_id)).await?;
        let (mut checksums, mut checkpoints, mut newest) = (String::new(), 0, String::new());
        let mut last: Option<RecordKey> = None;
        loop {
            let beyond = Beyond::After(last.as_ref());
            let (records, _) = self.page_of_records(&thread_id, beyond, PAGE_RECORDS).await?;
            for record in &records {
                checksums.push_str(&checksum_text(&record.sealed()));
                if record.is_checkpoint() {
                    checkpoints += 1;
                    newest = newest.max(record.key.1.clone());
                }
            }
            last = records.last().map(|record| record.key.clone());
            if (records.len() as u64) < PAGE_RECORDS {
                break;
            }
        }
        let state = [Value::Text(checksums), Value::Integer(checkpoints), Value::Text(newest)];
        Ok(vec![state.to_vec()])
    }

    /// A page of records in order, and the thread's cut. Waits for parts of records that do not
    /// show.
    async fn page_of_records(
        &mut self,
        thread_id: &str,
        beyond: Beyond<'_>,
        count: u64,
    ) -> Result<(Vec<Record>, i64), Error> {
        let mut patience = Patience::of(&self.sender);
        loop {
            let (records, cut) = self.page_of_records_once(thread_id, beyond, count).await?;
            if records.iter().all(|record| record.whole.is_some()) {
                return Ok((records, cut));
            }
            if !patience.wait(&self.sender).await? {
                self.lacks(thread_id, &format!("all of a record of thread {thread_id}"))?;
                return Ok((records, cut));
            }
        }
    }

    async fn page_of_records_once(
        &mut self,
        thread_id: &str,
        beyond: Beyond<'_>,
        count: u64,
    ) -> Result<(Vec<Record>, i64), Error> {
        let (mut found, mut cut): (Vec<Record>, i64) = (Vec::new(), 0);
        let mut most = count;
        while (found.len() as u64) < count {
            let asked = most.min(count - found.len() as u64);
            let last = found.last().map(|record| &record.key);
            let from = match beyond {
                Beyond::After(key) => Beyond::After(last.or(key)),
                Beyond::Before(key) => Beyond::Before(last.or(key)),
            };
            let query = query::threads::records(&self.table(), thread_id, from, asked);
            let Some(tables) = self.try_query(DOING, query, Some(thread_id)).await? else {
                if asked < 2 {
                    return Err(oversized());
                }
                most = asked / 2;
                continue;
            };
            let [keys, checkpoints, writes, cuts] = tables.as_slice() else { break };
            let mut seen = Seen::default();
            seen.take(checkpoints, CHECKPOINT)?;
            seen.take(writes, WRITE)?;
            for record in cuts.records() {
                cut = record.integer("cut")?;
            }
            self.observe(&seen);
            self.note_cut(thread_id, cut);
            let before = found.len();
            let (mut checkpoints, mut writes) = (seen.checkpoints(), seen.writes());
            for record in keys.records() {
                let (ns, id) = (record.text("checkpoint_ns")?, record.text("checkpoint_id")?);
                let task_id = record.text("task_id")?.to_owned();
                let idx = record.optional_integer("idx")?.unwrap_or_default();
                let place: CheckpointKey = (thread_id.to_owned(), ns.to_owned(), id.to_owned());
                let whole = if task_id.is_empty() {
                    checkpoints.remove(&place)
                } else {
                    let is = |whole: &Whole| whole.row.task_id == task_id && whole.row.idx == idx;
                    writes.get_mut(&place).and_then(|writes| {
                        let at = writes.iter().position(is)?;
                        Some(writes.swap_remove(at))
                    })
                };
                found.push(Record { key: (place.1, place.2, task_id, idx), whole });
            }
            if ((found.len() - before) as u64) < asked {
                break;
            }
        }
        Ok((found, cut))
    }

    /// A record as a page has it.
    fn record_row(
        &mut self,
        thread_id: &str,
        record: &Record,
        cut: i64,
    ) -> Result<Vec<Value>, Error> {
        let (ns, id, task_id, idx) = record.key.clone();
        let mut row = if record.is_checkpoint() {
            let key = (thread_id.to_owned(), ns, id);
            let data = record.data().unwrap_or_default();
            match self.checkpoint_row(ask::CHECKPOINT, &key, &data, cut) {
                Ok(row) => return Ok(row),
                // Whoever opens the envelope says that it is damaged.
                Err(_) => {
                    let empty = CheckpointData::default();
                    return self.checkpoint_row(ask::CHECKPOINT, &key, &empty, cut);
                }
            }
        } else {
            vec![Value::Integer(ask::WRITE)]
        };
        let row_of = record.whole.as_ref().map(|whole| &whole.row);
        row.extend([
            Value::Integer(self.key(thread_id)),
            Value::Integer(idx),
            Value::Text(task_id),
            Value::Text(ns),
            Value::Text(id),
            Value::Text(row_of.map(|row| row.task_path.clone()).unwrap_or_default()),
            Value::Text(row_of.map(|row| row.channel.clone()).unwrap_or_default()),
            Value::Blob(record.sealed()),
        ]);
        Ok(row)
    }

    /// The table's name.
    pub(super) fn table(&self) -> String {
        self.sender.options.table.clone()
    }
}

/// What an outline says of a checkpoint, beside its key: parent, channels, link, created_at, and
/// whether it is of one of the runs.
fn outlined(thread_id: &str, record: &Record, runs: &[String]) -> [Value; 5] {
    let (ns, id, ..) = &record.key;
    let data = record.data().unwrap_or_default();
    let sealed = record.sealed();
    let metadata = data.metadata_encoding.decode(&data.metadata).unwrap_or_default();
    let parent_checkpoint_id = data.parent.as_deref();
    let link =
        LinkColumns { thread_id, checkpoint_ns: ns, checkpoint_id: id, parent_checkpoint_id };
    let columns =
        CheckpointColumns { link, channels: None, created_at: &data.ts, metadata: &metadata };
    let opened = CheckpointEnvelope::open(&sealed, columns, &String::new);
    // Without its link, the outline is refused as damaged.
    let (channels, link) = opened.map_or_else(
        |_| (String::from("[]"), Vec::new()),
        |envelope| {
            let names = envelope.values.iter().map(|entry| entry.channel.as_str());
            let end = sealed.len().saturating_sub(CHECKSUM_BYTES);
            let link = sealed.get(end.saturating_sub(CHECKSUM_BYTES)..end).unwrap_or_default();
            (json::array_of_strings(names), link.to_vec())
        },
    );
    let run_id = match data.metadata_encoding {
        Encoding::Text => json::member(&data.metadata, "run_id").and_then(json::text),
        Encoding::Base64 => None,
    };
    let is_of_run = run_id.or(data.run_id).is_some_and(|run_id| runs.contains(&run_id));
    [
        data.parent.map_or(Value::Null, Value::Text),
        Value::Text(channels),
        Value::Blob(link),
        Value::Text(data.ts),
        Value::Integer(i64::from(is_of_run)),
    ]
}

/// Both halves of a group whose rows are too large for one result.
fn halves(group: Vec<String>) -> Result<[Vec<String>; 2], Error> {
    if group.len() < 2 {
        return Err(oversized());
    }
    let (left, right) = group.split_at(group.len() / 2);
    Ok([left.to_vec(), right.to_vec()])
}

fn oversized() -> Error {
    Error::corrupt(
        "oversized-row",
        "a record is larger than a result may be; restore the table, or delete the thread",
    )
}
