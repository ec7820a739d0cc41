//! What a value is split into.

use std::ops::Range;

use crate::format::values::piece::Shape;

/// The parts of a value, in order. Joined with the ends and separators of the shape they are the
/// value.
#[derive(Debug, PartialEq)]
pub(crate) struct Split {
    /// How the parts are joined.
    pub(crate) shape: Shape,
    /// The position of each part.
    pub(crate) ranges: Vec<Range<usize>>,
}
