//! SQLite, through rusqlite.
//!
//! One worker writes and commits in groups: the batches that wait share one transaction, and
//! each is answered after its commit. A few workers read beside it, each in a read transaction
//! of its own, which the write-ahead log allows. An in-memory database has one connection, so
//! its reads go through the writer.

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
    /// At every commit: what was acknowledged survives a loss of power.
    #[default]
    Full,
    /// At checkpoints of the log: what was acknowledged survives the death of the process; a
    /// loss of power may undo the last commits, and never damages the file.
    Normal,
}

/// How a database is opened and used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteOptions {
    /// When a commit waits for the disk.
    pub synchronous: Synchronous,
    /// How long a batch waits for a lock that another connection holds.
    pub busy_deadline: Duration,
    /// How many connections read beside the writer; at least one. Unused in memory.
    pub readers: usize,
    /// Opens the file for reading only; it has to exist.
    pub read_only: bool,
    /// How much the database may come to. Without limits by default.
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
/// A file that is deleted or replaced while it is open fails every call. One whose bytes another
/// program writes over in place, as `cp` does with a backup, is not noticed by SQLite or here:
/// what was acknowledged may be lost, and what is read may be damaged. Close the store before, or
/// restore through SQLite, which takes the locks.
///
/// Dropping it finishes the writes that are queued, joins the workers and closes the
/// connections, which blocks for as long as those writes take.
#[derive(Debug)]
pub struct SqliteStorage {
    // Fields are dropped in order: the writer closes last, so it is the one that moves the
    // write-ahead log into the database.
    readers: Option<Worker>,
    writer: Worker,
}

impl SqliteStorage {
    /// Opens the database in a file, which is made where it is missing. `:memory:` opens one in
    /// memory, as everywhere with SQLite.
    ///
    /// This blocks; in async code, call it where blocking is allowed.
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

    /// Starts the workers; without readers, the writer reads as well.
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

/// The session that writes to a file, and what it has open.
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
