//! Outcomes of calls as plain values of Python. `python/langgraph_checkpoint_wasm/_core.pyi`
//! has their types.

use std::sync::Arc;

use crate::track::{Entry, FoundHistories, Histories, Memory, Remembering, Revival};
use langgraph_checkpoint_host::{
    ChannelHistory, CheckpointTuple, Config, Difference, ElementDifference, FoundCheckpoint, Page,
    PartSize, Payload, PendingWrite, Problem, Stats, StoredCheckpoint, ThreadsPage, Verified,
    Version, Work,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyFloat, PyInt, PyList, PyTuple};

/// The largest whole number that is an `int` in Python.
const WHOLE_MAX: f64 = 9_007_199_254_740_991.0;

/// What a call ended in.
pub(crate) enum Outcome {
    Done,
    Stored(StoredCheckpoint, Remembering),
    Found(Option<FoundCheckpoint>, Py<Memory>, Option<Arc<Entry>>),
    Page(Page),
    Histories(Vec<ChannelHistory>, Config, Py<Memory>, Option<Arc<Histories>>),
    Worked(Work),
    Threads(ThreadsPage),
    Stats(Stats),
    Verified(Verified),
    Differences(Option<Difference>),
}

impl Outcome {
    /// `None`; the three ids; a tuple or `None`; tuples and where to go on; `FoundHistories`.
    pub(crate) fn into_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(match self {
            Self::Done | Self::Found(None, ..) | Self::Differences(None) => py.None(),
            Self::Differences(Some(found)) => difference(py, found)?.into_any().unbind(),
            Self::Stored(stored, remembering) => {
                remembering.stored(&stored);
                let ids = (stored.thread_id, stored.checkpoint_ns, stored.checkpoint_id);
                ids.into_pyobject(py)?.into_any().unbind()
            }
            Self::Found(Some(mut found), memory, before) => {
                let values = Bound::new(py, Revival::of(&mut found, memory, before))?;
                tuple(py, found.tuple, values.into_any())?.into_any().unbind()
            }
            Self::Page(page) => {
                let tuples = page.tuples.into_iter().map(|mut found| {
                    let values = PyDict::new(py);
                    for entry in std::mem::take(&mut found.channel_values) {
                        values.set_item(entry.channel, payload(py, &entry.value)?)?;
                    }
                    tuple(py, found, values.into_any())
                });
                let tuples = PyList::new(py, tuples.collect::<PyResult<Vec<_>>>()?)?;
                let next = page.next.map(|next| PyBytes::new(py, &next));
                (tuples, next).into_pyobject(py)?.into_any().unbind()
            }
            Self::Histories(found, config, memory, before) => {
                let histories = FoundHistories::of(found, config, memory, before);
                Bound::new(py, histories)?.into_any().unbind()
            }
            Self::Worked(work) => {
                let Work { threads, checkpoints, writes, chunks, bytes, next } = work;
                let next = next.map(|next| PyBytes::new(py, &next));
                let work = (threads, checkpoints, writes, chunks, bytes, next);
                work.into_pyobject(py)?.into_any().unbind()
            }
            Self::Threads(page) => {
                let threads = page.threads.into_iter().map(|thread| {
                    let metadata = payload(py, &thread.metadata)?;
                    let ids = (thread.thread_id, thread.checkpoint_id, thread.ts);
                    let counts = (thread.namespaces, thread.checkpoints, thread.writes);
                    let row = (ids.0, ids.1, ids.2, metadata, counts.0, counts.1, counts.2);
                    row.into_pyobject(py)
                });
                let threads = PyList::new(py, threads.collect::<PyResult<Vec<_>>>()?)?;
                let next = page.next.map(|next| PyBytes::new(py, &next));
                (threads, next).into_pyobject(py)?.into_any().unbind()
            }
            Self::Verified(verified) => {
                let Verified { threads, checkpoints, writes, chunks, bytes, problems, next } =
                    verified;
                let problem = |found: Problem| (found.thread_id, found.code, found.message);
                let problems = PyList::new(py, problems.into_iter().map(problem))?;
                let next = next.map(|next| PyBytes::new(py, &next));
                let row = (threads, checkpoints, writes, chunks, bytes, problems, next);
                row.into_pyobject(py)?.into_any().unbind()
            }
            Self::Stats(stats) => {
                let Stats { threads, checkpoints, writes, record_bytes, chunks, chunk_bytes } =
                    stats;
                let row = (threads, checkpoints, writes, record_bytes, chunks, chunk_bytes);
                row.into_pyobject(py)?.into_any().unbind()
            }
        })
    }
}

/// The fields in the order of `Stored` in `_convert.py`.
fn tuple<'py, V>(
    py: Python<'py>,
    found: CheckpointTuple<V>,
    values: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyTuple>> {
    let versions = PyDict::new(py);
    for entry in found.channel_versions {
        versions.set_item(entry.channel, version(py, entry.version)?)?;
    }
    let sends = found.pending_sends.map(|sends| {
        let sends = sends.iter().map(|send| payload(py, send));
        sends.collect::<PyResult<Vec<_>>>()
    });
    let fields = [
        found.thread_id.into_pyobject(py)?.into_any(),
        found.checkpoint_ns.into_pyobject(py)?.into_any(),
        found.checkpoint_id.into_pyobject(py)?.into_any(),
        found.parent_checkpoint_id.into_pyobject(py)?.into_any(),
        plain(py, found.v)?,
        found.ts.into_pyobject(py)?.into_any(),
        versions.into_any(),
        values,
        payload(py, &found.rest)?.into_any(),
        payload(py, &found.metadata)?.into_any(),
        writes(py, found.pending_writes)?.into_any(),
        sends.transpose()?.into_pyobject(py)?.into_any(),
    ];
    PyTuple::new(py, fields)
}

/// The fields of `Differences` in `_types.py`.
fn difference(py: Python<'_>, found: Difference) -> PyResult<Bound<'_, PyTuple>> {
    let part = |part: PartSize| {
        let value = part.value.map(|value| payload(py, &value)).transpose()?;
        (part.bytes, value).into_pyobject(py)
    };
    let channels = found.channels.into_iter().map(|changed| {
        let elements = changed.elements.map(|elements| {
            let element = |element: ElementDifference| {
                let (before, after) = (element.before.map(part), element.after.map(part));
                (element.place, before.transpose()?, after.transpose()?).into_pyobject(py)
            };
            elements.into_iter().map(element).collect::<PyResult<Vec<_>>>()
        });
        let versions = (changed.version_before, changed.version_after);
        (
            changed.channel,
            versions.0.map(|given| version(py, given)).transpose()?,
            versions.1.map(|given| version(py, given)).transpose()?,
            changed.before.map(part).transpose()?,
            changed.after.map(part).transpose()?,
            elements.transpose()?,
        )
            .into_pyobject(py)
    });
    let channels = channels.collect::<PyResult<Vec<_>>>()?;
    let writes = found
        .writes
        .into_iter()
        .map(|write| (write.task_id, write.channel, part(write.value)?).into_pyobject(py));
    (found.before, channels, writes.collect::<PyResult<Vec<_>>>()?).into_pyobject(py)
}

/// A version as Python's savers have it.
fn version(py: Python<'_>, version: Version) -> PyResult<Bound<'_, PyAny>> {
    match version {
        Version::Number(number) => plain(py, number),
        Version::Text(text) => Ok(text.into_pyobject(py)?.into_any()),
    }
}

/// Task, channel and serialized value of each write.
fn writes(py: Python<'_>, writes: Vec<PendingWrite>) -> PyResult<Bound<'_, PyList>> {
    let write = |write: PendingWrite| {
        (write.task_id, write.channel, payload(py, &write.value)?).into_pyobject(py)
    };
    PyList::new(py, writes.into_iter().map(write).collect::<PyResult<Vec<_>>>()?)
}

/// Type tag and bytes, as the serializer gave them.
fn payload<'py>(py: Python<'py>, payload: &Payload) -> PyResult<Bound<'py, PyTuple>> {
    (&payload.kind, PyBytes::new(py, &payload.bytes)).into_pyobject(py)
}

/// A whole number as an `int`: versions of JavaScript are numbers without a type.
fn plain(py: Python<'_>, number: f64) -> PyResult<Bound<'_, PyAny>> {
    if number.fract() == 0.0 && number.abs() <= WHOLE_MAX {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole, and small enough")]
        let whole: Bound<'_, PyInt> = (number as i64).into_pyobject(py)?;
        return Ok(whole.into_any());
    }
    Ok(PyFloat::new(py, number).into_any())
}
