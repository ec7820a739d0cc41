//! What was acknowledged, waited in an instance to be ingested, and went with it: it is told to
//! whoever would otherwise take it for stored.

use std::collections::BTreeSet;

use crate::error::{ComponentError, ComponentErrorKind, Error};

/// Who calls.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    /// Somebody who is concerned with one thread.
    Thread(String),
    /// Somebody who lists all threads.
    All,
    /// Somebody who flushes.
    Flush,
    /// Nobody who hears of anything: the clock.
    Nobody,
}

/// What waits in the instance of a lane, and what was lost with those before it.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// The threads of which something may wait.
    waiting: BTreeSet<String>,
    /// The threads that lost something and whose callers have not heard of it.
    threads: BTreeSet<String>,
    /// How many threads lost something that a list of all threads has not told of.
    list: usize,
    /// The same of a flush.
    flush: usize,
    /// The same of the end.
    close: usize,
}

impl Losses {
    /// Notes a call that wrote, and whether anything waits after it.
    pub(super) fn note(&mut self, caller: &Caller, wrote: bool, waits: bool) {
        if !waits {
            self.waiting.clear();
        } else if let (true, Caller::Thread(thread)) = (wrote, caller) {
            self.waiting.insert(thread.clone());
        }
    }

    /// Notes that the instance is gone.
    pub(super) fn lose(&mut self) {
        let lost = self.waiting.len();
        self.threads.append(&mut self.waiting);
        self.list += lost;
        self.flush += lost;
        self.close += lost;
    }

    /// The error for a caller who has not heard of what concerns it; its call is not made.
    pub(super) fn tell(&mut self, caller: &Caller) -> Result<(), Error> {
        match caller {
            Caller::Thread(thread) if self.threads.remove(thread) => Err(lost(1)),
            Caller::All => some(std::mem::take(&mut self.list)),
            Caller::Flush => some(std::mem::take(&mut self.flush)),
            Caller::Thread(_) | Caller::Nobody => Ok(()),
        }
    }

    /// The error at the end, whoever has heard of it before.
    pub(super) fn at_the_end(&self) -> Result<(), Error> {
        some(self.close)
    }
}

fn some(threads: usize) -> Result<(), Error> {
    if threads == 0 { Ok(()) } else { Err(lost(threads)) }
}

fn lost(threads: usize) -> Error {
    let message = format!(
        "what was acknowledged of {threads} thread(s) and waited to be ingested is lost with the \
         instance that it waited in, whose call failed; nothing was done for this call: repeat \
         it, read what the store has, and put what is missing again"
    );
    ComponentError::bare(ComponentErrorKind::RowsLost, message).into()
}
