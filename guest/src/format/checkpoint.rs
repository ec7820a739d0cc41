//! The envelope of a checkpoint: what its row holds beside the readable columns.

use serde::Serialize;

use super::read::{Read, Reader};
use super::{CHECKSUM_BYTES, FORMAT};
use crate::contract::call::{ChannelVersion, Version};
use crate::contract::error::Error;
use crate::format::json;
use crate::format::values::piece::Piece;

/// A stored value: the serializer's tag and the pieces.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct StoredValue {
    /// The serializer's tag.
    pub(crate) kind: String,
    /// The bytes, in pieces.
    pub(crate) piece: Piece,
}

/// A channel and its stored value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredChannel {
    /// The channel's name.
    pub(crate) channel: String,
    /// Its value.
    pub(crate) value: StoredValue,
}

/// What a checkpoint's envelope holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CheckpointEnvelope {
    /// `checkpoint.v`.
    pub(crate) v: f64,
    /// The serializer's tag of the metadata, whose bytes are a column.
    pub(crate) metadata_kind: String,
    /// Every field of the checkpoint that has no place of its own.
    pub(crate) rest: StoredValue,
    /// `checkpoint.channel_versions`.
    pub(crate) versions: Vec<ChannelVersion>,
    /// The stored channel values.
    pub(crate) values: Vec<StoredChannel>,
}

/// What a walk over ancestors goes by: the columns of a checkpoint that its link covers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkColumns<'a> {
    /// The thread's id.
    pub(crate) thread_id: &'a str,
    /// `checkpoint_ns`.
    pub(crate) checkpoint_ns: &'a str,
    /// `checkpoint_id`.
    pub(crate) checkpoint_id: &'a str,
    /// `parent_checkpoint_id`.
    pub(crate) parent_checkpoint_id: Option<&'a str>,
}

/// The columns beside a checkpoint's envelope that its checksums cover.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CheckpointColumns<'a> {
    /// Those of its link.
    pub(crate) link: LinkColumns<'a>,
    /// `channels`; nothing in a store that keeps none beside the envelope.
    pub(crate) channels: Option<&'a str>,
    /// `created_at`.
    pub(crate) created_at: &'a str,
    /// `metadata`.
    pub(crate) metadata: &'a [u8],
}

/// What a checkpoint's envelope will hold: the fields of `CheckpointEnvelope`, which are elsewhere.
#[derive(Debug)]
pub(crate) struct NewEnvelope<'a> {
    pub(crate) v: f64,
    pub(crate) metadata_kind: &'a str,
    pub(crate) rest: &'a StoredValue,
    pub(crate) versions: &'a [ChannelVersion],
    /// Each channel and its value.
    pub(crate) values: Vec<(&'a str, &'a StoredValue)>,
}

/// As read: an array whose first element is the format.
type Encoded = (
    u8,
    EncodedVersion<String>,
    String,
    StoredValue,
    Vec<(String, EncodedVersion<String>)>,
    Vec<StoredChannel>,
    Link,
);

/// The first bytes of a hash over what a walk goes by. They are the last ones before the
/// envelope's checksum, so that a statement can give them alone.
#[derive(Debug, PartialEq, Serialize)]
struct Link(#[serde(with = "serde_bytes")] [u8; CHECKSUM_BYTES]);

/// A version, or `v`, as encoded: a whole number where it is one, so that it takes few bytes.
#[derive(Serialize)]
#[serde(untagged)]
enum EncodedVersion<T> {
    Whole(i64),
    Real(f64),
    Text(T),
}

impl NewEnvelope<'_> {
    /// The stored bytes.
    #[inline(never)]
    pub(crate) fn seal(self, columns: CheckpointColumns<'_>) -> Result<Vec<u8>, Error> {
        let versions = self.versions.iter().map(|ChannelVersion { channel, version }| {
            let version = match version {
                Version::Text(text) => EncodedVersion::Text(text.as_str()),
                Version::Number(number) => EncodedVersion::number(*number),
            };
            (channel, version)
        });
        let names = || json::array_of_strings(self.values.iter().map(|(channel, _)| *channel));
        let link = columns.link.link(&columns.channels.map_or_else(names, str::to_owned));
        // What `Encoded` reads.
        let bytes = super::encode(&(
            FORMAT,
            EncodedVersion::<&str>::number(self.v),
            self.metadata_kind,
            self.rest,
            versions.collect::<Vec<_>>(),
            self.values,
            Link(link),
        ))?;
        Ok(super::seal(bytes, &columns.parts()))
    }
}

impl CheckpointEnvelope {
    /// The envelope that these stored bytes hold; `place` says where they are stored.
    #[inline(never)]
    pub(crate) fn open(
        sealed: &[u8],
        columns: CheckpointColumns<'_>,
        place: &dyn Fn() -> String,
    ) -> Result<Self, Error> {
        let envelope = super::open(sealed, &columns.parts(), place)?;
        let shapeless = || {
            let place = place();
            let message = format!("{place} is not of the shape of format {FORMAT}; restore it");
            Error::corrupt("damaged-envelope", message)
        };
        let encoded = super::decode::<Encoded>(envelope).ok_or_else(shapeless)?;
        let (_, v, metadata_kind, rest, versions, values, Link(link)) = encoded;
        let names = || json::array_of_strings(values.iter().map(|entry| entry.channel.as_str()));
        let channels = columns.channels.map_or_else(names, str::to_owned);
        if !columns.link.is(&channels, &link) {
            return Err(columns.link.damaged(&place()));
        }
        let versions = versions
            .into_iter()
            .map(|(channel, version)| ChannelVersion { channel, version: version.decoded() });
        let Version::Number(v) = v.decoded() else {
            return Err(shapeless());
        };
        Ok(Self { v, metadata_kind, rest, versions: versions.collect(), values })
    }
}

impl Read for StoredValue {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (kind, piece) = Read::read(reader)?;
        Some(Self { kind, piece })
    }
}

impl Read for StoredChannel {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (channel, value) = Read::read(reader)?;
        Some(Self { channel, value })
    }
}

impl Read for EncodedVersion<String> {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        match reader.marker()? {
            0xa0..=0xbf | 0xd9..=0xdb => String::read(reader).map(Self::Text),
            0xcb => reader.real().map(Self::Real),
            _ => reader.integer().map(Self::Whole),
        }
    }
}

impl<T> EncodedVersion<T> {
    fn number(number: f64) -> Self {
        whole(number).map_or(Self::Real(number), Self::Whole)
    }
}

impl EncodedVersion<String> {
    fn decoded(self) -> Version {
        match self {
            Self::Whole(whole) => Version::Number(whole as f64),
            Self::Real(number) => Version::Number(number),
            Self::Text(text) => Version::Text(text),
        }
    }
}

impl Read for Link {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.bytes()?.try_into().ok().map(Self)
    }
}

impl LinkColumns<'_> {
    /// Whether this is the link of a checkpoint with these columns, the last one being `channels`.
    pub(crate) fn is(&self, channels: &str, link: &[u8]) -> bool {
        self.link(channels) == link
    }

    /// An absent parent differs from an empty one.
    pub(crate) fn link(&self, channels: &str) -> [u8; CHECKSUM_BYTES] {
        let parts = [
            self.checkpoint_ns.as_bytes(),
            self.checkpoint_id.as_bytes(),
            if self.parent_checkpoint_id.is_some() { b"parent" } else { b"" },
            self.parent_checkpoint_id.unwrap_or_default().as_bytes(),
            channels.as_bytes(),
        ];
        super::checksum(self.thread_id.as_bytes(), &parts)
    }

    /// The error for a checkpoint whose link is another one.
    pub(crate) fn damaged(&self, place: &str) -> Error {
        Error::corrupt(
            "damaged-envelope",
            format!(
                "{place} was stored with another thread, namespace, id, parent or other channels \
                 than its row says; restore it"
            ),
        )
    }
}

impl<'a> CheckpointColumns<'a> {
    /// The columns as the checksum takes them. The link in the envelope covers the others.
    fn parts(self) -> [&'a [u8]; 2] {
        [self.created_at.as_bytes(), self.metadata]
    }
}

/// The number as an integer that gives the same number back.
fn whole(number: f64) -> Option<i64> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let exact = number.fract() == 0.0 && number.abs() <= EXACT_MAX;
    let negative_zero = number == 0.0 && number.is_sign_negative();
    (exact && !negative_zero).then_some(number as i64)
}
