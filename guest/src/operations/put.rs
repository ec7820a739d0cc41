//! `put`: one round.
//!
//! 1. Write the checkpoint, and what is not known to be stored. If the caller's knowledge is out of
//!    date (the thread was deleted since) nothing is written. Then a put whose values are all whole
//!    starts over without it, and a put with edits ends as stale: the caller repeats it with whole
//!    values.
//!
//! Before that, only if needed:
//!
//! - For a put without a parent: read whether the namespace has a value of the channels that are
//!   neither known nor named as new.
//! - For an edit that keeps elements from the middle of a large list or map: read the nodes that
//!   hold its elements, level by level.
//!
//! A crash before the commit leaves nothing.

mod edits;

use std::collections::BTreeSet;

use super::put_writes::once_each;
use super::set;
use super::tuples::chunks;
use crate::contract::call::{self, Id};
use crate::contract::config::{self, Address};
use crate::contract::error::Error;
use crate::contract::outcome::{Outcome, StoredCheckpoint};
use crate::contract::progress::Expected;
use crate::contract::statement::RowSet;
use crate::format::checkpoint::{CheckpointColumns, LinkColumns, NewEnvelope, StoredValue};
use crate::format::json;
use crate::format::known::{Known, KnownValue};
use crate::format::values::build::{Builder, Chunk};
use crate::format::values::join::Gather;
use crate::operations::ask::{Ask, Guard, NewCheckpoint, Step};
use crate::operations::row::rows;

/// The most bytes that `rest` has inline. It changes with every checkpoint, so a chunk for it would
/// not be shared.
const REST_INLINE_BYTES_MAX: usize = 2048;

/// The longest `checkpoint.ts`, in bytes of UTF-8.
const TS_BYTES_MAX: usize = 256;

/// A `put` under way.
#[derive(Debug)]
pub(super) struct Put {
    call: call::Put,
    address: Address,
    checkpoint_id: String,
    parent_checkpoint_id: Option<String>,
    known: Option<Known>,
    /// Channels that were found to have a stored value, or were known to have one in a thread that
    /// was deleted since.
    found: BTreeSet<String>,
    /// Whether the store was asked for `found`.
    asked: bool,
    /// The nodes of the bases.
    nodes: Gather,
    /// What will be known once the write is answered.
    stored: Option<Known>,
    stage: Stage,
}

/// What a checkpoint's row and its chunks hold.
struct Content {
    values: Vec<(String, KnownValue)>,
    rest: StoredValue,
    /// The chunks that are not known to be stored.
    chunks: Vec<Chunk>,
}

/// Which answer comes next.
#[derive(Debug)]
enum Stage {
    Channels,
    Nodes,
    Guarded,
    Unguarded,
}

impl Put {
    #[inline(never)]
    pub(super) fn start(mut call: call::Put) -> Result<(Self, Step), Error> {
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
        // Sorted for `is_stored`, which searches it for every channel.
        call.new_versions.sort_unstable();
        let mut put = Self {
            call,
            address,
            checkpoint_id,
            parent_checkpoint_id,
            known,
            found: BTreeSet::new(),
            asked: false,
            nodes: Gather::of_nodes(),
            stored: None,
            stage: Stage::Channels,
        };
        put.check_bases()?;
        let step = put.plan()?;
        Ok((put, step))
    }

    #[inline(never)]
    pub(super) fn advance(&mut self, sets: &[RowSet]) -> Result<Step, Error> {
        match self.stage {
            Stage::Channels => {
                for mut row in rows(set(sets, 0)?, "lg_checkpoints") {
                    self.found.insert(row.text("channel")?.to_owned());
                }
                self.asked = true;
                self.plan()
            }
            Stage::Nodes => {
                let asked = self.nodes.round();
                self.nodes.take(chunks(set(sets, 0)?, &asked)?);
                self.plan()
            }
            Stage::Guarded => {
                if !set(sets, 0)?.rows.is_empty() {
                    return self.done();
                }
                if self.edits().next().is_some() {
                    return self.stale();
                }
                if let Some(known) = self.known.take() {
                    // The channels that the thread had are stored again.
                    self.found.extend(known.channels);
                }
                self.asked = false;
                self.plan()
            }
            Stage::Unguarded => {
                let Some(mut row) = rows(set(sets, 0)?, "lg_threads").next() else {
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

    /// The next round: a read that is still needed, or the write.
    #[inline(never)]
    fn plan(&mut self) -> Result<Step, Error> {
        let open: Vec<String> = self.open_channels().map(str::to_owned).collect();
        if !open.is_empty() && !self.asked {
            self.stage = Stage::Channels;
            let Address { thread_id, checkpoint_ns } = self.address.clone();
            return Ok(Step::ask(Ask::Channels { thread_id, checkpoint_ns, channels: open }));
        }
        let nodes = self.nodes.round();
        match &self.known {
            Some(known) if !nodes.is_empty() => {
                self.stage = Stage::Nodes;
                let thread_key = known.thread_key;
                Ok(Step::ask(Ask::Chunks { thread_key, hashes: nodes, to_the_end: false }))
            }
            _ => self.write(),
        }
    }

    /// The channels for which the store must say whether it has a value.
    fn open_channels(&self) -> impl Iterator<Item = &str> {
        self.call
            .checkpoint
            .channel_values
            .iter()
            .map(|entry| entry.channel.as_str())
            .filter(|channel| !self.is_stored(channel))
    }

    /// Whether the put stores a channel's value, as far as is known: the put names a parent, whose
    /// state it continues; or the channel is new, has no version, or has a value in the namespace.
    ///
    /// The last condition is about the channel, not the value. LangGraph names a channel as new if
    /// its version changed. A node that changes a value in place changes no version, and its state
    /// must not lose the channel.
    fn is_stored(&self, channel: &str) -> bool {
        let versions = &self.call.checkpoint.channel_versions;
        self.parent_checkpoint_id.is_some()
            || self.call.new_versions.binary_search_by(|new| new.as_str().cmp(channel)).is_ok()
            || !versions.iter().any(|entry| entry.channel == channel)
            || self.known.as_ref().is_some_and(|known| known.channels.contains(channel))
            || self.found.contains(channel)
    }

    #[inline(never)]
    fn write(&mut self) -> Result<Step, Error> {
        let mut hashes = self.known.as_ref().map(Known::hashes).unwrap_or_default();
        if self.known.is_some() {
            hashes.extend(self.nodes.fetched());
        }
        let builder = Builder::new(&hashes);
        let Some(Content { values, rest, chunks }) = self.content(&builder)? else {
            return self.stale();
        };
        let names = || values.iter().map(|(channel, _)| channel.as_str());
        let channels: BTreeSet<String> = names().map(str::to_owned).collect();
        let channels_column = json::array_of_strings(names());
        let checkpoint = &self.call.checkpoint;
        let columns = CheckpointColumns {
            link: LinkColumns {
                thread_id: &self.address.thread_id,
                checkpoint_ns: &self.address.checkpoint_ns,
                checkpoint_id: &self.checkpoint_id,
                parent_checkpoint_id: self.parent_checkpoint_id.as_deref(),
            },
            channels: Some(&channels_column),
            created_at: &checkpoint.ts,
            metadata: &self.call.metadata.bytes,
        };
        let envelope = NewEnvelope {
            v: checkpoint.v,
            metadata_kind: &self.call.metadata.kind,
            rest: &rest,
            versions: &checkpoint.channel_versions,
            values: values
                .iter()
                .map(|(channel, value)| (channel.as_str(), &value.stored))
                .collect(),
        };
        let envelope = envelope.seal(columns)?;
        let guard = |known: &Known| Guard {
            thread_key: known.thread_key,
            generation: known.generation,
            checkpoint_id: known.checkpoint_id.clone(),
        };
        let checkpoint = NewCheckpoint {
            thread_id: self.address.thread_id.clone(),
            checkpoint_ns: self.address.checkpoint_ns.clone(),
            checkpoint_id: self.checkpoint_id.clone(),
            parent_checkpoint_id: self.parent_checkpoint_id.clone(),
            created_at: checkpoint.ts.clone(),
            channels: channels_column,
            metadata: self.call.metadata.clone(),
            run_id: run_id(&self.call),
            envelope,
            chunks: once_each(chunks),
            guard: self.known.as_ref().map(guard),
        };
        self.stage = if self.known.is_some() { Stage::Guarded } else { Stage::Unguarded };
        let mut stored = Known {
            thread_id: self.address.thread_id.clone(),
            checkpoint_ns: self.address.checkpoint_ns.clone(),
            checkpoint_id: self.checkpoint_id.clone(),
            channels,
            values,
            ..Known::default()
        };
        if let Some(known) = &self.known {
            // A checkpoint that is put again may have held the only value of a channel.
            if stored.checkpoint_id > known.checkpoint_id {
                stored.channels.extend(known.channels.iter().cloned());
            }
            (stored.thread_key, stored.generation) = (known.thread_key, known.generation);
        }
        self.stored = Some(stored);
        Ok(Step::ask(Ask::Put(checkpoint)))
    }

    /// What is to be stored; `None` if the nodes of a base are missing.
    #[inline(never)]
    fn content(&self, builder: &Builder<'_>) -> Result<Option<Content>, Error> {
        let checkpoint = &self.call.checkpoint;
        let mut chunks = Vec::new();
        let mut values = Vec::with_capacity(checkpoint.channel_values.len());
        for entry in &checkpoint.channel_values {
            if !self.is_stored(&entry.channel) {
                continue;
            }
            let Some((kind, built)) = self.built(builder, entry)? else {
                return Ok(None);
            };
            chunks.extend(built.fresh);
            let stored = StoredValue { kind, piece: built.piece };
            values.push((entry.channel.clone(), KnownValue { stored, base: built.base }));
        }
        let rest = &checkpoint.rest;
        let built = builder.volatile(&rest.kind, &rest.bytes, REST_INLINE_BYTES_MAX)?;
        chunks.extend(built.fresh);
        let rest = StoredValue { kind: rest.kind.clone(), piece: built.piece };
        Ok(Some(Content { values, rest, chunks }))
    }

    /// The outcome if the guard holds. Without a guard the outcome depends on the answer.
    pub(super) fn expected(&self) -> Result<Option<Expected>, Error> {
        match self.stage {
            Stage::Guarded => self.outcome().map(|outcome| Some(Expected::WithRows(outcome))),
            Stage::Unguarded => Ok(Some(Expected::Answered)),
            Stage::Channels | Stage::Nodes => Ok(None),
        }
    }

    /// Ends a put whose edits have lost their base. The outcome keeps what is known but for the
    /// values.
    fn stale(&self) -> Result<Step, Error> {
        let left = self.known.as_ref().map(Known::without_values).unwrap_or_default();
        Ok(Step::Done(Outcome::Stale(left.to_bytes()?)))
    }

    fn done(&self) -> Result<Step, Error> {
        self.outcome().map(Step::Done)
    }

    #[inline(never)]
    fn outcome(&self) -> Result<Outcome, Error> {
        let none = Known::default();
        let stored = self.stored.as_ref().unwrap_or(&none);
        Ok(Outcome::Stored(StoredCheckpoint {
            known: stored.to_bytes()?,
            values: stored.told(),
            thread_id: stored.thread_id.clone(),
            checkpoint_ns: stored.checkpoint_ns.clone(),
            checkpoint_id: stored.checkpoint_id.clone(),
        }))
    }
}

/// The run that a checkpoint is of: the one that its metadata names, or else its caller's config.
/// An id that no call could name is none.
#[inline(never)]
fn run_id(call: &call::Put) -> Option<String> {
    let named = match std::str::from_utf8(&call.metadata.bytes) {
        Ok(metadata) if call.metadata.kind == "json" => json::member(metadata, "run_id"),
        _ => None,
    };
    let text = named.filter(|json| json.starts_with('"')).and_then(json::text);
    let ids = [text.map(Id::Text).unwrap_or_default(), call.run_id.clone()];
    ids.iter().find_map(|id| config::required("run_id", id).ok())
}

/// Refuses names that no channel may have, and names that appear twice.
#[inline(never)]
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
