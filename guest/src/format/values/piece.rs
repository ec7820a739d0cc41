//! How a value is stored: pieces, inline or in chunks, and sequences of them.
//!
//! The pieces of a sequence form a tree whose shape depends only on content. Pieces collect in the
//! tail. Where a group of them ends (see `build.rs`), the group becomes a node, which is a chunk,
//! and the reference to it collects in the level above, and so on. The pieces of the levels above
//! the tail that are not in a closed group yet are the spine. So an append changes the tail and,
//! now and then, one node and the spine.

use serde::ser::SerializeTuple;
use serde::{Serialize, Serializer};
use serde_bytes::Bytes;

use super::hash::Hash;
use crate::format::read::{Read, Reader};

/// A piece of at most this many bytes is inline: a chunk's row and a reference to it cost about as
/// much.
pub(crate) const INLINE_BYTES_MAX: usize = 128;

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

/// A reference to a chunk, and how many bytes of the value are in it and below it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reference {
    /// Which chunk.
    pub(crate) hash: Hash,
    /// Bytes of the value, including separators inside.
    pub(crate) length: u64,
}

/// How the pieces of a sequence are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One after the other.
    Plain,
    /// In brackets, with commas between: the elements of a JSON array.
    Array,
    /// In braces, with commas between: the entries of a JSON object.
    Object,
    /// After a header with their number: the elements of a MessagePack array.
    PackedArray,
    /// After a header with their number: the entries of a MessagePack map, each a key and a value.
    PackedMap,
}

/// The bytes before the first piece of a sequence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    bytes: [u8; 5],
    length: usize,
}

impl Shape {
    /// The bytes before the first of `elements` elements or entries. The header of a MessagePack
    /// array or map is the shortest one.
    pub(crate) fn opening(self, elements: u32) -> Opening {
        match self {
            Self::Plain => Opening::of(b""),
            Self::Array => Opening::of(b"["),
            Self::Object => Opening::of(b"{"),
            Self::PackedArray => Opening::header(0x90, 0xdc, elements),
            Self::PackedMap => Opening::header(0x80, 0xde, elements),
        }
    }

    /// The bytes after the last piece.
    pub(crate) fn closing(self) -> &'static [u8] {
        match self {
            Self::Plain | Self::PackedArray | Self::PackedMap => b"",
            Self::Array => b"]",
            Self::Object => b"}",
        }
    }

    /// The bytes between two pieces.
    pub(crate) fn separator(self) -> &'static [u8] {
        match self {
            Self::Plain | Self::PackedArray | Self::PackedMap => b"",
            Self::Array | Self::Object => b",",
        }
    }
}

impl Opening {
    fn of(text: &[u8]) -> Self {
        let mut bytes = [0; 5];
        for (to, from) in bytes.iter_mut().zip(text) {
            *to = *from;
        }
        Self { bytes, length: text.len() }
    }

    /// The shortest MessagePack header of `count` elements or entries: the marker `fix` has up to
    /// 15 in itself, `long` is followed by 16 bits, the marker after it by 32.
    fn header(fix: u8, long: u8, count: u32) -> Self {
        let [a, b, c, d] = count.to_be_bytes();
        match count {
            0..=15 => Self::of(&[fix | d]),
            16..=0xffff => Self::of(&[long, c, d]),
            _ => Self::of(&[long + 1, a, b, c, d]),
        }
    }
}

impl AsRef<[u8]> for Opening {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Pieces in order: first those of the spine from its topmost level down, then the tail.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Sequence {
    /// How the pieces are joined.
    pub(crate) shape: Shape,
    /// The number of elements, entries or other parts.
    pub(crate) elements: u32,
    /// Bytes of the value, including the opening, the closing and separators.
    pub(crate) length: u64,
    /// The levels above the tail.
    pub(crate) spine: Spine,
    /// The pieces of the group that is not closed yet.
    pub(crate) tail: Vec<Piece>,
}

/// The levels of a sequence above its tail: for each, the nodes that are not in a closed group yet.
/// The first level is the one next to the tail.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Spine {
    /// The levels themselves.
    Inline(Vec<Vec<Piece>>),
    /// A chunk that holds the levels.
    Chunk(Hash),
}

impl Piece {
    /// The length of the piece, in bytes of the value.
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Chunk(reference) | Self::Node(reference) | Self::Branch(reference) => {
                reference.length
            }
            Self::Nested(sequence) => sequence.length,
        }
    }

    /// The chunk of a piece that is a reference; else `None`.
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

impl Read for Piece {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        if is_bytes(reader.marker()?) {
            return Some(Self::Inline(reader.bytes()?.to_vec()));
        }
        reader.array(|reader, length| match (u8::read(reader)?, length) {
            (4, 2) => Sequence::read(reader).map(|sequence| Self::Nested(Box::new(sequence))),
            (tag, 3) => {
                let hash = Hash::read(reader)?;
                let reference = Reference { hash, length: u64::read(reader)? };
                match tag {
                    1 => Some(Self::Chunk(reference)),
                    2 => Some(Self::Node(reference)),
                    3 => Some(Self::Branch(reference)),
                    _ => None,
                }
            }
            _ => None,
        })
    }
}

impl Read for Sequence {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.fields(5, |reader| {
            Some(Self {
                shape: Shape::read(reader)?,
                elements: u32::read(reader)?,
                length: u64::read(reader)?,
                spine: Spine::read(reader)?,
                tail: Vec::read(reader)?,
            })
        })
    }
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(match self {
            Self::Plain => 0,
            Self::Array => 1,
            Self::Object => 2,
            Self::PackedArray => 3,
            Self::PackedMap => 4,
        })
    }
}

impl Read for Shape {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        match u8::read(reader)? {
            0 => Some(Self::Plain),
            1 => Some(Self::Array),
            2 => Some(Self::Object),
            3 => Some(Self::PackedArray),
            4 => Some(Self::PackedMap),
            _ => None,
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

impl Read for Spine {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        if is_bytes(reader.marker()?) {
            return Hash::read(reader).map(Self::Chunk);
        }
        Vec::read(reader).map(Self::Inline)
    }
}

fn is_bytes(marker: u8) -> bool {
    matches!(marker, 0xc4..=0xc6)
}
