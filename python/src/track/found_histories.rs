//! The histories of delta channels, as Python gets them.

use std::sync::{Arc, Mutex, PoisonError};

use langgraph_checkpoint_host::{ChannelHistory, Config, Payload};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::histories::{Histories, revived};
use super::memory::{Memory, dumped};
use super::tracked::Serde;
use crate::errors::unexpected;

/// Histories that were found. Python asks for them once.
#[pyclass(frozen, module = "langgraph_checkpoint_wasm._core")]
pub(crate) struct FoundHistories(Mutex<Option<Found>>);

struct Found {
    histories: Vec<ChannelHistory>,
    config: Config,
    memory: Py<Memory>,
    before: Option<Arc<Histories>>,
}

impl FoundHistories {
    /// `before` has the histories that they may go on from.
    pub(crate) fn of(
        histories: Vec<ChannelHistory>,
        config: Config,
        memory: Py<Memory>,
        before: Option<Arc<Histories>>,
    ) -> Self {
        Self(Mutex::new(Some(Found { histories, config, memory, before })))
    }
}

#[pymethods]
impl FoundHistories {
    /// A dict with `writes` and, if there is one, `seed` for each channel. `load` takes a channel
    /// and a payload, `dump` a channel and a value.
    fn by_channel<'py>(
        &self,
        py: Python<'py>,
        load: &Bound<'py, PyAny>,
        dump: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let by_channel = PyDict::new(py);
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Found { histories, config, memory, before }) = found else {
            return Ok(by_channel);
        };
        let mut remembered = Histories::default();
        for history in histories {
            let channel = history.channel.clone();
            let name = channel.as_str().into_pyobject(py)?.into_any();
            let load = |payload: &Payload| {
                load.call1((&name, (&payload.kind, PyBytes::new(py, &payload.bytes))))
            };
            let dump = |value: &Bound<'py, PyAny>| dumped(dump, &name, value);
            let serde = Serde { dump: &dump, load: &load, splits: memory.get().splits };
            let begun = before.as_ref().and_then(|before| before.of_channel(&channel));
            let begun = match (history.goes_on, begun) {
                (false, _) => None,
                (true, Some(begun)) => Some(begun),
                (true, None) => return Err(unexpected(py)),
            };
            let (revived, whole) = revived(py, history, begun, &serde)?;
            by_channel.set_item(name, revived)?;
            if let Some(whole) = whole {
                remembered.insert(channel, whole);
            }
        }
        memory.get().remember_histories(&config, remembered);
        Ok(by_channel)
    }
}
