//! Statements that write.
//!
//! Each insert is one `VALUES` with a subquery for the thread's key. The key is null if the thread
//! does not exist or its guard does not hold, and then `OR IGNORE` drops the row. An insert from a
//! `SELECT` costs half as much again, and `RETURNING` costs more than the `SELECT` that it would
//! save.

use super::statement::{once, text};
use crate::contract::call::Payload;
use crate::contract::statement::{Statement, Value};
use crate::format::json;
use crate::format::values::build::Chunk;
use crate::operations::ask::{Guard, NewCheckpoint, NewWrite, NewWrites};

/// Stores a checkpoint. Without a guard a missing thread is made. The last statement returns a row
/// if the guard holds.
#[inline(never)]
pub(super) fn put(mut checkpoint: NewCheckpoint) -> Vec<Statement> {
    let chunks = std::mem::take(&mut checkpoint.chunks);
    let NewCheckpoint { ref thread_id, ref guard, .. } = checkpoint;
    let mut statements = Vec::with_capacity(4);
    if guard.is_none() {
        statements.push(insert_thread(thread_id));
    }
    statements.extend(insert_chunks(thread_id, guard.as_ref(), chunks));
    let find = find_thread(&checkpoint);
    statements.push(upsert_checkpoint(checkpoint));
    statements.push(find);
    statements
}

#[inline(never)]
pub(super) fn put_writes(mut writes: NewWrites) -> Vec<Statement> {
    let chunks = std::mem::take(&mut writes.chunks);
    let mut statements = vec![insert_thread(&writes.thread_id)];
    statements.extend(insert_chunks(&writes.thread_id, None, chunks));
    if !writes.keeping.is_empty() {
        statements.push(insert_writes(&writes, false));
    }
    if !writes.replacing.is_empty() {
        statements.push(insert_writes(&writes, true));
    }
    statements
}

/// Makes the thread if it is missing. Its key is greater than that of any thread ever made: whoever
/// relies on a deleted thread's key must not find another thread.
fn insert_thread(thread_id: &str) -> Statement {
    once(
        "INSERT OR IGNORE INTO lg_threads (thread_key, thread_id, generation) VALUES (\
         1 + max(coalesce((SELECT max(thread_key) FROM lg_threads), 0), \
         coalesce((SELECT max(thread_key) FROM lg_deleted), 0)), ?1, 0)",
        vec![text(thread_id)],
    )
}

/// The condition that the thread `?1` exists and has the guard's key `?2` and generation `?3`.
/// Chunks are stored on this condition alone: if only the rest of the guard fails, the put that
/// follows needs them.
fn thread(guard: Option<&Guard>) -> &'static str {
    match guard {
        None => "thread_id = ?1",
        Some(_) => "thread_id = ?1 AND thread_key = ?2 AND generation = ?3",
    }
}

/// What `thread` binds. These come first, so that the parameters of a text are in order: some hosts
/// bind by position.
fn bound(thread_id: &str, guard: Option<&Guard>) -> Vec<Value> {
    let mut bound = Vec::with_capacity(13);
    bound.push(text(thread_id));
    if let Some(Guard { thread_key, generation, .. }) = guard {
        bound.extend([Value::Integer(*thread_key), Value::Integer(*generation)]);
    }
    bound
}

/// The condition for the whole guard: `thread`, and the namespace `?4` has the checkpoint `?5`.
fn guarded(guard: Option<&Guard>) -> String {
    let thread = thread(guard);
    if guard.is_none() {
        return thread.to_owned();
    }
    format!(
        "{thread} AND EXISTS (SELECT 1 FROM lg_records WHERE thread_key = lg_threads.thread_key \
         AND checkpoint_ns = ?4 AND checkpoint_id = ?5 AND task_id = '' AND idx = 0)"
    )
}

/// The number of the parameter at position `place` after those that `thread` binds.
fn after(guard: Option<&Guard>, place: usize) -> usize {
    place + if guard.is_some() { 3 } else { 1 }
}

/// Stores chunks of a thread. A chunk that is already stored is the same, and stays.
#[inline(never)]
fn insert_chunks(thread_id: &str, guard: Option<&Guard>, chunks: Vec<Chunk>) -> Option<Statement> {
    /// At most this many chunks are stored faster one by one.
    const SINGLE_MAX: usize = 8;
    match chunks.len() {
        0 => None,
        1..=SINGLE_MAX => Some(insert_single_chunks(thread_id, guard, chunks)),
        _ => Some(insert_packed_chunks(thread_id, guard, &chunks)),
    }
}

#[inline(never)]
fn insert_single_chunks(thread_id: &str, guard: Option<&Guard>, chunks: Vec<Chunk>) -> Statement {
    let row = |chunk: Chunk| {
        let hash = Value::Blob(chunk.hash.as_bytes().to_vec());
        let mut row = bound(thread_id, guard);
        row.extend([hash, Value::Blob(chunk.data)]);
        row
    };
    let thread = thread(guard);
    let [hash, data] = [1, 2].map(|place| after(guard, place));
    Statement {
        text: format!(
            "INSERT OR IGNORE INTO lg_chunks (thread_key, hash, data) VALUES (\
             (SELECT thread_key FROM lg_threads WHERE {thread}), ?{hash}, ?{data})"
        ),
        parameters: chunks.into_iter().map(row).collect(),
    }
}

#[inline(never)]
fn insert_packed_chunks(thread_id: &str, guard: Option<&Guard>, chunks: &[Chunk]) -> Statement {
    let row = |packed: Packed| {
        let mut row = bound(thread_id, guard);
        row.extend([
            Value::Blob(packed.hashes),
            Value::Blob(packed.data),
            Value::Text(packed.places),
        ]);
        row
    };
    let thread = thread(guard);
    let [hashes, data, places] = [1, 2, 3].map(|place| after(guard, place));
    Statement {
        text: format!(
            "INSERT OR IGNORE INTO lg_chunks (thread_key, hash, data) \
             SELECT t.thread_key, substr(?{hashes}, e.key * 20 + 1, 20), \
             substr(?{data}, e.value / 1048576 + 1, e.value % 1048576) \
             FROM lg_threads t CROSS JOIN json_each(?{places}) e WHERE {thread}"
        ),
        parameters: pack(chunks).into_iter().map(row).collect(),
    }
}

/// Many chunks in three parameters. Binding each chunk costs more than storing it.
struct Packed {
    hashes: Vec<u8>,
    data: Vec<u8>,
    /// A JSON array with a number for each chunk: the position of its data times 1048576, plus its
    /// length, which is less.
    places: String,
}

/// The chunks in packs of bounded size.
fn pack(chunks: &[Chunk]) -> Vec<Packed> {
    const DATA_BYTES_MAX: usize = 1024 * 1024;
    let mut packs: Vec<Packed> = Vec::new();
    for chunk in chunks {
        let fits = |pack: &Packed| pack.data.len() + chunk.data.len() <= DATA_BYTES_MAX;
        if !packs.last().is_some_and(fits) {
            let (hashes, data) = (Vec::new(), Vec::new());
            packs.push(Packed { hashes, data, places: "[".to_owned() });
        }
        let Some(pack) = packs.last_mut() else { continue };
        if pack.places.len() > 1 {
            pack.places.push(',');
        }
        // 64 bits, because a `usize` of the component has 32.
        let place = pack.data.len() as u64 * 1_048_576 + chunk.data.len() as u64;
        pack.places.push_str(&place.to_string());
        pack.hashes.extend_from_slice(chunk.hash.as_bytes());
        pack.data.extend_from_slice(&chunk.data);
    }
    for pack in &mut packs {
        pack.places.push(']');
    }
    packs
}

/// Stores a checkpoint's row, or replaces it.
#[inline(never)]
fn upsert_checkpoint(row: NewCheckpoint) -> Statement {
    let guard = row.guard.as_ref();
    let thread = guarded(guard);
    let values = match guard {
        None => "?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9",
        Some(_) => "?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13",
    };
    let mut parameters = bound(&row.thread_id, guard);
    if let Some(guard) = row.guard {
        // The namespace is bound twice, because a host that binds by position takes each parameter
        // once.
        parameters.extend([text(&row.checkpoint_ns), Value::Text(guard.checkpoint_id)]);
    }
    parameters.extend([
        Value::Text(row.checkpoint_ns),
        Value::Text(row.checkpoint_id),
        row.parent_checkpoint_id.map_or(Value::Null, Value::Text),
        Value::Text(row.created_at),
        Value::Text(row.channels),
        metadata(row.metadata),
        row.run_id.map_or(Value::Null, Value::Text),
        Value::Blob(row.envelope),
    ]);
    once(
        &format!(
            "INSERT OR IGNORE INTO lg_records (thread_key, task_id, idx, checkpoint_ns, \
             checkpoint_id, parent_checkpoint_id, created_at, channels, metadata, run_id, \
             envelope) VALUES (\
             (SELECT thread_key FROM lg_threads WHERE {thread}), '', 0, {values}) \
             ON CONFLICT (thread_key, checkpoint_ns, checkpoint_id, task_id, idx) DO UPDATE SET \
             parent_checkpoint_id = excluded.parent_checkpoint_id, \
             created_at = excluded.created_at, channels = excluded.channels, \
             metadata = excluded.metadata, run_id = excluded.run_id, \
             envelope = excluded.envelope"
        ),
        parameters,
    )
}

/// Returns a row if the thread exists and the guard holds. Without a guard the row has the thread's
/// key and generation.
fn find_thread(checkpoint: &NewCheckpoint) -> Statement {
    let guard = checkpoint.guard.as_ref();
    let found = if guard.is_some() { "1" } else { "thread_key, generation" };
    let mut parameters = bound(&checkpoint.thread_id, guard);
    if let Some(guard) = guard {
        parameters.extend([text(&checkpoint.checkpoint_ns), text(&guard.checkpoint_id)]);
    }
    once(&format!("SELECT {found} FROM lg_threads WHERE {}", guarded(guard)), parameters)
}

/// The metadata's column: text if it is JSON, so that people and filters can read it; else bytes.
fn metadata(metadata: Payload) -> Value {
    if metadata.kind != "json" || !json::is_value(&metadata.bytes) {
        return Value::Blob(metadata.bytes);
    }
    String::from_utf8(metadata.bytes)
        .map_or_else(|error| Value::Blob(error.into_bytes()), Value::Text)
}

/// Stores the writes that replace others if `replaces`, else those that keep others.
#[inline(never)]
fn insert_writes(writes: &NewWrites, replaces: bool) -> Statement {
    const INSERT: &str = "INSERT OR IGNORE INTO lg_records (thread_key, checkpoint_ns, \
         checkpoint_id, task_id, idx, task_path, channel, envelope) VALUES (\
         (SELECT thread_key FROM lg_threads WHERE thread_id = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    const REPLACE: &str = " ON CONFLICT (thread_key, checkpoint_ns, checkpoint_id, task_id, idx) \
         DO UPDATE SET task_path = excluded.task_path, channel = excluded.channel, \
         envelope = excluded.envelope";
    let conflict = if replaces { REPLACE } else { "" };
    let row = |write: &NewWrite| {
        vec![
            text(&writes.thread_id),
            text(&writes.checkpoint_ns),
            text(&writes.checkpoint_id),
            text(&writes.task_id),
            Value::Integer(write.idx),
            text(&writes.task_path),
            text(&write.channel),
            Value::Blob(write.envelope.clone()),
        ]
    };
    let rows = if replaces { &writes.replacing } else { &writes.keeping };
    Statement { text: format!("{INSERT}{conflict}"), parameters: rows.iter().map(row).collect() }
}
