//! Stored format 1: how structures become bytes and are read again.
//!
//! docs/format.md specifies it byte by byte.

pub(crate) mod checkpoint;
pub(crate) mod json;
pub(crate) mod known;
pub(crate) mod known_history;
pub(crate) mod places;
pub(crate) mod read;
#[cfg(feature = "postgres")]
pub(crate) mod terms;
pub(crate) mod values;
pub(crate) mod write;

use serde::Serialize;

use crate::contract::error::{Error, Fault};

pub(crate) use read::decode;

/// The stored format that this crate writes, and the newest that it reads.
pub(crate) const FORMAT: u8 = 1;

/// Bytes of the checksum at the end of an envelope.
pub(crate) const CHECKSUM_BYTES: usize = 8;

/// A structure as MessagePack.
pub(crate) fn encode<T: Serialize>(structure: &T) -> Result<Vec<u8>, Error> {
    // Enough for most structures: growing step by step would copy the bytes each time.
    let mut bytes = Vec::with_capacity(512);
    rmp_serde::encode::write(&mut bytes, structure)
        .map(|()| bytes)
        .map_err(|error| Error::protocol("encoding-failed", format!("cannot encode: {error}")))
}

/// Appends to an envelope a checksum over it and the columns beside it.
pub(crate) fn seal(mut envelope: Vec<u8>, columns: &[&[u8]]) -> Vec<u8> {
    let checksum = checksum(&envelope, columns);
    envelope.extend_from_slice(&checksum);
    envelope
}

/// The envelope without its checksum, if its format and its checksum are right. `what` names the
/// envelope in words, for errors.
pub(crate) fn open<'a>(
    sealed: &'a [u8],
    columns: &[&[u8]],
    what: &dyn Fn() -> String,
) -> Result<&'a [u8], Error> {
    match sealed {
        // An array of up to 15 elements whose first is a number under 128: the format.
        [0x90..=0x9f, format @ 0..=0x7f, ..] if *format == FORMAT => {}
        [0x90..=0x9f, format @ 1..=0x7f, ..] => {
            return Err(newer(u64::from(*format), &what()));
        }
        _ => {
            return Err(Error::corrupt(
                "damaged-envelope",
                format!("{} does not begin as a stored envelope does; restore it", what()),
            ));
        }
    }
    let split = sealed.len().checked_sub(CHECKSUM_BYTES);
    let parts = split.and_then(|at| sealed.split_at_checked(at));
    match parts {
        Some((envelope, stored)) if checksum(envelope, columns) == stored => Ok(envelope),
        _ => Err(Error::corrupt(
            "damaged-envelope",
            format!("the checksum of {} does not match its bytes; restore it", what()),
        )),
    }
}

/// The checksum of an envelope, in upper case hexadecimal; empty if the envelope is too short to
/// have one.
pub(crate) fn checksum_text(sealed: &[u8]) -> String {
    let checksum = sealed.last_chunk::<CHECKSUM_BYTES>();
    checksum.map_or_else(String::new, |bytes| format!("{:016X}", u64::from_be_bytes(*bytes)))
}

/// The error for a structure that a newer version of this package wrote.
pub(crate) fn newer(format: u64, what: &str) -> Error {
    Error::UnsupportedFormat(Fault {
        code: "newer-format".to_owned(),
        message: format!(
            "{what} is of stored format {format}, and this version of \
             langgraph-checkpoint-wasm reads formats up to {FORMAT}; use the version that \
             wrote it, or a later one"
        ),
    })
}

/// The checksum over the envelope and the columns. Each is hashed with its length, so that no bytes
/// can move between them unnoticed.
fn checksum(envelope: &[u8], columns: &[&[u8]]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = blake3::Hasher::new();
    for part in std::iter::once(&envelope).chain(columns) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut short = [0; CHECKSUM_BYTES];
    for (to, from) in short.iter_mut().zip(hasher.finalize().as_bytes()) {
        *to = *from;
    }
    short
}
