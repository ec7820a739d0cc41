//! Where a value may be cut: at boundaries its serialization has, or else at boundaries that
//! its content draws.

mod json;
mod msgpack;

use std::ops::Range;

use super::piece::Shape;

/// The parts of a value, in order; with the ends and separators of the shape they are the value.
#[derive(Debug, PartialEq)]
pub(crate) struct Split {
    /// How the parts are put together.
    pub(crate) shape: Shape,
    /// Where each part is.
    pub(crate) ranges: Vec<Range<usize>>,
}

/// The parts of a container, by the serializer's tag; nothing for a value that is none, or
/// whose bytes are not as its tag promises.
pub(crate) fn structure(kind: &str, bytes: &[u8]) -> Option<Split> {
    match kind {
        "json" => json::container(bytes),
        "msgpack" => msgpack::container(bytes),
        _ => None,
    }
}

/// The elements of a list or the entries of a map, given without its ends; nothing for bytes that
/// are none. Where each one is decides `structure`, so the ends are put around them.
pub(crate) fn elements(shape: Shape, bytes: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    let ranges = json::inside(shape, bytes)?;
    Some(ranges.into_iter().filter_map(|range| bytes.get(range)))
}

/// The two parts of an entry of a JSON object: the key with its colon, and the value, itself
/// split where it is a container.
pub(crate) fn entry(bytes: &[u8]) -> Option<Split> {
    let value = json::entry_value(bytes)?;
    Some(Split { shape: Shape::Plain, ranges: vec![0..value, value..bytes.len()] })
}

/// Parts of at most `bytes_max` bytes, cut where the content says, so that an insertion moves
/// only the cuts near it.
pub(crate) fn content(bytes: &[u8], bytes_max: usize) -> impl Iterator<Item = Range<usize>> {
    let (min, mean) = (bytes_max / 8, bytes_max / 2);
    fastcdc::v2020::FastCDC::new(bytes, min, mean, bytes_max)
        .map(|chunk| chunk.offset..chunk.offset + chunk.length)
}
