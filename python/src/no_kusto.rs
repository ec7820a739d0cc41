//! Kusto, where the package was built without components.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::invalid;
use crate::store::Store;

/// Refuses to open a table of Kusto: only the component reaches it.
#[pyfunction]
pub(crate) fn open_kusto(options: &Bound<'_, PyDict>, token: Option<Py<PyAny>>) -> PyResult<Store> {
    drop(token);
    let message = "this package was built without the component that reaches Kusto; install a \
                   built package, or run `cargo xtask component` and build it again";
    Err(invalid(options.py(), "component-unusable", message))
}
