//! Lists of threads, totals, searches for threads, and what a prune removes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::call::{Call, Rows};
use super::filter::{matches, narrowing};
use super::memory::Search;
use super::query;
use super::query::threads::{Listed, Sought};
use super::read::{data_of, json_of};
use super::resolve::Seen;
use super::row::{CHECKPOINT, CheckpointData, Encoding, LogRow, TOMBSTONE};
use crate::contract::call::MetadataFilter;
use crate::contract::error::Error;
use crate::contract::statement::Value;
use crate::operations::ask::{Checkpoints, ThreadsAfter};

/// How many threads a query asks for if conditions may drop some.
const FILTERED_THREADS: u64 = 256;

/// How many threads a search among all finds at once.
const FOUND_THREADS: u64 = 1024;

/// What a thread has, in numbers.
#[derive(Debug, Default)]
pub(super) struct Extent {
    pub(super) checkpoints: i64,
    pub(super) writes: i64,
    /// The greatest id of a checkpoint; empty if there is none.
    pub(super) newest: String,
    pub(super) cut: i64,
    /// The newest revision that shows.
    rev: i64,
}

impl Extent {
    pub(super) fn is_empty(&self) -> bool {
        self.checkpoints == 0 && self.writes == 0
    }

    /// Whether the thread has these checkpoints.
    fn has(&self, of: &Checkpoints) -> bool {
        (self.checkpoints, &self.newest) == (of.count, &of.newest)
    }
}

impl Call {
    /// Answers `Ask::ListThreads`.
    pub(super) async fn list_threads(
        &mut self,
        idle_since: Option<String>,
        id_prefix: Option<String>,
        filter: Vec<MetadataFilter>,
        mut after: Option<ThreadsAfter>,
        count: u64,
    ) -> Result<Rows, Error> {
        const DOING: &str = "listing threads";
        self.settle(None).await?;
        let narrow = narrowing(&filter);
        let asked = if filter.len() > narrow.len() { count.max(FILTERED_THREADS) } else { count };
        let mut rows = Rows::new();
        loop {
            let listed = Listed {
                idle_since: idle_since.as_deref(),
                id_prefix: id_prefix.as_deref(),
                after: after.as_ref(),
                count: asked,
            };
            let query = query::threads::list(&self.table(), listed, &narrow);
            let tables = self.query(DOING, query, None).await?;
            let [threads, checkpoints, numbers] = tables.as_slice() else { return Ok(rows) };
            let mut seen = Seen::default();
            seen.take(checkpoints, CHECKPOINT)?;
            self.observe(&seen);
            let wholes = seen.rows_of(CHECKPOINT);
            let mut counts = BTreeMap::new();
            for record in numbers.records() {
                let numbers = [
                    record.integer("namespaces")?,
                    record.integer("checkpoints")?,
                    record.integer("writes")?,
                ];
                counts.insert(record.text("thread_id")?, numbers.map(Value::Integer));
            }
            let mut listed = 0;
            for record in threads.records() {
                listed += 1;
                let (thread_id, checkpoint_id) =
                    (record.text("thread_id")?, record.text("checkpoint_id")?);
                after = Some(ThreadsAfter {
                    checkpoint_id: checkpoint_id.to_owned(),
                    thread_id: thread_id.to_owned(),
                });
                let whole = wholes.get(&(thread_id, record.text("row_id")?));
                let Some(whole) = whole else {
                    self.lacks(thread_id, &format!("all of checkpoint {checkpoint_id}"))?;
                    return Err(Error::corrupt(
                        "incomplete-row",
                        format!(
                            "parts of checkpoint {checkpoint_id} of thread {thread_id} are \
                             missing; restore the table"
                        ),
                    ));
                };
                let data = data_of(whole)?;
                let is_idle = idle_since.as_ref().is_none_or(|ts| data.ts < *ts);
                let fits =
                    filter.is_empty() || json_of(&data).is_some_and(|text| matches(text, &filter));
                if is_idle && fits && (rows.len() as u64) < count {
                    let mut row = vec![
                        Value::Text(thread_id.to_owned()),
                        Value::Text(checkpoint_id.to_owned()),
                        Value::Text(data.ts.clone()),
                        Value::Blob(metadata_of(&data)),
                    ];
                    row.extend(counts.remove(thread_id).into_iter().flatten());
                    rows.push(row);
                }
            }
            if listed < asked || rows.len() as u64 == count {
                return Ok(rows);
            }
        }
    }

    /// Answers `Ask::Totals`. The bytes of records are those of their data in the table.
    pub(super) async fn totals(&mut self, thread_id: Option<String>) -> Result<Rows, Error> {
        let thread_id = thread_id.as_deref();
        self.settle(thread_id).await?;
        let query = query::threads::totals(&self.table(), thread_id);
        let tables = self.query("counting what is stored", query, thread_id).await?;
        let [records, threads, sizes, chunks] = tables.as_slice() else { return Ok(Rows::new()) };
        let number = |table: &super::frames::Table, column: &'static str| {
            let mut number = 0;
            for record in table.records() {
                number += record.optional_integer(column)?.unwrap_or_default();
            }
            Ok::<_, Error>(Value::Integer(number))
        };
        Ok(vec![vec![
            number(threads, "threads")?,
            number(records, "checkpoints")?,
            number(records, "writes")?,
            number(sizes, "record_bytes")?,
            number(chunks, "chunks")?,
            number(chunks, "chunk_bytes")?,
        ]])
    }

    /// Answers `Ask::FindThread`. Among all threads it looks for many at once, and then only
    /// whether each is still one that is sought.
    pub(super) async fn find_thread(
        &mut self,
        after: String,
        thread_id: Option<String>,
        idle: Option<String>,
        runs: Vec<String>,
    ) -> Result<Rows, Error> {
        let mut search = (after, idle, runs);
        if thread_id.is_some() {
            let found = self.search(&search, thread_id.as_deref(), 1).await?.pop_front();
            return self.found(found).await;
        }
        loop {
            let next = self.shared.borrow_mut().found.next(&search);
            let Some(next) = next else {
                let mut found = self.search(&search, None, FOUND_THREADS).await?;
                let first = found.pop_front();
                search.0 = first.clone().unwrap_or_default();
                self.shared.borrow_mut().found.keep(search, found);
                return self.found(first).await;
            };
            if !self.search(&search, Some(&next), 1).await?.is_empty() {
                return self.found(Some(next)).await;
            }
            search.0 = next;
        }
    }

    /// The first threads of a search, or this one if it is sought.
    async fn search(
        &mut self,
        (after, idle, runs): &Search,
        thread_id: Option<&str>,
        count: u64,
    ) -> Result<VecDeque<String>, Error> {
        self.settle(thread_id).await?;
        let sought = Sought { thread_id, after, idle: idle.as_deref(), runs, count };
        let query = query::threads::find(&self.table(), sought);
        let tables = self.query("looking for threads", query, thread_id).await?;
        let records = tables.iter().flat_map(|table| table.records());
        records.map(|record| record.text("thread_id").map(str::to_owned)).collect()
    }

    /// The row of a thread that was found.
    async fn found(&mut self, found: Option<String>) -> Result<Rows, Error> {
        let Some(thread_id) = found else { return Ok(Rows::new()) };
        let cut = query::cut(&self.table(), &thread_id);
        let cut = self.cut_of("looking for a thread", &thread_id, cut).await?;
        let key = self.key(&thread_id);
        Ok(vec![vec![Value::Integer(key), Value::Text(thread_id), Value::Integer(cut)]])
    }

    /// Answers `Ask::RemoveRecords`: hides the checkpoints and their writes. Their chunks stay.
    pub(super) async fn remove_records(
        &mut self,
        thread_key: i64,
        of: &Checkpoints,
        places: Vec<(String, String)>,
    ) -> Result<Rows, Error> {
        let thread_id = self.thread_of(thread_key)?;
        let mut extent = self.extent(&thread_id).await?;
        if extent.has(of) {
            // The tombstones must be newer than every row that shows, whatever the clock says.
            let rev = self.shared.borrow_mut().clock.next(self.sender.io.at());
            let tombstone = |(index, (checkpoint_ns, checkpoint_id))| LogRow {
                checkpoint_ns,
                checkpoint_id,
                ..self.row(TOMBSTONE, &thread_id, rev, index)
            };
            let places: BTreeSet<_> = places.into_iter().collect();
            let rows = places.into_iter().enumerate().map(tombstone).collect();
            self.ingest("pruning a thread", rows, false).await?;
            extent = self.extent(&thread_id).await?;
        }
        let Extent { checkpoints, newest, .. } = extent;
        Ok(vec![vec![Value::Null, Value::Integer(checkpoints), Value::Text(newest)]])
    }

    /// Answers `Ask::RemoveThread`.
    pub(super) async fn remove_thread(
        &mut self,
        thread_key: i64,
        of: &Checkpoints,
    ) -> Result<Rows, Error> {
        let thread_id = self.thread_of(thread_key)?;
        let extent = self.extent(&thread_id).await?;
        if !extent.has(of) {
            return Ok(Rows::new());
        }
        // What was put since is newer than the tombstone, and stays.
        self.hide(&thread_id, extent.rev.saturating_add(1)).await?;
        Ok(vec![vec![Value::Integer(1)]])
    }

    /// What a thread has, after everything that was sent shows.
    pub(super) async fn extent(&mut self, thread_id: &str) -> Result<Extent, Error> {
        const DOING: &str = "looking at a thread";
        self.settle(Some(thread_id)).await?;
        let query = query::threads::extent(&self.table(), thread_id);
        let mut extent = Extent::default();
        for table in self.query(DOING, query, Some(thread_id)).await? {
            for record in table.records() {
                extent.checkpoints = record.integer("checkpoints")?;
                extent.writes = record.integer("writes")?;
                extent.newest = record.text("newest")?.to_owned();
                extent.cut = record.integer("cut")?;
                extent.rev = record.integer("rev")?;
                self.shared.borrow_mut().clock.observe(extent.rev);
                self.note_newest(thread_id, extent.rev);
            }
        }
        Ok(extent)
    }
}

fn metadata_of(data: &CheckpointData) -> Vec<u8> {
    let Encoding::Text = data.metadata_encoding else {
        return data.metadata_encoding.decode(&data.metadata).unwrap_or_default();
    };
    data.metadata.clone().into_bytes()
}
