//! Sets up a database.
//!
//! 1. Read whether there is a store.
//! 2. Read its format, or make every table.
//!
//! A crash before a commit leaves nothing of that round.

use super::schema::{create, find_stock_threads, find_tables, insert_format, read_format};
use crate::contract::error::Error;
use crate::contract::statement::{Access, Batch, RowSet};
use crate::operations::row::rows;
use crate::operations::set;
use crate::stores::sql::{SetupStep, check_format};

/// Which answer comes next.
#[derive(Debug)]
pub(crate) enum Setup {
    Found,
    /// The format comes last. Before it, if the tables are there, what LangGraph's own saver has.
    Format {
        has_stock: bool,
    },
}

impl Setup {
    pub(super) fn start() -> (Self, Batch) {
        (Self::Found, Batch { access: Access::Read, statements: vec![find_tables()] })
    }

    #[inline(never)]
    pub(super) fn advance(&mut self, sets: &[RowSet]) -> Result<SetupStep, Error> {
        let has_stock = match self {
            Self::Format { has_stock } => *has_stock,
            Self::Found => return self.look(set(sets, 0)?),
        };
        check_format(sets)?;
        let stock = sets.len().checked_sub(2).and_then(|at| sets.get(at));
        Ok(SetupStep::ready(stock.filter(|_| has_stock)))
    }

    fn look(&mut self, tables: &RowSet) -> Result<SetupStep, Error> {
        let mut found = Vec::new();
        for mut row in rows(tables, "sqlite_master") {
            found.push(row.text("name")?);
        }
        let has_stock = ["checkpoints", "writes"].iter().all(|name| found.contains(name));
        *self = Self::Format { has_stock };
        let (access, mut statements) = if found.contains(&"lg_format") {
            (Access::Read, Vec::new())
        } else {
            let made = create().into_iter().chain([insert_format()]);
            (Access::Write, made.collect())
        };
        statements.extend(has_stock.then(find_stock_threads));
        // Read back, because another process may have made the tables in the meantime.
        statements.push(read_format());
        Ok(SetupStep::Need(Batch { access, statements }))
    }
}
