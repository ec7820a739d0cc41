//! Tables.
//!
//! Their names do not collide with those of LangGraph's own savers, so that both can live in
//! one file.

use super::once;
use crate::format::FORMAT;
use crate::statement::{Statement, Value};

/// Whether the format's table is there: one row if so.
pub(crate) fn find_format() -> Statement {
    once("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'lg_format'", vec![])
}

/// The format of the store, the newest one where several were written.
pub(crate) fn read_format() -> Statement {
    once("SELECT format FROM lg_format ORDER BY format DESC LIMIT 1", vec![])
}

/// Notes the format, where none is noted.
pub(crate) fn insert_format() -> Statement {
    once(
        "INSERT INTO lg_format (format) SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM lg_format)",
        vec![Value::Integer(i64::from(FORMAT))],
    )
}

/// Makes what is missing.
pub(crate) fn create() -> Vec<Statement> {
    [
        "CREATE TABLE IF NOT EXISTS lg_format (format INTEGER PRIMARY KEY)",
        // A key is never given twice (AUTOINCREMENT): what relies on a deleted thread's key must
        // not find another thread.
        "CREATE TABLE IF NOT EXISTS lg_threads (\
         thread_key INTEGER PRIMARY KEY AUTOINCREMENT, \
         thread_id TEXT NOT NULL UNIQUE, \
         generation INTEGER NOT NULL)",
        "CREATE TABLE IF NOT EXISTS lg_checkpoints (\
         thread_key INTEGER NOT NULL, \
         checkpoint_ns TEXT NOT NULL, \
         checkpoint_id TEXT NOT NULL, \
         parent_checkpoint_id TEXT, \
         created_at TEXT NOT NULL, \
         channels TEXT NOT NULL, \
         metadata NOT NULL, \
         envelope BLOB NOT NULL, \
         UNIQUE (thread_key, checkpoint_ns, checkpoint_id))",
        "CREATE TABLE IF NOT EXISTS lg_writes (\
         thread_key INTEGER NOT NULL, \
         checkpoint_ns TEXT NOT NULL, \
         checkpoint_id TEXT NOT NULL, \
         task_id TEXT NOT NULL, \
         idx INTEGER NOT NULL, \
         task_path TEXT NOT NULL, \
         channel TEXT NOT NULL, \
         envelope BLOB NOT NULL, \
         PRIMARY KEY (thread_key, checkpoint_ns, checkpoint_id, task_id, idx)) WITHOUT ROWID",
        "CREATE TABLE IF NOT EXISTS lg_chunks (\
         thread_key INTEGER NOT NULL, \
         hash BLOB NOT NULL, \
         data BLOB NOT NULL, \
         UNIQUE (thread_key, hash))",
        // For people: what LangGraph knows of each checkpoint, with the thread's own id.
        "CREATE VIEW IF NOT EXISTS lg_history AS SELECT \
         t.thread_id, c.checkpoint_ns, c.checkpoint_id, c.parent_checkpoint_id, \
         CASE WHEN typeof(c.metadata) = 'text' THEN c.metadata ->> '$.step' END AS step, \
         CASE WHEN typeof(c.metadata) = 'text' THEN c.metadata ->> '$.source' END AS source, \
         c.created_at, c.channels, c.metadata \
         FROM lg_checkpoints c JOIN lg_threads t ON t.thread_key = c.thread_key",
    ]
    .into_iter()
    .map(|text| once(text, vec![]))
    .collect()
}
