//! SQLite files.

use std::path::PathBuf;
use std::time::Duration;

use langgraph_checkpoint_host::{
    Checkpointer, SqliteOptions, SqliteStorage, StorageErrorKind, Synchronous,
};
use pyo3::prelude::*;

use crate::call::Checkpoints;
use crate::errors::{Errors, invalid, unusable};
use crate::interpreter;
use crate::process::Process;
use crate::store::Store;

/// Opens a SQLite file, and creates it if it is missing.
#[pyfunction]
pub(crate) fn open_sqlite(
    py: Python<'_>,
    path: PathBuf,
    synchronous: &str,
    busy_timeout_s: f64,
    read_only: bool,
) -> PyResult<Store> {
    let synchronous = match synchronous {
        "full" => Synchronous::Full,
        "normal" => Synchronous::Normal,
        _ => {
            let message = "synchronous has to be \"full\" or \"normal\"";
            return Err(invalid(py, "invalid-option", message));
        }
    };
    let busy_deadline = Duration::try_from_secs_f64(busy_timeout_s).map_err(|_| {
        let message = "busy_timeout has to be a number of seconds, not negative";
        invalid(py, "invalid-option", message)
    })?;
    // As for Python's `sqlite3`, it is a path and no URI: that could name a file that a parent
    // process has open.
    let path = if path.as_os_str().as_encoded_bytes().starts_with(b"file:") {
        PathBuf::from(".").join(path)
    } else {
        path
    };
    let options = SqliteOptions {
        synchronous,
        busy_deadline,
        read_only,
        on_callers_thread: true,
        ..SqliteOptions::default()
    };
    let process = Process::current(py)?;
    if process.inherited.has(&path) {
        let message = format!(
            "{}: this process was forked while its parent had the file open, so SQLite would use \
             it without locks; open savers after forking, and not before",
            path.display()
        );
        return Err(unusable(py, StorageErrorKind::Unreachable, &message));
    }
    let storage = py.detach(|| SqliteStorage::open(&path, &options));
    let storage = storage.map_err(|error| Errors::Sql.raised(py, &error.into()))?;
    let file = process.open_files.add(&path);
    let checkpointer =
        Checkpointer::new(process.planner.clone(), storage).on_warning(interpreter::warn);
    let checkpoints = Checkpoints::Sqlite(Box::new(checkpointer));
    Ok(Store::new(process, Errors::Sql, checkpoints, Some(file)))
}
