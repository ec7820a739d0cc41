//! The chunks that a piece or a chunk refers to directly, in the order of the value.

use super::hash::{Hash, Role};
use super::piece::{Piece, Sequence, Spine};
use crate::format::decode;

/// Appends the chunks that a piece refers to.
pub(crate) fn of_piece(piece: &Piece, refs: &mut Vec<Hash>) {
    match piece {
        Piece::Inline(_) => {}
        Piece::Chunk(reference) | Piece::Node(reference) | Piece::Branch(reference) => {
            refs.push(reference.hash);
        }
        Piece::Nested(sequence) => of_sequence(sequence, refs),
    }
}

/// The chunks that a chunk refers to; empty if its bytes do not fit its role.
#[cfg_attr(
    not(any(feature = "kusto", feature = "postgres")),
    expect(dead_code, reason = "a store of SQLite has no column of references")
)]
pub(crate) fn of_chunk(role: Role, data: &[u8]) -> Vec<Hash> {
    let mut refs = Vec::new();
    match role {
        Role::Leaf => {}
        Role::Node => {
            let pieces: Vec<Piece> = decode(data).unwrap_or_default();
            pieces.iter().for_each(|piece| of_piece(piece, &mut refs));
        }
        Role::Branch => {
            if let Some(sequence) = decode(data) {
                of_sequence(&sequence, &mut refs);
            }
        }
        Role::Spine => of_levels(&decode::<Vec<Vec<Piece>>>(data).unwrap_or_default(), &mut refs),
    }
    refs
}

fn of_sequence(sequence: &Sequence, refs: &mut Vec<Hash>) {
    match &sequence.spine {
        Spine::Inline(levels) => of_levels(levels, refs),
        Spine::Chunk(hash) => refs.push(*hash),
    }
    sequence.tail.iter().for_each(|piece| of_piece(piece, refs));
}

/// The topmost level comes first in the value.
fn of_levels(levels: &[Vec<Piece>], refs: &mut Vec<Hash>) {
    levels.iter().rev().flatten().for_each(|piece| of_piece(piece, refs));
}
