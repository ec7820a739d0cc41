//! Writes rows in order: chunks before the rows that refer to them.
//!
//! The store has no transactions. A put ingests its rows, then checks whether the thread was
//! deleted meanwhile, and only then is acknowledged. So everything it relies on was still there
//! after its own row, and a host whose clock lags does not leave its row hidden behind a tombstone.

use std::collections::{BTreeMap, BTreeSet};

use super::call::{Call, Rows, newest_tombstone};
use super::clock::Clock;
use super::failure::{Class, Failure};
use super::ingest::{Broken, ingest};
use super::memory::{Shared, Taken, Thread};
use super::query::{self, Query};
use super::row::{
    CHECKPOINT, CHUNK, CheckpointData, Copies, Encoding, LogRow, TOMBSTONE, WRITE, copies,
    hash_text,
};
use crate::contract::error::Error;
use crate::contract::statement::Value;
use crate::format::json;
use crate::format::values::build::Chunk;
use crate::format::values::piece::Piece;
use crate::format::values::refs;
use crate::format::write::{WriteColumns, WriteEnvelope};
use crate::operations::ask::{NewCheckpoint, NewWrite, NewWrites};

/// What a put does, in words for errors.
pub(super) const PUTTING: &str = "storing a checkpoint";
/// What `put_writes` does, in words for errors.
pub(super) const WRITING: &str = "storing writes";

/// What is known of a thread's tombstones. Both are 0 if there is none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tombstones {
    /// The newest one of the whole thread.
    pub(super) cut: i64,
    /// The newest one of any kind. A checkpoint that is put must be newer: if it was pruned before,
    /// it has to show again.
    pub(super) newest: i64,
}

/// The rows of a call that are to be ingested.
pub(super) struct Attempt {
    pub(super) rev: i64,
    /// The oldest revision of the rows that are sent with its own and that it relies on.
    pub(super) oldest: i64,
    pub(super) rows: Vec<LogRow>,
    /// The hashes of the chunks among the rows.
    pub(super) hashes: Vec<String>,
    /// What was known of the thread; `None` for nothing.
    pub(super) known: Option<Thread>,
    /// Whether a part of the call is already stored, whatever becomes of these rows.
    pub(super) stored_before: bool,
}

impl Attempt {
    /// Lays the ingested rows over the results of queries.
    pub(super) fn lay(&mut self, shared: &Shared) {
        shared.borrow_mut().lay(std::mem::take(&mut self.rows), None);
    }
}

/// How often rows are sent again after the thread was deleted meanwhile.
const PUTS_MAX: usize = 8;

/// Write-behind: waiting rows are ingested when their data has this many bytes.
const WAITING_BYTES_MAX: usize = 3 * 1024 * 1024;

impl Call {
    /// Answers `Ask::Put`.
    pub(super) async fn put(&mut self, new: NewCheckpoint) -> Result<Rows, Error> {
        match self.attempt(&new, None)? {
            Some(attempt) if self.sender.options.write_behind() => {
                self.put_behind(new, attempt).await
            }
            Some(attempt) => self.put_from(new, attempt).await,
            None => Ok(Vec::new()),
        }
    }

    /// The rows of a put, without chunks that are known to be stored, or that other calls send.
    /// `None` if the guard does not match what this store knows, or what it knows is too old.
    pub(super) fn attempt(
        &self,
        new: &NewCheckpoint,
        carried: Option<&BTreeSet<String>>,
    ) -> Result<Option<Attempt>, Error> {
        let now = self.sender.io.now();
        let age_max = self.sender.options.age_max();
        let known = self.shared.borrow_mut().thread(&new.thread_id, now, age_max).cloned();
        if let Some(guard) = &new.guard {
            let holds = |known: &Thread| known.cut == Some(guard.generation);
            if !known.as_ref().is_some_and(holds) {
                return Ok(None);
            }
        }
        let is_sent = |chunk: &&Chunk| {
            let hash = hash_text(&chunk.hash);
            known.as_ref().is_some_and(|known| known.has(&hash))
                || carried.is_some_and(|carried| carried.contains(&hash))
        };
        let fresh: Vec<&Chunk> = new.chunks.iter().filter(|chunk| !is_sent(chunk)).collect();
        let stored_before = self.shared.borrow_mut().take_stale(&new.thread_id);
        let attempt = self.attempt_of(new, &fresh)?;
        Ok(Some(Attempt { known, stored_before, ..attempt }))
    }

    fn attempt_of(&self, new: &NewCheckpoint, chunks: &[&Chunk]) -> Result<Attempt, Error> {
        let rev = self.shared.borrow_mut().clock.next(self.sender.io.at());
        let rows = self.checkpoint_rows(new, self.chunk_rows(&new.thread_id, chunks, rev), rev)?;
        let hashes = chunks.iter().map(|chunk| hash_text(&chunk.hash)).collect();
        Ok(Attempt { rev, oldest: rev, rows, hashes, known: None, stored_before: false })
    }

    async fn put_from(&mut self, new: NewCheckpoint, mut attempt: Attempt) -> Result<Rows, Error> {
        let rows = std::mem::take(&mut attempt.rows);
        self.ingest(PUTTING, rows, attempt.stored_before).await?;
        let tombstones = self.tombstones_after(PUTTING, &new.thread_id).await?;
        self.finish_put(new, attempt, tombstones).await
    }

    /// Write-behind: acknowledges a put whose rows wait. The flush checks for a deletion and, if
    /// there is one, sends the whole put again. So the chunks that the put relies on must be kept
    /// or come with it.
    async fn put_behind(&mut self, new: NewCheckpoint, attempt: Attempt) -> Result<Rows, Error> {
        let Attempt { rev, hashes, known, rows, .. } = attempt;
        let cut = known.as_ref().and_then(|known| known.cut).unwrap_or_default();
        let chunks: Vec<&Chunk> = new.chunks.iter().collect();
        let chunks = self.chunk_rows(&new.thread_id, &chunks, rev);
        {
            let mut memory = self.shared.borrow_mut();
            let relied = known.as_ref().map(Thread::deleted_by);
            if !memory.keep(&rows, chunks, relied) && new.guard.is_some() {
                return Ok(Vec::new());
            }
            memory.learn(&new.thread_id, Some(cut), rev, hashes.into_iter());
        }
        self.wait_in_line(PUTTING, rows).await?;
        Ok(vec![vec![Value::Integer(0), Value::Integer(cut)]])
    }

    /// Acknowledges a put whose rows are ingested. If the thread was deleted meanwhile, a put with
    /// a guard ends stale, and any other is sent again as a whole, after the deletion.
    pub(super) async fn finish_put(
        &mut self,
        new: NewCheckpoint,
        mut attempt: Attempt,
        mut tombstones: Tombstones,
    ) -> Result<Rows, Error> {
        for _ in 0..PUTS_MAX {
            let Tombstones { cut, newest } = tombstones;
            let Attempt { rev, oldest, hashes, known, .. } = attempt;
            let deleted = known.as_ref().is_some_and(|known| known.differs(Some(cut)));
            if !deleted && oldest > newest {
                let mut memory = self.shared.borrow_mut();
                memory.learn(&new.thread_id, Some(cut), rev, hashes.into_iter());
                return Ok(vec![vec![Value::Integer(0), Value::Integer(cut)]]);
            }
            {
                let mut memory = self.shared.borrow_mut();
                memory.forget(&new.thread_id);
                memory.clock.observe(newest);
                if new.guard.is_some() {
                    memory.note_stale(&new.thread_id);
                    return Ok(Vec::new());
                }
            }
            let chunks: Vec<&Chunk> = new.chunks.iter().collect();
            attempt = self.attempt_of(&new, &chunks)?;
            let rows = std::mem::take(&mut attempt.rows);
            self.ingest(PUTTING, rows, true).await?;
            tombstones = self.tombstones_after(PUTTING, &new.thread_id).await?;
        }
        Err(thread_in_use())
    }

    /// These rows of the same call, and those of a checkpoint after them.
    pub(super) fn checkpoint_rows(
        &self,
        new: &NewCheckpoint,
        mut rows: Vec<LogRow>,
        rev: i64,
    ) -> Result<Vec<LogRow>, Error> {
        let envelope = new.open()?;
        let mut refs = Vec::new();
        refs::of_piece(&envelope.rest.piece, &mut refs);
        let mut state = serde_json::Map::new();
        for entry in &envelope.values {
            refs::of_piece(&entry.value.piece, &mut refs);
            if let Some(value) = readable(&entry.value.kind, &entry.value.piece) {
                state.insert(entry.channel.clone(), value);
            }
        }
        let is_json = new.metadata.kind == "json" && json::is_value(&new.metadata.bytes);
        let (metadata_encoding, metadata) = match Encoding::of(new.metadata.bytes.clone()) {
            (Encoding::Text, text) if is_json => (Encoding::Text, text),
            _ => Encoding::base64(&new.metadata.bytes),
        };
        let mut copied = match metadata_encoding {
            Encoding::Text => copies(&metadata),
            Encoding::Base64 => Copies::default(),
        };
        let run_id = new.run_id.clone().filter(|_| copied.run_id.is_none());
        copied.run_id = copied.run_id.or_else(|| run_id.clone());
        let data = CheckpointData {
            ts: new.created_at.clone(),
            parent: new.parent_checkpoint_id.clone(),
            metadata,
            metadata_encoding,
            run_id,
            envelope: Encoding::base64(&new.envelope).1,
        };
        let data = serde_json::to_string(&data).map_err(unencodable)?;
        let row = LogRow {
            checkpoint_ns: new.checkpoint_ns.clone(),
            checkpoint_id: new.checkpoint_id.clone(),
            parent_checkpoint_id: new.parent_checkpoint_id.clone().unwrap_or_default(),
            refs: refs.iter().map(hash_text).collect(),
            channels: envelope.values.iter().map(|entry| entry.channel.clone()).collect(),
            copies: Copies { state: Some(state.into()), ..copied },
            ..self.row(CHECKPOINT, &new.thread_id, rev, rows.len())
        };
        rows.extend(row.holding(Encoding::Text, data));
        Ok(rows)
    }

    pub(super) fn chunk_rows(&self, thread_id: &str, chunks: &[&Chunk], rev: i64) -> Vec<LogRow> {
        let row = |(index, chunk): (usize, &&Chunk)| {
            let refs = refs::of_chunk(chunk.role, &chunk.data);
            let (encoding, data) = Encoding::of(chunk.data.clone());
            let hash = hash_text(&chunk.hash);
            let refs = refs.iter().map(hash_text).collect();
            let row = self.row(CHUNK, thread_id, rev, index);
            LogRow { hash, refs, encoding, data, ..row }
        };
        chunks.iter().enumerate().map(row).collect()
    }

    /// A row of this call. Its row id is unique: no other call has the same revision and entropy.
    pub(super) fn row(&self, kind: &str, thread_id: &str, rev: i64, index: usize) -> LogRow {
        let at = self.sender.io.at();
        let row_id = format!("{rev:x}-{:016x}-{index:x}", at.entropy);
        LogRow::new(kind, thread_id, rev, row_id, at.now)
    }

    /// Answers `Ask::PutWrites`.
    pub(super) async fn put_writes(&mut self, new: NewWrites) -> Result<Rows, Error> {
        let mut attempt = self.writes_attempt(&new)?;
        let rows = std::mem::take(&mut attempt.rows);
        let behind = self.sender.options.write_behind();
        let mut cut = None;
        if behind {
            self.wait_in_line(WRITING, rows).await?;
        } else {
            self.ingest(WRITING, rows, false).await?;
            if self.knows_cut(&new.thread_id) {
                self.look_at_much().await;
            } else {
                cut = Some(self.tombstones_after(WRITING, &new.thread_id).await?.cut);
            }
        }
        self.finish_writes(new, attempt, cut).await
    }

    /// Whether this store knows a thread's newest tombstone; then its own rows are newer. Whoever
    /// writes to a checkpoint has put or read it, and so has looked after any deletion that the
    /// checkpoint survived.
    pub(super) fn knows_cut(&self, thread_id: &str) -> bool {
        let now = self.sender.io.now();
        let age_max = self.sender.options.age_max();
        let mut memory = self.shared.borrow_mut();
        memory.thread(thread_id, now, age_max).is_some_and(|thread| thread.cut.is_some())
    }

    /// Acknowledges writes whose rows are ingested. If a tombstone hides them, because of a clock
    /// that is ahead of ours, they are sent again.
    pub(super) async fn finish_writes(
        &mut self,
        new: NewWrites,
        mut attempt: Attempt,
        mut cut: Option<i64>,
    ) -> Result<Rows, Error> {
        for _ in 0..PUTS_MAX {
            if cut.is_none_or(|cut| attempt.rev > cut) {
                let hashes = attempt.hashes.into_iter();
                self.shared.borrow_mut().learn(&new.thread_id, cut, attempt.rev, hashes);
                return Ok(Vec::new());
            }
            attempt = self.writes_attempt(&new)?;
            let rows = std::mem::take(&mut attempt.rows);
            self.ingest(WRITING, rows, true).await?;
            cut = Some(self.tombstones_after(WRITING, &new.thread_id).await?.cut);
        }
        Err(thread_in_use())
    }

    /// The rows of writes. The chunks of a write are always sent with it.
    pub(super) fn writes_attempt(&self, new: &NewWrites) -> Result<Attempt, Error> {
        let rev = self.shared.borrow_mut().clock.next(self.sender.io.at());
        let chunks: Vec<&Chunk> = new.chunks.iter().collect();
        let rows = self.write_rows(new, self.chunk_rows(&new.thread_id, &chunks, rev), rev)?;
        let hashes = new.chunks.iter().map(|chunk| hash_text(&chunk.hash)).collect();
        Ok(Attempt { rev, oldest: rev, rows, hashes, known: None, stored_before: false })
    }

    /// These rows of the same call, and those of writes after them.
    pub(super) fn write_rows(
        &self,
        new: &NewWrites,
        mut rows: Vec<LogRow>,
        rev: i64,
    ) -> Result<Vec<LogRow>, Error> {
        for NewWrite { idx, channel, envelope } in new.keeping.iter().chain(&new.replacing) {
            let columns = WriteColumns {
                thread_id: &new.thread_id,
                checkpoint_ns: &new.checkpoint_ns,
                checkpoint_id: &new.checkpoint_id,
                task_id: &new.task_id,
                idx: *idx,
                task_path: &new.task_path,
                channel,
            };
            let here = || "a write".to_owned();
            let WriteEnvelope { value, .. } = WriteEnvelope::open(envelope, columns, &here)?;
            let mut refs = Vec::new();
            refs::of_piece(&value.piece, &mut refs);
            let (encoding, data) = Encoding::base64(envelope);
            let row = LogRow {
                checkpoint_ns: new.checkpoint_ns.clone(),
                checkpoint_id: new.checkpoint_id.clone(),
                task_id: new.task_id.clone(),
                task_path: new.task_path.clone(),
                idx: *idx,
                channel: channel.clone(),
                refs: refs.iter().map(hash_text).collect(),
                copies: Copies { state: readable(&value.kind, &value.piece), ..Copies::default() },
                ..self.row(WRITE, &new.thread_id, rev, rows.len())
            };
            rows.extend(row.holding(encoding, data));
        }
        Ok(rows)
    }

    /// Answers `Ask::DeleteThread`: hides the thread for good, and then removes its rows if `admin`
    /// is set.
    pub(super) async fn delete_thread(&mut self, thread_id: &str) -> Result<Rows, Error> {
        const DOING: &str = "deleting a thread";
        // The tombstone must be newer than every row that shows, whatever this host's clock says.
        let newest = query::newest(&self.sender.options.table, thread_id);
        self.cut_of(DOING, thread_id, newest).await?;
        let rev = self.shared.borrow_mut().clock.next(self.sender.io.at());
        self.hide(thread_id, rev).await?;
        Ok(Vec::new())
    }

    /// Hides the rows of a thread up to a revision, and then removes them if `admin` is set.
    pub(super) async fn hide(&mut self, thread_id: &str, rev: i64) -> Result<(), Error> {
        {
            let mut memory = self.shared.borrow_mut();
            // Later puts are newer, and must not rely on older rows.
            memory.clock.observe(rev);
            memory.forget(thread_id);
        }
        let tombstone = self.row(TOMBSTONE, thread_id, rev, 0);
        self.ingest("deleting a thread", vec![tombstone], false).await?;
        self.shared.borrow_mut().drop_older(thread_id, rev);
        if self.sender.options.admin {
            self.remove_rows(thread_id, rev).await?;
        }
        Ok(())
    }

    /// Removes a thread's rows up to a revision. Chunks stay if a checkpoint was put meanwhile,
    /// because it may rely on them.
    async fn remove_rows(&mut self, thread_id: &str, rev: i64) -> Result<(), Error> {
        const DOING: &str = "removing the rows of a thread that is hidden";
        let table = self.sender.options.table.clone();
        let newer_rows = query::newer(&table, thread_id, rev);
        let mut newer = 0;
        for found in self.query(DOING, newer_rows, Some(thread_id)).await? {
            for record in found.records() {
                newer += record.integer("rows")?;
            }
        }
        let mut commands = vec![query::delete(&table, thread_id, rev, newer == 0)];
        let view = format!("{table}_LatestCheckpoints");
        if self.has_view(DOING, &view).await? {
            commands.push(query::delete_from_view(&view, thread_id, rev));
        }
        for command in commands {
            let ended = self.sender.command(&command).await?;
            ended.map_err(|failure| failure.admin().error(DOING, true))?;
        }
        Ok(())
    }

    /// Whether the view of the latest checkpoints exists. It is for people and may be left out.
    async fn has_view(&self, doing: &str, view: &str) -> Result<bool, Error> {
        let ended = self.sender.show(".show materialized-views").await?;
        for table in ended.map_err(|failure| failure.error(doing, true))? {
            for record in table.records() {
                if record.text("Name")? == view {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// A thread's tombstones, read after its rows are ingested.
    pub(super) async fn tombstones_after(
        &self,
        doing: &str,
        thread_id: &str,
    ) -> Result<Tombstones, Error> {
        let query = query::cut(&self.sender.options.table, thread_id);
        self.tombstones_of(doing, thread_id, query).await
    }

    /// The tombstones of each of these threads, read after their rows are ingested.
    async fn cuts_after(
        &self,
        doing: &str,
        threads: BTreeSet<String>,
    ) -> Result<BTreeMap<String, Tombstones>, Error> {
        let laid = self.laid();
        let of_own = |thread_id: &String| {
            let cut = newest_tombstone(&laid, thread_id);
            (thread_id.clone(), Tombstones { cut, newest: cut })
        };
        let mut cuts: BTreeMap<String, Tombstones> = threads.iter().map(of_own).collect();
        let query = query::cuts(&self.sender.options.table, threads.into_iter().collect());
        for table in self.query(doing, query, None).await? {
            for record in table.records() {
                let thread_id = record.text("thread_id")?;
                let found = record.optional_integer("cut")?.unwrap_or_default();
                let newest = record.integer("rev")?;
                let mut memory = self.shared.borrow_mut();
                memory.clock.observe(newest);
                memory.hidden(thread_id, found);
                let of_thread = cuts.entry(thread_id.to_owned()).or_default();
                of_thread.cut = found.max(of_thread.cut);
                of_thread.newest = newest.max(of_thread.newest);
            }
        }
        Ok(cuts)
    }

    /// The newest tombstone of a whole thread, by this query and the laid rows; 0 if there is none.
    pub(super) async fn cut_of(
        &self,
        doing: &str,
        thread_id: &str,
        query: Query,
    ) -> Result<i64, Error> {
        self.tombstones_of(doing, thread_id, query).await.map(|found| found.cut)
    }

    /// A thread's tombstones, by this query and the laid rows. The query's `rev` is the newest one,
    /// or a newer row.
    async fn tombstones_of(
        &self,
        doing: &str,
        thread_id: &str,
        query: Query,
    ) -> Result<Tombstones, Error> {
        // Taken before the query: rows that show by its end may not have shown to all of it.
        let laid = newest_tombstone(&self.laid(), thread_id);
        let tables = self.look(query, Some(thread_id)).await?;
        let tables = tables.map_err(|failure| failure.error(doing, self.sent.get()))?;
        if tables.iter().all(|table| table.records().next().is_none()) {
            let words = "a table without its row".to_owned();
            let failure = Failure { class: Class::Unreadable, words, maybe_done: false };
            return Err(failure.error(doing, self.sent.get()));
        }
        let (mut cut, mut newest) = (0, 0);
        let mut memory = self.shared.borrow_mut();
        for record in tables.iter().flat_map(|table| table.records()) {
            cut = cut.max(record.optional_integer("cut")?.unwrap_or_default());
            newest = newest.max(record.optional_integer("rev")?.unwrap_or_default());
        }
        memory.hidden(thread_id, cut);
        cut = cut.max(laid).max(newest_tombstone(&memory.laid(), thread_id));
        newest = newest.max(cut);
        memory.clock.observe(newest);
        Ok(Tombstones { cut, newest })
    }

    /// Write-behind: lets the rows wait, and ingests all waiting rows if there are many.
    async fn wait_in_line(&mut self, doing: &str, rows: Vec<LogRow>) -> Result<(), Error> {
        let is_much = {
            let mut memory = self.shared.borrow_mut();
            memory.lay(rows, Some(self.sender.io.now()));
            let (waiting, bytes) = memory.waiting();
            waiting >= self.sender.options.batch_rows
                || bytes >= WAITING_BYTES_MAX
                || memory.keeps_much()
        };
        if is_much {
            self.flush(doing).await?;
        }
        Ok(())
    }

    /// Ingests the rows that wait.
    pub(super) async fn flush(&mut self, doing: &str) -> Result<(), Error> {
        let taken = self.shared.borrow_mut().take_waiting();
        if taken.rows.is_empty() {
            return Ok(());
        }
        let ended = self.ingest_taken(doing, &taken).await;
        self.shared.borrow_mut().settle(&taken, ended.is_ok());
        ended?;
        self.look_at_much().await;
        Ok(())
    }

    /// Ingests rows that waited, and looks for tombstones. Rows of threads that another process
    /// deleted meanwhile are sent again, whole and newer.
    async fn ingest_taken(&mut self, doing: &str, taken: &Taken) -> Result<(), Error> {
        let mut rows: Vec<LogRow> = taken.rows.iter().map(|row| LogRow::clone(row)).collect();
        for _ in 0..PUTS_MAX {
            match ingest(&self.sender, &self.shared, &rows).await {
                Ok(Ok(())) => self.has_sent(),
                Ok(Err(Broken { failure, .. })) => return Err(failure.error(doing, true)),
                Err(error) => return Err(error.after_sending()),
            }
            let threads = self.shared.borrow().threads_of(taken);
            let cuts = self.cuts_after(doing, threads).await?;
            let mut memory = self.shared.borrow_mut();
            rows = memory.renew(taken, &cuts, self.sender.io.at());
            let again: BTreeSet<&String> = rows.iter().map(|row| &row.thread_id).collect();
            let since = Clock::at(self.sender.io.now());
            for (thread_id, Tombstones { cut, .. }) in &cuts {
                // The deletion removed what was known of the thread.
                if again.contains(thread_id) {
                    memory.forget(thread_id);
                }
                let sent = rows.iter().filter(|row| row.thread_id == *thread_id);
                let hashes = sent.filter(|row| row.kind == CHUNK).map(|row| row.hash.clone());
                memory.learn(thread_id, Some(*cut), since, hashes);
            }
            if rows.is_empty() {
                return Ok(());
            }
        }
        Err(thread_in_use())
    }

    /// Asks which rows show if many are kept. A caller that only writes would never learn it.
    pub(super) async fn look_at_much(&self) {
        let mut much = self.shared.borrow().much_unshown();
        while much > 0 {
            // A failure here is harmless: the rows are in the store, and a later query looks again.
            let _ = self.look(Query::empty(), None).await;
            let left = self.shared.borrow().much_unshown();
            if left >= much {
                break;
            }
            much = left;
        }
    }
}

fn thread_in_use() -> Error {
    Error::thread_in_use("a thread", "written to", true)
}

/// A value that is inline and JSON, for people; else `None`.
fn readable(kind: &str, piece: &Piece) -> Option<serde_json::Value> {
    match piece {
        Piece::Inline(bytes) if kind == "json" => serde_json::from_slice(bytes).ok(),
        _ => None,
    }
}

fn unencodable(error: serde_json::Error) -> Error {
    Error::protocol("encoding-failed", format!("cannot encode: {error}"))
}
