//! How large a database may become.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use rusqlite::hooks::Action;

use crate::storage::{StorageError, StorageErrorKind};

/// How large a database may become. A batch that would exceed it fails with `storage-quota` and
/// stores nothing. Stored data stays, and can be read and deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// How many threads it may have.
    pub threads_max: Option<u64>,
    /// How many bytes its file may have, in whole pages. The log beside it does not count. SQLite
    /// moves the log into the file when it grows past some megabytes, unless a reader still needs
    /// the older data. A log of this many bytes, or of 8 MB if that is more, takes no more writes
    /// until the readers have ended, so file and log together take at most three times this. The
    /// temporary files in which SQLite sorts do not count either.
    pub bytes_max: Option<u64>,
}

/// SQLite moves the log into the file when it has half of this size.
const LOG_BYTES_MIN: u64 = 8 << 20;

/// Enforces a quota on the connection that writes.
#[derive(Debug)]
pub(super) struct Keeper {
    quota: Quota,
    /// Whether a thread was added since the last count.
    added: Arc<AtomicBool>,
}

impl Keeper {
    pub(super) fn of(connection: &mut Connection, quota: Quota) -> rusqlite::Result<Self> {
        let added = Arc::<AtomicBool>::default();
        if let Some(bytes_max) = quota.bytes_max {
            let page: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
            // SQLite takes 0 as a query.
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

    /// Whether a batch has added a thread since this was last called.
    pub(super) fn has_added(&self) -> bool {
        self.added.swap(false, Ordering::Relaxed)
    }

    /// The size at which the log takes no more writes; `None` if the file may have any size.
    pub(super) fn log_bytes_max(&self) -> Option<u64> {
        self.quota.bytes_max.map(|bytes_max| bytes_max.max(LOG_BYTES_MIN))
    }

    /// Fails if there are more threads than the quota allows.
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

    /// Translates a failure of a statement: SQLite reports a file at its maximum size like a full
    /// disk.
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
