//! The envelope of a pending write.

use serde::Serialize;

use super::checkpoint::StoredValue;
use super::read::{Read, Reader};
use super::{CHECKSUM_BYTES, FORMAT};
use crate::contract::error::Error;
use crate::format::places::Places;

/// What a write's envelope holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WriteEnvelope {
    /// The value.
    pub(crate) value: StoredValue,
    /// The places of all writes of the same call, including this one.
    pub(crate) places: Places,
}

/// As encoded: an array whose first element is the format.
#[derive(Serialize)]
struct Encoded(u8, StoredValue, Places, Mark);

/// The mark: the first bytes of a hash of the channel's name. It comes right before the envelope's
/// checksum. A statement that looks for a channel's writes compares it too, and so finds a write
/// whose channel column is damaged.
#[derive(Debug, PartialEq, Serialize)]
struct Mark(#[serde(with = "serde_bytes")] [u8; MARK_BYTES]);

/// The length of a mark, in bytes.
pub(crate) const MARK_BYTES: usize = 4;

/// The columns beside a write's envelope that its checksum covers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriteColumns<'a> {
    /// The thread's id.
    pub(crate) thread_id: &'a str,
    /// `checkpoint_ns`.
    pub(crate) checkpoint_ns: &'a str,
    /// `checkpoint_id`.
    pub(crate) checkpoint_id: &'a str,
    /// `task_id`.
    pub(crate) task_id: &'a str,
    /// `idx`.
    pub(crate) idx: i64,
    /// `task_path`.
    pub(crate) task_path: &'a str,
    /// `channel`.
    pub(crate) channel: &'a str,
}

/// The mark of a channel.
pub(crate) fn mark(channel: &str) -> [u8; MARK_BYTES] {
    let [a, b, c, d, ..] = super::checksum(channel.as_bytes(), &[]);
    [a, b, c, d]
}

/// The stored bytes of the same write with other columns. `None` if the bytes are no envelope.
pub(crate) fn resealed(sealed: &[u8], columns: WriteColumns<'_>) -> Option<Vec<u8>> {
    let envelope = sealed.get(..sealed.len().checked_sub(CHECKSUM_BYTES)?)?.to_vec();
    Some(super::seal(envelope, &columns.parts(&columns.idx.to_le_bytes())))
}

impl WriteEnvelope {
    /// The stored bytes.
    pub(crate) fn seal(self, columns: WriteColumns<'_>) -> Result<Vec<u8>, Error> {
        let mark = Mark(mark(columns.channel));
        let envelope = super::encode(&Encoded(FORMAT, self.value, self.places, mark))?;
        Ok(super::seal(envelope, &columns.parts(&columns.idx.to_le_bytes())))
    }

    /// The envelope in these stored bytes. `what` names it in words, for errors.
    pub(crate) fn open(
        sealed: &[u8],
        columns: WriteColumns<'_>,
        what: &dyn Fn() -> String,
    ) -> Result<Self, Error> {
        let idx = columns.idx.to_le_bytes();
        let envelope = super::open(sealed, &columns.parts(&idx), what)?;
        match super::decode::<Encoded>(envelope) {
            Some(Encoded(_, value, places, Mark(found))) if found == mark(columns.channel) => {
                Ok(Self { value, places })
            }
            _ => Err(Error::corrupt(
                "damaged-envelope",
                format!("{} is not of the shape of format {FORMAT}; restore it", what()),
            )),
        }
    }
}

impl Read for Encoded {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (format, value, places, mark) = Read::read(reader)?;
        Some(Self(format, value, places, mark))
    }
}

impl Read for Mark {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.bytes()?.try_into().ok().map(Self)
    }
}

impl Read for Places {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Vec::read(reader).map(Self)
    }
}

impl<'a> WriteColumns<'a> {
    fn parts(self, idx: &'a [u8]) -> [&'a [u8]; 7] {
        [
            self.thread_id.as_bytes(),
            self.checkpoint_ns.as_bytes(),
            self.checkpoint_id.as_bytes(),
            self.task_id.as_bytes(),
            idx,
            self.task_path.as_bytes(),
            self.channel.as_bytes(),
        ]
    }
}
