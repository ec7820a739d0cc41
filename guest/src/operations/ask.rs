//! What an operation asks of its store, whichever store that is.
//!
//! Each ask is answered by one row set, whose columns are given with it: a dialect turns asks
//! into what its store understands, and the store's answers into these row sets.

use crate::contract::call::{MetadataFilter, Payload};
use crate::contract::outcome::Outcome;
use crate::format::values::build::Chunk;
use crate::format::values::hash::Hash;

/// A row of a page that is a checkpoint.
pub(crate) const CHECKPOINT: i64 = 0;
/// A row of the ancestors that is the one with the value.
pub(crate) const SEED: i64 = 0;
/// A row of a page, or of the ancestors, that is a write.
pub(crate) const WRITE: i64 = 1;
/// A row of the ancestors that stands for those that are known.
pub(crate) const KNOWN: i64 = 2;
/// A row of the ancestors that shows by what a walk passed one.
pub(crate) const LINK: i64 = 3;

/// So many checkpoints of a namespace are looked at for a value of a channel.
pub(crate) const LOOKED_AT: usize = 16;

/// One thing asked. Asks of one step are about one state of the store.
#[derive(Debug)]
pub(crate) enum Ask {
    /// The checkpoints of a page, newest first, and their writes in any order. Rows of
    /// `CHECKPOINT`, thread key, generation, thread id, namespace, id, parent, created_at,
    /// metadata, envelope, channels where the store keeps them beside it; and of `WRITE` and the
    /// columns of writes.
    Page(Page),
    /// The writes to one channel of each of the checkpoints, in order. The columns of writes:
    /// thread key, idx, task id, namespace, checkpoint id, task path, channel, envelope.
    Writes {
        channel: &'static str,
        /// Thread key, namespace and id of each.
        checkpoints: Vec<(i64, String, String)>,
    },
    /// The chunks with these hashes. For each one found: its place among them, its data.
    Chunks { thread_key: i64, hashes: Vec<Hash> },
    /// Those of the threads, by the keys that rows of this operation had, that were not deleted
    /// since: a row with the key of each.
    Threads { keys: Vec<i64> },
    /// Those of the channels that have a stored value in the namespace, and all of them where it
    /// has more than `LOOKED_AT` checkpoints: so the answer costs the same however long a thread
    /// is.
    Channels { thread_id: String, checkpoint_ns: String, channels: Vec<String> },
    /// For each channel the nearest ancestor with a value of it, and the writes to it of all
    /// ancestors up to that one, the farthest ancestor's first and each one's in their order.
    /// Rows of `SEED`, steps from the target's parent, thread key, 1, channel, namespace, id,
    /// parent, created_at, metadata, envelope, channels as in a page; and of `WRITE`, steps and the
    /// columns of writes, among them writes to other channels that are to be passed over; and
    /// where the walk goes by columns that may be damaged, of `LINK` for the target and each
    /// ancestor without a value: steps, thread key, 0, channel, namespace, id, parent, channels,
    /// and the link of its envelope. An ancestor that is its own comes up again with more steps.
    ///
    /// Where an ancestor is named with a channel, a store may leave out the rows of that one and
    /// those before it, and give in their place a row of `KNOWN`, 0, 0, whether the ancestor was
    /// met, the channel, and, in hexadecimal capitals, the checksums of the rows left out: the
    /// seed's if there is one, a slash, those of the writes in their order.
    Ancestors {
        thread_id: String,
        checkpoint_ns: String,
        checkpoint_id: Option<String>,
        channels: Vec<(String, Option<String>)>,
    },
    /// Store a checkpoint with its chunks. With a guard: a row, or none where the guard does not
    /// hold, and nothing is stored then. Without: the thread's key and generation.
    Put(NewCheckpoint),
    /// Store writes with their chunks. No row.
    PutWrites(NewWrites),
    /// Remove a thread with all that belongs to it. No row.
    DeleteThread { thread_id: String },
}

/// How far an operation is.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time is under way, and it is moved a few times"
)]
#[derive(Debug)]
pub(crate) enum Step {
    /// The store must be asked.
    Ask(Vec<Ask>),
    /// The end.
    Done(Outcome),
}

/// Which checkpoints a page has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) thread_id: Option<String>,
    pub(crate) checkpoint_ns: Option<String>,
    pub(crate) checkpoint_id: Option<String>,
    /// Only ids that sort before this one.
    pub(crate) before: Option<String>,
    pub(crate) filter: Vec<MetadataFilter>,
    /// Only what comes after this one in the order of the list.
    pub(crate) after: Option<After>,
    /// At most so many.
    pub(crate) count: u64,
    /// Chunks that the caller has, of one thread: a store that gives chunks unasked leaves them
    /// out.
    pub(crate) have: Vec<Hash>,
}

/// The last tuple of a page. The order of a list is by checkpoint id, then by the store's order
/// of threads, then by namespace, each one descending.
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
    pub(crate) envelope: Vec<u8>,
    /// Each once; those known to be stored left out.
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) guard: Option<Guard>,
}

/// What a caller relies on: the thread's key, that nothing was removed from it since, and in the
/// namespace the checkpoint whose values are known. Where a database was put back to an earlier
/// state, the key and the generation may be the same and that checkpoint gone.
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
    /// Those that stay where there is one already stay; and those that replace it.
    pub(crate) keeping: Vec<NewWrite>,
    pub(crate) replacing: Vec<NewWrite>,
    /// Each once.
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
    /// One thing asked.
    pub(crate) fn ask(ask: Ask) -> Self {
        Self::Ask(vec![ask])
    }
}
