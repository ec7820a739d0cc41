//! The content hash: the identity of a chunk.

use serde::{Serialize, Serializer};

use crate::format::read::{Read, Reader};

/// The length of a hash, in bytes. With 160 bits, finding two contents with one hash takes 2^80
/// tries.
pub(crate) const HASH_BYTES: usize = 20;

/// At most this many bytes are hashed in one step.
const SHORT_BYTES_MAX: usize = 192;

/// What a chunk holds. The role is hashed with the chunk's bytes, so that a value whose bytes look
/// like a node is not taken for that node.
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

#[cfg(feature = "kusto")]
impl Role {
    /// All roles.
    pub(crate) const ALL: [Self; 4] = [Self::Leaf, Self::Node, Self::Branch, Self::Spine];
}

/// The first 20 bytes of the BLAKE3 hash of a chunk's role, as one byte, followed by its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hash([u8; HASH_BYTES]);

impl Hash {
    /// The hash of these bytes in this role.
    pub(crate) fn of(role: Role, bytes: &[u8]) -> Self {
        let mut short = [0; HASH_BYTES];
        for (to, from) in short.iter_mut().zip(hash(role as u8, bytes).as_bytes()) {
            *to = *from;
        }
        Self(short)
    }

    /// A stored hash; `None` if it has not the length of a hash.
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

/// BLAKE3 of `first` followed by `rest`. Most inputs are short; hashing them in one step is faster
/// than feeding a hasher.
fn hash(first: u8, rest: &[u8]) -> blake3::Hash {
    let mut input = [0; SHORT_BYTES_MAX];
    let Some([head, tail @ ..]) = input.get_mut(..=rest.len()) else {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[first]).update(rest);
        return hasher.finalize();
    };
    *head = first;
    for (to, from) in tail.iter_mut().zip(rest) {
        *to = *from;
    }
    blake3::hash(input.get(..=rest.len()).unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_any_length_have_the_hash_of_the_role_and_them() {
        let bytes: Vec<u8> = (0..3000_u32).map(|byte| byte as u8).collect();
        for length in (0..600).chain([1023, 1024, 1025, 3000]) {
            let bytes = &bytes[..length];
            let mut hasher = blake3::Hasher::new();
            hasher.update(&[Role::Node as u8]).update(bytes);
            let whole = hasher.finalize();
            let expected = &whole.as_bytes()[..HASH_BYTES];
            assert_eq!(Hash::of(Role::Node, bytes).as_bytes(), expected, "of {length} bytes");
        }
    }
}
