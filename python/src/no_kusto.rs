//! Kusto, where the package was built without components.

use langgraph_checkpoint_host::{ComponentErrorKind, Stored};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::exception;
use crate::store::Store;

/// Refuses to say anything of a cluster: only the component reaches one.
#[pyfunction]
pub(crate) fn kusto_cluster(options: &Bound<'_, PyDict>) -> PyResult<(String, bool)> {
    Err(no_component(options.py()))
}

/// Refuses to open a table.
#[pyfunction]
pub(crate) fn open_kusto(options: &Bound<'_, PyDict>, token: Option<Py<PyAny>>) -> PyResult<Store> {
    drop(token);
    Err(no_component(options.py()))
}

fn no_component(py: Python<'_>) -> PyErr {
    let message = "this package was built without the component that reaches Kusto; install a \
                   built package, or run `cargo xtask component` and build it again";
    let code = ComponentErrorKind::Unusable.code();
    exception(py, "ComponentError", code, message, Stored::Nothing)
}
