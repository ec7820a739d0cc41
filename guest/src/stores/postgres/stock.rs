//! What LangGraph's own PostgreSQL savers have stored, in JavaScript and Python.

use super::Postgres;
use super::statement::Parameters;
use crate::contract::statement::Statement;
use crate::stores::stock::{StockStatements, StockTables};

impl Postgres {
    /// The tables and their columns.
    pub(in crate::stores) fn find_stock_tables(&self) -> Statement {
        let mut parameters = Parameters::default();
        let schema = parameters.text(&self.schema.to_string());
        parameters.statement(format!(
            "SELECT c.relname::text, a.attname::text FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 \
             WHERE c.relnamespace = to_regnamespace({schema}) AND c.relkind IN ('r', 'p') \
             AND c.relname IN ('checkpoints', 'checkpoint_blobs', 'checkpoint_writes')"
        ))
    }

    /// The statements for these tables; `None` if they are not those of LangGraph's savers.
    pub(in crate::stores) fn stock_statements(
        &self,
        tables: &StockTables,
    ) -> Option<StockStatements> {
        let all = ["checkpoints", "checkpoint_blobs", "checkpoint_writes"];
        if !all.iter().all(|table| tables.has(table, "checkpoint_ns")) {
            return None;
        }
        // Python's has it.
        let path = if tables.has("checkpoint_writes", "task_path") { "task_path" } else { "''" };
        let schema = &self.schema;
        let here = |table: &str| {
            format!(
                "{table}.thread_id = $1::text AND {table}.checkpoint_ns = $2::text \
                 AND {table}.checkpoint_id = $3::text"
            )
        };
        Some(StockStatements {
            threads: format!(
                "SELECT thread_id FROM {schema}.checkpoints \
                 UNION SELECT thread_id FROM {schema}.checkpoint_writes ORDER BY thread_id"
            ),
            checkpoints: format!(
                "SELECT checkpoint_ns, checkpoint_id FROM (\
                 SELECT checkpoint_ns, checkpoint_id, 1 AS stored FROM {schema}.checkpoints \
                 WHERE thread_id = $1::text UNION ALL \
                 SELECT DISTINCT checkpoint_ns, checkpoint_id, 0 FROM {schema}.checkpoint_writes \
                 WHERE thread_id = $1::text) found GROUP BY checkpoint_ns, checkpoint_id \
                 ORDER BY max(stored), checkpoint_ns COLLATE \"C\" DESC, \
                 checkpoint_id COLLATE \"C\""
            ),
            checkpoint: format!(
                "SELECT c.parent_checkpoint_id, 'json'::text, \
                 convert_to(c.checkpoint::text, 'UTF8'), convert_to(c.metadata::text, 'UTF8') \
                 FROM {schema}.checkpoints c WHERE {}",
                here("c")
            ),
            writes: format!(
                "SELECT w.task_id, {path}, w.idx::bigint, w.channel, coalesce(w.type, 'json'), \
                 w.blob FROM {schema}.checkpoint_writes w WHERE {} \
                 ORDER BY w.task_id COLLATE \"C\", w.idx",
                here("w")
            ),
            values: Some(format!(
                "SELECT b.channel, b.type, coalesce(b.blob, ''::bytea) \
                 FROM {schema}.checkpoints c \
                 CROSS JOIN LATERAL jsonb_each_text(c.checkpoint -> 'channel_versions') v \
                 JOIN {schema}.checkpoint_blobs b ON b.thread_id = c.thread_id \
                 AND b.checkpoint_ns = c.checkpoint_ns AND b.channel = v.key \
                 AND b.version = v.value WHERE {} ORDER BY b.channel COLLATE \"C\"",
                here("c")
            )),
            // A checkpoint has written a channel if its parent has it at another version. A copied
            // checkpoint, of the source `fork`, has written nothing.
            shared: Some(format!(
                "SELECT c.checkpoint_ns, v.key, v.value::text FROM {schema}.checkpoints c \
                 CROSS JOIN LATERAL jsonb_each(c.checkpoint -> 'channel_versions') v \
                 LEFT JOIN {schema}.checkpoints p ON p.thread_id = c.thread_id \
                 AND p.checkpoint_ns = c.checkpoint_ns \
                 AND p.checkpoint_id = c.parent_checkpoint_id \
                 WHERE c.thread_id = $1::text AND jsonb_typeof(v.value) = 'number' \
                 AND (c.parent_checkpoint_id IS NULL OR p.checkpoint_id IS NOT NULL) \
                 AND c.metadata ->> 'source' IS DISTINCT FROM 'fork' \
                 AND p.checkpoint -> 'channel_versions' -> v.key IS DISTINCT FROM v.value \
                 GROUP BY c.checkpoint_ns, v.key, v.value HAVING count(*) > 1 \
                 ORDER BY c.checkpoint_ns COLLATE \"C\", v.key COLLATE \"C\", v.value"
            )),
        })
    }
}
