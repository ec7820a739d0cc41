//! How much a database may come to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use rusqlite::hooks::Action;

use crate::storage::{StorageError, StorageErrorKind};

/// How much a database may come to. What goes past it fails with `storage-quota` and is not
/// stored; what is there stays, and can be read and deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// How many threads it may have.
    pub threads_max: Option<u64>,
    /// How many bytes its file may have, in whole pages. The log beside it is not counted. It is
    /// moved into the file as it grows past some megabytes, unless somebody reads what was there
    /// before: a log of as many bytes, or of 8 MB where that is more, takes no more writes until
    /// they have ended, so that both come to three times this at the most. Nor are the temporary
    /// files counted in which SQLite sorts what does not fit into its memory.
    pub bytes_max: Option<u64>,
}

/// The log grows to half of this before SQLite moves it into the file.
const LOG_BYTES_MIN: u64 = 8 << 20;

/// Holds the connection that writes to a quota.
#[derive(Debug)]
pub(super) struct Keeper {
    quota: Quota,
    /// Whether a thread was added that is not counted yet.
    added: Arc<AtomicBool>,
}

impl Keeper {
    pub(super) fn of(connection: &mut Connection, quota: Quota) -> rusqlite::Result<Self> {
        let added = Arc::<AtomicBool>::default();
        if let Some(bytes_max) = quota.bytes_max {
            let page: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
            // SQLite takes 0 for a question.
            let pages = bytes_max / u64::from(page.max(1));
            let pages = u32::try_from(pages).unwrap_or(u32::MAX - 1).max(1);
            let set = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
            connection.pragma_update_and_check(None, "max_page_count", pages, set)?;
        }
        if quota.threads_max.is_some() {
            let added = Arc::clone(&added);
            connection.update_hook(Some(move |action, _: &str, table: &str, _| {
                if action == Action::SQLITE_INSERT && table == "lg_threads" {
                    added.store(true, Ordering::Relaxed);
                }
            }))?;
        }
        Ok(Self { quota, added })
    }

    /// Whether a batch has added a thread since this was asked last.
    pub(super) fn has_added(&self) -> bool {
        self.added.swap(false, Ordering::Relaxed)
    }

    /// The log that takes no more writes; none where the file may be of any size.
    pub(super) fn log_bytes_max(&self) -> Option<u64> {
        self.quota.bytes_max.map(|bytes_max| bytes_max.max(LOG_BYTES_MIN))
    }

    /// Refuses a thread too many.
    pub(super) fn check(&self, threads: i64) -> Result<(), StorageError> {
        match self.quota.threads_max {
            Some(max) if u64::try_from(threads).is_ok_and(|threads| threads > max) => {
                Err(StorageError::new(
                    StorageErrorKind::Quota,
                    format!(
                        "the store has Quota::threads_max threads, which is {max}; delete some"
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    /// What a failure of a statement is: SQLite takes the largest size of the file for that of
    /// the disk.
    pub(super) fn named(&self, error: StorageError) -> StorageError {
        match self.quota.bytes_max {
            Some(max) if error.kind() == StorageErrorKind::Full => StorageError::new(
                StorageErrorKind::Quota,
                format!("the file would grow past Quota::bytes_max, {max}; delete threads"),
            )
            .with_source(error),
            _ => error,
        }
    }
}
