//! A database that this host opens for its own statements.

use std::path::Path;
use std::sync::Arc;

use langgraph_checkpoint_guest::{Access, Batch, RowSet};

use super::callers::Callers;
use super::execute::Session;
use super::files::Files;
use super::options::SqliteOptions;
use super::worker::Worker;
use super::{connection, reader, writer};
use crate::storage::{StorageAdapter, StorageError};

/// A SQLite database as a store.
///
/// If the file is deleted or replaced while it is open, every call fails. If another program
/// overwrites the file in place, as `cp` does with a backup, neither SQLite nor this crate notices:
/// acknowledged data may be lost, and reads may return damaged data. Close the store first, or
/// restore through SQLite, which takes the locks.
///
/// Dropping it finishes the queued writes, joins the workers and closes the connections. This
/// blocks for as long as those writes take.
#[derive(Debug)]
pub struct SqliteStorage {
    place: Place,
}

/// Where batches run.
#[derive(Debug)]
enum Place {
    // Fields are dropped in order. The writer closes last, because it can move the write-ahead log
    // into the database.
    Workers { readers: Option<Worker>, writer: Worker },
    Callers(Box<Callers>),
}

impl SqliteStorage {
    /// Opens the database in a file, and creates the file if it is missing. `:memory:` opens a
    /// database in memory, as in SQLite.
    ///
    /// This blocks: in async code, call it where blocking is allowed.
    pub fn open(path: impl AsRef<Path>, options: &SqliteOptions) -> Result<Self, StorageError> {
        let path = path.as_ref();
        if path.as_os_str() == ":memory:" {
            return Self::in_memory(options);
        }
        let (writer, files) = writer_of(path, options)?;
        let readers = (0..options.readers.max(1))
            .map(|_| {
                let reader = connection::open_reader(path, options, false)?;
                Ok(Session::new(reader, Some(Arc::clone(&files))))
            })
            .collect::<Result<Vec<_>, StorageError>>()?;
        Self::start(writer, readers, options)
    }

    /// Opens an empty database in memory, which ends with this value.
    pub fn in_memory(options: &SqliteOptions) -> Result<Self, StorageError> {
        Self::start(writer_in_memory(options)?, Vec::new(), options)
    }

    /// Starts the workers. Without readers, the writer reads too.
    pub(super) fn start(
        writer: Session,
        readers: Vec<Session>,
        options: &SqliteOptions,
    ) -> Result<Self, StorageError> {
        let busy_deadline = options.busy_deadline;
        if options.on_callers_thread {
            return Ok(Self {
                place: Place::Callers(Box::new(Callers::new(writer, readers, busy_deadline))),
            });
        }
        let readers = match readers.as_slice() {
            [] => None,
            _ => Some(reader::start(readers, busy_deadline)?),
        };
        let writer = writer::start(writer, busy_deadline)?;
        Ok(Self { place: Place::Workers { readers, writer } })
    }
}

impl StorageAdapter for SqliteStorage {
    async fn run(&self, batch: Batch) -> Result<Vec<RowSet>, StorageError> {
        match &self.place {
            Place::Callers(callers) => callers.run(batch).await,
            Place::Workers { readers: Some(readers), .. } if batch.access == Access::Read => {
                readers.run(batch).await
            }
            Place::Workers { writer, .. } => writer.run(batch).await,
        }
    }
}

/// The session that writes to a file, and the files that it has open.
pub(super) fn writer_of(
    path: &Path,
    options: &SqliteOptions,
) -> Result<(Session, Arc<Files>), StorageError> {
    let writer = connection::open_writer(path, options)?;
    let files = Arc::new(Files::of(path));
    let mut writer = Session::new(writer, Some(Arc::clone(&files)));
    if !options.read_only {
        writer.keep_to(options.quota)?;
    }
    Ok((writer, files))
}

/// The session that writes to an empty database in memory.
pub(super) fn writer_in_memory(options: &SqliteOptions) -> Result<Session, StorageError> {
    let mut writer = Session::new(connection::open_in_memory()?, None);
    writer.keep_to(options.quota)?;
    Ok(writer)
}
