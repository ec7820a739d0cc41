//! `setup`.
//!
//! 1. Read: is there a store, and has it the tables of an earlier build?
//! 2. Read its format, or make every table.
//! 3. Only for the tables of an earlier build: move their rows.
//!
//! A crash before a commit leaves nothing of that round.

use super::{Progress, set};
use crate::dialect::sqlite;
use crate::error::Error;
use crate::format::{FORMAT, newer};
use crate::outcome::Outcome;
use crate::row::rows;
use crate::statement::{RowSet, Statement};

/// Which answer comes next.
#[derive(Debug)]
pub(super) enum Setup {
    Found,
    /// The format; `moves` when the rows are in the tables of an earlier build.
    Read {
        moves: bool,
    },
    Made,
}

impl Setup {
    pub(super) fn start() -> (Self, Progress) {
        (Self::Found, Progress::read(vec![sqlite::find_tables()]))
    }

    #[inline(never)]
    pub(super) fn advance(&mut self, sets: &[RowSet]) -> Result<Progress, Error> {
        match self {
            Self::Found => match rows(set(sets, 0)?, "sqlite_master").next() {
                None => {
                    let mut statements = sqlite::create();
                    statements.push(sqlite::insert_format());
                    Ok(self.make(statements))
                }
                Some(mut first) => {
                    let moves = first.text("name")? != "lg_records";
                    *self = Self::Read { moves };
                    Ok(Progress::read(vec![sqlite::read_format()]))
                }
            },
            Self::Read { moves } => {
                let moves = *moves;
                check(sets)?;
                Ok(if moves { self.make(sqlite::move_rows()) } else { ready() })
            }
            Self::Made => {
                check(sets)?;
                Ok(ready())
            }
        }
    }

    fn make(&mut self, mut statements: Vec<Statement>) -> Progress {
        *self = Self::Made;
        // Another process may have made the tables in the meantime.
        statements.push(sqlite::read_format());
        Progress::write(statements)
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

fn ready() -> Progress {
    Progress::Done(Outcome::Ready)
}
