//! What several statements have in common.

use crate::contract::statement::{Statement, Value};
use crate::format::CHECKSUM_BYTES;
use crate::format::write::MARK_BYTES;

/// The condition that a write is to a channel, by its column or by its envelope's mark. If one of
/// the two is damaged the write is still found, and then refused.
pub(super) fn is_of_channel(write: &str, channel: &str, mark: &str) -> String {
    const FROM_END: usize = MARK_BYTES + CHECKSUM_BYTES;
    format!(
        "({write}.channel = {channel} \
         OR substr({write}.envelope, -{FROM_END}, {MARK_BYTES}) = {mark})"
    )
}

/// A statement that runs once.
pub(super) fn once(text: &str, parameters: Vec<Value>) -> Statement {
    Statement { text: text.to_owned(), parameters: vec![parameters] }
}

/// A value for a text.
pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
