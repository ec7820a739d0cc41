//! The schema and its tables.
//!
//! Their names differ from those of LangGraph's own savers, so that both can use one schema.

use std::fmt;
use std::sync::Arc;

use super::statement::Parameters;
use crate::contract::error::Error;
use crate::contract::statement::{Statement, Value};
use crate::format::FORMAT;

/// PostgreSQL cuts longer names.
const NAME_BYTES_MAX: usize = 63;
/// PostgreSQL makes no schema whose name begins so.
const RESERVED: &str = "pg_";

/// The name of a schema. It is displayed quoted, as a statement needs it.
#[derive(Clone, Debug)]
pub(super) struct Schema {
    quoted: Arc<str>,
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.quoted)
    }
}

impl Schema {
    /// The schema with this name. Fails with `invalid-schema` if PostgreSQL has no such names.
    pub(super) fn new(name: &str) -> Result<Self, Error> {
        let refused = |what: &str| {
            let message = format!("the schema's name {what}; name it otherwise");
            Err(Error::invalid("invalid-schema", message))
        };
        if name.is_empty() {
            return refused("is empty");
        }
        if name.len() > NAME_BYTES_MAX {
            return refused(&format!("has more than {NAME_BYTES_MAX} bytes of UTF-8"));
        }
        if name.contains('\0') {
            return refused("contains U+0000");
        }
        if name.starts_with(RESERVED) {
            return refused("starts with pg_, as only PostgreSQL's own do");
        }
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        Ok(Self { quoted: quoted.into() })
    }

    /// Whether the server can have a store, and whether the schema and the tables are there: the
    /// server's version, its encoding, and two integers that are 1 if they are. A third one is 1 if
    /// tables of LangGraph's own saver are there and may be read.
    pub(super) fn look(&self) -> Statement {
        let mut parameters = Parameters::default();
        let schema = parameters.text(&self.quoted);
        let table = parameters.text(&format!("{self}.lg_format"));
        let [checkpoints, blobs] =
            ["checkpoints", "checkpoint_blobs"].map(|it| parameters.text(&format!("{self}.{it}")));
        // `to_regclass` needs no right to the table.
        parameters.statement(format!(
            "SELECT current_setting('server_version_num')::bigint, \
             current_setting('server_encoding')::text, \
             (to_regnamespace({schema}) IS NOT NULL)::int::bigint, \
             (to_regclass({table}) IS NOT NULL)::int::bigint, \
             coalesce(to_regclass({blobs}) IS NOT NULL AND \
             has_table_privilege(to_regclass({checkpoints}), 'SELECT'), false)::int::bigint"
        ))
    }

    /// A row if LangGraph's own saver has stored threads, and the store has none.
    pub(super) fn find_stock_threads(&self) -> Statement {
        once(format!(
            "SELECT 1::bigint FROM {self}.checkpoints \
             WHERE NOT EXISTS (SELECT FROM {self}.lg_threads) LIMIT 1"
        ))
    }

    /// The format of the store; the newest if several were written.
    pub(super) fn read_format(&self) -> Statement {
        once(format!("SELECT format FROM {self}.lg_format ORDER BY format DESC LIMIT 1"))
    }

    /// Makes missing tables. Other setups wait until its transaction has ended.
    pub(super) fn create(&self, is_there: bool) -> Vec<Statement> {
        let mut parameters = Parameters::default();
        let lock = parameters.integer(SETUP_LOCK);
        let lock = parameters.statement(format!("SELECT pg_advisory_xact_lock({lock})::text"));
        // A session remembers that a schema is missing, and learns what others have made when it
        // locks a table. Waiting for an advisory lock is not enough.
        let learn = once("SELECT FROM pg_catalog.pg_namespace WHERE false".to_owned());
        let schema = (!is_there).then(|| once(format!("CREATE SCHEMA IF NOT EXISTS {self}")));
        let mut statements: Vec<Statement> = [lock, learn].into_iter().chain(schema).collect();
        statements.extend(tables(self).into_iter().map(once));
        let mut parameters = Parameters::default();
        let format = parameters.bind(Value::Integer(i64::from(FORMAT)), "bigint");
        statements.push(parameters.statement(format!(
            "INSERT INTO {self}.lg_format (format) \
             SELECT {format} WHERE NOT EXISTS (SELECT FROM {self}.lg_format)"
        )));
        statements
    }
}

/// The advisory lock of setups: a number that no other program is likely to have chosen.
const SETUP_LOCK: i64 = 0x1c7e_5f21_9ab0_4d63;

fn once(text: String) -> Statement {
    Statement { text, parameters: vec![Vec::new()] }
}

/// The statements that make missing tables.
///
/// A thread comes first in every key, so that what is read together is stored together. The hashes
/// in `envelope` and `refs` cannot be compressed, so nobody tries.
fn tables(schema: &Schema) -> Vec<String> {
    vec![
        format!("CREATE TABLE IF NOT EXISTS {schema}.lg_format (format bigint PRIMARY KEY)"),
        format!(
            "CREATE TABLE IF NOT EXISTS {schema}.lg_threads (\
             thread_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \
             generation bigint NOT NULL DEFAULT 0, \
             thread_id text COLLATE \"C\" NOT NULL UNIQUE)"
        ),
        format!("CREATE TABLE IF NOT EXISTS {schema}.lg_deleted (thread_key bigint PRIMARY KEY)"),
        format!(
            "CREATE TABLE IF NOT EXISTS {schema}.lg_copies (\
             thread_key bigint PRIMARY KEY, \
             thread_id text COLLATE \"C\" NOT NULL UNIQUE)"
        ),
        format!(
            "CREATE TABLE IF NOT EXISTS {schema}.lg_sweeps (\
             id bigint PRIMARY KEY DEFAULT 1 CHECK (id = 1), \
             leased_until bigint NOT NULL)"
        ),
        format!("INSERT INTO {schema}.lg_sweeps (leased_until) VALUES (0) ON CONFLICT DO NOTHING"),
        format!(
            "CREATE TABLE IF NOT EXISTS {schema}.lg_records (\
             thread_key bigint NOT NULL, \
             idx bigint NOT NULL, \
             checkpoint_ns text COLLATE \"C\" NOT NULL, \
             checkpoint_id text COLLATE \"C\" NOT NULL, \
             task_id text COLLATE \"C\" NOT NULL, \
             parent_checkpoint_id text COLLATE \"C\", \
             created_at text COLLATE \"C\", \
             channels text COLLATE \"C\", \
             metadata bytea, \
             terms uuid[], \
             run_id text COLLATE \"C\", \
             task_path text COLLATE \"C\", \
             channel text COLLATE \"C\", \
             envelope bytea NOT NULL, \
             refs bytea[], \
             PRIMARY KEY (thread_key, checkpoint_ns, checkpoint_id, task_id, idx))"
        ),
        format!(
            "CREATE TABLE IF NOT EXISTS {schema}.lg_chunks (\
             thread_key bigint NOT NULL, \
             hash bytea NOT NULL, \
             data bytea NOT NULL, \
             refs bytea, \
             PRIMARY KEY (thread_key, hash))"
        ),
        format!(
            "ALTER TABLE {schema}.lg_records ALTER COLUMN envelope SET STORAGE EXTERNAL, \
             ALTER COLUMN refs SET STORAGE EXTERNAL, ALTER COLUMN terms SET STORAGE EXTERNAL"
        ),
        format!("ALTER TABLE {schema}.lg_chunks ALTER COLUMN refs SET STORAGE EXTERNAL"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_quoted_and_refused_if_it_cannot_exist() {
        for (name, quoted) in [("public", "\"public\""), ("a\"; DROP", "\"a\"\"; DROP\"")] {
            assert_eq!(Schema::new(name).unwrap().to_string(), quoted);
        }
        assert!(Schema::new(&"\u{e9}".repeat(31)).is_ok());
        assert!(Schema::new("PG_x").is_ok());
        for name in ["", "a\0b", "pg_x", "pg_catalog", &"\u{e9}".repeat(32)] {
            assert_eq!(Schema::new(name).unwrap_err().code(), "invalid-schema");
        }
    }
}
