//! Statements that write.
//!
//! Each locks its thread's row until its transaction ends. So no put relies on what is deleted
//! meanwhile, and no two transactions wait for each other's chunks: several statements of one
//! thread may share a transaction, in which their chunks are in no order.

use std::collections::BTreeMap;

use super::page::uuids;
use super::schema::Schema;
use super::statement::{Parameters, array, hash_lists, integers};
use crate::contract::error::Error;
use crate::contract::statement::{Statement, Value};
use crate::format::json;
use crate::format::terms::{Term, terms};
use crate::format::values::build::Chunk;
use crate::format::values::hash::Hash;
use crate::format::values::refs;
use crate::format::write::{WriteColumns, WriteEnvelope};
use crate::operations::ask::{Guard, NewCheckpoint, NewWrite, NewWrites};

const CONFLICT: &str = "ON CONFLICT (thread_key, checkpoint_ns, checkpoint_id, task_id, idx) DO";

/// Stores a checkpoint with its chunks. Returns a row if the guard holds. Without a guard a missing
/// thread is made, and the row has the thread's key and generation.
#[inline(never)]
pub(super) fn put(schema: &Schema, mut new: NewCheckpoint) -> Result<Statement, Error> {
    let mut parameters = Parameters::default();
    let chunks = std::mem::take(&mut new.chunks);
    let mut with = vec![match &new.guard {
        None => thread(schema, &new.thread_id, &mut parameters),
        Some(guard) => guarded(schema, &new, guard, &mut parameters),
    }];
    with.extend(insert_chunks(schema, chunks, &mut parameters));
    let from = if new.guard.is_some() { "g" } else { "t" };
    with.push(upsert_checkpoint(schema, new, from, &mut parameters)?);
    let found = if from == "g" { "1::bigint" } else { "thread_key, generation" };
    Ok(parameters.statement(format!("WITH {} SELECT {found} FROM {from}", with.join(", "))))
}

/// Stores writes with their chunks. Returns no row.
#[inline(never)]
pub(super) fn put_writes(schema: &Schema, writes: &NewWrites) -> Result<Statement, Error> {
    let mut parameters = Parameters::default();
    let mut with = vec![thread(schema, &writes.thread_id, &mut parameters)];
    with.extend(insert_chunks(schema, writes.chunks.clone(), &mut parameters));
    let address = [
        parameters.text(&writes.checkpoint_ns),
        parameters.text(&writes.checkpoint_id),
        parameters.text(&writes.task_id),
        parameters.text(&writes.task_path),
    ];
    let replacing = last_at_each_place(&writes.replacing);
    let mut inserts = Vec::new();
    for (rows, action) in [
        (writes.keeping.iter().collect(), "NOTHING"),
        (
            replacing,
            "UPDATE SET task_path = excluded.task_path, channel = excluded.channel, \
             envelope = excluded.envelope, refs = excluded.refs",
        ),
    ] {
        if !rows.is_empty() {
            let insert = insert_writes(schema, writes, &rows, &address, &mut parameters)?;
            inserts.push(format!("{insert} {CONFLICT} {action}"));
        }
    }
    let last = inserts.pop().unwrap_or_else(|| "SELECT FROM t WHERE false".to_owned());
    with.extend(inserts.pop().map(|first| format!("k AS ({first})")));
    Ok(parameters.statement(format!("WITH {} {last}", with.join(", "))))
}

/// The writes that are left when each replaces those before it. A statement must not replace a row
/// twice.
fn last_at_each_place(writes: &[NewWrite]) -> Vec<&NewWrite> {
    let last: BTreeMap<i64, &NewWrite> = writes.iter().map(|write| (write.idx, write)).collect();
    last.into_values().collect()
}

/// `t`, the thread, which is made if it is missing. A thread that is there is locked, not written.
fn thread(schema: &Schema, thread_id: &str, parameters: &mut Parameters) -> String {
    let thread = parameters.text(thread_id);
    format!(
        "t0 AS MATERIALIZED (SELECT thread_key, generation FROM {schema}.lg_threads \
         WHERE thread_id = {thread} FOR NO KEY UPDATE), \
         t1 AS (INSERT INTO {schema}.lg_threads AS x (thread_id) \
         SELECT {thread} WHERE NOT EXISTS (SELECT FROM t0) \
         ON CONFLICT (thread_id) DO UPDATE SET generation = x.generation \
         RETURNING x.thread_key, x.generation), \
         t AS MATERIALIZED (SELECT thread_key, generation FROM t0 \
         UNION ALL SELECT thread_key, generation FROM t1)"
    )
}

/// `t`, the thread if it has the guard's key and generation, and `g`, the same if the whole guard
/// holds. Chunks are stored for `t`: if only the rest of the guard fails, the put that follows
/// needs them.
fn guarded(
    schema: &Schema,
    new: &NewCheckpoint,
    guard: &Guard,
    parameters: &mut Parameters,
) -> String {
    let thread = parameters.text(&new.thread_id);
    let key = parameters.integer(guard.thread_key);
    let generation = parameters.integer(guard.generation);
    let ns = parameters.text(&new.checkpoint_ns);
    let id = parameters.text(&guard.checkpoint_id);
    format!(
        "t AS MATERIALIZED (SELECT thread_key FROM {schema}.lg_threads \
         WHERE thread_id = {thread} AND thread_key = {key} AND generation = {generation} \
         FOR NO KEY UPDATE), \
         g AS MATERIALIZED (SELECT t.thread_key FROM t WHERE EXISTS (\
         SELECT FROM {schema}.lg_records r WHERE r.thread_key = t.thread_key \
         AND r.checkpoint_ns = {ns} AND r.checkpoint_id = {id} AND r.task_id = '' AND r.idx = 0))"
    )
}

/// `c`, which stores chunks. A chunk that is already stored is the same, and stays. They are in the
/// order of their index.
///
/// Binding each chunk would cost more than storing it, so all are in five parameters.
fn insert_chunks(
    schema: &Schema,
    mut chunks: Vec<Chunk>,
    parameters: &mut Parameters,
) -> Option<String> {
    if chunks.is_empty() {
        return None;
    }
    chunks.sort_unstable_by_key(|chunk| chunk.hash);
    let mut hashes = Vec::with_capacity(chunks.len() * 20);
    let (mut data, mut below) = (Packed::default(), Packed::default());
    for chunk in &chunks {
        hashes.extend_from_slice(chunk.hash.as_bytes());
        data.push(&chunk.data);
        below.push(&joined(&refs::of_chunk(chunk.role, &chunk.data)));
    }
    let hashes = parameters.bind(Value::Blob(hashes), "bytea");
    let [data, data_places] = data.bind(parameters);
    let [below, below_places] = below.bind(parameters);
    Some(format!(
        "c AS (INSERT INTO {schema}.lg_chunks (thread_key, hash, data, refs) \
         SELECT t.thread_key, substring({hashes} FROM u.i::int * 20 - 19 FOR 20), {}, \
         nullif({}, '') \
         FROM t CROSS JOIN unnest({data_places}::bigint[], {below_places}::bigint[]) \
         WITH ORDINALITY u (d, r, i) ORDER BY u.i ON CONFLICT (thread_key, hash) DO NOTHING)",
        part(&data, "u.d"),
        part(&below, "u.r"),
    ))
}

/// Several byte strings in two parameters.
#[derive(Default)]
pub(super) struct Packed {
    bytes: Vec<u8>,
    /// For each one, the position of its first byte times 1048576, plus its length, which is less.
    places: Vec<i64>,
}

impl Packed {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.places.push(self.bytes.len() as i64 * 1_048_576 + bytes.len() as i64);
        self.bytes.extend_from_slice(bytes);
    }

    /// Binds the bytes, and the places as text.
    pub(super) fn bind(self, parameters: &mut Parameters) -> [String; 2] {
        let bytes = parameters.bind(Value::Blob(self.bytes), "bytea");
        [bytes, parameters.bind(integers(self.places.into_iter()), "text")]
    }
}

/// The expression for one of the packed strings.
pub(super) fn part(packed: &str, place: &str) -> String {
    format!("substring({packed} FROM ({place} / 1048576)::int + 1 FOR ({place} % 1048576)::int)")
}

fn joined(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.as_bytes()).copied().collect()
}

/// `r`, which stores a checkpoint's row, or replaces it.
fn upsert_checkpoint(
    schema: &Schema,
    new: NewCheckpoint,
    from: &str,
    parameters: &mut Parameters,
) -> Result<String, Error> {
    let below = value_refs(&new)?;
    let terms = terms_of(&new);
    let values = [
        parameters.text(&new.checkpoint_ns),
        parameters.text(&new.checkpoint_id),
        parameters.bind(new.parent_checkpoint_id.map_or(Value::Null, Value::Text), "text"),
        parameters.text(&new.created_at),
        parameters.text(&new.channels),
        parameters.bind(Value::Blob(new.metadata.bytes), "bytea"),
        parameters.bind(if terms.is_empty() { Value::Null } else { uuids(&terms) }, "text")
            + "::uuid[]",
        parameters.bind(new.run_id.map_or(Value::Null, Value::Text), "text"),
        parameters.bind(Value::Blob(new.envelope), "bytea"),
        parameters.bind(
            if below.is_empty() {
                Value::Null
            } else {
                hash_lists(below.iter().map(Vec::as_slice))
            },
            "text",
        ) + "::bytea[]",
    ];
    Ok(format!(
        "r AS (INSERT INTO {schema}.lg_records (thread_key, task_id, idx, checkpoint_ns, \
         checkpoint_id, parent_checkpoint_id, created_at, channels, metadata, terms, run_id, \
         envelope, refs) SELECT {from}.thread_key, '', 0, {} FROM {from} {CONFLICT} UPDATE SET \
         parent_checkpoint_id = excluded.parent_checkpoint_id, \
         created_at = excluded.created_at, channels = excluded.channels, \
         metadata = excluded.metadata, terms = excluded.terms, run_id = excluded.run_id, \
         envelope = excluded.envelope, refs = excluded.refs)",
        values.join(", ")
    ))
}

/// The chunks that each value of a checkpoint refers to directly, without values that refer to
/// none. The other fields of the checkpoint count as a value.
fn value_refs(new: &NewCheckpoint) -> Result<Vec<Vec<Hash>>, Error> {
    let envelope = new.open()?;
    let values = envelope.values.iter().map(|entry| &entry.value);
    let below = std::iter::once(&envelope.rest).chain(values).map(|value| {
        let mut below = Vec::new();
        refs::of_piece(&value.piece, &mut below);
        below
    });
    Ok(below.filter(|below| !below.is_empty()).collect())
}

/// The terms of the metadata, if it is JSON.
fn terms_of(new: &NewCheckpoint) -> Vec<Term> {
    match std::str::from_utf8(&new.metadata.bytes) {
        Ok(text) if new.metadata.kind == "json" && json::is_value(text.as_bytes()) => terms(text),
        _ => Vec::new(),
    }
}

/// Inserts writes. The end of the statement says what happens to those whose place is taken.
fn insert_writes(
    schema: &Schema,
    of: &NewWrites,
    writes: &[&NewWrite],
    [ns, id, task, path]: &[String; 4],
    parameters: &mut Parameters,
) -> Result<String, Error> {
    let (mut envelopes, mut below) = (Packed::default(), Packed::default());
    for write in writes {
        envelopes.push(&write.envelope);
        below.push(&joined(&write_refs(of, write)?));
    }
    let places = parameters.bind(integers(writes.iter().map(|write| write.idx)), "text");
    let channels = array(writes.iter().map(|write| write.channel.as_str()));
    let channels = parameters.bind(channels, "text");
    let [envelopes, envelope_places] = envelopes.bind(parameters);
    let [below, below_places] = below.bind(parameters);
    Ok(format!(
        "INSERT INTO {schema}.lg_records (thread_key, checkpoint_ns, checkpoint_id, task_id, \
         idx, task_path, channel, envelope, refs) \
         SELECT t.thread_key, {ns}, {id}, {task}, u.idx, {path}, u.channel, {}, \
         CASE WHEN u.r % 1048576 > 0 THEN ARRAY[{}] END \
         FROM t CROSS JOIN unnest({places}::bigint[], {channels}::text[], \
         {envelope_places}::bigint[], {below_places}::bigint[]) u (idx, channel, e, r)",
        part(&envelopes, "u.e"),
        part(&below, "u.r"),
    ))
}

/// The chunks that a write refers to directly.
fn write_refs(of: &NewWrites, write: &NewWrite) -> Result<Vec<Hash>, Error> {
    let columns = WriteColumns {
        thread_id: &of.thread_id,
        checkpoint_ns: &of.checkpoint_ns,
        checkpoint_id: &of.checkpoint_id,
        task_id: &of.task_id,
        idx: write.idx,
        task_path: &of.task_path,
        channel: &write.channel,
    };
    let this = || format!("a write of task {}", of.task_id);
    let WriteEnvelope { value, .. } = WriteEnvelope::open(&write.envelope, columns, &this)?;
    let mut below = Vec::new();
    refs::of_piece(&value.piece, &mut below);
    Ok(below)
}
