//! Sets up a database.
//!
//! 1. Read whether there is a store.
//! 2. Read its format, or make every table.
//!
//! A crash before a commit leaves nothing of that round.

use super::schema::{create, find_tables, insert_format, read_format};
use crate::contract::error::Error;
use crate::contract::statement::{Access, Batch, RowSet};
use crate::operations::set;
use crate::stores::sql::check_format;

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
                check_format(sets)?;
                Ok(None)
            }
        }
    }
}
