//! What an edit of a list or map starts from: the stored value, and its elements by position.

use std::borrow::Cow;

use super::piece::{INLINE_BYTES_MAX, Piece, Sequence, Shape, Spine};
use crate::contract::call::{KeptElements, Run};
use crate::contract::error::Error;

/// What an edit needs of a sequence beyond its own piece.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Base {
    /// The levels of its spine, if the spine is a chunk; else empty.
    pub(crate) levels: Vec<Vec<Piece>>,
}

/// The elements of a base that are at hand, and where the others are.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    /// How the elements are put together.
    pub(crate) shape: Shape,
    /// The levels of the spine.
    pub(crate) levels: &'a [Vec<Piece>],
    /// The number of elements in those levels.
    pub(crate) below: u32,
    /// The position of the first element at hand.
    first: u32,
    /// The elements at hand.
    pieces: Cow<'a, [Piece]>,
}

impl<'a> Source<'a> {
    /// A source with the tail's elements at hand; the others are in the levels, which must be
    /// opened first. `None` if the sequence is not a list or map, or has more elements in its tail
    /// than it counts.
    pub(crate) fn of(sequence: &'a Sequence, base: &'a Base) -> Option<Self> {
        if sequence.shape == Shape::Plain {
            return None;
        }
        let levels = match &sequence.spine {
            Spine::Inline(levels) => levels,
            Spine::Chunk(_) => &base.levels,
        };
        let tail = u32::try_from(sequence.tail.len()).ok()?;
        let below = sequence.elements.checked_sub(tail)?;
        let pieces = Cow::Borrowed(sequence.tail.as_slice());
        Some(Self { shape: sequence.shape, levels, below, first: below, pieces })
    }

    /// The same source with all elements at hand.
    pub(crate) fn opened(self, elements: Vec<Piece>) -> Self {
        Self { first: 0, pieces: Cow::Owned(elements), ..self }
    }

    /// The elements of the tail.
    pub(crate) fn tail(&self) -> &[Piece] {
        self.pieces.get((self.below - self.first) as usize..).unwrap_or_default()
    }

    /// The number of all elements.
    fn count(&self) -> u64 {
        u64::from(self.first) + self.pieces.len() as u64
    }

    /// If the first run keeps everything that the levels hold: the number of elements it keeps, and
    /// the other runs. Else `None`. Also `None` if the levels hold so few bytes that another value
    /// could store them inline, without levels.
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

    /// Whether all elements that the runs keep are at hand, or in levels that are kept as a whole.
    pub(crate) fn suffices(&self, runs: &[Run]) -> bool {
        let others = self.leading(runs).map_or(runs, |(_, rest)| rest);
        others.iter().all(|run| match run {
            Run::Kept(kept) => kept.first >= self.first,
            Run::Fresh(_) => true,
        })
    }

    /// `count` elements at hand, from position `first` on. Fails with `foreign-run` if some of them
    /// are not at hand.
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
