//! The port: what an operation asks of its store, whichever store that is.
//!
//! Each ask is answered by one row set, whose columns are documented with it. A store turns asks
//! into what its database understands, and the database's answers into these row sets.

use crate::contract::call::{MetadataFilter, Payload};
use crate::contract::error::Error;
use crate::contract::outcome::Outcome;
use crate::format::checkpoint::{CheckpointColumns, CheckpointEnvelope, LinkColumns};
use crate::format::values::build::Chunk;
use crate::format::values::hash::Hash;

/// Marks a row of a page that is a checkpoint.
pub(crate) const CHECKPOINT: i64 = 0;
/// Marks the row of the ancestor that has the value.
pub(crate) const SEED: i64 = 0;
/// Marks a row of a page, or of the ancestors, that is a write.
pub(crate) const WRITE: i64 = 1;
/// Marks a row in place of the ancestors that the caller already has.
pub(crate) const KNOWN: i64 = 2;
/// Marks a row with the columns and the link by which a walk passed an ancestor.
pub(crate) const LINK: i64 = 3;

/// At most this many checkpoints of a namespace are searched for a channel's value.
pub(crate) const LOOKED_AT: usize = 16;

/// One thing that an operation asks. The asks of one step are answered from one state of the store.
#[derive(Debug)]
pub(crate) enum Ask {
    /// The checkpoints of a page, newest first, and their writes in any order. Two kinds of rows:
    /// - `CHECKPOINT`, thread key, generation, thread id, namespace, id, parent, created_at,
    ///   metadata, envelope, and channels (null if the store does not keep them beside the
    ///   envelope);
    /// - `WRITE` and the columns of writes.
    Page(Page),
    /// The writes to one channel of each of these checkpoints, in order. The columns of writes:
    /// thread key, idx, task id, namespace, checkpoint id, task path, channel, envelope.
    Writes {
        channel: &'static str,
        /// The thread key, namespace and id of each checkpoint.
        checkpoints: Vec<(i64, String, String)>,
    },
    /// The chunks with these hashes. A row for each one found: its position in `hashes`, and its
    /// data.
    Chunks {
        thread_key: i64,
        hashes: Vec<Hash>,
        /// Whether the chunks that these refer to will be asked for too, down to the last one.
        #[cfg_attr(
            not(feature = "postgres"),
            expect(dead_code, reason = "others are asked level by level")
        )]
        to_the_end: bool,
    },
    /// Which of these threads have not been deleted. The keys come from rows of this operation. A
    /// row with the key and the generation of each remaining thread.
    Threads { keys: Vec<i64> },
    /// Which of these channels have a stored value in the namespace: a row with the name of each.
    /// If the namespace has more than `LOOKED_AT` checkpoints, all of them, so that the answer
    /// costs the same for threads of any length.
    Channels { thread_id: String, checkpoint_ns: String, channels: Vec<String> },
    /// For each channel the nearest ancestor with a value of it, and the writes to it of all
    /// ancestors up to that one: the farthest ancestor's first, and each ancestor's in their order.
    /// Three kinds of rows:
    /// - `SEED`, steps from the target's parent, thread key, 1, channel, namespace, id, parent,
    ///   created_at, metadata, envelope, channels as in a page;
    /// - `WRITE`, steps and the columns of writes; there may be writes to other channels, which the
    ///   operation skips;
    /// - `LINK`, only if the walk uses columns that may be damaged, for the target and each
    ///   ancestor without a value: steps, thread key, generation, channel, namespace, id, parent,
    ///   channels, and the link of its envelope.
    ///
    /// If a checkpoint is its own ancestor, it appears again with more steps.
    ///
    /// A channel may name a known ancestor. Then a store may leave out the rows of that ancestor
    /// and those before it. In their place it gives one row: `KNOWN`, 0, 0, whether the walk met
    /// the ancestor, the channel, and the checksums of the rows left out, in upper case
    /// hexadecimal: the seed's if there is one, a slash, then those of the writes in their order.
    Ancestors {
        thread_id: String,
        checkpoint_ns: String,
        checkpoint_id: Option<String>,
        channels: Vec<(String, Option<String>)>,
    },
    /// Store a checkpoint with its chunks. With a guard: one row if the guard holds, else no row
    /// and no checkpoint is stored. Without a guard: one row with the thread's key and generation.
    Put(NewCheckpoint),
    /// Store writes with their chunks. No rows.
    PutWrites(NewWrites),
    /// Cut a thread off: nobody finds it any more, and `SweepDeleted` removes what belongs to it.
    /// No rows.
    DeleteThread { thread_id: String },
    /// The records of a thread without their envelopes, the one with the greatest key first: key,
    /// generation (null if the store keeps the chunks of a thread that stays), namespace,
    /// checkpoint id, task id, idx, parent, channels and the link of the envelope, created_at, and
    /// whether the checkpoint is of one of these runs; of a write, channel in place of parent and
    /// all that follows.
    Outline { thread_id: String, runs: Vec<String>, before: Option<RecordKey>, count: u64 },
    /// The checkpoints at these namespaces and ids that are stored, in any order: the columns of a
    /// checkpoint in a page.
    Checkpoints { thread_key: i64, places: Vec<(String, String)> },
    /// The records of a thread in the order of their keys, as a page has them.
    Records { thread_key: i64, after: Option<RecordKey>, count: u64 },
    /// Remove these checkpoints with their writes and make the generation the next odd one, if the
    /// thread has these checkpoints. One row: generation as in an outline, how many checkpoints the
    /// thread has now, and the newest one's id; no row if there is no such thread.
    RemoveRecords { thread_key: i64, of: Checkpoints, places: Vec<(String, String)> },
    /// Cut a thread off as `DeleteThread` does, if it has these checkpoints. A row if it is gone.
    RemoveThread { thread_key: i64, of: Checkpoints },
    /// Remove at most `SWEPT_MAX` records and as many chunks of threads that were cut off, and of
    /// copies that another one has replaced. A row if something is left of them.
    SweepDeleted,
    /// Begin a copy of a thread: cut off what an earlier copy to `target` has left, and reserve a
    /// key for the new thread. One row: the source's key and generation, whether the target exists,
    /// and the new key, which is null if it does; no row if the source does not exist.
    BeginCopy { source: String, target: String },
    /// One row: the checksums of a thread's records in the order of their keys, in upper case
    /// hexadecimal, how many checkpoints it has, and the newest one's id.
    State { thread_key: i64 },
    /// Copy these records to a thread, unless they have changed, or another copy to the same thread
    /// has begun. No rows.
    CopyRecords { from: i64, to: i64, records: Vec<CopiedRecord> },
    /// Copy these chunks to a thread, unless another copy to it has begun. One row: how many of
    /// them the thread has, and their bytes.
    CopyChunks { from: i64, to: i64, hashes: Vec<Hash> },
    /// End a copy: the thread `to` gets its id, if it has this many records, the source still has
    /// the generation, and the target does not exist. One row: whether the thread is there, whether
    /// a thread has the id, and whether the key is reserved still.
    EndCopy { from: i64, generation: i64, to: i64, target: String, records: i64 },
    /// The hashes of a thread's chunks in their order, and the bytes of each.
    ChunkSizes { thread_key: i64, after: Option<Hash>, count: u64 },
    /// Remove these chunks and set the generation, if the thread has the generation `from` and
    /// exactly the records whose checksums, in the order of their keys, are `digest`. One row: the
    /// generation now, which is `to` if they are gone; no row if there is no such thread.
    RemoveChunks { thread_key: i64, from: i64, to: i64, digest: String, hashes: Vec<Hash> },
    /// The first thread after another one that has this id, whose newest checkpoint was put before
    /// `idle`, and that has a checkpoint of one of these runs, as far as each of these is given:
    /// its key, id and generation. The order is that of keys, after `after.0`; where keys do not
    /// last, that of ids, after `after.1`.
    FindThread {
        after: (i64, String),
        thread_id: Option<String>,
        idle: Option<String>,
        runs: Vec<String>,
    },
    /// Lease the sweep until this time, unless somebody has it. A lease that ends after `never` was
    /// made by a clock that was wrong, and does not count. A row if it is leased.
    LeaseSweep { now: i64, until: i64, never: i64 },
    /// One row: what `auto_vacuum` the file has, the bytes of a page, and the numbers of all pages
    /// and of the free ones.
    Pages,
    /// Give this many free pages back. The row of `Pages`, as it is then.
    GiveBackPages { count: u64 },
    /// What the database itself finds wrong with its file, at most so many things: a row with a
    /// text for each, or with `ok`. No row where the store is no file.
    CheckFile { count: u64 },
    /// The tables whose index has other rows than the table: a row with the name of each, and the
    /// numbers of the table's rows and of the index's.
    CheckIndexes,
    /// Threads with their newest checkpoint, the newest first: thread id, checkpoint id,
    /// created_at, metadata, and the numbers of namespaces, checkpoints and writes.
    ListThreads {
        idle_since: Option<String>,
        id_prefix: Option<String>,
        filter: Vec<MetadataFilter>,
        after: Option<ThreadsAfter>,
        count: u64,
    },
    /// One row: how many threads, checkpoints, writes, bytes of records, chunks and bytes of chunks
    /// this thread has, or the whole store.
    Totals { thread_id: Option<String> },
}

/// How many records, and how many chunks, one transaction removes of deleted threads. A chunk is
/// seldom greater than 16 KB.
pub(crate) const SWEPT_MAX: u64 = 512;

/// The namespace, checkpoint id, task id and place of a record, which are its key in its thread.
pub(crate) type RecordKey = (String, String, String, i64);

/// A record to copy.
#[derive(Debug)]
pub(crate) struct CopiedRecord {
    pub(crate) key: RecordKey,
    /// The checksum of the envelope to copy.
    pub(crate) checksum: Vec<u8>,
    /// The envelope in the new thread.
    pub(crate) envelope: Vec<u8>,
}

/// The checkpoints of a thread, as far as it takes to notice a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checkpoints {
    pub(crate) count: i64,
    /// The greatest id; empty if there is none.
    pub(crate) newest: String,
}

/// The last thread of a page of threads.
#[derive(Clone, Debug)]
pub(crate) struct ThreadsAfter {
    pub(crate) checkpoint_id: String,
    pub(crate) thread_id: String,
}

/// What an operation does next.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time is under way, and it is moved a few times"
)]
#[derive(Debug)]
pub(crate) enum Step {
    /// The store must answer these asks.
    Ask(Vec<Ask>),
    /// The operation has ended.
    Done(Outcome),
}

/// Which checkpoints a page has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) thread_id: Option<String>,
    pub(crate) checkpoint_ns: Option<String>,
    pub(crate) checkpoint_id: Option<String>,
    /// Selects only ids that sort before this one.
    pub(crate) before: Option<String>,
    pub(crate) filter: Vec<MetadataFilter>,
    /// Selects only checkpoints after this one in the order of the list.
    pub(crate) after: Option<After>,
    /// At most this many checkpoints.
    pub(crate) count: u64,
    /// Chunks of one thread that the caller has. A store that returns chunks with a page leaves
    /// them out.
    pub(crate) have: Vec<Hash>,
    /// The chunks that each value of the caller's refers to directly, in order, without values that
    /// refer to none. A store may leave out the chunks below such a value.
    pub(crate) values: Vec<Vec<Hash>>,
}

/// The last tuple of a page. A list is ordered by checkpoint id, then by the store's order of
/// threads, then by namespace, each descending.
#[derive(Clone, Debug)]
pub(crate) struct After {
    pub(crate) checkpoint_id: String,
    pub(crate) thread_key: i64,
    pub(crate) thread_id: String,
    pub(crate) checkpoint_ns: String,
}

/// A checkpoint to store.
#[derive(Debug)]
pub(crate) struct NewCheckpoint {
    pub(crate) thread_id: String,
    pub(crate) checkpoint_ns: String,
    pub(crate) checkpoint_id: String,
    pub(crate) parent_checkpoint_id: Option<String>,
    pub(crate) created_at: String,
    /// The names of the channels with a stored value, as a JSON array.
    pub(crate) channels: String,
    pub(crate) metadata: Payload,
    /// The run that it is of.
    pub(crate) run_id: Option<String>,
    pub(crate) envelope: Vec<u8>,
    /// Each chunk once, without those that are known to be stored.
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) guard: Option<Guard>,
}

impl NewCheckpoint {
    /// Opens its own envelope, for a store that has to know what is in it.
    #[cfg_attr(
        not(any(feature = "kusto", feature = "postgres")),
        expect(dead_code, reason = "a store of SQLite has no column of references")
    )]
    pub(crate) fn open(&self) -> Result<CheckpointEnvelope, Error> {
        let columns = CheckpointColumns {
            link: LinkColumns {
                thread_id: &self.thread_id,
                checkpoint_ns: &self.checkpoint_ns,
                checkpoint_id: &self.checkpoint_id,
                parent_checkpoint_id: self.parent_checkpoint_id.as_deref(),
            },
            channels: Some(&self.channels),
            created_at: &self.created_at,
            metadata: &self.metadata.bytes,
        };
        let here = || format!("checkpoint {}", self.checkpoint_id);
        CheckpointEnvelope::open(&self.envelope, columns, &here)
    }
}

/// What a put relies on: the thread has this key, nothing was removed from it since, and the
/// namespace has the checkpoint whose values are known. The checkpoint is checked because a
/// database that is restored to an earlier state may have the same key and generation without it.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    pub(crate) thread_key: i64,
    pub(crate) generation: i64,
    pub(crate) checkpoint_id: String,
}

/// Writes of one task to store.
#[derive(Debug)]
pub(crate) struct NewWrites {
    pub(crate) thread_id: String,
    pub(crate) checkpoint_ns: String,
    pub(crate) checkpoint_id: String,
    pub(crate) task_id: String,
    pub(crate) task_path: String,
    /// Writes that are dropped if their place is taken.
    pub(crate) keeping: Vec<NewWrite>,
    /// Writes that replace the one at their place.
    pub(crate) replacing: Vec<NewWrite>,
    /// Each chunk once.
    pub(crate) chunks: Vec<Chunk>,
}

/// A write to store.
#[derive(Debug)]
pub(crate) struct NewWrite {
    pub(crate) idx: i64,
    pub(crate) channel: String,
    pub(crate) envelope: Vec<u8>,
}

impl Step {
    /// A step with one ask.
    pub(crate) fn ask(ask: Ask) -> Self {
        Self::Ask(vec![ask])
    }
}
