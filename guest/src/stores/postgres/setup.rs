//! Sets up a database.
//!
//! 1. Look at the server, and whether there is a store.
//! 2. Read its format, or make every table in one transaction.
//!
//! A crash before a commit leaves nothing of that round. Where the tables are there, no right to
//! make any is needed.

use super::schema::Schema;
use crate::contract::error::{Error, Fault, StoreFault};
use crate::contract::statement::{Access, Batch, RowSet};
use crate::operations::row::rows;
use crate::operations::set;
use crate::stores::sql::{SetupStep, check_format};

/// The oldest version of PostgreSQL, as `server_version_num` gives it.
const VERSION_MIN: i64 = 130_000;

/// Which answer comes next.
#[derive(Debug)]
pub(crate) enum Setup {
    Found,
    /// The format comes last. Before it, if they may be read, what LangGraph's own saver has.
    Format {
        has_stock: bool,
    },
}

impl Setup {
    pub(super) fn start(schema: &Schema) -> (Self, Batch) {
        (Self::Found, Batch { access: Access::Read, statements: vec![schema.look()] })
    }

    #[inline(never)]
    pub(super) fn advance(&mut self, schema: &Schema, sets: &[RowSet]) -> Result<SetupStep, Error> {
        if let Self::Format { has_stock } = *self {
            check_format(sets)?;
            let stock = sets.len().checked_sub(2).and_then(|at| sets.get(at));
            return Ok(SetupStep::ready(stock.filter(|_| has_stock)));
        }
        let Some(mut row) = rows(set(sets, 0)?, "the server's settings").next() else {
            return Err(Error::protocol(
                "wrong-row-sets",
                "the server's settings are missing; answer each statement with its rows",
            ));
        };
        check_server(row.integer("server_version_num")?, row.text("server_encoding")?)?;
        let has_schema = row.integer("schema")? != 0;
        let (access, mut statements) = if row.integer("table")? != 0 {
            (Access::Read, Vec::new())
        } else {
            (Access::Write, schema.create(has_schema))
        };
        let has_stock = row.integer("stock")? != 0;
        *self = Self::Format { has_stock };
        statements.extend(has_stock.then(|| schema.find_stock_threads()));
        // Read back, because another process may have made the tables in the meantime.
        statements.push(schema.read_format());
        Ok(SetupStep::Need(Batch { access, statements }))
    }
}

/// Fails with `unsupported-server` if the server cannot have a store.
fn check_server(version: i64, encoding: &str) -> Result<(), Error> {
    let message = if version < VERSION_MIN {
        format!("the server is PostgreSQL {}; use 13 or newer", version / 10_000)
    } else if encoding != "UTF8" {
        format!("the database's encoding is {encoding}; use a database in UTF8")
    } else {
        return Ok(());
    };
    let fault = Fault { code: "unsupported-server".to_owned(), message };
    Err(Error::Denied(StoreFault { fault, maybe_stored: false }))
}
