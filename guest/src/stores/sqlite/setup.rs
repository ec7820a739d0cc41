//! `setup`.
//!
//! 1. Read: is there a store?
//! 2. Read its format, or make every table.
//!
//! A crash before a commit leaves nothing of that round.

use crate::contract::error::Error;
use crate::contract::outcome::Outcome;
use crate::contract::statement::RowSet;
use crate::format::{FORMAT, newer};
use crate::operations::row::rows;
use crate::operations::{Progress, set};
use crate::stores::sqlite;

/// Which answer comes next.
#[derive(Debug)]
pub(crate) enum Setup {
    Found,
    Format,
}

impl Setup {
    pub(crate) fn start() -> (Self, Progress) {
        (Self::Found, Progress::read(vec![sqlite::find_tables()]))
    }

    #[inline(never)]
    pub(crate) fn advance(&mut self, sets: &[RowSet]) -> Result<Progress, Error> {
        match self {
            Self::Found => {
                *self = Self::Format;
                if !set(sets, 0)?.rows.is_empty() {
                    return Ok(Progress::read(vec![sqlite::read_format()]));
                }
                let mut statements = sqlite::create();
                statements.push(sqlite::insert_format());
                // Another process may have made the tables in the meantime.
                statements.push(sqlite::read_format());
                Ok(Progress::write(statements))
            }
            Self::Format => {
                check(sets)?;
                Ok(Progress::Done(Outcome::Ready))
            }
        }
    }
}

/// Refuses a store that is not of a format this crate reads; the last set has it.
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
