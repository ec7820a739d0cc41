//! Removes the chunks of a thread that are not marked, in batches.

use super::marks::Marks;
use super::row::rows;
use crate::contract::error::Error;
use crate::contract::lifecycle::Work;
use crate::contract::statement::RowSet;
use crate::format::values::hash::Hash;
use crate::operations::ask::{Ask, Step};

/// The hashes of a page.
const PAGE_CHUNKS: u64 = 8192;
/// At most this many chunks, and about this many bytes, are removed in one transaction.
const CHUNKS_MAX: usize = 1024;
const BYTES_MAX: u64 = 8 << 20;

/// A sweep under way.
#[derive(Debug)]
pub(super) struct Sweep {
    generation: i64,
    marks: Box<Marks>,
    dry_run: bool,
    last: Option<Hash>,
    /// The chunks that go and their bytes, the next ones last.
    doomed: Vec<(Hash, u64)>,
    /// Those that are being removed.
    removing: Vec<(Hash, u64)>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Hashes,
    Remove,
    End,
}

/// What comes next.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time is under way, and it is moved a few times"
)]
pub(super) enum Next {
    Step(Step),
    /// The thread was written to.
    MarkAgain {
        generation: i64,
    },
    Done,
}

impl Sweep {
    pub(super) fn of(marks: Box<Marks>, dry_run: bool) -> Self {
        Self {
            generation: marks.generation(),
            marks,
            dry_run,
            last: None,
            doomed: Vec::new(),
            removing: Vec::new(),
            stage: Stage::Hashes,
        }
    }

    pub(super) fn into_marks(self) -> Marks {
        *self.marks
    }

    /// The first read.
    pub(super) fn start(&self) -> Step {
        Step::ask(Ask::ChunkSizes {
            thread_key: self.marks.thread_key(),
            after: self.last,
            count: PAGE_CHUNKS,
        })
    }

    #[inline(never)]
    pub(super) fn advance(&mut self, set: &RowSet, work: &mut Work) -> Result<Next, Error> {
        if self.stage == Stage::Hashes {
            for mut row in rows(set, "lg_chunks") {
                let hash = row.blob("hash")?;
                let bytes = row.integer("bytes")?.unsigned_abs();
                let Some(hash) = Hash::from_slice(hash) else {
                    return Err(Error::corrupt(
                        "unexpected-column",
                        "column hash of lg_chunks has not 20 bytes; restore the store",
                    ));
                };
                self.last = Some(hash);
                if !self.marks.has(&hash) {
                    self.doomed.push((hash, bytes));
                }
            }
            if set.rows.len() as u64 == PAGE_CHUNKS {
                return Ok(Next::Step(self.start()));
            }
            if self.dry_run {
                let bytes = self.doomed.iter().map(|(_, bytes)| bytes).sum::<u64>();
                work.chunks += self.doomed.len() as u64;
                work.bytes += bytes;
                return Ok(Next::Done);
            }
            if self.doomed.is_empty() && self.generation % 2 == 0 {
                // A new generation would make puts send what is stored.
                return Ok(Next::Done);
            }
            return Ok(self.remove());
        }
        let Some(mut row) = rows(set, "lg_threads").next() else {
            // The thread was deleted.
            return Ok(Next::Done);
        };
        let generation = row.integer("generation")?;
        if generation != self.generation {
            return Ok(Next::MarkAgain { generation });
        }
        work.chunks += self.removing.len() as u64;
        work.bytes += self.removing.iter().map(|(_, bytes)| bytes).sum::<u64>();
        if self.stage == Stage::End {
            return Ok(Next::Done);
        }
        Ok(self.remove())
    }

    /// Asks for the removal of the next chunks. The last removal makes the generation even.
    fn remove(&mut self) -> Next {
        let mut bytes_left = BYTES_MAX;
        let mut count = 0;
        for (_, bytes) in self.doomed.iter().rev().take(CHUNKS_MAX) {
            if count > 0 && *bytes > bytes_left {
                break;
            }
            bytes_left = bytes_left.saturating_sub(*bytes);
            count += 1;
        }
        self.removing = self.doomed.split_off(self.doomed.len() - count);
        let is_last = self.doomed.is_empty();
        self.stage = if is_last { Stage::End } else { Stage::Remove };
        let from = self.generation;
        // From odd to odd, and at the end to even.
        let is_odd = from % 2 != 0;
        self.generation = from + if is_last == is_odd { 1 } else { 2 };
        Next::Step(Step::ask(Ask::RemoveChunks {
            thread_key: self.marks.thread_key(),
            from,
            to: self.generation,
            digest: self.marks.digest().to_owned(),
            hashes: self.removing.iter().map(|(hash, _)| *hash).collect(),
        }))
    }
}
