//! Which objects a snapshot can represent.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple, PyType};

/// What a snapshot holds of an object.
pub(super) enum Kind<'a, 'py> {
    /// The object itself, which nobody can change. Equal objects are serialized alike.
    Plain,
    /// The object itself, which nobody can change. Equal objects may be serialized differently.
    Identity,
    List(&'a Bound<'py, PyList>),
    Tuple(&'a Bound<'py, PyTuple>),
    Dict(&'a Bound<'py, PyDict>),
    /// A message of LangChain: its fields and what else it has.
    Message(&'static MessageClass),
    /// The value of a delta channel. It is a tuple of one element.
    DeltaSnapshot(&'a Bound<'py, PyTuple>),
    /// Any other object: nothing can be told of it without serializing it.
    Opaque,
}

/// The classes that are known besides Python's own.
struct Classes {
    messages: Vec<MessageClass>,
    delta_snapshot: Option<Py<PyType>>,
    immutable: Vec<Py<PyType>>,
}

/// A class of messages.
pub(super) struct MessageClass {
    class: Py<PyType>,
    /// Its place in `MESSAGES`.
    pub(super) number: usize,
    pub(super) module: String,
    pub(super) name: String,
    /// The names of its fields, in their order.
    fields: Vec<Py<PyAny>>,
    /// The function that the serializer calls.
    model_dump: Py<PyAny>,
}

impl MessageClass {
    /// Whether `model_dump` gives these attributes, each once: it leaves out those of `__dict__`
    /// that are no fields, and others may replace it. False also if fields are missing or in
    /// another order.
    pub(super) fn dumps_all(
        &self,
        fields: &Bound<'_, PyDict>,
        others: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<bool> {
        let py = fields.py();
        // The names are the same objects, so no texts are compared.
        let mut names = fields.iter().zip(&self.fields);
        if fields.len() != self.fields.len() || !names.all(|((name, _), field)| name.is(field)) {
            return Ok(false);
        }
        for (name, _) in others.into_iter().flatten() {
            if fields.contains(name)? {
                return Ok(false);
            }
        }
        let model_dump = self.class.bind(py).getattr(intern!(py, "model_dump"))?;
        Ok(model_dump.is(&self.model_dump))
    }
}

static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();

/// LangChain's messages. All are models of pydantic without private attributes.
const MESSAGES: [&str; 13] = [
    "AIMessage",
    "AIMessageChunk",
    "ChatMessage",
    "ChatMessageChunk",
    "FunctionMessage",
    "FunctionMessageChunk",
    "HumanMessage",
    "HumanMessageChunk",
    "RemoveMessage",
    "SystemMessage",
    "SystemMessageChunk",
    "ToolMessage",
    "ToolMessageChunk",
];

const IMMUTABLE: [(&str, &str); 6] = [
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("datetime", "time"),
    ("datetime", "timedelta"),
    ("decimal", "Decimal"),
    ("uuid", "UUID"),
];

/// Subclasses are opaque, as they may have more state, or be serialized in another way.
pub(super) fn kind_of<'a, 'py>(object: &'a Bound<'py, PyAny>) -> Kind<'a, 'py> {
    if object.is_exact_instance_of::<PyString>() || object.is_none() {
        return Kind::Plain;
    }
    if let Ok(dict) = object.cast_exact::<PyDict>() {
        return Kind::Dict(dict);
    }
    if let Ok(list) = object.cast_exact::<PyList>() {
        return Kind::List(list);
    }
    if object.is_exact_instance_of::<PyInt>()
        || object.is_exact_instance_of::<PyBool>()
        || object.is_exact_instance_of::<PyFloat>()
        || object.is_exact_instance_of::<PyBytes>()
    {
        return Kind::Plain;
    }
    if let Ok(tuple) = object.cast_exact::<PyTuple>() {
        return Kind::Tuple(tuple);
    }
    let Ok(classes) = CLASSES.get_or_try_init(object.py(), || Classes::find(object.py())) else {
        return Kind::Opaque;
    };
    let class = object.get_type();
    if let Some(message) = classes.messages.iter().find(|known| class.is(&known.class)) {
        Kind::Message(message)
    } else if classes.delta_snapshot.as_ref().is_some_and(|known| class.is(known)) {
        object.cast::<PyTuple>().map_or(Kind::Opaque, Kind::DeltaSnapshot)
    } else if classes.immutable.iter().any(|known| class.is(known)) {
        Kind::Identity
    } else {
        Kind::Opaque
    }
}

impl Classes {
    fn find(py: Python<'_>) -> PyResult<Self> {
        let immutable = IMMUTABLE.iter().map(|(module, name)| {
            Ok(py.import(*module)?.getattr(*name)?.cast_into::<PyType>()?.unbind())
        });
        // The serializer has imported it.
        let module = py.import("langchain_core.messages")?;
        // A version may lack some.
        let message = |(number, name): (usize, &&str)| {
            let class = module.getattr(*name).ok()?.cast_into::<PyType>().ok()?;
            let (module, name) = (class.module().ok()?.to_string(), class.name().ok()?.to_string());
            let fields = class.getattr("model_fields").ok()?.try_iter().ok()?;
            let fields = fields.map(|name| name.map(Bound::unbind));
            Some(MessageClass {
                number,
                module,
                name,
                fields: fields.collect::<PyResult<_>>().ok()?,
                model_dump: class.getattr("model_dump").ok()?.unbind(),
                class: class.unbind(),
            })
        };
        let types = py.import("langgraph.checkpoint.serde.types")?;
        let delta_snapshot = types.getattr("_DeltaSnapshot").ok();
        Ok(Self {
            messages: MESSAGES.iter().enumerate().filter_map(message).collect(),
            delta_snapshot: delta_snapshot
                .and_then(|class| class.cast_into::<PyType>().ok())
                .map(Bound::unbind),
            immutable: immutable.collect::<PyResult<_>>()?,
        })
    }
}
