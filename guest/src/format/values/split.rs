//! Where a value may be cut: at boundaries of its serialization, or else at boundaries that depend
//! on its content.

mod json;
mod msgpack;
mod parts;

use std::ops::Range;

pub(crate) use self::parts::Split;
use super::piece::Shape;

/// The parts of a container, by the serializer's tag; `None` if the value is not a container, or
/// its bytes are not what the tag promises.
pub(crate) fn structure(kind: &str, bytes: &[u8]) -> Option<Split> {
    match kind {
        "json" => json::container(bytes),
        "msgpack" => msgpack::container(bytes),
        _ => None,
    }
}

/// The elements of a list or entries of a map, given without brackets, braces or header; `None` if
/// the bytes are not such elements. The result is that of `structure` for the whole value.
pub(crate) fn elements(shape: Shape, bytes: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    let ranges = match shape {
        Shape::Plain => None,
        Shape::Array | Shape::Object => json::inside(shape, bytes),
        Shape::PackedArray | Shape::PackedMap => msgpack::inside(shape, bytes),
    }?;
    Some(ranges.into_iter().filter_map(|range| bytes.get(range)))
}

/// The two parts of an entry of a map of this shape: the key, in JSON with its colon, and the
/// value. `None` if the bytes are not an entry.
pub(crate) fn entry(shape: Shape, bytes: &[u8]) -> Option<Split> {
    let value = match shape {
        Shape::Object => json::entry_value(bytes),
        Shape::PackedMap => msgpack::entry_value(bytes),
        Shape::Plain | Shape::Array | Shape::PackedArray => None,
    }?;
    Some(Split { shape: Shape::Plain, ranges: vec![0..value, value..bytes.len()] })
}

/// Parts of at most `bytes_max` bytes. The cuts depend on the content, so that an insertion moves
/// only the cuts near it.
pub(crate) fn content(bytes: &[u8], bytes_max: usize) -> impl Iterator<Item = Range<usize>> {
    let (min, mean) = (bytes_max / 8, bytes_max / 2);
    fastcdc::v2020::FastCDC::new(bytes, min, mean, bytes_max)
        .map(|chunk| chunk.offset..chunk.offset + chunk.length)
}
