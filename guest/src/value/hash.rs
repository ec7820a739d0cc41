//! The content hash: the identity of a chunk.

use serde::{Serialize, Serializer};

use crate::format::read::{Read, Reader};

/// Bytes of a hash. 160 bits: finding two contents with one hash takes 2^80 tries.
pub(crate) const HASH_BYTES: usize = 20;

/// What a chunk is to the piece that refers to it. It is hashed with the chunk's bytes: a value
/// whose bytes look like a node must not be taken for that node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Bytes of a value.
    Leaf = 1,
    /// The pieces of a closed group.
    Node = 2,
    /// A sequence.
    Branch = 3,
    /// The levels of a spine.
    Spine = 4,
}

/// The first 20 bytes of the BLAKE3 hash of a chunk's role, as one byte, and its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hash([u8; HASH_BYTES]);

impl Hash {
    /// The hash of these bytes in this role.
    pub(crate) fn of(role: Role, bytes: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[role as u8]).update(bytes);
        let mut short = [0; HASH_BYTES];
        for (to, from) in short.iter_mut().zip(hasher.finalize().as_bytes()) {
            *to = *from;
        }
        Self(short)
    }

    /// A stored hash; nothing when the length is not that of a hash.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Four bytes of the hash as a number, for decisions that depend on content.
    pub(crate) fn draw(&self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl Read for Hash {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Self::from_slice(reader.bytes()?)
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
