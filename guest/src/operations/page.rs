//! Checks the rows of a page against each other. A checksum proves each row by itself; a damaged
//! index returns intact rows of other checkpoints, or one row several times.

use std::collections::BTreeSet;

use super::tuples::{CheckpointKey, StoredCheckpoint, StoredWrite, checkpoint_in_words};
use crate::contract::error::Error;
use crate::operations::ask::Page;

/// Refuses rows that a store with an intact index would not return for this page.
#[inline(never)]
pub(super) fn check(
    page: &Page,
    checkpoints: &[StoredCheckpoint],
    writes: &[StoredWrite],
) -> Result<(), Error> {
    let mut keys = BTreeSet::new();
    let mut last = page.after.as_ref().map(|after| after.checkpoint_id.as_str());
    for checkpoint in checkpoints {
        let id = checkpoint.checkpoint_id.as_str();
        let asked = is_or_open(&page.thread_id, &checkpoint.thread_id)
            && is_or_open(&page.checkpoint_ns, &checkpoint.checkpoint_ns)
            && is_or_open(&page.checkpoint_id, id)
            && page.before.as_deref().is_none_or(|before| id < before)
            && last.is_none_or(|last| id <= last);
        if !asked || !keys.insert(checkpoint.key()) {
            let StoredCheckpoint { thread_id, checkpoint_ns, .. } = checkpoint;
            return Err(misplaced(&checkpoint_in_words(thread_id, checkpoint_ns, id)));
        }
        last = Some(id);
    }
    check_writes(&keys, writes)
}

/// Refuses writes that belong to none of these checkpoints, or that appear twice.
#[inline(never)]
pub(super) fn check_writes(
    checkpoints: &BTreeSet<CheckpointKey<'_>>,
    writes: &[StoredWrite],
) -> Result<(), Error> {
    let mut places = BTreeSet::new();
    let strange = writes.iter().find(|write| {
        let (key, (_, task_id, idx)) = (write.key(), write.order());
        !checkpoints.contains(&key) || !places.insert((key, task_id, idx))
    });
    strange.map_or(Ok(()), |write| Err(misplaced_write(write)))
}

/// The error for a write of a checkpoint that was not asked for, or for one that appears twice.
pub(super) fn misplaced_write(write: &StoredWrite) -> Error {
    let StoredWrite { checkpoint_ns, checkpoint_id: id, task_id, .. } = write;
    misplaced(&format!("a write of task {task_id} of checkpoint {id} in \"{checkpoint_ns}\""))
}

fn is_or_open(asked: &Option<String>, found: &str) -> bool {
    asked.as_deref().is_none_or(|asked| asked == found)
}

/// The error for a row that was found under another key than its own.
pub(super) fn misplaced(what: &str) -> Error {
    Error::corrupt(
        "misplaced-row",
        format!(
            "{what} was found under another key than its own: an index is damaged; restore the \
             store"
        ),
    )
}
