//! Calls of every kind, with arbitrary text and bytes.

use arbitrary::{Result, Unstructured};
use guest::{
    Call, ChannelValue, ChannelVersion, Checkpoint, Config, CopyThread, DeltaChannelHistory, Diff,
    Export, GetTuple, Id, Keep, KeptElements, Lease, List, MetadataFilter, NewValue, NewWrite,
    Payload, Prune, Pruned, Put, PutWrites, Run, Threads, Vacuum, Verify, Version,
};
use langgraph_checkpoint_guest as guest;

use crate::rows;

/// How often bytes are repeated: enough to exceed the limit of ids, and to fill several chunks.
const REPEATS: [usize; 5] = [1, 2, 40, 1_100, 20_000];

/// Any call.
pub fn call(u: &mut Unstructured<'_>) -> Result<Call> {
    Ok(match u.int_in_range(0..=12)? {
        0 => Call::Setup,
        10..=12 => return about_threads(u),
        1 | 2 => Call::GetTuple(GetTuple { config: config(u)?, known: token(u)? }),
        3 | 4 => Call::List(list(u)?),
        5 => Call::DeleteThread(config(u)?),
        6 => Call::DeltaChannelHistory(DeltaChannelHistory {
            config: config(u)?,
            channels: several(u, 3, text)?,
            known: token(u)?.into_iter().collect(),
        }),
        7 => Call::PutWrites(put_writes(u)?),
        _ => Call::Put(put(u)?),
    })
}

/// Any call about whole threads.
fn about_threads(u: &mut Unstructured<'_>) -> Result<Call> {
    let limit = u.arbitrary()?;
    Ok(match u.int_in_range(0..=9)? {
        0 => Call::Threads(Threads {
            limit,
            idle_since: u.ratio(1, 4)?.then(|| time(u)).transpose()?,
            id_prefix: u.ratio(1, 4)?.then(|| text(u)).transpose()?,
            filter: filter(u)?,
            resume: token(u)?,
        }),
        1 => Call::Stats(id(u)?),
        2 => Call::Verify(Verify { thread: id(u)?, resume: token(u)? }),
        3 => Call::Export(Export { thread: id(u)?, resume: token(u)? }),
        4 => Call::Diff(Diff { config: config(u)?, before: id(u)?, values: u.arbitrary()? }),
        5 => Call::Vacuum(Vacuum { pages: limit, resume: token(u)? }),
        6 | 7 => Call::CopyThread(CopyThread {
            source: id(u)?,
            target: id(u)?,
            latest_only: u.arbitrary()?,
        }),
        _ => Call::Prune(Prune {
            pruned: match u.int_in_range(0..=3)? {
                0 => Pruned::Idle(time(u)?),
                1 => Pruned::Runs(several(u, 2, id)?),
                _ => Pruned::Threads(several(u, 2, id)?),
            },
            keep: match u.int_in_range(0..=3)? {
                0 => Keep::Nothing,
                1 => Keep::Last(u.arbitrary()?),
                2 => Keep::NewerThan(time(u)?),
                _ => Keep::Latest,
            },
            limit,
            dry_run: u.ratio(1, 4)?,
            lease: match u.ratio(1, 8)? {
                true => Some(Lease { now_ms: u.arbitrary()?, length_ms: u.arbitrary()? }),
                false => None,
            },
            resume: token(u)?,
        }),
    })
}

/// A time, or what is none.
fn time(u: &mut Unstructured<'_>) -> Result<String> {
    let times = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z", "9999-01-01T00:00:00Z"];
    if u.ratio(7, 8)? { Ok((*u.choose(&times)?).to_owned()) } else { text(u) }
}

/// Any `put`, most often with an id that is accepted.
pub fn put(u: &mut Unstructured<'_>) -> Result<Put> {
    Ok(Put {
        config: config(u)?,
        checkpoint: Checkpoint {
            id: id(u)?,
            v: u.arbitrary()?,
            ts: text(u)?,
            channel_versions: several(u, 3, |u| {
                Ok(ChannelVersion { channel: text(u)?, version: version(u)? })
            })?,
            channel_values: several(u, 3, |u| {
                Ok(ChannelValue { channel: text(u)?, value: new_value(u)? })
            })?,
            rest: payload(u)?,
        },
        metadata: payload(u)?,
        new_versions: several(u, 3, text)?,
        run_id: id(u)?,
        known: token(u)?,
    })
}

fn new_value(u: &mut Unstructured<'_>) -> Result<NewValue> {
    Ok(match u.int_in_range(0..=15)? {
        0 => NewValue::Unchanged,
        1 => NewValue::Edited(several(u, 3, |u| {
            Ok(match u.arbitrary()? {
                true => Run::Kept(KeptElements { first: u.arbitrary()?, count: u.arbitrary()? }),
                false => Run::Fresh(payload(u)?.bytes),
            })
        })?),
        _ => payload(u)?.into(),
    })
}

fn put_writes(u: &mut Unstructured<'_>) -> Result<PutWrites> {
    Ok(PutWrites {
        config: config(u)?,
        writes: several(u, 4, |u| {
            let special = ["__error__", "__interrupt__", "__resume__", "__scheduled__"];
            let special = u.ratio(1, 4)?.then(|| u.choose(&special)).transpose()?;
            let channel = match special {
                Some(special) => (*special).to_owned(),
                None => text(u)?,
            };
            Ok(NewWrite { channel, value: payload(u)? })
        })?,
        task_id: id(u)?,
        task_path: text(u)?,
    })
}

fn list(u: &mut Unstructured<'_>) -> Result<List> {
    Ok(List {
        config: config(u)?,
        limit: u.arbitrary()?,
        before: id(u)?,
        filter: filter(u)?,
        resume: token(u)?,
    })
}

fn filter(u: &mut Unstructured<'_>) -> Result<Vec<MetadataFilter>> {
    // Each condition is a part of one statement, whose size is limited.
    let conditions = if u.ratio(1, 32)? { 1_200 } else { 3 };
    let mut filter = several(u, 3, |u| {
        let json = match u.int_in_range(0..=4)? {
            0 => text(u)?,
            1 => format!("{}", u.arbitrary::<i64>()?),
            2 => "\"loop\"".to_owned(),
            3 => format!("{}1{}", "[".repeat(90), "]".repeat(90)),
            _ => u.choose(&["null", "true", "1e999", "-0", "{\"a\":[]}"])?.to_string(),
        };
        Ok(MetadataFilter { key: text(u)?, json })
    })?;
    if let Some(first) = filter.first().cloned() {
        filter.resize(filter.len().max(conditions), first);
    }
    Ok(filter)
}

/// Any config, most often one that names a thread.
pub fn config(u: &mut Unstructured<'_>) -> Result<Config> {
    Ok(Config {
        thread_id: id(u)?,
        checkpoint_ns: if u.arbitrary()? { Id::Absent } else { id(u)? },
        checkpoint_id: if u.arbitrary()? { Id::Absent } else { id(u)? },
        thread_ts: if u.arbitrary()? { Id::Absent } else { id(u)? },
    })
}

fn id(u: &mut Unstructured<'_>) -> Result<Id> {
    Ok(match u.int_in_range(0..=9)? {
        0 => Id::Absent,
        1 => Id::Number(u.arbitrary()?),
        2 => Id::Number(f64::from(u.arbitrary::<i16>()?)),
        3 => Id::Unsupported(text(u)?),
        _ => Id::Text(text(u)?),
    })
}

fn version(u: &mut Unstructured<'_>) -> Result<Version> {
    Ok(match u.int_in_range(0..=2)? {
        0 => Version::Number(u.arbitrary()?),
        1 => Version::Number(f64::from(u.arbitrary::<i16>()?)),
        _ => Version::Text(text(u)?),
    })
}

/// Any text; mostly one of a few names.
pub fn text(u: &mut Unstructured<'_>) -> Result<String> {
    if u.ratio(3, 4)? {
        return rows::id(u).map(str::to_owned);
    }
    let text: &str = u.arbitrary()?;
    let times = *u.choose(&REPEATS)?;
    Ok(text.repeat(times.min(40_000 / text.len().max(1))))
}

fn payload(u: &mut Unstructured<'_>) -> Result<Payload> {
    let kind = *u.choose(&["json", "msgpack", "bytes", "", "null"])?;
    let bytes: &[u8] = u.arbitrary()?;
    let times = *u.choose(&REPEATS)?;
    let mut bytes = bytes.repeat(times.min(100_000 / bytes.len().max(1)));
    if kind == "json" && u.arbitrary()? {
        let text = serde_json::Value::from(String::from_utf8_lossy(&bytes));
        bytes = format!("[{text},{text}]").into_bytes();
    }
    Ok(Payload { kind: kind.to_owned(), bytes })
}

/// Bytes in place of those that a host carries from one call to the next.
fn token(u: &mut Unstructured<'_>) -> Result<Option<Vec<u8>>> {
    if u.ratio(7, 8)? { Ok(None) } else { u.arbitrary().map(Some) }
}

fn several<T>(
    u: &mut Unstructured<'_>,
    count_max: usize,
    mut one: impl FnMut(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let count = u.int_in_range(0..=count_max)?;
    (0..count).map(|_| one(u)).collect()
}
