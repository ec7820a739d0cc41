//! Reads rows of checkpoints and writes into tuples, for all operations that read.

use std::collections::BTreeMap;

use crate::contract::call::{ChannelValue, Payload};
use crate::contract::error::Error;
use crate::contract::outcome::{
    self, CheckpointTuple, PendingWrite, SharedPayload, Span, TupleValue,
};
use crate::contract::statement::RowSet;
use crate::format::checkpoint::{
    CheckpointColumns, CheckpointEnvelope, LinkColumns, StoredChannel, StoredValue,
};
use crate::format::known::{Known, KnownValue};
use crate::format::places::{Places, incomplete};
use crate::format::values::base::Base;
use crate::format::values::hash::Hash;
use crate::format::values::join::{Gather, Loss};
use crate::format::values::piece::Piece;
use crate::format::values::shared::Shared;
use crate::format::write::{WriteColumns, WriteEnvelope};
use crate::operations::ask::{Ask, Step};
use crate::operations::row::{Row, rows};

/// A checkpoint's row with its envelope opened.
#[derive(Debug)]
pub(super) struct StoredCheckpoint {
    pub(super) thread_key: i64,
    pub(super) generation: i64,
    pub(super) thread_id: String,
    pub(super) checkpoint_ns: String,
    pub(super) checkpoint_id: String,
    pub(super) parent_checkpoint_id: Option<String>,
    pub(super) created_at: String,
    pub(super) metadata: Vec<u8>,
    pub(super) envelope: CheckpointEnvelope,
}

/// A write's row with its envelope opened.
#[derive(Debug)]
pub(super) struct StoredWrite {
    pub(super) thread_key: i64,
    pub(super) checkpoint_ns: String,
    pub(super) checkpoint_id: String,
    pub(super) task_id: String,
    pub(super) channel: String,
    pub(super) value: StoredValue,
    pub(super) places: Places,
    pub(super) task_path: String,
    pub(super) idx: i64,
}

/// A checkpoint's thread key, namespace and id.
pub(super) type CheckpointKey<'a> = (i64, &'a str, &'a str);

impl StoredCheckpoint {
    /// Reads the columns of a checkpoint, as `Ask::Page` documents them.
    pub(super) fn from_row(mut row: Row<'_>) -> Result<Self, Error> {
        let thread_key = row.integer("thread_key")?;
        let generation = row.integer("generation")?;
        let thread_id = row.text("thread_id")?;
        let checkpoint_ns = row.text("checkpoint_ns")?;
        let checkpoint_id = row.text("checkpoint_id")?;
        let parent_checkpoint_id = row.optional_text("parent_checkpoint_id")?;
        let created_at = row.text("created_at")?;
        let metadata = row.blob("metadata")?;
        let sealed = row.blob("envelope")?;
        let channels = row.optional_text("channels")?;
        let link = LinkColumns { thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id };
        let columns = CheckpointColumns { link, channels, created_at, metadata };
        let here = || checkpoint_in_words(thread_id, checkpoint_ns, checkpoint_id);
        let envelope = CheckpointEnvelope::open(sealed, columns, &here)?;
        Ok(Self {
            thread_key,
            generation,
            thread_id: thread_id.to_owned(),
            checkpoint_ns: checkpoint_ns.to_owned(),
            checkpoint_id: checkpoint_id.to_owned(),
            parent_checkpoint_id: parent_checkpoint_id.map(str::to_owned),
            created_at: created_at.to_owned(),
            metadata: metadata.to_owned(),
            envelope,
        })
    }

    pub(super) fn key(&self) -> CheckpointKey<'_> {
        (self.thread_key, &self.checkpoint_ns, &self.checkpoint_id)
    }

    /// Notes the chunks of its values, except values that are known.
    pub(super) fn want(&self, known: Option<&Known>, gathers: &mut Gathers) {
        gathers.want(self.thread_key, &self.envelope.rest);
        for channel in &self.envelope.values {
            if same(known, channel).is_none() {
                gathers.want(self.thread_key, &channel.value);
            }
        }
    }

    /// What a `getTuple` returns beside the tuple: what is known from it, and the lists and maps
    /// that were not known before.
    pub(super) fn known(
        &self,
        known: Option<&Known>,
        gathers: &Gathers,
    ) -> Result<(Known, Vec<outcome::Base>), Trouble> {
        let mut values = Vec::with_capacity(self.envelope.values.len());
        let mut bases = Vec::new();
        for entry in &self.envelope.values {
            if let Some(value) = same(known, entry) {
                values.push((entry.channel.clone(), value.clone()));
                continue;
            }
            let base = gathers
                .base(self.thread_key, &entry.value)
                .map_err(|loss| loss.at(|| self.place_of(entry)))?;
            let base = base.map(|(base, lengths)| {
                bases.push(outcome::Base { channel: entry.channel.clone(), lengths });
                base
            });
            let value = KnownValue { stored: entry.value.clone(), base };
            values.push((entry.channel.clone(), value));
        }
        let known = Known {
            thread_id: self.thread_id.clone(),
            checkpoint_ns: self.checkpoint_ns.clone(),
            checkpoint_id: self.checkpoint_id.clone(),
            thread_key: self.thread_key,
            generation: self.generation,
            channels: values.iter().map(|(channel, _)| channel.clone()).collect(),
            values,
        };
        Ok((known, bases))
    }

    fn place_of(&self, entry: &StoredChannel) -> String {
        let here = checkpoint_in_words(&self.thread_id, &self.checkpoint_ns, &self.checkpoint_id);
        format!("channel {} of {here}", entry.channel)
    }

    /// The tuple. A value that is known is `Unchanged`. With `shared`, a value that is not inline
    /// is put into the page's shared bytes. Other values are joined.
    pub(super) fn tuple(
        &self,
        gathers: &Gathers,
        writes: &[&StoredWrite],
        sends: Option<&[&StoredWrite]>,
        known: Option<&Known>,
        mut shared: Option<&mut Shared>,
    ) -> Result<CheckpointTuple<TupleValue>, Trouble> {
        let key = self.thread_key;
        let here = checkpoint_in_words(&self.thread_id, &self.checkpoint_ns, &self.checkpoint_id);
        let mut channel_values = Vec::with_capacity(self.envelope.values.len());
        for entry in &self.envelope.values {
            let value = match (&mut shared, &entry.value) {
                _ if same(known, entry).is_some() => TupleValue::Unchanged,
                (Some(shared), StoredValue { kind, piece })
                    if !matches!(piece, Piece::Inline(_)) =>
                {
                    let spans = gathers
                        .spans(key, piece, shared)
                        .map_err(|loss| loss.at(|| self.place_of(entry)))?;
                    TupleValue::Shared(SharedPayload { kind: kind.clone(), spans })
                }
                (_, value) => TupleValue::Whole(
                    gathers.join(key, value).map_err(|loss| loss.at(|| self.place_of(entry)))?,
                ),
            };
            channel_values.push(ChannelValue { channel: entry.channel.clone(), value });
        }
        let rest = gathers
            .join(key, &self.envelope.rest)
            .map_err(|loss| loss.at(|| format!("the fields of {here}")))?;
        let (ns, id) = (&self.checkpoint_ns, &self.checkpoint_id);
        check_complete(writes.iter().map(|write| write.placed()), &self.thread_id, ns, id)?;
        let pending_writes = writes
            .iter()
            .map(|write| write.pending(gathers, &self.thread_id))
            .collect::<Result<_, _>>()?;
        let pending_sends = sends
            .map(|sends| {
                let value = |send: &&StoredWrite| send.payload(gathers, &self.thread_id);
                sends.iter().map(value).collect::<Result<Vec<_>, _>>()
            })
            .transpose()?;
        Ok(CheckpointTuple {
            thread_id: self.thread_id.clone(),
            checkpoint_ns: self.checkpoint_ns.clone(),
            checkpoint_id: self.checkpoint_id.clone(),
            parent_checkpoint_id: self.parent_checkpoint_id.clone(),
            v: self.envelope.v,
            ts: self.created_at.clone(),
            channel_versions: self.envelope.versions.clone(),
            channel_values,
            rest,
            metadata: Payload {
                kind: self.envelope.metadata_kind.clone(),
                bytes: self.metadata.clone(),
            },
            pending_writes,
            pending_sends,
        })
    }
}

impl StoredWrite {
    /// Reads the columns of writes, as `Ask::Writes` documents them. The thread id of a write is
    /// that of the checkpoint with the same thread key.
    pub(super) fn read(set: &RowSet, checkpoints: &[StoredCheckpoint]) -> Result<Vec<Self>, Error> {
        let read = |row| Self::of_one(row, checkpoints);
        rows(set, "lg_writes").map(read).collect()
    }

    pub(super) fn of_one(row: Row<'_>, checkpoints: &[StoredCheckpoint]) -> Result<Self, Error> {
        let key = row.clone().integer("thread_key")?;
        let mut with_key = checkpoints.iter().filter(|checkpoint| checkpoint.thread_key == key);
        let Some(StoredCheckpoint { thread_id, .. }) = with_key.next() else {
            return Err(Error::corrupt(
                "unexpected-column",
                "column thread_key of lg_writes matches no checkpoint; restore the store",
            ));
        };
        Self::from_row(row, thread_id)
    }

    pub(super) fn from_row(mut row: Row<'_>, thread_id: &str) -> Result<Self, Error> {
        let thread_key = row.integer("thread_key")?;
        let idx = row.integer("idx")?;
        let task_id = row.text("task_id")?;
        let checkpoint_ns = row.text("checkpoint_ns")?;
        let checkpoint_id = row.text("checkpoint_id")?;
        let task_path = row.text("task_path")?;
        let channel = row.text("channel")?;
        let columns = WriteColumns {
            thread_id,
            checkpoint_ns,
            checkpoint_id,
            task_id,
            idx,
            task_path,
            channel,
        };
        let this = || {
            let here = checkpoint_in_words(thread_id, checkpoint_ns, checkpoint_id);
            format!("the write of task {task_id} to channel {channel}, place {idx}, of {here}")
        };
        let WriteEnvelope { value, places } =
            WriteEnvelope::open(row.blob("envelope")?, columns, &this)?;
        Ok(Self {
            thread_key,
            checkpoint_ns: checkpoint_ns.to_owned(),
            checkpoint_id: checkpoint_id.to_owned(),
            task_id: task_id.to_owned(),
            channel: channel.to_owned(),
            value,
            places,
            task_path: task_path.to_owned(),
            idx,
        })
    }

    /// Its task, its place, and the places of its call.
    pub(super) fn placed(&self) -> (&str, i64, &Places) {
        (&self.task_id, self.idx, &self.places)
    }

    /// What orders the writes of a checkpoint: task path, task id, place.
    pub(super) fn order(&self) -> (&str, &str, i64) {
        (&self.task_path, &self.task_id, self.idx)
    }

    pub(super) fn key(&self) -> CheckpointKey<'_> {
        (self.thread_key, &self.checkpoint_ns, &self.checkpoint_id)
    }

    /// The write with its value joined.
    pub(super) fn pending(
        &self,
        gathers: &Gathers,
        thread_id: &str,
    ) -> Result<PendingWrite, Trouble> {
        Ok(PendingWrite {
            task_id: self.task_id.clone(),
            channel: self.channel.clone(),
            value: self.payload(gathers, thread_id)?,
        })
    }

    fn payload(&self, gathers: &Gathers, thread_id: &str) -> Result<Payload, Trouble> {
        gathers.join(self.thread_key, &self.value).map_err(|loss| {
            loss.at(|| {
                format!(
                    "the write of task {} to channel {} of {}",
                    self.task_id,
                    self.channel,
                    checkpoint_in_words(thread_id, &self.checkpoint_ns, &self.checkpoint_id)
                )
            })
        })
    }
}

/// Fails with `missing-write` if a task lacks some of its writes. Takes what `incomplete` takes.
pub(super) fn check_complete<'a>(
    writes: impl Iterator<Item = (&'a str, i64, &'a Places)>,
    thread_id: &str,
    checkpoint_ns: &str,
    checkpoint_id: &str,
) -> Result<(), Error> {
    let Some(task_id) = incomplete(writes) else {
        return Ok(());
    };
    let here = checkpoint_in_words(thread_id, checkpoint_ns, checkpoint_id);
    let message = format!("a write of task {task_id} of {here} is not stored; restore it");
    Err(Error::corrupt("missing-write", message))
}

/// The writes by checkpoint, each checkpoint's in the given order.
pub(super) fn by_checkpoint(
    writes: &[StoredWrite],
) -> BTreeMap<CheckpointKey<'_>, Vec<&StoredWrite>> {
    let mut map: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for write in writes {
        map.entry(write.key()).or_default().push(write);
    }
    map
}

/// The chunks of the values of several threads.
#[derive(Debug, Default)]
pub(super) struct Gathers {
    by_thread: BTreeMap<i64, Gather>,
}

impl Gathers {
    pub(super) fn want(&mut self, thread_key: i64, value: &StoredValue) {
        self.by_thread.entry(thread_key).or_default().want(&value.piece);
    }

    /// The keys of the threads.
    pub(super) fn threads(&self) -> impl Iterator<Item = i64> {
        self.by_thread.keys().copied()
    }

    /// The read of the next level of chunks; `None` if all are fetched.
    pub(super) fn round(&self) -> Option<Step> {
        let ask = |(thread_key, gather): (&i64, &Gather)| {
            let hashes = gather.round();
            let is_over = hashes.is_empty();
            let ask = Ask::Chunks { thread_key: *thread_key, hashes, to_the_end: true };
            (!is_over).then_some(ask)
        };
        let asks: Vec<_> = self.by_thread.iter().filter_map(ask).collect();
        (!asks.is_empty()).then_some(Step::Ask(asks))
    }

    /// Takes the answer to a round.
    pub(super) fn take(&mut self, sets: &[RowSet]) -> Result<(), Error> {
        let asked = self.by_thread.values_mut().filter(|gather| !gather.round().is_empty());
        for (gather, set) in asked.zip(sets) {
            gather.take(chunks(set, &gather.round())?);
        }
        Ok(())
    }

    pub(super) fn join(&self, thread_key: i64, value: &StoredValue) -> Result<Payload, Loss> {
        let bytes = match self.by_thread.get(&thread_key) {
            Some(gather) => gather.join(&value.piece)?,
            None => Gather::default().join(&value.piece)?,
        };
        Ok(Payload { kind: value.kind.clone(), bytes })
    }

    fn spans(
        &self,
        thread_key: i64,
        piece: &Piece,
        shared: &mut Shared,
    ) -> Result<Vec<Span>, Loss> {
        match self.by_thread.get(&thread_key) {
            Some(gather) => shared.spans(thread_key, gather, piece),
            None => shared.spans(thread_key, &Gather::default(), piece),
        }
    }

    /// The levels of a spine; `None` if they have not been fetched.
    pub(super) fn spine(&self, thread_key: i64, hash: Hash) -> Option<&Vec<Vec<Piece>>> {
        self.by_thread.get(&thread_key)?.spine(hash).ok()
    }

    fn base(&self, thread_key: i64, value: &StoredValue) -> Result<Option<(Base, Vec<u32>)>, Loss> {
        match self.by_thread.get(&thread_key) {
            Some(gather) => gather.base(&value.piece),
            None => Ok(None),
        }
    }
}

/// The known value of a channel, if it equals the stored one.
fn same<'k>(known: Option<&'k Known>, entry: &StoredChannel) -> Option<&'k KnownValue> {
    known?.value(&entry.channel).filter(|value| value.stored == entry.value)
}

/// The chunks in the answer to `Ask::Chunks` for these hashes.
pub(super) fn chunks(set: &RowSet, asked: &[Hash]) -> Result<Vec<(Hash, Vec<u8>)>, Error> {
    let mut chunks = Vec::with_capacity(set.rows.len());
    for mut row in rows(set, "lg_chunks") {
        let position = usize::try_from(row.integer("place")?).ok();
        let Some(hash) = position.and_then(|position| asked.get(position)) else {
            continue;
        };
        chunks.push((*hash, row.blob("data")?.to_vec()));
    }
    Ok(chunks)
}

/// The keys and generations of an answer to `Ask::Threads`.
pub(super) fn generations(set: &RowSet) -> Result<BTreeMap<i64, i64>, Error> {
    let pair = |mut row: Row<'_>| Ok((row.integer("thread_key")?, row.integer("generation")?));
    rows(set, "lg_threads").map(pair).collect()
}

/// How often a call has started over because its thread was changed meanwhile.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    count: usize,
}

impl Attempts {
    /// Counts one more attempt. Returns whether it may be made.
    pub(super) fn may_go_on(&mut self) -> bool {
        const ATTEMPTS_MAX: usize = 16;
        self.count += 1;
        self.count < ATTEMPTS_MAX
    }

    /// Counts one more attempt of a read. Fails with `thread-in-use` after too many.
    pub(super) fn next(&mut self) -> Result<(), Error> {
        if self.may_go_on() {
            return Ok(());
        }
        Err(Error::thread_in_use("a thread", "read", false))
    }
}

/// Why a tuple could not be read.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A chunk is missing. The thread may have been deleted or pruned between two rounds, so the
    /// store must be asked whether it is as it was.
    Missing(Error),
    /// Any other error.
    Final(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl Loss {
    /// The trouble with a value, which `what` names in words.
    pub(super) fn at(self, what: impl FnOnce() -> String) -> Trouble {
        let error = self.error(&what());
        match self {
            Self::Missing(_) => Trouble::Missing(error),
            Self::Damaged(_) | Self::Length => Trouble::Final(error),
        }
    }
}

/// A checkpoint in words, for errors.
pub(super) fn checkpoint_in_words(
    thread_id: &str,
    checkpoint_ns: &str,
    checkpoint_id: &str,
) -> String {
    format!("checkpoint {checkpoint_id} of thread {thread_id} in namespace \"{checkpoint_ns}\"")
}
