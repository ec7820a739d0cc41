//! Transcripts: calls in order and their expected outcomes, as data.
//!
//! Every host runs the same files (`tests/transcripts/*.json`) and must give the same outcomes
//! and leave the same bytes in the store. `tests/transcripts/README.md` describes the format.

mod threads;

use std::path::Path;

use langgraph_checkpoint_guest as guest;
use langgraph_checkpoint_guest::{
    Call, CheckpointTuple, Outcome, Page, Payload, TupleValue, Version,
};
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// A file of `tests/transcripts`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transcript {
    /// What the transcript shows.
    pub shows: String,
    /// The calls.
    pub steps: Vec<Step>,
    /// The digest of the store after the last call.
    pub stored: String,
}

/// A call and what it must give.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The call's name and its arguments.
    pub call: Value,
    /// The outcome.
    pub gives: Value,
}

/// All transcripts by name, in order.
///
/// # Panics
///
/// When a file is not a transcript.
pub fn all() -> Vec<(String, Transcript)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let transcript = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{name} is not a transcript: {error}"));
            (name, transcript)
        })
        .collect()
}

/// The transcripts without calls about whole threads, which an agent does not make, in order.
pub fn common() -> Vec<(String, Transcript)> {
    let mut common = all();
    common.retain(|(name, _)| !name.starts_with("lifecycle_"));
    common
}

/// What a call gives on a store that keeps chunks until its retention drops them: the same, without
/// what a prune frees of them and without the bytes and chunks that are stored.
pub fn keeping_chunks(step: &Step, mut gives: Value) -> Value {
    let is_copy = step.call["name"] == "copy_thread";
    let differing: [(&str, &[&str]); 2] = [
        ("stats", &["record_bytes", "chunks", "chunk_bytes"]),
        ("work", if is_copy { &[] } else { &["chunks", "bytes"] }),
    ];
    for (outcome, names) in differing {
        if let Some(numbers) = gives.get_mut(outcome).and_then(Value::as_object_mut) {
            names.iter().for_each(|name| drop(numbers.remove(*name)));
        }
    }
    gives
}

/// The call a step makes. A `list` is one page of it.
pub fn call(step: &Value) -> Call {
    let name = step["name"].as_str().unwrap_or_default();
    let config = config(&step["config"]);
    match name {
        "put" => Call::Put(guest::Put {
            config,
            checkpoint: checkpoint(&step["checkpoint"]),
            metadata: payload(&step["metadata"]),
            new_versions: strings(&step["new_versions"]),
            run_id: id(&step["run_id"]),
            known: None,
        }),
        "put_writes" => Call::PutWrites(guest::PutWrites {
            config,
            writes: list(&step["writes"])
                .iter()
                .map(|write| guest::NewWrite {
                    channel: text(&write[0]),
                    value: payload(&write[1]),
                })
                .collect(),
            task_id: id(&step["task_id"]),
            task_path: step["task_path"].as_str().unwrap_or_default().to_owned(),
        }),
        "get_tuple" => Call::GetTuple(guest::GetTuple { config, known: None }),
        "list" => Call::List(guest::List {
            config,
            limit: step["limit"].as_f64(),
            before: id(&step["before"]),
            filter: conditions(&step["filter"]),
            resume: None,
        }),
        "delete_thread" => Call::DeleteThread(config),
        "get_delta_channel_history" => Call::DeltaChannelHistory(guest::DeltaChannelHistory {
            config,
            channels: strings(&step["channels"]),
            known: Vec::new(),
        }),
        _ => threads::call(name, step),
    }
}

fn conditions(filter: &Value) -> Vec<guest::MetadataFilter> {
    entries(filter)
        .map(|(key, value)| guest::MetadataFilter { key: key.clone(), json: value.to_string() })
        .collect()
}

/// An outcome, or an error's code, as a transcript writes it. Of several pages, the tuples of
/// all of them.
pub fn gives(result: Result<Vec<Outcome>, &str>) -> Value {
    let outcomes = match result {
        Ok(outcomes) => outcomes,
        Err(code) => return json!({ "error": code }),
    };
    if let Some(given) = threads::gives(&outcomes) {
        return given;
    }
    let pages = outcomes.iter().all(|outcome| matches!(outcome, Outcome::Page(_)));
    if pages {
        let tuples = outcomes.into_iter().flat_map(|outcome| match outcome {
            Outcome::Page(page) => tuples(page),
            _ => Vec::new(),
        });
        return json!({ "tuples": tuples.map(|whole| tuple(&whole)).collect::<Vec<_>>() });
    }
    match &outcomes[0] {
        Outcome::Found(None) => json!({ "tuple": null }),
        Outcome::Found(Some(found)) => {
            json!({ "tuple": tuple(&found.tuple.clone().resolve(&[]).unwrap()) })
        }
        Outcome::Stored(stored) => json!({
            "config": three(&stored.thread_id, &stored.checkpoint_ns, &stored.checkpoint_id)
        }),
        Outcome::History(histories) => {
            let mut map = Map::new();
            for history in histories {
                let mut entry = Map::new();
                let writes = history.writes.iter().map(pending);
                entry.insert("writes".to_owned(), writes.collect());
                if let Some(seed) = &history.seed {
                    entry.insert("seed".to_owned(), value(seed));
                }
                map.insert(history.channel.clone(), Value::Object(entry));
            }
            json!({ "history": map })
        }
        _ => json!({}),
    }
}

/// A digest of every row of every table, in the order of their keys.
///
/// # Panics
///
/// When the tables are not those of format 1.
pub fn stored(connection: &Connection) -> String {
    let mut digest = Sha256::new();
    for (table, columns) in TABLES {
        let row = columns.split(", ").map(|column| format!("quote({column})")).collect::<Vec<_>>();
        let sql = format!("SELECT {} FROM {table} ORDER BY 1", row.join(" || '|' || "));
        let mut statement = connection.prepare(&sql).unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            digest.update(format!("{table}|{}\n", row.get::<_, String>(0).unwrap()));
        }
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Tables and columns whose rows make the digest.
pub const TABLES: [(&str, &str); 5] = [
    ("lg_format", "format"),
    ("lg_threads", "thread_key, thread_id, generation"),
    (
        "lg_checkpoints",
        "thread_key, checkpoint_ns, checkpoint_id, parent_checkpoint_id, created_at, channels, \
         metadata, envelope",
    ),
    (
        "lg_writes",
        "thread_key, checkpoint_ns, checkpoint_id, task_id, idx, task_path, channel, envelope",
    ),
    ("lg_chunks", "thread_key, hash, data"),
];

/// The tuples of a page, with whole values.
///
/// # Panics
///
/// When a value refers to what is not in the page.
pub fn tuples(page: Page) -> Vec<CheckpointTuple> {
    let whole = |tuple: CheckpointTuple<TupleValue>| tuple.resolve(&page.shared).unwrap();
    page.tuples.into_iter().map(whole).collect()
}

fn checkpoint(from: &Value) -> guest::Checkpoint {
    let mut rest = from.as_object().cloned().unwrap_or_default();
    for field in ["id", "v", "ts", "channel_versions", "channel_values"] {
        rest.shift_remove(field);
    }
    guest::Checkpoint {
        id: id(&from["id"]),
        v: from["v"].as_f64().unwrap_or_default(),
        ts: text(&from["ts"]),
        channel_versions: entries(&from["channel_versions"])
            .map(|(channel, version)| guest::ChannelVersion {
                channel: channel.clone(),
                version: match version {
                    Value::String(text) => Version::Text(text.clone()),
                    number => Version::Number(number.as_f64().unwrap_or_default()),
                },
            })
            .collect(),
        channel_values: entries(&from["channel_values"])
            .map(|(channel, value)| guest::ChannelValue {
                channel: channel.clone(),
                value: payload(value).into(),
            })
            .collect(),
        rest: payload(&Value::Object(rest)),
    }
}

fn tuple(tuple: &CheckpointTuple) -> Value {
    let mut checkpoint = Map::new();
    checkpoint.insert("v".to_owned(), number(tuple.v));
    checkpoint.insert("id".to_owned(), tuple.checkpoint_id.clone().into());
    checkpoint.insert("ts".to_owned(), tuple.ts.clone().into());
    let values =
        tuple.channel_values.iter().map(|entry| (entry.channel.clone(), value(&entry.value)));
    let mut values: Map<String, Value> = values.collect();
    if let Some(sends) = &tuple.pending_sends {
        values.insert("__pregel_tasks".to_owned(), sends.iter().map(value).collect());
    }
    checkpoint.insert("channel_values".to_owned(), Value::Object(values));
    let versions = tuple.channel_versions.iter().map(|entry| {
        let version = match &entry.version {
            Version::Number(version) => number(*version),
            Version::Text(text) => text.clone().into(),
        };
        (entry.channel.clone(), version)
    });
    let mut versions: Map<String, Value> = versions.collect();
    if tuple.pending_sends.is_some() {
        let greatest = versions.values().filter_map(Value::as_f64).fold(1.0, f64::max);
        versions.insert("__pregel_tasks".to_owned(), number(greatest));
    }
    checkpoint.insert("channel_versions".to_owned(), Value::Object(versions));
    if let Value::Object(rest) = value(&tuple.rest) {
        checkpoint.extend(rest);
    }
    let mut map = Map::new();
    map.insert(
        "config".to_owned(),
        three(&tuple.thread_id, &tuple.checkpoint_ns, &tuple.checkpoint_id),
    );
    map.insert("checkpoint".to_owned(), Value::Object(checkpoint));
    map.insert("metadata".to_owned(), value(&tuple.metadata));
    if let Some(parent) = &tuple.parent_checkpoint_id {
        map.insert(
            "parent_config".to_owned(),
            three(&tuple.thread_id, &tuple.checkpoint_ns, parent),
        );
    }
    map.insert("pending_writes".to_owned(), tuple.pending_writes.iter().map(pending).collect());
    Value::Object(map)
}

fn pending(write: &guest::PendingWrite) -> Value {
    json!([write.task_id, write.channel, value(&write.value)])
}

fn three(thread_id: &str, checkpoint_ns: &str, checkpoint_id: &str) -> Value {
    json!({
        "thread_id": thread_id,
        "checkpoint_ns": checkpoint_ns,
        "checkpoint_id": checkpoint_id,
    })
}

fn config(from: &Value) -> guest::Config {
    guest::Config {
        thread_id: id(&from["thread_id"]),
        checkpoint_ns: id(&from["checkpoint_ns"]),
        checkpoint_id: id(&from["checkpoint_id"]),
        thread_ts: id(&from["thread_ts"]),
    }
}

fn id(from: &Value) -> guest::Id {
    match from {
        Value::Null => guest::Id::Absent,
        Value::String(text) => guest::Id::Text(text.clone()),
        Value::Number(number) => guest::Id::Number(number.as_f64().unwrap_or_default()),
        Value::Bool(_) => guest::Id::Unsupported("boolean".to_owned()),
        Value::Array(_) | Value::Object(_) => guest::Id::Unsupported("object".to_owned()),
    }
}

/// A serialized value: JSON, or bytes if the transcript says so.
fn payload(from: &Value) -> Payload {
    let whole = expand(from, "");
    if let Some(hex) = whole["$bytes"].as_str() {
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let bytes = (0..hex.len()).step_by(2).map(byte).collect();
        return Payload { kind: "bytes".to_owned(), bytes };
    }
    Payload { kind: "json".to_owned(), bytes: whole.to_string().into_bytes() }
}

/// A value as a transcript writes it.
fn value(payload: &Payload) -> Value {
    match payload.kind.as_str() {
        "json" => serde_json::from_slice(&payload.bytes).unwrap(),
        _ => {
            let hex = payload.bytes.iter().map(|byte| format!("{byte:02x}"));
            json!({ "$bytes": hex.collect::<String>() })
        }
    }
}

/// Expands what a transcript abbreviates: `{"$times": [n, value]}` is a list of `n` times the value
/// with `#` in its strings replaced by the index, `{"$text": [n, string]}` the string `n` times
/// over.
pub fn expand(from: &Value, index: &str) -> Value {
    match from {
        Value::String(text) => Value::String(text.replace('#', index)),
        Value::Array(values) => values.iter().map(|value| expand(value, index)).collect(),
        Value::Object(map) => {
            if let Some(times) = map.get("$times") {
                let count = times[0].as_u64().unwrap_or_default();
                return (0..count).map(|at| expand(&times[1], &at.to_string())).collect();
            }
            if let Some(text) = map.get("$text") {
                let count = usize::try_from(text[0].as_u64().unwrap_or_default()).unwrap();
                return Value::String(text[1].as_str().unwrap_or_default().repeat(count));
            }
            let expanded = map.iter().map(|(key, value)| (key.clone(), expand(value, index)));
            Value::Object(expanded.collect())
        }
        other => other.clone(),
    }
}

/// A number as JSON writes it: a whole number without a fraction.
fn number(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 { json!(number as i64) } else { json!(number) }
}

fn entries(from: &Value) -> impl Iterator<Item = (&String, &Value)> {
    from.as_object().into_iter().flatten()
}

fn list(from: &Value) -> &[Value] {
    from.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn strings(from: &Value) -> Vec<String> {
    list(from).iter().map(text).collect()
}

fn text(from: &Value) -> String {
    from.as_str().unwrap_or_default().to_owned()
}
