//! An open store, as a saver uses it.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use langgraph_checkpoint_host::StorageErrorKind;
use pyo3::prelude::*;
use tokio::runtime::Handle;

use crate::call::{Call, Checkpoints};
use crate::errors::unusable;
use crate::event_loop::{EventLoop, Waiting};
use crate::files::OpenFile;
use crate::interpreter;
use crate::process::Process;

/// An open store. All methods may be called on any thread, at the same time.
#[pyclass(frozen, module = "langgraph_checkpoint_wasm._core")]
pub(crate) struct Store {
    process: Arc<Process>,
    /// `None` once it is closed.
    opened: Mutex<Option<Arc<Opened>>>,
    /// Has no sender any more when the store is closed.
    closed: Mutex<Receiver<()>>,
}

/// What the calls under way share. The last one closes the store if it was closed meanwhile.
struct Opened {
    // Fields are dropped in order.
    checkpoints: Checkpoints,
    _file: Option<OpenFile>,
    _closed: Sender<()>,
}

#[pymethods]
impl Store {
    /// Runs a call on this thread. Other threads of Python run meanwhile.
    fn run(&self, py: Python<'_>, call: &Bound<'_, Call>) -> PyResult<Py<PyAny>> {
        let opened = self.opened(py)?;
        let planned = call.get().take(py)?;
        let runtime = &self.process.runtime;
        let run = || runtime.block_on(planned.run(&opened.checkpoints));
        // A finalizer may run on a thread of the runtime, where nothing may wait for a call.
        let is_inside = Handle::try_current().is_ok();
        let outcome = py.detach(|| match is_inside {
            false => run(),
            true => thread::scope(|scope| match scope.spawn(run).join() {
                Ok(outcome) => outcome,
                Err(panic) => resume_unwind(panic),
            }),
        });
        drop(opened);
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
        if interpreter::is_ending() {
            let message = "Python is ending: no call of asyncio would be answered";
            return Err(unusable(py, StorageErrorKind::Closed, message));
        }
        let planned = call.get().take(py)?;
        let waiting = Waiting::new(event_loop, future);
        self.process.runtime.spawn(async move {
            let outcome = planned.run(&opened.checkpoints).await;
            // What is closed has let go of the event loops too.
            waiting.end(outcome);
            drop(opened);
        });
        Ok(())
    }

    /// Fails with `storage-closed` if calls are refused.
    fn check_open(&self, py: Python<'_>) -> PyResult<()> {
        self.opened(py).map(|_| ())
    }

    /// Closes the store after the calls under way. Later calls are refused.
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

impl Store {
    /// A store that is open.
    pub(crate) fn new(
        process: Arc<Process>,
        checkpoints: Checkpoints,
        file: Option<OpenFile>,
    ) -> Self {
        let (sender, closed) = channel();
        let opened = Arc::new(Opened { checkpoints, _file: file, _closed: sender });
        Self { process, opened: Mutex::new(Some(opened)), closed: Mutex::new(closed) }
    }

    fn opened(&self, py: Python<'_>) -> PyResult<Arc<Opened>> {
        if !self.process.is_current() {
            let message = "the saver was opened before this process was forked, and does not \
                           survive that; open a saver in each process";
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

impl Drop for Store {
    fn drop(&mut self) {
        let opened = self.opened.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if !self.process.is_current() {
            // A forked child has none of the threads that closing would wait for, and must not
            // touch the parent's file.
            std::mem::forget(opened);
        } else {
            // Closing waits for the store.
            Python::try_attach(|py| py.detach(|| drop(opened)));
        }
    }
}
