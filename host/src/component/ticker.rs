//! The clock of the time limit: a thread that moves the engine's epoch while anything runs.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::Engine;

/// How often the component is interrupted to look at the time and to let others run.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// The thread; it sleeps for as long as no instance works, but for a tick at the end.
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
    /// Whether anything began to run since the last tick. Most calls are far shorter than a
    /// tick: the thread goes on for one more, so that only the first of many has to wake it.
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

    /// Keeps the clock going until the guard is dropped.
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

/// Something runs for as long as this lives.
pub(crate) struct Running<'a>(&'a Shared);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
    }
}

impl Shared {
    /// Waits until something runs or has run since the last tick; false when the clock is to
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
