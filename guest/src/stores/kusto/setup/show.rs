//! What the store has, as its setup asks.

use crate::contract::error::{Error, Fault, StoreFault};
use crate::stores::kusto::failure::{Class, Failure};
use crate::stores::kusto::frames::Table;
use crate::stores::kusto::send::Sender;

/// What fails, in the words of an error.
pub(super) const DOING: &str = "checking the store";

/// The tables of the command `.show` with this text.
pub(super) async fn show(sender: &Sender, what: &str) -> Result<Vec<Table>, Error> {
    tables(sender.show(&format!(".show {what}")).await?)
}

/// The tables of a query or command. A table that is missing is `store-not-provisioned`.
pub(super) fn tables(ended: Result<Vec<Table>, Failure>) -> Result<Vec<Table>, Error> {
    ended.map_err(|failure| match failure.class {
        Class::Missing => missing(
            "a table is missing, or this identity may not see it; run provision.kql, and \
             grant Database Viewer and Database Ingestor as it shows"
                .to_owned(),
        ),
        _ => failure.error(DOING, false),
    })
}

/// The error `store-not-provisioned`.
pub(super) fn missing(message: String) -> Error {
    Error::Denied(StoreFault {
        fault: Fault { code: "store-not-provisioned".to_owned(), message },
        maybe_stored: false,
    })
}
