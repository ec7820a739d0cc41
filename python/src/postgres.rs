//! Schemas of PostgreSQL databases.

use langgraph_checkpoint_host::{Checkpointer, PostgresOptions};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::call::Checkpoints;
use crate::errors::raised;
use crate::interpreter;
use crate::options::{COUNT, Options, SECONDS, TEXT, YES_OR_NO};
use crate::process::Process;
use crate::store::Store;

/// Makes a pool of connections to a database. Sends nothing.
#[pyfunction]
pub(crate) fn open_postgres(py: Python<'_>, options: &Bound<'_, PyDict>) -> PyResult<Store> {
    let given = Options(options);
    let conn = given.get("conn", &TEXT)?;
    let options = PostgresOptions {
        schema: given.get("schema", &TEXT)?,
        connections_max: given.get("pool_size", &COUNT)? as usize,
        deadline: given.get("deadline", &SECONDS)?,
        application_name: given.get("application_name", &TEXT)?,
        prepare: given.get("prepare", &YES_OR_NO)?,
    };
    let process = Process::current(py)?;
    let opened = Checkpointer::connect_postgres(process.planner.clone(), &conn, &options);
    let checkpointer = opened.map_err(|error| raised(py, &error))?;
    let checkpoints = Checkpoints::Postgres(Box::new(checkpointer.on_warning(interpreter::warn)));
    Ok(Store::new(process, checkpoints, None))
}
