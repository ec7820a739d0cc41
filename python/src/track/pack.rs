//! MessagePack exactly as LangGraph's serializer writes it, for the most common values.
//!
//! Before its bytes are used in place of the serializer's, they are compared with them once for
//! each class of message, because other versions of LangChain may write a class in another way.

use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyString};
use rmp::encode;

/// The extension types of pydantic's models, and of the values of delta channels.
const EXT_PYDANTIC: i8 = 5;
const EXT_DELTA_SNAPSHOT: i8 = 7;
/// What reads them, as the last part of the extension.
const READ_BY: &str = "model_validate_json";

/// Messages are seldom shorter.
const CAPACITY: usize = 512;

/// Kinds of values as bits: a bit for each class of message, and the highest for other values.
type Kinds = u32;
const DELTA_SNAPSHOT: Kinds = 1 << 30;
const OTHERS: Kinds = 1 << 31;

/// Which kinds the serializer was found to write alike, and which in another way.
static ALIKE: AtomicU32 = AtomicU32::new(0);
static DIFFERENT: AtomicU32 = AtomicU32::new(0);

/// Writes a value while it is walked.
#[derive(Default)]
pub(super) struct Packer {
    bytes: Vec<u8>,
    kinds: Kinds,
    /// Whether the value has something that only the serializer can write.
    gave_up: bool,
    /// Whether it is inside of a message, where another message is written as a dict.
    in_message: bool,
}

/// What a packer has written.
pub(super) struct Packed {
    pub(super) bytes: Vec<u8>,
    kinds: Kinds,
}

impl Packed {
    /// Whether the bytes are known to be the serializer's.
    pub(super) fn is_proven(&self) -> bool {
        self.kinds & !ALIKE.load(Ordering::Relaxed) == 0
    }

    /// Compares them with the serializer's, for the next values of these kinds.
    pub(super) fn prove(&self, bytes: &[u8]) {
        let found = if self.bytes == bytes { &ALIKE } else { &DIFFERENT };
        found.fetch_or(self.kinds, Ordering::Relaxed);
    }
}

impl Packer {
    /// What was written; `None` if the serializer has to write it.
    pub(super) fn packed(self) -> Option<Packed> {
        let refused = self.gave_up || self.kinds & DIFFERENT.load(Ordering::Relaxed) != 0;
        let Self { bytes, kinds, .. } = self;
        (!refused).then_some(Packed { bytes, kinds: if kinds == 0 { OTHERS } else { kinds } })
    }

    pub(super) fn new() -> Self {
        Self { bytes: Vec::with_capacity(CAPACITY), ..Self::default() }
    }

    /// One that writes nothing.
    pub(super) fn idle() -> Self {
        Self { gave_up: true, ..Self::default() }
    }

    pub(super) fn give_up(&mut self) {
        self.gave_up = true;
    }

    /// Writes something, unless only the serializer can write the value. `None` is what it cannot
    /// write: writing into memory itself does not fail.
    fn write(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Option<()>) {
        if !self.gave_up {
            self.gave_up = write(&mut self.bytes).is_none();
        }
    }

    /// A text, number, bytes, `None`, `True` or `False`.
    pub(super) fn plain(&mut self, object: &Bound<'_, PyAny>) {
        self.write(|bytes| {
            if let Ok(text) = object.cast_exact::<PyString>() {
                encode::write_str(bytes, text.to_str().ok()?).ok()
            } else if object.is_none() {
                encode::write_nil(bytes).ok()
            } else if let Ok(truth) = object.cast_exact::<PyBool>() {
                encode::write_bool(bytes, truth.is_true()).ok()
            } else if object.is_exact_instance_of::<PyInt>() {
                encode::write_sint(bytes, object.extract::<i64>().ok()?).ok().map(|_| ())
            } else if let Ok(number) = object.cast_exact::<PyFloat>() {
                encode::write_f64(bytes, number.value()).ok()
            } else {
                encode::write_bin(bytes, object.cast_exact::<PyBytes>().ok()?.as_bytes()).ok()
            }
        });
    }

    /// A list or tuple. Its elements are to follow.
    pub(super) fn list(&mut self, length: usize) {
        self.write(|bytes| {
            encode::write_array_len(bytes, u32::try_from(length).ok()?).ok().map(|_| ())
        });
    }

    /// A dict. Its keys are to follow, each before its value.
    pub(super) fn dict(&mut self, length: usize) {
        self.write(|bytes| {
            encode::write_map_len(bytes, u32::try_from(length).ok()?).ok().map(|_| ())
        });
    }

    /// A message of the class with this number. Its fields and other attributes are to follow as
    /// one dict; `end_message` gets what this returns.
    pub(super) fn begin_message(&mut self, class: &super::kinds::MessageClass) -> usize {
        self.gave_up |= self.in_message;
        self.in_message = true;
        self.kinds |= 1 << class.number;
        let begin = self.bytes.len();
        self.list(4);
        for name in [&class.module, &class.name] {
            self.write(|bytes| encode::write_str(bytes, name).ok());
        }
        begin
    }

    /// The end of a message that begins at a place of the bytes.
    pub(super) fn end_message(&mut self, begin: usize) {
        self.in_message = false;
        self.write(|bytes| encode::write_str(bytes, READ_BY).ok());
        self.extension(begin, EXT_PYDANTIC);
    }

    /// The value of a delta channel. Its value is to follow; `end_delta_snapshot` gets what this
    /// returns.
    pub(super) fn begin_delta_snapshot(&mut self) -> usize {
        self.gave_up |= self.in_message;
        self.kinds |= DELTA_SNAPSHOT;
        self.bytes.len()
    }

    pub(super) fn end_delta_snapshot(&mut self, begin: usize) {
        self.extension(begin, EXT_DELTA_SNAPSHOT);
    }

    /// Makes the bytes from a place on an extension.
    fn extension(&mut self, begin: usize, kind: i8) {
        self.write(|bytes| {
            let mut header = Vec::with_capacity(6);
            let length = u32::try_from(bytes.len() - begin).ok()?;
            encode::write_ext_meta(&mut header, length, kind).ok()?;
            bytes.splice(begin..begin, header);
            Some(())
        });
    }
}
