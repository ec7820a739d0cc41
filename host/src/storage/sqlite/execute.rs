//! Running the statements of a batch on a connection, and values both ways.

use langgraph_checkpoint_guest::{Batch, RowSet, Statement, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql};

use super::failure::storage_error;
use crate::storage::{StorageError, StorageErrorKind};

/// Runs a statement that only opens, closes or marks a transaction.
pub(super) fn control(connection: &Connection, text: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(text)?.execute([]).map(|_| ())
}

/// Runs the statements in order. The transaction around them is the caller's.
pub(super) fn run_statements(
    connection: &Connection,
    batch: &Batch,
) -> Result<Vec<RowSet>, StorageError> {
    batch.statements.iter().map(|statement| run_statement(connection, statement)).collect()
}

fn run_statement(connection: &Connection, statement: &Statement) -> Result<RowSet, StorageError> {
    let mut prepared = connection.prepare_cached(&statement.text).map_err(storage_error)?;
    let mut set = RowSet::default();
    for parameters in &statement.parameters {
        run_once(&mut prepared, parameters, &mut set)?;
    }
    Ok(set)
}

fn run_once(
    prepared: &mut CachedStatement<'_>,
    parameters: &[Value],
    set: &mut RowSet,
) -> Result<(), StorageError> {
    // SQLite binds NULL to what is left out, so a row that is too short would pass.
    if prepared.parameter_count() != parameters.len() {
        return Err(StorageError::new(
            StorageErrorKind::Failed,
            format!(
                "a statement takes {} parameters and was given {}",
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
        let values = (0..column_count)
            .map(|column| value(row.get_ref(column).map_err(storage_error)?, column))
            .collect::<Result<Vec<_>, _>>()?;
        set.rows.push(values);
    }
    Ok(())
}

/// A value as a parameter, without a copy of it.
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
