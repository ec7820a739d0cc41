//! A SQLite file as a saver uses it.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use langgraph_checkpoint_host::{
    Checkpointer, SqliteOptions, SqliteStorage, StorageErrorKind, Synchronous,
};
use pyo3::prelude::*;

use crate::call::Call;
use crate::errors::{invalid, raised, unusable};
use crate::event_loop::{EventLoop, Waiting};
use crate::files::OpenFile;
use crate::process::Process;

/// An open SQLite file. All methods may be called on any thread, at the same time.
#[pyclass(frozen, module = "langgraph_checkpoint_wasm._core")]
pub(crate) struct SqliteStore {
    process: Arc<Process>,
    /// `None` once it is closed.
    opened: Mutex<Option<Arc<Opened>>>,
    /// Has no sender any more when the file is closed.
    closed: Mutex<Receiver<()>>,
}

/// What the calls under way share. The last one closes the file if the store was closed meanwhile.
struct Opened {
    // Fields are dropped in order.
    checkpointer: Checkpointer<SqliteStorage>,
    _file: OpenFile,
    _closed: Sender<()>,
}

#[pymethods]
impl SqliteStore {
    /// Opens a file, and creates it if it is missing.
    #[new]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        synchronous: &str,
        busy_timeout_s: f64,
        read_only: bool,
    ) -> PyResult<Self> {
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
                "{}: this process was forked while its parent had the file open, so SQLite \
                 would use it without locks; open savers after forking, and not before",
                path.display()
            );
            return Err(unusable(py, StorageErrorKind::Unreachable, &message));
        }
        let storage = py.detach(|| SqliteStorage::open(&path, &options));
        let storage = storage.map_err(|error| raised(py, &error.into()))?;
        let file = process.open_files.add(&path);
        let checkpointer = Checkpointer::new(process.planner.clone(), storage);
        let (sender, closed) = channel();
        let opened = Arc::new(Opened { checkpointer, _file: file, _closed: sender });
        Ok(Self { process, opened: Mutex::new(Some(opened)), closed: Mutex::new(closed) })
    }

    /// Runs a call on this thread. Other threads of Python run meanwhile.
    fn run(&self, py: Python<'_>, call: &Bound<'_, Call>) -> PyResult<Py<PyAny>> {
        let opened = self.opened(py)?;
        let planned = call.get().take(py)?;
        let runtime = &self.process.runtime;
        let outcome = py.detach(move || runtime.block_on(planned.run(&opened.checkpointer)));
        outcome.map_err(|failure| failure.raised(py))?.into_python(py)
    }

    /// Runs a call on another thread. The event loop sets the future to its outcome.
    fn start(
        &self,
        py: Python<'_>,
        call: &Bound<'_, Call>,
        event_loop: &Bound<'_, EventLoop>,
        future: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let opened = self.opened(py)?;
        let planned = call.get().take(py)?;
        let waiting = Waiting::new(event_loop, future);
        self.process.runtime.spawn(async move {
            let outcome = planned.run(&opened.checkpointer).await;
            drop(opened);
            waiting.end(outcome);
        });
        Ok(())
    }

    /// Closes the file after the calls under way. Later calls are refused.
    fn close(&self, py: Python<'_>) {
        if !self.process.is_current() {
            return;
        }
        let opened = self.lock_opened().take();
        py.detach(|| {
            drop(opened);
            // Nothing is ever sent: this ends when the last call under way has dropped its share.
            let _ = self.closed.lock().unwrap_or_else(PoisonError::into_inner).recv();
        });
    }
}

impl SqliteStore {
    fn opened(&self, py: Python<'_>) -> PyResult<Arc<Opened>> {
        if !self.process.is_current() {
            let message = "the saver was opened before this process was forked, and a SQLite \
                           connection does not survive that; open a saver in each process";
            return Err(unusable(py, StorageErrorKind::Closed, message));
        }
        self.lock_opened().clone().ok_or_else(|| {
            let message = "the saver is closed; open another one";
            unusable(py, StorageErrorKind::Closed, message)
        })
    }

    /// Only called with the interpreter's lock held, and held for a moment.
    fn lock_opened(&self) -> MutexGuard<'_, Option<Arc<Opened>>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        let opened = self.opened.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if !self.process.is_current() {
            // A forked child has none of the threads that closing would wait for, and must not
            // touch the parent's file.
            std::mem::forget(opened);
        } else {
            // Closing waits for the file.
            Python::try_attach(|py| py.detach(|| drop(opened)));
        }
    }
}
