//! The chunks that a piece or a chunk refers to directly, in the order of the value.

use super::hash::{Hash, Role};
use super::piece::{Piece, Sequence, Spine};
use crate::format::decode;

/// Appends the chunks that a piece refers to.
pub(crate) fn of_piece(piece: &Piece, refs: &mut Vec<Hash>) {
    each_of_piece(piece, &mut |_, hash| refs.push(hash));
}

/// The chunks that a chunk refers to; empty if its bytes do not fit its role.
#[cfg_attr(
    not(any(feature = "kusto", feature = "postgres")),
    expect(dead_code, reason = "a store of SQLite has no column of references")
)]
pub(crate) fn of_chunk(role: Role, data: &[u8]) -> Vec<Hash> {
    let mut refs = Vec::new();
    each_of_chunk(role, data, &mut |_, hash| refs.push(hash));
    refs
}

/// Visits the chunks that a piece refers to.
pub(crate) fn each_of_piece(piece: &Piece, visit: &mut impl FnMut(Role, Hash)) {
    match piece {
        Piece::Inline(_) => {}
        Piece::Chunk(reference) => visit(Role::Leaf, reference.hash),
        Piece::Node(reference) => visit(Role::Node, reference.hash),
        Piece::Branch(reference) => visit(Role::Branch, reference.hash),
        Piece::Nested(sequence) => each_of_sequence(sequence, visit),
    }
}

/// Visits the chunks that a chunk refers to; none if its bytes do not fit its role.
pub(crate) fn each_of_chunk(role: Role, data: &[u8], visit: &mut impl FnMut(Role, Hash)) {
    match role {
        Role::Leaf => {}
        Role::Node => {
            let pieces: Vec<Piece> = decode(data).unwrap_or_default();
            pieces.iter().for_each(|piece| each_of_piece(piece, visit));
        }
        Role::Branch => {
            if let Some(sequence) = decode(data) {
                each_of_sequence(&sequence, visit);
            }
        }
        Role::Spine => {
            each_of_levels(&decode::<Vec<Vec<Piece>>>(data).unwrap_or_default(), visit);
        }
    }
}

fn each_of_sequence(sequence: &Sequence, visit: &mut impl FnMut(Role, Hash)) {
    match &sequence.spine {
        Spine::Inline(levels) => each_of_levels(levels, visit),
        Spine::Chunk(hash) => visit(Role::Spine, *hash),
    }
    sequence.tail.iter().for_each(|piece| each_of_piece(piece, visit));
}

/// The topmost level comes first in the value.
fn each_of_levels(levels: &[Vec<Piece>], visit: &mut impl FnMut(Role, Hash)) {
    levels.iter().rev().flatten().for_each(|piece| each_of_piece(piece, visit));
}
