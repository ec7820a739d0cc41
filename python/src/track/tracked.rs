//! What is remembered of a channel's stored value.

use std::ops::Range;
use std::sync::Arc;

use langgraph_checkpoint_host::{KeptElements, NewValue, Payload, Run};
use pyo3::prelude::*;

use super::parts::{Collected, KIND, Parts, Shape, bytes_of_parts, header};
use super::snapshot::Snapshot;
use crate::errors::invalid;

/// The memory of a part, without what it holds.
const PART_BYTES: usize = 48;

/// A part of a stored value.
#[derive(Debug)]
struct Part {
    state: State,
    /// Whether the serializer made it. Only such a part is made again without the serializer, which
    /// may read a value differently from how it was before.
    is_read: bool,
}

#[derive(Debug)]
enum State {
    /// What serializing it read.
    Seen(Snapshot),
    /// What it was serialized to, if there is no snapshot of it.
    Bytes(Box<[u8]>),
}

/// A value as it was last stored or read. It is never changed, only replaced.
#[derive(Clone, Debug)]
pub(crate) struct Tracked {
    shape: Shape,
    /// The serializer's type tag.
    kind: Arc<str>,
    parts: Vec<Arc<Part>>,
    /// Whether an edit may start from it.
    editable: bool,
}

/// Serializes values and reads them, with the serializer of a saver.
pub(crate) struct Serde<'a, 'py> {
    /// Takes a value, returns its type tag and bytes.
    pub(crate) dump: &'a dyn Fn(&Bound<'py, PyAny>) -> PyResult<Payload>,
    /// Takes a type tag and bytes, returns a value.
    pub(crate) load: &'a dyn Fn(&Payload) -> PyResult<Bound<'py, PyAny>>,
    /// Whether it writes lists and dicts part by part, as MessagePack.
    pub(crate) splits: bool,
}

/// A value to store, and what to remember of it once it is stored.
pub(crate) struct Written {
    pub(crate) value: NewValue,
    /// `None` if nothing certain is known of it.
    pub(crate) tracked: Option<Tracked>,
}

impl Part {
    fn is_of(&self, parts: &Parts<'_>, at: usize) -> bool {
        matches!(&self.state, State::Seen(snapshot) if parts.is_in(at, snapshot))
    }

    /// Whether these are its bytes. Unknown if there is a snapshot instead.
    fn has(&self, bytes: &[u8]) -> bool {
        matches!(&self.state, State::Bytes(own) if **own == *bytes)
    }

    fn bytes(&self) -> usize {
        PART_BYTES
            + match &self.state {
                State::Seen(snapshot) => snapshot.bytes,
                State::Bytes(bytes) => bytes.len(),
            }
    }
}

impl Tracked {
    /// Serializes what is new in a value, or all of it if nothing is remembered of it.
    pub(crate) fn write<'py>(
        value: &Bound<'py, PyAny>,
        before: Option<&Self>,
        serde: &Serde<'_, 'py>,
    ) -> PyResult<Written> {
        let parts = Parts::of(value, serde.splits);
        let before = before.filter(|before| before.shape == parts.shape);
        let written = Writing { parts: &parts, before, serde }.write(value.py())?;
        match written {
            Some(written) => Ok(written),
            // The serializer had to write it in another way than usual.
            None => Ok(Written { value: NewValue::Whole((serde.dump)(value)?), tracked: None }),
        }
    }

    /// What to remember of a value that was read. `lengths` has the length of each part's bytes, if
    /// an edit may start from the value.
    pub(crate) fn read<'py>(
        value: &Bound<'py, PyAny>,
        payload: Payload,
        lengths: Option<&[u32]>,
        splits: bool,
    ) -> Self {
        let parts = Parts::of(value, splits);
        let in_parts = |lengths: &&[u32]| {
            parts.shape != Shape::Single && payload.kind == KIND && lengths.len() == parts.len()
        };
        let Some(lengths) = lengths.filter(in_parts) else {
            return Self::whole(value, payload);
        };
        let mut begin = header(parts.shape, parts.len()).len();
        let mut tracked = Self::new(parts.shape, &payload.kind);
        tracked.editable = true;
        for (at, length) in lengths.iter().enumerate() {
            let end = begin + *length as usize;
            let state = match (parts.snapshot(at), payload.bytes.get(begin..end)) {
                (Some(snapshot), _) => State::Seen(snapshot),
                (None, Some(bytes)) => State::Bytes(bytes.into()),
                (None, None) => return Self::whole(value, payload),
            };
            begin = end;
            tracked.push(state, true);
        }
        tracked
    }

    /// A value that was read, as one part.
    fn whole(value: &Bound<'_, PyAny>, payload: Payload) -> Self {
        let mut tracked = Self::new(Shape::Single, &payload.kind);
        let bytes = || State::Bytes(payload.bytes.into());
        let state = Snapshot::of(None, value).map_or_else(bytes, State::Seen);
        tracked.push(state, true);
        tracked
    }

    /// The value, made of new objects, and what to remember of it from then on.
    pub(crate) fn revive<'py>(
        &self,
        py: Python<'py>,
        serde: &Serde<'_, 'py>,
    ) -> PyResult<(Bound<'py, PyAny>, Self)> {
        let mut value = Collected::new(py, self.shape);
        let mut tracked = Self::new(self.shape, &self.kind);
        tracked.editable = self.editable;
        let mut at = 0;
        while let Some(part) = self.parts.get(at) {
            if let (true, State::Seen(snapshot)) = (part.is_read, &part.state) {
                value.remake(snapshot)?;
                tracked.parts.push(Arc::clone(part));
                at += 1;
                continue;
            }
            let is_read = |part: &Arc<Part>| part.is_read && matches!(part.state, State::Seen(_));
            let count = self.parts[at..].iter().position(is_read).unwrap_or(self.parts.len() - at);
            let read = self.read_parts(py, at..at + count, serde)?;
            value.extend(&read)?;
            let parts = Parts::of(&read, self.shape != Shape::Single);
            if (parts.shape, parts.len()) != (self.shape, count) {
                return Err(unstable(py));
            }
            for (index, part) in self.parts[at..at + count].iter().enumerate() {
                match parts.snapshot(index) {
                    Some(snapshot) => tracked.push(State::Seen(snapshot), true),
                    None if matches!(part.state, State::Bytes(_)) => {
                        tracked.parts.push(Arc::clone(part))
                    }
                    // Only if the serializer reads another class than it wrote.
                    None => {
                        let bytes = self.bytes_of(py, at + index..at + index + 1, serde)?;
                        tracked.push(State::Bytes(bytes.into()), true);
                    }
                }
            }
            at += count;
        }
        Ok((value.value()?, tracked))
    }

    /// Has the serializer read some parts, as a value of their own.
    fn read_parts<'py>(
        &self,
        py: Python<'py>,
        range: Range<usize>,
        serde: &Serde<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut bytes = header(self.shape, range.len());
        bytes.extend(self.bytes_of(py, range, serde)?);
        (serde.load)(&Payload { kind: self.kind.to_string(), bytes })
    }

    /// The value as it was serialized.
    pub(crate) fn payload<'py>(
        &self,
        py: Python<'py>,
        serde: &Serde<'_, 'py>,
    ) -> PyResult<Payload> {
        let mut bytes = header(self.shape, self.parts.len());
        bytes.extend(self.bytes_of(py, 0..self.parts.len(), serde)?);
        Ok(Payload { kind: self.kind.to_string(), bytes })
    }

    /// The bytes of some parts, one after the other.
    fn bytes_of<'py>(
        &self,
        py: Python<'py>,
        range: Range<usize>,
        serde: &Serde<'_, 'py>,
    ) -> PyResult<Vec<u8>> {
        let mut bytes = Vec::new();
        let (mut at, end) = (range.start, range.end);
        while at < end {
            if let State::Bytes(own) = &self.parts[at].state {
                bytes.extend_from_slice(own);
                at += 1;
                continue;
            }
            let mut value = Collected::new(py, self.shape);
            let begin = at;
            while let (true, Some(State::Seen(snapshot))) =
                (at < end, self.parts.get(at).map(|part| &part.state))
            {
                value.remake(snapshot)?;
                at += 1;
            }
            let payload = (serde.dump)(&value.value()?)?;
            let Some(parts) = bytes_of_parts(&payload, self.shape, at - begin) else {
                return Err(unstable(py));
            };
            bytes.extend_from_slice(parts);
        }
        Ok(bytes)
    }

    /// Notes whether the planner accepts an edit of it.
    pub(crate) fn set_editable(&mut self, editable: bool) {
        self.editable = editable;
    }

    /// Whether an edit may start from it. The planner also has elements of what is one part here,
    /// such as a tuple.
    fn can_be_edited(&self) -> bool {
        self.editable && self.shape != Shape::Single
    }

    /// About how much memory it keeps.
    pub(crate) fn bytes(&self) -> usize {
        self.parts.iter().map(|part| part.bytes()).sum()
    }

    fn new(shape: Shape, kind: &str) -> Self {
        Self { shape, kind: kind.into(), parts: Vec::new(), editable: false }
    }

    fn push(&mut self, state: State, is_read: bool) {
        self.parts.push(Arc::new(Part { state, is_read }));
    }
}

/// A value that is being serialized.
struct Writing<'a, 'py> {
    parts: &'a Parts<'py>,
    before: Option<&'a Tracked>,
    serde: &'a Serde<'a, 'py>,
}

impl<'py> Writing<'_, 'py> {
    /// `None` if the serializer wrote parts in another way than usual.
    fn write(&self, py: Python<'py>) -> PyResult<Option<Written>> {
        let (count, known) = (self.parts.len(), self.known());
        let first =
            known.iter().zip(0..count).take_while(|(part, at)| part.is_of(self.parts, *at)).count();
        if let Some(before) = self.before
            && first == count
            && first == known.len()
        {
            return Ok(Some(Written { value: NewValue::Unchanged, tracked: Some(before.clone()) }));
        }
        let rest = (known.len().min(count)) - first;
        let last = (0..rest)
            .take_while(|back| known[known.len() - 1 - back].is_of(self.parts, count - 1 - back))
            .count();
        let can_edit = self.before.is_some_and(Tracked::can_be_edited);
        let mut runs = Runs::new(self.parts.shape);
        if can_edit {
            runs.keep(0, &known[..first]);
        }
        let fresh = if can_edit { first..count - last } else { 0..count };
        if !self.write_parts(py, fresh, can_edit, &mut runs)? {
            return Ok(None);
        }
        if can_edit {
            runs.keep(known.len() - last, &known[known.len() - last..]);
        }
        Ok(Some(runs.written(self.before, can_edit)))
    }

    /// The place of a known part with these bytes, for the part that is now at `at`.
    fn place_of(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let known = self.known();
        let from_end = (at + known.len()).checked_sub(self.parts.len());
        let has = |place: &usize| known.get(*place).is_some_and(|part| part.has(bytes));
        [Some(at), from_end].into_iter().flatten().find(has)
    }

    fn known(&self) -> &[Arc<Part>] {
        self.before.map_or(&[], |before| &before.parts)
    }

    /// Serializes some parts. False if the serializer wrote them in another way than usual.
    fn write_parts(
        &self,
        py: Python<'py>,
        range: Range<usize>,
        edits: bool,
        runs: &mut Runs,
    ) -> PyResult<bool> {
        // Parts that only the serializer can write, with their snapshots.
        let mut waiting = Vec::new();
        let packs = self.serde.splits && self.parts.is_msgpack();
        for at in range.clone() {
            let taken = if packs {
                self.parts.packed(at)
            } else {
                self.parts.snapshot(at).map(|snapshot| (snapshot, None))
            };
            let Some((snapshot, packed)) = taken else {
                if !self.dump_seen(py, at, &mut waiting, runs)?
                    || !self.dump_unseen(py, at, edits, runs)?
                {
                    return Ok(false);
                }
                continue;
            };
            match packed {
                Some(packed) if packed.is_proven() => {
                    if !self.dump_seen(py, at, &mut waiting, runs)? {
                        return Ok(false);
                    }
                    runs.fresh(&packed.bytes);
                    runs.tracked.push(State::Seen(snapshot), false);
                }
                Some(packed) => {
                    let payload = (self.serde.dump)(&self.parts.value(py, at..at + 1)?)?;
                    if let Some(bytes) = bytes_of_parts(&payload, self.parts.shape, 1) {
                        packed.prove(bytes);
                    }
                    waiting.push(snapshot);
                }
                None => waiting.push(snapshot),
            }
        }
        self.dump_seen(py, range.end, &mut waiting, runs)
    }

    /// Has the serializer write the parts before `end`, of which there are these snapshots.
    fn dump_seen(
        &self,
        py: Python<'py>,
        end: usize,
        waiting: &mut Vec<Snapshot>,
        runs: &mut Runs,
    ) -> PyResult<bool> {
        if waiting.is_empty() {
            return Ok(true);
        }
        let begin = end - waiting.len();
        let payload = (self.serde.dump)(&self.parts.value(py, begin..end)?)?;
        let Some(bytes) = bytes_of_parts(&payload, self.parts.shape, waiting.len()) else {
            return Ok(false);
        };
        runs.kind.clone_from(&payload.kind);
        runs.fresh(bytes);
        for (at, snapshot) in (begin..end).zip(waiting.drain(..)) {
            // The value may have changed while it was serialized, on another thread.
            runs.is_certain &= snapshot.is_immutable() || self.parts.is_in(at, &snapshot);
            runs.tracked.push(State::Seen(snapshot), false);
        }
        Ok(true)
    }

    /// Has the serializer write a part of which there is no snapshot.
    fn dump_unseen(
        &self,
        py: Python<'py>,
        at: usize,
        edits: bool,
        runs: &mut Runs,
    ) -> PyResult<bool> {
        let payload = (self.serde.dump)(&self.parts.value(py, at..at + 1)?)?;
        let Some(bytes) = bytes_of_parts(&payload, self.parts.shape, 1) else {
            return Ok(false);
        };
        runs.kind.clone_from(&payload.kind);
        if let Some(place) = self.place_of(bytes, at).filter(|_| edits) {
            runs.keep(place, &self.known()[place..=place]);
        } else {
            runs.fresh(bytes);
            runs.tracked.push(State::Bytes(bytes.into()), false);
        }
        Ok(true)
    }
}

/// Collects parts into runs.
struct Runs {
    runs: Vec<Run>,
    kind: String,
    tracked: Tracked,
    /// Whether what was serialized is what the snapshots have.
    is_certain: bool,
}

impl Runs {
    fn new(shape: Shape) -> Self {
        Self {
            runs: Vec::new(),
            kind: KIND.to_owned(),
            tracked: Tracked::new(shape, KIND),
            is_certain: true,
        }
    }

    fn keep(&mut self, first: usize, parts: &[Arc<Part>]) {
        if parts.is_empty() {
            return;
        }
        self.tracked.parts.extend(parts.iter().cloned());
        // Lists have fewer than 2^32 elements: more would not fit into memory.
        let (first, more) = (first as u32, parts.len() as u32);
        match self.runs.last_mut() {
            Some(Run::Kept(kept)) if kept.first + kept.count == first => kept.count += more,
            _ => self.runs.push(Run::Kept(KeptElements { first, count: more })),
        }
    }

    fn fresh(&mut self, bytes: &[u8]) {
        match self.runs.last_mut() {
            Some(Run::Fresh(run)) => run.extend_from_slice(bytes),
            _ => self.runs.push(Run::Fresh(bytes.to_vec())),
        }
    }

    /// Whether they are exactly the parts before, in order.
    fn keeps_all(&self, before: &Tracked) -> bool {
        let all = KeptElements { first: 0, count: before.parts.len() as u32 };
        matches!(self.runs.as_slice(), [Run::Kept(kept)] if *kept == all)
    }

    fn written(mut self, before: Option<&Tracked>, edits: bool) -> Written {
        self.tracked.kind = self.kind.as_str().into();
        let value = if before.is_some_and(|before| self.keeps_all(before)) {
            NewValue::Unchanged
        } else if edits {
            NewValue::Edited(self.runs)
        } else {
            let mut bytes = header(self.tracked.shape, self.tracked.parts.len());
            for run in self.runs {
                if let Run::Fresh(run) = run {
                    bytes.extend(run);
                }
            }
            if before.is_some_and(|before| before.is_bytes(&self.kind, &bytes)) {
                NewValue::Unchanged
            } else {
                NewValue::Whole(Payload { kind: self.kind, bytes })
            }
        };
        Written { value, tracked: self.is_certain.then_some(self.tracked) }
    }
}

fn unstable(py: Python<'_>) -> PyErr {
    let message = "the serializer gave equal values in different ways";
    invalid(py, "invalid-serializer", message)
}

impl Tracked {
    /// Whether the value is one part without a snapshot, of these bytes.
    fn is_bytes(&self, kind: &str, bytes: &[u8]) -> bool {
        let [part] = self.parts.as_slice() else { return false };
        self.shape == Shape::Single && *self.kind == *kind && part.has(bytes)
    }
}
