//! Acknowledged rows that were lost with a failed instance before they were ingested. The callers
//! who would otherwise take them for stored are told.

use std::collections::BTreeSet;

use crate::error::{ComponentError, ComponentErrorKind, Error};

/// Who calls.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    /// A call on one thread.
    Thread(String),
    /// A list of all threads.
    All,
    /// A flush.
    Flush,
    /// The timer: nobody to tell.
    Nobody,
}

/// What waits in the current instance of a lane, and what was lost with earlier ones.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// The threads that may have waiting rows.
    waiting: BTreeSet<String>,
    /// The threads that lost rows and whose callers have not been told.
    threads: BTreeSet<String>,
    /// How many threads lost rows since a list of all threads last reported it.
    list: usize,
    /// The same for a flush.
    flush: usize,
    /// The same for `close`.
    close: usize,
}

impl Losses {
    /// Records a call: whether it wrote, and whether rows wait after it.
    pub(super) fn note(&mut self, caller: &Caller, wrote: bool, waits: bool) {
        if !waits {
            self.waiting.clear();
        } else if let (true, Caller::Thread(thread)) = (wrote, caller) {
            self.waiting.insert(thread.clone());
        }
    }

    /// Records that the instance is lost.
    pub(super) fn lose(&mut self) {
        let lost = self.waiting.len();
        self.threads.append(&mut self.waiting);
        self.list += lost;
        self.flush += lost;
        self.close += lost;
    }

    /// Fails if rows that concern the caller were lost and it has not been told. Its call is then
    /// not made.
    pub(super) fn tell(&mut self, caller: &Caller) -> Result<(), Error> {
        match caller {
            Caller::Thread(thread) if self.threads.remove(thread) => Err(lost(1)),
            Caller::All => some(std::mem::take(&mut self.list)),
            Caller::Flush => some(std::mem::take(&mut self.flush)),
            Caller::Thread(_) | Caller::Nobody => Ok(()),
        }
    }

    /// The error for `close`, whether or not others have been told before.
    pub(super) fn at_the_end(&self) -> Result<(), Error> {
        some(self.close)
    }
}

fn some(threads: usize) -> Result<(), Error> {
    if threads == 0 { Ok(()) } else { Err(lost(threads)) }
}

fn lost(threads: usize) -> Error {
    let message = format!(
        "acknowledged rows of {threads} thread(s) were lost with the instance that they waited in, \
         because one of its calls failed; nothing was done for this call: repeat it, read what \
         the store has, and put again what is missing"
    );
    ComponentError::bare(ComponentErrorKind::RowsLost, message).into()
}
