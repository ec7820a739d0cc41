//! The chunks that the records of a thread refer to, directly and through other chunks.
//!
//! 1. Read the records, page by page.
//! 2. Read the chunks that refer to others, level by level. If one is missing, the thread may have
//!    been pruned or deleted meanwhile: start over. Only if the same one is missing again, and the
//!    records are the same, is it damage.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::Place;
use super::row::rows;
use super::tuples::{StoredCheckpoint, StoredWrite, chunks};
use crate::contract::error::Error;
use crate::contract::statement::RowSet;
use crate::format::checksum_text;
use crate::format::values::hash::{Hash, Role};
use crate::format::values::piece::Piece;
use crate::format::values::refs;
use crate::operations::ask::{Ask, CHECKPOINT, RecordKey, Step};

/// The records of a page. An envelope takes about 1 KB.
const PAGE_RECORDS: u64 = 1024;
/// At most this many chunks are read at once. One that refers to others has at most 16 KiB.
const CHUNKS_MAX: usize = 512;
/// How often chunks are missing because the thread was changed, before that is an error.
const ATTEMPTS_MAX: usize = 16;
/// The number of columns before the envelope of a checkpoint, and of a write.
const CHECKPOINT_ENVELOPE: usize = 8;
const WRITE_ENVELOPE: usize = 7;

/// The marking of one thread's chunks.
#[derive(Debug)]
pub(super) struct Marks {
    thread_id: String,
    thread_key: i64,
    /// The checkpoints whose records do not count.
    without: BTreeSet<Place>,
    marked: BTreeSet<Hash>,
    /// The chunks to open.
    wanted: BTreeMap<Hash, Role>,
    /// Those that are being read.
    asked: Vec<(Hash, Role)>,
    /// The checksums of the records, in their order.
    digest: String,
    last: Option<RecordKey>,
    are_records_read: bool,
    /// The chunk that was missing last, and the digest of the records then.
    missing: Option<(Hash, String)>,
    attempts: usize,
}

/// A record that counts, with its envelope as stored.
pub(super) enum Record<'a> {
    Checkpoint(&'a StoredCheckpoint, &'a [u8]),
    Write(&'a StoredWrite, &'a [u8]),
}

impl Marks {
    pub(super) fn of(thread_id: String, thread_key: i64, without: BTreeSet<Place>) -> Self {
        Self {
            thread_id,
            thread_key,
            without,
            marked: BTreeSet::new(),
            wanted: BTreeMap::new(),
            asked: Vec::new(),
            digest: String::new(),
            last: None,
            are_records_read: false,
            missing: None,
            attempts: 0,
        }
    }

    /// The first read.
    pub(super) fn start(&self) -> Step {
        self.page()
    }

    pub(super) fn thread_id(&self) -> &str {
        &self.thread_id
    }

    /// The checksums of all records that count, in upper case hexadecimal.
    pub(super) fn digest(&self) -> &str {
        &self.digest
    }

    /// Whether a record that counts refers to this chunk.
    pub(super) fn has(&self, hash: &Hash) -> bool {
        self.marked.contains(hash)
    }

    /// All marked chunks, in their order.
    pub(super) fn into_hashes(self) -> impl Iterator<Item = Hash> {
        self.marked.into_iter()
    }

    /// Takes an answer and calls `visit` for each record that counts, again if it starts over.
    /// Returns the next read; `None` if all chunks are marked.
    #[inline(never)]
    pub(super) fn advance(
        &mut self,
        set: &RowSet,
        visit: &mut dyn FnMut(Record<'_>),
    ) -> Result<Option<Step>, Error> {
        if self.are_records_read {
            if let Some(missing) = self.take_chunks(set)? {
                return self.again(missing).map(Some);
            }
        } else {
            self.take_records(set, visit)?;
            if set.rows.len() as u64 == PAGE_RECORDS {
                return Ok(Some(self.page()));
            }
            self.are_records_read = true;
        }
        Ok(self.round())
    }

    fn page(&self) -> Step {
        let (thread_key, after) = (self.thread_key, self.last.clone());
        Step::ask(Ask::Records { thread_key, after, count: PAGE_RECORDS })
    }

    fn round(&mut self) -> Option<Step> {
        self.asked.clear();
        while let Some(next) = self.wanted.pop_first() {
            self.asked.push(next);
            if self.asked.len() == CHUNKS_MAX {
                break;
            }
        }
        let hashes: Vec<_> = self.asked.iter().map(|(hash, _)| *hash).collect();
        let thread_key = self.thread_key;
        (!hashes.is_empty())
            .then(|| Step::ask(Ask::Chunks { thread_key, hashes, to_the_end: false }))
    }

    fn take_records(
        &mut self,
        set: &RowSet,
        visit: &mut dyn FnMut(Record<'_>),
    ) -> Result<(), Error> {
        for mut row in rows(set, "lg_records") {
            if row.integer("part")? == CHECKPOINT {
                let sealed = row.blob_ahead(CHECKPOINT_ENVELOPE);
                let stored = StoredCheckpoint::from_row(row)?;
                let place = (stored.checkpoint_ns.clone(), stored.checkpoint_id.clone());
                self.last = Some((place.0.clone(), place.1.clone(), String::new(), 0));
                if self.without.contains(&place) {
                    continue;
                }
                self.digest.push_str(&checksum_text(sealed));
                visit(Record::Checkpoint(&stored, sealed));
                let envelope = stored.envelope;
                self.mark(&envelope.rest.piece);
                envelope.values.iter().for_each(|entry| self.mark(&entry.value.piece));
            } else {
                let sealed = row.blob_ahead(WRITE_ENVELOPE);
                let write = StoredWrite::from_row(row, &self.thread_id)?;
                let (_, task_id, idx) = write.order();
                let place = (write.checkpoint_ns.clone(), write.checkpoint_id.clone());
                self.last = Some((place.0.clone(), place.1.clone(), task_id.to_owned(), idx));
                if self.without.contains(&place) {
                    continue;
                }
                self.digest.push_str(&checksum_text(sealed));
                visit(Record::Write(&write, sealed));
                self.mark(&write.value.piece);
            }
        }
        Ok(())
    }

    /// Takes chunks. Returns one that is missing or damaged.
    fn take_chunks(&mut self, set: &RowSet) -> Result<Option<Hash>, Error> {
        let hashes: Vec<_> = self.asked.iter().map(|(hash, _)| *hash).collect();
        let found: BTreeMap<_, _> = chunks(set, &hashes)?.into_iter().collect();
        for (hash, role) in std::mem::take(&mut self.asked) {
            let whole = found.get(&hash).filter(|data| Hash::of(role, data) == hash);
            let Some(data) = whole else { return Ok(Some(hash)) };
            refs::each_of_chunk(role, data, &mut |role, hash| {
                note(&mut self.marked, &mut self.wanted, role, hash);
            });
        }
        Ok(None)
    }

    /// Starts over, because this chunk is missing.
    fn again(&mut self, hash: Hash) -> Result<Step, Error> {
        let missing = Some((hash, std::mem::take(&mut self.digest)));
        if missing == self.missing {
            // What is below it is not known, so nothing may be removed.
            return Err(Error::corrupt(
                "missing-chunk",
                format!(
                    "chunk {hash} of thread {} is missing or damaged, so which other chunks are \
                     needed is not known; restore it, or delete the thread",
                    self.thread_id
                ),
            ));
        }
        self.attempts += 1;
        if self.attempts >= ATTEMPTS_MAX {
            return Err(Error::protocol(
                "thread-in-use",
                format!(
                    "thread {} is changed again and again while its chunks are read; try again \
                     after that has ended",
                    self.thread_id
                ),
            ));
        }
        self.missing = missing;
        self.marked.clear();
        self.wanted.clear();
        self.last = None;
        self.are_records_read = false;
        Ok(self.page())
    }

    fn mark(&mut self, piece: &Piece) {
        refs::each_of_piece(piece, &mut |role, hash| {
            note(&mut self.marked, &mut self.wanted, role, hash);
        });
    }
}

/// Marks a chunk, and wants it if it refers to others.
fn note(marked: &mut BTreeSet<Hash>, wanted: &mut BTreeMap<Hash, Role>, role: Role, hash: Hash) {
    if marked.insert(hash) && role != Role::Leaf {
        wanted.insert(hash, role);
    }
}
