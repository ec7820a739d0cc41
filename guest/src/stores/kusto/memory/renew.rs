//! Waiting rows that must be sent again: another process deleted their thread, and its tombstone is
//! newer than the rows, or than what they rely on.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::{Batch, Memory, Taken, Unsent};
use crate::contract::http::Moment;
use crate::stores::kusto::clock::datetime;
use crate::stores::kusto::row::{CHECKPOINT, CHUNK, LogRow};
use crate::stores::kusto::write::Tombstones;

/// The most bytes of chunks that are kept. Above it all waiting rows are flushed and the chunks are
/// dropped; the next put of a thread then sends all of its chunks again.
const KEPT_BYTES_MAX: usize = 16 * 1024 * 1024;

impl Memory {
    /// Keeps the chunks of a put that will wait. Returns whether everything that its checkpoint
    /// refers to is kept: then it can be sent whole, whatever happens to its thread.
    pub(crate) fn keep(
        &mut self,
        rows: &[LogRow],
        chunks: Vec<LogRow>,
        relied: Option<i64>,
    ) -> bool {
        self.kept.keep(chunks);
        let Some(first) = rows.first() else { return true };
        let relied = relied.map(|relied| ((first.thread_id.clone(), first.rev), relied));
        let is_whole = self.kept.reached(&first.thread_id, refs(rows.iter())).is_some();
        if is_whole {
            self.kept.relied.extend(relied);
        }
        is_whole
    }

    /// Whether so many chunks are kept that the waiting rows must be flushed.
    pub(crate) fn keeps_much(&self) -> bool {
        self.kept.bytes > KEPT_BYTES_MAX
    }

    /// The threads of rows that were taken.
    pub(crate) fn threads_of(&self, taken: &Taken) -> BTreeSet<String> {
        taken.rows.iter().map(|row| row.thread_id.clone()).collect()
    }

    /// Renews the taken and ingested rows that the tombstones hide, or whose chunks may have been
    /// removed by a deletion. Returns them with a newer revision, and with those chunks; they must
    /// be ingested again.
    pub(crate) fn renew(
        &mut self,
        taken: &Taken,
        tombstones: &BTreeMap<String, Tombstones>,
        at: Moment,
    ) -> Vec<LogRow> {
        let Self { unsent, kept, clock, .. } = self;
        let mut again = Vec::new();
        for (state, batch) in unsent {
            let is_taken = matches!(state, Unsent::Underway(_, take) if *take == taken.take);
            let found = tombstones.get(&batch.thread_id).filter(|_| is_taken);
            let Some(Tombstones { cut, newest }) = found else { continue };
            let relied = kept.relied.remove(&(batch.thread_id.clone(), batch.rev));
            let is_gone = relied.is_some_and(|relied| relied < *cut);
            if batch.rev > *newest && !is_gone {
                continue;
            }
            let whole = if is_gone {
                kept.reached(&batch.thread_id, refs(batch.rows.iter().map(|row| &**row)))
            } else {
                None
            };
            batch.renew(whole.unwrap_or_default(), clock.next(at), at);
            again.extend(batch.rows.iter().map(|row| LogRow::clone(row)));
        }
        again
    }

    /// Forgets a thread's chunks.
    pub(super) fn let_go(&mut self, thread_id: &str) {
        if self.kept.chunks.remove(thread_id).is_some() {
            let threads: Vec<String> = self.kept.chunks.keys().cloned().collect();
            self.kept.retain(&threads.iter().collect());
        }
    }

    /// Forgets what no waiting row relies on. Chunks are dropped only if many are kept.
    pub(super) fn make_room_for_chunks(&mut self) {
        let waits: BTreeSet<_> =
            self.unsent.iter().map(|(_, batch)| (batch.thread_id.clone(), batch.rev)).collect();
        self.kept.relied.retain(|batch, _| waits.contains(batch));
        if self.keeps_much() {
            self.kept.retain(&waits.iter().map(|(thread_id, _)| thread_id).collect());
        }
    }
}

impl Batch {
    /// Gives the rows another revision and new row ids, and adds these chunks.
    fn renew(&mut self, chunks: Vec<Rc<LogRow>>, rev: i64, at: Moment) {
        let id = |index: &str| format!("{rev:x}-{:016x}-{index}", at.entropy);
        let stamped = |row: &LogRow, row_id| LogRow {
            rev,
            row_id,
            created_at: datetime(at.now),
            waits: true,
            ..row.clone()
        };
        let own: BTreeSet<&String> = self.rows.iter().map(|row| &row.hash).collect();
        let chunks = chunks.iter().filter(|chunk| !own.contains(&chunk.hash)).enumerate();
        let mut rows: Vec<_> = chunks
            .map(|(index, chunk)| Rc::new(stamped(chunk, id(&format!("again-{index:x}")))))
            .collect();
        rows.extend(self.rows.iter().map(|row| {
            let index = row.row_id.rsplit_once('-').map_or("0", |(_, index)| index);
            Rc::new(stamped(row, id(index)))
        }));
        (self.rev, self.count, self.rows) = (rev, rows.len(), rows);
    }

    /// The batch after its rows are ingested: from then on tombstones may hide them.
    pub(super) fn ingested(mut self) -> Self {
        for row in &mut self.rows {
            Rc::make_mut(row).waits = false;
        }
        self
    }
}

/// The hashes that checkpoints and chunks among the rows refer to.
fn refs<'a>(rows: impl Iterator<Item = &'a LogRow>) -> impl Iterator<Item = &'a String> {
    rows.filter(|row| row.kind == CHECKPOINT || row.kind == CHUNK).flat_map(|row| &row.refs)
}
