//! `deleteThread`: one round. A crash before the commit leaves the thread whole.

use super::Progress;
use crate::call::Config;
use crate::config;
use crate::dialect::sqlite;
use crate::error::Error;
use crate::outcome::Outcome;

/// Nothing to remember.
#[derive(Debug)]
pub(super) struct DeleteThread;

impl DeleteThread {
    pub(super) fn start(config: &Config) -> Result<(Self, Progress), Error> {
        let thread_id = config::thread_id(config)?;
        Ok((Self, Progress::write(sqlite::delete_thread(&thread_id))))
    }

    pub(super) fn advance(&mut self) -> Result<Progress, Error> {
        Ok(Progress::Done(Outcome::Deleted))
    }
}
