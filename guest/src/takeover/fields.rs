//! Takes a serialized object apart, in JSON or MessagePack, without decoding what is in it.

use std::collections::BTreeSet;

use crate::contract::call::Version;
use crate::format::decode;
use crate::format::json;
use crate::format::values::piece::Shape;
use crate::format::values::split;

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

    /// The object that has these members.
    pub(super) fn object<'a>(self, members: impl Iterator<Item = &'a Member<'a>>) -> Vec<u8> {
        let members: Vec<_> = members.collect();
        let shape = self.shape();
        let mut bytes =
            shape.opening(u32::try_from(members.len()).unwrap_or(u32::MAX)).as_ref().to_vec();
        for (position, member) in members.into_iter().enumerate() {
            if position > 0 {
                bytes.extend_from_slice(shape.separator());
            }
            bytes.extend_from_slice(member.key);
            bytes.extend_from_slice(member.value);
        }
        bytes.extend_from_slice(shape.closing());
        bytes
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

/// A member of an object.
#[derive(Debug)]
pub(super) struct Member<'a> {
    pub(super) name: String,
    /// The key as it is serialized; in JSON with its colon.
    key: &'a [u8],
    /// The value as it is serialized.
    pub(super) value: &'a [u8],
}
