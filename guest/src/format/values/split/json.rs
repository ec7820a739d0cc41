//! A scanner that finds the parts of a JSON container without decoding them.

use std::ops::Range;

use super::parts::Split;
use crate::format::values::piece::Shape;

/// The elements of an array or entries of an object; `None` if there is white space around its
/// parts or anything after its end. What it accepts need not be valid JSON all the way down: it is
/// enough that the parts, joined, are the bytes.
pub(super) fn container(bytes: &[u8]) -> Option<Split> {
    let (shape, end) = match (bytes.first()?, bytes.last()?) {
        (b'[', b']') => (Shape::Array, b']'),
        (b'{', b'}') => (Shape::Object, b'}'),
        _ => return None,
    };
    let mut ranges = Vec::new();
    let mut at = 1;
    if bytes.get(at) == Some(&end) {
        return (bytes.len() == 2).then_some(Split { shape, ranges });
    }
    loop {
        let part = part(bytes, at)?;
        let after = *bytes.get(part.end)?;
        at = part.end + 1;
        ranges.push(part);
        if after == end {
            return (at == bytes.len()).then_some(Split { shape, ranges });
        }
        if after != b',' {
            return None;
        }
    }
}

/// The elements or entries of a container whose ends are not in `bytes`.
pub(super) fn inside(shape: Shape, bytes: &[u8]) -> Option<Vec<Range<usize>>> {
    let open = shape.opening(0);
    let whole = [open.as_ref(), bytes, shape.closing()].concat();
    let mut ranges = container(&whole).filter(|split| split.shape == shape)?.ranges;
    for range in &mut ranges {
        let open = open.as_ref().len();
        *range = range.start - open..range.end - open;
    }
    Some(ranges)
}

/// The position of the value in an object's entry: after the key's closing quote and the colon.
pub(super) fn entry_value(entry: &[u8]) -> Option<usize> {
    if entry.first()? != &b'"' {
        return None;
    }
    let colon = string_end(entry, 0)?;
    let value = colon + 1;
    (entry.get(colon) == Some(&b':') && value < entry.len()).then_some(value)
}

/// The part that begins at `begin` and goes up to a comma or an end at its own depth.
fn part(bytes: &[u8], begin: usize) -> Option<Range<usize>> {
    let mut depth = 0_usize;
    let mut at = begin;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = string_end(bytes, at)?;
                continue;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' if depth > 0 => depth -= 1,
            b']' | b'}' | b',' if depth == 0 => return (at > begin).then_some(begin..at),
            _ => {}
        }
        at += 1;
    }
}

/// The index after the closing quote of the string whose opening quote is at `quote`.
fn string_end(bytes: &[u8], quote: usize) -> Option<usize> {
    let mut at = quote + 1;
    loop {
        let found = at + memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        match bytes.get(found)? {
            b'"' => return Some(found + 1),
            _ => at = found + 2,
        }
    }
}
