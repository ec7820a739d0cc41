//! What a search for threads among all has found.

use std::collections::VecDeque;

/// Threads that a search has found and not returned yet.
#[derive(Debug, Default)]
pub(crate) struct Found {
    search: Search,
    threads: VecDeque<String>,
}

/// What a search looks for: the thread that the next one comes after, what is idle, and runs.
pub(crate) type Search = (String, Option<String>, Vec<String>);

impl Found {
    /// The next thread of this search, which then goes on after that one; `None` if it has to look.
    pub(crate) fn next(&mut self, search: &Search) -> Option<String> {
        let next = self.threads.pop_front_if(|_| self.search == *search)?;
        self.search.0.clone_from(&next);
        Some(next)
    }

    /// Keeps what a search has found. It replaces what another one has.
    pub(crate) fn keep(&mut self, search: Search, threads: VecDeque<String>) {
        *self = Self { search, threads };
    }
}
