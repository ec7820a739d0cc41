//! The chunks that the records of a thread refer to, directly and through other chunks.
//!
//! 1. Read the records, page by page.
//! 2. Read the chunks that refer to others, level by level.
//! 3. Only if one is missing: read the thread's generation. If it has changed, another call has
//!    removed the chunk, and the caller marks again.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::Place;
use super::row::rows;
use super::tuples::{StoredCheckpoint, StoredWrite, chunks, generations};
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
/// The number of columns before the envelope of a checkpoint, and of a write.
const CHECKPOINT_ENVELOPE: usize = 8;
const WRITE_ENVELOPE: usize = 7;

/// The marking of one thread's chunks.
#[derive(Debug)]
pub(super) struct Marks {
    thread_id: String,
    thread_key: i64,
    /// The thread's generation before the first read.
    generation: i64,
    /// The checkpoints whose records do not count.
    without: BTreeSet<Place>,
    marked: BTreeSet<Hash>,
    /// The chunks to open.
    wanted: BTreeMap<Hash, Role>,
    /// Those that are being read.
    asked: Vec<(Hash, Role)>,
    /// The checksums of the records, in their order.
    digest: String,
    /// The state that is read; `None` if it is whatever each page shows.
    state: Option<State>,
    /// A chunk that is missing or damaged.
    missing: Option<Hash>,
    /// Whether chunks were removed meanwhile.
    is_outdated: bool,
    last: Option<RecordKey>,
    are_records_read: bool,
}

/// The state of a thread that is read page by page. A record that was stored since is passed over.
#[derive(Debug)]
struct State {
    checksums: String,
    /// Where the next record's checksum begins.
    place: usize,
}

impl State {
    /// Whether this checksum is the next one.
    fn is_next(&mut self, checksum: &str) -> bool {
        let is = self.checksums.get(self.place..).is_some_and(|rest| rest.starts_with(checksum));
        if is {
            self.place += checksum.len();
        }
        is
    }
}

/// A record that counts, with its envelope as stored.
pub(super) enum Record<'a> {
    Checkpoint(&'a StoredCheckpoint, &'a [u8]),
    Write(&'a StoredWrite, &'a [u8]),
}

impl Marks {
    pub(super) fn of(
        thread_id: String,
        (thread_key, generation): (i64, i64),
        without: BTreeSet<Place>,
    ) -> Self {
        Self {
            thread_id,
            thread_key,
            generation,
            without,
            marked: BTreeSet::new(),
            wanted: BTreeMap::new(),
            asked: Vec::new(),
            digest: String::new(),
            state: None,
            missing: None,
            is_outdated: false,
            last: None,
            are_records_read: false,
        }
    }

    /// Only the records with these checksums, in the order of their keys, count.
    pub(super) fn of_state(mut self, checksums: String) -> Self {
        self.state = Some(State { checksums, place: 0 });
        self
    }

    /// The first read.
    pub(super) fn start(&self) -> Step {
        self.page()
    }

    /// Whether chunks, or records of the state, were removed since the marking began.
    pub(super) fn is_outdated(&self) -> bool {
        let is_whole = |state: &State| state.place == state.checksums.len();
        self.is_outdated || !self.state.as_ref().is_none_or(is_whole)
    }

    /// The same marking of all records from the beginning, as of the generation that is known now.
    pub(super) fn again(self) -> Self {
        Self::of(self.thread_id, (self.thread_key, self.generation), self.without)
    }

    pub(super) fn thread_key(&self) -> i64 {
        self.thread_key
    }

    /// The thread's generation, as far as is known.
    pub(super) fn generation(&self) -> i64 {
        self.generation
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

    /// Takes an answer and calls `visit` for each record that counts. Returns the next read; `None`
    /// if all chunks are marked, or if the marking is out of date.
    #[inline(never)]
    pub(super) fn advance(
        &mut self,
        set: &RowSet,
        visit: &mut dyn FnMut(Record<'_>),
    ) -> Result<Option<Step>, Error> {
        if let Some(hash) = self.missing.take() {
            return self.take_generation(set, hash).map(|()| None);
        }
        if self.are_records_read {
            self.take_chunks(set)?;
            if self.missing.is_some() {
                return Ok(Some(Step::ask(Ask::Threads { keys: vec![self.thread_key] })));
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
                if !self.counts(&place, sealed) {
                    continue;
                }
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
                if !self.counts(&place, sealed) {
                    continue;
                }
                visit(Record::Write(&write, sealed));
                self.mark(&write.value.piece);
            }
        }
        Ok(())
    }

    /// Whether a record counts. Notes its checksum if it does.
    fn counts(&mut self, place: &Place, sealed: &[u8]) -> bool {
        let checksum = checksum_text(sealed);
        let is_of_state = self.state.as_mut().is_none_or(|state| state.is_next(&checksum));
        let counts = is_of_state && !self.without.contains(place);
        if counts {
            self.digest.push_str(&checksum);
        }
        counts
    }

    fn take_chunks(&mut self, set: &RowSet) -> Result<(), Error> {
        let hashes: Vec<_> = self.asked.iter().map(|(hash, _)| *hash).collect();
        let found: BTreeMap<_, _> = chunks(set, &hashes)?.into_iter().collect();
        for (hash, role) in std::mem::take(&mut self.asked) {
            let whole = found.get(&hash).filter(|data| Hash::of(role, data) == hash);
            let Some(data) = whole else {
                // What is below it is not known, so nothing may be removed.
                self.missing = Some(hash);
                return Ok(());
            };
            refs::each_of_chunk(role, data, &mut |role, hash| {
                note(&mut self.marked, &mut self.wanted, role, hash);
            });
        }
        Ok(())
    }

    /// Takes the generation after this chunk was missing.
    fn take_generation(&mut self, set: &RowSet, hash: Hash) -> Result<(), Error> {
        let now = generations(set)?.get(&self.thread_key).copied();
        if now == Some(self.generation) {
            return Err(Error::corrupt(
                "missing-chunk",
                format!(
                    "chunk {hash} of thread {} is missing or damaged, so which other chunks are \
                     needed is not known; restore it, or delete the thread",
                    self.thread_id
                ),
            ));
        }
        self.is_outdated = true;
        self.generation = now.unwrap_or(self.generation);
        Ok(())
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
