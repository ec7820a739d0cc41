//! Takes a serialized object apart and puts it together, in JSON or MessagePack, without decoding
//! what is in it.

use rmp::encode::ByteBuf;

use std::collections::BTreeSet;

use crate::contract::call::Version;
use crate::format::decode;
use crate::format::json;
use crate::format::values::piece::Shape;
use crate::format::values::split;

/// Plain values may nest this deep.
const PLAIN_DEPTH_MAX: usize = 32;

/// How an object is serialized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Json,
    Msgpack,
}

impl Encoding {
    /// The encoding of a serializer's tag; `None` if an object with that tag is not taken apart.
    pub(super) fn of(kind: &str) -> Option<Self> {
        match kind {
            "json" => Some(Self::Json),
            "msgpack" => Some(Self::Msgpack),
            _ => None,
        }
    }

    /// The serializer's tag.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Msgpack => "msgpack",
        }
    }

    fn shape(self) -> Shape {
        match self {
            Self::Json => Shape::Object,
            Self::Msgpack => Shape::PackedMap,
        }
    }

    /// The members of an object, in order; `None` if the bytes are not one, or have a name twice.
    pub(super) fn members(self, bytes: &[u8]) -> Option<Vec<Member<'_>>> {
        let bytes = if self == Self::Json { bytes.trim_ascii() } else { bytes };
        let split = split::structure(self.kind(), bytes)?;
        if split.shape != self.shape() {
            return None;
        }
        let members = split.ranges.into_iter().map(|range| self.member(bytes.get(range)?));
        let members: Vec<_> = members.collect::<Option<_>>()?;
        // Readers disagree about which one counts, and no serializer writes it.
        let names: BTreeSet<_> = members.iter().map(|member| &member.name).collect();
        (names.len() == members.len()).then_some(members)
    }

    fn member(self, entry: &[u8]) -> Option<Member<'_>> {
        let entry = if self == Self::Json { entry.trim_ascii() } else { entry };
        let split = split::entry(self.shape(), entry)?;
        let [key, value] = split.ranges.as_slice() else { return None };
        let (key, value) = (entry.get(key.clone())?, entry.get(value.clone())?);
        Some(match self {
            Self::Json => {
                let quoted = std::str::from_utf8(key).ok()?.strip_suffix(':')?;
                let name = json::text(quoted)?;
                Member { name, key, value: value.trim_ascii() }
            }
            Self::Msgpack => Member { name: decode(key)?, key, value },
        })
    }

    /// The elements of a list, in order; `None` if the bytes are not one.
    pub(super) fn elements(self, bytes: &[u8]) -> Option<Vec<&[u8]>> {
        let split = split::structure(self.kind(), bytes)?;
        if split.shape != self.list_shape() {
            return None;
        }
        let parts = split.ranges.into_iter().map(|range| bytes.get(range));
        let is_json = self == Self::Json;
        parts.map(|part| Some(if is_json { part?.trim_ascii() } else { part? })).collect()
    }

    /// The object that has these members.
    pub(super) fn object<'a>(self, members: impl Iterator<Item = &'a Member<'a>>) -> Vec<u8> {
        joined(self.shape(), &members.map(Member::entry).collect::<Vec<_>>())
    }

    /// The object that has these entries.
    pub(super) fn object_of(self, entries: &[Vec<u8>]) -> Vec<u8> {
        joined(self.shape(), entries)
    }

    /// The list that has these elements.
    pub(super) fn list_of(self, elements: &[Vec<u8>]) -> Vec<u8> {
        joined(self.list_shape(), elements)
    }

    /// The entry of an object that has this name and serialized value.
    pub(super) fn entry(self, name: &str, value: &[u8]) -> Vec<u8> {
        let mut entry = self.of_text(name);
        if self == Self::Json {
            entry.push(b':');
        }
        entry.extend_from_slice(value);
        entry
    }

    /// A text, serialized.
    pub(super) fn of_text(self, text: &str) -> Vec<u8> {
        match self {
            Self::Json => json::quoted(text).into_bytes(),
            Self::Msgpack => {
                let mut bytes = ByteBuf::new();
                written(rmp::encode::write_str(&mut bytes, text));
                bytes.into_vec()
            }
        }
    }

    /// Bytes, as LangGraph's serializer of this encoding has them in an object.
    pub(super) fn of_bytes(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Json => {
                let numbers: Vec<_> = bytes.iter().map(u8::to_string).collect();
                let begin = r#"{"lc":2,"type":"constructor","id":["Uint8Array"],"#;
                let end = r#""method":"from","args":[["#;
                [begin, end, &numbers.join(","), r#"]],"kwargs":{}}"#].concat().into_bytes()
            }
            Self::Msgpack => {
                let mut packed = ByteBuf::new();
                written(rmp::encode::write_bin(&mut packed, bytes));
                packed.into_vec()
            }
        }
    }

    /// A number, serialized: a whole one as an integer. JSON has no infinite ones; `None` then.
    pub(super) fn of_number(self, number: f64) -> Option<Vec<u8>> {
        if !number.is_finite() {
            return None;
        }
        let whole = json::whole(number).filter(|_| !(number == 0.0 && number.is_sign_negative()));
        Some(match (self, whole) {
            (Self::Json, Some(whole)) => whole.to_string().into_bytes(),
            (Self::Json, None) => format!("{number}").into_bytes(),
            (Self::Msgpack, whole) => {
                let mut bytes = ByteBuf::new();
                match whole {
                    Some(whole) => drop(rmp::encode::write_sint(&mut bytes, whole)),
                    None => written(rmp::encode::write_f64(&mut bytes, number)),
                }
                bytes.into_vec()
            }
        })
    }

    /// A version, serialized; `None` if it is an infinite number.
    pub(super) fn of_version(self, version: &Version) -> Option<Vec<u8>> {
        match version {
            Version::Text(text) => Some(self.of_text(text)),
            Version::Number(number) => self.of_number(*number),
        }
    }

    /// The same plain value in another encoding; `None` if it is not plain: neither text, number,
    /// boolean nor nothing, nor a list or object of such.
    pub(super) fn plain(self, to: Self, value: &[u8]) -> Option<Vec<u8>> {
        self.plain_at(to, value, 0)
    }

    fn plain_at(self, to: Self, value: &[u8], depth: usize) -> Option<Vec<u8>> {
        if depth > PLAIN_DEPTH_MAX {
            return None;
        }
        if let Some(members) = self.members(value) {
            let entry = |Member { name, value, .. }: Member<'_>| {
                Some(to.entry(&name, &self.plain_at(to, value, depth + 1)?))
            };
            return Some(
                to.object_of(&members.into_iter().map(entry).collect::<Option<Vec<_>>>()?),
            );
        }
        if let Some(elements) = self.elements(value) {
            let element = |element| self.plain_at(to, element, depth + 1);
            return Some(
                to.list_of(&elements.into_iter().map(element).collect::<Option<Vec<_>>>()?),
            );
        }
        self.scalar(to, value)
    }

    /// The same text, number, boolean or nothing in another encoding; `None` if it is none of them.
    pub(super) fn scalar(self, to: Self, value: &[u8]) -> Option<Vec<u8>> {
        if self.is_null(value) {
            return Some(to.constant(b"null", 0xc0));
        }
        if let Some(text) = self.text(value) {
            return Some(to.of_text(&text));
        }
        match (self, value) {
            (Self::Json, b"true") | (Self::Msgpack, [0xc3]) => Some(to.constant(b"true", 0xc3)),
            (Self::Json, b"false") | (Self::Msgpack, [0xc2]) => Some(to.constant(b"false", 0xc2)),
            _ => self.number_as(to, value),
        }
    }

    /// A number in another encoding, if that has the very same.
    fn number_as(self, to: Self, value: &[u8]) -> Option<Vec<u8>> {
        let integer = match self {
            Self::Json => std::str::from_utf8(value).ok().and_then(|json| json.parse().ok()),
            Self::Msgpack => decode::<i64>(value),
        };
        match (integer, to) {
            (Some(integer), Self::Json) => Some(integer.to_string().into_bytes()),
            (Some(integer), Self::Msgpack) => {
                let mut bytes = ByteBuf::new();
                written(rmp::encode::write_sint(&mut bytes, integer).map(|_| ()));
                Some(bytes.into_vec())
            }
            (None, _) => {
                let number = self.number(value).filter(|number| number.is_finite())?;
                Some(match to {
                    // With a point: what has none is an integer to Python.
                    Self::Json => format!("{number:?}").into_bytes(),
                    Self::Msgpack => {
                        let mut bytes = ByteBuf::new();
                        written(rmp::encode::write_f64(&mut bytes, number));
                        bytes.into_vec()
                    }
                })
            }
        }
    }

    fn constant(self, json: &[u8], packed: u8) -> Vec<u8> {
        match self {
            Self::Json => json.to_vec(),
            Self::Msgpack => vec![packed],
        }
    }

    fn list_shape(self) -> Shape {
        match self {
            Self::Json => Shape::Array,
            Self::Msgpack => Shape::PackedArray,
        }
    }

    /// The member `versions_seen` of a checkpoint whose nodes have seen nothing.
    pub(super) fn nothing_seen(self) -> Member<'static> {
        let (key, value): (&[u8], &[u8]) = match self {
            Self::Json => (b"\"versions_seen\":", b"{}"),
            Self::Msgpack => (b"\xadversions_seen", b"\x80"),
        };
        Member { name: "versions_seen".to_owned(), key, value }
    }

    /// The text that a value is; `None` if it is none, or not well-formed.
    pub(super) fn text(self, value: &[u8]) -> Option<String> {
        match self {
            Self::Json => {
                let quoted = std::str::from_utf8(value).ok()?;
                let is_text = quoted.len() > 1 && quoted.starts_with('"') && quoted.ends_with('"');
                is_text.then(|| json::text(quoted))?
            }
            Self::Msgpack => decode(value),
        }
    }

    /// The number that a value is; `None` if it is none.
    pub(super) fn number(self, value: &[u8]) -> Option<f64> {
        match self {
            Self::Json => {
                let json = std::str::from_utf8(value).ok()?;
                let is_number = json.starts_with(|c: char| c == '-' || c.is_ascii_digit());
                is_number.then(|| json.parse().ok())?
            }
            Self::Msgpack => {
                decode::<i64>(value).map(|integer| integer as f64).or_else(|| decode(value))
            }
        }
    }

    /// The version of a channel that a value is; `None` if it is neither a number nor text.
    pub(super) fn version(self, value: &[u8]) -> Option<Version> {
        let number = || self.number(value).map(Version::Number);
        self.text(value).map(Version::Text).or_else(number)
    }

    /// Whether a value is nothing.
    pub(super) fn is_null(self, value: &[u8]) -> bool {
        match self {
            Self::Json => value == b"null",
            Self::Msgpack => value == [0xc0],
        }
    }
}

impl Member<'_> {
    /// The member as it is serialized.
    pub(super) fn entry(&self) -> Vec<u8> {
        [self.key, self.value].concat()
    }
}

/// A member of an object.
#[derive(Debug)]
pub(super) struct Member<'a> {
    pub(super) name: String,
    /// The key as it is serialized; in JSON with its colon.
    key: &'a [u8],
    /// The value as it is serialized.
    pub(super) value: &'a [u8],
}

/// Parts with what this shape has before, between and after them.
fn joined(shape: Shape, parts: &[Vec<u8>]) -> Vec<u8> {
    let opening = shape.opening(u32::try_from(parts.len()).unwrap_or(u32::MAX));
    let parts = parts.join(shape.separator());
    [opening.as_ref(), &parts, shape.closing()].concat()
}

/// Writing to memory cannot fail.
fn written<T, E>(result: Result<T, E>) {
    drop(result);
}
