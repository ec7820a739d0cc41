//! The envelope of a checkpoint: what its row holds beside the readable columns.

use serde::Serialize;

use super::read::{Read, Reader};
use super::{CHECKSUM_BYTES, FORMAT};
use crate::contract::call::{ChannelVersion, Version};
use crate::contract::error::Error;
use crate::format::json;
use crate::format::values::piece::Piece;

/// A stored value: the serializer's tag and the bytes in pieces.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct StoredValue {
    /// The serializer's tag.
    pub(crate) kind: String,
    /// The bytes, as a piece.
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
    /// The serializer's tag of the metadata. The metadata's bytes are a column.
    pub(crate) metadata_kind: String,
    /// The checkpoint's other fields, as one serialized object.
    pub(crate) rest: StoredValue,
    /// `checkpoint.channel_versions`.
    pub(crate) versions: Vec<ChannelVersion>,
    /// The stored channel values.
    pub(crate) values: Vec<StoredChannel>,
}

/// The columns of a checkpoint that its link covers. A walk over ancestors relies on them, and on
/// `channels`.
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
    /// The columns of its link.
    pub(crate) link: LinkColumns<'a>,
    /// `channels`; `None` if the store does not keep them beside the envelope.
    pub(crate) channels: Option<&'a str>,
    /// `created_at`.
    pub(crate) created_at: &'a str,
    /// `metadata`.
    pub(crate) metadata: &'a [u8],
}

/// The parts of a new `CheckpointEnvelope`, by reference.
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

/// The link: the first bytes of a hash over the columns that a walk relies on. It comes right
/// before the envelope's checksum, so that a statement can read it alone.
#[derive(Debug, PartialEq, Serialize)]
struct Link(#[serde(with = "serde_bytes")] [u8; CHECKSUM_BYTES]);

/// A version, or `v`, as encoded. A whole number is encoded as an integer, which takes few bytes.
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
        // In the shape of `Encoded`.
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

/// The stored bytes of the same checkpoint with other columns, `channels` among them. `None` if the
/// bytes are no envelope.
pub(crate) fn resealed(sealed: &[u8], columns: CheckpointColumns<'_>) -> Option<Vec<u8>> {
    let link = columns.link.link(columns.channels?);
    let mut envelope = sealed.get(..sealed.len().checked_sub(2 * CHECKSUM_BYTES)?)?.to_vec();
    envelope.extend_from_slice(&link);
    Some(super::seal(envelope, &columns.parts()))
}

impl CheckpointEnvelope {
    /// The envelope in these stored bytes. `what` names it in words, for errors.
    #[inline(never)]
    pub(crate) fn open(
        sealed: &[u8],
        columns: CheckpointColumns<'_>,
        what: &dyn Fn() -> String,
    ) -> Result<Self, Error> {
        let envelope = super::open(sealed, &columns.parts(), what)?;
        let shapeless = || {
            let what = what();
            let message = format!("{what} is not of the shape of format {FORMAT}; restore it");
            Error::corrupt("damaged-envelope", message)
        };
        let encoded = super::decode::<Encoded>(envelope).ok_or_else(shapeless)?;
        let (_, v, metadata_kind, rest, versions, values, Link(link)) = encoded;
        let names = || json::array_of_strings(values.iter().map(|entry| entry.channel.as_str()));
        let channels = columns.channels.map_or_else(names, str::to_owned);
        if !columns.link.is(&channels, &link) {
            return Err(columns.link.damaged(&what()));
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
    /// Whether `link` is the link of a checkpoint with these columns and these `channels`.
    pub(crate) fn is(&self, channels: &str, link: &[u8]) -> bool {
        self.link(channels) == link
    }

    /// The link over these columns and `channels`. An absent parent differs from an empty one.
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

    /// The error for a checkpoint whose link does not match its columns.
    pub(crate) fn damaged(&self, what: &str) -> Error {
        Error::corrupt(
            "damaged-envelope",
            format!(
                "{what} was stored with another thread, namespace, id, parent or other channels \
                 than its row says; restore it"
            ),
        )
    }
}

impl<'a> CheckpointColumns<'a> {
    /// The columns that the checksum covers directly. The link in the envelope covers the others.
    fn parts(self) -> [&'a [u8]; 2] {
        [self.created_at.as_bytes(), self.metadata]
    }
}

/// The number as an integer; `None` unless the integer converts back to the same number.
fn whole(number: f64) -> Option<i64> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let exact = number.fract() == 0.0 && number.abs() <= EXACT_MAX;
    let negative_zero = number == 0.0 && number.is_sign_negative();
    (exact && !negative_zero).then_some(number as i64)
}
