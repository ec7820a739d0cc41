//! What is remembered of namespaces of threads.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use langgraph_checkpoint_guest::Cache;
use langgraph_checkpoint_host::{
    Base, ChannelValue, Config, FoundCheckpoint, NewValue, Payload, StoredCheckpoint, TupleValue,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::histories::Histories;
use super::parts::{KIND, Parts};
use super::snapshot::packed;
use super::tracked::{Serde, Tracked, Written};
use crate::arguments;

/// The memory of an entry, without its values.
const ENTRY_BYTES: usize = 400;

/// What a saver with one serializer remembers.
#[pyclass(frozen, module = "langgraph_checkpoint_wasm._core")]
pub(crate) struct Memory {
    cache: Mutex<Cache<Held>>,
    /// Whether the serializer is known to write equal values alike.
    tracks: bool,
    /// Whether it writes lists and dicts part by part.
    pub(super) splits: bool,
}

/// What is held of a namespace.
#[derive(Clone, Debug, Default)]
struct Held {
    entry: Option<Arc<Entry>>,
    histories: Option<Arc<Histories>>,
}

/// What is known of the checkpoint of a namespace that was stored or read last.
#[derive(Debug)]
pub(crate) struct Entry {
    /// For the planner: what is stored.
    known: Vec<u8>,
    values: HashMap<String, Tracked>,
    /// Whether `values` has all values of the checkpoint.
    is_complete: bool,
    /// About how much memory it keeps.
    bytes: usize,
}

impl Held {
    /// About how much memory it keeps.
    fn bytes(&self) -> usize {
        let entry = self.entry.as_ref().map_or(0, |entry| entry.bytes);
        entry + self.histories.as_ref().map_or(0, |histories| histories.bytes())
    }
}

#[pymethods]
impl Memory {
    #[new]
    fn new(bytes_max: usize, tracks: bool, splits: bool) -> Self {
        Self { cache: Mutex::new(Cache::new(bytes_max)), tracks: tracks && bytes_max > 0, splits }
    }
}

impl Memory {
    /// What is remembered of the checkpoint of a config's namespace.
    pub(crate) fn of(&self, config: &Config) -> Option<Arc<Entry>> {
        self.cache().of(config)?.entry.clone()
    }

    /// What is remembered of the histories of a config's namespace.
    pub(crate) fn histories_of(&self, config: &Config) -> Option<Arc<Histories>> {
        self.cache().of(config)?.histories.clone()
    }

    /// Forgets a thread that is deleted.
    pub(crate) fn forget(&self, thread: &Config) {
        self.cache().forget_thread(thread);
    }

    fn remember(&self, thread_id: &str, checkpoint_ns: &str, entry: Entry) {
        let config = Config {
            thread_id: thread_id.into(),
            checkpoint_ns: checkpoint_ns.into(),
            ..Config::default()
        };
        self.hold(&config, |held| held.entry = Some(Arc::new(entry)));
    }

    /// Remembers histories besides those of other channels.
    pub(super) fn remember_histories(&self, config: &Config, read: Histories) {
        if self.tracks {
            self.hold(config, |held| {
                let before = held.histories.as_deref().cloned().unwrap_or_default();
                held.histories = Some(Arc::new(before.with(read)));
            });
        }
    }

    fn hold(&self, config: &Config, change: impl FnOnce(&mut Held)) {
        self.cache().change(config, |before| {
            let mut held = before.cloned().unwrap_or_default();
            change(&mut held);
            let bytes = held.bytes();
            (held, bytes)
        });
    }

    fn cache(&self) -> MutexGuard<'_, Cache<Held>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn new(known: Vec<u8>, values: HashMap<String, Tracked>, is_complete: bool) -> Self {
        let of_values: usize = values.values().map(Tracked::bytes).sum();
        let bytes = ENTRY_BYTES + known.len() + of_values;
        Self { known, values, is_complete, bytes }
    }

    /// For the planner: what is stored.
    pub(crate) fn known(&self) -> &[u8] {
        &self.known
    }

    /// Whether a read needs none of the values that are unchanged.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }
}

/// What to remember of a put once it is stored.
pub(crate) struct Remembering {
    memory: Py<Memory>,
    /// Takes a channel and its value, returns its type tag and bytes.
    dump: Py<PyAny>,
    written: HashMap<String, Tracked>,
}

impl Remembering {
    /// Serializes what is new in the values of a checkpoint.
    pub(crate) fn write<'py>(
        values: &Bound<'py, PyDict>,
        before: Option<&Entry>,
        memory: &Bound<'py, Memory>,
        dump: &Bound<'py, PyAny>,
    ) -> PyResult<(Vec<ChannelValue<NewValue>>, Self)> {
        let Memory { tracks, splits, .. } = *memory.get();
        let mut written = HashMap::new();
        let mut new = Vec::with_capacity(values.len());
        for (channel, value) in values {
            let dump = |value: &Bound<'py, PyAny>| dumped(dump, &channel, value);
            let name = arguments::name("the name of a channel", &channel)?;
            let value = if tracks {
                let serde = Serde { dump: &dump, load: &never_loads, splits };
                let before = before.and_then(|before| before.values.get(&name));
                let Written { value, tracked } = Tracked::write(&value, before, &serde)?;
                written.extend(tracked.map(|tracked| (name.clone(), tracked)));
                value
            } else {
                NewValue::Whole(dump(&value)?)
            };
            new.push(ChannelValue { channel: name, value });
        }
        let remembering =
            Self { memory: memory.clone().unbind(), dump: dump.clone().unbind(), written };
        Ok((new, remembering))
    }

    /// The same values, each whole, as they were when they were serialized.
    pub(crate) fn whole(
        &self,
        py: Python<'_>,
        values: Vec<ChannelValue<NewValue>>,
    ) -> PyResult<Vec<ChannelValue<NewValue>>> {
        let whole = |ChannelValue { channel, value }: ChannelValue<NewValue>| {
            let value = match (value, self.written.get(&channel)) {
                (NewValue::Edited(_) | NewValue::Unchanged, Some(tracked)) => {
                    let name = channel.as_str().into_pyobject(py)?.into_any();
                    let dump = |value: &Bound<'_, PyAny>| dumped(self.dump.bind(py), &name, value);
                    let splits = self.memory.get().splits;
                    let serde = Serde { dump: &dump, load: &never_loads, splits };
                    NewValue::Whole(tracked.payload(py, &serde)?)
                }
                (value, _) => value,
            };
            Ok(ChannelValue { channel, value })
        };
        values.into_iter().map(whole).collect()
    }

    /// Remembers the values that are stored now.
    pub(crate) fn stored(mut self, stored: &StoredCheckpoint) {
        let mut values = HashMap::new();
        let count = stored.values.len();
        for value in &stored.values {
            if let Some(mut tracked) = self.written.remove(&value.channel) {
                tracked.set_editable(value.editable);
                values.insert(value.channel.clone(), tracked);
            }
        }
        let is_complete = values.len() == count;
        let entry = Entry::new(stored.known.clone(), values, is_complete);
        self.memory.get().remember(&stored.thread_id, &stored.checkpoint_ns, entry);
    }
}

/// The values of a checkpoint that was found. Python asks for them once.
#[pyclass(frozen, module = "langgraph_checkpoint_wasm._core")]
pub(crate) struct Revival(Mutex<Option<Reviving>>);

struct Reviving {
    memory: Py<Memory>,
    before: Option<Arc<Entry>>,
    thread_id: String,
    checkpoint_ns: String,
    known: Vec<u8>,
    values: Vec<ChannelValue<TupleValue>>,
    bases: Vec<Base>,
}

impl Revival {
    /// Takes the values and what is known from a checkpoint.
    pub(crate) fn of(
        found: &mut FoundCheckpoint,
        memory: Py<Memory>,
        before: Option<Arc<Entry>>,
    ) -> Self {
        Self(Mutex::new(Some(Reviving {
            memory,
            before,
            thread_id: found.tuple.thread_id.clone(),
            checkpoint_ns: found.tuple.checkpoint_ns.clone(),
            known: std::mem::take(&mut found.known),
            values: std::mem::take(&mut found.tuple.channel_values),
            bases: std::mem::take(&mut found.bases),
        })))
    }
}

#[pymethods]
impl Revival {
    /// The values by channel. `load` takes a channel and a payload, `dump` a channel and a value.
    fn values<'py>(
        &self,
        py: Python<'py>,
        load: &Bound<'py, PyAny>,
        dump: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let reviving = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        reviving.map_or_else(|| Ok(PyDict::new(py)), |reviving| reviving.values(py, load, dump))
    }
}

impl Reviving {
    fn values<'py>(
        self,
        py: Python<'py>,
        load: &Bound<'py, PyAny>,
        dump: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let Memory { tracks, splits, .. } = *self.memory.get();
        let bases: HashMap<_, _> =
            self.bases.into_iter().map(|base| (base.channel, base.lengths)).collect();
        let revived = PyDict::new(py);
        let mut values = HashMap::new();
        for ChannelValue { channel, value } in self.values {
            let name = channel.as_str().into_pyobject(py)?.into_any();
            let dump = |value: &Bound<'py, PyAny>| dumped(dump, &name, value);
            let load = |payload: &Payload| {
                let pair = (&payload.kind, PyBytes::new(py, &payload.bytes));
                load.call1((&name, pair))
            };
            let (value, tracked) = match value {
                TupleValue::Whole(payload) => {
                    let value = load(&payload)?;
                    let lengths = bases.get(&channel).map(Vec::as_slice);
                    let tracked = tracks.then(|| Tracked::read(&value, payload, lengths, splits));
                    (value, tracked)
                }
                TupleValue::Unchanged | TupleValue::Shared(_) => {
                    let before =
                        self.before.as_ref().and_then(|before| before.values.get(&channel));
                    let serde = Serde { dump: &dump, load: &load, splits };
                    let before = before.ok_or_else(|| crate::errors::unexpected(py))?;
                    let (value, tracked) = before.revive(py, &serde)?;
                    (value, Some(tracked))
                }
            };
            revived.set_item(name, value)?;
            values.extend(tracked.map(|tracked| (channel, tracked)));
        }
        if tracks {
            let entry = Entry::new(self.known, values, true);
            self.memory.get().remember(&self.thread_id, &self.checkpoint_ns, entry);
        }
        Ok(revived)
    }
}

/// A value of which nothing is remembered, serialized. `name` is the channel, for errors.
pub(crate) fn serialized<'py>(
    name: &Bound<'py, PyAny>,
    value: &Bound<'py, PyAny>,
    memory: &Memory,
    dump: &Bound<'py, PyAny>,
) -> PyResult<Payload> {
    let is_msgpack = memory.splits && Parts::of(value, false).is_msgpack();
    let packed = is_msgpack.then(|| packed(value)).flatten();
    match packed {
        Some(packed) if packed.is_proven() => {
            Ok(Payload { kind: KIND.to_owned(), bytes: packed.bytes })
        }
        packed => {
            let payload = dumped(dump, name, value)?;
            if let Some(packed) = packed {
                packed.prove(&payload.bytes);
            }
            Ok(payload)
        }
    }
}

pub(super) fn dumped(
    dump: &Bound<'_, PyAny>,
    channel: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
) -> PyResult<Payload> {
    arguments::payload(&dump.call1((channel, value))?)
}

fn never_loads<'py>(_: &Payload) -> PyResult<Bound<'py, PyAny>> {
    Err(pyo3::exceptions::PyRuntimeError::new_err("nothing is read here"))
}
