//! What LangGraph's own SQLite savers have stored, in JavaScript and Python.

use super::statement::once;
use crate::contract::lifecycle::Language;
use crate::contract::statement::Statement;
use crate::stores::stock::{StockInsert, StockInserts, StockStatements, StockTables};

const HERE: &str = "thread_id = ?1 AND checkpoint_ns = ?2 AND checkpoint_id = ?3";

/// The tables and their columns.
pub(crate) fn find_tables() -> Statement {
    once(
        "SELECT m.name, i.name FROM sqlite_master m CROSS JOIN pragma_table_info(m.name) i \
         WHERE m.type = 'table' AND m.name IN ('checkpoints', 'writes')",
        vec![],
    )
}

/// The statements for these tables; `None` if they are not those of LangGraph's savers.
pub(crate) fn statements(tables: &StockTables) -> Option<StockStatements> {
    let checkpoint =
        ["thread_id", "checkpoint_ns", "checkpoint_id", "parent_checkpoint_id", "type"];
    let write = ["thread_id", "checkpoint_ns", "checkpoint_id", "task_id", "idx", "type"];
    let has_all = checkpoint.iter().all(|column| tables.has("checkpoints", column))
        && write.iter().all(|column| tables.has("writes", column));
    if !has_all {
        return None;
    }
    // New in version 3.1.2 of Python's saver.
    let path = if tables.has("writes", "task_path") { "task_path" } else { "''" };
    Some(StockStatements {
        threads: "SELECT thread_id FROM checkpoints UNION SELECT thread_id FROM writes \
                  ORDER BY thread_id"
            .to_owned(),
        checkpoints: "SELECT checkpoint_ns, checkpoint_id FROM (\
                      SELECT checkpoint_ns, checkpoint_id, 1 AS stored FROM checkpoints \
                      WHERE thread_id = ?1 UNION ALL \
                      SELECT DISTINCT checkpoint_ns, checkpoint_id, 0 FROM writes \
                      WHERE thread_id = ?1) GROUP BY checkpoint_ns, checkpoint_id \
                      ORDER BY max(stored), checkpoint_ns DESC, checkpoint_id"
            .to_owned(),
        // Older versions have stored texts where newer ones store bytes.
        checkpoint: format!(
            "SELECT parent_checkpoint_id, coalesce(type, 'json'), \
             coalesce(CAST(checkpoint AS BLOB), x''), coalesce(CAST(metadata AS BLOB), x'7b7d') \
             FROM checkpoints WHERE {HERE}"
        ),
        writes: format!(
            "SELECT task_id, {path}, idx, channel, coalesce(type, 'json'), \
             coalesce(CAST(value AS BLOB), x'') FROM writes WHERE {HERE} ORDER BY task_id, idx"
        ),
        values: None,
        shared: None,
    })
}

/// The statements that write these tables; `None` if they are not those of this language's saver.
/// A new file gets the tables that the newest versions make.
pub(crate) fn inserts(tables: &StockTables, language: Language) -> Option<StockInserts> {
    let has_path = language == Language::Python;
    let is_ours = statements(tables).is_some() && tables.has("writes", "task_path") == has_path;
    if !tables.is_empty() && !is_ours {
        return None;
    }
    let path = if has_path { ", task_path TEXT NOT NULL DEFAULT ''" } else { "" };
    const KEY: &str = "thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT '', \
                       checkpoint_id TEXT NOT NULL";
    let create = vec![
        format!(
            "CREATE TABLE IF NOT EXISTS checkpoints ({KEY}, parent_checkpoint_id TEXT, type TEXT, \
             checkpoint BLOB, metadata BLOB, \
             PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id))"
        ),
        format!(
            "CREATE TABLE IF NOT EXISTS writes ({KEY}, task_id TEXT NOT NULL{path}, \
             idx INTEGER NOT NULL, channel TEXT NOT NULL, type TEXT, value BLOB, \
             PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx))"
        ),
    ];
    let (paths, ninth) = if has_path { (", task_path", ", ?9") } else { ("", "") };
    let is_path = if has_path { " AND task_path IS ?9" } else { "" };
    Some(StockInserts {
        create,
        stored: "SELECT (SELECT count(*) FROM checkpoints WHERE thread_id = ?1), \
                 (SELECT count(*) FROM writes WHERE thread_id = ?1)"
            .to_owned(),
        checkpoint: StockInsert {
            insert: "INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, \
                     parent_checkpoint_id, type, checkpoint, metadata) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING"
                .to_owned(),
            same: format!(
                "SELECT parent_checkpoint_id IS ?4 AND type IS ?5 AND checkpoint IS ?6 \
                 AND metadata IS ?7 FROM checkpoints WHERE {HERE}"
            ),
        },
        value: None,
        write: StockInsert {
            insert: format!(
                "INSERT INTO writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, \
                 channel, type, value{paths}) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8{ninth}) ON CONFLICT DO NOTHING"
            ),
            same: format!(
                "SELECT channel IS ?6 AND type IS ?7 AND value IS ?8{is_path} FROM writes \
                 WHERE {HERE} AND task_id = ?4 AND idx = ?5"
            ),
        },
    })
}
