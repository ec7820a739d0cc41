//! Confines a connection that runs an agent's statements.
//!
//! SQLite asks the authorizer when it prepares a statement; the progress handler ends a statement
//! that runs too long. A statement that was prepared for the host must not run for an agent, so the
//! host's own statements are never cached on such a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Error, ffi};

use crate::storage::agent_limits::AgentLimits;

/// The tables that an agent may write.
const TABLES: [&str; 5] = ["lg_format", "lg_threads", "lg_deleted", "lg_records", "lg_chunks"];

/// What an agent may read besides them: the views of records, and the table of `json_each`.
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

/// How many instructions SQLite runs between two checks of the time.
const INSTRUCTIONS: i32 = 25;

/// How large one statement may be, which limits how many values it holds at once; `AgentLimits`
/// limits one value. Each limit is a little more than the planner's largest statement needs: a list
/// with the most conditions.
const SIZES: [(Limit, i32); 8] = [
    // SQLite must be able to parse other tables of the file with this, although nothing is read
    // from them.
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

/// Confines a connection. Shared with the callbacks that SQLite calls.
#[derive(Clone, Debug)]
pub(super) struct Hold(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    began: Instant,
    /// When the running batch must end, in nanoseconds after `began`.
    deadline: AtomicU64,
    /// Whether the statement being prepared is the host's own.
    trusted: AtomicBool,
}

impl Hold {
    /// Confines a connection from now on.
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

    /// Runs an agent's statements, which must end by the deadline.
    pub(super) fn within<T>(&self, deadline: Instant, run: impl FnOnce() -> T) -> T {
        let nanos = deadline.saturating_duration_since(self.0.began).as_nanos();
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
        self.0.deadline.store(nanos, Ordering::Relaxed);
        let done = run();
        self.0.deadline.store(u64::MAX, Ordering::Relaxed);
        done
    }

    /// Runs the host's own statements.
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

    /// Fails if the time of the batch is over.
    fn check(&self) -> rusqlite::Result<()> {
        if self.is_over() { Err(failure(ffi::SQLITE_INTERRUPT)) } else { Ok(()) }
    }

    fn decide(&self, context: AuthContext<'_>) -> Authorization {
        let trusted = self.0.trusted.load(Ordering::Relaxed);
        // Preparing a statement may take long too.
        if trusted || (!self.is_over() && is_allowed(context)) {
            Authorization::Allow
        } else {
            Authorization::Deny
        }
    }
}

/// Whether an agent's statement may do this. Everything not named here is refused.
fn is_allowed(context: AuthContext<'_>) -> bool {
    let in_main = context.database_name.is_none_or(|name| name == "main");
    in_main
        && match context.action {
            AuthAction::Select | AuthAction::Recursive => true,
            AuthAction::Function { function_name } => {
                FUNCTIONS.iter().any(|name| name.eq_ignore_ascii_case(function_name))
            }
            // Setup checks whether the tables exist.
            AuthAction::Read { table_name: "sqlite_master", column_name } => {
                ["name", "type"].contains(&column_name)
            }
            // It also asks whether LangGraph's own saver has stored anything, but not what.
            AuthAction::Read { table_name: "checkpoints", column_name: "" } => true,
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

/// Replaces `instr` and `replace`. SQLite's own take time by the product of two lengths, in one
/// instruction, so nothing could interrupt them. These take only text, as the planner's statements
/// do.
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

/// Replaces the JSON functions. SQLite checks the time only when a program jumps. A row of many
/// columns has no jump, and parsing the JSON of each column may take 10 ms, so these check the time
/// first. Then SQLite itself parses, on a separate connection, because replaced functions cannot be
/// called.
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
        // For any number of arguments: otherwise SQLite's own function would serve the other
        // numbers.
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

/// An argument as text; `None` for NULL.
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

    /// One row without a jump: SQLite itself does not check the time until the row is complete.
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
    fn an_agent_learns_whether_langgraphs_own_saver_has_rows_and_not_what_is_in_them() {
        let mut connection = Connection::open_in_memory().unwrap();
        let tables = "CREATE TABLE checkpoints (thread_id TEXT); CREATE TABLE lg_threads (id)";
        connection.execute_batch(tables).unwrap();
        let _hold = Hold::of(&mut connection, &AgentLimits::default()).unwrap();
        let asked = "SELECT 1 FROM checkpoints WHERE NOT EXISTS (SELECT 1 FROM lg_threads) LIMIT 1";
        assert!(connection.prepare(asked).is_ok());
        for refused in [
            "SELECT thread_id FROM checkpoints",
            "SELECT rowid FROM checkpoints",
            "SELECT * FROM checkpoints",
            "SELECT 1 FROM checkpoints WHERE thread_id = 't'",
            "DELETE FROM checkpoints",
        ] {
            assert!(connection.prepare(refused).is_err(), "{refused}");
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
