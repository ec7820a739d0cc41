//! Counts the bytes of a page's tuples. Bytes that several tuples share count once.

use std::collections::BTreeSet;

use super::tuples::{Gathers, StoredCheckpoint, StoredWrite};
use crate::format::values::hash::Hash;
use crate::format::values::piece::{Piece, Spine};

/// What has been counted so far.
#[derive(Debug)]
pub(super) struct Sizes<'a> {
    /// The chunks that have been fetched.
    gathers: &'a Gathers,
    /// The chunks that were counted, each with its thread's key.
    counted: BTreeSet<(i64, Hash)>,
}

impl<'a> Sizes<'a> {
    pub(super) fn new(gathers: &'a Gathers) -> Self {
        Self { gathers, counted: BTreeSet::new() }
    }

    /// The bytes that a checkpoint with these writes adds. What is below a long spine is not
    /// counted before the chunk that holds the spine is fetched.
    pub(super) fn add(&mut self, checkpoint: &StoredCheckpoint, writes: &[&StoredWrite]) -> u64 {
        let key = checkpoint.thread_key;
        let envelope = &checkpoint.envelope;
        // Not shared: each tuple has its own bytes of these.
        let own = writes.iter().map(|write| write.value.piece.length());
        let own = own.chain([envelope.rest.piece.length(), checkpoint.metadata.len() as u64]);
        let own = own.fold(0, u64::saturating_add);
        envelope
            .values
            .iter()
            .fold(own, |sum, entry| sum.saturating_add(self.piece(key, &entry.value.piece)))
    }

    fn piece(&mut self, key: i64, piece: &Piece) -> u64 {
        match piece {
            Piece::Inline(bytes) => bytes.len() as u64,
            Piece::Chunk(reference) | Piece::Node(reference) | Piece::Branch(reference) => {
                if self.counted.insert((key, reference.hash)) { reference.length } else { 0 }
            }
            Piece::Nested(sequence) => {
                let levels = match &sequence.spine {
                    Spine::Inline(levels) => Some(levels),
                    Spine::Chunk(hash) => self.gathers.spine(key, *hash),
                };
                let pieces = levels.into_iter().flatten().flatten().chain(&sequence.tail);
                pieces.fold(0, |sum, piece| sum.saturating_add(self.piece(key, piece)))
            }
        }
    }
}
