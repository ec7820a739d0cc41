//! The reference model: a checkpointer in a hundred lines of maps. It says what every call must
//! give, independently of the guest. It shares nothing and splits nothing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use langgraph_checkpoint_guest::{
    ChannelHistory, ChannelValue, CheckpointTuple, Payload, PendingWrite, Put, PutWrites,
};

use crate::editor::whole_value;

/// Thread, namespace, checkpoint.
pub type Key = (String, String, String);

/// Everything stored.
#[derive(Debug, Default)]
pub struct Model {
    checkpoints: BTreeMap<Key, (Put, Option<String>)>,
    /// By checkpoint, then by task and place.
    writes: BTreeMap<Key, BTreeMap<(String, i64), Write>>,
}

/// A write at its place.
#[derive(Clone, Debug)]
struct Write {
    path: String,
    channel: String,
    value: Payload,
}

impl Model {
    /// `put`.
    pub fn put(&mut self, key: Key, parent: Option<String>, mut put: Put) {
        let (thread, ns, _) = &key;
        let versioned: BTreeSet<_> =
            put.checkpoint.channel_versions.iter().map(|entry| entry.channel.clone()).collect();
        let others: Vec<_> = self
            .checkpoints
            .iter()
            .filter(|((of, within, _), _)| of == thread && within == ns)
            .map(|(_, (put, _))| put)
            .collect();
        let stored: BTreeSet<String> = others
            .iter()
            .flat_map(|put| &put.checkpoint.channel_values)
            .map(|entry| entry.channel.clone())
            .collect();
        let all = parent.is_some() || others.len() > 16;
        let new = put.new_versions.clone();
        put.checkpoint.channel_values.retain(|ChannelValue { channel, .. }| {
            all || new.contains(channel) || !versioned.contains(channel) || stored.contains(channel)
        });
        self.checkpoints.insert(key, (put, parent));
    }

    /// `putWrites`.
    pub fn put_writes(&mut self, key: Key, task_id: &str, call: &PutWrites) {
        let places = self.writes.entry(key).or_default();
        for (position, write) in call.writes.iter().enumerate() {
            let special = ["__error__", "__scheduled__", "__interrupt__", "__resume__"]
                .iter()
                .position(|special| *special == write.channel);
            let stored = Write {
                path: call.task_path.clone(),
                channel: write.channel.clone(),
                value: write.value.clone(),
            };
            match special {
                Some(at) => {
                    places.insert((task_id.to_owned(), -1 - at as i64), stored);
                }
                None => {
                    places.entry((task_id.to_owned(), position as i64)).or_insert(stored);
                }
            }
        }
    }

    /// `deleteThread`.
    pub fn delete_thread(&mut self, thread: &str) {
        self.checkpoints.retain(|(of, _, _), _| of != thread);
        self.writes.retain(|(of, _, _), _| of != thread);
    }

    /// `getTuple`.
    pub fn get_tuple(&self, thread: &str, ns: &str, id: Option<&str>) -> Option<CheckpointTuple> {
        let of_thread = self.checkpoints.keys().filter(|key| key.0 == thread && key.1 == ns);
        let key = of_thread.filter(|key| id.is_none_or(|id| key.2 == id)).max()?;
        Some(self.tuple(key))
    }

    /// `list` of a thread, or of all, newest first. The order of checkpoints with the same id is
    /// not defined.
    pub fn list(&self, thread: Option<&str>, before: Option<&str>) -> Vec<CheckpointTuple> {
        let mut keys: Vec<&Key> = self
            .checkpoints
            .keys()
            .filter(|key| thread.is_none_or(|thread| key.0 == thread))
            .filter(|key| before.is_none_or(|before| key.2.as_str() < before))
            .collect();
        keys.sort_by_key(|key| Reverse(key.2.clone()));
        keys.into_iter().map(|key| self.tuple(key)).collect()
    }

    /// `getDeltaChannelHistory` of one channel.
    pub fn history(&self, thread: &str, ns: &str, channel: &str) -> ChannelHistory {
        let mut history =
            ChannelHistory { channel: channel.to_owned(), ..ChannelHistory::default() };
        let mut next = self.get_tuple(thread, ns, None);
        let mut seen = BTreeSet::new();
        let mut steps = Vec::new();
        while let Some(parent) = next.and_then(|tuple| tuple.parent_checkpoint_id) {
            if !seen.insert(parent.clone()) {
                break;
            }
            next = self.get_tuple(thread, ns, Some(&parent));
            let Some(tuple) = &next else { break };
            let writes = tuple.pending_writes.iter().filter(|write| write.channel == channel);
            steps.push(writes.cloned().collect::<Vec<_>>());
            let seed = tuple.channel_values.iter().find(|entry| entry.channel == channel);
            if let Some(seed) = seed {
                history.seed = Some(seed.value.clone());
                break;
            }
        }
        history.writes = steps.into_iter().rev().flatten().collect();
        history
    }

    fn tuple(&self, key: &Key) -> CheckpointTuple {
        let (put, parent) = &self.checkpoints[key];
        let mut writes: Vec<_> = self.writes.get(key).into_iter().flatten().collect();
        writes.sort_by_key(|((task, idx), write)| (write.path.clone(), task.clone(), *idx));
        CheckpointTuple {
            thread_id: key.0.clone(),
            checkpoint_ns: key.1.clone(),
            checkpoint_id: key.2.clone(),
            parent_checkpoint_id: parent.clone(),
            v: put.checkpoint.v,
            ts: put.checkpoint.ts.clone(),
            channel_versions: put.checkpoint.channel_versions.clone(),
            channel_values: put.checkpoint.channel_values.iter().map(whole_value).collect(),
            rest: put.checkpoint.rest.clone(),
            metadata: put.metadata.clone(),
            pending_writes: writes
                .into_iter()
                .map(|((task, _), write)| PendingWrite {
                    task_id: task.clone(),
                    channel: write.channel.clone(),
                    value: write.value.clone(),
                })
                .collect(),
            pending_sends: None,
        }
    }
}
