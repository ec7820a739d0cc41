//! A flat copy of what serializing an object reads.

use std::slice::Iter;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBytes, PyDict, PyFloat, PyFrozenSet, PyList, PySet, PyString, PyTuple, PyType,
};

use super::kinds::{Kind, MessageClass, kind_of};
use super::pack::{Packed, Packer};

/// Deeper objects have no snapshot.
const DEPTH_MAX: usize = 64;
/// The memory of a token with its share of the objects' own overhead.
const TOKEN_BYTES: usize = 64;

/// The state of an object at one time. It shares what nobody can change with the object: texts,
/// numbers, bytes.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// In the order in which the object is read. An object is followed by what it consists of.
    tokens: Box<[Token]>,
    /// About how much memory it keeps.
    pub(super) bytes: usize,
}

#[derive(Debug)]
enum Token {
    Plain(Py<PyAny>),
    Identity(Py<PyAny>),
    /// That many elements follow.
    List(usize),
    Tuple(usize),
    /// That many keys follow, each before its value.
    Dict(usize),
    /// The class. Its value follows.
    DeltaSnapshot(Py<PyType>),
    /// The class. Its fields follow as a dict, then other attributes as a dict or `None`, then
    /// which fields were set: a frozen set, or `None` for all of both.
    Message(Py<PyType>),
}

impl Snapshot {
    /// The snapshot of an object, or of an entry of a dict; `None` if it has a part of a class that
    /// is not known.
    pub(super) fn of(key: Option<&Bound<'_, PyString>>, object: &Bound<'_, PyAny>) -> Option<Self> {
        let Taking { tokens, bytes, .. } = Taking::of(Wanted::Copy, key, object)?;
        Some(Self { tokens: tokens.into(), bytes })
    }

    /// The same, only for comparing, and how the serializer writes the object, if that is known.
    /// Both are of one moment, because no code of Python runs meanwhile.
    pub(super) fn packed(
        key: Option<&Bound<'_, PyString>>,
        object: &Bound<'_, PyAny>,
    ) -> Option<(Self, Option<Packed>)> {
        let Taking { tokens, bytes, packer, .. } = Taking::of(Wanted::Both, key, object)?;
        Some((Self { tokens: tokens.into(), bytes }, packer.packed()))
    }

    /// Whether nobody can change the object.
    pub(super) fn is_immutable(&self) -> bool {
        matches!(*self.tokens, [Token::Plain(_) | Token::Identity(_)])
    }

    /// Whether serializing this object gives what serializing the one of the snapshot gave.
    pub(super) fn is_of(&self, object: &Bound<'_, PyAny>) -> bool {
        same(&mut self.tokens.iter(), object)
    }

    /// The same for an entry of a dict.
    pub(super) fn is_of_entry(&self, key: &Bound<'_, PyString>, value: &Bound<'_, PyAny>) -> bool {
        let mut tokens = self.tokens.iter();
        same(&mut tokens, key) && same(&mut tokens, value)
    }

    /// Another object in the state of the snapshot.
    pub(super) fn remake<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        remake(&mut self.tokens.iter(), py)
    }

    /// The same for an entry of a dict.
    pub(super) fn remake_entry<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let mut tokens = self.tokens.iter();
        Ok((remake(&mut tokens, py)?, remake(&mut tokens, py)?))
    }
}

/// How the serializer writes an object, if that is known.
pub(super) fn packed(object: &Bound<'_, PyAny>) -> Option<Packed> {
    Taking::of(Wanted::Bytes, None, object)?.packer.packed()
}

/// What a walk over an object is for.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    /// Making it again.
    Copy,
    /// Comparing it, and its bytes.
    Both,
    Bytes,
}

struct Taking {
    wanted: Wanted,
    tokens: Vec<Token>,
    bytes: usize,
    packer: Packer,
}

impl Taking {
    fn of(
        wanted: Wanted,
        key: Option<&Bound<'_, PyString>>,
        object: &Bound<'_, PyAny>,
    ) -> Option<Self> {
        let packer = if wanted == Wanted::Copy { Packer::idle() } else { Packer::new() };
        let mut taking = Self { wanted, tokens: Vec::new(), bytes: 0, packer };
        if let Some(key) = key {
            taking.plain(key.as_any());
        }
        taking.take(object, 0)?;
        Some(taking)
    }

    fn push(&mut self, token: impl FnOnce() -> Token) {
        if self.wanted != Wanted::Bytes {
            self.bytes += TOKEN_BYTES;
            self.tokens.push(token());
        }
    }

    fn plain(&mut self, object: &Bound<'_, PyAny>) {
        self.packer.plain(object);
        self.bytes += size_of_content(object);
        self.push(|| Token::Plain(object.clone().unbind()));
    }

    fn take(&mut self, object: &Bound<'_, PyAny>, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        match kind_of(object) {
            Kind::Plain => self.plain(object),
            Kind::Identity => {
                self.packer.give_up();
                self.push(|| Token::Identity(object.clone().unbind()));
            }
            Kind::List(list) => {
                self.packer.list(list.len());
                self.push(|| Token::List(list.len()));
                for element in list {
                    self.take(&element, depth + 1)?;
                }
            }
            Kind::Tuple(tuple) => {
                self.packer.list(tuple.len());
                self.push(|| Token::Tuple(tuple.len()));
                for element in tuple {
                    self.take(&element, depth + 1)?;
                }
            }
            Kind::Dict(dict) => {
                self.packer.dict(dict.len());
                self.take_dict(dict, depth)?;
            }
            Kind::DeltaSnapshot(snapshot) => {
                let value = snapshot.get_item(0).ok()?;
                let begin = self.packer.begin_delta_snapshot();
                self.push(|| Token::DeltaSnapshot(snapshot.get_type().unbind()));
                self.take(&value, depth + 1)?;
                self.packer.end_delta_snapshot(begin);
            }
            Kind::Message(class) => self.take_message(object, class, depth)?,
            Kind::Opaque => return None,
        }
        Some(())
    }

    fn take_dict(&mut self, dict: &Bound<'_, PyDict>, depth: usize) -> Option<()> {
        self.push(|| Token::Dict(dict.len()));
        for (key, value) in dict {
            if !key.is_exact_instance_of::<PyString>() {
                return None;
            }
            self.plain(&key);
            self.take(&value, depth + 1)?;
        }
        Some(())
    }

    fn take_message(
        &mut self,
        message: &Bound<'_, PyAny>,
        class: &MessageClass,
        depth: usize,
    ) -> Option<()> {
        let py = message.py();
        if !message.getattr(intern!(py, "__pydantic_private__")).ok()?.is_none() {
            return None;
        }
        let fields = message.getattr(intern!(py, "__dict__")).ok()?;
        let fields = fields.cast_exact::<PyDict>().ok()?;
        let others = message.getattr(intern!(py, "__pydantic_extra__")).ok()?;
        let others = match others.cast_exact::<PyDict>() {
            Ok(others) => Some(others),
            Err(_) if others.is_none() => None,
            Err(_) => return None,
        };
        let count = fields.len() + others.map_or(0, |others| others.len());

        if self.wanted != Wanted::Copy && !class.dumps_all(fields, others).ok()? {
            self.packer.give_up();
        }
        self.push(|| Token::Message(message.get_type().unbind()));
        let begin = self.packer.begin_message(class);
        self.packer.dict(count);
        self.take_dict(fields, depth)?;
        match others {
            None => self.push(|| Token::Plain(py.None())),
            Some(others) => self.take_dict(others, depth)?,
        }
        self.packer.end_message(begin);
        if self.wanted == Wanted::Copy {
            let set = message.getattr(intern!(py, "__pydantic_fields_set__")).ok()?;
            let set = set.cast_exact::<PySet>().ok()?;
            let set = if set.len() == count {
                py.None()
            } else {
                PyFrozenSet::new(py, set.iter()).ok()?.into_any().unbind()
            };
            self.push(|| Token::Plain(set));
        } else {
            self.push(|| Token::Plain(py.None()));
        }
        Some(())
    }
}

fn size_of_content(object: &Bound<'_, PyAny>) -> usize {
    if object.is_exact_instance_of::<PyString>() || object.is_exact_instance_of::<PyBytes>() {
        return object.len().unwrap_or(0);
    }
    0
}

/// Whether an object is in the state that the next tokens describe.
fn same(tokens: &mut Iter<'_, Token>, object: &Bound<'_, PyAny>) -> bool {
    let Some(token) = tokens.next() else { return false };
    match (token, kind_of(object)) {
        (Token::Plain(before), Kind::Plain) => is_same_plain(before, object),
        (Token::Identity(before), Kind::Identity) => object.is(before),
        (Token::List(length), Kind::List(list)) => {
            *length == list.len() && list.iter().all(|element| same(tokens, &element))
        }
        (Token::Tuple(length), Kind::Tuple(tuple)) => {
            *length == tuple.len() && tuple.iter().all(|element| same(tokens, &element))
        }
        (Token::Dict(length), Kind::Dict(dict)) => is_same_dict(tokens, *length, dict),
        (Token::DeltaSnapshot(_), Kind::DeltaSnapshot(snapshot)) => {
            snapshot.get_item(0).is_ok_and(|value| same(tokens, &value))
        }
        (Token::Message(class), Kind::Message(_)) => {
            object.get_type().is(class) && is_same_message(tokens, object).unwrap_or(false)
        }
        _ => false,
    }
}

fn is_same_plain(before: &Py<PyAny>, object: &Bound<'_, PyAny>) -> bool {
    if object.is(before) {
        return true;
    }
    let before = before.bind(object.py());
    if !before.get_type().is(object.get_type()) {
        return false;
    }
    if let (Ok(before), Ok(now)) = (before.cast_exact::<PyFloat>(), object.cast_exact::<PyFloat>())
    {
        // Zeros of either sign are equal, and NaN is not, but only their bits are serialized.
        return before.value().to_bits() == now.value().to_bits();
    }
    object.eq(before).unwrap_or(false)
}

fn is_same_dict(tokens: &mut Iter<'_, Token>, length: usize, dict: &Bound<'_, PyDict>) -> bool {
    length == dict.len()
        && dict.iter().all(|(key, value)| same(tokens, &key) && same(tokens, &value))
}

fn is_same_message(tokens: &mut Iter<'_, Token>, message: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = message.py();
    let fields = message.getattr(intern!(py, "__dict__"))?;
    if !same(tokens, &fields) {
        return Ok(false);
    }
    let others = message.getattr(intern!(py, "__pydantic_extra__"))?;
    if !same(tokens, &others) {
        return Ok(false);
    }
    // Which fields were set is not serialized.
    tokens.next();
    Ok(true)
}

/// Makes the object that the next tokens describe.
fn remake<'py>(tokens: &mut Iter<'_, Token>, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
    match tokens.next() {
        Some(Token::Plain(object) | Token::Identity(object)) => Ok(object.bind(py).clone()),
        Some(Token::List(length)) => {
            let list = PyList::empty(py);
            for _ in 0..*length {
                list.append(remake(tokens, py)?)?;
            }
            Ok(list.into_any())
        }
        Some(Token::Tuple(length)) => {
            let elements =
                (0..*length).map(|_| remake(tokens, py)).collect::<PyResult<Vec<_>>>()?;
            Ok(PyTuple::new(py, elements)?.into_any())
        }
        Some(Token::Dict(length)) => Ok(remake_dict(tokens, *length, py)?.into_any()),
        Some(Token::DeltaSnapshot(class)) => {
            let value = remake(tokens, py)?;
            class.bind(py).call1((value,))
        }
        Some(Token::Message(class)) => remake_message(tokens, class.bind(py)),
        None => Ok(py.None().into_bound(py)),
    }
}

fn remake_dict<'py>(
    tokens: &mut Iter<'_, Token>,
    length: usize,
    py: Python<'py>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for _ in 0..length {
        let key = remake(tokens, py)?;
        dict.set_item(key, remake(tokens, py)?)?;
    }
    Ok(dict)
}

/// Makes a message without its constructor, as pydantic's `model_copy` does.
fn remake_message<'py>(
    tokens: &mut Iter<'_, Token>,
    class: &Bound<'py, PyType>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = class.py();
    let fields = remake(tokens, py)?;
    let others = remake(tokens, py)?;
    let set = remake(tokens, py)?;
    let set = if set.is_none() {
        let all = PySet::new(py, fields.try_iter()?.collect::<PyResult<Vec<_>>>()?)?;
        if let Ok(others) = others.cast_exact::<PyDict>() {
            for key in others.keys() {
                all.add(key)?;
            }
        }
        all
    } else {
        PySet::new(py, set.try_iter()?.collect::<PyResult<Vec<_>>>()?)?
    };
    let message = class.call_method1(intern!(py, "__new__"), (class,))?;
    let base = py.get_type::<PyAny>();
    let put = |name, value: &Bound<'py, PyAny>| {
        base.call_method1(intern!(py, "__setattr__"), (&message, name, value))
    };
    put(intern!(py, "__dict__"), &fields)?;
    put(intern!(py, "__pydantic_extra__"), &others)?;
    put(intern!(py, "__pydantic_fields_set__"), set.as_any())?;
    put(intern!(py, "__pydantic_private__"), &py.None().into_bound(py))?;
    Ok(message)
}
