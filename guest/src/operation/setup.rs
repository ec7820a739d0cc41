//! `setup`.
//!
//! 1. Read: is there a table of the format?
//! 2. Read its format, or make every table. A crash before the commit leaves nothing.

use super::{Progress, set};
use crate::dialect::sqlite;
use crate::error::Error;
use crate::format::{FORMAT, newer};
use crate::outcome::Outcome;
use crate::row::rows;
use crate::statement::RowSet;

/// Which answer comes next.
#[derive(Debug)]
pub(super) enum Setup {
    Found,
    Read,
    Created,
}

impl Setup {
    pub(super) fn start() -> (Self, Progress) {
        (Self::Found, Progress::read(vec![sqlite::find_format()]))
    }

    #[inline(never)]
    pub(super) fn advance(&mut self, sets: &[RowSet]) -> Result<Progress, Error> {
        match self {
            Self::Found if set(sets, 0)?.rows.is_empty() => {
                *self = Self::Created;
                let mut statements = sqlite::create();
                statements.push(sqlite::insert_format());
                // Another process may have made the tables in the meantime.
                statements.push(sqlite::read_format());
                Ok(Progress::write(statements))
            }
            Self::Found => {
                *self = Self::Read;
                Ok(Progress::read(vec![sqlite::read_format()]))
            }
            Self::Read | Self::Created => {
                let last = sets.len().saturating_sub(1);
                match rows(set(sets, last)?, "lg_format").next() {
                    Some(mut row) => check(row.integer("format")?),
                    None => Err(Error::corrupt(
                        "missing-format",
                        "table lg_format is empty; restore the store, or drop the lg_ tables",
                    )),
                }
            }
        }
    }
}

fn check(format: i64) -> Result<Progress, Error> {
    if format > i64::from(FORMAT) {
        return Err(newer(format.unsigned_abs(), "the store"));
    }
    Ok(Progress::Done(Outcome::Ready))
}
