//! The options of savers. An error names the option.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};

use crate::errors::invalid;

/// The options that were given, by their names in Python.
pub(crate) struct Options<'a, 'py>(pub(crate) &'a Bound<'py, PyDict>);

/// What an option has to be: the words of the error, and how it is read.
pub(crate) struct Kind<T> {
    what: &'static str,
    read: fn(&Bound<'_, PyAny>) -> Option<T>,
}

pub(crate) const TEXT: Kind<String> = Kind { what: "text", read: |value| value.extract().ok() };

#[cfg(compiled)]
pub(crate) const TEXTS: Kind<Vec<String>> =
    Kind { what: "a list of texts", read: |value| value.extract().ok() };

pub(crate) const YES_OR_NO: Kind<bool> =
    Kind { what: "True or False", read: |value| value.extract().ok() };

pub(crate) const COUNT: Kind<u32> = Kind {
    what: "a whole number from 1 to 4294967295",
    read: |value| number(value).filter(|count| *count > 0),
};

pub(crate) const SECONDS: Kind<Duration> = Kind {
    what: "a number of seconds, not negative",
    read: |value| number(value).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
};

impl<'py> Options<'_, 'py> {
    /// An option that has no default here. Fails with `invalid-option`.
    pub(crate) fn get<T>(&self, name: &str, kind: &Kind<T>) -> PyResult<T> {
        self.optional(name, kind)?.ok_or_else(|| self.refused(name, kind.what))
    }

    /// An option; `None` if it is left to its default. Fails with `invalid-option`.
    pub(crate) fn optional<T>(&self, name: &str, kind: &Kind<T>) -> PyResult<Option<T>> {
        let Some(value) = self.given(name)? else { return Ok(None) };
        (kind.read)(&value).map(Some).ok_or_else(|| self.refused(name, kind.what))
    }

    /// What one of some words stands for. Fails with `invalid-option`.
    pub(crate) fn one_of<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> PyResult<T> {
        let word: Option<String> = self.given(name)?.and_then(|value| value.extract().ok());
        let chosen = words.iter().find(|(of, _)| Some(*of) == word.as_deref());
        chosen.map(|(_, chosen)| *chosen).ok_or_else(|| {
            let words: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            self.refused(name, &words.join(" or "))
        })
    }

    fn given(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.0.get_item(name)?.filter(|value| !value.is_none()))
    }

    fn refused(&self, name: &str, what: &str) -> PyErr {
        let message = format!("the option {name} has to be {what}");
        invalid(self.0.py(), "invalid-option", &message)
    }
}

/// A number. `True` is none.
fn number<'py, T: FromPyObjectOwned<'py>>(value: &Bound<'py, PyAny>) -> Option<T> {
    value.extract().ok().filter(|_| !value.is_instance_of::<PyBool>())
}
