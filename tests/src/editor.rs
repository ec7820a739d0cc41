//! Does what a shim does with its knowledge: puts edits of the values that it put or got last, and
//! gets without the values that it has. The outcomes must be those of whole values.

use std::collections::BTreeMap;

use langgraph_checkpoint_guest::{
    Base, Call, ChannelValue, CheckpointTuple, Config, Error, GetTuple, Id, KeptElements, NewValue,
    Outcome, Payload, Put, Run, TupleValue,
};

use crate::caller::Caller;

/// What is known of each thread and namespace, with its values.
#[derive(Debug, Default)]
pub struct Editor {
    entries: BTreeMap<(String, String), Entry>,
    /// How many values were put as edits or not read again.
    pub spared: usize,
}

#[derive(Debug)]
struct Entry {
    known: Vec<u8>,
    bases: Vec<String>,
    values: Vec<ChannelValue>,
}

impl Editor {
    /// Runs a call. Passes what is known with a put or a get.
    pub fn call(&mut self, store: &mut dyn Caller, call: Call) -> Result<Outcome, Error> {
        match call {
            Call::Put(put) => self.put(store, put),
            Call::GetTuple(get) => self.get(store, get.config),
            other => store.call(other),
        }
    }

    fn put(&mut self, store: &mut dyn Caller, whole: Put) -> Result<Outcome, Error> {
        let key = key(&whole.config);
        let values: Vec<_> = whole.checkpoint.channel_values.iter().map(whole_value).collect();
        let mut put = whole.clone();
        if let Some(entry) = self.entries.get(&key) {
            put.known = Some(entry.known.clone());
            for value in &mut put.checkpoint.channel_values {
                if let Some(edited) = entry.edit(value) {
                    value.value = edited;
                    self.spared += 1;
                }
            }
        }
        let outcome = match store.call(Call::Put(put))? {
            Outcome::Stale(known) => store.call(Call::Put(Put { known: Some(known), ..whole }))?,
            outcome => outcome,
        };
        if let Outcome::Stored(stored) = &outcome {
            let told = |channel: &str| stored.values.iter().find(|value| value.channel == channel);
            let bases = stored.values.iter().filter(|value| value.editable);
            let bases = bases.map(|value| value.channel.clone()).collect();
            let values = values.into_iter().filter(|value| told(&value.channel).is_some());
            let (known, values) = (stored.known.clone(), values.collect());
            self.entries.insert(key, Entry { known, bases, values });
        }
        Ok(outcome)
    }

    fn get(&mut self, store: &mut dyn Caller, config: Config) -> Result<Outcome, Error> {
        let key = key(&config);
        let entry = self.entries.get(&key);
        let known = entry.map(|entry| entry.known.clone());
        let mut outcome = store.call(Call::GetTuple(GetTuple { config, known }))?;
        if let Outcome::Found(Some(found)) = &mut outcome {
            let mut unchanged = Vec::new();
            for value in &mut found.tuple.channel_values {
                if value.value == TupleValue::Unchanged {
                    let known = entry.and_then(|entry| entry.value(&value.channel)).unwrap();
                    value.value = TupleValue::Whole(known.clone());
                    unchanged.push(value.channel.clone());
                    self.spared += 1;
                }
            }
            let CheckpointTuple { channel_values: values, .. } =
                found.tuple.clone().resolve(&[]).unwrap();
            let mut bases = entry.map(|entry| entry.bases.clone()).unwrap_or_default();
            bases.retain(|channel| unchanged.contains(channel));
            for Base { channel, lengths } in &found.bases {
                let value = values.iter().find(|value| value.channel == *channel).unwrap();
                let of_elements = elements(&value.value).unwrap();
                assert!(of_elements.iter().map(|element| element.len() as u32).eq(lengths.clone()));
                bases.push(channel.clone());
            }
            let known = found.known.clone();
            self.entries.insert(key, Entry { known, bases, values });
        }
        Ok(outcome)
    }
}

impl Entry {
    fn value(&self, channel: &str) -> Option<&Payload> {
        self.values.iter().find(|value| value.channel == channel).map(|value| &value.value)
    }

    /// The value as an edit of the known one; `None` if there is none.
    fn edit(&self, value: &ChannelValue<NewValue>) -> Option<NewValue> {
        let NewValue::Whole(new) = &value.value else { return None };
        let old = self.value(&value.channel)?;
        if old == new {
            return Some(NewValue::Unchanged);
        }
        let editable = self.bases.contains(&value.channel);
        let same_shape = old.bytes.first() == new.bytes.first();
        if !editable || !same_shape {
            return None;
        }
        Some(NewValue::Edited(runs(&elements(old)?, &elements(new)?)))
    }
}

/// A value as it was put.
pub fn whole_value(entry: &ChannelValue<NewValue>) -> ChannelValue {
    let NewValue::Whole(value) = &entry.value else { panic!("{} is not whole", entry.channel) };
    ChannelValue { channel: entry.channel.clone(), value: value.clone() }
}

/// The runs of an edit: elements that the base has, each at its first position there, and the
/// others as new.
fn runs(before: &[&[u8]], after: &[&[u8]]) -> Vec<Run> {
    let mut places = BTreeMap::new();
    for (place, element) in before.iter().enumerate() {
        places.entry(*element).or_insert(place as u32);
    }
    let mut runs: Vec<Run> = Vec::new();
    for element in after {
        match (places.get(element), runs.last_mut()) {
            (Some(place), Some(Run::Kept(KeptElements { first, count })))
                if *first + *count == *place =>
            {
                *count += 1;
            }
            (Some(place), _) => runs.push(Run::Kept(KeptElements { first: *place, count: 1 })),
            (None, Some(Run::Fresh(bytes))) => {
                bytes.push(b',');
                bytes.extend_from_slice(element);
            }
            (None, _) => runs.push(Run::Fresh(element.to_vec())),
        }
    }
    runs
}

/// The elements or entries of a JSON array or object that has no white space between them.
fn elements(payload: &Payload) -> Option<Vec<&[u8]>> {
    let inside = match payload.bytes.as_slice() {
        [b'[', inside @ .., b']'] | [b'{', inside @ .., b'}'] if payload.kind == "json" => inside,
        _ => return None,
    };
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    let mut parts: Vec<_> = inside
        .split(|byte| {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = !quoted,
                b'[' | b'{' if !quoted => depth += 1,
                b']' | b'}' if !quoted => depth -= 1,
                _ => {}
            }
            *byte == b',' && depth == 0 && !quoted
        })
        .collect();
    parts.retain(|part| !part.is_empty());
    Some(parts)
}

fn key(config: &Config) -> (String, String) {
    let text = |id: &Id| match id {
        Id::Text(text) => text.clone(),
        Id::Number(number) => number.to_string(),
        _ => String::new(),
    };
    (text(&config.thread_id), text(&config.checkpoint_ns))
}
