//! The elements of a list and the entries of a dict.

use std::ops::Range;

use langgraph_checkpoint_host::Payload;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use super::pack::Packed;
use super::snapshot::Snapshot;

/// How the serializer calls its MessagePack.
pub(super) const KIND: &str = "msgpack";

/// What a value consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    List,
    Dict,
    /// One part: the value itself.
    Single,
}

/// The parts of a value that exists now.
pub(super) struct Parts<'py> {
    pub(super) shape: Shape,
    items: Vec<(Option<Bound<'py, PyString>>, Bound<'py, PyAny>)>,
}

impl<'py> Parts<'py> {
    /// The parts of a value. `splits`: whether the serializer writes lists and dicts part by part.
    pub(super) fn of(value: &Bound<'py, PyAny>, splits: bool) -> Self {
        if splits && let Ok(list) = value.cast_exact::<PyList>() {
            return Self {
                shape: Shape::List,
                items: list.iter().map(|item| (None, item)).collect(),
            };
        }
        if splits && let Ok(dict) = value.cast_exact::<PyDict>() {
            let entry = |(key, item): (Bound<'py, PyAny>, Bound<'py, PyAny>)| {
                let key = key.cast_into_exact::<PyString>().ok()?;
                Some((Some(key), item))
            };
            if let Some(items) = dict.iter().map(entry).collect() {
                return Self { shape: Shape::Dict, items };
            }
        }
        Self { shape: Shape::Single, items: vec![(None, value.clone())] }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// The snapshot of a part.
    pub(super) fn snapshot(&self, at: usize) -> Option<Snapshot> {
        let (key, item) = &self.items[at];
        Snapshot::of(key.as_ref(), item)
    }

    /// The snapshot of a part, and how the serializer writes it, if that is known.
    pub(super) fn packed(&self, at: usize) -> Option<(Snapshot, Option<Packed>)> {
        let (key, item) = &self.items[at];
        Snapshot::packed(key.as_ref(), item)
    }

    /// Whether the serializer writes the value as MessagePack, if it can.
    pub(super) fn is_msgpack(&self) -> bool {
        let is_other =
            |item: &Bound<'py, PyAny>| item.is_none() || item.is_instance_of::<PyBytes>();
        self.shape != Shape::Single || !is_other(&self.items[0].1)
    }

    /// Whether a part is in the state of a snapshot.
    pub(super) fn is_in(&self, at: usize, snapshot: &Snapshot) -> bool {
        match &self.items[at] {
            (None, item) => snapshot.is_of(item),
            (Some(key), item) => snapshot.is_of_entry(key, item),
        }
    }

    /// Some of the parts as a value of their own.
    pub(super) fn value(
        &self,
        py: Python<'py>,
        range: Range<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let items = &self.items[range];
        match self.shape {
            Shape::Single => Ok(items[0].1.clone()),
            Shape::List => Ok(PyList::new(py, items.iter().map(|(_, item)| item))?.into_any()),
            Shape::Dict => {
                let dict = PyDict::new(py);
                for (key, item) in items {
                    dict.set_item(key.as_ref(), item)?;
                }
                Ok(dict.into_any())
            }
        }
    }
}

/// Collects parts into a value.
pub(super) struct Collected<'py> {
    shape: Shape,
    list: Vec<Bound<'py, PyAny>>,
    dict: Bound<'py, PyDict>,
}

impl<'py> Collected<'py> {
    pub(super) fn new(py: Python<'py>, shape: Shape) -> Self {
        Self { shape, list: Vec::new(), dict: PyDict::new(py) }
    }

    /// Adds the part of a snapshot.
    pub(super) fn remake(&mut self, snapshot: &Snapshot) -> PyResult<()> {
        let py = self.dict.py();
        if self.shape == Shape::Dict {
            let (key, item) = snapshot.remake_entry(py)?;
            return self.dict.set_item(key, item);
        }
        self.list.push(snapshot.remake(py)?);
        Ok(())
    }

    /// Adds the parts of a value of the same shape.
    pub(super) fn extend(&mut self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        match self.shape {
            Shape::Single => self.list.push(value.clone()),
            Shape::List => self.list.extend(value.cast::<PyList>()?.iter()),
            Shape::Dict => self.dict.update(value.cast::<PyDict>()?.as_mapping())?,
        }
        Ok(())
    }

    pub(super) fn value(mut self) -> PyResult<Bound<'py, PyAny>> {
        let py = self.dict.py();
        match self.shape {
            Shape::Single => Ok(self.list.pop().unwrap_or_else(|| py.None().into_bound(py))),
            Shape::List => Ok(PyList::new(py, self.list)?.into_any()),
            Shape::Dict => Ok(self.dict.into_any()),
        }
    }
}

/// The bytes of MessagePack before the parts of a list or dict.
pub(super) fn header(shape: Shape, count: usize) -> Vec<u8> {
    let [short, two, four] = match shape {
        Shape::Single => return Vec::new(),
        Shape::List => [0x90, 0xdc, 0xdd],
        Shape::Dict => [0x80, 0xde, 0xdf],
    };
    if let (Ok(count), 0..=15) = (u8::try_from(count), count) {
        return vec![short | count];
    }
    match u16::try_from(count) {
        Ok(count) => [&[two], count.to_be_bytes().as_slice()].concat(),
        // A list of more elements would not fit into memory.
        Err(_) => [&[four], (count as u32).to_be_bytes().as_slice()].concat(),
    }
}

/// The bytes of the parts alone; `None` if the serializer wrote a value in another way.
pub(super) fn bytes_of_parts(payload: &Payload, shape: Shape, count: usize) -> Option<&[u8]> {
    match shape {
        Shape::Single => Some(&payload.bytes),
        _ if payload.kind != KIND => None,
        _ => payload.bytes.strip_prefix(header(shape, count).as_slice()),
    }
}
