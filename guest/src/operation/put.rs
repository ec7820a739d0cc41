//! `put`: one round.
//!
//! 1. Write what is not known to be stored, and the checkpoint. Where the caller's knowledge is
//!    out of date (the thread was deleted since) nothing is written, and the operation begins
//!    again without it.
//!
//! Before it, only for channels of which nothing is known and that are not named as new:
//!
//! 0. Read which of them the namespace has a value of.
//!
//! A crash before the commit leaves nothing.

use std::collections::BTreeSet;

use super::put_writes::once_each;
use super::{Progress, set};
use crate::call;
use crate::config::{self, Address};
use crate::dialect::sqlite::{self, CheckpointRow, Guard};
use crate::error::Error;
use crate::format::checkpoint::{
    CheckpointColumns, CheckpointEnvelope, StoredChannel, StoredValue,
};
use crate::json;
use crate::known::Known;
use crate::outcome::{Outcome, StoredCheckpoint};
use crate::row::rows;
use crate::statement::{RowSet, Statement, Value};
use crate::value::build::{Builder, Chunk};

/// The fields that have no place of their own change with every checkpoint: a chunk for them
/// would never be shared.
const REST_INLINE_BYTES_MAX: usize = 2048;

/// The longest `checkpoint.ts`.
const TS_BYTES_MAX: usize = 256;

/// One checkpoint on its way into the store.
#[derive(Debug)]
pub(super) struct Put {
    call: call::Put,
    address: Address,
    checkpoint_id: String,
    parent_checkpoint_id: Option<String>,
    known: Option<Known>,
    /// Channels found to have a stored value.
    found: BTreeSet<String>,
    /// What will be known once the write is answered.
    stored: Option<Known>,
    stage: Stage,
}

/// Which answer comes next.
#[derive(Debug)]
enum Stage {
    Channels,
    Guarded,
    Unguarded,
}

impl Put {
    pub(super) fn start(call: call::Put) -> Result<(Self, Progress), Error> {
        let address = config::address(&call.config)?;
        let checkpoint_id = config::required("checkpoint.id", &call.checkpoint.id)?;
        let parent_checkpoint_id = config::checkpoint_id(&call.config)?;
        config::plain("checkpoint.ts", &call.checkpoint.ts, TS_BYTES_MAX)?;
        distinct(
            "channel_values",
            call.checkpoint.channel_values.iter().map(|entry| entry.channel.as_str()),
        )?;
        distinct(
            "channel_versions",
            call.checkpoint.channel_versions.iter().map(|entry| entry.channel.as_str()),
        )?;
        let known = match &call.known {
            None => None,
            Some(bytes) => {
                Some(Known::from_bytes(bytes, &address.thread_id, &address.checkpoint_ns)?)
            }
        };
        let mut put = Self {
            call,
            address,
            checkpoint_id,
            parent_checkpoint_id,
            known,
            found: BTreeSet::new(),
            stored: None,
            stage: Stage::Channels,
        };
        let progress = put.plan()?;
        Ok((put, progress))
    }

    pub(super) fn advance(&mut self, sets: &[RowSet]) -> Result<Progress, Error> {
        match self.stage {
            Stage::Channels => {
                for mut row in rows(set(sets, 0)?, "lg_checkpoints") {
                    self.found.insert(row.text("channel")?.to_owned());
                }
                self.write()
            }
            Stage::Guarded => {
                let last = set(sets, sets.len().saturating_sub(1))?;
                if last.rows.is_empty() {
                    self.known = None;
                    return self.plan();
                }
                self.done()
            }
            Stage::Unguarded => {
                let thread = set(sets, sets.len().saturating_sub(1))?;
                let Some(mut row) = rows(thread, "lg_threads").next() else {
                    return Err(Error::protocol(
                        "wrong-row-sets",
                        "a thread was not found in the transaction that made it; run the \
                         statements of a batch in one transaction, in order",
                    ));
                };
                if let Some(stored) = &mut self.stored {
                    stored.thread_key = row.integer("thread_key")?;
                    stored.generation = row.integer("generation")?;
                }
                self.done()
            }
        }
    }

    fn plan(&mut self) -> Result<Progress, Error> {
        let open: Vec<String> = self.open_channels().map(str::to_owned).collect();
        if open.is_empty() {
            return self.write();
        }
        self.stage = Stage::Channels;
        let Address { thread_id, checkpoint_ns } = &self.address;
        Ok(Progress::read(vec![sqlite::find_channels(thread_id, checkpoint_ns, open.into_iter())]))
    }

    /// The channels of which the store must say whether it has a value.
    fn open_channels(&self) -> impl Iterator<Item = &str> {
        self.call
            .checkpoint
            .channel_values
            .iter()
            .map(|entry| entry.channel.as_str())
            .filter(|channel| !self.is_stored(channel))
    }

    /// Whether a channel's value is stored, as far as is known: it is new, or bound to no
    /// version, or the namespace has a value of the channel.
    ///
    /// The last is about the channel and not about the value. LangGraph names a channel as new
    /// when its version changed; a node that changes a value in place changes no version, and
    /// its state must not lose the channel for that.
    fn is_stored(&self, channel: &str) -> bool {
        let versions = &self.call.checkpoint.channel_versions;
        self.call.new_versions.iter().any(|new| new == channel)
            || !versions.iter().any(|entry| entry.channel == channel)
            || self.known.as_ref().is_some_and(|known| known.channels.contains(channel))
            || self.found.contains(channel)
    }

    fn write(&mut self) -> Result<Progress, Error> {
        let none = BTreeSet::new();
        let builder = Builder::new(self.known.as_ref().map_or(&none, |known| &known.hashes));
        let (envelope, chunks) = self.envelope(&builder)?;
        let names = || envelope.values.iter().map(|entry| entry.channel.as_str());
        let channels: BTreeSet<String> = names().map(str::to_owned).collect();
        let channels_column = json::array_of_strings(names());
        let columns = CheckpointColumns {
            checkpoint_id: &self.checkpoint_id,
            parent_checkpoint_id: self.parent_checkpoint_id.as_deref(),
            created_at: &self.call.checkpoint.ts,
            metadata: &self.call.metadata.bytes,
        };
        let row = CheckpointRow {
            thread_id: &self.address.thread_id,
            checkpoint_ns: &self.address.checkpoint_ns,
            checkpoint_id: columns.checkpoint_id,
            parent_checkpoint_id: columns.parent_checkpoint_id,
            created_at: columns.created_at,
            channels: channels_column,
            metadata: metadata(&self.call.metadata),
            envelope: envelope.seal(columns)?,
        };
        let hashes = builder.into_visible();
        let statements = statements(row, once_each(chunks), self.known.as_ref());
        self.stage = if self.known.is_some() { Stage::Guarded } else { Stage::Unguarded };
        let mut stored = Known {
            thread_id: self.address.thread_id.clone(),
            checkpoint_ns: self.address.checkpoint_ns.clone(),
            channels,
            hashes,
            ..Known::default()
        };
        if let Some(known) = &self.known {
            stored.channels.extend(known.channels.iter().cloned());
            (stored.thread_key, stored.generation) = (known.thread_key, known.generation);
        }
        self.stored = Some(stored);
        Ok(Progress::write(statements))
    }

    /// The envelope, and the chunks it needs that are not known to be stored.
    fn envelope(&self, builder: &Builder<'_>) -> Result<(CheckpointEnvelope, Vec<Chunk>), Error> {
        let checkpoint = &self.call.checkpoint;
        let mut chunks = Vec::new();
        let mut values = Vec::with_capacity(checkpoint.channel_values.len());
        for entry in &checkpoint.channel_values {
            if !self.is_stored(&entry.channel) {
                continue;
            }
            let built = builder.value(&entry.value.kind, &entry.value.bytes)?;
            chunks.extend(built.fresh);
            let value = StoredValue { kind: entry.value.kind.clone(), piece: built.piece };
            values.push(StoredChannel { channel: entry.channel.clone(), value });
        }
        let rest = &checkpoint.rest;
        let built = builder.volatile(&rest.kind, &rest.bytes, REST_INLINE_BYTES_MAX)?;
        chunks.extend(built.fresh);
        let envelope = CheckpointEnvelope {
            v: checkpoint.v,
            metadata_kind: self.call.metadata.kind.clone(),
            rest: StoredValue { kind: rest.kind.clone(), piece: built.piece },
            versions: checkpoint.channel_versions.clone(),
            values,
        };
        Ok((envelope, chunks))
    }

    fn done(&mut self) -> Result<Progress, Error> {
        let stored = self.stored.take().unwrap_or_default();
        Ok(Progress::Done(Outcome::Stored(StoredCheckpoint {
            known: stored.to_bytes()?,
            thread_id: stored.thread_id,
            checkpoint_ns: stored.checkpoint_ns,
            checkpoint_id: std::mem::take(&mut self.checkpoint_id),
        })))
    }
}

/// The statements of the write. With knowledge the last one gives no row where it does not hold
/// any more; without, the last one gives the thread.
fn statements(row: CheckpointRow<'_>, chunks: Vec<Chunk>, known: Option<&Known>) -> Vec<Statement> {
    let guard =
        known.map(|known| Guard { thread_key: known.thread_key, generation: known.generation });
    let mut statements = Vec::new();
    let thread_id = row.thread_id;
    if guard.is_none() {
        statements.push(sqlite::insert_thread(thread_id));
    }
    if !chunks.is_empty() {
        statements.push(sqlite::insert_chunks(thread_id, guard, &chunks));
    }
    statements.push(sqlite::upsert_checkpoint(row, guard));
    if guard.is_none() {
        statements.push(sqlite::find_thread(thread_id));
    }
    statements
}

/// The metadata's column: text that people and filters can read where it is JSON.
fn metadata(metadata: &call::Payload) -> Value {
    let readable = metadata.kind == "json" && json::is_value(&metadata.bytes);
    match std::str::from_utf8(&metadata.bytes) {
        Ok(text) if readable => Value::Text(text.to_owned()),
        _ => Value::Blob(metadata.bytes.clone()),
    }
}

/// Refuses names that are no channel's or that appear twice.
fn distinct<'a>(list: &'static str, channels: impl Iterator<Item = &'a str>) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for channel in channels {
        config::plain(list, channel, config::ID_BYTES_MAX)?;
        if !seen.insert(channel) {
            return Err(Error::invalid(
                "repeated-channel",
                format!("checkpoint.{list} has channel {channel} twice; name each one once"),
            ));
        }
    }
    Ok(())
}
