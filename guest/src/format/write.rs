//! The envelope of a pending write.

use serde::Serialize;

use super::FORMAT;
use super::checkpoint::StoredValue;
use super::read::{Read, Reader};
use crate::error::Error;

/// As encoded: an array whose first element is the format.
#[derive(Serialize)]
struct Encoded(u8, StoredValue);

/// The columns beside a write's envelope that its checksum covers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriteColumns<'a> {
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

/// The stored bytes of a write's value.
pub(crate) fn seal(value: StoredValue, columns: WriteColumns<'_>) -> Result<Vec<u8>, Error> {
    let envelope = super::encode(&Encoded(FORMAT, value))?;
    Ok(super::seal(envelope, &columns.parts(&columns.idx.to_le_bytes())))
}

/// The value that these stored bytes hold; `place` says where they are stored.
pub(crate) fn open(
    sealed: &[u8],
    columns: WriteColumns<'_>,
    place: &dyn Fn() -> String,
) -> Result<StoredValue, Error> {
    let idx = columns.idx.to_le_bytes();
    let envelope = super::open(sealed, &columns.parts(&idx), place)?;
    match super::decode::<Encoded>(envelope) {
        Some(Encoded(_, value)) => Ok(value),
        None => Err(Error::corrupt(
            "damaged-envelope",
            format!("{} is not of the shape of format {FORMAT}; restore it", place()),
        )),
    }
}

impl Read for Encoded {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (format, value) = Read::read(reader)?;
        Some(Self(format, value))
    }
}

impl<'a> WriteColumns<'a> {
    fn parts(self, idx: &'a [u8]) -> [&'a [u8]; 5] {
        [
            self.checkpoint_id.as_bytes(),
            self.task_id.as_bytes(),
            idx,
            self.task_path.as_bytes(),
            self.channel.as_bytes(),
        ]
    }
}
