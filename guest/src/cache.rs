//! Remembers something of each namespace that was used lately, such as the `known` of its last
//! outcome. That saves work and changes no outcome, so a lost entry is harmless.

use std::collections::BTreeMap;

use crate::contract::call::{Config, Id};

/// A thread and a namespace.
type Key = (String, String);

/// What is remembered of namespaces. Above the largest total size those that have been unused for
/// longest are forgotten.
#[derive(Debug)]
pub struct Cache<T> {
    by_key: BTreeMap<Key, Entry<T>>,
    /// The key by the number of its last use.
    by_use: BTreeMap<u64, Key>,
    uses: u64,
    size: usize,
    size_max: usize,
}

#[derive(Debug)]
struct Entry<T> {
    value: T,
    size: usize,
    used: u64,
}

/// For the `known` of each namespace's last outcome, each with the size 1.
impl Default for Cache<Vec<u8>> {
    fn default() -> Self {
        const NAMESPACES_MAX: usize = 256;
        Self::new(NAMESPACES_MAX)
    }
}

impl<T> Cache<T> {
    /// An empty cache. The caller decides what a size is: bytes, or 1 for each entry.
    pub fn new(size_max: usize) -> Self {
        Self { by_key: BTreeMap::new(), by_use: BTreeMap::new(), uses: 0, size: 0, size_max }
    }

    /// What is remembered of the config's thread and namespace; `None` if nothing is.
    pub fn of(&mut self, config: &Config) -> Option<&T> {
        let key = key(config)?;
        self.uses += 1;
        let entry = self.by_key.get_mut(&key)?;
        self.by_use.remove(&entry.used);
        entry.used = self.uses;
        self.by_use.insert(self.uses, key);
        Some(&entry.value)
    }

    /// Remembers a value instead of the one before. A value that is too large is forgotten at once.
    pub fn remember(&mut self, thread_id: &str, checkpoint_ns: &str, value: T, size: usize) {
        let key = (thread_id.to_owned(), checkpoint_ns.to_owned());
        self.forget(&key);
        if size > self.size_max {
            return;
        }
        self.uses += 1;
        self.size += size;
        self.by_use.insert(self.uses, key.clone());
        self.by_key.insert(key, Entry { value, size, used: self.uses });
        while self.size > self.size_max {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            self.forget(&oldest);
        }
    }

    /// Remembers what `change` makes of what is remembered, with its size.
    pub fn change(&mut self, config: &Config, change: impl FnOnce(Option<&T>) -> (T, usize)) {
        if let Some(key) = key(config) {
            let (value, size) = change(self.by_key.get(&key).map(|entry| &entry.value));
            self.remember(&key.0, &key.1, value, size);
        }
    }

    /// Forgets a deleted thread, in all namespaces.
    pub fn forget_thread(&mut self, config: &Config) {
        let Some((thread_id, _)) = key(config) else { return };
        let own = (thread_id.clone(), String::new())..;
        let own = self.by_key.range(own).take_while(|((thread, _), _)| *thread == thread_id);
        let own: Vec<Key> = own.map(|(key, _)| key.clone()).collect();
        for key in own {
            self.forget(&key);
        }
    }

    fn forget(&mut self, key: &Key) {
        if let Some(entry) = self.by_key.remove(key) {
            self.by_use.remove(&entry.used);
            self.size -= entry.size;
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
        let mut known = Cache::new(10);
        known.remember("t", "", 1, 1);
        known.remember("t", "sub", 2, 1);
        known.remember("t", "", 3, 1);
        assert_eq!(known.of(&config("t", Id::Absent)), Some(&3));
        assert_eq!(known.of(&config("t", "sub".into())), Some(&2));
        assert_eq!(known.of(&config("u", Id::Absent)), None);
    }

    #[test]
    fn a_change_replaces_what_it_was_made_of() {
        let mut known = Cache::new(10);
        let config = config("t", "sub".into());
        for expected in 1..=3 {
            known.change(&config, |before| (before.map_or(1, |before| before + 1), 4));
            assert_eq!(known.of(&config), Some(&expected));
        }
        assert_eq!(known.size, 4);
    }

    #[test]
    fn a_deleted_thread_is_forgotten_in_all_namespaces() {
        let mut known = Cache::new(10);
        known.remember("t", "", 1, 1);
        known.remember("t", "sub", 2, 1);
        known.remember("u", "", 3, 1);
        known.forget_thread(&config("t", Id::Absent));
        assert_eq!(known.of(&config("t", Id::Absent)), None);
        assert_eq!(known.of(&config("t", "sub".into())), None);
        assert_eq!(known.of(&config("u", Id::Absent)), Some(&3));
        assert_eq!(known.size, 1);
    }

    #[test]
    fn the_entries_unused_for_longest_make_room() {
        let mut known = Cache::new(100);
        for thread in 0..10 {
            known.remember(&thread.to_string(), "", thread, 10);
        }
        assert!(known.of(&config("0", Id::Absent)).is_some());
        known.remember("large", "", 10, 15);
        assert!(known.of(&config("0", Id::Absent)).is_some());
        assert!(known.of(&config("1", Id::Absent)).is_none());
        assert!(known.of(&config("2", Id::Absent)).is_none());
        assert!(known.of(&config("3", Id::Absent)).is_some());
        assert_eq!((known.by_key.len(), known.by_use.len(), known.size), (9, 9, 95));
    }

    #[test]
    fn a_value_that_is_too_large_is_forgotten() {
        let mut known = Cache::new(10);
        known.remember("t", "", 1, 1);
        known.remember("t", "", 2, 11);
        assert_eq!(known.of(&config("t", Id::Absent)), None);
        assert_eq!((known.by_use.len(), known.size), (0, 0));
    }
}
