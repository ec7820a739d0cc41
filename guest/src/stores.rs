//! The stores behind one port: each turns what operations ask (`operations::ask`) into what its
//! host can run, and the host's answers into the rows that the port promises.
//!
//! A store of SQL is a `sql::Dialect`. One that needs several requests for one ask is a task
//! (`kusto::io`). A caller sees no difference: it opens a `Store`, and advances an `Operation`.

pub mod drive;
#[cfg(feature = "kusto")]
pub mod kusto;
mod sql;
mod sqlite;

use crate::contract::call::Call;
use crate::contract::error::Error;
use crate::contract::http::Moment;
use crate::contract::progress::{Answer, Expected, Progress};
use crate::contract::status::{Status, UnshownCall};
use sqlite::Sqlite;

/// Which store, and how it is used.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreOptions {
    /// SQLite 3.38 or newer.
    Sqlite,
    /// A table of a Kusto database.
    #[cfg(feature = "kusto")]
    Kusto(kusto::KustoOptions),
}

/// A store. Any number of its operations may be under way at once.
#[derive(Debug)]
pub enum Store {
    /// SQLite.
    Sqlite,
    /// A table of a Kusto database.
    #[cfg(feature = "kusto")]
    Kusto(kusto::Store),
}

impl Store {
    /// A store with these options, which are checked. Nothing is run or sent.
    pub fn open(options: StoreOptions) -> Result<Self, Error> {
        match options {
            StoreOptions::Sqlite => Ok(Self::Sqlite),
            #[cfg(feature = "kusto")]
            StoreOptions::Kusto(options) => Ok(Self::Kusto(kusto::Store::open(options)?)),
        }
    }

    /// Begins a call. Bad input is refused here, before anything is run or sent.
    pub fn start(&self, call: Call, at: Moment) -> Result<(Operation, Progress), Error> {
        match self {
            Self::Sqlite => {
                let (operation, progress) = SqliteOperation::start(call)?;
                let _ = at;
                Ok((Operation(State::Sqlite(operation)), progress))
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
            Self::Sqlite => None,
            #[cfg(feature = "kusto")]
            Self::Kusto(store) => store.flush_due(),
        }
    }

    /// The calls that were sent and that no query has shown yet. A host keeps them: if the instance
    /// fails, the next one awaits them.
    pub fn unshown(&self) -> Vec<UnshownCall> {
        match self {
            Self::Sqlite => Vec::new(),
            #[cfg(feature = "kusto")]
            Self::Kusto(store) => store.unshown(),
        }
    }

    /// What the caller should be warned of, once: such as that streaming is off.
    pub fn take_warning(&self) -> Option<String> {
        match self {
            Self::Sqlite => None,
            #[cfg(feature = "kusto")]
            Self::Kusto(store) => store.take_warning(),
        }
    }

    /// What a host does something about between calls; of a store of SQL, nothing.
    pub fn status(&self) -> Status {
        match self {
            Self::Sqlite => Status::default(),
            #[cfg(feature = "kusto")]
            Self::Kusto(store) => Status {
                flush_due: store.flush_due(),
                waiting: store.waiting(),
                unshown: store.unshown(),
                warning: store.take_warning(),
            },
        }
    }

    /// Calls that another instance has made: what is read of their threads has them, or is refused
    /// as `store-stale`.
    pub fn await_shown(&self, calls: Vec<UnshownCall>) {
        match self {
            Self::Sqlite => drop(calls),
            #[cfg(feature = "kusto")]
            Self::Kusto(store) => store.await_shown(calls),
        }
    }
}

/// One call under way on SQLite. It may be moved between threads, unlike one on Kusto.
#[derive(Debug)]
pub struct SqliteOperation(sql::Operation<Sqlite>);

impl SqliteOperation {
    /// Begins a call. Bad input is refused here, before anything is run.
    pub fn start(call: Call) -> Result<(Self, Progress), Error> {
        let (operation, progress) = sql::Operation::start(call)?;
        Ok((Self(operation), progress))
    }

    /// Takes the answer to the last need, returns what comes next; see `Operation::advance`.
    pub fn advance(&mut self, answer: Answer) -> Result<Progress, Error> {
        self.0.advance(answer)
    }
}

/// One call under way.
#[derive(Debug)]
pub struct Operation(State);

#[cfg_attr(
    feature = "kusto",
    expect(
        clippy::large_enum_variant,
        reason = "one at a time is under way, and it is moved a few times"
    )
)]
#[derive(Debug)]
enum State {
    Sqlite(SqliteOperation),
    #[cfg(feature = "kusto")]
    Kusto(kusto::Task),
}

impl Operation {
    /// Takes the answer to the last need, returns what comes next.
    ///
    /// Call it with exactly one answer for each need, of the need's case; never after `Done` or an
    /// error.
    pub fn advance(&mut self, answer: Answer, at: Moment) -> Result<Progress, Error> {
        match &mut self.0 {
            State::Sqlite(operation) => {
                let _ = at;
                operation.advance(answer)
            }
            #[cfg(feature = "kusto")]
            State::Kusto(task) => Ok(task.advance(answer, at)?.into()),
        }
    }

    /// What the operation ends in, as far as that is known before the last need is answered;
    /// `None` if it is not.
    pub fn expected(&self) -> Result<Option<Expected>, Error> {
        match &self.0 {
            State::Sqlite(operation) => operation.0.expected(),
            #[cfg(feature = "kusto")]
            State::Kusto(_) => Ok(None),
        }
    }
}
