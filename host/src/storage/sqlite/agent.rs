//! A database on which agents run their own statements.

use std::path::Path;
use std::time::{Duration, Instant};

use langgraph_checkpoint_guest::{self as guest, Access, Batch, Call, Need, Progress, RowSet};

use super::connection;
use super::database::{SqliteStorage, writer_in_memory, writer_of};
use super::execute::Session;
use super::failure::{commit_error, retry_while_busy, storage_error};
use super::options::SqliteOptions;
use crate::error::Error;
use crate::storage::agent_limits::AgentLimits;
use crate::storage::{ConfinedStorage, StorageAdapter, StorageError, StorageErrorKind};

/// Older versions of SQLite do not check the time while they prepare a statement: a statement of a
/// few kilobytes can take minutes and all memory.
const SQLITE_AT_LEAST: i32 = 3_054_001;

/// A SQLite database for an agent that is composed with the component `checkpointer`, and so calls
/// its host in SQL.
///
/// An agent may send other statements than that component does. It can only use the tables whose
/// names begin with `lg_` and the functions in the component's statements: no other table, no file,
/// no pragma, no schema, no transaction of its own. Opening this creates the tables. A batch that
/// exceeds the `AgentLimits` is refused and leaves nothing behind.
///
/// **Each tenant needs its own file.** An agent can read and change every thread of its file. If
/// tenants share a file, serve `checkpointer` instead (`imports::add_checkpointer_to_linker`),
/// behind a check of the thread ids.
///
/// SQLite sorts data that does not fit into its memory in temporary files. Only
/// `AgentLimits::time_limit` limits their size, so on a shared disk set `SQLITE_TMPDIR` to a folder
/// on a separate file system. The files are gone when the statement ends.
///
/// It needs SQLite 3.54.1 or newer, which rusqlite 0.41 bundles. An older one cannot interrupt
/// every statement; with it, `open` fails with `storage-unreachable`.
///
/// Dropping it blocks as dropping a [`SqliteStorage`] does.
#[derive(Debug)]
pub struct AgentStorage {
    inner: SqliteStorage,
    limits: AgentLimits,
}

impl AgentStorage {
    /// Opens the database in a file, and creates the file if it is missing; `:memory:` opens an
    /// empty database in memory.
    ///
    /// This blocks: in async code, call it where blocking is allowed.
    pub fn open(
        path: impl AsRef<Path>,
        options: &SqliteOptions,
        limits: AgentLimits,
    ) -> Result<Self, Error> {
        check_version(rusqlite::version_number())?;
        let path = path.as_ref();
        let in_memory = path.as_os_str() == ":memory:";
        let (mut writer, files) = if in_memory {
            (writer_in_memory(options)?, None)
        } else {
            let (writer, files) = writer_of(path, options)?;
            (writer, Some(files))
        };
        set_up(&writer, options.busy_deadline)?;
        writer.confine(limits)?;
        let readers = if in_memory { 0 } else { options.readers.max(1) };
        let readers = (0..readers).map(|_| {
            let reader = connection::open_reader(path, options, true)?;
            let mut reader = Session::new(reader, files.clone());
            reader.confine(limits)?;
            Ok(reader)
        });
        let readers = readers.collect::<Result<Vec<_>, StorageError>>()?;
        let inner = SqliteStorage::start(writer, readers, options)?;
        Ok(Self { inner, limits })
    }
}

fn check_version(linked: i32) -> Result<(), StorageError> {
    if linked >= SQLITE_AT_LEAST {
        return Ok(());
    }
    let text =
        |number: i32| format!("{}.{}.{}", number / 1_000_000, number / 1000 % 1000, number % 1000);
    let (linked, least) = (text(linked), text(SQLITE_AT_LEAST));
    Err(StorageError::new(
        StorageErrorKind::Unreachable,
        format!(
            "this program links SQLite {linked}, which cannot interrupt every statement of an \
             agent; link {least} or newer, or serve the agent `checkpointer` instead of `storage`"
        ),
    ))
}

impl ConfinedStorage for AgentStorage {}

impl StorageAdapter for AgentStorage {
    async fn run(&self, batch: Batch) -> Result<Vec<RowSet>, StorageError> {
        self.limits.check(&batch)?;
        self.inner.run(batch).await
    }
}

/// Creates the tables, so that no agent has to.
fn set_up(session: &Session, busy_deadline: Duration) -> Result<(), Error> {
    let (mut operation, mut progress) =
        guest::Store::Sqlite.start(Call::Setup, guest::Moment::default())?;
    while let Progress::Need(Need::Sql(batch)) = progress {
        let begin = match batch.access {
            Access::Read => "BEGIN DEFERRED",
            Access::Write => "BEGIN IMMEDIATE",
        };
        let deadline = Instant::now() + busy_deadline;
        let sets = retry_while_busy(deadline, || {
            session.control(begin).map_err(storage_error)?;
            let done = session.run(&batch, Instant::now()).and_then(|sets| {
                session.control("COMMIT").map_err(commit_error)?;
                Ok(sets)
            });
            if done.is_err() && !session.is_autocommit() {
                session.control("ROLLBACK").map_err(storage_error)?;
            }
            done
        })?;
        progress = operation.advance(guest::Answer::Sql(sets), guest::Moment::default())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_refused_by_a_sqlite_that_may_not_end_their_statements() {
        check_version(rusqlite::version_number()).unwrap();
        let error = check_version(3_053_002).unwrap_err();
        assert_eq!(error.code(), "storage-unreachable");
        assert!(error.to_string().contains("SQLite 3.53.2"), "{error}");
    }
}
