//! Calls and row sets out of bytes.

use rmp::Marker;

use crate::contract::call::{
    Call, ChannelValue, ChannelVersion, Checkpoint, Config, DeltaChannelHistory, GetTuple, Id,
    List, MetadataFilter, NewValue, NewWrite, Payload, Put, PutWrites, Run, Version,
};
use crate::contract::statement::{RowSet, Value};
use crate::format::read::{Read, Reader};

/// The answer to a batch.
pub(super) struct PackedAnswer(pub(super) Vec<RowSet>);

impl Read for Call {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.array(|reader, fields| {
            let case = u32_of(reader.real()?)?;
            Some(match (case, fields) {
                (0, 1) => Self::Setup,
                (1, 3) => Self::GetTuple(GetTuple {
                    config: Read::read(reader)?,
                    known: optional_blob(reader)?,
                }),
                (2, 6) => Self::List(List {
                    config: Read::read(reader)?,
                    limit: Read::read(reader)?,
                    before: Read::read(reader)?,
                    filter: Read::read(reader)?,
                    resume: optional_blob(reader)?,
                }),
                (3, 6) => Self::Put(Put {
                    config: Read::read(reader)?,
                    checkpoint: Read::read(reader)?,
                    metadata: Read::read(reader)?,
                    new_versions: Read::read(reader)?,
                    known: optional_blob(reader)?,
                }),
                (4, 5) => Self::PutWrites(PutWrites {
                    config: Read::read(reader)?,
                    writes: Read::read(reader)?,
                    task_id: Read::read(reader)?,
                    task_path: Read::read(reader)?,
                }),
                (5, 2) => Self::DeleteThread(Read::read(reader)?),
                (6, 4) => Self::DeltaChannelHistory(DeltaChannelHistory {
                    config: Read::read(reader)?,
                    channels: Read::read(reader)?,
                    known: reader.array(|reader, count| {
                        (0..count).map(|_| reader.bytes().map(<[u8]>::to_vec)).collect()
                    })?,
                }),
                _ => return None,
            })
        })
    }
}

impl Read for Config {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.fields(4, |reader| {
            Some(Self {
                thread_id: Read::read(reader)?,
                checkpoint_ns: Read::read(reader)?,
                checkpoint_id: Read::read(reader)?,
                thread_ts: Read::read(reader)?,
            })
        })
    }
}

impl Read for Id {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(match reader.kind()? {
            Marker::Null => {
                reader.nil()?;
                Self::Absent
            }
            Marker::F64 => Self::Number(reader.real()?),
            Marker::FixArray(_) => Self::Unsupported(reader.fields(1, Read::read)?),
            _ => Self::Text(Read::read(reader)?),
        })
    }
}

impl Read for Checkpoint {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.fields(6, |reader| {
            Some(Self {
                id: Read::read(reader)?,
                v: reader.real()?,
                ts: Read::read(reader)?,
                channel_versions: Read::read(reader)?,
                channel_values: Read::read(reader)?,
                rest: Read::read(reader)?,
            })
        })
    }
}

impl Read for ChannelVersion {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (channel, version) = Read::read(reader)?;
        Some(Self { channel, version })
    }
}

impl Read for Version {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(match reader.kind()? {
            Marker::F64 => Self::Number(reader.real()?),
            _ => Self::Text(Read::read(reader)?),
        })
    }
}

impl Read for ChannelValue<NewValue> {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (channel, value) = Read::read(reader)?;
        Some(Self { channel, value })
    }
}

impl Read for NewValue {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        if reader.kind()? == Marker::Null {
            reader.nil()?;
            return Some(Self::Unchanged);
        }
        reader.array(|reader, fields| {
            Some(match fields {
                1 => Self::Edited(Read::read(reader)?),
                2 => Self::Whole(payload(reader)?),
                _ => return None,
            })
        })
    }
}

impl Read for Run {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        if matches!(reader.kind()?, Marker::FixArray(_)) {
            return reader.fields(2, |reader| {
                let (first, count) = (u32_of(reader.real()?)?, u32_of(reader.real()?)?);
                Some(Self::Kept { first, count })
            });
        }
        Some(Self::Fresh(reader.bytes()?.to_vec()))
    }
}

impl Read for Payload {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.fields(2, payload)
    }
}

fn payload(reader: &mut Reader<'_>) -> Option<Payload> {
    Some(Payload { kind: Read::read(reader)?, bytes: reader.bytes()?.to_vec() })
}

impl Read for NewWrite {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (channel, value) = Read::read(reader)?;
        Some(Self { channel, value })
    }
}

impl Read for MetadataFilter {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (key, json) = Read::read(reader)?;
        Some(Self { key, json })
    }
}

impl Read for PackedAnswer {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Read::read(reader).map(Self)
    }
}

impl Read for RowSet {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Read::read(reader).map(|rows| Self { rows })
    }
}

impl Read for Value {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(match reader.kind()? {
            Marker::Null => {
                reader.nil()?;
                Self::Null
            }
            Marker::F64 => Self::Real(reader.real()?),
            Marker::I64 | Marker::U64 => Self::Integer(reader.integer()?),
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => Self::Blob(reader.bytes()?.to_vec()),
            _ => Self::Text(Read::read(reader)?),
        })
    }
}

impl Read for f64 {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.real()
    }
}

fn optional_blob(reader: &mut Reader<'_>) -> Option<Option<Vec<u8>>> {
    if reader.kind()? == Marker::Null {
        reader.nil()?;
        return Some(None);
    }
    Some(Some(reader.bytes()?.to_vec()))
}

/// A count or place, which JavaScript has as a double.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what it is not exactly is refused"
)]
fn u32_of(number: f64) -> Option<u32> {
    let whole = number as u32;
    (f64::from(whole) == number).then_some(whole)
}
