//! What all savers of a process share: the threads that run calls for asyncio, and the planner.

use std::sync::{Arc, Mutex, PoisonError};

use langgraph_checkpoint_host::Planner;
use pyo3::{PyResult, Python};
use tokio::runtime::{Builder, Runtime};

use crate::errors::raised;
use crate::files::{Inherited, OpenFiles};

/// Where the planner runs: as a component under wasmtime, or natively.
pub(crate) fn engine() -> &'static str {
    if cfg!(compiled) && fits() { "component" } else { "native" }
}

/// Whether this processor has what the component was compiled for.
fn fits() -> bool {
    #[cfg(target_arch = "x86_64")]
    let fits = is_x86_feature_detected!("sse4.2") && is_x86_feature_detected!("popcnt");
    #[cfg(not(target_arch = "x86_64"))]
    let fits = true;
    fits
}

/// How many threads run asyncio's calls. A call mostly waits for its store, which has threads of
/// its own.
const THREADS: usize = 2;

/// Only locked with the interpreter's lock held, so never while the process forks.
static CURRENT: Mutex<Option<Arc<Process>>> = Mutex::new(None);

/// What the savers of one process share. A forked child has none of its threads.
pub(crate) struct Process {
    id: u32,
    pub(crate) runtime: Runtime,
    pub(crate) planner: Planner,
    /// The SQLite files that are open.
    pub(crate) open_files: OpenFiles,
    /// Those that must not be opened.
    pub(crate) inherited: Inherited,
}

impl Process {
    /// What this process's savers share, made at the first use.
    pub(crate) fn current(py: Python<'_>) -> PyResult<Arc<Self>> {
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(process) = current.as_ref().filter(|process| process.is_current()) {
            return Ok(Arc::clone(process));
        }
        let inherited = match current.as_ref() {
            Some(parent) => parent.open_files.inherited().and(&parent.inherited),
            None => Inherited::Files(Vec::new()),
        };
        let process = Arc::new(Self::start(py, inherited)?);
        // Ending the parent's threads in a child would wait for them for ever.
        std::mem::forget(current.replace(Arc::clone(&process)));
        Ok(process)
    }

    /// Whether this is still the process that made it, and not a forked child.
    pub(crate) fn is_current(&self) -> bool {
        self.id == std::process::id()
    }

    fn start(py: Python<'_>, inherited: Inherited) -> PyResult<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("checkpoint-call")
            .enable_all()
            .build()?;
        let planner = planner().map_err(|error| raised(py, &error))?;
        let open_files = OpenFiles::default();
        Ok(Self { id: std::process::id(), runtime, planner, open_files, inherited })
    }
}

#[cfg(compiled)]
#[allow(unsafe_code, reason = "the bytes are the ones that the build script compiled")]
fn planner() -> Result<Planner, langgraph_checkpoint_host::Error> {
    if !fits() {
        return Ok(Planner::native());
    }
    let bytes = include_bytes!(concat!(env!("OUT_DIR"), "/planner.compiled"));
    // SAFETY: `Planner::precompile_for` of the same version made the bytes for this target, and
    // they are a part of this program.
    unsafe { Planner::from_precompiled(bytes, langgraph_checkpoint_host::Limits::default()) }
}

#[cfg(not(compiled))]
#[expect(clippy::unnecessary_wraps, reason = "loading the component may fail")]
fn planner() -> Result<Planner, langgraph_checkpoint_host::Error> {
    Ok(Planner::native())
}
