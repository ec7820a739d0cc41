//! Turns pieces back into bytes: fetches the chunks level by level, verifies them, and joins them.

use std::collections::{BTreeMap, BTreeSet};

use super::base::Base;
use super::hash::{Hash, Role};
use super::piece::{Piece, Sequence, Shape, Spine};
use crate::contract::error::Error;
use crate::contract::outcome::Span;
use crate::format::decode;

/// A value may have at most this many levels of chunks. A list of a billion elements has 16.
pub(crate) const LEVELS_MAX: usize = 64;

/// The longest value that is joined, in bytes. It limits what a forged length can ask for.
const VALUE_BYTES_MAX: u64 = 1 << 31;

/// A chunk as fetched, decoded by its role.
#[derive(Debug)]
enum Fetched {
    Leaf(Vec<u8>),
    Node(Vec<Piece>),
    Branch(Sequence),
    Spine(Vec<Vec<Piece>>),
}

/// Why a value could not be joined.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// A chunk is not stored.
    Missing(Hash),
    /// A chunk, or a reference to it, is damaged.
    Damaged(Hash),
    /// The pieces do not add up to their stated length.
    Length,
}

/// The position of each chunk's content in the shared bytes of a page. What is between the pieces
/// of a node is the sequence's, so a node has a position for each separator.
pub(crate) type Placed = BTreeMap<(Hash, &'static [u8]), Span>;

/// The chunks of one thread's values, fetched in as many rounds as they have levels.
#[derive(Debug, Default)]
pub(crate) struct Gather {
    fetched: BTreeMap<Hash, Fetched>,
    damaged: BTreeSet<Hash>,
    wanted: BTreeMap<Hash, Role>,
    asked: BTreeSet<Hash>,
    /// Whether only nodes are fetched.
    nodes_only: bool,
}

impl Gather {
    /// Fetches only the nodes of sequences, not their elements.
    pub(crate) fn of_nodes() -> Self {
        Self { nodes_only: true, ..Self::default() }
    }

    /// Notes the chunks that a piece refers to.
    pub(crate) fn want(&mut self, piece: &Piece) {
        match piece {
            Piece::Inline(_) => {}
            Piece::Chunk(reference) => self.want_chunk(Role::Leaf, reference.hash),
            Piece::Node(reference) => self.want_chunk(Role::Node, reference.hash),
            Piece::Branch(reference) => self.want_chunk(Role::Branch, reference.hash),
            Piece::Nested(sequence) => self.want_sequence(sequence),
        }
    }

    /// The hashes to fetch in this round, each once; empty if everything is fetched. The answer
    /// goes to `take`.
    pub(crate) fn round(&self) -> Vec<Hash> {
        self.wanted.keys().copied().collect()
    }

    /// Takes the chunks that were found, and notes what they refer to. Wanted chunks that are not
    /// among them are missing.
    pub(crate) fn take(&mut self, chunks: Vec<(Hash, Vec<u8>)>) {
        let wanted = std::mem::take(&mut self.wanted);
        for (hash, data) in chunks {
            let Some(role) = wanted.get(&hash) else {
                continue;
            };
            if Hash::of(*role, &data) == hash {
                self.take_as(*role, hash, data);
            } else {
                self.damaged.insert(hash);
            }
        }
    }

    /// The hashes of the chunks that were fetched.
    pub(crate) fn fetched(&self) -> impl Iterator<Item = Hash> {
        self.fetched.keys().copied()
    }

    /// The bytes of a piece.
    pub(crate) fn join(&self, piece: &Piece) -> Result<Vec<u8>, Loss> {
        let length = piece.length();
        if length > VALUE_BYTES_MAX {
            return Err(Loss::Length);
        }
        let mut bytes = Vec::new();
        let mut join = Join {
            gather: self,
            bytes: &mut bytes,
            length_max: length,
            depth: 0,
            elements: 0,
            placed: None,
        };
        join.piece(piece, Shape::Plain)?;
        if bytes.len() as u64 == length { Ok(bytes) } else { Err(Loss::Length) }
    }

    /// Appends the bytes of a piece in a sequence of this shape, and notes the position of each
    /// chunk's content.
    pub(crate) fn place(
        &self,
        piece: &Piece,
        shape: Shape,
        bytes: &mut Vec<u8>,
        placed: &mut Placed,
    ) -> Result<(), Loss> {
        let length_max = (bytes.len() as u64).saturating_add(piece.length());
        if length_max > VALUE_BYTES_MAX {
            return Err(Loss::Length);
        }
        let placed = Some(placed);
        Join { gather: self, bytes, length_max, depth: 0, elements: 0, placed }.piece(piece, shape)
    }

    /// The levels of a spine.
    pub(crate) fn spine(&self, hash: Hash) -> Result<&Vec<Vec<Piece>>, Loss> {
        match self.chunk(hash)? {
            Fetched::Spine(levels) => Ok(levels),
            _ => Err(Loss::Damaged(hash)),
        }
    }

    /// The elements in the levels of a list or map, in order. There must be `count` of them, else
    /// the value is damaged. The nodes must have been fetched.
    pub(crate) fn elements(&self, levels: &[Vec<Piece>], count: u32) -> Result<Vec<Piece>, Loss> {
        let mut elements = Vec::new();
        for (level, pieces) in levels.iter().enumerate().rev() {
            for piece in pieces {
                self.each_element(piece, level + 1, &mut |element| {
                    elements.push(element.clone());
                    elements.len() <= count as usize
                })?;
            }
        }
        if elements.len() == count as usize { Ok(elements) } else { Err(Loss::Length) }
    }

    /// The base for edits of this piece, and the length of each element in bytes; `None` if the
    /// piece is not a list or map. The piece must have been joined before: that has verified its
    /// lengths, which limits the work here.
    pub(crate) fn base(&self, piece: &Piece) -> Result<Option<(Base, Vec<u32>)>, Loss> {
        let Piece::Nested(sequence) = piece else {
            return Ok(None);
        };
        if sequence.shape == Shape::Plain {
            return Ok(None);
        }
        let (levels, held) = match &sequence.spine {
            Spine::Inline(levels) => (levels, Vec::new()),
            Spine::Chunk(hash) => {
                let levels = self.spine(*hash)?;
                (levels, levels.clone())
            }
        };
        let mut lengths = Vec::new();
        let mut add = |piece: &Piece| match u32::try_from(piece.length()) {
            Ok(length) => {
                lengths.push(length);
                true
            }
            Err(_) => false,
        };
        for (level, pieces) in levels.iter().enumerate().rev() {
            for piece in pieces {
                self.each_element(piece, level + 1, &mut add)?;
            }
        }
        for piece in &sequence.tail {
            self.each_element(piece, 0, &mut add)?;
        }
        Ok(Some((Base { levels: held }, lengths)))
    }

    /// Calls `call` with each element below a piece that is `level` levels above the elements. A
    /// call that returns false ends this with a loss.
    fn each_element(
        &self,
        piece: &Piece,
        level: usize,
        call: &mut dyn FnMut(&Piece) -> bool,
    ) -> Result<(), Loss> {
        if level == 0 {
            return if call(piece) { Ok(()) } else { Err(Loss::Length) };
        }
        let Piece::Node(reference) = piece else {
            return Err(Loss::Length);
        };
        match self.chunk(reference.hash)? {
            Fetched::Node(pieces) => {
                pieces.iter().try_for_each(|piece| self.each_element(piece, level - 1, call))
            }
            _ => Err(Loss::Damaged(reference.hash)),
        }
    }

    fn chunk(&self, hash: Hash) -> Result<&Fetched, Loss> {
        match self.fetched.get(&hash) {
            Some(fetched) => Ok(fetched),
            None if self.damaged.contains(&hash) => Err(Loss::Damaged(hash)),
            None => Err(Loss::Missing(hash)),
        }
    }

    fn want_chunk(&mut self, role: Role, hash: Hash) {
        if self.nodes_only && role != Role::Node {
            return;
        }
        if self.asked.insert(hash) {
            self.wanted.insert(hash, role);
        }
    }

    fn want_sequence(&mut self, sequence: &Sequence) {
        match &sequence.spine {
            Spine::Inline(levels) => levels.iter().flatten().for_each(|piece| self.want(piece)),
            Spine::Chunk(hash) => self.want_chunk(Role::Spine, *hash),
        }
        sequence.tail.iter().for_each(|piece| self.want(piece));
    }

    fn take_as(&mut self, role: Role, hash: Hash, data: Vec<u8>) {
        let fetched = match role {
            Role::Leaf => Some(Fetched::Leaf(data)),
            Role::Node => decode(&data).map(Fetched::Node),
            Role::Branch => decode(&data).map(Fetched::Branch),
            Role::Spine => decode(&data).map(Fetched::Spine),
        };
        match &fetched {
            None => {
                self.damaged.insert(hash);
            }
            Some(Fetched::Leaf(_)) => {}
            Some(Fetched::Node(pieces)) => pieces.iter().for_each(|piece| self.want(piece)),
            Some(Fetched::Branch(sequence)) => self.want_sequence(sequence),
            Some(Fetched::Spine(levels)) => {
                levels.iter().flatten().for_each(|piece| self.want(piece));
            }
        }
        if let Some(fetched) = fetched {
            self.fetched.insert(hash, fetched);
        }
    }
}

/// A value that is being joined. It may not become longer than its stated length.
struct Join<'a> {
    gather: &'a Gather,
    bytes: &'a mut Vec<u8>,
    length_max: u64,
    depth: usize,
    /// The number of elements so far in the sequence that is being joined.
    elements: u32,
    placed: Option<&'a mut Placed>,
}

impl<'a> Join<'a> {
    /// Appends one piece of a sequence of this shape.
    fn piece(&mut self, piece: &Piece, shape: Shape) -> Result<(), Loss> {
        let begin = self.bytes.len();
        if self.depth > LEVELS_MAX {
            return Err(Loss::Length);
        }
        self.depth += 1;
        if !matches!(piece, Piece::Node(_)) {
            self.elements = self.elements.saturating_add(1);
        }
        match piece {
            Piece::Inline(bytes) => self.append(bytes)?,
            Piece::Chunk(reference) => match self.gather.chunk(reference.hash)? {
                Fetched::Leaf(bytes) => self.append(bytes)?,
                _ => return Err(Loss::Damaged(reference.hash)),
            },
            Piece::Node(reference) => match self.gather.chunk(reference.hash)? {
                Fetched::Node(pieces) => self.pieces(pieces, shape)?,
                _ => return Err(Loss::Damaged(reference.hash)),
            },
            Piece::Branch(reference) => match self.gather.chunk(reference.hash)? {
                Fetched::Branch(sequence) => self.sequence(sequence)?,
                _ => return Err(Loss::Damaged(reference.hash)),
            },
            Piece::Nested(sequence) => self.sequence(sequence)?,
        }
        self.depth -= 1;
        let length = (self.bytes.len() - begin) as u64;
        if length != piece.length() {
            return Err(Loss::Length);
        }
        if let (Some(placed), Some(hash)) = (&mut self.placed, piece.hash()) {
            placed.insert(
                (hash, shape.separator()),
                Span { begin: begin as u32, end: self.bytes.len() as u32 },
            );
        }
        Ok(())
    }

    fn sequence(&mut self, sequence: &Sequence) -> Result<(), Loss> {
        let before = std::mem::take(&mut self.elements);
        self.append(sequence.shape.opening(sequence.elements).as_ref())?;
        let levels = match &sequence.spine {
            Spine::Inline(levels) => levels,
            Spine::Chunk(hash) => self.gather.spine(*hash)?,
        };
        let begin = self.bytes.len();
        for level in levels.iter().rev().chain(std::iter::once(&sequence.tail)) {
            if self.bytes.len() > begin && !level.is_empty() {
                self.append(sequence.shape.separator())?;
            }
            self.pieces(level, sequence.shape)?;
        }
        if self.elements != sequence.elements {
            return Err(Loss::Length);
        }
        self.elements = before;
        self.append(sequence.shape.closing())
    }

    fn pieces(&mut self, pieces: &[Piece], shape: Shape) -> Result<(), Loss> {
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                self.append(shape.separator())?;
            }
            // No part is empty. Forged empty parts that share chunks would take forever to add
            // nothing.
            if piece.length() == 0 {
                return Err(Loss::Length);
            }
            self.piece(piece, shape)?;
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Loss> {
        if (self.bytes.len() + bytes.len()) as u64 > self.length_max {
            return Err(Loss::Length);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

impl Loss {
    /// The error for a value, which `what` names in words.
    pub(crate) fn error(&self, what: &str) -> Error {
        match self {
            Self::Missing(hash) => Error::corrupt(
                "missing-chunk",
                format!("{what} needs chunk {hash}, which is not stored; restore the store"),
            ),
            Self::Damaged(hash) => Error::corrupt(
                "damaged-chunk",
                format!("{what} needs chunk {hash}, whose bytes are damaged; restore the store"),
            ),
            Self::Length => Error::corrupt(
                "damaged-value",
                format!("the parts of {what} do not add up to its length; restore the store"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::encode;
    use crate::format::values::piece::Reference;

    #[test]
    fn empty_pieces_that_share_nodes_are_refused_at_once() {
        // Each node holds the one below eight times: 8^40 visits for not one byte.
        let mut piece = Piece::Inline(Vec::new());
        let mut chunks = Vec::new();
        for _ in 0..40 {
            let data = encode(&vec![piece; 8]).unwrap();
            let hash = Hash::of(Role::Node, &data);
            chunks.push((hash, data));
            piece = Piece::Node(Reference { hash, length: 0 });
        }
        let mut gather = Gather::default();
        gather.want(&piece);
        while !gather.round().is_empty() {
            gather.take(chunks.clone());
        }
        assert_eq!(gather.join(&piece), Err(Loss::Length));
    }
}
