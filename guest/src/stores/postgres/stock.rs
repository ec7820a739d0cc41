//! What LangGraph's own PostgreSQL savers have stored, in JavaScript and Python.

use super::Postgres;
use super::statement::Parameters;
use crate::contract::lifecycle::Language;
use crate::contract::statement::Statement;
use crate::stores::stock::{StockInsert, StockInserts, StockStatements, StockTables};

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

    /// The statements that write these tables; `None` if they are not those of this language's
    /// saver. An empty schema gets the tables that the newest versions make.
    pub(in crate::stores) fn stock_inserts(
        &self,
        tables: &StockTables,
        language: Language,
    ) -> Option<StockInserts> {
        let has_path = language == Language::Python;
        let is_ours = self.stock_statements(tables).is_some()
            && tables.has("checkpoint_writes", "task_path") == has_path;
        if !tables.is_empty() && !is_ours {
            return None;
        }
        let create = if is_ours { Vec::new() } else { self.create_stock(language) };
        let schema = &self.schema;
        const HERE: &str = "thread_id = $1::text AND checkpoint_ns = $2::text \
                            AND checkpoint_id = $3::text";
        let (paths, ninth) = if has_path { (", task_path", ", $9::text") } else { ("", "") };
        let is_path = if has_path { " AND task_path = $9::text" } else { "" };
        Some(StockInserts {
            create,
            stored: format!(
                "SELECT (SELECT count(*) FROM {schema}.checkpoints WHERE thread_id = $1::text), \
                 (SELECT count(*) FROM {schema}.checkpoint_writes WHERE thread_id = $1::text)"
            ),
            checkpoint: StockInsert {
                insert: format!(
                    "INSERT INTO {schema}.checkpoints (thread_id, checkpoint_ns, checkpoint_id, \
                     parent_checkpoint_id, checkpoint, metadata) VALUES ($1::text, $2::text, \
                     $3::text, $4::text, $5::text::jsonb, $6::text::jsonb) ON CONFLICT DO NOTHING"
                ),
                same: format!(
                    "SELECT (parent_checkpoint_id IS NOT DISTINCT FROM $4::text \
                     AND checkpoint = $5::text::jsonb AND metadata = $6::text::jsonb)::int::bigint \
                     FROM {schema}.checkpoints WHERE {HERE}"
                ),
            },
            value: Some(StockInsert {
                insert: format!(
                    "INSERT INTO {schema}.checkpoint_blobs (thread_id, checkpoint_ns, channel, \
                     version, type, blob) VALUES ($1::text, $2::text, $3::text, $4::text, \
                     $5::text, $6::bytea) ON CONFLICT DO NOTHING"
                ),
                same: format!(
                    "SELECT (type = $5::text AND blob IS NOT DISTINCT FROM $6::bytea)::int::bigint \
                     FROM {schema}.checkpoint_blobs WHERE thread_id = $1::text \
                     AND checkpoint_ns = $2::text AND channel = $3::text AND version = $4::text"
                ),
            }),
            write: StockInsert {
                insert: format!(
                    "INSERT INTO {schema}.checkpoint_writes (thread_id, checkpoint_ns, \
                     checkpoint_id, task_id, idx, channel, type, blob{paths}) VALUES ($1::text, \
                     $2::text, $3::text, $4::text, $5::bigint::int, $6::text, $7::text, \
                     $8::bytea{ninth}) ON CONFLICT DO NOTHING"
                ),
                same: format!(
                    "SELECT (channel = $6::text AND type = $7::text \
                     AND blob = $8::bytea{is_path})::int::bigint FROM {schema}.checkpoint_writes \
                     WHERE {HERE} AND task_id = $4::text AND idx = $5::bigint::int"
                ),
            },
        })
    }

    /// Makes the tables, and notes which migrations they correspond to.
    fn create_stock(&self, language: Language) -> Vec<String> {
        let schema = &self.schema;
        let key = "thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT ''";
        let (path, last) = match language {
            Language::JavaScript => ("", 4),
            Language::Python => (", task_path TEXT NOT NULL DEFAULT ''", 9),
        };
        let mut create = Vec::new();
        // It is always there, and to ask for it takes a right.
        if schema.to_string() != "\"public\"" {
            create.push(format!("CREATE SCHEMA IF NOT EXISTS {schema}"));
        }
        create.extend([
            format!(
                "CREATE TABLE IF NOT EXISTS {schema}.checkpoint_migrations (v INTEGER PRIMARY KEY)"
            ),
            format!(
                "CREATE TABLE IF NOT EXISTS {schema}.checkpoints ({key}, checkpoint_id TEXT \
                 NOT NULL, parent_checkpoint_id TEXT, type TEXT, checkpoint JSONB NOT NULL, \
                 metadata JSONB NOT NULL DEFAULT '{{}}', \
                 PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id))"
            ),
            format!(
                "CREATE TABLE IF NOT EXISTS {schema}.checkpoint_blobs ({key}, channel TEXT \
                 NOT NULL, version TEXT NOT NULL, type TEXT NOT NULL, blob BYTEA, \
                 PRIMARY KEY (thread_id, checkpoint_ns, channel, version))"
            ),
            format!(
                "CREATE TABLE IF NOT EXISTS {schema}.checkpoint_writes ({key}, checkpoint_id TEXT \
                 NOT NULL, task_id TEXT NOT NULL, idx INTEGER NOT NULL, channel TEXT NOT NULL, \
                 type TEXT, blob BYTEA NOT NULL{path}, \
                 PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx))"
            ),
        ]);
        if language == Language::Python {
            let tables = ["checkpoints", "checkpoint_blobs", "checkpoint_writes"];
            create.extend(tables.map(|table| {
                format!(
                    "CREATE INDEX IF NOT EXISTS {table}_thread_id_idx \
                     ON {schema}.{table} (thread_id)"
                )
            }));
        }
        create.push(format!(
            "INSERT INTO {schema}.checkpoint_migrations (v) SELECT generate_series(0, {last}) \
             ON CONFLICT DO NOTHING"
        ));
        create
    }
}
