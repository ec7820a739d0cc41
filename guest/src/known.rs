//! What a caller knows to be stored: carried by the host from one outcome to the next `put`.
//!
//! It is a saving, not a truth: a `put` that relies on it also checks, in its own transaction,
//! that the thread is the same one and nothing was removed from it since.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::format::{FORMAT, decode, encode};
use crate::value::hash::{HASH_BYTES, Hash};

/// What is known of a thread.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Known {
    /// The thread's id.
    pub(crate) thread_id: String,
    /// The thread's namespace.
    pub(crate) checkpoint_ns: String,
    /// The thread's key in the store.
    pub(crate) thread_key: i64,
    /// How often chunks were removed from the thread.
    pub(crate) generation: i64,
    /// Channels with a stored value in the namespace.
    pub(crate) channels: BTreeSet<String>,
    /// Stored chunks of the thread.
    pub(crate) hashes: BTreeSet<Hash>,
}

/// As encoded.
#[derive(Serialize, Deserialize)]
struct Encoded(u8, String, String, i64, i64, BTreeSet<String>, serde_bytes::ByteBuf);

impl Known {
    /// The bytes a host carries.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut hashes = Vec::with_capacity(self.hashes.len() * HASH_BYTES);
        for hash in &self.hashes {
            hashes.extend_from_slice(hash.as_bytes());
        }
        encode(&Encoded(
            FORMAT,
            self.thread_id.clone(),
            self.checkpoint_ns.clone(),
            self.thread_key,
            self.generation,
            self.channels.clone(),
            serde_bytes::ByteBuf::from(hashes),
        ))
    }

    /// What these bytes say about this thread and namespace. What they say about another one is
    /// of no use here, and is refused since a host mixed something up.
    pub(crate) fn from_bytes(
        bytes: &[u8],
        thread_id: &str,
        checkpoint_ns: &str,
    ) -> Result<Self, Error> {
        let Some(encoded) = decode::<Encoded>(bytes) else {
            return Err(foreign("is none that this planner made"));
        };
        let Encoded(format, thread, ns, thread_key, generation, channels, hashes) = encoded;
        if format != FORMAT || thread != thread_id || ns != checkpoint_ns {
            return Err(foreign("belongs to another thread, namespace or version"));
        }
        let hashes = hashes.chunks(HASH_BYTES).filter_map(Hash::from_slice).collect();
        Ok(Self { thread_id: thread, checkpoint_ns: ns, thread_key, generation, channels, hashes })
    }
}

fn foreign(what: &str) -> Error {
    Error::protocol("foreign-known", format!("the known of a put {what}; pass none, or its own"))
}
