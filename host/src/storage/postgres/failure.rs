//! PostgreSQL's failures as storage errors.

use std::error::Error as _;
use std::io;

use deadpool_postgres::PoolError;
use tokio_postgres::Error;
use tokio_postgres::error::DbError;

use crate::storage::{StorageError, StorageErrorKind as Kind};

/// Why an attempt failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: StorageError,
    /// Whether the batch may succeed if it is run again.
    pub(super) is_temporary: bool,
    /// Whether the connection can be used again.
    pub(super) keeps_connection: bool,
    /// Whether the server said so itself.
    pub(super) is_answer: bool,
}

/// What follows from a condition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// The connection is lost.
    Lost,
    /// Repeating may help.
    Temporary,
    /// Repeating does not help.
    Final,
}

/// PostgreSQL's conditions by their codes, or the first two characters of those.
const CONDITIONS: [(&str, Effect, Kind, &str); 20] = [
    ("08", Effect::Lost, Kind::Unreachable, "the connection to PostgreSQL failed"),
    ("57P01", Effect::Lost, Kind::Unreachable, "PostgreSQL was shut down, or ended the session"),
    ("57P02", Effect::Lost, Kind::Unreachable, "PostgreSQL crashed"),
    ("57P03", Effect::Lost, Kind::Unreachable, "PostgreSQL does not accept connections yet"),
    ("57P05", Effect::Lost, Kind::Unreachable, "PostgreSQL ended an idle session"),
    ("53300", Effect::Lost, Kind::Busy, "PostgreSQL has no connection left"),
    ("40", Effect::Temporary, Kind::Busy, "other transactions kept this one from ending"),
    ("55P03", Effect::Temporary, Kind::Busy, "another transaction held a lock too long"),
    ("57014", Effect::Final, Kind::Timeout, "a statement took longer than its statement_timeout"),
    ("25006", Effect::Final, Kind::ReadOnly, "the server or the session is read-only"),
    ("53100", Effect::Final, Kind::Full, "the server's disk is full"),
    ("54", Effect::Final, Kind::TooLarge, "a value is larger than PostgreSQL takes"),
    ("XX001", Effect::Final, Kind::Damaged, "PostgreSQL found its files damaged"),
    ("XX002", Effect::Final, Kind::Damaged, "PostgreSQL found an index damaged"),
    ("28", Effect::Final, Kind::Unauthorized, UNAUTHORIZED),
    ("42501", Effect::Final, Kind::Forbidden, "the role lacks a right"),
    ("3D000", Effect::Final, Kind::NotProvisioned, "the database does not exist"),
    ("3F000", Effect::Final, Kind::NotProvisioned, "the schema does not exist; run setup"),
    ("42P01", Effect::Final, Kind::NotProvisioned, "a table does not exist; run setup"),
    ("", Effect::Final, Kind::Failed, "PostgreSQL failed; the source of this error says why"),
];

const UNAUTHORIZED: &str = "PostgreSQL refused the login; check user and password";
const UNREACHABLE: &str = "PostgreSQL cannot be reached; the source of this error says why";

impl Failure {
    /// The failure of a statement.
    pub(super) fn of(error: Error, writes: bool) -> Self {
        if let Some(answer) = error.as_db_error() {
            return Self::answered(answer.clone(), writes);
        }
        if is_lost(&error) {
            return Self::lost(Kind::Unreachable, UNREACHABLE, writes).because(error);
        }
        let message = "the driver failed at a batch; the source of this error says why";
        Self::new(Effect::Final, Kind::Failed, message, writes).because(error)
    }

    /// The failure to get a connection.
    pub(super) fn unconnected(error: PoolError) -> Self {
        if matches!(error, PoolError::Closed) {
            let message = "the store was closed; open another one";
            return Self::new(Effect::Final, Kind::Closed, message, false);
        }
        let cause = error.source().and_then(|source| source.downcast_ref::<Error>());
        let failure = match cause {
            Some(cause) => match cause.as_db_error() {
                Some(answer) => return Self::answered(answer.clone(), false),
                None if is_refusal(cause) => {
                    Self::new(Effect::Final, Kind::Unauthorized, UNAUTHORIZED, false)
                }
                None if is_lost(cause) => Self::lost(Kind::Unreachable, UNREACHABLE, false),
                None => Self::new(Effect::Final, Kind::Unreachable, UNREACHABLE, false),
            },
            None => Self::new(Effect::Final, Kind::Unreachable, UNREACHABLE, false),
        };
        failure.because(error)
    }

    /// The failure of a batch for which there was no connection before its deadline.
    pub(super) fn no_connection(was_there: bool) -> Self {
        let (kind, message) = if was_there {
            (
                Kind::Busy,
                "no connection of the pool became free in time; give it more, or call less at once",
            )
        } else {
            (Kind::Unreachable, "PostgreSQL cannot be reached: no connection was there in time")
        };
        Self::new(Effect::Final, kind, message, false)
    }

    /// The failure of a batch that has no answer at its deadline.
    pub(super) fn late(writes: bool) -> Self {
        let message = "PostgreSQL did not answer a batch within the deadline";
        Self { is_temporary: false, ..Self::lost(Kind::Timeout, message, writes) }
    }

    /// The failure of an agent's batch whose answer exceeds a limit. Its transaction may have ended
    /// before its answer was read.
    pub(super) fn beyond(error: StorageError, writes: bool) -> Self {
        Self {
            error: if writes { error.with_unknown_effect() } else { error },
            is_temporary: false,
            keeps_connection: false,
            is_answer: true,
        }
    }

    /// What the server answered.
    fn answered(answer: DbError, writes: bool) -> Self {
        let code = answer.code().code();
        let applies = |(of, ..): &&(&str, Effect, Kind, &str)| code == *of || code.starts_with(of);
        let (_, effect, kind, what) = CONDITIONS.iter().find(applies).unwrap_or(&CONDITIONS[0]);
        // What a statement fails with undoes its transaction. A lost session may have committed.
        let maybe_stored = writes && *effect == Effect::Lost;
        let message = match kind {
            // These name roles and tables, and no value.
            Kind::Unauthorized | Kind::Forbidden | Kind::NotProvisioned => {
                format!("{what}: {}", answer.message())
            }
            _ => (*what).to_owned(),
        };
        Self { is_answer: true, ..Self::new(*effect, *kind, &message, maybe_stored) }
            .because(answer)
    }

    fn lost(kind: Kind, message: &str, writes: bool) -> Self {
        Self::new(Effect::Lost, kind, message, writes)
    }

    fn new(effect: Effect, kind: Kind, message: &str, maybe_stored: bool) -> Self {
        let error = StorageError::new(kind, message);
        Self {
            error: if maybe_stored { error.with_unknown_effect() } else { error },
            is_temporary: effect != Effect::Final,
            keeps_connection: effect != Effect::Lost,
            is_answer: false,
        }
    }

    fn because(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { error: self.error.with_source(source), ..self }
    }
}

/// Whether a connection is gone, or was never there.
fn is_lost(error: &Error) -> bool {
    // An error of TLS is one of the socket too.
    let is_of_tls = || error.to_string().contains("TLS");
    let source = error.source();
    error.is_closed()
        || source.is_some_and(|source| source.is::<io::Error>() && !is_of_tls())
        || error.to_string().starts_with("timeout")
}

/// Whether the driver itself refused to log in: without a password, or at a server that proves
/// nothing.
fn is_refusal(error: &Error) -> bool {
    let message = error.to_string();
    message == "authentication error" || message == "invalid configuration"
}
