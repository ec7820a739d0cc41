//! `known`: what a caller knows to be stored. The host carries it from one outcome to the next
//! `put`.
//!
//! It only saves work: a `put` that relies on it also checks, in its own transaction, that the
//! thread is the same one and that nothing was removed from it since.

use std::collections::BTreeSet;

use crate::contract::error::Error;
use crate::contract::outcome;
use crate::format::checkpoint::StoredValue;
use crate::format::values::base::{Base, Source};
use crate::format::values::hash::Hash;
use crate::format::values::piece::{Piece, Spine};
use crate::format::values::refs;
use crate::format::{FORMAT, decode, encode};

/// What is known of one namespace of a thread.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Known {
    /// The thread's id.
    pub(crate) thread_id: String,
    /// The thread's namespace.
    pub(crate) checkpoint_ns: String,
    /// The checkpoint that was put or read last.
    pub(crate) checkpoint_id: String,
    /// The thread's key in the store.
    pub(crate) thread_key: i64,
    /// The thread's generation.
    pub(crate) generation: i64,
    /// Channels that have a stored value in the namespace.
    pub(crate) channels: BTreeSet<String>,
    /// The values of the checkpoint last put or read, in its order.
    pub(crate) values: Vec<(String, KnownValue)>,
}

/// A value that is known to be stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KnownValue {
    /// The value as the envelope holds it.
    pub(crate) stored: StoredValue,
    /// What an edit starts from; `None` unless the value is a list or map with pieces.
    pub(crate) base: Option<Base>,
}

/// As encoded: the format, then the fields of `Known`.
type Encoded = (u8, String, String, String, i64, i64, BTreeSet<String>, Vec<EncodedValue>);

/// As encoded: channel, value, and the levels of the base.
type EncodedValue = (String, StoredValue, Option<Vec<Vec<Piece>>>);

impl Known {
    /// The bytes a host carries.
    #[inline(never)]
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        // In the shape of `Encoded`, without copying the values.
        let values = self.values.iter().map(|(channel, KnownValue { stored, base })| {
            (channel, stored, base.as_ref().map(|base| &base.levels))
        });
        encode(&(
            FORMAT,
            &self.thread_id,
            &self.checkpoint_ns,
            &self.checkpoint_id,
            self.thread_key,
            self.generation,
            &self.channels,
            values.collect::<Vec<_>>(),
        ))
    }

    /// Decodes what is known of this thread and namespace. Fails with `foreign-known` if the bytes
    /// belong to another one: then the host has mixed something up.
    #[inline(never)]
    pub(crate) fn from_bytes(
        bytes: &[u8],
        thread_id: &str,
        checkpoint_ns: &str,
    ) -> Result<Self, Error> {
        let Some(encoded) = decode::<Encoded>(bytes) else {
            return Err(foreign("was not made by this planner"));
        };
        let (format, thread, ns, checkpoint_id, thread_key, generation, channels, values) = encoded;
        if format != FORMAT || thread != thread_id || ns != checkpoint_ns {
            return Err(foreign("belongs to another thread, namespace or version"));
        }
        let value = |(channel, stored, base): EncodedValue| {
            let base = base.map(|levels| Base { levels });
            (channel, KnownValue { stored, base })
        };
        Ok(Self {
            thread_id: thread,
            checkpoint_ns: ns,
            checkpoint_id,
            thread_key,
            generation,
            channels,
            values: values.into_iter().map(value).collect(),
        })
    }

    /// The same without the values. A put that passes it sends every chunk.
    pub(crate) fn without_values(&self) -> Self {
        Self { values: Vec::new(), ..self.clone() }
    }

    /// The value of a channel.
    pub(crate) fn value(&self, channel: &str) -> Option<&KnownValue> {
        self.values.iter().find(|(name, _)| name == channel).map(|(_, value)| value)
    }

    /// The chunks that need not be sent again: all that the values refer to, as far as no node has
    /// to be opened.
    #[inline(never)]
    pub(crate) fn hashes(&self) -> BTreeSet<Hash> {
        let mut hashes = BTreeSet::new();
        for (_, value) in &self.values {
            show(&value.stored.piece, &mut hashes);
            for level in value.base.iter().flat_map(|base| &base.levels) {
                level.iter().for_each(|piece| show(piece, &mut hashes));
            }
        }
        hashes
    }

    /// The chunks that each value refers to directly, in order, without values that refer to none.
    pub(crate) fn refs(&self) -> Vec<Vec<Hash>> {
        let refs = |(_, value): &(String, KnownValue)| {
            let mut refs = Vec::new();
            refs::of_piece(&value.stored.piece, &mut refs);
            refs
        };
        self.values.iter().map(refs).filter(|refs| !refs.is_empty()).collect()
    }

    /// The values as an outcome lists them.
    pub(crate) fn told(&self) -> Vec<outcome::KnownValue> {
        let told = |(channel, value): &(String, KnownValue)| outcome::KnownValue {
            channel: channel.clone(),
            editable: value.base.is_some(),
        };
        self.values.iter().map(told).collect()
    }
}

impl KnownValue {
    /// What an edit of this value starts from; `None` if it cannot be edited.
    pub(crate) fn source(&self) -> Option<Source<'_>> {
        match (&self.stored.piece, &self.base) {
            (Piece::Nested(sequence), Some(base)) => Source::of(sequence, base),
            _ => None,
        }
    }
}

fn show(piece: &Piece, hashes: &mut BTreeSet<Hash>) {
    hashes.extend(piece.hash());
    let Piece::Nested(sequence) = piece else {
        return;
    };
    match &sequence.spine {
        Spine::Chunk(hash) => {
            hashes.insert(*hash);
        }
        Spine::Inline(levels) => {
            levels.iter().flatten().for_each(|piece| show(piece, hashes));
        }
    }
    sequence.tail.iter().for_each(|piece| show(piece, hashes));
}

fn foreign(what: &str) -> Error {
    Error::protocol("foreign-known", format!("the known of a put {what}; pass none, or its own"))
}
