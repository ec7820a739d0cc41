//! How many bytes the tuples of a page come to; what several of them have in common counts once.

use std::collections::BTreeSet;

use super::tuples::{Gathers, StoredCheckpoint, StoredWrite};
use crate::format::values::hash::Hash;
use crate::format::values::piece::{Piece, Spine};

/// What is counted so far.
#[derive(Debug)]
pub(super) struct Sizes<'a> {
    /// The chunks that have been fetched.
    gathers: &'a Gathers,
    /// The chunks that are counted, each by the thread it is of.
    counted: BTreeSet<(i64, Hash)>,
}

impl<'a> Sizes<'a> {
    pub(super) fn new(gathers: &'a Gathers) -> Self {
        Self { gathers, counted: BTreeSet::new() }
    }

    /// How many bytes a checkpoint with these writes adds. The chunk that holds a long spine says
    /// what is below it, so before it is fetched this is less than in the end.
    pub(super) fn add(&mut self, checkpoint: &StoredCheckpoint, writes: &[&StoredWrite]) -> u64 {
        let key = checkpoint.thread_key;
        let envelope = &checkpoint.envelope;
        // These are put together for each tuple.
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
