//! What a copy of a thread asks.

use super::deletions::{FORGET, cut_off};
use super::lifecycle::checksums;
use super::statement::{once, text};
use crate::contract::statement::{Statement, Value};
use crate::format::CHECKSUM_BYTES;
use crate::format::values::hash::Hash;
use crate::operations::ask::CopiedRecord;

/// Answers `Ask::BeginCopy`.
#[inline(never)]
pub(super) fn begin_copy(source: &str, target: &str) -> Vec<Statement> {
    vec![
        once(&cut_off("lg_copies", "thread_id = ?1"), vec![text(target)]),
        once("DELETE FROM lg_copies WHERE thread_id = ?1", vec![text(target)]),
        // A key that no thread has or gets.
        once(
            "INSERT INTO lg_deleted (thread_key, has_rest) SELECT 1 + max(\
             coalesce((SELECT max(thread_key) FROM lg_deleted), 0), \
             coalesce((SELECT max(thread_key) FROM lg_threads), 0)), 0",
            Vec::new(),
        ),
        once(FORGET, Vec::new()),
        once(
            "INSERT INTO lg_copies (thread_key, thread_id) SELECT d.thread_key, ?1 \
             FROM lg_deleted d WHERE d.thread_key = (SELECT max(thread_key) FROM lg_deleted) \
             AND NOT EXISTS (SELECT 1 FROM lg_threads WHERE thread_id = ?1) \
             AND EXISTS (SELECT 1 FROM lg_threads WHERE thread_id = ?2)",
            vec![text(target), text(source)],
        ),
        once(
            "SELECT t.thread_key, t.generation, \
             EXISTS (SELECT 1 FROM lg_threads x WHERE x.thread_id = ?1), \
             (SELECT c.thread_key FROM lg_copies c WHERE c.thread_id = ?1) \
             FROM lg_threads t WHERE t.thread_id = ?2",
            vec![text(target), text(source)],
        ),
    ]
}

/// Answers `Ask::State`.
#[inline(never)]
pub(super) fn state(thread_key: i64) -> Statement {
    once(
        &format!(
            "SELECT {}, count(*), ifnull(max(c.checkpoint_id), '') FROM lg_records c \
             WHERE c.thread_key = ?1 AND c.task_id = ''",
            checksums()
        ),
        vec![Value::Integer(thread_key)],
    )
}

/// Answers `Ask::CopyRecords`. Nothing is copied if a later copy to the same thread has begun.
#[inline(never)]
pub(super) fn copy_records(from: i64, to: i64, records: Vec<CopiedRecord>) -> Statement {
    let row = |CopiedRecord { key: (ns, id, task_id, idx), checksum, envelope }| {
        vec![
            Value::Integer(to),
            Value::Blob(envelope),
            Value::Integer(from),
            Value::Text(ns),
            Value::Text(id),
            Value::Text(task_id),
            Value::Integer(idx),
            Value::Blob(checksum),
        ]
    };
    Statement {
        text: format!(
            "INSERT OR IGNORE INTO lg_records (thread_key, envelope, checkpoint_ns, \
             checkpoint_id, task_id, idx, parent_checkpoint_id, created_at, channels, metadata, \
             run_id, task_path, channel) SELECT ?1, ?2, checkpoint_ns, checkpoint_id, task_id, \
             idx, parent_checkpoint_id, created_at, channels, metadata, run_id, task_path, \
             channel FROM lg_records WHERE thread_key = ?3 AND checkpoint_ns = ?4 \
             AND checkpoint_id = ?5 AND task_id = ?6 AND idx = ?7 \
             AND substr(envelope, -{CHECKSUM_BYTES}) = ?8 \
             AND EXISTS (SELECT 1 FROM lg_copies WHERE thread_key = ?1)"
        ),
        parameters: records.into_iter().map(row).collect(),
    }
}

/// Answers `Ask::CopyChunks`.
#[inline(never)]
pub(super) fn copy_chunks(from: i64, to: i64, hashes: &[Hash]) -> Vec<Statement> {
    const WANTED: &str = "WITH RECURSIVE wanted (at) AS (\
         SELECT 1 UNION ALL SELECT at + 20 FROM wanted WHERE at + 20 <= length(?1))";
    let packed: Vec<u8> = hashes.iter().flat_map(|hash| hash.as_bytes()).copied().collect();
    vec![
        once(
            &format!(
                "{WANTED} INSERT OR IGNORE INTO lg_chunks (thread_key, hash, data) \
                 SELECT ?2, c.hash, c.data FROM wanted \
                 CROSS JOIN lg_chunks c ON c.thread_key = ?3 AND c.hash = substr(?1, at, 20) \
                 WHERE EXISTS (SELECT 1 FROM lg_copies WHERE thread_key = ?2)"
            ),
            vec![Value::Blob(packed.clone()), Value::Integer(to), Value::Integer(from)],
        ),
        once(
            &format!(
                "{WANTED} SELECT count(*), ifnull(sum(length(c.data)), 0) FROM wanted \
                 CROSS JOIN lg_chunks c ON c.thread_key = ?2 AND c.hash = substr(?1, at, 20)"
            ),
            vec![Value::Blob(packed), Value::Integer(to)],
        ),
    ]
}

/// Answers `Ask::EndCopy`.
#[inline(never)]
pub(super) fn end_copy(
    (from, generation, to): (i64, i64, i64),
    target: &str,
    records: i64,
) -> Vec<Statement> {
    let to = Value::Integer(to);
    vec![
        once(
            "INSERT OR IGNORE INTO lg_threads (thread_key, thread_id, generation) SELECT ?1, ?2, 0 \
             WHERE EXISTS (SELECT 1 FROM lg_copies WHERE thread_key = ?1) \
             AND EXISTS (SELECT 1 FROM lg_threads WHERE thread_key = ?3 AND generation = ?4) \
             AND (SELECT count(*) FROM lg_records WHERE thread_key = ?1) = ?5",
            vec![
                to.clone(),
                text(target),
                Value::Integer(from),
                Value::Integer(generation),
                Value::Integer(records),
            ],
        ),
        once(
            "DELETE FROM lg_copies WHERE thread_key = ?1 \
             AND EXISTS (SELECT 1 FROM lg_threads WHERE thread_key = ?1)",
            vec![to.clone()],
        ),
        once(
            "SELECT EXISTS (SELECT 1 FROM lg_threads WHERE thread_key = ?1), \
             EXISTS (SELECT 1 FROM lg_threads WHERE thread_id = ?2), \
             EXISTS (SELECT 1 FROM lg_copies WHERE thread_key = ?1)",
            vec![to, text(target)],
        ),
    ]
}
