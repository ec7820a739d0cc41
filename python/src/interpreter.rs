//! Using Python on threads that are not its own, up to its end.
//!
//! A thread that asks for the interpreter's lock while the interpreter ends may crash the process.

use std::ffi::CString;
use std::sync::{PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;

/// Whether the interpreter is ending. Held for reading by threads that use Python.
static ENDING: RwLock<bool> = RwLock::new(false);

/// How often, and after which pauses, the end looks whether such threads are done.
const LOOKS_MAX: usize = 500;
const PAUSE: Duration = Duration::from_millis(10);

/// Runs something in Python on a thread that is not Python's. `None` if the interpreter is ending.
pub(crate) fn attached<T>(run: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    let ending = ENDING.read().unwrap_or_else(PoisonError::into_inner);
    if *ending { None } else { Python::try_attach(run) }
}

/// Passes a warning to Python's `warnings`, on any thread.
pub(crate) fn warn(warning: &str) {
    let _ = attached(|py| {
        let text = CString::new(warning).unwrap_or_default();
        if let Err(error) = PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, 1) {
            // Where warnings are errors: the call that met it has been made.
            error.write_unraisable(py, None);
        }
    });
}

/// Whether the interpreter is ending.
pub(crate) fn is_ending() -> bool {
    *ENDING.read().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until no other thread uses Python by `attached`, and lets none do so later. Python calls
/// this when it ends.
#[pyfunction]
pub(crate) fn end(py: Python<'_>) {
    py.detach(|| {
        // Not for ever: in a forked child, a thread of the parent's may seem to hold it.
        for _ in 0..LOOKS_MAX {
            if let Ok(mut ending) = ENDING.try_write() {
                *ending = true;
                return;
            }
            thread::sleep(PAUSE);
        }
    });
}
