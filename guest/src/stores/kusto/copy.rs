//! Copies of threads. Chunks are copied first, as pages of records are read. What refers to them is
//! ingested at the end, and shows all at once or not at all: in one request, or, if that would be
//! too large, as staged rows that nobody reads, and then by one command. So a copy that is cut
//! short is no thread that anybody sees.

use super::call::{Call, Patience, Rows};
use super::copying::{Copying, Record};
use super::failure;
use super::ingest::{Broken, ingest_at_once};
use super::query;
use super::row::{LogRow, STAGED, hash_text};
use crate::contract::call::Payload;
use crate::contract::error::Error;
use crate::contract::statement::Value;
use crate::format::checkpoint::{CheckpointColumns, CheckpointEnvelope, LinkColumns};
use crate::format::values::build::Chunk;
use crate::format::values::hash::{Hash, Role};
use crate::operations::ask::{CopiedRecord, NewCheckpoint, NewWrite, NewWrites, RecordKey};

const DOING: &str = "copying a thread";

impl Call {
    /// Answers `Ask::BeginCopy`. The key of the new thread is its place among those of this call.
    pub(super) async fn begin_copy(&mut self, source: &str, target: &str) -> Result<Rows, Error> {
        let from = self.extent(source).await?;
        if from.is_empty() {
            return Ok(Rows::new());
        }
        let to = self.extent(target).await?;
        self.copying = Some(Copying { cut: to.cut, ..Copying::default() });
        self.note_cut(source, from.cut);
        Ok(vec![vec![
            Value::Integer(self.key(source)),
            Value::Integer(from.cut),
            Value::Integer(i64::from(!to.is_empty())),
            Value::Integer(self.key(target)),
        ]])
    }

    /// Keeps a page of records if a copy follows.
    pub(super) fn note_records(&mut self, records: Vec<Record>) {
        if let Some(copying) = &mut self.copying {
            copying.page = records;
        }
    }

    /// Answers `Ask::CopyRecords`: keeps the records until the end of the copy.
    pub(super) fn copy_records(
        &mut self,
        to: i64,
        records: Vec<CopiedRecord>,
    ) -> Result<Rows, Error> {
        let target = self.thread_of(to)?;
        let Some(copying) = &mut self.copying else { return Ok(Rows::new()) };
        let page = std::mem::take(&mut copying.page);
        for CopiedRecord { key, envelope, .. } in records {
            let Some(record) = page.iter().find(|record| record.key == key) else { continue };
            if record.is_checkpoint() {
                copying.checkpoints.extend(checkpoint(&target, record, envelope));
            } else {
                copying.writes.extend(write(&target, record, envelope));
            }
        }
        Ok(Rows::new())
    }

    /// Answers `Ask::CopyChunks`.
    pub(super) async fn copy_chunks(
        &mut self,
        from: i64,
        to: i64,
        hashes: Vec<Hash>,
    ) -> Result<Rows, Error> {
        let target = self.thread_of(to)?;
        let found = self.gather(from, &hashes).await?;
        let mut chunks = Vec::with_capacity(found.len());
        for row in found {
            let mut row = row.into_iter();
            let (Some(Value::Integer(at)), Some(Value::Blob(data))) = (row.next(), row.next())
            else {
                continue;
            };
            let hash = usize::try_from(at).ok().and_then(|at| hashes.get(at)).copied();
            let role = |hash| Role::ALL.into_iter().find(|role| Hash::of(*role, &data) == hash);
            if let Some((hash, role)) = hash.and_then(|hash| Some((hash, role(hash)?))) {
                chunks.push(Chunk { role, hash, data });
            }
        }
        if chunks.len() < hashes.len() {
            return Err(Error::corrupt(
                "missing-chunk",
                "a chunk of the thread to copy is missing or damaged; verify the thread, and \
                 restore it or delete it",
            ));
        }
        let bytes: usize = chunks.iter().map(|chunk| chunk.data.len()).sum();
        let rev = self.shared.borrow_mut().clock.next(self.sender.io.at());
        let rows = self.chunk_rows(&target, &chunks.iter().collect::<Vec<_>>(), rev);
        self.ingest(DOING, rows, false).await?;
        let stored = hashes.iter().map(hash_text);
        self.shared.borrow_mut().learn(&target, None, rev, stored);
        Ok(vec![vec![Value::Integer(chunks.len() as i64), Value::Integer(bytes as i64)]])
    }

    /// Answers `Ask::EndCopy`.
    pub(super) async fn end_copy(
        &mut self,
        (from, generation, to): (i64, i64, i64),
        records: i64,
    ) -> Result<Rows, Error> {
        let (source, target) = (self.thread_of(from)?, self.thread_of(to)?);
        let Some(copying) = self.copying.take() else { return Ok(answer(false, false)) };
        let (was, is) = (self.extent(&source).await?, self.extent(&target).await?);
        if !is.is_empty() {
            return Ok(answer(false, true));
        }
        let Copying { writes, checkpoints, cut, .. } = copying;
        let count = writes.len() + checkpoints.len();
        if was.cut != generation || is.cut != cut || count as i64 != records {
            // Something was deleted, perhaps with chunks.
            return Ok(answer(false, false));
        }
        let rev = self.shared.borrow_mut().clock.next(self.sender.io.at());
        let mut rows = Vec::new();
        for write in &writes {
            rows = self.write_rows(write, rows, rev)?;
        }
        for checkpoint in &checkpoints {
            rows = self.checkpoint_rows(checkpoint, rows, rev)?;
        }
        self.show_at_once(&target, rows, rev).await?;
        Ok(answer(true, true))
    }

    /// Ingests rows that must show together.
    async fn show_at_once(
        &mut self,
        target: &str,
        rows: Vec<LogRow>,
        rev: i64,
    ) -> Result<(), Error> {
        let ingested = ingest_at_once(&self.sender, &self.shared, &rows).await;
        let ingested = ingested.map_err(Error::after_sending)?;
        let sent = self.sent.get();
        if ingested.map_err(|Broken { failure, partly }| failure.error(DOING, partly || sent))? {
            self.has_sent();
            self.shared.borrow_mut().lay(rows, None);
            return Ok(());
        }
        let count = rows.len();
        let staged = |row: LogRow| LogRow {
            kind: format!("{STAGED}{}", row.kind),
            row_id: format!("{STAGED}{}", row.row_id),
            ..row
        };
        self.ingest(DOING, rows.into_iter().map(staged).collect(), false).await?;
        let mut columns = Vec::new();
        for table in self.query(DOING, query::schema(&self.table()), None).await? {
            for record in table.records() {
                columns.push(record.text("ColumnName")?.to_owned());
            }
        }
        let unstage = query::threads::unstage(&self.table(), target, rev, count, &columns);
        self.sender.begin();
        let mut patience = Patience::of(&self.sender);
        loop {
            // The command reads what shows.
            self.settle(Some(target)).await?;
            let ended = self.sender.command(&unstage).await?;
            ended.map_err(|failure| failure.error(DOING, true))?;
            if !self.extent(target).await?.is_empty() {
                return Ok(());
            }
            if !patience.wait(&self.sender).await? {
                return Err(failure::stale(&format!("a copy of a thread to {target}")));
            }
        }
    }
}

/// The row that ends a copy. A key of this store is always reserved.
fn answer(is_copied: bool, is_there: bool) -> Rows {
    let flags = [is_copied, is_there, true];
    vec![flags.map(|flag| Value::Integer(i64::from(flag))).to_vec()]
}

/// A checkpoint as the new thread has it; `None` if it is damaged.
fn checkpoint(target: &str, record: &Record, envelope: Vec<u8>) -> Option<NewCheckpoint> {
    let (checkpoint_ns, checkpoint_id, ..) = record.key.clone();
    let data = record.data()?;
    let metadata = data.metadata_encoding.decode(&data.metadata)?;
    let link = LinkColumns {
        thread_id: target,
        checkpoint_ns: &checkpoint_ns,
        checkpoint_id: &checkpoint_id,
        parent_checkpoint_id: data.parent.as_deref(),
    };
    let columns =
        CheckpointColumns { link, channels: None, created_at: &data.ts, metadata: &metadata };
    let opened = CheckpointEnvelope::open(&envelope, columns, &String::new).ok()?;
    let names = opened.values.iter().map(|entry| entry.channel.as_str());
    Some(NewCheckpoint {
        thread_id: target.to_owned(),
        channels: crate::format::json::array_of_strings(names),
        metadata: Payload { kind: opened.metadata_kind, bytes: metadata },
        checkpoint_ns,
        checkpoint_id,
        parent_checkpoint_id: data.parent,
        created_at: data.ts,
        run_id: data.run_id,
        envelope,
        chunks: Vec::new(),
        guard: None,
    })
}

/// A write as the new thread has it; `None` if it is damaged.
fn write(target: &str, record: &Record, envelope: Vec<u8>) -> Option<NewWrites> {
    let (checkpoint_ns, checkpoint_id, task_id, idx): RecordKey = record.key.clone();
    let row = &record.whole.as_ref()?.row;
    let new = NewWrite { idx, channel: row.channel.clone(), envelope };
    Some(NewWrites {
        thread_id: target.to_owned(),
        checkpoint_ns,
        checkpoint_id,
        task_id,
        task_path: row.task_path.clone(),
        keeping: vec![new],
        replacing: Vec::new(),
        chunks: Vec::new(),
    })
}
