//! Turns a value's bytes into pieces and the chunks that they refer to.
//!
//! The result depends only on the bytes and the serializer's tag, never on how the value came
//! about. So equal values have equal pieces on every host, and values that share a part share its
//! chunks.

use std::collections::BTreeSet;

use super::base::{Base, Source};
use super::hash::{HASH_BYTES, Hash, Role};
use super::piece::{INLINE_BYTES_MAX, Piece, Reference, Sequence, Shape, Spine};
use super::split::{self, Split};
use crate::contract::call::{KeptElements, Run};
use crate::contract::error::Error;
use crate::format::encode;

/// A part of at most this many bytes is one chunk. A larger one is split further.
const CHUNK_BYTES_MAX: usize = 16 * 1024;

/// A spine of at most this many encoded bytes is inline. A longer one is a chunk, because it
/// changes only when a group of the tail is closed.
const SPINE_INLINE_BYTES_MAX: usize = 256;

/// A group is closed after a piece whose hash, taken as a fraction, is less than the piece's
/// encoded size divided by this. So groups have about this many bytes, whatever their pieces are.
const GROUP_BYTES_MEAN: u64 = 256;

/// A group has at least this many pieces, so that each level is shorter than the one below it.
const GROUP_PIECES_MIN: usize = 4;

/// A group that reaches this many encoded bytes is closed in any case.
const GROUP_BYTES_MAX: u64 = 4096;

/// Bytes of an encoded reference: array header, tag, hash with its header, a typical length.
const REFERENCE_BYTES: u64 = 1 + 1 + 2 + HASH_BYTES as u64 + 3;

/// Parts are split within parts at most this deep.
const SPLIT_DEPTH_MAX: usize = 8;

/// Bytes to store under their hash.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chunk {
    /// The hash of the role and the data.
    pub(crate) hash: Hash,
    /// The role in which a piece refers to it.
    pub(crate) role: Role,
    /// The data.
    pub(crate) data: Vec<u8>,
}

/// A piece and the chunks it needs that are not known to be stored.
#[derive(Debug)]
pub(crate) struct Built {
    /// The piece.
    pub(crate) piece: Piece,
    /// The chunks; one may appear twice.
    pub(crate) fresh: Vec<Chunk>,
    /// What an edit starts from; `None` unless the piece is a list or map with pieces.
    pub(crate) base: Option<Base>,
}

/// Builds pieces and leaves out chunks that are already stored.
#[derive(Debug)]
pub(crate) struct Builder<'a> {
    known: &'a BTreeSet<Hash>,
}

impl<'a> Builder<'a> {
    /// A builder that leaves out the chunks with these hashes, and chunks that only they refer to.
    pub(crate) fn new(known: &'a BTreeSet<Hash>) -> Self {
        Self { known }
    }

    /// Builds a value whose serializer gave it the tag `kind`.
    #[inline(never)]
    pub(crate) fn value(&self, kind: &str, bytes: &[u8]) -> Result<Built, Error> {
        if bytes.len() <= INLINE_BYTES_MAX {
            return Ok(self.leaf(bytes));
        }
        match split::structure(kind, bytes) {
            Some(parts) => self.structured(kind, bytes, &parts, 0),
            None => self.opaque(bytes),
        }
    }

    /// Builds the list or map that an edit makes of a base. The result is that of `value` for the
    /// same bytes.
    #[inline(never)]
    pub(crate) fn edited(
        &self,
        kind: &str,
        source: &Source<'_>,
        runs: &[Run],
    ) -> Result<Built, Error> {
        if let Some(bytes) = small(source, runs)? {
            return Ok(self.leaf(&bytes));
        }
        let mut sequence = SequenceBuilder::new(self, source.shape);
        let mut runs = runs;
        if let Some((count, rest)) = source.leading(runs) {
            sequence.resume(source, count)?;
            runs = rest;
        }
        for run in runs {
            match run {
                Run::Kept(KeptElements { first, count }) => {
                    for piece in source.kept(*first, *count)? {
                        sequence.push(0, Built::stored(piece.clone()))?;
                    }
                }
                Run::Fresh(bytes) => {
                    for part in split::elements(source.shape, bytes).ok_or_else(malformed)? {
                        let built = self.part(kind, source.shape, part, 0)?;
                        sequence.push(0, built)?;
                    }
                }
            }
        }
        match sequence.inline_bytes() {
            Some(bytes) => self.value(kind, &bytes),
            None => sequence.finish(),
        }
    }

    /// Builds a value that changes with every checkpoint: inline if it has at most
    /// `inline_bytes_max` bytes.
    #[inline(never)]
    pub(crate) fn volatile(
        &self,
        kind: &str,
        bytes: &[u8],
        inline_bytes_max: usize,
    ) -> Result<Built, Error> {
        if bytes.len() <= inline_bytes_max {
            return Ok(Built::stored(Piece::Inline(bytes.to_vec())));
        }
        self.value(kind, bytes)
    }

    /// A sequence of these parts; or one leaf if the sequence would refer to no chunk and so share
    /// nothing.
    #[inline(never)]
    fn structured(
        &self,
        kind: &str,
        bytes: &[u8],
        parts: &Split,
        depth: usize,
    ) -> Result<Built, Error> {
        let mut sequence = SequenceBuilder::new(self, parts.shape);
        for range in &parts.ranges {
            let part = bytes.get(range.clone()).unwrap_or_default();
            let built = self.part(kind, parts.shape, part, depth)?;
            sequence.push(0, built)?;
        }
        if sequence.is_inline() && bytes.len() <= CHUNK_BYTES_MAX {
            return Ok(self.leaf(bytes));
        }
        sequence.finish()
    }

    /// A part of a structured value: a leaf, or split further if it is large.
    #[inline(never)]
    fn part(&self, kind: &str, shape: Shape, part: &[u8], depth: usize) -> Result<Built, Error> {
        if part.len() <= CHUNK_BYTES_MAX || depth >= SPLIT_DEPTH_MAX {
            return if part.len() <= CHUNK_BYTES_MAX {
                Ok(self.leaf(part))
            } else {
                self.opaque(part)
            };
        }
        let nested = match shape {
            Shape::Object | Shape::PackedMap => split::entry(shape, part),
            Shape::Array | Shape::PackedArray | Shape::Plain => split::structure(kind, part),
        };
        let built = match nested {
            Some(parts) => self.structured(kind, part, &parts, depth + 1)?,
            None => self.opaque(part)?,
        };
        self.branch(built)
    }

    /// Turns a nested sequence into a chunk, unless it is small.
    fn branch(&self, built: Built) -> Result<Built, Error> {
        let Piece::Nested(sequence) = &built.piece else {
            return Ok(built);
        };
        let data = encode(sequence)?;
        if data.len() <= INLINE_BYTES_MAX {
            return Ok(Built { base: None, ..built });
        }
        let hash = Hash::of(Role::Branch, &data);
        let reference = Reference { hash, length: sequence.length };
        let fresh = self.with_chunk(hash, Role::Branch, || data, built.fresh);
        Ok(Built { piece: Piece::Branch(reference), fresh, base: None })
    }

    /// Bytes without structure: one leaf, or chunks cut at boundaries that depend on the content.
    fn opaque(&self, bytes: &[u8]) -> Result<Built, Error> {
        if bytes.len() <= CHUNK_BYTES_MAX {
            return Ok(self.leaf(bytes));
        }
        let mut sequence = SequenceBuilder::new(self, Shape::Plain);
        for range in split::content(bytes, CHUNK_BYTES_MAX) {
            sequence.push(0, self.leaf(bytes.get(range).unwrap_or_default()))?;
        }
        sequence.finish()
    }

    /// Bytes that stay together: inline, or one chunk.
    fn leaf(&self, bytes: &[u8]) -> Built {
        if bytes.len() <= INLINE_BYTES_MAX {
            return Built::stored(Piece::Inline(bytes.to_vec()));
        }
        let hash = Hash::of(Role::Leaf, bytes);
        let reference = Reference { hash, length: bytes.len() as u64 };
        let fresh = self.with_chunk(hash, Role::Leaf, || bytes.to_vec(), Vec::new());
        Built { piece: Piece::Chunk(reference), fresh, base: None }
    }

    /// The fresh chunks when a chunk refers to those in `below`: empty if the chunk is known,
    /// because everything that a stored chunk refers to is stored.
    fn with_chunk(
        &self,
        hash: Hash,
        role: Role,
        data: impl FnOnce() -> Vec<u8>,
        mut below: Vec<Chunk>,
    ) -> Vec<Chunk> {
        if self.known.contains(&hash) {
            return Vec::new();
        }
        below.push(Chunk { hash, role, data: data() });
        below
    }
}

impl Built {
    /// A piece that needs no chunk to be stored.
    fn stored(piece: Piece) -> Self {
        Self { piece, fresh: Vec::new(), base: None }
    }
}

/// The bytes of an edited value if it is inline as a whole; `None` if it is longer.
fn small(source: &Source<'_>, runs: &[Run]) -> Result<Option<Vec<u8>>, Error> {
    if source.leading(runs).is_some() && source.below > 0 {
        return Ok(None);
    }
    let shape = source.shape;
    let (mut inside, mut elements) = (Vec::new(), 0);
    let mut add = |part: &[u8]| {
        if elements > 0 {
            inside.extend_from_slice(shape.separator());
        }
        inside.extend_from_slice(part);
        elements += 1;
        inside.len() <= INLINE_BYTES_MAX
    };
    for run in runs {
        match run {
            Run::Kept(KeptElements { first, count }) => {
                for piece in source.kept(*first, *count)? {
                    let Piece::Inline(part) = piece else { return Ok(None) };
                    if !add(part) {
                        return Ok(None);
                    }
                }
            }
            Run::Fresh(fresh) if fresh.len() > INLINE_BYTES_MAX => return Ok(None),
            Run::Fresh(fresh) => {
                for part in split::elements(source.shape, fresh).ok_or_else(malformed)? {
                    if !add(part) {
                        return Ok(None);
                    }
                }
            }
        }
    }
    let bytes = [shape.opening(elements).as_ref(), &inside, shape.closing()].concat();
    Ok((bytes.len() <= INLINE_BYTES_MAX).then_some(bytes))
}

fn malformed() -> Error {
    Error::protocol(
        "malformed-elements",
        "the new elements of an edit are not JSON text with a comma between every two, or \
         MessagePack one after the other; pass the whole value",
    )
}

/// Collects the pieces of a sequence, level by level.
#[derive(Debug)]
struct SequenceBuilder<'a> {
    builder: &'a Builder<'a>,
    shape: Shape,
    levels: Vec<Group>,
    elements: u32,
}

/// Pieces of one level that are not yet closed.
#[derive(Debug, Default)]
struct Group {
    pieces: Vec<Piece>,
    fresh: Vec<Chunk>,
    bytes: u64,
}

impl<'a> SequenceBuilder<'a> {
    fn new(builder: &'a Builder<'a>, shape: Shape) -> Self {
        Self { builder, shape, levels: vec![Group::default()], elements: 0 }
    }

    /// Starts with the first `count` elements of a source. They must include all that its levels
    /// hold.
    fn resume(&mut self, source: &Source<'_>, count: u32) -> Result<(), Error> {
        self.levels = vec![Group::default()];
        for level in source.levels {
            let mut group = Group { pieces: level.clone(), ..Group::default() };
            for piece in level {
                group.bytes += weigh(piece)?.1;
            }
            self.levels.push(group);
        }
        self.elements = source.below;
        for piece in source.kept(source.below, count.saturating_sub(source.below))? {
            self.push(0, Built::stored(piece.clone()))?;
        }
        Ok(())
    }

    /// Whether no piece refers to a chunk.
    fn is_inline(&self) -> bool {
        matches!(self.levels.as_slice(), [tail]
            if tail.pieces.iter().all(|piece| matches!(piece, Piece::Inline(_))))
    }

    /// The bytes of the sequence if it would refer to no chunk and so share nothing; else `None`.
    fn inline_bytes(&self) -> Option<Vec<u8>> {
        let tail = self.levels.first().filter(|_| self.is_inline())?;
        let mut bytes = self.shape.opening(self.elements).as_ref().to_vec();
        for (index, piece) in tail.pieces.iter().enumerate() {
            if index > 0 {
                bytes.extend_from_slice(self.shape.separator());
            }
            if let Piece::Inline(inline) = piece {
                bytes.extend_from_slice(inline);
            }
        }
        bytes.extend_from_slice(self.shape.closing());
        (bytes.len() <= CHUNK_BYTES_MAX).then_some(bytes)
    }

    /// Adds a piece to a level, and closes the level's group if it ends here.
    fn push(&mut self, level: usize, built: Built) -> Result<(), Error> {
        let (draw, bytes) = weigh(&built.piece)?;
        if self.levels.len() <= level {
            self.levels.push(Group::default());
        }
        let Some(group) = self.levels.get_mut(level) else {
            return Ok(());
        };
        if level == 0 {
            self.elements = self.elements.saturating_add(1);
        }
        group.pieces.push(built.piece);
        group.fresh.extend(built.fresh);
        group.bytes += bytes;
        let ends = u64::from(draw) * GROUP_BYTES_MEAN < bytes << 32;
        let closed = group.bytes >= GROUP_BYTES_MAX || ends;
        if !closed || group.pieces.len() < GROUP_PIECES_MIN {
            return Ok(());
        }
        let group = std::mem::take(group);
        let node = self.close(group)?;
        self.push(level + 1, node)
    }

    /// Turns a closed group into a node.
    fn close(&self, group: Group) -> Result<Built, Error> {
        let length = self.length(group.pieces.iter());
        let data = encode(&group.pieces)?;
        let reference = Reference { hash: Hash::of(Role::Node, &data), length };
        let fresh = self.builder.with_chunk(reference.hash, Role::Node, || data, group.fresh);
        Ok(Built { piece: Piece::Node(reference), fresh, base: None })
    }

    /// The length of consecutive pieces, in bytes of the value. It saturates, because pieces of a
    /// forged base may claim any length.
    fn length<'p>(&self, pieces: impl Iterator<Item = &'p Piece>) -> u64 {
        let separator = self.shape.separator().len() as u64;
        let length = pieces.fold(0, |length: u64, piece| {
            length.saturating_add(separator).saturating_add(piece.length())
        });
        length.saturating_sub(separator)
    }

    #[inline(never)]
    fn finish(mut self) -> Result<Built, Error> {
        let pieces = self.levels.iter().flat_map(|group| &group.pieces);
        let ends = self.shape.opening(self.elements).as_ref().len() + self.shape.closing().len();
        let length = self.length(pieces).saturating_add(ends as u64);
        let upper = self.levels.split_off(1);
        let tail = self.levels.pop().unwrap_or_default();
        let mut below = Vec::new();
        let mut levels = Vec::with_capacity(upper.len());
        for group in upper {
            levels.push(group.pieces);
            below.extend(group.fresh);
        }
        let encoded = encode(&levels)?;
        let (spine, levels) = if encoded.len() <= SPINE_INLINE_BYTES_MAX {
            (Spine::Inline(levels), Vec::new())
        } else {
            let hash = Hash::of(Role::Spine, &encoded);
            below = self.builder.with_chunk(hash, Role::Spine, || encoded, below);
            (Spine::Chunk(hash), levels)
        };
        below.extend(tail.fresh);
        let base = (self.shape != Shape::Plain).then_some(Base { levels });
        let (shape, elements) = (self.shape, self.elements);
        let sequence = Sequence { shape, elements, length, spine, tail: tail.pieces };
        Ok(Built { piece: Piece::Nested(Box::new(sequence)), fresh: below, base })
    }
}

/// A number that depends on a piece's content, and the length of its encoding in bytes.
fn weigh(piece: &Piece) -> Result<(u32, u64), Error> {
    Ok(match piece {
        Piece::Inline(bytes) => (Hash::of(Role::Leaf, bytes).draw(), bytes.len() as u64 + 2),
        Piece::Chunk(reference) | Piece::Node(reference) | Piece::Branch(reference) => {
            (reference.hash.draw(), REFERENCE_BYTES)
        }
        Piece::Nested(sequence) => {
            let encoded = encode(sequence)?;
            (Hash::of(Role::Branch, &encoded).draw(), encoded.len() as u64)
        }
    })
}
