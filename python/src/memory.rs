//! What a saver remembers of the namespaces it used last: the bytes of their newest values. A put
//! then sends what is new of them, and a read fetches what is new. Losing an entry is harmless.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use langgraph_checkpoint_host::{
    CheckpointTuple, Checkpointer, Config, Error, Fault, GetTuple, Id, KeptElements, NewValue,
    Payload, Put, Run, SqliteStorage, StoredCheckpoint, TupleValue,
};

use crate::parts::{Kept, Parts};

/// How many bytes of values a saver remembers.
const BYTES_MAX: usize = 64 << 20;

/// A thread and a namespace.
type Key = (String, String);

/// A checkpointer on a file, with what is remembered of it.
pub(crate) struct Remembering {
    pub(crate) checkpointer: Checkpointer<SqliteStorage>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    entries: HashMap<Key, Entry>,
    /// Counts uses; the entry with the smallest number has been unused for longest.
    uses: u64,
    bytes: usize,
}

struct Entry {
    state: Arc<State>,
    used: u64,
}

/// The newest values of a namespace, and what the planner knows of them.
struct State {
    known: Vec<u8>,
    values: HashMap<String, Value>,
}

/// A value that is stored.
#[derive(Clone)]
struct Value(Arc<Remembered>);

struct Remembered {
    payload: Payload,
    /// The elements, if it is a list that an edit may start from.
    parts: Option<Parts>,
}

impl Remembering {
    /// Remembers nothing yet.
    pub(crate) fn new(checkpointer: Checkpointer<SqliteStorage>) -> Self {
        Self { checkpointer, memory: Mutex::default() }
    }

    /// Stores a checkpoint, whose values are whole.
    pub(crate) async fn put(&self, mut put: Put) -> Result<StoredCheckpoint, Error> {
        let Some(before) = self.lock().of(&put.config) else {
            let values = put.checkpoint.channel_values.iter().filter_map(|entry| {
                let NewValue::Whole(payload) = &entry.value else { return None };
                Some((entry.channel.clone(), Value::of(payload.clone())))
            });
            let values = values.collect();
            let stored = self.checkpointer.put(put).await?;
            self.remember(&stored, values);
            return Ok(stored);
        };
        let mut values = HashMap::new();
        for entry in &mut put.checkpoint.channel_values {
            let given = std::mem::replace(&mut entry.value, NewValue::Unchanged);
            let NewValue::Whole(payload) = given else { continue };
            let (new, value) = compared(payload, before.values.get(&entry.channel));
            entry.value = new;
            values.insert(entry.channel.clone(), value);
        }
        put.known = Some(before.known.clone());
        // The whole values are remembered: what is cloned is mostly what is new.
        let stored = match self.checkpointer.put(put.clone()).await {
            Err(Error::InvalidInput(fault)) if fault.code == "stale-known" => {
                for entry in &mut put.checkpoint.channel_values {
                    if let Some(value) = values.get(&entry.channel) {
                        entry.value = NewValue::Whole(value.payload.clone());
                    }
                }
                self.checkpointer.put(Put { known: None, ..put }).await?
            }
            stored => stored?,
        };
        self.remember(&stored, values);
        Ok(stored)
    }

    /// Returns a checkpoint, and reads only the values that are not remembered.
    pub(crate) async fn get_tuple(&self, config: Config) -> Result<Option<CheckpointTuple>, Error> {
        let before = self.lock().of(&config);
        let known = before.as_ref().map(|state| state.known.clone());
        let Some(found) = self.checkpointer.find(GetTuple { config, known }).await? else {
            return Ok(None);
        };
        let editable = |channel: &str| found.bases.iter().any(|base| base.channel == channel);
        let mut values = Vec::new();
        for entry in &found.tuple.channel_values {
            let value = match &entry.value {
                TupleValue::Whole(payload) if editable(&entry.channel) => {
                    Some(Value::of(payload.clone()))
                }
                TupleValue::Whole(payload) => Some(Value::without_parts(payload.clone())),
                _ => before.as_ref().and_then(|state| state.values.get(&entry.channel).cloned()),
            };
            values.push((entry.channel.clone(), value.ok_or_else(unknown_value)?));
        }
        let mut payloads = values.iter().map(|(_, value)| value.payload.clone());
        let tuple = found.tuple.map_values(|_| payloads.next()).ok_or_else(unknown_value)?;
        let key = (tuple.thread_id.clone(), tuple.checkpoint_ns.clone());
        let values = values.into_iter().collect();
        self.lock().remember(key, State { known: found.known, values });
        Ok(Some(tuple))
    }

    /// Removes a thread, and forgets it.
    pub(crate) async fn delete_thread(&self, config: Config) -> Result<(), Error> {
        if let Some((thread_id, _)) = key(&config) {
            self.lock().forget(&thread_id);
        }
        self.checkpointer.delete_thread(config).await
    }

    /// Remembers the values that are stored.
    fn remember(&self, stored: &StoredCheckpoint, mut values: HashMap<String, Value>) {
        values.retain(|channel, value| {
            let Some(known) = stored.values.iter().find(|known| known.channel == *channel) else {
                return false;
            };
            if !known.editable && value.parts.is_some() {
                *value = Value::without_parts(value.payload.clone());
            }
            true
        });
        let key = (stored.thread_id.clone(), stored.checkpoint_ns.clone());
        self.lock().remember(key, State { known: stored.known.clone(), values });
    }

    /// Never held while a call runs.
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// What is remembered of a config's namespace.
    fn of(&mut self, config: &Config) -> Option<Arc<State>> {
        self.uses += 1;
        let entry = self.entries.get_mut(&key(config)?)?;
        entry.used = self.uses;
        Some(Arc::clone(&entry.state))
    }

    fn remember(&mut self, key: Key, state: State) {
        self.uses += 1;
        let bytes = state.bytes();
        self.bytes += bytes;
        let entry = Entry { state: Arc::new(state), used: self.uses };
        if let Some(replaced) = self.entries.insert(key, entry) {
            self.bytes -= replaced.state.bytes();
        }
        while self.bytes > BYTES_MAX {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else { break };
            self.remove(&key);
        }
    }

    fn forget(&mut self, thread_id: &str) {
        let keys = self.entries.keys().filter(|(thread, _)| thread == thread_id);
        for key in keys.cloned().collect::<Vec<_>>() {
            self.remove(&key);
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(removed) = self.entries.remove(key) {
            self.bytes -= removed.state.bytes();
        }
    }
}

impl State {
    fn bytes(&self) -> usize {
        let values = self.values.values().map(|value| value.payload.bytes.len());
        self.known.len() + values.sum::<usize>()
    }
}

impl Value {
    fn of(payload: Payload) -> Self {
        let is_list = payload.kind == "msgpack";
        let parts = if is_list { Parts::of(&payload.bytes) } else { None };
        Self(Arc::new(Remembered { payload, parts }))
    }

    fn without_parts(payload: Payload) -> Self {
        Self(Arc::new(Remembered { payload, parts: None }))
    }
}

impl Deref for Value {
    type Target = Remembered;

    fn deref(&self) -> &Remembered {
        &self.0
    }
}

/// A value as what is new of it, and what to remember.
fn compared(payload: Payload, earlier: Option<&Value>) -> (NewValue, Value) {
    let Some(earlier) = earlier.filter(|earlier| earlier.payload.kind == payload.kind) else {
        return (NewValue::Whole(payload.clone()), Value::of(payload));
    };
    if earlier.payload.bytes == payload.bytes {
        return (NewValue::Unchanged, earlier.clone());
    }
    let kept = earlier
        .parts
        .as_ref()
        .and_then(|parts| parts.kept_by(&earlier.payload.bytes, &payload.bytes));
    let Some(Kept { count, fresh, parts }) = kept else {
        return (NewValue::Whole(payload.clone()), Value::of(payload));
    };
    let mut runs = vec![Run::Kept(KeptElements { first: 0, count })];
    let fresh = payload.bytes.get(fresh..).unwrap_or_default();
    if !fresh.is_empty() {
        runs.push(Run::Fresh(fresh.to_vec()));
    }
    (NewValue::Edited(runs), Value(Arc::new(Remembered { payload, parts: Some(parts) })))
}

/// The key of a config; `None` if its ids are not text, because only the planner decides what such
/// ids mean.
fn key(config: &Config) -> Option<Key> {
    let Id::Text(thread_id) = &config.thread_id else { return None };
    let checkpoint_ns = match &config.checkpoint_ns {
        Id::Text(checkpoint_ns) => checkpoint_ns.clone(),
        Id::Absent => String::new(),
        Id::Number(_) | Id::Unsupported(_) => return None,
    };
    Some((thread_id.clone(), checkpoint_ns))
}

fn unknown_value() -> Error {
    Error::Protocol(Fault {
        code: "unexpected-outcome".to_owned(),
        message: "the planner refers to a value that the saver does not have, which is a defect; \
                  please report it"
            .to_owned(),
    })
}
