//! The errors of the planner, by the party at fault.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

/// What went wrong, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Fault {
    /// The stable code, for programs: lower case words joined by hyphens.
    pub code: String,
    /// The message, for people. It holds ids and names, never a value.
    pub message: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.message)
    }
}

/// How a store failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct StoreFault {
    /// What went wrong.
    pub fault: Fault,
    /// Whether part of the call may have been stored. If false, nothing was stored.
    #[cfg_attr(feature = "wasmtime", component(name = "maybe-stored"))]
    pub maybe_stored: bool,
}

impl std::fmt::Display for StoreFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.fault)
    }
}

/// The end of a message whose call may have been stored.
pub(crate) const MAYBE_STORED: &str = "some of it may be stored; the call may be repeated";

/// Who is at fault, and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum Error {
    /// The caller: the input is not acceptable. Nothing was stored.
    #[error("{0}")]
    #[cfg_attr(feature = "wasmtime", component(name = "invalid-input"))]
    InvalidInput(Fault),
    /// The store: what is stored is damaged or incomplete.
    #[error("{0}")]
    #[cfg_attr(feature = "wasmtime", component(name = "corrupt"))]
    Corrupt(Fault),
    /// The store holds a newer format than this planner reads.
    #[error("{0}")]
    #[cfg_attr(feature = "wasmtime", component(name = "unsupported-format"))]
    UnsupportedFormat(Fault),
    /// The host broke the rules of the drive loop, or the bytes are another planner's.
    #[error("{0}")]
    #[cfg_attr(feature = "wasmtime", component(name = "protocol"))]
    Protocol(Fault),
    /// The host's storage did not run a batch. The code is the host's. A planner never returns
    /// this.
    #[error("{0}")]
    #[cfg_attr(feature = "wasmtime", component(name = "storage"))]
    Storage(StoreFault),
    /// The store did not answer in time or refused for the moment, or others kept changing the
    /// thread. The call may be repeated.
    #[error("{0}")]
    #[cfg_attr(feature = "wasmtime", component(name = "unavailable"))]
    Unavailable(StoreFault),
    /// The store refused: a role, a token, a table or a policy is missing.
    #[error("{0}")]
    #[cfg_attr(feature = "wasmtime", component(name = "denied"))]
    Denied(StoreFault),
}

impl Error {
    pub(crate) fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::InvalidInput(Fault { code: code.to_owned(), message: message.into() })
    }

    pub(crate) fn corrupt(code: &'static str, message: impl Into<String>) -> Self {
        Self::Corrupt(Fault { code: code.to_owned(), message: message.into() })
    }

    pub(crate) fn protocol(code: &'static str, message: impl Into<String>) -> Self {
        Self::Protocol(Fault { code: code.to_owned(), message: message.into() })
    }

    /// The error of a call that started over again and again because others changed its thread.
    /// `what` is what the call does to it.
    pub(crate) fn thread_in_use(thread: &str, what: &str, maybe_stored: bool) -> Self {
        let message = format!("{thread} is changed again and again while it is {what}; try later");
        let fault = Fault { code: "thread-in-use".to_owned(), message };
        Self::Unavailable(StoreFault { fault, maybe_stored })
    }

    /// The error for an operation that is advanced after its end.
    pub(crate) fn ended_operation() -> Self {
        Self::protocol(
            "ended-operation",
            "an operation was advanced after its end; start another one",
        )
    }

    /// The error for an answer that is not of the need's case.
    pub(crate) fn wrong_answer() -> Self {
        Self::protocol(
            "wrong-answer",
            "the answer to an operation is not of the case that its need asks for; answer each \
             need with its own case",
        )
    }

    /// The same error for a call that has already sent rows. Whatever failed after that, the rows
    /// may be stored.
    #[must_use]
    pub fn after_sending(self) -> Self {
        match self {
            Self::Unavailable(store) => {
                Self::Unavailable(StoreFault { maybe_stored: true, ..store })
            }
            Self::Denied(store) => Self::Denied(StoreFault { maybe_stored: true, ..store }),
            Self::Storage(store) => Self::Storage(StoreFault { maybe_stored: true, ..store }),
            Self::InvalidInput(fault)
            | Self::Corrupt(fault)
            | Self::UnsupportedFormat(fault)
            | Self::Protocol(fault) => {
                let message = format!("{}; {MAYBE_STORED}", fault.message);
                let fault = Fault { message, ..fault };
                Self::Unavailable(StoreFault { fault, maybe_stored: true })
            }
        }
    }

    /// The fault, of every case.
    pub fn fault(&self) -> &Fault {
        match self {
            Self::InvalidInput(fault)
            | Self::Corrupt(fault)
            | Self::UnsupportedFormat(fault)
            | Self::Protocol(fault) => fault,
            Self::Storage(store) | Self::Unavailable(store) | Self::Denied(store) => &store.fault,
        }
    }

    /// The stable code of the fault.
    pub fn code(&self) -> &str {
        &self.fault().code
    }
}
