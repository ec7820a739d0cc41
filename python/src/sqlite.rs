//! SQLite files.

use std::path::PathBuf;

use langgraph_checkpoint_host::{
    Checkpointer, SqliteOptions, SqliteStorage, StorageErrorKind, Synchronous,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::call::Checkpoints;
use crate::errors::{raised, unusable};
use crate::interpreter;
use crate::options::{Options, SECONDS, YES_OR_NO};
use crate::process::Process;
use crate::store::Store;

/// Opens a SQLite file, and creates it if it is missing.
#[pyfunction]
pub(crate) fn open_sqlite(
    py: Python<'_>,
    path: PathBuf,
    options: &Bound<'_, PyDict>,
) -> PyResult<Store> {
    let given = Options(options);
    let synchronous = [("full", Synchronous::Full), ("normal", Synchronous::Normal)];
    let options = SqliteOptions {
        synchronous: given.one_of("synchronous", &synchronous)?,
        busy_deadline: given.get("busy_timeout", &SECONDS)?,
        read_only: given.get("read_only", &YES_OR_NO)?,
        on_callers_thread: true,
        ..SqliteOptions::default()
    };
    // As for Python's `sqlite3`, it is a path and no URI: that could name a file that a parent
    // process has open.
    let path = if path.as_os_str().as_encoded_bytes().starts_with(b"file:") {
        PathBuf::from(".").join(path)
    } else {
        path
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
    let storage = storage.map_err(|error| raised(py, &error.into()))?;
    let file = process.open_files.add(&path);
    let checkpointer =
        Checkpointer::new(process.planner.clone(), storage).on_warning(interpreter::warn);
    let checkpoints = Checkpoints::Sqlite(Box::new(checkpointer));
    Ok(Store::new(process, checkpoints, Some(file)))
}
