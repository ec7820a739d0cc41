//! Opening connections, and the pragmas they need.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::failure::{retry_while_busy, storage_error};
use super::options::{SqliteOptions, Synchronous};
use crate::storage::{StorageError, StorageErrorKind};

/// How many statements stay prepared on a connection; the planner has fewer.
const PREPARED_MAX: usize = 64;

/// The size to which a longer log is truncated after it was moved into the database. It grows to
/// about 4 MB, and further during a long read.
const LOG_BYTES_KEPT: i64 = 16 << 20;

/// Opens the connection that writes. It creates the file and switches it to a write-ahead log.
pub(super) fn open_writer(
    path: &Path,
    options: &SqliteOptions,
) -> Result<Connection, StorageError> {
    let connection = open(path, options.read_only)?;
    let read_only = connection.is_readonly("main").map_err(storage_error)?;
    if read_only {
        // Reading the header finds out whether the file is a database.
        journal_mode(&connection, options.busy_deadline, None).map_err(|error| at(path, error))?;
        keep_log(&connection, options.busy_deadline).map_err(|error| at(path, error))?;
        return Ok(connection);
    }
    can_give_pages_back(&connection, options.busy_deadline).map_err(|error| at(path, error))?;
    let mode = journal_mode(&connection, options.busy_deadline, Some("wal"))
        .map_err(|error| at(path, error))?;
    if mode != "wal" {
        tracing::warn!(
            journal_mode = mode,
            "the file system does not support a write-ahead log: readers will wait for writers"
        );
    }
    let synchronous = match options.synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Normal => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous).map_err(storage_error)?;
    connection
        .pragma_update_and_check(None, "journal_size_limit", LOG_BYTES_KEPT, |_| Ok(()))
        .map_err(storage_error)?;
    keep_log(&connection, options.busy_deadline).map_err(|error| at(path, error))?;
    Ok(connection)
}

/// Lets a new file give free pages back. One that has pages, or another setting, stays as it is.
fn can_give_pages_back(
    connection: &Connection,
    busy_deadline: Duration,
) -> Result<(), StorageError> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    retry_while_busy(Instant::now() + busy_deadline, || {
        let made = || {
            if number("page_count")? == 0 && number("auto_vacuum")? == 0 {
                connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
            }
            Ok(())
        };
        made().map_err(storage_error)
    })
}

/// Reads once. This creates the log if there is none, and takes the lock that keeps others from
/// deleting it.
fn keep_log(connection: &Connection, busy_deadline: Duration) -> Result<(), StorageError> {
    retry_while_busy(Instant::now() + busy_deadline, || {
        let read = connection.pragma_query_value(None, "schema_version", |_| Ok(()));
        read.map_err(storage_error)
    })
}

/// Opens a connection that can only read. For an agent, the file itself is opened read-only.
pub(super) fn open_reader(
    path: &Path,
    options: &SqliteOptions,
    for_agent: bool,
) -> Result<Connection, StorageError> {
    let connection = open(path, options.read_only || for_agent)?;
    connection.pragma_update(None, "query_only", true).map_err(storage_error)?;
    Ok(connection)
}

/// Opens the connection of a database in memory.
pub(super) fn open_in_memory() -> Result<Connection, StorageError> {
    let connection = Connection::open_in_memory().map_err(storage_error)?;
    prepare(&connection)?;
    can_give_pages_back(&connection, Duration::ZERO)?;
    Ok(connection)
}

fn open(path: &Path, read_only: bool) -> Result<Connection, StorageError> {
    if path.as_os_str().is_empty() {
        return Err(StorageError::new(
            StorageErrorKind::Unreachable,
            "the path of the SQLite database is empty; name a file, or \":memory:\"",
        ));
    }
    // Each connection stays on its thread, so SQLite's own mutexes are not needed.
    let access = if read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    };
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| at(path, storage_error(error)))?;
    prepare(&connection)?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> Result<(), StorageError> {
    connection.set_prepared_statement_cache_capacity(PREPARED_MAX);
    // A statement would otherwise be prepared again for each call, because its plan might depend on
    // the parameters: that takes longer than running it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(storage_error)?;
    // `retry_while_busy` waits for locks, because it knows the deadline.
    connection.busy_timeout(Duration::ZERO).map_err(storage_error)
}

/// Reads the journal mode, or sets it. Setting it needs exclusive access to the file, so processes
/// that open a new file at once must take turns.
fn journal_mode(
    connection: &Connection,
    busy_deadline: Duration,
    set: Option<&str>,
) -> Result<String, StorageError> {
    retry_while_busy(Instant::now() + busy_deadline, || {
        let mode: String = connection
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .map_err(storage_error)?;
        match set {
            Some(wanted) if wanted != mode => connection
                .pragma_update_and_check(None, "journal_mode", wanted, |row| row.get(0))
                .map_err(storage_error),
            _ => Ok(mode),
        }
    })
}

/// The same failure, with the file's name.
fn at(path: &Path, error: StorageError) -> StorageError {
    error.with_place(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::open_in_memory;

    #[test]
    fn a_statement_is_prepared_once_whatever_is_bound_to_it() {
        let connection = open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (a, b)").unwrap();
        for number in 0..3 {
            let mut statement = connection.prepare_cached("SELECT a FROM t WHERE b = ?1").unwrap();
            assert!(!statement.exists([number]).unwrap());
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
        }
    }
}
