//! Reads the stored structures from MessagePack.
//!
//! It uses `rmp` directly, not the deserializer of `rmp-serde`: its code for every structure would
//! be a quarter of the whole component.

use std::collections::BTreeSet;

use rmp::{Marker, decode};

/// Stored structures may nest at most this deep. What this crate writes nests less; damaged or
/// forged bytes must not exhaust the stack.
const DEPTH_MAX: usize = 64;

/// Reads structures from bytes. Every method returns `None` if the bytes do not fit.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    depth: usize,
}

/// A structure, or a part of one.
pub(crate) trait Read: Sized {
    /// Reads one at the reader's position.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;
}

/// Reads a structure that must end where the bytes end.
pub(crate) fn decode<T: Read>(bytes: &[u8]) -> Option<T> {
    let mut reader = Reader { rest: bytes, depth: 0 };
    let structure = T::read(&mut reader)?;
    reader.rest.is_empty().then_some(structure)
}

impl<'a> Reader<'a> {
    /// The marker byte of the next value, without reading it.
    pub(crate) fn marker(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The kind of the next value, without reading it.
    pub(crate) fn kind(&self) -> Option<Marker> {
        self.marker().map(Marker::from_u8)
    }

    /// Reads nil.
    pub(crate) fn nil(&mut self) -> Option<()> {
        decode::read_nil(&mut self.rest).ok()
    }

    /// Reads an array of exactly `count` elements, as fields.
    pub(crate) fn fields<T>(
        &mut self,
        count: usize,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        self.array(|reader, length| if length == count { read(reader) } else { None })
    }

    /// Reads an array; `read` is given its length.
    pub(crate) fn array<T>(
        &mut self,
        read: impl FnOnce(&mut Self, usize) -> Option<T>,
    ) -> Option<T> {
        let length = decode::read_array_len(&mut self.rest).ok()?;
        if self.depth >= DEPTH_MAX {
            return None;
        }
        self.depth += 1;
        let structure = read(self, length.try_into().ok()?);
        self.depth -= 1;
        structure
    }

    /// Reads bytes.
    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = decode::read_bin_len(&mut self.rest).ok()?;
        self.take(length)
    }

    /// Reads text.
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let length = decode::read_str_len(&mut self.rest).ok()?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    /// Reads a double.
    pub(crate) fn real(&mut self) -> Option<f64> {
        decode::read_f64(&mut self.rest).ok()
    }

    /// Reads an integer of any width.
    pub(crate) fn integer(&mut self) -> Option<i64> {
        decode::read_int(&mut self.rest).ok()
    }

    /// Reads an integer of any width that is not negative.
    pub(crate) fn unsigned(&mut self) -> Option<u64> {
        decode::read_int(&mut self.rest).ok()
    }

    /// Reads a boolean.
    pub(crate) fn bool(&mut self) -> Option<bool> {
        decode::read_bool(&mut self.rest).ok()
    }

    fn take(&mut self, count: u32) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count.try_into().ok()?)?;
        self.rest = rest;
        Some(taken)
    }
}

impl Read for String {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.text().map(str::to_owned)
    }
}

impl Read for i64 {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.integer()
    }
}

impl Read for u64 {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.integer()?.try_into().ok()
    }
}

impl Read for u32 {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.integer()?.try_into().ok()
    }
}

impl Read for u8 {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.integer()?.try_into().ok()
    }
}

impl<T: Read> Read for Option<T> {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        if reader.kind() == Some(Marker::Null) {
            reader.nil()?;
            return Some(None);
        }
        T::read(reader).map(Some)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.array(|reader, length| {
            // A length may be larger than what follows; each element takes at least one byte.
            let mut elements = Self::with_capacity(length.min(reader.rest.len()));
            for _ in 0..length {
                elements.push(T::read(reader)?);
            }
            Some(elements)
        })
    }
}

impl<T: Read + Ord> Read for BTreeSet<T> {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Vec::read(reader).map(Self::from_iter)
    }
}

/// Reads a structure of this many fields as a tuple.
macro_rules! read_fields {
    ($count:literal: $($field:ident),+) => {
        impl<$($field: Read),+> Read for ($($field),+) {
            fn read(reader: &mut Reader<'_>) -> Option<Self> {
                reader.fields($count, |reader| Some(($($field::read(reader)?),+)))
            }
        }
    };
}

read_fields!(2: A, B);
read_fields!(3: A, B, C);
read_fields!(4: A, B, C, D);
read_fields!(5: A, B, C, D, E);
read_fields!(6: A, B, C, D, E, F);
read_fields!(7: A, B, C, D, E, F, G);
read_fields!(8: A, B, C, D, E, F, G, H);

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(value: impl serde::Serialize) -> Vec<u8> {
        rmp_serde::to_vec(&value).unwrap()
    }

    #[test]
    fn integers_of_every_width_come_back() {
        let near = |shift: u32| {
            let power = 1_i64 << shift;
            [power - 1, power, power + 1, -power + 1, -power, -power - 1]
        };
        let edges = [5, 7, 8, 15, 16, 31, 32, 62].into_iter().flat_map(near);
        for integer in edges.chain([0, i64::MAX, i64::MIN]) {
            assert_eq!(decode::<i64>(&encoded(integer)), Some(integer), "{integer}");
        }
    }

    #[test]
    fn text_and_lists_of_every_width_come_back() {
        for length in [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536] {
            let text = "x".repeat(length);
            assert_eq!(decode::<String>(&encoded(&text)).as_ref(), Some(&text), "{length}");
            let list = vec![7_i64; length];
            assert_eq!(decode::<Vec<i64>>(&encoded(&list)).as_ref(), Some(&list), "{length}");
        }
    }

    #[test]
    fn what_ends_early_or_late_is_nothing() {
        let whole = encoded(("channel", vec![1_i64, 300, -70_000]));
        assert!(decode::<(String, Vec<i64>)>(&whole).is_some());
        for end in 0..whole.len() {
            assert_eq!(decode::<(String, Vec<i64>)>(&whole[..end]), None, "{end}");
        }
        let late = [whole.as_slice(), &[0]].concat();
        assert_eq!(decode::<(String, Vec<i64>)>(&late), None);
    }

    #[test]
    fn a_length_that_is_too_great_takes_no_memory() {
        assert_eq!(decode::<Vec<i64>>(&[0xdd, 0xff, 0xff, 0xff, 0xff, 1, 2]), None);
        assert_eq!(decode::<String>(&[0xdb, 0xff, 0xff, 0xff, 0xff, b'a']), None);
    }
}
