//! A thread that a call looks for by its id, or one after the other.

use super::row::rows;
use crate::contract::error::Error;
use crate::contract::statement::RowSet;
use crate::operations::ask::{Ask, Step};

/// A thread, as it was when it was found. It differs from one of the same id that was made anew, or
/// pruned since.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct FoundThread {
    pub(super) key: i64,
    pub(super) id: String,
    pub(super) generation: i64,
}

impl FoundThread {
    /// Asks for the thread with this id.
    pub(super) fn ask(id: &str) -> Step {
        Self::ask_after((0, String::new()), Some(id.to_owned()))
    }

    /// Asks for the first thread after this key and id, or for the one with an id.
    pub(super) fn ask_after(after: (i64, String), thread_id: Option<String>) -> Step {
        Step::ask(Ask::FindThread { after, thread_id, idle: None, runs: Vec::new() })
    }

    /// The answer; `None` if there is no such thread.
    pub(super) fn of(set: &RowSet) -> Result<Option<Self>, Error> {
        let Some(mut row) = rows(set, "lg_threads").next() else { return Ok(None) };
        let key = row.integer("thread_key")?;
        let id = row.text("thread_id")?.to_owned();
        Ok(Some(Self { key, id, generation: row.integer("generation")? }))
    }
}
