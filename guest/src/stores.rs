//! The stores behind the port. Each turns what operations ask (`operations::ask`) into what its
//! host can run, and the host's answers into the rows that the port promises.
//!
//! An operation on a store of SQL has a `sql::Dialect`. A store that needs several requests for one
//! ask is a task (`kusto::io`). A caller sees no difference: it opens a `Store` and advances an
//! `Operation`.

pub mod drive;
#[cfg(feature = "kusto")]
pub mod kusto;
#[cfg(feature = "postgres")]
mod postgres;
mod sql;
mod sqlite;
#[cfg(feature = "takeover")]
mod stock;

use crate::contract::call::Call;
use crate::contract::error::Error;
use crate::contract::http::Moment;
#[cfg(feature = "takeover")]
use crate::contract::lifecycle::Language;
use crate::contract::progress::{Answer, Expected, Progress};
#[cfg(feature = "takeover")]
use crate::contract::statement::{RowSet, Statement};
use crate::contract::status::{Status, UnshownCall};
#[cfg(feature = "postgres")]
pub use postgres::{AgentStatements, Postgres, PostgresOptions};
use sqlite::Sqlite;
#[cfg(feature = "takeover")]
pub use stock::{StockInsert, StockInserts, StockStatements};
#[cfg(feature = "takeover")]
use stock::{StockTables, no_stock_tables, other_stock_tables};

/// Which store, and how it is used.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreOptions {
    /// SQLite 3.38 or newer.
    Sqlite,
    /// A schema of a PostgreSQL database, version 13 or newer.
    #[cfg(feature = "postgres")]
    Postgres(PostgresOptions),
    /// A table of a Kusto database.
    #[cfg(feature = "kusto")]
    Kusto(kusto::KustoOptions),
}

/// A store. Any number of its operations may be under way at once.
#[derive(Debug)]
pub enum Store {
    /// SQLite.
    Sqlite,
    /// A schema of a PostgreSQL database.
    #[cfg(feature = "postgres")]
    Postgres(Postgres),
    /// A table of a Kusto database.
    #[cfg(feature = "kusto")]
    Kusto(kusto::Store),
}

impl Store {
    /// Opens a store with these options and checks them. Nothing is run or sent.
    pub fn open(options: StoreOptions) -> Result<Self, Error> {
        match options {
            StoreOptions::Sqlite => Ok(Self::Sqlite),
            #[cfg(feature = "postgres")]
            StoreOptions::Postgres(options) => Ok(Self::Postgres(Postgres::open(&options)?)),
            #[cfg(feature = "kusto")]
            StoreOptions::Kusto(options) => Ok(Self::Kusto(kusto::Store::open(options)?)),
        }
    }

    /// Starts a call and returns its first progress. Bad input is refused here, before anything is
    /// run or sent.
    pub fn start(&self, call: Call, at: Moment) -> Result<(Operation, Progress), Error> {
        match self {
            Self::Sqlite => {
                let (operation, progress) = SqliteOperation::start(call)?;
                let _ = at;
                Ok((Operation(State::Sqlite(operation)), progress))
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => {
                let (operation, progress) = PostgresOperation::start(store, call)?;
                Ok((Operation(State::Postgres(operation)), progress))
            }
            #[cfg(feature = "kusto")]
            Self::Kusto(store) => {
                let (task, progress) = store.start(call, at)?;
                Ok((Operation(State::Kusto(task)), progress.into()))
            }
        }
    }
}

impl Store {
    /// When `Call::Flush` is due, in microseconds since 1970; `None` if no row waits.
    pub fn flush_due(&self) -> Option<u64> {
        match self {
            #[cfg(feature = "kusto")]
            Self::Kusto(store) => store.flush_due(),
            _ => None,
        }
    }

    /// The calls that were sent and that no query has shown yet; none for a store of SQL. A host
    /// keeps this list: if the instance fails, the host gives it to `await_shown` of the next one.
    pub fn unshown(&self) -> Vec<UnshownCall> {
        match self {
            #[cfg(feature = "kusto")]
            Self::Kusto(store) => store.unshown(),
            _ => Vec::new(),
        }
    }

    /// Takes the warning for the caller, if there is one, such as that streaming is off.
    pub fn take_warning(&self) -> Option<String> {
        match self {
            #[cfg(feature = "kusto")]
            Self::Kusto(store) => store.take_warning(),
            _ => None,
        }
    }

    /// What a host must act on between calls; the default for a store of SQL. Takes the warning.
    pub fn status(&self) -> Status {
        match self {
            #[cfg(feature = "kusto")]
            Self::Kusto(store) => Status {
                flush_due: store.flush_due(),
                waiting: store.waiting(),
                unshown: store.unshown(),
                warning: store.take_warning(),
            },
            _ => Status::default(),
        }
    }

    /// Names calls that another instance made. A read of their threads either includes these calls
    /// or fails with `store-stale`. A store of SQL ignores them.
    pub fn await_shown(&self, calls: Vec<UnshownCall>) {
        match self {
            #[cfg(feature = "kusto")]
            Self::Kusto(store) => store.await_shown(calls),
            _ => drop(calls),
        }
    }
}

#[cfg(feature = "takeover")]
impl Store {
    /// The statement that finds the stock tables. Its rows are for `stock_statements`.
    pub fn find_stock_tables(&self) -> Result<Statement, Error> {
        match self {
            Self::Sqlite => Ok(sqlite::stock::find_tables()),
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => Ok(store.find_stock_tables()),
            #[cfg(feature = "kusto")]
            Self::Kusto(_) => Err(no_stock_tables()),
        }
    }

    /// The statements that read the stock tables. Fails with `no-stock-tables` if they are missing.
    pub fn stock_statements(&self, tables: &RowSet) -> Result<StockStatements, Error> {
        let tables = StockTables::of(tables)?;
        let statements = match self {
            Self::Sqlite => sqlite::stock::statements(&tables),
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.stock_statements(&tables),
            #[cfg(feature = "kusto")]
            Self::Kusto(_) => None,
        };
        statements.ok_or_else(no_stock_tables)
    }

    /// The statements that write these stock tables, or make them if none is there. Fails with
    /// `other-stock-tables` if they are not those of this language's newest saver.
    pub fn stock_inserts(
        &self,
        tables: &RowSet,
        language: Language,
    ) -> Result<StockInserts, Error> {
        let tables = StockTables::of(tables)?;
        let inserts = match self {
            Self::Sqlite => sqlite::stock::inserts(&tables, language),
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.stock_inserts(&tables, language),
            #[cfg(feature = "kusto")]
            Self::Kusto(_) => None,
        };
        inserts.ok_or_else(other_stock_tables)
    }

    /// Whether stock tables of this store have values beside their checkpoints.
    pub fn has_stock_values_beside(&self) -> bool {
        match self {
            Self::Sqlite => false,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => true,
            #[cfg(feature = "kusto")]
            Self::Kusto(_) => false,
        }
    }
}

/// One call under way on SQLite. Unlike one on Kusto it may be moved between threads.
#[derive(Debug)]
pub struct SqliteOperation(sql::Operation<Sqlite>);

impl SqliteOperation {
    /// Starts a call and returns its first progress. Bad input is refused here, before anything is
    /// run.
    pub fn start(call: Call) -> Result<(Self, Progress), Error> {
        let (operation, progress) = sql::Operation::start(Sqlite, call)?;
        Ok((Self(operation), progress))
    }

    /// Takes the answer to the last need and returns the next progress; see `Operation::advance`.
    pub fn advance(&mut self, answer: Answer) -> Result<Progress, Error> {
        self.0.advance(answer)
    }
}

/// One call under way on PostgreSQL. Unlike one on Kusto it may be moved between threads.
#[cfg(feature = "postgres")]
#[derive(Debug)]
pub struct PostgresOperation(sql::Operation<postgres::PostgresDialect>);

#[cfg(feature = "postgres")]
impl PostgresOperation {
    /// Starts a call and returns its first progress. Bad input is refused here, before anything is
    /// run.
    pub fn start(store: &Postgres, call: Call) -> Result<(Self, Progress), Error> {
        let (operation, progress) = sql::Operation::start(store.dialect(), call)?;
        Ok((Self(operation), progress))
    }

    /// Takes the answer to the last need and returns the next progress; see `Operation::advance`.
    pub fn advance(&mut self, answer: Answer) -> Result<Progress, Error> {
        self.0.advance(answer)
    }
}

/// One call under way.
#[derive(Debug)]
pub struct Operation(State);

#[derive(Debug)]
enum State {
    Sqlite(SqliteOperation),
    #[cfg(feature = "postgres")]
    Postgres(PostgresOperation),
    #[cfg(feature = "kusto")]
    Kusto(kusto::Task),
}

impl Operation {
    /// Takes the answer to the last need and returns the next progress.
    ///
    /// Call it with exactly one answer for each need, of the need's case, and never after `Done` or
    /// an error. An answer of another case fails with `wrong-answer`, a call after the end with
    /// `ended-operation`.
    pub fn advance(&mut self, answer: Answer, at: Moment) -> Result<Progress, Error> {
        match &mut self.0 {
            State::Sqlite(operation) => {
                let _ = at;
                operation.advance(answer)
            }
            #[cfg(feature = "postgres")]
            State::Postgres(operation) => operation.advance(answer),
            #[cfg(feature = "kusto")]
            State::Kusto(task) => Ok(task.advance(answer, at)?.into()),
        }
    }

    /// What the operation will end in, if that is known before the last need is answered; else
    /// `None`.
    pub fn expected(&self) -> Result<Option<Expected>, Error> {
        match &self.0 {
            State::Sqlite(operation) => operation.0.expected(),
            #[cfg(feature = "postgres")]
            State::Postgres(operation) => operation.0.expected(),
            #[cfg(feature = "kusto")]
            State::Kusto(_) => Ok(None),
        }
    }
}
