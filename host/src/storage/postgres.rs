//! PostgreSQL, through tokio-postgres and a pool of deadpool's.
//!
//! `js/src/stores/postgres` has the same rules for JavaScript: which failures are temporary, when a
//! batch is run again, and the codes of errors.

mod address;
mod agent;
mod attempt;
mod database;
mod failure;
mod lanes;
mod options;
mod server;
mod tls;
mod values;

pub use self::agent::PostgresAgentStorage;
pub use self::database::PostgresStorage;
pub use self::options::PostgresOptions;
