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

/// The elements of a list or entries of a map, given without brackets or braces; `None` if the
/// bytes are not such elements. The result is that of `structure` for the bytes with their ends.
pub(crate) fn elements(shape: Shape, bytes: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    let ranges = json::inside(shape, bytes)?;
    Some(ranges.into_iter().filter_map(|range| bytes.get(range)))
}

/// The two parts of a JSON object's entry: the key with its colon, and the value.
pub(crate) fn entry(bytes: &[u8]) -> Option<Split> {
    let value = json::entry_value(bytes)?;
    Some(Split { shape: Shape::Plain, ranges: vec![0..value, value..bytes.len()] })
}

/// Parts of at most `bytes_max` bytes. The cuts depend on the content, so that an insertion moves
/// only the cuts near it.
pub(crate) fn content(bytes: &[u8], bytes_max: usize) -> impl Iterator<Item = Range<usize>> {
    let (min, mean) = (bytes_max / 8, bytes_max / 2);
    fastcdc::v2020::FastCDC::new(bytes, min, mean, bytes_max)
        .map(|chunk| chunk.offset..chunk.offset + chunk.length)
}
