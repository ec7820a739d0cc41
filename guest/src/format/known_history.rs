//! What a caller has of a delta channel's history. The host carries it from one outcome to the next
//! call.
//!
//! A history continues a known one if the ancestor where the known one ends still has the same rows
//! behind it, judged by their checksums. Every call compares them, in the state of the store that
//! it reads, because any ancestor may get another write.
//!
//! Without known histories, a graph with a delta channel takes 1.3 times as long over 60
//! invocations.

use crate::contract::error::Error;
use crate::format::values::hash::{Hash, Role};
use crate::format::{FORMAT, decode, encode};

/// A known history.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KnownHistory {
    /// The channel's name.
    pub(crate) channel: String,
    /// The nearest ancestor that the history includes.
    pub(crate) checkpoint_id: String,
    /// The hash of its rows' checksums, as `Ask::Ancestors` gives them.
    digest: Hash,
}

/// As encoded: the format, the thread's id and namespace, then the fields of `KnownHistory`.
type Encoded = (u8, String, String, String, String, Hash);

impl KnownHistory {
    /// The known history of a channel up to this ancestor, whose rows have these checksums.
    pub(crate) fn new(channel: &str, checkpoint_id: &str, checksums: &str) -> Self {
        let digest = Hash::of(Role::Leaf, checksums.as_bytes());
        Self { channel: channel.to_owned(), checkpoint_id: checkpoint_id.to_owned(), digest }
    }

    /// Whether these checksums are those of the known rows.
    pub(crate) fn has(&self, checksums: &str) -> bool {
        self.digest == Hash::of(Role::Leaf, checksums.as_bytes())
    }

    /// The bytes a host carries.
    pub(crate) fn to_bytes(&self, thread_id: &str, checkpoint_ns: &str) -> Result<Vec<u8>, Error> {
        encode(&(
            FORMAT,
            thread_id.to_owned(),
            checkpoint_ns.to_owned(),
            self.channel.clone(),
            self.checkpoint_id.clone(),
            self.digest,
        ))
    }

    /// Decodes the known history of this thread and namespace. Fails with `foreign-known` if the
    /// bytes belong to another one: then the host has mixed something up.
    pub(crate) fn from_bytes(
        bytes: &[u8],
        thread_id: &str,
        checkpoint_ns: &str,
    ) -> Result<Self, Error> {
        match decode::<Encoded>(bytes) {
            Some((FORMAT, thread, ns, channel, checkpoint_id, digest))
                if thread == thread_id && ns == checkpoint_ns =>
            {
                Ok(Self { channel, checkpoint_id, digest })
            }
            _ => Err(Error::protocol(
                "foreign-known",
                "the known of a history belongs to another thread, namespace or version; pass \
                 none, or its own",
            )),
        }
    }
}
