//! How a database is opened.

use std::time::Duration;

use super::quota::Quota;

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
    /// Runs calls on the threads of their callers, and blocks these while SQLite works. This saves
    /// handing each batch to a thread and back. Not for threads that run other tasks too.
    pub on_callers_thread: bool,
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
            on_callers_thread: false,
            quota: Quota::default(),
        }
    }
}
