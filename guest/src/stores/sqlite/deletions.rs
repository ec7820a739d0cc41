//! What deletions of whole threads ask.
//!
//! A deleted thread is cut off first: its row goes from `lg_threads`, and its key to `lg_deleted`.
//! Nobody finds it then, and no other thread gets its key. Its records and chunks go in batches.

use super::lifecycle::{HAS_CHECKPOINTS, checkpoints};
use super::statement::{once, text};
use crate::contract::statement::{Statement, Value};
use crate::operations::ask::{Checkpoints, SWEPT_MAX};

/// Whether something is left of the deleted thread `d`. A thread that is there is never swept,
/// whatever a damaged `lg_deleted` says.
const HAS_REST: &str = "d.has_rest = 1 AND NOT EXISTS (\
     SELECT 1 FROM lg_threads t WHERE t.thread_key = d.thread_key)";

/// Answers `Ask::DeleteThread`.
#[inline(never)]
pub(super) fn delete_thread(thread_id: &str) -> Vec<Statement> {
    let of_thread = || vec![text(thread_id)];
    vec![
        once(&cut_off("lg_threads", "thread_id = ?1"), of_thread()),
        once("DELETE FROM lg_threads WHERE thread_id = ?1", of_thread()),
    ]
}

/// Answers `Ask::RemoveThread`.
#[inline(never)]
pub(super) fn remove_thread(thread_key: i64, of: &Checkpoints) -> Vec<Statement> {
    let key = || vec![Value::Integer(thread_key)];
    let condition = format!("thread_key = ?1 AND {HAS_CHECKPOINTS}");
    vec![
        once(&cut_off("lg_threads", &condition), vec![Value::Integer(thread_key), checkpoints(of)]),
        // The row in `lg_deleted` says that the condition held.
        once(
            "DELETE FROM lg_threads WHERE thread_key = \
             (SELECT d.thread_key FROM lg_deleted d WHERE d.thread_key = ?1 AND d.has_rest = 1)",
            key(),
        ),
        once("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM lg_threads WHERE thread_key = ?1)", key()),
    ]
}

/// Notes that the records and chunks of threads, or of copies, are to go.
pub(super) fn cut_off(table: &str, condition: &str) -> String {
    format!(
        "INSERT OR REPLACE INTO lg_deleted (thread_key, has_rest) \
         SELECT thread_key, 1 FROM {table} WHERE {condition}"
    )
}

/// Answers `Ask::SweepDeleted`.
#[inline(never)]
pub(super) fn sweep_deleted() -> Vec<Statement> {
    let rest = |table: &str| {
        format!(
            "DELETE FROM {table} WHERE rowid IN (SELECT x.rowid FROM lg_deleted d \
             CROSS JOIN {table} x ON x.thread_key = d.thread_key WHERE {HAS_REST} \
             LIMIT {SWEPT_MAX})"
        )
    };
    let has_none = |table: &str| {
        format!("NOT EXISTS (SELECT 1 FROM {table} x WHERE x.thread_key = lg_deleted.thread_key)")
    };
    [
        rest("lg_records"),
        rest("lg_chunks"),
        format!(
            "UPDATE lg_deleted SET has_rest = 0 WHERE has_rest = 1 AND {} AND {}",
            has_none("lg_records"),
            has_none("lg_chunks"),
        ),
        FORGET.to_owned(),
        format!("SELECT 1 FROM lg_deleted d WHERE {HAS_REST} LIMIT 1"),
    ]
    .into_iter()
    .map(|text| once(&text, Vec::new()))
    .collect()
}

/// Forgets the keys that are not needed: a new key is greater than the greatest.
pub(super) const FORGET: &str = "DELETE FROM lg_deleted WHERE has_rest = 0 \
     AND thread_key < (SELECT max(thread_key) FROM lg_deleted)";
