//! What a failure means: whether to try again, and what the caller is told.

use super::frames::{Refusal, refusal};
use crate::contract::error::{Error, Fault, MAYBE_STORED, StoreFault};
use crate::contract::http::HttpResponse;

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Try again.
    Transient,
    /// Try again later; after this many seconds if the service gives a number.
    Throttled(Option<u32>),
    /// Get another token and try once more.
    Unauthorized,
    /// A role is missing.
    Forbidden,
    /// The role that removes rows is missing.
    NotAdmin,
    /// The cluster or the table has streaming ingestion off.
    StreamingOff,
    /// The response is not Kusto's, or is incomplete: try again.
    Unreadable,
    /// The request is too large: send less at once.
    TooLarge,
    /// The result is too large: ask for less at once.
    ResultTooLarge,
    /// The table, a column or the mapping is missing.
    Missing,
    /// Trying again does not help.
    Permanent,
}

/// A failure of one request.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) class: Class,
    /// For people: status and code, and the request's id.
    pub(crate) words: String,
    /// Whether an attempt may have taken effect.
    pub(crate) maybe_done: bool,
}

/// The class of a response with a bad status, and the error in its body.
pub(crate) fn of_response(response: &HttpResponse, ingesting: bool) -> (Class, Refusal) {
    let refusal = refusal(&response.body);
    let class = match response.status {
        401 => Class::Unauthorized,
        403 => Class::Forbidden,
        404 if ingesting => Class::StreamingOff,
        413 => Class::TooLarge,
        429 => Class::Throttled(retry_after(response)),
        400 => of_refusal(&refusal),
        408 | 500..=599 => match of_refusal(&refusal) {
            // Some bad requests come back as server errors; the service marks them as permanent.
            class @ (Class::StreamingOff | Class::TooLarge | Class::ResultTooLarge) => class,
            _ if refusal.permanent == Some(true) => Class::Permanent,
            _ => Class::Transient,
        },
        _ => Class::Permanent,
    };
    (class, refusal)
}

/// The class of an error in a response, whatever its status.
pub(crate) fn of_refusal(refusal: &Refusal) -> Class {
    let is = |names: &[&str]| {
        names.iter().any(|name| refusal.code.contains(name) || refusal.kind.contains(name))
    };
    if is(&["StreamingIngestionPolicyNotEnabled", "StreamingIngestionDisabledForCluster"]) {
        Class::StreamingOff
    } else if is(&["InputStreamTooLarge", "PayloadTooLarge"]) {
        Class::TooLarge
    } else if is(&["RESULT_SET_TOO_LARGE"]) {
        Class::ResultTooLarge
    } else if is(&["Throttl", "TooManyRequests"]) {
        Class::Throttled(None)
    } else if is(&["EntityNotFound", "MappingReferenceWasNotFound", "SEM0100"]) {
        Class::Missing
    } else if refusal.permanent == Some(false) {
        Class::Transient
    } else if is(&["Forbidden", "Unauthorized", "AccessDenied"]) {
        Class::Forbidden
    } else {
        Class::Permanent
    }
}

fn retry_after(response: &HttpResponse) -> Option<u32> {
    response.header("retry-after")?.trim().parse().ok()
}

impl Failure {
    /// The same failure for something that only an administrator may do.
    pub(crate) fn admin(self) -> Self {
        let class = match self.class {
            Class::Forbidden => Class::NotAdmin,
            class => class,
        };
        Self { class, ..self }
    }

    /// The error for a caller. `doing` says in words what failed, `maybe_stored` whether earlier
    /// requests have stored a part of the call.
    pub(crate) fn error(&self, doing: &str, maybe_stored: bool) -> Error {
        let maybe_stored = maybe_stored || self.maybe_done;
        let effect = if maybe_stored { MAYBE_STORED } else { "nothing of it was stored" };
        let words = &self.words;
        let fault = |code: &str, what: &str| StoreFault {
            fault: Fault {
                code: code.to_owned(),
                message: format!("{doing}: {what} ({words}); {effect}"),
            },
            maybe_stored,
        };
        match self.class {
            Class::Transient => {
                Error::Unavailable(fault("store-unreachable", "the store did not answer in time"))
            }
            Class::Unreadable => Error::Unavailable(fault(
                "unreadable-response",
                "the store's response is not of the shape that Kusto gives; check that the \
                 cluster's URI is that of a Kusto engine",
            )),
            Class::Throttled(_) => {
                Error::Unavailable(fault("store-throttled", "the store had no capacity in time"))
            }
            Class::Unauthorized => Error::Denied(fault(
                "store-unauthorized",
                "the store refused the token, or was sent none; pass a credential for this \
                 cluster, and name its host in trustedHosts if it is not one of the service's own",
            )),
            Class::Forbidden => Error::Denied(fault(
                "store-forbidden",
                "a role is missing; grant Database Viewer and Database Ingestor, as \
                 provision.kql shows",
            )),
            Class::NotAdmin => Error::Denied(fault(
                "store-forbidden",
                "the option admin needs the role Database Admin; grant it, as provision.kql \
                 shows, or leave the option out: the thread is hidden without it",
            )),
            Class::StreamingOff => Error::Denied(fault(
                "store-streaming-off",
                "the table or the cluster has streaming ingestion off; enable it, or use \
                 the ingest mode auto or inline",
            )),
            Class::Missing => Error::Denied(fault(
                "store-not-provisioned",
                "the table, a column or the mapping is missing; run provision.kql",
            )),
            Class::TooLarge | Class::ResultTooLarge => {
                Error::Denied(fault("store-too-large", "it is too large for the store"))
            }
            Class::Permanent => Error::Denied(fault("store-refused", "the store refused it")),
        }
    }
}

/// The error for a store that does not show yet what it has acknowledged, or a part of it.
pub(crate) fn stale(what: &str) -> Error {
    let message = format!(
        "the store does not show {what} yet; try again later, and if that lasts for more than \
         ten minutes, rows are missing: restore the table"
    );
    let fault = Fault { code: "store-stale".to_owned(), message };
    Error::Unavailable(StoreFault { fault, maybe_stored: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> HttpResponse {
        HttpResponse { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    fn class(status: u16, body: &str) -> Class {
        of_response(&response(status, body), true).0
    }

    #[test]
    fn what_the_service_says_of_permanence_is_obeyed() {
        let says = |permanent| format!(r#"{{"error":{{"code":"X","@permanent":{permanent}}}}}"#);
        assert_eq!(class(400, &says(true)), Class::Permanent);
        assert_eq!(class(400, &says(false)), Class::Transient);
        assert_eq!(class(503, &says(false)), Class::Transient);
        assert_eq!(class(500, &says(true)), Class::Permanent);
        assert_eq!(class(503, "no JSON"), Class::Transient);
        assert_eq!(class(400, "no JSON"), Class::Permanent);
    }

    #[test]
    fn a_throttled_ingestion_is_tried_again_though_its_status_is_400() {
        let body = r#"{"error":{"code":"General_ThrottledIngestion","@permanent":false}}"#;
        assert_eq!(class(400, body), Class::Throttled(None));
        let mut throttled = response(429, "");
        throttled.headers.push(("Retry-After".to_owned(), "7".to_owned()));
        assert_eq!(of_response(&throttled, false).0, Class::Throttled(Some(7)));
    }

    #[test]
    fn streaming_that_is_off_is_told_from_a_missing_path() {
        let off = r#"{"error":{"code":"BadRequest_StreamingIngestionPolicyNotEnabled"}}"#;
        assert_eq!(class(400, off), Class::StreamingOff);
        assert_eq!(class(404, ""), Class::StreamingOff);
        assert_eq!(of_response(&response(404, ""), false).0, Class::Permanent);
    }

    #[test]
    fn a_message_holds_neither_body_nor_value() {
        let failure =
            Failure { class: Class::Permanent, words: "status 400".into(), maybe_done: false };
        let Error::Denied(store) = failure.error("storing a checkpoint", false) else {
            panic!("it is refused");
        };
        assert_eq!(
            store.fault.message,
            "storing a checkpoint: the store refused it (status 400); nothing of it was stored"
        );
    }
}
