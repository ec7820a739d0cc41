//! How a command ends.

use std::process::ExitCode;

use langgraph_checkpoint_host::Error;

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// How a command ended, as the process's exit code.
#[derive(Clone, Copy)]
pub(crate) enum Ended {
    /// All was done.
    Done = 0,
    /// Something was not found, damaged or left out. The output says what.
    Incomplete = 1,
    /// The command line was wrong. Nothing was done.
    Usage = 2,
    /// A store could not be used.
    Failed = 3,
}

impl From<Ended> for ExitCode {
    fn from(ended: Ended) -> Self {
        Self::from(ended as u8)
    }
}

/// Why a command did not run to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line was wrong.
    Usage(String),
    /// A store could not be used.
    Store(Error),
    /// Something outside of the stores failed.
    Outside(String),
}

impl Failure {
    pub(crate) fn usage(why: impl Into<String>) -> Self {
        Self::Usage(why.into())
    }

    pub(crate) fn io(what: &str, error: &std::io::Error) -> Self {
        Self::Outside(format!("{what}: {error}"))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}
