//! `deleteThread`: one round for a small thread.
//!
//! 1. Cut the thread off, and remove its first records and chunks.
//! 2. Remove the others, in batches.
//!
//! A crash leaves a thread that is there as a whole or gone. What is left of it then, the next
//! deletion of any thread removes.

use super::row::set;
use crate::contract::call::Config;
use crate::contract::config;
use crate::contract::error::Error;
use crate::contract::outcome::Outcome;
use crate::contract::statement::RowSet;
use crate::operations::ask::{Ask, Step};

/// Whether the thread was cut off.
#[derive(Debug)]
pub(super) struct DeleteThread {
    is_cut_off: bool,
}

impl DeleteThread {
    #[inline(never)]
    pub(super) fn start(config: &Config) -> Result<(Self, Step), Error> {
        let thread_id = config::thread_id(config)?;
        let asks = vec![Ask::DeleteThread { thread_id }, Ask::SweepDeleted];
        Ok((Self { is_cut_off: false }, Step::Ask(asks)))
    }

    pub(super) fn advance(&mut self, sets: &[RowSet]) -> Result<Step, Error> {
        let swept = set(sets, usize::from(!self.is_cut_off))?;
        self.is_cut_off = true;
        if swept.rows.is_empty() {
            return Ok(Step::Done(Outcome::Deleted));
        }
        Ok(Step::ask(Ask::SweepDeleted))
    }
}
