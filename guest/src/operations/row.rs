//! Reads rows by type. A column that is not of the promised type is an error that names it.

use crate::contract::error::Error;
use crate::contract::statement::{RowSet, Value};

/// One row, read from its first column to its last.
#[derive(Clone, Debug)]
pub(crate) struct Row<'a> {
    table: &'static str,
    columns: std::slice::Iter<'a, Value>,
}

/// The row set of the ask at `index`. Fails with `wrong-row-sets` if it is missing.
pub(crate) fn set(sets: &[RowSet], index: usize) -> Result<&RowSet, Error> {
    sets.get(index).ok_or_else(|| {
        Error::protocol("wrong-row-sets", "a row set is missing; answer each statement with one")
    })
}

/// The rows of a set; `table` is for errors.
pub(crate) fn rows<'a>(
    set: &'a RowSet,
    table: &'static str,
) -> impl Iterator<Item = Row<'a>> + use<'a> {
    set.rows.iter().map(move |row| Row { table, columns: row.iter() })
}

impl<'a> Row<'a> {
    /// The rest of the row, as columns of another table. The name is for errors.
    pub(crate) fn of(self, table: &'static str) -> Self {
        Self { table, ..self }
    }

    /// The next column as an integer.
    pub(crate) fn integer(&mut self, column: &'static str) -> Result<i64, Error> {
        match self.columns.next() {
            Some(Value::Integer(integer)) => Ok(*integer),
            // Some drivers return every number as a double.
            Some(Value::Real(real)) if real.fract() == 0.0 => Ok(*real as i64),
            _ => Err(self.wrong(column, "an integer")),
        }
    }

    /// The next column as an integer; `None` if it is null.
    pub(crate) fn optional_integer(&mut self, column: &'static str) -> Result<Option<i64>, Error> {
        if let Some(Value::Null) = self.columns.as_slice().first() {
            self.columns.next();
            return Ok(None);
        }
        self.integer(column).map(Some)
    }

    /// The next column as text.
    pub(crate) fn text(&mut self, column: &'static str) -> Result<&'a str, Error> {
        match self.columns.next() {
            Some(Value::Text(text)) => Ok(text),
            _ => Err(self.wrong(column, "text")),
        }
    }

    /// The next column as text; `None` if it is null.
    pub(crate) fn optional_text(&mut self, column: &'static str) -> Result<Option<&'a str>, Error> {
        match self.columns.next() {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.wrong(column, "text or null")),
        }
    }

    /// The next column as bytes.
    pub(crate) fn blob(&mut self, column: &'static str) -> Result<&'a [u8], Error> {
        match self.columns.next() {
            Some(Value::Blob(blob)) => Ok(blob),
            _ => Err(self.wrong(column, "a blob")),
        }
    }

    /// The column `distance` after the next one, without reading it; empty if it is not bytes.
    pub(crate) fn blob_ahead(&self, distance: usize) -> &'a [u8] {
        match self.columns.clone().nth(distance) {
            Some(Value::Blob(blob)) => blob,
            _ => &[],
        }
    }

    fn wrong(&self, column: &str, expected: &str) -> Error {
        Error::corrupt(
            "unexpected-column",
            format!("column {column} of {} is not {expected}; restore the store", self.table),
        )
    }
}
