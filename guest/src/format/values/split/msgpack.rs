//! A scanner that finds the parts of a MessagePack container without decoding them.

use std::ops::Range;

use super::parts::Split;
use crate::format::values::piece::Shape;

/// A value may nest at most this deep.
const DEPTH_MAX: usize = 128;

/// The elements of an array or entries of a map (a key and its value are one part). `None` if the
/// bytes are not exactly one array or map, or if its header is not the shortest one.
pub(super) fn container(bytes: &[u8]) -> Option<Split> {
    let (shape, body, count) = match head(bytes, 0)? {
        Head::Array { body, count } => (Shape::PackedArray, body, count),
        Head::Map { body, count } => (Shape::PackedMap, body, count),
        Head::Scalar { .. } => return None,
    };
    let header = shape.opening(u32::try_from(count).ok()?);
    if bytes.get(..body)? != header.as_ref() {
        return None;
    }
    let ranges = parts(shape, bytes, body)?;
    (ranges.len() == count).then_some(Split { shape, ranges })
}

/// The elements or entries that follow each other in `bytes`, without a header.
pub(super) fn inside(shape: Shape, bytes: &[u8]) -> Option<Vec<Range<usize>>> {
    parts(shape, bytes, 0)
}

/// The elements or entries from `at` to the end of `bytes`.
fn parts(shape: Shape, bytes: &[u8], mut at: usize) -> Option<Vec<Range<usize>>> {
    let mut ranges = Vec::new();
    while at < bytes.len() {
        let end = part_end(shape, bytes, at)?;
        ranges.push(at..end);
        at = end;
    }
    Some(ranges)
}

/// The position of the value in a map's entry.
pub(super) fn entry_value(entry: &[u8]) -> Option<usize> {
    let value = skip(entry, 0, 0)?;
    (skip(entry, value, 0)? == entry.len()).then_some(value)
}

/// The index after the element or entry at `at`.
fn part_end(shape: Shape, bytes: &[u8], at: usize) -> Option<usize> {
    let end = skip(bytes, at, 0)?;
    if shape == Shape::PackedMap { skip(bytes, end, 0) } else { Some(end) }
}

/// What a value begins with.
enum Head {
    /// Everything up to `end`.
    Scalar { end: usize },
    /// `count` values from `body` on.
    Array { body: usize, count: usize },
    /// `count` pairs of values from `body` on.
    Map { body: usize, count: usize },
}

/// The index after the value at `at`.
fn skip(bytes: &[u8], at: usize, depth: usize) -> Option<usize> {
    if depth > DEPTH_MAX {
        return None;
    }
    let (mut at, count) = match head(bytes, at)? {
        Head::Scalar { end } => return (end <= bytes.len()).then_some(end),
        Head::Array { body, count } => (body, count),
        Head::Map { body, count } => (body, count.checked_mul(2)?),
    };
    for _ in 0..count {
        at = skip(bytes, at, depth + 1)?;
    }
    Some(at)
}

fn head(bytes: &[u8], at: usize) -> Option<Head> {
    let marker = *bytes.get(at)?;
    let next = at + 1;
    // A big-endian length of `width` bytes after the marker.
    let length = |width: usize| {
        let digits = bytes.get(next..next + width)?;
        Some(digits.iter().fold(0_usize, |sum, digit| (sum << 8) | usize::from(*digit)))
    };
    let scalar = |end: usize| Some(Head::Scalar { end });
    let sized =
        |width: usize, extra: usize| scalar((next + width + extra).checked_add(length(width)?)?);
    match marker {
        0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => scalar(next),
        0x80..=0x8f => Some(Head::Map { body: next, count: usize::from(marker & 0x0f) }),
        0x90..=0x9f => Some(Head::Array { body: next, count: usize::from(marker & 0x0f) }),
        0xa0..=0xbf => scalar(next + usize::from(marker & 0x1f)),
        0xc4 | 0xd9 => sized(1, 0),
        0xc5 | 0xda => sized(2, 0),
        0xc6 | 0xdb => sized(4, 0),
        0xc7 => sized(1, 1),
        0xc8 => sized(2, 1),
        0xc9 => sized(4, 1),
        0xcc | 0xd0 => scalar(next + 1),
        0xcd | 0xd1 => scalar(next + 2),
        0xca | 0xce | 0xd2 => scalar(next + 4),
        0xcb | 0xcf | 0xd3 => scalar(next + 8),
        // Extensions of a fixed size have one byte for their type.
        0xd4..=0xd8 => scalar(next + 1 + (1 << (marker - 0xd4))),
        0xdc => Some(Head::Array { body: next + 2, count: length(2)? }),
        0xdd => Some(Head::Array { body: next + 4, count: length(4)? }),
        0xde => Some(Head::Map { body: next + 2, count: length(2)? }),
        0xdf => Some(Head::Map { body: next + 4, count: length(4)? }),
        0xc1 => None,
    }
}
