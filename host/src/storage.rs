//! What executes batches, and its failures.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod agent_limits;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use std::error::Error as Source;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use langgraph_checkpoint_guest::{
    Batch, Error as GuestError, PostgresOptions, RowSet, Store, StoreOptions,
};

/// Executes batches on one store.
///
/// An adapter knows nothing of checkpoints: the planner decides what a batch contains and whether
/// it may be repeated. An adapter must keep two rules:
///
/// - The statements of a batch run in order in one transaction, each once for each of its rows
///   of parameters. A batch that fails leaves nothing behind.
/// - A write batch is answered after its transaction is committed, never before.
pub trait StorageAdapter: Send + Sync {
    /// The SQL that the store takes.
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    /// Runs a batch and returns one row set for each statement, in order.
    ///
    /// The adapter retries temporary failures, within a deadline of its own. A batch whose future
    /// is dropped may still run.
    fn run(&self, batch: Batch) -> impl Future<Output = Result<Vec<RowSet>, StorageError>> + Send;

    /// The same for a batch of a call about one thread. An adapter that runs batches beside each
    /// other may keep those of a thread in order, and join several into one transaction.
    fn run_of_thread(
        &self,
        thread_id: &str,
        batch: Batch,
    ) -> impl Future<Output = Result<Vec<RowSet>, StorageError>> + Send {
        let _ = thread_id;
        self.run(batch)
    }
}

/// A store that may be given any batch: it runs nothing but what agents may do, within limits.
pub trait ConfinedStorage: StorageAdapter {}

/// The SQL that a store takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// That of SQLite 3.38 or newer.
    #[default]
    Sqlite,
    /// That of PostgreSQL 13 or newer. A batch with several statements must run at the isolation
    /// level READ COMMITTED if it writes, and at REPEATABLE READ if it reads.
    Postgres {
        /// The schema that has the tables.
        schema: String,
    },
}

impl Dialect {
    /// The store, for operations that run natively. Refuses a schema that PostgreSQL cannot have.
    pub fn store(&self) -> Result<Store, GuestError> {
        Store::open(match self {
            Self::Sqlite => StoreOptions::Sqlite,
            Self::Postgres { schema } => {
                StoreOptions::Postgres(PostgresOptions { schema: schema.clone() })
            }
        })
    }
}

/// Why a store did not run a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorageErrorKind {
    /// Another connection held the lock past the deadline.
    Busy,
    /// The storage adapter has been closed, or its worker is gone.
    Closed,
    /// The database itself is damaged, not only a row.
    Damaged,
    /// The device failed, or the store refused the statement.
    Failed,
    /// The role lacks a right.
    Forbidden,
    /// No space is left.
    Full,
    /// The file exists and is not a database.
    NotADatabase,
    /// The database, the schema or a table does not exist.
    NotProvisioned,
    /// The store's quota is reached.
    Quota,
    /// The store is read-only.
    ReadOnly,
    /// An agent's batch does what agents may not do, or exceeds a limit.
    Refused,
    /// An agent's batch ran for too long.
    Timeout,
    /// The file, its log or the log's index was deleted or replaced while it was open.
    Replaced,
    /// A value or a statement exceeds a limit of the store.
    TooLarge,
    /// The login was refused.
    Unauthorized,
    /// The store could not be opened.
    Unreachable,
}

impl StorageErrorKind {
    /// The stable name, for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Busy => "storage-busy",
            Self::Closed => "storage-closed",
            Self::Damaged => "storage-damaged",
            Self::Failed => "storage-failed",
            Self::Forbidden => "store-forbidden",
            Self::Full => "storage-full",
            Self::NotADatabase => "storage-not-a-database",
            Self::NotProvisioned => "store-not-provisioned",
            Self::Quota => "storage-quota",
            Self::ReadOnly => "storage-read-only",
            Self::Refused => "storage-refused",
            Self::Replaced => "storage-replaced",
            Self::Timeout => "storage-timeout",
            Self::TooLarge => "storage-too-large",
            Self::Unauthorized => "store-unauthorized",
            Self::Unreachable => "storage-unreachable",
        }
    }
}

/// What a failed batch left in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// Nothing: the transaction did not commit.
    Nothing,
    /// Either all or nothing; it is not known which. The batch may be run again.
    Unknown,
}

/// A failure of a store.
#[derive(Clone, Debug)]
pub struct StorageError {
    kind: StorageErrorKind,
    stored: Stored,
    message: String,
    source: Option<Arc<dyn Source + Send + Sync>>,
}

impl StorageError {
    /// A failure that left nothing behind. The message says what was wrong and what to do, and
    /// never contains a value.
    pub fn new(kind: StorageErrorKind, message: impl Into<String>) -> Self {
        Self { kind, stored: Stored::Nothing, message: message.into(), source: None }
    }

    /// The same failure, but it is not known whether the batch took effect.
    pub fn with_unknown_effect(mut self) -> Self {
        self.stored = Stored::Unknown;
        self
    }

    /// The same failure, with its cause.
    pub fn with_source(mut self, source: impl Source + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// The same failure, naming the place: a file or an address. It is named once.
    #[must_use]
    pub fn with_place(mut self, place: &str) -> Self {
        if !self.message.strip_prefix(place).is_some_and(|rest| rest.starts_with(": ")) {
            self.message = format!("{place}: {}", self.message);
        }
        self
    }

    /// The kind of failure.
    pub fn kind(&self) -> StorageErrorKind {
        self.kind
    }

    /// What the batch left in the store.
    pub fn stored(&self) -> Stored {
        self.stored
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = match self.stored {
            Stored::Nothing => "nothing was stored",
            Stored::Unknown => "it is not known whether it was stored",
        };
        write!(f, "{}; {effect}", self.message)
    }
}

impl Source for StorageError {
    fn source(&self) -> Option<&(dyn Source + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
