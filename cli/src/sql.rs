//! Databases of SQL: files of SQLite, and PostgreSQL.

use std::path::Path;

use langgraph_checkpoint_guest::{Access, Store, Value};
use langgraph_checkpoint_host::{
    Batch, Checkpointer, Dialect, Error, Planner, PostgresOptions, PostgresStorage, RowSet,
    SqliteOptions, SqliteStorage, Statement, StorageAdapter, StorageError, StorageErrorKind,
    Synchronous,
};

use crate::failure::{Failure, Result};
use crate::output;

/// Whether a location is a connection string of PostgreSQL.
pub(crate) fn is_postgres(location: &str) -> bool {
    let scheme = location.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    scheme.is_some_and(|scheme| ["postgres", "postgresql"].contains(&scheme.as_str()))
}

/// Refuses what names no file and looks like an address, which may have a password.
fn refuse_address(location: &str) -> Result<()> {
    let (scheme, rest) = location.split_once(':').unwrap_or_default();
    let is_address = scheme.len() > 1 && (rest.starts_with("//") || rest.contains('@'));
    if !is_address || is_postgres(location) || Path::new(location).exists() {
        return Ok(());
    }
    Err(Failure::usage(
        "there is no file of this name, and addresses are postgresql://USER@HOST/DATABASE",
    ))
}

/// Storage that only runs what its command may do.
#[derive(Debug)]
pub(crate) struct Confined {
    kind: Kind,
    /// The path of a file.
    path: Option<String>,
    access: Access,
}

#[derive(Debug)]
enum Kind {
    Sqlite(SqliteStorage),
    Postgres(Box<PostgresStorage>),
}

impl Confined {
    /// Opens a database that exists.
    pub(crate) fn existing(location: &str, schema: &str, access: Access) -> Result<Self> {
        if !is_postgres(location) && !Path::new(location).exists() {
            refuse_address(location)?;
            let message = format!("there is no file {location}");
            let missing = StorageError::new(StorageErrorKind::Unreachable, message);
            return Err(Failure::from(Error::from(missing)));
        }
        Self::open(location, schema, access, Synchronous::Full)
    }

    /// Opens a database. A file that is written to is made if it is missing.
    pub(crate) fn open(
        location: &str,
        schema: &str,
        access: Access,
        synchronous: Synchronous,
    ) -> Result<Self> {
        refuse_address(location)?;
        let path = (!is_postgres(location)).then(|| location.to_owned());
        let kind = if is_postgres(location) {
            let schema = schema.to_owned();
            let options = PostgresOptions { schema, ..PostgresOptions::default() };
            Kind::Postgres(Box::new(PostgresStorage::new(location, &options)?))
        } else {
            let read_only = access == Access::Read;
            let options = SqliteOptions { read_only, synchronous, ..SqliteOptions::default() };
            Kind::Sqlite(SqliteStorage::open(location, &options).map_err(Error::from)?)
        };
        Ok(Self { kind, path, access })
    }

    /// The checkpointer on it.
    pub(crate) fn checkpointer(self) -> Checkpointer<Self> {
        let checkpointer = Checkpointer::new(Planner::native(), self);
        checkpointer.on_warning(output::say)
    }

    /// What plans the statements on its stock tables.
    pub(crate) fn planner(&self) -> Result<Store> {
        Ok(self.dialect().store().map_err(Error::from)?)
    }

    /// The rows of a statement that reads.
    pub(crate) async fn read(&self, statement: Statement) -> Result<RowSet> {
        let batch = Batch { access: Access::Read, statements: vec![statement] };
        Ok(self.run(batch).await.map_err(Error::from)?.pop().unwrap_or_default())
    }

    fn check(&self, batch: &Batch) -> std::result::Result<(), StorageError> {
        if batch.access == Access::Write && self.access == Access::Read {
            let message = "this command only reads";
            return Err(StorageError::new(StorageErrorKind::ReadOnly, message));
        }
        Ok(())
    }
}

impl StorageAdapter for Confined {
    fn dialect(&self) -> Dialect {
        match &self.kind {
            Kind::Sqlite(storage) => storage.dialect(),
            Kind::Postgres(storage) => storage.dialect(),
        }
    }

    async fn run(&self, batch: Batch) -> std::result::Result<Vec<RowSet>, StorageError> {
        self.check(&batch)?;
        let ran = match &self.kind {
            Kind::Sqlite(storage) => storage.run(batch).await,
            Kind::Postgres(storage) => storage.run(batch).await,
        };
        // A command may have two of them.
        ran.map_err(|error| match &self.path {
            Some(path) => error.with_place(path),
            None => error,
        })
    }
}

/// A statement with texts as its parameters.
pub(crate) fn statement(text: &str, parameters: &[&str]) -> Statement {
    let parameters = parameters.iter().map(|text| Value::Text((*text).to_owned())).collect();
    Statement { text: text.to_owned(), parameters: vec![parameters] }
}
