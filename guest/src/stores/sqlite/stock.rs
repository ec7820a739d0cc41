//! What LangGraph's own SQLite savers have stored, in JavaScript and Python.

use super::statement::once;
use crate::contract::statement::Statement;
use crate::stores::stock::{StockStatements, StockTables};

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
    const HERE: &str = "thread_id = ?1 AND checkpoint_ns = ?2 AND checkpoint_id = ?3";
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
