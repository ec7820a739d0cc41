//! What holds a connection that runs statements of an agent's making.
//!
//! SQLite asks the authorizer when it prepares a statement; the progress handler ends one that
//! runs for too long. A statement that was prepared for the host itself must not be run for an
//! agent, so the host's own are never kept on such a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error, ffi};

use super::agent::AgentLimits;

/// The tables that are written to.
const TABLES: [&str; 5] = ["lg_format", "lg_threads", "lg_deleted", "lg_records", "lg_chunks"];

/// What is read besides them: the views, and the table of `json_each`.
const READABLE: [&str; 4] = ["lg_checkpoints", "lg_writes", "lg_history", "json_each"];

/// The functions in the planner's statements, and in the views.
const FUNCTIONS: [&str; 17] = [
    "->>",
    "coalesce",
    "count",
    "group_concat",
    "hex",
    "ifnull",
    "iif",
    "instr",
    "json_each",
    "json_extract",
    "json_type",
    "json_valid",
    "length",
    "max",
    "replace",
    "substr",
    "typeof",
];

/// How many instructions SQLite runs between two looks at the time.
const INSTRUCTIONS: i32 = 200;

/// Holds a connection; shared with what SQLite calls.
#[derive(Clone, Debug)]
pub(super) struct Hold(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    began: Instant,
    /// When the batch that runs has to end, in nanoseconds after `began`.
    deadline: AtomicU64,
    /// Whether what is prepared is the host's own.
    trusted: AtomicBool,
}

impl Hold {
    /// Confines a connection, from here on.
    pub(super) fn of(connection: &mut Connection, limits: &AgentLimits) -> rusqlite::Result<Self> {
        let hold = Self(Arc::new(Shared {
            began: Instant::now(),
            deadline: AtomicU64::new(u64::MAX),
            trusted: AtomicBool::new(false),
        }));
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        let bytes = |bytes: usize| i32::try_from(bytes).unwrap_or(i32::MAX);
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, bytes(limits.value_bytes_max))?;
        connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, bytes(limits.statement_bytes_max))?;
        // What a row may hold at once is so many values of the largest size. Tables of others in
        // the file have to be read with this, though nothing is read from them.
        connection.set_limit(Limit::SQLITE_LIMIT_COLUMN, 200)?;
        connection.set_limit(Limit::SQLITE_LIMIT_FUNCTION_ARG, 8)?;
        connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
        connection.set_limit(Limit::SQLITE_LIMIT_WORKER_THREADS, 0)?;
        add_functions(connection, limits.value_bytes_max)?;
        let shared = hold.clone();
        connection.progress_handler(INSTRUCTIONS, Some(move || shared.is_over()))?;
        let shared = hold.clone();
        connection.authorizer(Some(move |context: AuthContext<'_>| shared.decide(context)))?;
        Ok(hold)
    }

    /// Runs what is an agent's, which has to end by then.
    pub(super) fn within<T>(&self, deadline: Instant, run: impl FnOnce() -> T) -> T {
        let nanos = deadline.saturating_duration_since(self.0.began).as_nanos();
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
        self.0.deadline.store(nanos, Ordering::Relaxed);
        let done = run();
        self.0.deadline.store(u64::MAX, Ordering::Relaxed);
        done
    }

    /// Runs what is the host's own.
    pub(super) fn trusted<T>(&self, run: impl FnOnce() -> T) -> T {
        self.0.trusted.store(true, Ordering::Relaxed);
        let done = run();
        self.0.trusted.store(false, Ordering::Relaxed);
        done
    }

    /// Whether the time of the batch is over.
    pub(super) fn is_over(&self) -> bool {
        let deadline = Duration::from_nanos(self.0.deadline.load(Ordering::Relaxed));
        self.0.began.elapsed() > deadline
    }

    fn decide(&self, context: AuthContext<'_>) -> Authorization {
        let trusted = self.0.trusted.load(Ordering::Relaxed);
        // A statement may take long to prepare as well.
        if trusted || (!self.is_over() && is_allowed(context)) {
            Authorization::Allow
        } else {
            Authorization::Deny
        }
    }
}

/// Whether an agent's statement may do this. What is not named here it may not.
fn is_allowed(context: AuthContext<'_>) -> bool {
    let in_main = context.database_name.is_none_or(|name| name == "main");
    in_main
        && match context.action {
            AuthAction::Select | AuthAction::Recursive => true,
            AuthAction::Function { function_name } => {
                FUNCTIONS.iter().any(|name| name.eq_ignore_ascii_case(function_name))
            }
            // Setup looks whether the tables are there.
            AuthAction::Read { table_name: "sqlite_master", column_name } => {
                ["name", "type"].contains(&column_name)
            }
            AuthAction::Read { table_name, .. } => {
                TABLES.contains(&table_name) || READABLE.contains(&table_name)
            }
            AuthAction::Insert { table_name }
            | AuthAction::Update { table_name, .. }
            | AuthAction::Delete { table_name } => TABLES.contains(&table_name),
            _ => false,
        }
}

/// SQLite's own take time by the product of two lengths, in one instruction, so that nothing
/// would end them. These are for text, as the planner's statements use them.
fn add_functions(connection: &Connection, bytes_max: usize) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("instr", 2, flags, |context| {
        let (Some(whole), Some(part)) = (text(context, 0)?, text(context, 1)?) else {
            return Ok(None);
        };
        let at = whole.find(&part).map(|at| whole[..at].chars().count() + 1);
        Ok(Some(at.and_then(|at| i64::try_from(at).ok()).unwrap_or(0)))
    })?;
    connection.create_scalar_function("replace", 3, flags, move |context| {
        let texts = (text(context, 0)?, text(context, 1)?, text(context, 2)?);
        let (Some(whole), Some(part), Some(by)) = texts else {
            return Ok(None);
        };
        if part.is_empty() {
            return Ok(Some(whole));
        }
        let bytes = whole.matches(&part).count().saturating_mul(by.len());
        if bytes > bytes_max {
            return Err(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_TOOBIG), None));
        }
        Ok(Some(whole.replace(&part, &by)))
    })
}

/// An argument as text; nothing for NULL.
fn text(context: &Context<'_>, at: usize) -> rusqlite::Result<Option<String>> {
    Ok(match context.get_raw(at) {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
        ValueRef::Null => None,
        ValueRef::Integer(_) | ValueRef::Real(_) => match context.get::<Value>(at)? {
            Value::Integer(integer) => Some(integer.to_string()),
            Value::Real(real) => Some(real.to_string()),
            Value::Null | Value::Text(_) | Value::Blob(_) => None,
        },
    })
}
