//! The guest compiled natively, on a real SQLite database.

use langgraph_checkpoint_guest as guest;
use langgraph_checkpoint_guest::{
    Access, Answer, Batch, Call, Expected, Moment, Need, Outcome, Progress, Store,
};
use rusqlite::types::{ToSqlOutput, Value as SqlValue, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use crate::caller::Caller;

/// A database and the operations on it.
#[derive(Debug)]
pub struct Native {
    connection: Connection,
    /// How many batches were run since this was last reset.
    pub rounds: usize,
    /// How many bytes of text and blobs were bound since this was last reset.
    pub bound_bytes: usize,
}

impl Native {
    /// On this database; creates missing tables.
    pub fn new(connection: Connection) -> Result<Self, guest::Error> {
        let mut native = Self { connection, rounds: 0, bound_bytes: 0 };
        native.call(Call::Setup)?;
        Ok(native)
    }

    /// In memory.
    ///
    /// # Panics
    ///
    /// When there is no memory for a database.
    pub fn in_memory() -> Self {
        Self::new(Connection::open_in_memory().unwrap()).unwrap()
    }

    /// The database.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Runs a batch in one transaction.
    ///
    /// # Panics
    ///
    /// If SQLite refuses a statement: the guest must not make such statements.
    pub fn run(&mut self, batch: &Batch) -> Vec<guest::RowSet> {
        self.rounds += 1;
        let behavior = match batch.access {
            Access::Read => rusqlite::TransactionBehavior::Deferred,
            Access::Write => rusqlite::TransactionBehavior::Immediate,
        };
        let transaction = self.connection.transaction_with_behavior(behavior).unwrap();
        let mut sets = Vec::new();
        for statement in &batch.statements {
            let mut prepared = transaction.prepare_cached(&statement.text).unwrap();
            assert!(
                batch.access == Access::Write || prepared.readonly(),
                "a read batch writes: {}",
                statement.text
            );
            let columns = prepared.column_count();
            let mut set = guest::RowSet::default();
            for parameters in &statement.parameters {
                self.bound_bytes += parameters.iter().map(length_bytes).sum::<usize>();
                let mut rows =
                    prepared.query(params_from_iter(parameters.iter().map(Bound))).unwrap();
                while let Some(row) = rows.next().unwrap() {
                    let value = |column| value(row.get_ref(column).unwrap());
                    set.rows.push((0..columns).map(value).collect());
                }
            }
            sets.push(set);
        }
        transaction.commit().unwrap();
        sets
    }
}

impl Caller for Native {
    fn call(&mut self, call: Call) -> Result<Outcome, guest::Error> {
        let (mut operation, mut progress) = Store::Sqlite.start(call, Moment::default())?;
        loop {
            match progress {
                Progress::Done(outcome) => return Ok(outcome),
                Progress::Need(Need::Http(_) | Need::Wait(_)) => {
                    panic!("a call on SQLite needs SQL alone")
                }
                Progress::Need(Need::Sql(batch)) => {
                    let expected = operation.expected()?;
                    let sets = self.run(&batch);
                    let has_rows = sets.last().is_some_and(|last| !last.rows.is_empty());
                    progress = operation.advance(Answer::Sql(sets), Moment::default())?;
                    match expected {
                        Some(Expected::WithRows(_)) if !has_rows => {}
                        Some(Expected::Certain(outcome) | Expected::WithRows(outcome)) => {
                            assert_eq!(progress, Progress::Done(outcome));
                        }
                        Some(Expected::Answered) => {
                            assert!(matches!(progress, Progress::Done(_)), "{progress:?}");
                        }
                        None => {}
                    }
                }
            }
        }
    }
}

fn length_bytes(value: &guest::Value) -> usize {
    match value {
        guest::Value::Text(text) => text.len(),
        guest::Value::Blob(blob) => blob.len(),
        guest::Value::Null | guest::Value::Integer(_) | guest::Value::Real(_) => 0,
    }
}

struct Bound<'a>(&'a guest::Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            guest::Value::Null => ToSqlOutput::Owned(SqlValue::Null),
            guest::Value::Integer(integer) => ToSqlOutput::Owned(SqlValue::Integer(*integer)),
            guest::Value::Real(real) => ToSqlOutput::Owned(SqlValue::Real(*real)),
            guest::Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            guest::Value::Blob(blob) => ToSqlOutput::Borrowed(ValueRef::Blob(blob)),
        })
    }
}

fn value(value: ValueRef<'_>) -> guest::Value {
    match value {
        ValueRef::Null => guest::Value::Null,
        ValueRef::Integer(integer) => guest::Value::Integer(integer),
        ValueRef::Real(real) => guest::Value::Real(real),
        ValueRef::Text(text) => guest::Value::Text(String::from_utf8(text.to_vec()).unwrap()),
        ValueRef::Blob(blob) => guest::Value::Blob(blob.to_vec()),
    }
}
