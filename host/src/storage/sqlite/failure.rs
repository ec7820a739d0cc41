//! SQLite's failures as storage errors, and waiting for locks.

use std::hash::BuildHasher;
use std::time::{Duration, Instant};

use rusqlite::ErrorCode;

use crate::storage::{StorageError, StorageErrorKind};

/// The first pause between two attempts to get a lock.
const PAUSE_MIN: Duration = Duration::from_micros(500);
/// The longest pause. SQLite's own handler waits up to 100 ms; meanwhile a connection that writes
/// without a break takes the lock again and again, and the waiting one starves.
const PAUSE_MAX: Duration = Duration::from_millis(10);

/// The storage error for a failure of SQLite.
pub(super) fn storage_error(error: rusqlite::Error) -> StorageError {
    let kind = kind(&error);
    let message = match kind {
        StorageErrorKind::Unreachable if no_descriptor_is_left() => {
            "no file descriptor is left for the SQLite database; close some files, or raise the \
             limit of the process (ulimit -n)"
        }
        kind => message(kind),
    };
    StorageError::new(kind, message).with_source(error)
}

/// The same for `COMMIT`: after a device failure it is not known whether it took effect.
pub(super) fn commit_error(error: rusqlite::Error) -> StorageError {
    let unknown = error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure);
    let error = storage_error(error);
    if unknown { error.with_unknown_effect() } else { error }
}

/// Whether the process or the system has no file descriptor left (EMFILE, ENFILE). SQLite reports
/// this like a missing file.
fn no_descriptor_is_left() -> bool {
    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    let opened = std::fs::File::open(".");
    cfg!(unix)
        && opened.is_err_and(|error| {
            error.raw_os_error().is_some_and(|code| [EMFILE, ENFILE].contains(&code))
        })
}

fn kind(error: &rusqlite::Error) -> StorageErrorKind {
    match error.sqlite_error_code() {
        // The last is a race for the write-ahead log's locks, which is temporary like a lock.
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed,
        ) => StorageErrorKind::Busy,
        Some(ErrorCode::ReadOnly) => StorageErrorKind::ReadOnly,
        Some(ErrorCode::NotADatabase) => StorageErrorKind::NotADatabase,
        Some(ErrorCode::DatabaseCorrupt) => StorageErrorKind::Damaged,
        Some(ErrorCode::DiskFull) => StorageErrorKind::Full,
        Some(ErrorCode::AuthorizationForStatementDenied) => StorageErrorKind::Refused,
        Some(ErrorCode::TooBig) => StorageErrorKind::TooLarge,
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => StorageErrorKind::Unreachable,
        _ => StorageErrorKind::Failed,
    }
}

fn message(kind: StorageErrorKind) -> &'static str {
    match kind {
        StorageErrorKind::Busy => {
            "another connection held the SQLite database's lock past the deadline; try again, or \
             raise busy_deadline (in Python busy_timeout)"
        }
        StorageErrorKind::ReadOnly => {
            "the SQLite database is read-only; open it for writing, or allow writing to the \
             file and its directory"
        }
        StorageErrorKind::NotADatabase => "the file is not a SQLite database; name another path",
        StorageErrorKind::Damaged => "the SQLite database is damaged; restore it from a copy",
        StorageErrorKind::Full => {
            "no space is left for the SQLite database; free some and try again"
        }
        StorageErrorKind::TooLarge => {
            "a value is larger than SQLite stores (one billion bytes, if no less is set); store \
             less in one channel"
        }
        StorageErrorKind::Refused => {
            "a statement does what an agent may not do; an agent may only send the SQL of the \
             component checkpointer"
        }
        StorageErrorKind::Unreachable => {
            "the SQLite database could not be opened; check that its directory exists and may be \
             written to, and that the path is a file"
        }
        _ => "SQLite failed to run a statement; the source of this error says why",
    }
}

/// Repeats an attempt while the store is busy, until the deadline. Attempts at least once.
pub(super) fn retry_while_busy<T>(
    deadline: Instant,
    mut attempt: impl FnMut() -> Result<T, StorageError>,
) -> Result<T, StorageError> {
    let mut pause = PAUSE_MIN;
    loop {
        let error = match attempt() {
            Err(error) if error.kind() == StorageErrorKind::Busy => error,
            done => return done,
        };
        let rest = deadline.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            return Err(error);
        }
        tracing::debug!(rest_ms = rest.as_millis(), "the database is locked; waiting");
        std::thread::sleep(jittered(pause).min(rest));
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// A random time between half the pause and the whole, so that two waiting connections do not stay
/// in step.
fn jittered(pause: Duration) -> Duration {
    let random = std::hash::RandomState::new().hash_one(pause);
    let share = f64::from(u32::try_from(random >> 32).unwrap_or(0)) / f64::from(u32::MAX);
    pause.mul_f64(0.5 + share / 2.0)
}
