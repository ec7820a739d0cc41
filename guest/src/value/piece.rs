//! How a value is stored: pieces, inline or in chunks, and sequences of them.
//!
//! The pieces of a sequence are kept in a tree whose shape depends on content alone. Pieces
//! collect in the tail; where a group of them ends (see `build.rs`) the group becomes a node, a
//! chunk of its own, and its reference collects in the level above, and so on. What is not yet
//! closed of each level above the tail is the spine. So an append touches the tail and, now and
//! then, one node and the spine.

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_bytes::Bytes;

use super::hash::Hash;

/// A piece of a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    /// The bytes themselves.
    Inline(Vec<u8>),
    /// A chunk that holds the bytes.
    Chunk(Reference),
    /// A chunk that holds the pieces of a closed group, in order.
    Node(Reference),
    /// A chunk that holds a sequence.
    Branch(Reference),
    /// A sequence.
    Nested(Box<Sequence>),
}

/// A chunk, and how many bytes of the value it stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reference {
    /// Which chunk.
    pub(crate) hash: Hash,
    /// Bytes of the value, separators inside included.
    pub(crate) length: u64,
}

/// How the pieces of a sequence are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One after the other.
    Plain,
    /// In brackets, commas between: the elements of a JSON array.
    Array,
    /// In braces, commas between: the entries of a JSON object.
    Object,
}

impl Shape {
    /// What stands before the first piece and after the last one.
    pub(crate) fn ends(self) -> (&'static [u8], &'static [u8]) {
        match self {
            Self::Plain => (b"", b""),
            Self::Array => (b"[", b"]"),
            Self::Object => (b"{", b"}"),
        }
    }

    /// What stands between two pieces.
    pub(crate) fn separator(self) -> &'static [u8] {
        match self {
            Self::Plain => b"",
            Self::Array | Self::Object => b",",
        }
    }
}

/// Pieces in order: first those of the spine, its topmost level first, then the tail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sequence {
    /// How the pieces are put together.
    pub(crate) shape: Shape,
    /// Bytes of the value, ends and separators included.
    pub(crate) length: u64,
    /// The levels above the tail.
    pub(crate) spine: Spine,
    /// The pieces of the group that is not closed yet.
    pub(crate) tail: Vec<Piece>,
}

/// The levels of a sequence above its tail: for each, the nodes not yet in a closed group. The
/// first level is the one next to the tail.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Spine {
    /// The levels themselves.
    Inline(Vec<Vec<Piece>>),
    /// A chunk that holds the levels.
    Chunk(Hash),
}

impl Piece {
    /// How many bytes of the value the piece stands for.
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Chunk(reference) | Self::Node(reference) | Self::Branch(reference) => {
                reference.length
            }
            Self::Nested(sequence) => sequence.length,
        }
    }

    /// The chunk it refers to, where it is no more than a reference.
    pub(crate) fn hash(&self) -> Option<Hash> {
        match self {
            Self::Inline(_) | Self::Nested(_) => None,
            Self::Chunk(reference) | Self::Node(reference) | Self::Branch(reference) => {
                Some(reference.hash)
            }
        }
    }
}

impl Serialize for Piece {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let reference = |serializer: S, tag: u8, reference: &Reference| {
            let mut tuple = serializer.serialize_tuple(3)?;
            tuple.serialize_element(&tag)?;
            tuple.serialize_element(&reference.hash)?;
            tuple.serialize_element(&reference.length)?;
            tuple.end()
        };
        match self {
            Self::Inline(bytes) => serializer.serialize_bytes(bytes),
            Self::Chunk(chunk) => reference(serializer, 1, chunk),
            Self::Node(node) => reference(serializer, 2, node),
            Self::Branch(branch) => reference(serializer, 3, branch),
            Self::Nested(sequence) => {
                let mut tuple = serializer.serialize_tuple(2)?;
                tuple.serialize_element(&4_u8)?;
                tuple.serialize_element(sequence)?;
                tuple.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Piece {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PieceVisitor;

        impl<'de> Visitor<'de> for PieceVisitor {
            type Value = Piece;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes, or an array that begins with a piece's tag")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Piece, E> {
                Ok(Piece::Inline(bytes.to_vec()))
            }

            fn visit_byte_buf<E: serde::de::Error>(self, bytes: Vec<u8>) -> Result<Piece, E> {
                Ok(Piece::Inline(bytes))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Piece, A::Error> {
                let tag: u8 = expected(seq.next_element()?)?;
                if tag == 4 {
                    return Ok(Piece::Nested(Box::new(expected(seq.next_element()?)?)));
                }
                let hash = expected(seq.next_element()?)?;
                let length = expected(seq.next_element()?)?;
                let reference = Reference { hash, length };
                match tag {
                    1 => Ok(Piece::Chunk(reference)),
                    2 => Ok(Piece::Node(reference)),
                    3 => Ok(Piece::Branch(reference)),
                    _ => Err(A::Error::custom("unknown tag of a piece")),
                }
            }
        }

        deserializer.deserialize_any(PieceVisitor)
    }
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(match self {
            Self::Plain => 0,
            Self::Array => 1,
            Self::Object => 2,
        })
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            0 => Ok(Self::Plain),
            1 => Ok(Self::Array),
            2 => Ok(Self::Object),
            _ => Err(D::Error::custom("unknown shape of a sequence")),
        }
    }
}

impl Serialize for Spine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Inline(levels) => levels.serialize(serializer),
            Self::Chunk(hash) => Bytes::new(hash.as_bytes()).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Spine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SpineVisitor;

        impl<'de> Visitor<'de> for SpineVisitor {
            type Value = Spine;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array of levels, or the hash of a chunk")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Spine, E> {
                let hash = Hash::from_slice(bytes).ok_or_else(|| E::custom("not a hash"))?;
                Ok(Spine::Chunk(hash))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Spine, A::Error> {
                let mut levels = Vec::new();
                while let Some(level) = seq.next_element()? {
                    levels.push(level);
                }
                Ok(Spine::Inline(levels))
            }
        }

        deserializer.deserialize_any(SpineVisitor)
    }
}

/// An element that must be there.
fn expected<T, E: serde::de::Error>(element: Option<T>) -> Result<T, E> {
    element.ok_or_else(|| E::custom("the array ends too early"))
}
