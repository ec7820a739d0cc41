//! The chunks that waiting rows rely on.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::stores::kusto::row::LogRow;

/// About how many bytes a row takes beside its data.
pub(super) const ROW_BYTES: usize = 512;

/// The chunks that puts in write-behind rely on, both waiting and stored ones. They are kept
/// because an acknowledged put cannot ask its caller for them again.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The chunks by thread and hash.
    pub(super) chunks: BTreeMap<String, BTreeMap<String, Rc<LogRow>>>,
    pub(super) bytes: usize,
    /// For waiting puts that rely on stored chunks: the newest tombstone that they know, by thread
    /// and revision.
    pub(super) relied: BTreeMap<(String, i64), i64>,
}

impl Kept {
    pub(super) fn keep(&mut self, chunks: Vec<LogRow>) {
        for chunk in chunks {
            let of_thread = self.chunks.entry(chunk.thread_id.clone()).or_default();
            let bytes = chunk.data.len() + ROW_BYTES;
            if of_thread.insert(chunk.hash.clone(), Rc::new(chunk)).is_none() {
                self.bytes += bytes;
            }
        }
    }

    /// All chunks that these references lead to; `None` if one of them is not kept.
    pub(super) fn reached<'a>(
        &self,
        thread_id: &str,
        refs: impl Iterator<Item = &'a String>,
    ) -> Option<Vec<Rc<LogRow>>> {
        let empty = BTreeMap::new();
        let kept = self.chunks.get(thread_id).unwrap_or(&empty);
        let mut wanted: Vec<&String> = refs.collect();
        let mut reached = BTreeMap::new();
        while let Some(hash) = wanted.pop() {
            if !reached.contains_key(hash) {
                let chunk = kept.get(hash)?;
                wanted.extend(&chunk.refs);
                reached.insert(hash, Rc::clone(chunk));
            }
        }
        Some(reached.into_values().collect())
    }

    pub(super) fn retain(&mut self, threads: &BTreeSet<&String>) {
        self.chunks.retain(|thread_id, _| threads.contains(thread_id));
        let kept = self.chunks.values().flat_map(BTreeMap::values);
        self.bytes = kept.map(|chunk| chunk.data.len() + ROW_BYTES).sum();
    }
}
