//! Reads calls, answers and options from bytes.

use rmp::Marker;

use crate::contract::call::{
    Call, ChannelValue, ChannelVersion, Checkpoint, Config, CopyThread, DeltaChannelHistory, Diff,
    Export, GetTuple, Id, Keep, KeptElements, Lease, List, MetadataFilter, NewValue, NewWrite,
    Payload, Prune, Pruned, Put, PutWrites, Run, Threads, Vacuum, Verify, Version,
};
use crate::contract::error::Error;
use crate::contract::http::{HttpAnswer, HttpResponse, Moment};
use crate::contract::progress::Answer;
use crate::contract::statement::{RowSet, Value};
use crate::contract::status::UnshownCall;
use crate::format::read::{Read, Reader};
#[cfg(feature = "postgres")]
use crate::stores::PostgresOptions;
use crate::stores::StoreOptions;
#[cfg(feature = "kusto")]
use crate::stores::kusto::{IngestMode, KustoOptions};

/// What to start.
#[expect(clippy::large_enum_variant, reason = "one at a time is begun")]
pub(super) enum Start {
    One(Call),
    /// Calls of one thread that write.
    Together(Vec<Call>),
}

/// The error `malformed-bytes`. `what` should have been in the bytes.
pub(super) fn malformed(what: &str) -> Error {
    Error::protocol("malformed-bytes", format!("the bytes of a {what} do not have its shape"))
}

/// The case of `Start::Together`.
const TOGETHER: u32 = 64;

impl Read for Start {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.array(|reader, fields| {
            Some(match (count(reader)?, fields) {
                (TOGETHER, 2) => Self::Together(Read::read(reader)?),
                (case, fields) => Self::One(call(reader, case, fields)?),
            })
        })
    }
}

impl Read for Call {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.array(|reader, fields| {
            let case = count(reader)?;
            call(reader, case, fields)
        })
    }
}

fn call(reader: &mut Reader<'_>, case: u32, fields: usize) -> Option<Call> {
    Some(match (case, fields) {
        (0, 1) => Call::Setup,
        (1, 3) => {
            Call::GetTuple(GetTuple { config: Read::read(reader)?, known: optional_blob(reader)? })
        }
        (2, 6) => Call::List(List {
            config: Read::read(reader)?,
            limit: Read::read(reader)?,
            before: Read::read(reader)?,
            filter: Read::read(reader)?,
            resume: optional_blob(reader)?,
        }),
        (3, 7) => Call::Put(Put {
            config: Read::read(reader)?,
            checkpoint: Read::read(reader)?,
            metadata: Read::read(reader)?,
            new_versions: Read::read(reader)?,
            run_id: Read::read(reader)?,
            known: optional_blob(reader)?,
        }),
        (4, 5) => Call::PutWrites(PutWrites {
            config: Read::read(reader)?,
            writes: Read::read(reader)?,
            task_id: Read::read(reader)?,
            task_path: Read::read(reader)?,
        }),
        (5, 2) => Call::DeleteThread(Read::read(reader)?),
        (6, 4) => Call::DeltaChannelHistory(DeltaChannelHistory {
            config: Read::read(reader)?,
            channels: Read::read(reader)?,
            known: reader.array(|reader, count| {
                (0..count).map(|_| reader.bytes().map(<[u8]>::to_vec)).collect()
            })?,
        }),
        (7, 1) => Call::Flush,
        _ => return about_threads(reader, case, fields),
    })
}

/// A call about whole threads or stores.
fn about_threads(reader: &mut Reader<'_>, case: u32, fields: usize) -> Option<Call> {
    Some(match (case, fields) {
        (8, 7) => Call::Prune(Prune {
            pruned: Read::read(reader)?,
            keep: Read::read(reader)?,
            limit: Read::read(reader)?,
            dry_run: reader.bool()?,
            lease: Read::read(reader)?,
            resume: optional_blob(reader)?,
        }),
        (9, 4) => Call::CopyThread(CopyThread {
            source: Read::read(reader)?,
            target: Read::read(reader)?,
            latest_only: reader.bool()?,
        }),
        (10, 6) => Call::Threads(Threads {
            limit: Read::read(reader)?,
            idle_since: Read::read(reader)?,
            id_prefix: Read::read(reader)?,
            filter: Read::read(reader)?,
            resume: optional_blob(reader)?,
        }),
        (11, 2) => Call::Stats(Read::read(reader)?),
        (12, 3) => {
            Call::Verify(Verify { thread: Read::read(reader)?, resume: optional_blob(reader)? })
        }
        (13, 3) => {
            Call::Vacuum(Vacuum { pages: Read::read(reader)?, resume: optional_blob(reader)? })
        }
        (14, 3) => {
            Call::Export(Export { thread: Read::read(reader)?, resume: optional_blob(reader)? })
        }
        (15, 4) => Call::Diff(Diff {
            config: Read::read(reader)?,
            before: Read::read(reader)?,
            values: reader.bool()?,
        }),
        _ => return None,
    })
}

impl Read for Lease {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.fields(2, |reader| {
            Some(Self { now_ms: Read::read(reader)?, length_ms: Read::read(reader)? })
        })
    }
}

impl Read for Pruned {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.fields(2, |reader| {
            Some(match count(reader)? {
                0 => Self::Threads(Read::read(reader)?),
                1 => Self::Idle(Read::read(reader)?),
                2 => Self::Runs(Read::read(reader)?),
                _ => return None,
            })
        })
    }
}

impl Read for Keep {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.array(|reader, fields| {
            Some(match (count(reader)?, fields) {
                (0, 1) => Self::Nothing,
                (1, 1) => Self::Latest,
                (2, 2) => Self::Last(count(reader)?),
                (3, 2) => Self::NewerThan(Read::read(reader)?),
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
                let (first, count) = (count(reader)?, count(reader)?);
                Some(Self::Kept(KeptElements { first, count }))
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

impl Read for Answer {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.array(|reader, fields| {
            Some(match (count(reader)?, fields) {
                (0, 2) => Self::Sql(Read::read(reader)?),
                (1, 2) => Self::Http(HttpAnswer::Response(Read::read(reader)?)),
                (2, 2) => Self::Http(HttpAnswer::Failed(Read::read(reader)?)),
                (3, 1) => Self::Http(HttpAnswer::TooLarge),
                (4, 1) => Self::Waited,
                _ => return None,
            })
        })
    }
}

impl Read for HttpResponse {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.fields(3, |reader| {
            Some(Self {
                status: count(reader)?.try_into().ok()?,
                headers: Read::read(reader)?,
                body: reader.bytes()?.to_vec(),
            })
        })
    }
}

impl Read for Moment {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader
            .fields(2, |reader| Some(Self { now: reader.unsigned()?, entropy: reader.unsigned()? }))
    }
}

impl Read for UnshownCall {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.fields(3, |reader| {
            Some(Self {
                thread_id: Read::read(reader)?,
                rev: reader.integer()?,
                rows: count(reader)?,
            })
        })
    }
}

impl Read for StoreOptions {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.array(|reader, fields| {
            Some(match (count(reader)?, fields) {
                (0, 1) => Self::Sqlite,
                #[cfg(feature = "postgres")]
                (2, 2) => Self::Postgres(PostgresOptions { schema: Read::read(reader)? }),
                #[cfg(feature = "kusto")]
                (1, 13) => Self::Kusto(kusto_options(reader)?),
                _ => return None,
            })
        })
    }
}

#[cfg(feature = "kusto")]
fn kusto_options(reader: &mut Reader<'_>) -> Option<KustoOptions> {
    Some(KustoOptions {
        cluster_uri: Read::read(reader)?,
        database: Read::read(reader)?,
        table: Read::read(reader)?,
        ingest_mode: match count(reader)? {
            0 => IngestMode::Auto,
            1 => IngestMode::Streaming,
            2 => IngestMode::Inline,
            _ => return None,
        },
        batch_size: optional_count(reader)?,
        flush_interval_ms: optional_count(reader)?,
        deadline_ms: optional_count(reader)?,
        retention_days: optional_count(reader)?,
        visibility_timeout_ms: optional_count(reader)?,
        admin: reader.bool()?,
        trusted_hosts: Read::read(reader)?,
        credential: reader.bool()?,
    })
}

#[cfg(feature = "kusto")]
fn optional_count(reader: &mut Reader<'_>) -> Option<Option<u32>> {
    if reader.kind()? == Marker::Null {
        reader.nil()?;
        return Some(None);
    }
    count(reader).map(Some)
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

/// Reads a count or position, which JavaScript sends as a double. `None` if it is not a whole
/// number of 32 bits.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number that does not convert exactly is refused"
)]
pub(super) fn count(reader: &mut Reader<'_>) -> Option<u32> {
    let number = reader.real()?;
    let whole = number as u32;
    (f64::from(whole) == number).then_some(whole)
}
