//! `deleteThread`: one round. A crash before the commit leaves the whole thread.

use crate::contract::call::Config;
use crate::contract::config;
use crate::contract::error::Error;
use crate::contract::outcome::Outcome;
use crate::operations::ask::{Ask, Step};

/// The operation has no state.
#[derive(Debug)]
pub(super) struct DeleteThread;

impl DeleteThread {
    #[inline(never)]
    pub(super) fn start(config: &Config) -> Result<(Self, Step), Error> {
        let thread_id = config::thread_id(config)?;
        Ok((Self, Step::ask(Ask::DeleteThread { thread_id })))
    }

    pub(super) fn advance(&mut self) -> Result<Step, Error> {
        Ok(Step::Done(Outcome::Deleted))
    }
}
