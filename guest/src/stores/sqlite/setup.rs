//! Sets up a database.
//!
//! 1. Read whether there is a store.
//! 2. Read its format, or make every table.
//!
//! A crash before a commit leaves nothing of that round.

use super::schema::{create, find_tables, insert_format, read_format};
use crate::contract::error::Error;
use crate::contract::statement::{Access, Batch, RowSet};
use crate::format::{FORMAT, newer};
use crate::operations::row::rows;
use crate::operations::set;

/// Which answer comes next.
#[derive(Debug)]
pub(crate) enum Setup {
    Found,
    Format,
}

impl Setup {
    pub(super) fn start() -> (Self, Batch) {
        (Self::Found, Batch { access: Access::Read, statements: vec![find_tables()] })
    }

    #[inline(never)]
    pub(super) fn advance(&mut self, sets: &[RowSet]) -> Result<Option<Batch>, Error> {
        match self {
            Self::Found => {
                *self = Self::Format;
                if !set(sets, 0)?.rows.is_empty() {
                    let statements = vec![read_format()];
                    return Ok(Some(Batch { access: Access::Read, statements }));
                }
                let mut statements = create();
                statements.push(insert_format());
                // Read back, because another process may have made the tables in the meantime.
                statements.push(read_format());
                Ok(Some(Batch { access: Access::Write, statements }))
            }
            Self::Format => {
                check(sets)?;
                Ok(None)
            }
        }
    }
}

/// Refuses a store whose format this crate does not read. The format is in the last row set.
fn check(sets: &[RowSet]) -> Result<(), Error> {
    let last = sets.len().saturating_sub(1);
    let Some(mut row) = rows(set(sets, last)?, "lg_format").next() else {
        return Err(Error::corrupt(
            "missing-format",
            "table lg_format is empty; restore the store, or drop the lg_ tables",
        ));
    };
    let format = row.integer("format")?;
    if format > i64::from(FORMAT) {
        return Err(newer(format.unsigned_abs(), "the store"));
    }
    Ok(())
}
