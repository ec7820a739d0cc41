//! What a caller has of the history of a delta channel: carried by the host from one outcome to
//! the next call.
//!
//! A history goes on from one that is known where an ancestor that it begins at still has the
//! same rows before it, as their checksums say. It is compared at each call, in the state of the
//! store that the call reads, since any ancestor may get another write.

use crate::contract::error::Error;
use crate::format::values::hash::{Hash, Role};
use crate::format::{FORMAT, decode, encode};

/// A history that is known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KnownHistory {
    /// The channel's name.
    pub(crate) channel: String,
    /// The nearest ancestor that the history has something of.
    pub(crate) checkpoint_id: String,
    /// Of the checksums of its rows, as `Ask::Ancestors` gives them.
    digest: Hash,
}

/// As encoded: with the thread's id and namespace.
type Encoded = (u8, String, String, String, String, Hash);

impl KnownHistory {
    /// The history of a channel whose rows have these checksums.
    pub(crate) fn new(channel: &str, checkpoint_id: &str, checksums: &str) -> Self {
        let digest = Hash::of(Role::Leaf, checksums.as_bytes());
        Self { channel: channel.to_owned(), checkpoint_id: checkpoint_id.to_owned(), digest }
    }

    /// Whether rows of these checksums are the ones known.
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

    /// What these bytes say about this thread and namespace. What they say about another one is
    /// refused, since a host mixed something up.
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
