//! What earlier outcomes said to be stored, handed to the next `put` of the same namespace. It
//! saves rounds and changes no outcome, so a lost entry is harmless.

use std::cell::RefCell;
use std::collections::BTreeMap;

use langgraph_checkpoint_guest::{Config, Id};

/// How many namespaces of threads are remembered.
const ENTRIES_MAX: usize = 256;

/// A thread and a namespace.
type Key = (String, String);

#[derive(Default)]
struct Entries {
    by_key: BTreeMap<Key, Entry>,
    /// Counts uses; the entry with the smallest number has been unused for longest.
    uses: u64,
}

struct Entry {
    known: Vec<u8>,
    used: u64,
}

thread_local! {
    static ENTRIES: RefCell<Entries> = RefCell::default();
}

/// The newest that is known of the config's thread and namespace.
pub(crate) fn of(config: &Config) -> Option<Vec<u8>> {
    let key = key(config)?;
    ENTRIES.with_borrow_mut(|entries| {
        entries.uses += 1;
        let entry = entries.by_key.get_mut(&key)?;
        entry.used = entries.uses;
        Some(entry.known.clone())
    })
}

/// Remembers what an outcome said.
pub(crate) fn remember(thread_id: &str, checkpoint_ns: &str, known: Vec<u8>) {
    ENTRIES.with_borrow_mut(|entries| {
        entries.uses += 1;
        let entry = Entry { known, used: entries.uses };
        entries.by_key.insert((thread_id.to_owned(), checkpoint_ns.to_owned()), entry);
        if entries.by_key.len() > ENTRIES_MAX {
            let oldest = entries.by_key.iter().min_by_key(|(_, entry)| entry.used);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                entries.by_key.remove(&oldest);
            }
        }
    });
}

/// Forgets a thread that is deleted.
pub(crate) fn forget_thread(config: &Config) {
    if let Some((thread_id, _)) = key(config) {
        ENTRIES.with_borrow_mut(|entries| {
            entries.by_key.retain(|(thread, _), _| *thread != thread_id);
        });
    }
}

/// Forgets all there is: the store is another one.
#[allow(dead_code, reason = "only one of the two components can change its store")]
pub(crate) fn forget_all() {
    ENTRIES.take();
}

/// The key of a config; none where only the planner can say which thread is meant.
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
