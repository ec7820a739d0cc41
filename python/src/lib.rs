//! The extension module of the Python package: the Rust host's checkpointers, for Python.
//!
//! A method of a saver makes a [`call::Call`] of its arguments while it holds the interpreter's
//! lock, and a store runs it without the lock: on the caller's thread (`run`), or for asyncio on a
//! thread of this module (`start`). Values are serialized and read in Python.

mod arguments;
mod call;
mod errors;
mod event_loop;
mod files;
mod interpreter;
#[cfg(compiled)]
mod kusto;
#[cfg(not(compiled))]
#[path = "no_kusto.rs"]
mod kusto;
mod options;
mod outcome;
mod postgres;
mod process;
mod sqlite;
mod store;
mod track;

use pyo3::pymodule;

#[pymodule]
mod _core {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::call::Call;
    #[pymodule_export]
    use crate::event_loop::EventLoop;
    #[pymodule_export]
    use crate::interpreter::end;
    #[pymodule_export]
    use crate::kusto::{kusto_cluster, open_kusto};
    #[pymodule_export]
    use crate::postgres::open_postgres;
    #[pymodule_export]
    use crate::sqlite::open_sqlite;
    #[pymodule_export]
    use crate::store::Store;
    #[pymodule_export]
    use crate::track::{FoundHistories, Memory, Revival};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("ENGINE", crate::process::engine())
    }
}
