//! How a database is used.

use std::time::Duration;

/// How a PostgreSQL database is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    /// The schema that has the tables, which the setup makes if it is missing.
    pub schema: String,
    /// How many connections are open at the same time; at least one.
    pub connections_max: usize,
    /// How long a batch may take, with all attempts.
    pub deadline: Duration,
    /// How sessions are named in `pg_stat_activity`, unless the connection string says so.
    pub application_name: String,
    /// Whether each connection keeps statements prepared, which saves the server half of its time
    /// for small states. Not through a pooler in transaction mode.
    pub prepare: bool,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            schema: "public".to_owned(),
            connections_max: 10,
            deadline: Duration::from_secs(30),
            application_name: "langgraph-checkpoint-wasm".to_owned(),
            prepare: false,
        }
    }
}
