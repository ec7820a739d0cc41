//! The errors for what fails in a component.

use super::limits;
use crate::error::{ComponentError, ComponentErrorKind};

/// The error for a component that cannot be loaded.
pub(crate) fn unusable(error: impl Into<wasmtime::Error>) -> ComponentError {
    ComponentError::new(
        ComponentErrorKind::Unusable,
        "the component could not be loaded, or is of another version; build it from the same \
         source as this crate",
        error.into(),
    )
}

/// The error for a failed entry into an instance.
pub(crate) fn failed(error: wasmtime::Error) -> ComponentError {
    let (kind, message) = if error.is::<limits::MemoryLimitReached>() {
        (
            ComponentErrorKind::MemoryLimit,
            "the component asked for more memory than Limits::memory_bytes_max; raise it, or \
             store less in one checkpoint",
        )
    } else if error.is::<limits::TimeLimitReached>() {
        (
            ComponentErrorKind::Timeout,
            "the component ran longer than Limits::time_limit; raise it, or store less in one \
             checkpoint",
        )
    } else if gave_too_much(&error) {
        (
            ComponentErrorKind::AnswerLimit,
            "the component returned more at once than Limits::answer_bytes_max; raise it, or \
             store less in one checkpoint",
        )
    } else {
        (
            ComponentErrorKind::Trap,
            "the component trapped, which is a defect; its instance was replaced, the call may \
             be tried again",
        )
    };
    ComponentError::new(kind, message, error)
}

/// The error for a failed instantiation. The component itself does almost nothing there, so a
/// failure that is neither a limit nor a trap means that the host has no memory.
pub(crate) fn not_instantiated(error: wasmtime::Error) -> ComponentError {
    let limited =
        error.is::<limits::MemoryLimitReached>() || error.is::<limits::TimeLimitReached>();
    if limited || error.is::<wasmtime::Trap>() {
        return failed(error);
    }
    ComponentError::new(
        ComponentErrorKind::HostMemory,
        "the host had no memory or address space for another instance; nothing was done; \
         lower Limits::instances_max, or raise the process's limit of address space",
        error,
    )
}

/// Whether wasmtime refused a result of the component because it was too large. wasmtime has no
/// error type for this.
fn gave_too_much(error: &wasmtime::Error) -> bool {
    error.chain().any(|cause| cause.to_string().contains("fuel allocated for hostcalls"))
}
