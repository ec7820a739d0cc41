//! The clock of the time limit: a thread that advances the engine's epoch while an instance runs.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::Engine;

/// How often the component is interrupted, to check the time and let other tasks run.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// The thread. It sleeps while no instance works, except for one tick after the last.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    running: usize,
    /// Whether anything started to run since the last tick. Most calls are far shorter than a tick.
    /// The thread runs one tick longer, so that only the first of many calls has to wake it.
    begun: bool,
    /// Whether the thread waits to be woken.
    waiting: bool,
    stopped: bool,
}

impl Ticker {
    pub(crate) fn start(engine: Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let thread = std::thread::Builder::new().name("checkpoint-tick".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || {
                while shared.wait_for_work() {
                    std::thread::sleep(TICK);
                    engine.increment_epoch();
                }
            }
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Keeps the clock running until the guard is dropped.
    pub(crate) fn running(&self) -> Running<'_> {
        let mut state = self.shared.lock();
        state.running += 1;
        state.begun = true;
        if std::mem::take(&mut state.waiting) {
            self.shared.changed.notify_one();
        }
        Running(&self.shared)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A guard: something runs while it exists.
pub(crate) struct Running<'a>(&'a Shared);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
    }
}

impl Shared {
    /// Waits until something runs or has run since the last tick. Returns false if the clock has to
    /// stop.
    fn wait_for_work(&self) -> bool {
        let mut state = self.lock();
        state.waiting = state.running == 0 && !state.begun;
        let mut state = self
            .changed
            .wait_while(state, |state| state.waiting && !state.stopped)
            .unwrap_or_else(PoisonError::into_inner);
        state.begun = false;
        !state.stopped
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
