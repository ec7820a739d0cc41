//! What an edit of a list or map starts from: the value as stored, its elements by position.

use std::borrow::Cow;

use super::build::INLINE_BYTES_MAX;
use super::piece::{Piece, Sequence, Shape, Spine};
use crate::contract::call::{KeptElements, Run};
use crate::contract::error::Error;

/// What a sequence's own piece does not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Base {
    /// How many elements or entries it has.
    pub(crate) elements: u32,
    /// The levels of its spine, where that is a chunk.
    pub(crate) levels: Vec<Vec<Piece>>,
}

/// The elements of a base, as far as they are at hand.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    /// How the elements are put together.
    pub(crate) shape: Shape,
    /// The levels above the tail.
    pub(crate) levels: &'a [Vec<Piece>],
    /// How many elements those levels hold.
    pub(crate) below: u32,
    /// The elements from this position on are at hand.
    first: u32,
    pieces: Cow<'a, [Piece]>,
}

impl<'a> Source<'a> {
    /// The tail's elements, which are at hand, and the levels, which are to be opened for the
    /// others. Nothing for a sequence that is no list or map, or whose base is none of it.
    pub(crate) fn of(sequence: &'a Sequence, base: &'a Base) -> Option<Self> {
        if sequence.shape == Shape::Plain {
            return None;
        }
        let levels = match &sequence.spine {
            Spine::Inline(levels) => levels,
            Spine::Chunk(_) => &base.levels,
        };
        let tail = u32::try_from(sequence.tail.len()).ok()?;
        let below = base.elements.checked_sub(tail)?;
        let pieces = Cow::Borrowed(sequence.tail.as_slice());
        Some(Self { shape: sequence.shape, levels, below, first: below, pieces })
    }

    /// The same source with all its elements at hand.
    pub(crate) fn opened(self, elements: Vec<Piece>) -> Self {
        Self { first: 0, pieces: Cow::Owned(elements), ..self }
    }

    /// The elements of the tail.
    pub(crate) fn tail(&self) -> &[Piece] {
        self.pieces.get((self.below - self.first) as usize..).unwrap_or_default()
    }

    /// How many elements there are.
    fn count(&self) -> u64 {
        u64::from(self.first) + self.pieces.len() as u64
    }

    /// Where the first run keeps all that the levels hold: how many elements it keeps, and the
    /// other runs. `None` where what they hold may be stored without levels in another value.
    pub(crate) fn leading<'r>(&self, runs: &'r [Run]) -> Option<(u32, &'r [Run])> {
        let pieces = self.levels.iter().flatten();
        let held = pieces.fold(0, |sum: u64, piece| sum.saturating_add(piece.length()));
        match runs.split_first()? {
            (Run::Kept(KeptElements { first: 0, count }), rest)
                if *count >= self.below && (self.below == 0 || held > INLINE_BYTES_MAX as u64) =>
            {
                Some((*count, rest))
            }
            _ => None,
        }
    }

    /// Whether the runs keep no element that is not at hand.
    pub(crate) fn suffices(&self, runs: &[Run]) -> bool {
        let others = self.leading(runs).map_or(runs, |(_, rest)| rest);
        others.iter().all(|run| match run {
            Run::Kept(kept) => kept.first >= self.first,
            Run::Fresh(_) => true,
        })
    }

    /// Elements at hand.
    pub(crate) fn kept(&self, first: u32, count: u32) -> Result<&[Piece], Error> {
        let begin = first.checked_sub(self.first).map(|begin| begin as usize);
        let kept =
            begin.and_then(|begin| self.pieces.get(begin..begin.checked_add(count as usize)?));
        kept.ok_or_else(|| {
            Error::protocol(
                "foreign-run",
                format!(
                    "an edit keeps {count} elements from position {first} on, and its base has \
                     {}; keep elements of the base that belongs to known",
                    self.count()
                ),
            )
        })
    }
}
