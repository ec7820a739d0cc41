//! Schemas of PostgreSQL databases.

use std::time::Duration;

use langgraph_checkpoint_host::{Checkpointer, PostgresOptions};
use pyo3::prelude::*;

use crate::call::Checkpoints;
use crate::errors::{Errors, invalid};
use crate::interpreter;
use crate::process::Process;
use crate::store::Store;

/// Makes a pool of connections to a database. Sends nothing.
#[pyfunction]
pub(crate) fn open_postgres(
    py: Python<'_>,
    conn_string: &str,
    schema: String,
    pool_size: usize,
    deadline_s: f64,
    application_name: String,
    prepare: bool,
) -> PyResult<Store> {
    let deadline = Duration::try_from_secs_f64(deadline_s).map_err(|_| {
        let message = "deadline has to be a number of seconds, not negative";
        invalid(py, "invalid-option", message)
    })?;
    if pool_size == 0 {
        return Err(invalid(py, "invalid-option", "pool_size has to be at least 1"));
    }
    let options =
        PostgresOptions { schema, connections_max: pool_size, deadline, application_name, prepare };
    let process = Process::current(py)?;
    let opened = Checkpointer::connect_postgres(process.planner.clone(), conn_string, &options);
    let checkpointer = opened.map_err(|error| Errors::Sql.raised(py, &error))?;
    let checkpoints = Checkpoints::Postgres(Box::new(checkpointer.on_warning(interpreter::warn)));
    Ok(Store::new(process, Errors::Sql, checkpoints, None))
}
