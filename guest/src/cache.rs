//! Remembers the `known` of earlier outcomes for the next `put` of the same namespace. That saves
//! statements and changes no outcome, so a lost entry is harmless.

use std::collections::BTreeMap;

use crate::contract::call::{Config, Id};

/// At most this many namespaces of threads are remembered.
const ENTRIES_MAX: usize = 256;

/// A thread and a namespace.
type Key = (String, String);

/// The last `known` of each namespace, for the namespaces used last.
#[derive(Debug, Default)]
pub struct Cache {
    by_key: BTreeMap<Key, Entry>,
    /// Counts uses; the entry with the smallest number has been unused for longest.
    uses: u64,
}

#[derive(Debug)]
struct Entry {
    known: Vec<u8>,
    used: u64,
}

impl Cache {
    /// The last `known` of the config's thread and namespace; `None` if there is none.
    pub fn of(&mut self, config: &Config) -> Option<Vec<u8>> {
        let key = key(config)?;
        self.uses = self.uses.saturating_add(1);
        let entry = self.by_key.get_mut(&key)?;
        entry.used = self.uses;
        Some(entry.known.clone())
    }

    /// Remembers the `known` of an outcome.
    pub fn remember(&mut self, thread_id: &str, checkpoint_ns: &str, known: Vec<u8>) {
        self.uses = self.uses.saturating_add(1);
        let key = (thread_id.to_owned(), checkpoint_ns.to_owned());
        self.by_key.insert(key, Entry { known, used: self.uses });
        if self.by_key.len() > ENTRIES_MAX {
            let oldest = self.by_key.iter().min_by_key(|(_, entry)| entry.used);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.by_key.remove(&oldest);
            }
        }
    }

    /// Forgets a deleted thread, in all namespaces.
    pub fn forget_thread(&mut self, config: &Config) {
        if let Some((thread_id, _)) = key(config) {
            self.by_key.retain(|(thread, _), _| *thread != thread_id);
        }
    }
}

/// The key of a config; `None` if its ids are not text, because only the planner decides what such
/// ids mean.
fn key(config: &Config) -> Option<Key> {
    let Id::Text(thread_id) = &config.thread_id else {
        return None;
    };
    let checkpoint_ns = match &config.checkpoint_ns {
        Id::Text(checkpoint_ns) => checkpoint_ns.clone(),
        Id::Absent => String::new(),
        Id::Number(_) | Id::Unsupported(_) => return None,
    };
    Some((thread_id.clone(), checkpoint_ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(thread_id: &str, checkpoint_ns: Id) -> Config {
        Config { thread_id: thread_id.into(), checkpoint_ns, ..Config::default() }
    }

    #[test]
    fn the_newest_is_remembered_by_thread_and_namespace() {
        let mut known = Cache::default();
        known.remember("t", "", vec![1]);
        known.remember("t", "sub", vec![2]);
        known.remember("t", "", vec![3]);
        assert_eq!(known.of(&config("t", Id::Absent)), Some(vec![3]));
        assert_eq!(known.of(&config("t", "sub".into())), Some(vec![2]));
        assert_eq!(known.of(&config("u", Id::Absent)), None);
    }

    #[test]
    fn a_deleted_thread_is_forgotten_in_all_namespaces() {
        let mut known = Cache::default();
        known.remember("t", "", vec![1]);
        known.remember("t", "sub", vec![2]);
        known.remember("u", "", vec![3]);
        known.forget_thread(&config("t", Id::Absent));
        assert_eq!(known.of(&config("t", Id::Absent)), None);
        assert_eq!(known.of(&config("t", "sub".into())), None);
        assert_eq!(known.of(&config("u", Id::Absent)), Some(vec![3]));
    }

    #[test]
    fn the_entry_unused_for_longest_makes_room() {
        let mut known = Cache::default();
        for thread in 0..ENTRIES_MAX {
            known.remember(&thread.to_string(), "", vec![0]);
        }
        assert!(known.of(&config("0", Id::Absent)).is_some());
        known.remember("one more", "", vec![0]);
        assert!(known.of(&config("0", Id::Absent)).is_some());
        assert!(known.of(&config("1", Id::Absent)).is_none());
        assert_eq!(known.by_key.len(), ENTRIES_MAX);
    }
}
