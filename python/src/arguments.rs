//! Arguments of Python as the host's types. The planner decides which ids are acceptable.

use langgraph_checkpoint_host::{
    ChannelVersion, Config, Id, Keep, MetadataFilter, NewWrite, Payload, Pruned, Version,
};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyString, PyTuple};

use crate::errors::invalid;

/// The largest whole number that a version holds exactly.
const WHOLE_MAX: i64 = (1 << 53) - 1;

/// The ids of a config. `None` is a config without ids.
pub(crate) fn config(config: &Bound<'_, PyAny>) -> PyResult<Config> {
    let py = config.py();
    let mut ids = Config::default();
    if config.is_none() {
        return Ok(ids);
    }
    let Some(configurable) = dict("config", config)?.get_item("configurable")? else {
        return Ok(ids);
    };
    if configurable.is_none() {
        return Ok(ids);
    }
    let configurable = dict("config[\"configurable\"]", &configurable)?;
    for (name, place) in [
        (pyo3::intern!(py, "thread_id"), &mut ids.thread_id),
        (pyo3::intern!(py, "checkpoint_ns"), &mut ids.checkpoint_ns),
        (pyo3::intern!(py, "checkpoint_id"), &mut ids.checkpoint_id),
        (pyo3::intern!(py, "thread_ts"), &mut ids.thread_ts),
    ] {
        if let Some(value) = configurable.get_item(name)? {
            *place = id(name.to_str()?, &value)?;
        }
    }
    Ok(ids)
}

/// The config of a thread.
pub(crate) fn thread(thread_id: &Bound<'_, PyAny>) -> PyResult<Config> {
    Ok(Config { thread_id: id("thread_id", thread_id)?, ..Config::default() })
}

/// An id. Whole numbers and UUIDs are their text, as in LangGraph's own savers.
pub(crate) fn id(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Id> {
    if value.is_none() {
        return Ok(Id::Absent);
    }
    if let Ok(text) = value.cast::<PyString>() {
        return well_formed("invalid-id", name, text).map(Id::Text);
    }
    let class = value.get_type();
    let class = class.name()?;
    let is_whole = value.is_instance_of::<PyInt>() && !value.is_instance_of::<PyBool>();
    if is_whole || class.to_str()? == "UUID" {
        return Ok(Id::Text(value.str()?.to_str()?.to_owned()));
    }
    match value.cast::<PyFloat>() {
        Ok(number) => Ok(Id::Number(number.value())),
        Err(_) => Ok(Id::Unsupported(class.to_str()?.to_owned())),
    }
}

/// Text that names something.
pub(crate) fn name(what: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    match value.cast::<PyString>() {
        Ok(text) => well_formed("malformed-text", what, text),
        Err(_) => Err(expected(what, "text", value)),
    }
}

/// Versions by channel.
pub(crate) fn versions(versions: &Bound<'_, PyAny>) -> PyResult<Vec<ChannelVersion>> {
    let versions = dict("checkpoint[\"channel_versions\"]", versions)?;
    let version = |(channel, version): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        let channel = name("the name of a channel", &channel)?;
        let version = channel_version(&channel, &version)?;
        Ok(ChannelVersion { channel, version })
    };
    versions.iter().map(version).collect()
}

/// Pairs of a channel and a value, which `serialize` gets.
pub(crate) fn writes<'py>(
    writes: &Bound<'py, PyAny>,
    serialize: impl Fn(&Bound<'py, PyAny>, &Bound<'py, PyAny>) -> PyResult<Payload>,
) -> PyResult<Vec<NewWrite>> {
    let write = |pair: PyResult<Bound<'py, PyAny>>| {
        let (channel, value): (Bound<'py, PyAny>, Bound<'py, PyAny>) = pair?.extract()?;
        let name = name("the name of a channel", &channel)?;
        Ok(NewWrite { channel: name, value: serialize(&channel, &value)? })
    };
    writes.try_iter()?.map(write).collect()
}

/// The names in an iterable, such as the keys of a dict.
pub(crate) fn names(what: &str, names: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    names.try_iter()?.map(|channel| name(what, &channel?)).collect()
}

/// How many tuples a list may have; `None` for all.
pub(crate) fn limit(limit: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
    if limit.is_none() {
        return Ok(None);
    }
    if !limit.is_instance_of::<PyInt>() && !limit.is_instance_of::<PyFloat>() {
        return Err(expected("the limit", "a number or None", limit));
    }
    // More than any float: as good as none.
    Ok(limit.extract::<f64>().ok())
}

/// Which threads a prune is about.
pub(crate) fn pruned(kind: &str, what: &Bound<'_, PyAny>) -> PyResult<Pruned> {
    if kind == "idle" {
        return Ok(Pruned::Idle(name("idle_for", what)?));
    }
    let named = if kind == "runs" { "run_id" } else { "thread_id" };
    let ids: Vec<Id> = what.try_iter()?.map(|value| id(named, &value?)).collect::<PyResult<_>>()?;
    Ok(if kind == "runs" { Pruned::Runs(ids) } else { Pruned::Threads(ids) })
}

/// What a prune keeps.
pub(crate) fn keep(rule: &str, of: &Bound<'_, PyAny>) -> PyResult<Keep> {
    Ok(match rule {
        "nothing" => Keep::Nothing,
        "last" => match of.extract() {
            Ok(count) if !of.is_instance_of::<PyBool>() => Keep::Last(count),
            _ => return Err(expected("keep_last", "a whole number, at least 1", of)),
        },
        "newer-than" => Keep::NewerThan(name("newer_than", of)?),
        _ => Keep::Latest,
    })
}

/// Pairs of a metadata key and the JSON text of its value.
pub(crate) fn conditions(conditions: &Bound<'_, PyAny>) -> PyResult<Vec<MetadataFilter>> {
    let condition = |pair: PyResult<Bound<'_, PyAny>>| {
        let (key, json): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair?.extract()?;
        let key = name("a key of the filter", &key)?;
        Ok(MetadataFilter { key, json: name("the filter", &json)? })
    };
    conditions.try_iter()?.map(condition).collect()
}

/// What a serializer gave: its type tag and bytes.
pub(crate) fn payload(value: &Bound<'_, PyAny>) -> PyResult<Payload> {
    if let Ok(pair) = value.cast::<PyTuple>()
        && let Ok((kind, bytes)) = pair.extract::<(String, Bound<'_, PyAny>)>()
    {
        if let Ok(bytes) = bytes.cast::<PyBytes>() {
            return Ok(Payload { kind, bytes: bytes.as_bytes().to_vec() });
        }
        if let Ok(bytes) = bytes.cast::<PyByteArray>() {
            return Ok(Payload { kind, bytes: bytes.to_vec() });
        }
    }
    let message = "the serializer's dumps_typed has to return a tuple of text and bytes; see \
                   LangGraph's SerializerProtocol";
    Err(invalid(value.py(), "invalid-serializer", message))
}

/// A dict.
pub(crate) fn dict<'a, 'py>(
    what: &str,
    value: &'a Bound<'py, PyAny>,
) -> PyResult<&'a Bound<'py, PyDict>> {
    value.cast::<PyDict>().map_err(|_| expected(what, "a dict", value))
}

fn channel_version(channel: &str, version: &Bound<'_, PyAny>) -> PyResult<Version> {
    if let Ok(text) = version.cast::<PyString>() {
        return well_formed("malformed-text", "the version of a channel", text).map(Version::Text);
    }
    if let Ok(number) = version.cast::<PyFloat>() {
        return Ok(Version::Number(number.value()));
    }
    let whole = version.extract::<i64>().ok().filter(|whole| whole.abs() <= WHOLE_MAX);
    match whole {
        #[expect(clippy::cast_precision_loss, reason = "it has at most 53 bits")]
        Some(whole) if !version.is_instance_of::<PyBool>() => Ok(Version::Number(whole as f64)),
        _ => {
            let class = version.get_type().name()?;
            let message = format!(
                "the version of channel {channel:?} is of type {class}; it has to be text, or a \
                 number of at most 53 bits"
            );
            Err(invalid(version.py(), "invalid-channel-version", &message))
        }
    }
}

/// The text as UTF-8, which cannot hold half of a surrogate pair.
fn well_formed(code: &str, what: &str, text: &Bound<'_, PyString>) -> PyResult<String> {
    text.to_str().map(str::to_owned).map_err(|_| {
        let message = format!("{what} contains half of a surrogate pair; pass well-formed text");
        invalid(text.py(), code, &message)
    })
}

fn expected(what: &str, expected: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let class = value.get_type().name().map(|name| name.to_string()).unwrap_or_default();
    let message = format!("{what} is of type {class}; it has to be {expected}");
    invalid(value.py(), "invalid-argument", &message)
}
