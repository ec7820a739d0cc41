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
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Error, ffi};

use super::agent::AgentLimits;

/// The tables that are written to.
const TABLES: [&str; 5] = ["lg_format", "lg_threads", "lg_deleted", "lg_records", "lg_chunks"];

/// What is read besides them: the views of records, and the table of `json_each`.
const READABLE: [&str; 3] = ["lg_checkpoints", "lg_writes", "json_each"];

/// The functions in the planner's statements.
const FUNCTIONS: [&str; 16] = [
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
const INSTRUCTIONS: i32 = 25;

/// How much one statement may be, which bounds how many values it holds at once: what one value
/// may be is in `AgentLimits`. Each is what the planner's largest statement needs, that of a list
/// with the most conditions, and some more.
const SIZES: [(Limit, i32); 8] = [
    // Tables of others in the file have to be read with this, though nothing is read from them.
    (Limit::SQLITE_LIMIT_COLUMN, 32),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 6),
    // SQLite doubles what it allocates, from 42.
    (Limit::SQLITE_LIMIT_VDBE_OP, 42 << 5),
    (Limit::SQLITE_LIMIT_FUNCTION_ARG, 3),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 128),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];

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
        for (limit, max) in SIZES {
            connection.set_limit(limit, max)?;
        }
        add_functions(connection, &hold, limits.value_bytes_max)?;
        add_json_functions(connection, &hold, bytes(limits.value_bytes_max))?;
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

    /// Ends what runs once its time is over.
    fn check(&self) -> rusqlite::Result<()> {
        if self.is_over() { Err(failure(ffi::SQLITE_INTERRUPT)) } else { Ok(()) }
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

const FLAGS: FunctionFlags = FunctionFlags::SQLITE_UTF8
    .union(FunctionFlags::SQLITE_DETERMINISTIC)
    .union(FunctionFlags::SQLITE_INNOCUOUS);

/// SQLite's own take time by the product of two lengths, in one instruction, so that nothing
/// would end them. These are for text, as the planner's statements use them.
fn add_functions(connection: &Connection, hold: &Hold, bytes_max: usize) -> rusqlite::Result<()> {
    let shared = hold.clone();
    connection.create_scalar_function("instr", 2, FLAGS, move |context| {
        shared.check()?;
        let (Some(whole), Some(part)) = (text(context, 0)?, text(context, 1)?) else {
            return Ok(None);
        };
        let at = whole.find(&part).map(|at| whole[..at].chars().count() + 1);
        Ok(Some(at.and_then(|at| i64::try_from(at).ok()).unwrap_or(0)))
    })?;
    let shared = hold.clone();
    connection.create_scalar_function("replace", 3, FLAGS, move |context| {
        shared.check()?;
        let texts = (text(context, 0)?, text(context, 1)?, text(context, 2)?);
        let (Some(whole), Some(part), Some(by)) = texts else {
            return Ok(None);
        };
        if part.is_empty() {
            return Ok(Some(whole));
        }
        let bytes = whole.matches(&part).count().saturating_mul(by.len());
        if bytes > bytes_max {
            return Err(failure(ffi::SQLITE_TOOBIG));
        }
        Ok(Some(whole.replace(&part, &by)))
    })
}

/// SQLite looks at the time where a program jumps. A row of many columns has no jump, and reading
/// JSON may take a hundredth of a second for each: these look at the time before they do. SQLite
/// itself reads it, on a connection of its own, since what is replaced can not be called.
fn add_json_functions(
    connection: &Connection,
    hold: &Hold,
    bytes_max: i32,
) -> rusqlite::Result<()> {
    for (name, text) in [
        ("json_extract", "SELECT json_extract(?1, ?2)"),
        ("json_type", "SELECT json_type(?1)"),
        ("json_valid", "SELECT json_valid(?1)"),
    ] {
        let own = Connection::open_in_memory()?;
        own.set_limit(Limit::SQLITE_LIMIT_LENGTH, bytes_max)?;
        let shared = hold.clone();
        // For any number of arguments: SQLite's own would serve those that are left out.
        connection.create_scalar_function(name, -1, FLAGS, move |context| {
            shared.check()?;
            let mut statement = own.prepare_cached(text)?;
            if statement.parameter_count() != context.len() {
                return Err(Error::InvalidParameterCount(
                    context.len(),
                    statement.parameter_count(),
                ));
            }
            for at in 0..context.len() {
                let argument = ToSqlOutput::Borrowed(context.get_raw(at));
                statement.raw_bind_parameter(at + 1, argument)?;
            }
            let mut rows = statement.raw_query();
            match rows.next()? {
                Some(row) => row.get::<_, Value>(0),
                None => Ok(Value::Null),
            }
        })?;
    }
    Ok(())
}

fn failure(code: i32) -> Error {
    Error::SqliteFailure(ffi::Error::new(code), None)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// One row without a jump: SQLite itself does not look at the time before it is there.
    #[test]
    fn a_row_of_many_values_ends_between_two_of_them_once_its_time_is_over() {
        for call in [
            "json_valid(?1)",
            "json_type(?1)",
            "json_extract(?1, '$')",
            "instr(?1, '2')",
            "replace(?1, '2', '3')",
        ] {
            let mut connection = Connection::open_in_memory().unwrap();
            let hold = Hold::of(&mut connection, &AgentLimits::default()).unwrap();
            let text = format!("SELECT {call}");
            let mut statement = hold.trusted(|| connection.prepare(&text)).unwrap();
            let mut run = |deadline| {
                hold.within(deadline, || statement.query_row(["[1, 2]"], |_| Ok(()))).err()
            };
            let now = Instant::now();
            assert_eq!(run(now + Duration::from_secs(3600)), None, "{call}");
            let ended = run(now).and_then(|error| error.sqlite_error_code());
            assert_eq!(ended, Some(rusqlite::ErrorCode::OperationInterrupted), "{call}");
        }
    }

    #[test]
    fn json_is_read_as_sqlite_reads_it() {
        let mut confined = Connection::open_in_memory().unwrap();
        let _hold = Hold::of(&mut confined, &AgentLimits::default()).unwrap();
        let own = Connection::open_in_memory().unwrap();
        for json in ["null", "1", "1.5", "-0", "\"a\\u0000b\"", "[1,{}]", "{\"a\":1}", "{", ""] {
            for text in [
                "SELECT json_valid(?1)",
                "SELECT json_type(?1)",
                "SELECT json_extract(?1, '$')",
                "SELECT json_extract(?1, '$.a')",
                "SELECT json_valid(CAST(?1 AS BLOB))",
            ] {
                let of = |connection: &Connection| {
                    let value = connection.query_row(text, [json], |row| row.get::<_, Value>(0));
                    value.map_err(|error| error.to_string())
                };
                assert_eq!(of(&confined), of(&own), "{text} of {json}");
            }
        }
    }
}
