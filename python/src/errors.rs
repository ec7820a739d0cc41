//! Errors as the exceptions of `langgraph_checkpoint_wasm.errors`.

use std::error::Error as _;

use langgraph_checkpoint_host::{Error, StorageErrorKind, Stored};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// The exception for an error of the host's.
pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    let (class, stored) = match error {
        Error::Component(component) => ("ComponentError", component.stored()),
        Error::Corrupt(_) => ("CorruptError", Stored::Nothing),
        Error::Denied(store) => ("DeniedError", of(store.maybe_stored)),
        Error::InvalidInput(_) => ("InvalidInputError", Stored::Nothing),
        Error::Storage(storage) => ("StorageError", storage.stored()),
        Error::Unavailable(store) => ("UnavailableError", of(store.maybe_stored)),
        Error::UnsupportedFormat(_) => ("UnsupportedFormatError", Stored::Nothing),
        _ => ("ProtocolError", Stored::Nothing),
    };
    let raised = exception(py, class, error.code(), &error.to_string(), stored);
    // The errors of SQLite, of PostgreSQL's driver and of wasmtime, each with its own sources.
    let mut texts: Vec<String> = Vec::new();
    let mut source = error.source();
    while let Some(next) = source {
        let text = next.to_string();
        // Some repeat the text of their source.
        if !texts.last().is_some_and(|outer| outer.contains(&text)) {
            texts.push(text);
        }
        source = next.source();
    }
    if !texts.is_empty() {
        raised.set_cause(py, Some(PyRuntimeError::new_err(texts.join(": "))));
    }
    raised
}

/// The exception for an argument that is not acceptable. Nothing was stored.
pub(crate) fn invalid(py: Python<'_>, code: &str, message: &str) -> PyErr {
    exception(py, "InvalidInputError", code, message, Stored::Nothing)
}

/// The exception for a store that cannot be used. Nothing was stored.
pub(crate) fn unusable(py: Python<'_>, kind: StorageErrorKind, message: &str) -> PyErr {
    exception(py, "StorageError", kind.code(), message, Stored::Nothing)
}

/// The exception for what the planner never does.
pub(crate) fn unexpected(py: Python<'_>) -> PyErr {
    let message = "the planner gave an outcome that does not belong to the call; please report it";
    exception(py, "ProtocolError", "unexpected-outcome", message, Stored::Nothing)
}

fn of(maybe_stored: bool) -> Stored {
    if maybe_stored { Stored::Unknown } else { Stored::Nothing }
}

/// The exception of a class of `errors`.
pub(crate) fn exception(
    py: Python<'_>,
    class: &str,
    code: &str,
    message: &str,
    stored: Stored,
) -> PyErr {
    let stored = match stored {
        Stored::Nothing => "nothing",
        Stored::Unknown => "unknown",
    };
    let made = py
        .import("langgraph_checkpoint_wasm.errors")
        .and_then(|module| module.getattr(class)?.call1((message, code, stored)));
    made.map_or_else(|error| error, PyErr::from_value)
}
