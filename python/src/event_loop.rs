//! Outcomes for asyncio: those that are ready together wake their event loop once.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::intern;
use pyo3::prelude::*;

use crate::call::Failure;
use crate::interpreter::attached;
use crate::outcome::Outcome;

/// An event loop that waits for calls. It does not hold the loop of Python, so that whoever keeps
/// this for a loop does not keep the loop.
#[pyclass(frozen, module = "langgraph_checkpoint_wasm._core")]
pub(crate) struct EventLoop(Arc<Mutex<Ready>>);

/// The outcomes that the event loop has not seen yet.
#[derive(Default)]
struct Ready {
    ended: Vec<Ended>,
    /// Whether the event loop was woken, and has not looked since.
    woken: bool,
}

/// An outcome, and the future of asyncio that waits for it.
struct Ended {
    future: Py<PyAny>,
    outcome: Result<Outcome, Failure>,
}

#[pymethods]
impl EventLoop {
    #[new]
    fn new() -> Self {
        Self(Arc::default())
    }

    /// Sets the futures of all calls that have ended. The event loop calls this on its thread.
    fn deliver(&self, py: Python<'_>) -> PyResult<()> {
        let ended = {
            let mut ready = lock(&self.0);
            ready.woken = false;
            mem::take(&mut ready.ended)
        };
        for Ended { future, outcome } in ended {
            let future = future.bind(py);
            // Its caller may have been cancelled.
            if future.call_method0(intern!(py, "done"))?.is_truthy()? {
                continue;
            }
            let outcome = outcome.map_err(|failure| failure.raised(py));
            match outcome.and_then(|outcome| outcome.into_python(py)) {
                Ok(result) => future.call_method1(intern!(py, "set_result"), (result,))?,
                Err(error) => future.call_method1(intern!(py, "set_exception"), (error,))?,
            };
        }
        Ok(())
    }
}

/// Where the outcome of a call goes.
pub(crate) struct Waiting {
    event_loop: Py<EventLoop>,
    ready: Arc<Mutex<Ready>>,
    future: Py<PyAny>,
}

impl Waiting {
    /// A call whose outcome goes to a future of this event loop.
    pub(crate) fn new(event_loop: &Bound<'_, EventLoop>, future: &Bound<'_, PyAny>) -> Self {
        let ready = Arc::clone(&event_loop.get().0);
        let (event_loop, future) = (event_loop.clone().unbind(), future.clone().unbind());
        Self { event_loop, ready, future }
    }

    /// Hands over the outcome, on any thread.
    pub(crate) fn end(self, outcome: Result<Outcome, Failure>) {
        let Self { event_loop, ready, future } = self;
        // Without the interpreter's lock, because whoever holds that may wait for this one.
        let woken = {
            let mut ready = lock(&ready);
            ready.ended.push(Ended { future, outcome });
            mem::replace(&mut ready.woken, true)
        };
        if woken {
            return;
        }
        let is_awake = attached(|py| wake(py, &event_loop, &ready)).unwrap_or(false);
        if !is_awake {
            // The event loop or the interpreter has ended, and nobody waits any more.
            *lock(&ready) = Ready::default();
        }
    }
}

/// Asks the event loop to call `deliver`. Returns whether it will.
fn wake(py: Python<'_>, event_loop: &Py<EventLoop>, ready: &Mutex<Ready>) -> bool {
    let Some(future) = lock(ready).ended.first().map(|ended| ended.future.clone_ref(py)) else {
        return false;
    };
    let deliver = event_loop.bind(py).getattr(intern!(py, "deliver"));
    let woken = deliver.and_then(|deliver| {
        let python_loop = future.bind(py).call_method0(intern!(py, "get_loop"))?;
        python_loop.call_method1(intern!(py, "call_soon_threadsafe"), (deliver,))
    });
    woken.is_ok()
}

fn lock(ready: &Mutex<Ready>) -> MutexGuard<'_, Ready> {
    ready.lock().unwrap_or_else(PoisonError::into_inner)
}
