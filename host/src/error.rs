//! What can go wrong with a call, by the party at fault.

use std::error::Error as Source;
use std::fmt;

use langgraph_checkpoint_guest as guest;
pub use langgraph_checkpoint_guest::{Fault, StoreFault};

use crate::storage::{StorageError, StorageErrorKind, Stored};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The planner's component failed. The next call gets a new instance. Batches that were already
    /// answered stay stored.
    #[error(transparent)]
    Component(ComponentError),
    /// The store holds damaged or incomplete data.
    #[error("{0}")]
    Corrupt(Fault),
    /// A store on the network refused the call: a role, a token, a table or a policy is missing.
    #[error("{0}")]
    Denied(StoreFault),
    /// The input is not acceptable. Nothing was stored.
    #[error("{0}")]
    InvalidInput(Fault),
    /// This crate and the planner disagree: one of them has a defect, or the component has another
    /// version.
    #[error("{0}")]
    Protocol(Fault),
    /// The store did not run a batch.
    #[error(transparent)]
    Storage(StorageError),
    /// A store on the network did not answer in time or refused temporarily, or others kept
    /// changing the thread. The call may be repeated.
    #[error("{0}")]
    Unavailable(StoreFault),
    /// The store holds a newer format than the planner reads.
    #[error("{0}")]
    UnsupportedFormat(Fault),
}

impl Error {
    /// The stable code, for programs.
    pub fn code(&self) -> &str {
        match self {
            Self::Component(error) => error.kind().code(),
            Self::Corrupt(fault)
            | Self::InvalidInput(fault)
            | Self::Protocol(fault)
            | Self::UnsupportedFormat(fault) => &fault.code,
            Self::Storage(error) => error.code(),
            Self::Unavailable(store) | Self::Denied(store) => &store.fault.code,
        }
    }

    pub(crate) fn invalid(code: &'static str, message: &str) -> Self {
        Self::InvalidInput(Fault { code: code.to_owned(), message: message.to_owned() })
    }

    /// The embedding's credential gave no token. Its error is not shown, because it may contain
    /// anything.
    #[cfg(feature = "kusto")]
    pub(crate) fn no_token() -> Self {
        let message = "the credential gave no token; see its own log".to_owned();
        let fault = Fault { code: "login-failed".to_owned(), message };
        Self::Unavailable(StoreFault { fault, maybe_stored: false })
    }

    pub(crate) fn protocol(code: &'static str, message: &str) -> Self {
        Self::Protocol(Fault { code: code.to_owned(), message: message.to_owned() })
    }

    /// A call ended in what another one returns.
    pub(crate) fn other_outcome() -> Self {
        Self::protocol(
            "wrong-outcome",
            "the component returned the outcome of another call; use a component and a host of \
             the same version",
        )
    }
}

impl From<guest::Error> for Error {
    fn from(error: guest::Error) -> Self {
        match error {
            guest::Error::InvalidInput(fault) => Self::InvalidInput(fault),
            guest::Error::Corrupt(fault) => Self::Corrupt(fault),
            guest::Error::UnsupportedFormat(fault) => Self::UnsupportedFormat(fault),
            guest::Error::Protocol(fault) => Self::Protocol(fault),
            guest::Error::Storage(store) | guest::Error::Unavailable(store) => {
                Self::Unavailable(store)
            }
            guest::Error::Denied(store) => Self::Denied(store),
        }
    }
}

impl From<ComponentError> for Error {
    fn from(error: ComponentError) -> Self {
        Self::Component(error)
    }
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        match error.kind() {
            StorageErrorKind::Forbidden
            | StorageErrorKind::NotProvisioned
            | StorageErrorKind::Unauthorized => {
                let fault = Fault { code: error.code().to_owned(), message: error.to_string() };
                let maybe_stored = error.stored() == Stored::Unknown;
                Self::Denied(StoreFault { fault, maybe_stored })
            }
            _ => Self::Storage(error),
        }
    }
}

/// How a component failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ComponentErrorKind {
    /// It returned more at once than its limit.
    AnswerLimit,
    /// No place to run became free in time.
    Busy,
    /// The host had no address space or memory for another instance.
    HostMemory,
    /// It asked for more memory than its limit.
    MemoryLimit,
    /// Acknowledged rows that waited to be ingested were lost with a failed instance. Each caller
    /// concerned gets this error once.
    RowsLost,
    /// It ran longer than its limit.
    Timeout,
    /// It trapped.
    Trap,
    /// It could not be read or compiled, or is not a planner of this version.
    Unusable,
}

impl ComponentErrorKind {
    /// The stable name, for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::AnswerLimit => "component-answer-limit",
            Self::Busy => "component-busy",
            Self::HostMemory => "component-host-memory",
            Self::MemoryLimit => "component-memory-limit",
            Self::RowsLost => "component-rows-lost",
            Self::Timeout => "component-timeout",
            Self::Trap => "component-trap",
            Self::Unusable => "component-unusable",
        }
    }
}

/// A failure of a component.
#[derive(Debug)]
pub struct ComponentError {
    kind: ComponentErrorKind,
    message: String,
    stored: Stored,
    source: Option<Box<dyn Source + Send + Sync>>,
}

impl ComponentError {
    #[cfg(feature = "component")]
    pub(crate) fn new(
        kind: ComponentErrorKind,
        message: impl Into<String>,
        source: impl Into<Box<dyn Source + Send + Sync>>,
    ) -> Self {
        Self { source: Some(source.into()), ..Self::bare(kind, message) }
    }

    /// A failure without a cause.
    #[cfg(feature = "component")]
    pub(crate) fn bare(kind: ComponentErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), stored: Stored::Nothing, source: None }
    }

    /// The same failure, after a write batch was run.
    pub(crate) fn with_unknown_effect(mut self) -> Self {
        self.stored = Stored::Unknown;
        self
    }

    /// The kind of failure.
    pub fn kind(&self) -> ComponentErrorKind {
        self.kind
    }

    /// Whether the call may have stored something.
    pub fn stored(&self) -> Stored {
        self.stored
    }
}

impl fmt::Display for ComponentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Source for ComponentError {
    fn source(&self) -> Option<&(dyn Source + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
