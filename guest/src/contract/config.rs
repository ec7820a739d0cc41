//! Parses a caller's identifiers. Only this module decides which are acceptable, and what an absent
//! one means.

#[cfg(feature = "kusto")]
use crate::contract::call::Call;
use crate::contract::call::{Config, Id};
use crate::contract::error::Error;

/// The longest identifier, in bytes of UTF-8.
pub(crate) const ID_BYTES_MAX: usize = 1024;

/// The longest task path, in bytes of UTF-8: it grows with the depth of pushed tasks.
pub(crate) const TASK_PATH_BYTES_MAX: usize = 16 * 1024;

/// The largest number that is accepted as an identifier: whole numbers up to 53 bits are exact.
const WHOLE_MAX: f64 = 9_007_199_254_740_991.0;

/// The thread and namespace of a call that needs both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// The thread.
    pub(crate) thread_id: String,
    /// The namespace.
    pub(crate) checkpoint_ns: String,
}

/// The `thread_id` of a call that needs one. Fails with `missing-thread-id` if it is absent or
/// empty.
pub(crate) fn thread_id(config: &Config) -> Result<String, Error> {
    match text("thread_id", &config.thread_id)? {
        Some(thread_id) if !thread_id.is_empty() => Ok(thread_id),
        _ => Err(Error::invalid(
            "missing-thread-id",
            "the config names no thread; pass a thread_id that is not empty",
        )),
    }
}

/// The `thread_id`, or `None` if it is absent.
pub(crate) fn optional_thread_id(config: &Config) -> Result<Option<String>, Error> {
    text("thread_id", &config.thread_id)
}

/// The thread that a call is about; `None` if it names none. The method decides whether the id is
/// acceptable.
#[cfg(feature = "kusto")]
pub(crate) fn thread_of(call: &Call) -> Option<String> {
    call.config().and_then(|config| optional_thread_id(config).ok().flatten())
}

/// The thread and namespace of a call that writes. An absent namespace is the root, `""`.
pub(crate) fn address(config: &Config) -> Result<Address, Error> {
    Ok(Address {
        thread_id: thread_id(config)?,
        checkpoint_ns: optional_checkpoint_ns(config)?.unwrap_or_default(),
    })
}

/// The `checkpoint_ns`, or `None` if it is absent.
pub(crate) fn optional_checkpoint_ns(config: &Config) -> Result<Option<String>, Error> {
    text("checkpoint_ns", &config.checkpoint_ns)
}

/// The `checkpoint_id`, or else the older `thread_ts`. `None` if both are absent or empty.
pub(crate) fn checkpoint_id(config: &Config) -> Result<Option<String>, Error> {
    let id = text("checkpoint_id", &config.checkpoint_id)?.filter(|id| !id.is_empty());
    match id {
        Some(id) => Ok(Some(id)),
        None => Ok(text("thread_ts", &config.thread_ts)?.filter(|id| !id.is_empty())),
    }
}

/// An identifier that must be given. Fails with `missing-id` if it is absent or empty; `name` is
/// for the error.
pub(crate) fn required(name: &'static str, id: &Id) -> Result<String, Error> {
    match text(name, id)? {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(Error::invalid("missing-id", format!("{name} is missing or empty; pass it"))),
    }
}

/// An identifier as text; `None` if it is absent. `name` is for the error.
pub(crate) fn text(name: &'static str, id: &Id) -> Result<Option<String>, Error> {
    let text = match id {
        Id::Absent => return Ok(None),
        Id::Text(text) => text.clone(),
        Id::Number(number) if number.fract() == 0.0 && number.abs() <= WHOLE_MAX => {
            format!("{}", *number as i64)
        }
        Id::Number(_) => {
            return Err(Error::invalid(
                "invalid-id",
                format!("{name} is a number that is not whole or not exact; pass text"),
            ));
        }
        Id::Unsupported(kind) => {
            return Err(Error::invalid(
                "invalid-id",
                format!("{name} is of type {kind}; pass text"),
            ));
        }
    };
    plain(name, &text, ID_BYTES_MAX)?;
    Ok(Some(text))
}

/// Refuses text that is too long for a key, or that holds U+0000, which not every store keeps.
pub(crate) fn plain(name: &str, text: &str, bytes_max: usize) -> Result<(), Error> {
    if text.len() > bytes_max {
        return Err(Error::invalid(
            "oversized-id",
            format!("{name} has {} bytes of UTF-8; at most {bytes_max} are kept", text.len()),
        ));
    }
    if text.contains('\0') {
        return Err(Error::invalid(
            "invalid-id",
            format!("{name} contains U+0000, which not every store keeps; leave it out"),
        ));
    }
    Ok(())
}

/// Refuses what does not begin as a time does: times are compared as text.
pub(crate) fn time(name: &str, ts: &str) -> Result<(), Error> {
    let shape = b"dddd-dd-ddTdd:dd:dd";
    let fits = ts.len() >= shape.len()
        && ts.bytes().zip(shape).all(|(byte, like)| match like {
            b'd' => byte.is_ascii_digit(),
            _ => byte == *like,
        });
    if fits && (ts.ends_with('Z') || ts.ends_with("+00:00")) {
        return Ok(());
    }
    Err(Error::invalid(
        "invalid-time",
        format!("{name} is not a time in UTC, as in 2027-01-31T12:00:00Z"),
    ))
}
