//! Stored structures that are valid enough to be accepted: pieces whose chunks have the right
//! hashes, envelopes with the right checksums. A few of them lie.

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use langgraph_checkpoint_guest::fuzzing::{self, Hash};
use rmp::encode as msgpack;

/// Pieces are forged inside pieces at most this deep. What is read may nest deeper through shared
/// chunks.
const DEPTH_MAX: usize = 12;

/// Makes pieces and keeps the chunks that they refer to.
#[derive(Debug, Default)]
pub struct Forge {
    /// The chunks that a store would hold.
    pub chunks: BTreeMap<Hash, Vec<u8>>,
    /// References to these chunks: the tag of the piece, the hash, the length.
    references: Vec<(u8, Hash, u64)>,
}

impl Forge {
    /// Appends a stored value: its kind and its piece.
    pub fn value(&mut self, u: &mut Unstructured<'_>, to: &mut Vec<u8>) -> Result<()> {
        array(to, 2);
        string(to, u.choose(&["json", "bytes", "msgpack", ""])?);
        self.piece(u, to, 0, 0)?;
        Ok(())
    }

    /// Appends a piece in a sequence of this shape, and returns its length.
    pub fn piece(
        &mut self,
        u: &mut Unstructured<'_>,
        to: &mut Vec<u8>,
        depth: usize,
        shape: u8,
    ) -> Result<u64> {
        let choice = if depth < DEPTH_MAX { u.int_in_range(0..=7)? } else { 0 };
        match choice {
            0 => {
                let bytes = bytes(u)?;
                blob(to, bytes);
                Ok(bytes.len() as u64)
            }
            1 => {
                let bytes = bytes(u)?.to_vec();
                let length = bytes.len() as u64;
                self.chunk(u, to, 1, fuzzing::leaf_hash(&bytes), bytes, length)
            }
            2 => {
                let (data, length) = self.pieces(u, depth, shape)?;
                self.chunk(u, to, 2, fuzzing::node_hash(&data), data, length)
            }
            3 => {
                let mut data = Vec::new();
                let length = self.sequence(u, &mut data, depth)?;
                self.chunk(u, to, 3, fuzzing::branch_hash(&data), data, length)
            }
            4 => {
                array(to, 2);
                integer(to, 4);
                self.sequence(u, to, depth)
            }
            5 | 6 if !self.references.is_empty() => {
                // A known chunk again: equal parts share one.
                let (tag, hash, length) = *u.choose(&self.references)?;
                reference(to, tag, &hash, length);
                Ok(length)
            }
            5 | 6 => {
                let length = u.arbitrary()?;
                reference(to, u.int_in_range(0..=5)?, &u.arbitrary()?, length);
                Ok(length)
            }
            _ => {
                to.extend_from_slice(bytes(u)?);
                Ok(0)
            }
        }
    }

    /// The encoded pieces of one level, and their length.
    fn pieces(
        &mut self,
        u: &mut Unstructured<'_>,
        depth: usize,
        shape: u8,
    ) -> Result<(Vec<u8>, u64)> {
        let count = u.int_in_range(0..=4)?;
        let mut data = Vec::new();
        array(&mut data, count);
        let separators = if shape == 0 { 0 } else { u64::from(count).saturating_sub(1) };
        let mut length = separators;
        for _ in 0..count {
            length = length.wrapping_add(self.piece(u, &mut data, depth + 1, shape)?);
        }
        Ok((data, length))
    }

    fn sequence(
        &mut self,
        u: &mut Unstructured<'_>,
        to: &mut Vec<u8>,
        depth: usize,
    ) -> Result<u64> {
        let shape = u.int_in_range(0..=3)?;
        let levels = u.int_in_range(0..=2)?;
        let mut spine = Vec::new();
        array(&mut spine, levels);
        let mut length: u64 = if shape == 0 { 0 } else { 2 };
        for _ in 0..levels {
            let (level, level_length) = self.pieces(u, depth, shape)?;
            spine.extend_from_slice(&level);
            let separator = u64::from(shape != 0);
            length = length.wrapping_add(level_length).wrapping_add(separator);
        }
        let (tail, tail_length) = self.pieces(u, depth, shape)?;
        length = length.wrapping_add(tail_length);
        if u.ratio(1, 4)? {
            length = u.arbitrary()?;
        }
        array(to, 4);
        integer(to, u64::from(shape));
        integer(to, length);
        if u.arbitrary()? {
            let hash = fuzzing::spine_hash(&spine);
            blob(to, &hash);
            self.chunks.insert(hash, spine);
        } else {
            to.extend_from_slice(&spine);
        }
        to.extend_from_slice(&tail);
        Ok(length)
    }

    /// Keeps a chunk and appends a reference to it. Some chunks are emptied or damaged.
    fn chunk(
        &mut self,
        u: &mut Unstructured<'_>,
        to: &mut Vec<u8>,
        tag: u8,
        hash: Hash,
        mut data: Vec<u8>,
        length: u64,
    ) -> Result<u64> {
        match u.int_in_range(0..=31)? {
            30 => data.push(0),
            31 => data.clear(),
            _ => {}
        }
        let length = if u.ratio(1, 16)? { u.arbitrary()? } else { length };
        self.chunks.insert(hash, data);
        self.references.push((tag, hash, length));
        reference(to, tag, &hash, length);
        Ok(length)
    }
}

/// Appends the header of an array.
pub fn array(to: &mut Vec<u8>, count: u32) {
    msgpack::write_array_len(to, count).unwrap();
}

/// Appends a whole number.
pub fn integer(to: &mut Vec<u8>, integer: u64) {
    msgpack::write_uint(to, integer).unwrap();
}

/// Appends text.
pub fn string(to: &mut Vec<u8>, text: &str) {
    msgpack::write_str(to, text).unwrap();
}

/// Appends a float.
pub fn float(to: &mut Vec<u8>, float: f64) {
    msgpack::write_f64(to, float).unwrap();
}

/// Appends bytes.
pub fn blob(to: &mut Vec<u8>, bytes: &[u8]) {
    msgpack::write_bin(to, bytes).unwrap();
}

fn reference(to: &mut Vec<u8>, tag: u8, hash: &Hash, length: u64) {
    array(to, 3);
    integer(to, u64::from(tag));
    blob(to, hash);
    integer(to, length);
}

fn bytes<'a>(u: &mut Unstructured<'a>) -> Result<&'a [u8]> {
    let count = u.int_in_range(0..=24)?;
    u.bytes(count.min(u.len()))
}
