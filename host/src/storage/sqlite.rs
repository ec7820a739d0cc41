//! SQLite, through rusqlite.
//!
//! One worker writes and commits in groups: waiting batches share one transaction, and each is
//! answered after its commit. A few workers read at the same time, each in its own read
//! transaction, which the write-ahead log allows. An in-memory database has one connection, so the
//! writer also reads.

mod agent;
mod confine;
mod connection;
mod execute;
mod failure;
mod files;
mod quota;
mod reader;
mod worker;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use langgraph_checkpoint_guest::{Access, Batch, RowSet};

pub use self::agent::{AgentLimits, AgentStorage};
use self::execute::Session;
use self::files::Files;
pub use self::quota::Quota;
use self::worker::Worker;
use super::{StorageAdapter, StorageError};

/// When a commit waits for the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// At every commit: acknowledged calls survive a loss of power.
    #[default]
    Full,
    /// At checkpoints of the log: acknowledged calls survive the end of the process. A loss of
    /// power may undo the last commits, but never damages the file.
    Normal,
}

/// How a database is opened and used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteOptions {
    /// When a commit waits for the disk.
    pub synchronous: Synchronous,
    /// How long a batch waits for a lock that another connection holds.
    pub busy_deadline: Duration,
    /// How many connections read besides the writer; at least one. Not used for a database in
    /// memory.
    pub readers: usize,
    /// Opens the file read-only; it must exist.
    pub read_only: bool,
    /// How large the database may become. No limits by default.
    pub quota: Quota,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::default(),
            busy_deadline: Duration::from_secs(5),
            readers: 2,
            read_only: false,
            quota: Quota::default(),
        }
    }
}

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
    // Fields are dropped in order. The writer closes last, because it can move the write-ahead log
    // into the database.
    readers: Option<Worker>,
    writer: Worker,
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
        Self::start(writer, readers, options.busy_deadline)
    }

    /// Opens an empty database in memory, which ends with this value.
    pub fn in_memory(options: &SqliteOptions) -> Result<Self, StorageError> {
        Self::start(writer_in_memory(options)?, Vec::new(), options.busy_deadline)
    }

    /// Starts the workers. Without readers, the writer reads too.
    fn start(
        writer: Session,
        readers: Vec<Session>,
        busy_deadline: Duration,
    ) -> Result<Self, StorageError> {
        let readers = match readers.as_slice() {
            [] => None,
            _ => Some(reader::start(readers, busy_deadline)?),
        };
        Ok(Self { readers, writer: writer::start(writer, busy_deadline)? })
    }
}

impl StorageAdapter for SqliteStorage {
    async fn run(&self, batch: Batch) -> Result<Vec<RowSet>, StorageError> {
        match (&self.readers, batch.access) {
            (Some(readers), Access::Read) => readers.run(batch).await,
            _ => self.writer.run(batch).await,
        }
    }
}

/// The session that writes to a file, and the files that it has open.
fn writer_of(path: &Path, options: &SqliteOptions) -> Result<(Session, Arc<Files>), StorageError> {
    let writer = connection::open_writer(path, options)?;
    let files = Arc::new(Files::of(path));
    let mut writer = Session::new(writer, Some(Arc::clone(&files)));
    if !options.read_only {
        writer.keep_to(options.quota)?;
    }
    Ok((writer, files))
}

fn writer_in_memory(options: &SqliteOptions) -> Result<Session, StorageError> {
    let mut writer = Session::new(connection::open_in_memory()?, None);
    writer.keep_to(options.quota)?;
    Ok(writer)
}
