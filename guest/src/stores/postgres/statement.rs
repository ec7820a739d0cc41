//! What several statements have in common.

use crate::contract::statement::{Statement, Value};
use crate::format::CHECKSUM_BYTES;
use crate::format::json;
use crate::format::values::hash::Hash;
use crate::format::write::MARK_BYTES;

/// The parameters of a statement.
#[derive(Debug, Default)]
pub(super) struct Parameters(Vec<Value>);

impl Parameters {
    /// Binds a value and returns its place in the text, with its type.
    pub(super) fn bind(&mut self, value: Value, kind: &str) -> String {
        self.0.push(value);
        format!("${}::{kind}", self.0.len())
    }

    /// Binds a text.
    pub(super) fn text(&mut self, text: &str) -> String {
        self.bind(Value::Text(text.to_owned()), "text")
    }

    /// Binds an integer.
    pub(super) fn integer(&mut self, integer: i64) -> String {
        self.bind(Value::Integer(integer), "bigint")
    }

    /// The statement, which runs once.
    pub(super) fn statement(self, text: String) -> Statement {
        Statement { text, parameters: vec![self.0] }
    }
}

/// Integers, to be bound as text and cast to `bigint[]`: every driver can bind that.
pub(super) fn integers(integers: impl Iterator<Item = i64>) -> Value {
    Value::Text(array_of(integers.map(|integer| integer.to_string())))
}

/// Texts, to be bound as text and cast to `text[]`.
pub(super) fn array<'a>(texts: impl Iterator<Item = &'a str>) -> Value {
    Value::Text(array_of(texts.map(|text| {
        let mut quoted = String::with_capacity(text.len() + 2);
        quoted.push('"');
        for c in text.chars() {
            if matches!(c, '"' | '\\') {
                quoted.push('\\');
            }
            quoted.push(c);
        }
        quoted.push('"');
        quoted
    })))
}

/// Lists of hashes, each one `bytea`, to be bound as text and cast to `bytea[]`.
pub(super) fn hash_lists<'a>(lists: impl Iterator<Item = &'a [Hash]>) -> Value {
    Value::Text(array_of(lists.map(|hashes| {
        let mut hex = String::with_capacity(hashes.len() * 40 + 5);
        hex.push_str("\"\\\\x");
        hashes.iter().for_each(|hash| hex.push_str(&hash.to_string()));
        hex.push('"');
        hex
    })))
}

fn array_of(elements: impl Iterator<Item = String>) -> String {
    let mut array = "{".to_owned();
    for element in elements {
        if array.len() > 1 {
            array.push(',');
        }
        array.push_str(&element);
    }
    array.push('}');
    array
}

/// A channel's name as it is in the column `channels`, with the commas around it.
pub(super) fn element(channel: &str) -> String {
    let array = json::array_of_strings(std::iter::once(channel));
    format!(",{},", array.trim_start_matches('[').trim_end_matches(']'))
}

/// The condition that a checkpoint has a value of a channel, given as an `element`.
///
/// Within a name of the column each quote follows a backslash, so only a whole name can be found
/// between two commas.
pub(super) fn has_channel(checkpoint: &str, element: &str) -> String {
    format!(
        "position({element} IN ',' || substr({checkpoint}.channels, 2, \
         greatest(length({checkpoint}.channels) - 2, 0)) || ',') > 0"
    )
}

/// The condition that a write is to a channel, by its column or by its envelope's mark. If one of
/// the two is damaged the write is still found, and then refused.
pub(super) fn is_of_channel(write: &str, channel: &str, mark: &str) -> String {
    const FROM_END: usize = MARK_BYTES + CHECKSUM_BYTES;
    format!(
        "({write}.channel = {channel} OR \
         {} = {mark})",
        from_end(write, FROM_END, MARK_BYTES)
    )
}

/// The expression for `length` bytes of an envelope that begin `distance` bytes before its end.
pub(super) fn from_end(record: &str, distance: usize, length: usize) -> String {
    format!(
        "substring({record}.envelope FROM octet_length({record}.envelope) - {distance} + 1 \
         FOR {length})"
    )
}
