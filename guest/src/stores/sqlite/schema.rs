//! Tables.
//!
//! Their names differ from those of LangGraph's own savers, so that both can use one file.

use super::statement::once;
use crate::contract::statement::{Statement, Value};
use crate::format::FORMAT;

/// The table that a store has, and those of LangGraph's own saver: the names of those that exist.
pub(crate) fn find_tables() -> Statement {
    once(
        "SELECT name FROM sqlite_master WHERE type = 'table' \
         AND name IN ('lg_format', 'checkpoints', 'writes')",
        vec![],
    )
}

/// A row if LangGraph's own saver has stored threads, and the store has none.
pub(crate) fn find_stock_threads() -> Statement {
    once("SELECT 1 FROM checkpoints WHERE NOT EXISTS (SELECT 1 FROM lg_threads) LIMIT 1", vec![])
}

/// The format of the store; the newest if several were written.
pub(crate) fn read_format() -> Statement {
    once("SELECT format FROM lg_format ORDER BY format DESC LIMIT 1", vec![])
}

/// Writes the format if none is written.
pub(crate) fn insert_format() -> Statement {
    once(
        "INSERT INTO lg_format (format) SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM lg_format)",
        vec![Value::Integer(i64::from(FORMAT))],
    )
}

/// Makes missing tables and views.
pub(crate) fn create() -> Vec<Statement> {
    [
        "CREATE TABLE IF NOT EXISTS lg_format (format INTEGER PRIMARY KEY)",
        "CREATE TABLE IF NOT EXISTS lg_threads (\
         thread_key INTEGER PRIMARY KEY, \
         thread_id TEXT NOT NULL UNIQUE, \
         generation INTEGER NOT NULL)",
        // The greatest key of a deleted thread, and the keys of those of which something is left.
        // It replaces AUTOINCREMENT, and costs something only at deletions, not for every thread.
        "CREATE TABLE IF NOT EXISTS lg_deleted (\
         thread_key INTEGER PRIMARY KEY, \
         has_rest INTEGER NOT NULL)",
        "INSERT INTO lg_deleted (thread_key, has_rest) \
         SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM lg_deleted)",
        // The threads that are being copied: the key of each copy, and its id to be.
        "CREATE TABLE IF NOT EXISTS lg_copies (\
         thread_key INTEGER PRIMARY KEY, \
         thread_id TEXT NOT NULL UNIQUE)",
        // One row: until when somebody sweeps, in milliseconds since 1970.
        "CREATE TABLE IF NOT EXISTS lg_sweeps (leased_until INTEGER PRIMARY KEY)",
        "INSERT INTO lg_sweeps (leased_until) \
         SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM lg_sweeps)",
        RECORDS,
        "CREATE TABLE IF NOT EXISTS lg_chunks (\
         thread_key INTEGER NOT NULL, \
         hash BLOB NOT NULL, \
         data BLOB NOT NULL, \
         UNIQUE (thread_key, hash))",
        "CREATE VIEW IF NOT EXISTS lg_checkpoints AS SELECT \
         thread_key, checkpoint_ns, checkpoint_id, parent_checkpoint_id, created_at, channels, \
         metadata, run_id, envelope FROM lg_records WHERE task_id = ''",
        "CREATE VIEW IF NOT EXISTS lg_writes AS SELECT \
         thread_key, checkpoint_ns, checkpoint_id, task_id, idx, task_path, channel, envelope \
         FROM lg_records WHERE task_id <> ''",
        // For people: what LangGraph knows of each checkpoint, with the thread's own id.
        "CREATE VIEW IF NOT EXISTS lg_history AS SELECT \
         t.thread_id, c.checkpoint_ns, c.checkpoint_id, c.parent_checkpoint_id, \
         CASE WHEN typeof(c.metadata) = 'text' THEN c.metadata ->> '$.step' END AS step, \
         CASE WHEN typeof(c.metadata) = 'text' THEN c.metadata ->> '$.source' END AS source, \
         c.created_at, c.channels, c.metadata, c.run_id \
         FROM lg_checkpoints c JOIN lg_threads t ON t.thread_key = c.thread_key",
    ]
    .into_iter()
    .map(|text| once(text, vec![]))
    .collect()
}

/// Checkpoints and writes. What a superstep stores shares a page of the table and a page of its
/// index; two tables would write twice as many pages. A checkpoint's row has the task `''`.
const RECORDS: &str = "CREATE TABLE IF NOT EXISTS lg_records (\
     thread_key INTEGER NOT NULL, \
     checkpoint_ns TEXT NOT NULL, \
     checkpoint_id TEXT NOT NULL, \
     task_id TEXT NOT NULL, \
     idx INTEGER NOT NULL, \
     parent_checkpoint_id TEXT, \
     created_at TEXT, \
     channels TEXT, \
     metadata, \
     run_id TEXT, \
     task_path TEXT, \
     channel TEXT, \
     envelope BLOB NOT NULL, \
     UNIQUE (thread_key, checkpoint_ns, checkpoint_id, task_id, idx))";
