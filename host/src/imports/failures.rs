//! The host's errors, as agents see them.

use langgraph_checkpoint_guest as guest;
use langgraph_checkpoint_guest::{Fault, StoreFault};

use crate::error::{ComponentErrorKind, Error};
use crate::storage::{StorageError, Stored};

/// A failure of the store.
pub(super) fn of_storage(error: &StorageError) -> StoreFault {
    let fault = Fault { code: error.code().to_owned(), message: error.to_string() };
    StoreFault { fault, maybe_stored: error.stored() == Stored::Unknown }
}

/// A failure of a call.
pub(super) fn of_call(error: Error) -> guest::Error {
    match error {
        Error::InvalidInput(fault) => guest::Error::InvalidInput(fault),
        Error::Corrupt(fault) => guest::Error::Corrupt(fault),
        Error::UnsupportedFormat(fault) => guest::Error::UnsupportedFormat(fault),
        Error::Protocol(fault) => guest::Error::Protocol(fault),
        Error::Unavailable(store) => guest::Error::Unavailable(store),
        Error::Denied(store) => guest::Error::Denied(store),
        Error::Storage(store) => guest::Error::Storage(of_storage(&store)),
        Error::Component(component) => {
            let code = component.kind().code().to_owned();
            let fault = Fault { code, message: component.to_string() };
            let maybe_stored = component.stored() == Stored::Unknown;
            let fault = StoreFault { fault, maybe_stored };
            match component.kind() {
                // Temporary, or at least the next instance is another one.
                ComponentErrorKind::Busy
                | ComponentErrorKind::HostMemory
                | ComponentErrorKind::RowsLost
                | ComponentErrorKind::Trap => guest::Error::Unavailable(fault),
                // Repeating the same call would fail again.
                ComponentErrorKind::AnswerLimit
                | ComponentErrorKind::MemoryLimit
                | ComponentErrorKind::Timeout
                | ComponentErrorKind::Unusable => guest::Error::Denied(fault),
            }
        }
    }
}
