//! What is stored of a checkpoint as the rows of LangGraph's own savers: the reverse of a takeover.
//!
//! The bytes of each value and its type are those that are stored. In SQLite a checkpoint is one
//! object, so its values have to be of that object's encoding; in PostgreSQL each value has a row.
//! What does not fit is left out, with a problem that names it:
//!
//! - A value of JSON does not go to Python, nor one of MessagePack to JavaScript.
//! - An encrypted value has a place in PostgreSQL and among the writes, and none in an object.
//!
//! Python's saver on PostgreSQL keeps the fields of a checkpoint as JSON and others keep them as
//! MessagePack. These fields are LangGraph's and plain, and go from one to the other.

use super::fields::{Encoding, Member};
use super::stock::{NewStockRows, Note};
use crate::contract::call::{Payload, Version};
use crate::contract::lifecycle::Language;
use crate::contract::outcome::{CheckpointTuple, Exported, PlacedWrite};
use crate::contract::statement::Value;
use crate::format::json;

/// The serializer's extension type of a delta channel's snapshot, in Python.
const DELTA_SNAPSHOT: u8 = 7;

/// Why a checkpoint or a write has no rows: a code, and what was found.
type Unfit = (&'static str, String);

/// The tables to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The language of the saver.
    pub language: Language,
    /// Whether values are stored beside their checkpoints.
    pub has_values_beside: bool,
}

/// The rows for these tables.
pub fn stock_rows(layout: Layout, exported: &Exported) -> NewStockRows {
    let mut rows = NewStockRows::default();
    if let Some(tuple) = &exported.checkpoint {
        let made = if layout.has_values_beside {
            beside(layout, exported, tuple, &mut rows)
        } else {
            inside(layout, exported, tuple, &mut rows)
        };
        match made {
            Ok(row) => rows.checkpoint = Some(row),
            Err((code, what)) => {
                rows.values.clear();
                rows.notes.clear();
                let id = &exported.checkpoint_id;
                let message = format!("checkpoint {id} {what}; it was left out");
                rows.problems.push(Note { code, message });
            }
        }
    }
    note_own_records(layout.language, exported, &mut rows);
    for write in &exported.writes {
        if !fits(layout.language, &write.value.kind) {
            let PlacedWrite { task_id, channel, value, .. } = write;
            let message = format!(
                "the write of task {task_id} to channel {channel} of checkpoint {} is of type {}, \
                 which the target's language does not read; it was left out",
                exported.checkpoint_id, value.kind
            );
            rows.problems.push(Note { code: "unfit-write", message });
            continue;
        }
        rows.writes.push(write_row(layout.language, exported, write));
    }
    rows
}

/// The row of a checkpoint that has its values in itself.
fn inside(
    layout: Layout,
    exported: &Exported,
    tuple: &CheckpointTuple,
    rows: &mut NewStockRows,
) -> Result<Vec<Value>, Unfit> {
    let encoding = match layout.language {
        Language::JavaScript => Encoding::Json,
        Language::Python => Encoding::Msgpack,
    };
    let rest = rest(layout.language, encoding, tuple)?;
    let mut values = Vec::with_capacity(tuple.channel_values.len());
    for entry in &tuple.channel_values {
        let payload = &entry.value;
        let value = value_inside(encoding, payload, rows);
        let value = value.ok_or_else(|| unfit_value(&entry.channel, &payload.kind))?;
        values.push(encoding.entry(&entry.channel, &value));
    }
    let values = encoding.object_of(&values);
    let checkpoint = object(encoding, exported, tuple, Some(&values), &rest)?;
    let mut row = key(exported);
    row.push(tuple.parent_checkpoint_id.clone().map_or(Value::Null, Value::Text));
    row.push(text(encoding.kind()));
    row.push(Value::Blob(checkpoint));
    row.push(Value::Blob(metadata(tuple)?.to_vec()));
    Ok(row)
}

/// A value inside an object of this encoding, as the serializer puts it there; `None` if it has no
/// place there.
fn value_inside(
    encoding: Encoding,
    Payload { kind, bytes }: &Payload,
    rows: &mut NewStockRows,
) -> Option<Vec<u8>> {
    match (encoding, kind.as_str()) {
        (Encoding::Json, "json") | (Encoding::Msgpack, "msgpack") => Some(bytes.clone()),
        // What a value alone says by its type.
        (Encoding::Msgpack, "null") => encoding.scalar(encoding, &[0xc0]),
        (_, "bytes") => Some(encoding.of_bytes(bytes)),
        // Python's saver on PostgreSQL stores these as JSON, and every other value otherwise.
        (Encoding::Msgpack, "json") => {
            let scalar = Encoding::Json.scalar(encoding, bytes.trim_ascii())?;
            note_scalar(rows);
            Some(scalar)
        }
        _ => None,
    }
}

/// The row of a checkpoint that has values beside it, and their rows.
fn beside(
    layout: Layout,
    exported: &Exported,
    tuple: &CheckpointTuple,
    rows: &mut NewStockRows,
) -> Result<Vec<Value>, Unfit> {
    let encoding = Encoding::Json;
    let rest = rest(layout.language, encoding, tuple)?;
    let mut inside = Vec::new();
    for entry in &tuple.channel_values {
        let channel = &entry.channel;
        let payload = &entry.value;
        if layout.language == Language::Python && payload.kind == "json" {
            let scalar = Encoding::Json.scalar(encoding, payload.bytes.trim_ascii());
            scalar.ok_or_else(|| unfit_value(channel, &payload.kind))?;
            inside.push(encoding.entry(channel, &payload.bytes));
            continue;
        }
        if !fits(layout.language, &payload.kind) {
            return Err(unfit_value(channel, &payload.kind));
        }
        let mut versions = tuple.channel_versions.iter();
        let Some(version) = versions.find(|version| version.channel == *channel) else {
            rows.notes.push(Note {
                code: "value-without-version",
                message: format!(
                    "the value of channel {channel} has no version, and savers for PostgreSQL \
                     store no such value; it was left out"
                ),
            });
            continue;
        };
        let version = match &version.version {
            Version::Text(text) => text.clone(),
            Version::Number(_) => {
                let number = encoding.of_version(&version.version).unwrap_or_default();
                String::from_utf8(number).unwrap_or_default()
            }
        };
        if layout.language == Language::Python && is_delta_snapshot(payload) {
            inside.push(encoding.entry(channel, b"true"));
        }
        rows.values.push(vec![
            text(&exported.thread_id),
            text(&exported.checkpoint_ns),
            text(channel),
            text(&version),
            text(&payload.kind),
            Value::Blob(payload.bytes.clone()),
        ]);
    }
    let inside = (layout.language == Language::Python).then(|| encoding.object_of(&inside));
    let checkpoint = object(encoding, exported, tuple, inside.as_deref(), &rest)?;
    let mut row = key(exported);
    row.push(tuple.parent_checkpoint_id.clone().map_or(Value::Null, Value::Text));
    row.push(jsonb("its fields", &checkpoint)?);
    row.push(jsonb("its metadata", metadata(tuple)?)?);
    Ok(row)
}

/// The fields that a put does not pass one by one, in this encoding.
fn rest(language: Language, encoding: Encoding, tuple: &CheckpointTuple) -> Result<Vec<u8>, Unfit> {
    let Payload { kind, bytes } = &tuple.rest;
    if kind == encoding.kind() && (language == Language::JavaScript || is_of_python(tuple)) {
        return Ok(bytes.clone());
    }
    let from = Encoding::of(kind).filter(|_| language == Language::Python && is_of_python(tuple));
    from.and_then(|from| from.plain(encoding, bytes.trim_ascii())).ok_or_else(|| {
        let what = format!("has fields of type {kind}, which the target's language does not read");
        ("unfit-checkpoint", what)
    })
}

/// Whether a checkpoint is Python's, as far as its fields, versions and values show. Its saver on
/// PostgreSQL has every value but scalars in another type than JSON.
fn is_of_python(tuple: &CheckpointTuple) -> bool {
    let is_text = |version: &Version| matches!(version, Version::Text(_));
    tuple.rest.kind == Encoding::Msgpack.kind()
        || tuple.channel_values.iter().any(|entry| entry.value.kind != "json")
        || (!tuple.channel_versions.is_empty()
            && tuple.channel_versions.iter().all(|entry| is_text(&entry.version)))
}

/// A checkpoint with these values.
fn object(
    encoding: Encoding,
    exported: &Exported,
    tuple: &CheckpointTuple,
    values: Option<&[u8]>,
    rest: &[u8],
) -> Result<Vec<u8>, Unfit> {
    let unreadable = |what: &str| ("unfit-checkpoint", format!("has {what}"));
    let v = encoding.of_number(tuple.v).ok_or_else(|| unreadable("no finite v"))?;
    let version = |entry: &crate::contract::call::ChannelVersion| {
        Some(encoding.entry(&entry.channel, &encoding.of_version(&entry.version)?))
    };
    let versions = tuple.channel_versions.iter().map(version).collect::<Option<Vec<_>>>();
    let versions = versions.ok_or_else(|| unreadable("a version that is no finite number"))?;
    let mut entries = vec![
        encoding.entry("v", &v),
        encoding.entry("id", &encoding.of_text(&exported.checkpoint_id)),
        encoding.entry("ts", &encoding.of_text(&tuple.ts)),
    ];
    entries.extend(values.map(|values| encoding.entry("channel_values", values)));
    entries.push(encoding.entry("channel_versions", &encoding.object_of(&versions)));
    let members = encoding.members(rest).ok_or_else(|| unreadable("fields that are no object"))?;
    entries.extend(members.iter().map(Member::entry));
    Ok(encoding.object_of(&entries))
}

/// The metadata, which is JSON in every layout.
fn metadata(tuple: &CheckpointTuple) -> Result<&[u8], Unfit> {
    let Payload { kind, bytes } = &tuple.metadata;
    if kind != Encoding::Json.kind() {
        return Err((
            "unfit-checkpoint",
            format!("has metadata of type {kind}, which is not json"),
        ));
    }
    Ok(bytes)
}

/// JSON for a column of `jsonb`, which has neither U+0000 nor half a surrogate pair.
fn jsonb(what: &str, bytes: &[u8]) -> Result<Value, Unfit> {
    let unfit = |found: &str| ("unfit-checkpoint", format!("has {found} in {what}"));
    let json = std::str::from_utf8(bytes).map_err(|_| unfit("bytes that are no text"))?;
    if !json::is_value(bytes) {
        return Err(unfit("no valid JSON"));
    }
    let is_storable = json
        .split('"')
        .filter(|part| part.contains("\\u"))
        .all(|part| json::text(part).is_some_and(|text| !text.contains('\0')));
    if !is_storable {
        return Err(unfit("U+0000 or half a surrogate pair"));
    }
    Ok(text(json))
}

fn write_row(language: Language, exported: &Exported, write: &PlacedWrite) -> Vec<Value> {
    let mut row = key(exported);
    row.push(text(&write.task_id));
    row.push(Value::Integer(write.idx));
    row.push(text(&write.channel));
    row.push(text(&write.value.kind));
    row.push(Value::Blob(write.value.bytes.clone()));
    if language == Language::Python {
        row.push(text(&write.task_path));
    }
    row
}

/// Whether a language's serializers have values of this type.
fn fits(language: Language, kind: &str) -> bool {
    let plain = kind.split('+').next().unwrap_or_default();
    match language {
        Language::JavaScript => !["msgpack", "pickle", "null", "bytearray"].contains(&plain),
        Language::Python => plain != "json",
    }
}

fn is_delta_snapshot(Payload { kind, bytes }: &Payload) -> bool {
    let at = match bytes.first() {
        Some(0xd4..=0xd8) => 1,
        Some(0xc7) => 2,
        Some(0xc8) => 3,
        Some(0xc9) => 5,
        _ => return false,
    };
    kind == Encoding::Msgpack.kind() && bytes.get(at) == Some(&DELTA_SNAPSHOT)
}

fn unfit_value(channel: &str, kind: &str) -> Unfit {
    let what = format!(
        "has a value of type {kind} in channel {channel}, which has no place in the target's layout"
    );
    ("unfit-value", what)
}

fn note_scalar(rows: &mut NewStockRows) {
    const CODE: &str = "scalars-as-msgpack";
    if rows.notes.iter().all(|note| note.code != CODE) {
        let message = "texts, numbers, booleans and nulls that Python's saver for PostgreSQL keeps \
                       as JSON were stored as MessagePack";
        rows.notes.push(Note { code: CODE, message: message.to_owned() });
    }
}

/// Notes records of this package's JSON that LangGraph.js reads as plain objects.
fn note_own_records(language: Language, exported: &Exported, rows: &mut NewStockRows) {
    if language != Language::JavaScript {
        return;
    }
    let values = exported.checkpoint.iter().flat_map(|tuple| &tuple.channel_values);
    let values = values.map(|entry| &entry.value);
    let mut payloads = values.chain(exported.writes.iter().map(|write| &write.value));
    if payloads.any(|payload| has_own_record(&payload.bytes)) {
        rows.notes.push(Note {
            code: "own-records",
            message: "dates, bigints, typed arrays, NaN, Infinity or -0 inside values are records \
                      of this package's JSON, which LangGraph's own saver reads as plain objects"
                .to_owned(),
        });
    }
}

fn has_own_record(bytes: &[u8]) -> bool {
    const BEGIN: &[u8] = br#"{"lc":2,"type":""#;
    const TYPES: [&[u8]; 6] =
        [b"date\"", b"number\"", b"bigint\"", b"binary\"", b"extension\"", b"escaped\""];
    memchr::memmem::find_iter(bytes, BEGIN).any(|at| {
        let rest = bytes.get(at + BEGIN.len()..).unwrap_or_default();
        TYPES.iter().any(|kind| rest.starts_with(kind))
    })
}

/// The columns that every row begins with.
fn key(exported: &Exported) -> Vec<Value> {
    vec![text(&exported.thread_id), text(&exported.checkpoint_ns), text(&exported.checkpoint_id)]
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
