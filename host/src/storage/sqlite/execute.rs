//! Runs the statements of a batch on a connection, and converts values both ways.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Instant;

use langgraph_checkpoint_guest::{Access, Batch, RowSet, Statement, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, ToSql};

use super::confine::Hold;
use super::failure::storage_error;
use super::files::Files;
use super::quota::{Keeper, Quota};
use crate::storage::agent_limits::{AgentLimits, beyond, bytes};
use crate::storage::{StorageError, StorageErrorKind};

/// A connection, and its restrictions.
pub(super) struct Session {
    connection: Connection,
    /// The files that it has open; `None` for a database in memory.
    files: Option<Arc<Files>>,
    /// Enforces the quota; `None` if the connection only reads.
    keeper: Option<Keeper>,
    /// Confines it if its statements are an agent's.
    held: Option<(Hold, AgentLimits)>,
}

impl Session {
    /// A connection for the host's own statements.
    pub(super) fn new(connection: Connection, files: Option<Arc<Files>>) -> Self {
        Self { connection, files, keeper: None, held: None }
    }

    /// Enforces a quota on writes from now on.
    pub(super) fn keep_to(&mut self, quota: Quota) -> Result<(), StorageError> {
        self.keeper = Some(Keeper::of(&mut self.connection, quota).map_err(storage_error)?);
        Ok(())
    }

    /// Confines the connection: from now on its statements are an agent's.
    pub(super) fn confine(&mut self, limits: AgentLimits) -> Result<(), StorageError> {
        // The prepared statements are the host's own.
        self.connection.flush_prepared_statement_cache();
        let hold = Hold::of(&mut self.connection, &limits).map_err(storage_error)?;
        self.held = Some((hold, limits));
        Ok(())
    }

    /// Whether no transaction is open.
    pub(super) fn is_autocommit(&self) -> bool {
        self.connection.is_autocommit()
    }

    /// Runs one of the host's own statements, which only opens, closes or marks a transaction.
    pub(super) fn control(&self, text: &str) -> rusqlite::Result<()> {
        match &self.held {
            None => self.connection.prepare_cached(text)?.execute([]).map(|_| ()),
            // If it were cached, an agent's statement with the same text would use it.
            Some(_) => self.trusted(|| self.connection.execute_batch(text)),
        }
    }

    /// Fails if the database's files are no longer those that were opened.
    pub(super) fn check_files(&self) -> Result<(), StorageError> {
        self.files.as_ref().map_or(Ok(()), |files| files.check())
    }

    /// Moves the log into the file if it has reached its largest size. Fails if a reader still
    /// needs what that would overwrite. No transaction may be open.
    pub(super) fn keep_log(&self) -> Result<(), StorageError> {
        let bytes_max = self.keeper.as_ref().and_then(Keeper::log_bytes_max);
        let (Some(files), Some(bytes_max)) = (&self.files, bytes_max) else {
            return Ok(());
        };
        if files.log_bytes() <= bytes_max {
            return Ok(());
        }
        let moved = self.trusted(|| {
            let text = "PRAGMA wal_checkpoint (TRUNCATE)";
            self.connection.query_row(text, [], |row| row.get::<_, i64>(0))
        });
        match moved {
            Ok(0) => Ok(()),
            Ok(_) => Err(StorageError::new(
                StorageErrorKind::Busy,
                format!(
                    "the log beside the SQLite database has grown past {bytes_max} bytes (from \
                     Quota::bytes_max), and a reader still needs it; end long reads and try again"
                ),
            )),
            Err(error) => Err(storage_error(error)),
        }
    }

    /// Runs the statements in order. The caller opens and ends the transaction.
    pub(super) fn run(&self, batch: &Batch, queued: Instant) -> Result<Vec<RowSet>, StorageError> {
        let sets = self.run_held(batch, queued);
        let Some(keeper) = &self.keeper else {
            return sets;
        };
        let added = keeper.has_added();
        let sets = sets.map_err(|error| keeper.named(error))?;
        if added {
            let threads = self.trusted(|| {
                let text = "SELECT count(*) FROM lg_threads";
                self.connection.query_row(text, [], |row| row.get::<_, i64>(0))
            });
            keeper.check(threads.map_err(storage_error)?)?;
        }
        Ok(sets)
    }

    fn run_held(&self, batch: &Batch, queued: Instant) -> Result<Vec<RowSet>, StorageError> {
        let Some((hold, limits)) = &self.held else {
            return run_statements(&self.connection, batch, &mut Budget::unlimited());
        };
        let mut budget = Budget {
            writes: batch.access == Access::Write,
            rows_max: limits.rows_max,
            rows: 0,
            bytes_max: limits.answer_bytes_max,
            bytes: 0,
        };
        hold.within(queued + limits.time_limit, || {
            let sets = run_statements(&self.connection, batch, &mut budget);
            sets.map_err(|error| if hold.is_over() { over(error) } else { named(error, limits) })
        })
    }

    /// Runs the host's own statements.
    fn trusted<T>(&self, run: impl FnOnce() -> T) -> T {
        match &self.held {
            Some((hold, _)) => hold.trusted(run),
            None => run(),
        }
    }
}

/// The error for a batch whose time is over.
fn over(error: StorageError) -> StorageError {
    StorageError::new(
        StorageErrorKind::Timeout,
        "an agent's batch took longer than AgentLimits::time_limit; ask for less at once",
    )
    .with_source(error)
}

/// Translates a failure of an agent's batch that is due to limits which SQLite enforces.
fn named(error: StorageError, limits: &AgentLimits) -> StorageError {
    let code = error.source().and_then(|source| source.downcast_ref::<rusqlite::Error>());
    match code.and_then(rusqlite::Error::sqlite_error_code) {
        Some(ErrorCode::TooBig) => StorageError::new(
            StorageErrorKind::TooLarge,
            format!(
                "a value, or a row, is larger than AgentLimits::value_bytes_max, which is {}; \
                 store less in the metadata, or in the names of channels",
                limits.value_bytes_max
            ),
        )
        .with_source(error),
        // SQLite also reports this for a program with too many instructions.
        Some(ErrorCode::OutOfMemory) => StorageError::new(
            StorageErrorKind::Refused,
            "a statement is larger than an agent's may be; an agent may only send the SQL of the \
             component checkpointer",
        )
        .with_source(error),
        _ => error,
    }
}

/// What a batch may do, and how many rows and bytes it may still return.
struct Budget {
    writes: bool,
    rows_max: usize,
    rows: usize,
    bytes_max: usize,
    bytes: usize,
}

impl Budget {
    fn unlimited() -> Self {
        Self { writes: true, rows_max: usize::MAX, rows: 0, bytes_max: usize::MAX, bytes: 0 }
    }

    fn take_row(&mut self) -> Result<(), StorageError> {
        self.rows += 1;
        if self.rows > self.rows_max {
            return Err(beyond("rows_max", self.rows_max));
        }
        Ok(())
    }

    /// Counts a value before it is copied.
    fn take(&mut self, value: ValueRef<'_>) -> Result<(), StorageError> {
        self.bytes += bytes(match value {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => 0,
        });
        if self.bytes > self.bytes_max {
            return Err(beyond("answer_bytes_max", self.bytes_max));
        }
        Ok(())
    }
}

fn run_statements(
    connection: &Connection,
    batch: &Batch,
    budget: &mut Budget,
) -> Result<Vec<RowSet>, StorageError> {
    let run = |statement: &Statement| {
        let mut prepared = prepare(connection, &statement.text, budget)?;
        let mut set = RowSet::default();
        for parameters in &statement.parameters {
            run_once(&mut prepared, parameters, &mut set, budget)?;
        }
        Ok(set)
    };
    batch.statements.iter().map(run).collect()
}

fn prepare<'a>(
    connection: &'a Connection,
    text: &str,
    budget: &Budget,
) -> Result<CachedStatement<'a>, StorageError> {
    let prepared = connection.prepare_cached(text).map_err(storage_error)?;
    // A database in memory has one connection, on which a read batch could write.
    if !budget.writes && !prepared.readonly() {
        return Err(StorageError::new(
            StorageErrorKind::ReadOnly,
            "an agent's read batch has a statement that writes",
        ));
    }
    Ok(prepared)
}

fn run_once(
    prepared: &mut CachedStatement<'_>,
    parameters: &[Value],
    set: &mut RowSet,
    budget: &mut Budget,
) -> Result<(), StorageError> {
    // SQLite binds NULL to missing parameters, so it would accept a row that is too short.
    if prepared.parameter_count() != parameters.len() {
        return Err(StorageError::new(
            StorageErrorKind::Failed,
            format!(
                "a statement takes {} parameters and got {}",
                prepared.parameter_count(),
                parameters.len()
            ),
        ));
    }
    for (index, value) in parameters.iter().enumerate() {
        prepared.raw_bind_parameter(index + 1, Bound(value)).map_err(storage_error)?;
    }
    let column_count = prepared.column_count();
    let mut rows = prepared.raw_query();
    while let Some(row) = rows.next().map_err(storage_error)? {
        budget.take_row()?;
        let values = (0..column_count)
            .map(|column| {
                let found = row.get_ref(column).map_err(storage_error)?;
                budget.take(found)?;
                value(found, column)
            })
            .collect::<Result<Vec<_>, _>>()?;
        set.rows.push(values);
    }
    Ok(())
}

/// A value as a parameter, without copying it.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(integer) => ValueRef::Integer(*integer),
            Value::Real(real) => ValueRef::Real(*real),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn value(value: ValueRef<'_>, column: usize) -> Result<Value, StorageError> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(error) => {
                return Err(StorageError::new(
                    StorageErrorKind::Damaged,
                    format!(
                        "column {} of a stored row holds text that is not UTF-8; the row was \
                         written by something else",
                        column + 1
                    ),
                )
                .with_source(error));
            }
        },
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    })
}
