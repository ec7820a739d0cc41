//! Values as data. Nothing is revived: no class of a value is looked up or made.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use langgraph_checkpoint_host::Payload;
use rmpv::Value as Packed;
use serde_json::{Map, Number, Value, json};

/// How JSON has what it cannot express.
#[derive(Clone, Copy)]
enum Form {
    /// Bytes by their number, as they would be long lists.
    Shown,
    /// Bytes in base64, and integers that a double has not exactly as text.
    Whole,
}

/// The largest integer up to which a double has all.
const SAFE_MAX: u64 = (1 << 53) - 1;

/// How deep a value may be nested, extensions inside extensions included.
const DEPTH_MAX: usize = 1024;

/// A value as JSON shows it. Bytes are shown by their number.
pub(crate) fn shown(payload: &Payload) -> Value {
    let Payload { kind, bytes } = payload;
    let shown = match kind.as_str() {
        "json" => serde_json::from_slice(bytes).ok(),
        "msgpack" => Some(Form::Shown.unpacked(bytes, DEPTH_MAX)),
        _ => None,
    };
    shown.unwrap_or_else(|| json!({ "$kind": kind, "bytes": bytes.len() }))
}

/// A value as JSON with all that it has, in one line. JSON stays as it is stored.
pub(crate) fn whole(Payload { kind, bytes }: &Payload) -> String {
    match kind.as_str() {
        "json" => String::from_utf8_lossy(bytes).replace(['\r', '\n'], " "),
        "msgpack" => compact(&Form::Whole.unpacked(bytes, DEPTH_MAX)),
        "null" => "null".to_owned(),
        _ => compact(&Form::Whole.of_bytes(bytes)),
    }
}

impl Form {
    fn unpacked(self, bytes: &[u8], depth: usize) -> Value {
        let mut rest = bytes;
        let read = rmpv::decode::read_value_with_max_depth(&mut rest, depth).ok();
        let read = read.filter(|_| rest.is_empty());
        read.and_then(|packed| self.plain(packed, depth)).unwrap_or_else(|| self.of_bytes(bytes))
    }

    fn of_bytes(self, bytes: &[u8]) -> Value {
        match self {
            Self::Shown => json!({ "$bytes": bytes.len() }),
            Self::Whole => json!({ "$bytes": STANDARD.encode(bytes) }),
        }
    }

    fn of_integer(self, integer: rmpv::Integer) -> Value {
        match (integer.as_i64(), integer.as_u64()) {
            (Some(signed), _) if self.has(signed.unsigned_abs()) => signed.into(),
            (None, Some(unsigned)) if self.has(unsigned) => unsigned.into(),
            _ => json!({ "$int": integer.to_string() }),
        }
    }

    /// Whether an integer of this size is a number.
    fn has(self, size: u64) -> bool {
        matches!(self, Self::Shown) || size <= SAFE_MAX
    }

    /// A value of MessagePack. Types that only a serializer understands are shown by their number.
    /// `None` if a map has a key that is neither text nor a number.
    fn plain(self, packed: Packed, depth: usize) -> Option<Value> {
        let inner = depth.saturating_sub(1);
        Some(match packed {
            Packed::Nil => Value::Null,
            Packed::Boolean(is) => Value::Bool(is),
            Packed::Integer(integer) => self.of_integer(integer),
            Packed::F32(float) => f64::from(float).into(),
            Packed::F64(float) => float.into(),
            Packed::String(text) => text_of(&text).into(),
            Packed::Binary(bytes) => self.of_bytes(&bytes),
            Packed::Array(items) => {
                items.into_iter().map(|item| self.plain(item, inner)).collect::<Option<_>>()?
            }
            Packed::Map(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    let key = match self.plain(key, inner)? {
                        Value::String(text) => text,
                        Value::Number(number) => number_of(&number),
                        _ => return None,
                    };
                    map.insert(key, self.plain(value, inner)?);
                }
                Value::Object(map)
            }
            Packed::Ext(kind, bytes) => {
                json!({ "$ext": kind, "data": self.unpacked(&bytes, inner) })
            }
        })
    }
}

fn text_of(text: &rmpv::Utf8String) -> String {
    String::from_utf8_lossy(text.as_bytes()).into_owned()
}

/// JSON in one line, with its end.
pub(crate) fn line(value: &Value) -> String {
    without_controls(&compact(value)) + "\n"
}

/// JSON over several lines, for people.
pub(crate) fn lines(value: &Value) -> String {
    let mut text = String::new();
    append(&mut text, value, Some(0));
    without_controls(&text) + "\n"
}

/// Whether a terminal obeys a character, save that which ends a line: control characters, and
/// those that turn the direction of what follows.
pub(crate) fn is_obeyed(sign: char) -> bool {
    let turns = matches!(sign, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (sign.is_control() && sign != '\n')
}

/// JSON without the characters that it allows and a terminal would obey.
fn without_controls(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for sign in json.chars() {
        if is_obeyed(sign) {
            text += &format!("\\u{:04x}", u32::from(sign));
        } else {
            text.push(sign);
        }
    }
    text
}

/// JSON in one line.
pub(crate) fn compact(value: &Value) -> String {
    let mut text = String::new();
    append(&mut text, value, None);
    text
}

/// Appends JSON; with a depth, each element on a line of its own.
fn append(text: &mut String, value: &Value, depth: Option<usize>) {
    let inner = depth.map(|depth| depth + 1);
    match value {
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                begin_item(text, at, inner);
                append(text, item, inner);
            }
            end_items(text, items.is_empty(), depth);
            text.push(']');
        }
        Value::Object(map) => {
            text.push('{');
            for (at, (key, item)) in map.iter().enumerate() {
                begin_item(text, at, inner);
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push_str(if depth.is_some() { ": " } else { ":" });
                append(text, item, inner);
            }
            end_items(text, map.is_empty(), depth);
            text.push('}');
        }
        Value::Number(number) => text.push_str(&number_of(number)),
        Value::Null | Value::Bool(_) | Value::String(_) => text.push_str(&value.to_string()),
    }
}

fn begin_item(text: &mut String, at: usize, depth: Option<usize>) {
    if at > 0 {
        text.push(',');
    }
    new_line(text, depth);
}

fn end_items(text: &mut String, is_empty: bool, depth: Option<usize>) {
    if !is_empty {
        new_line(text, depth);
    }
}

fn new_line(text: &mut String, depth: Option<usize>) {
    if let Some(depth) = depth {
        text.push('\n');
        text.push_str(&"  ".repeat(depth));
    }
}

/// A number as JavaScript writes it, with all digits of a whole one.
fn number_of(number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else {
        return number.to_string();
    };
    let size = float.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if (1e-6..1e21).contains(&size) {
        return float.to_string();
    }
    let text = format!("{float:e}");
    if size < 1.0 { text } else { text.replace('e', "e+") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(bytes: &[u8]) -> String {
        compact(&shown(&Payload { kind: "msgpack".to_owned(), bytes: bytes.to_vec() }))
    }

    #[test]
    fn numbers_are_those_of_javascript() {
        let text = "[1.0,-0.0,0.1,1e20,1e21,-1.5e300,1e-6,1e-7,9007199254740993]";
        let value: Value = serde_json::from_str(text).unwrap();
        let shown =
            "[1,0,0.1,100000000000000000000,1e+21,-1.5e+300,0.000001,1e-7,9007199254740993]";
        assert_eq!(compact(&value), shown);
    }

    #[test]
    fn types_of_a_serializer_are_shown_by_their_number_and_bytes_by_theirs() {
        // An extension of type 5 that holds ["a"], and three bytes.
        let bytes = [0x92, 0xc7, 3, 5, 0x91, 0xa1, b'a', 0xc4, 3, 1, 2, 3];
        assert_eq!(packed(&bytes), r#"[{"$ext":5,"data":["a"]},{"$bytes":3}]"#);
    }

    #[test]
    fn a_whole_value_keeps_every_byte_and_every_digit() {
        let whole = |kind: &str, bytes: &[u8]| {
            whole(&Payload { kind: kind.to_owned(), bytes: bytes.to_vec() })
        };
        // Three bytes; 2^53 - 1, 2^53 and -2^63.
        let mut bytes = vec![0x94, 0xc4, 3, 1, 2, 3];
        for integer in [(1_i64 << 53) - 1, 1 << 53, i64::MIN] {
            bytes.push(0xd3);
            bytes.extend(integer.to_be_bytes());
        }
        let integers = r#"9007199254740991,{"$int":"9007199254740992"}"#;
        let expected =
            format!(r#"[{{"$bytes":"AQID"}},{integers},{{"$int":"-9223372036854775808"}}]"#);
        assert_eq!(whole("msgpack", &bytes), expected);
        assert_eq!(whole("msgpack", &[0x92, 1]), r#"{"$bytes":"kgE="}"#);
        assert_eq!(whole("bytes", &[1, 2]), r#"{"$bytes":"AQI="}"#);
        assert_eq!(whole("json", b"{ \"a\":\n1e2 }"), r#"{ "a": 1e2 }"#);
        assert_eq!(whole("null", b""), "null");
    }

    #[test]
    fn extensions_inside_extensions_are_shown_as_deep_as_a_list_may_be() {
        let mut bytes = vec![0xc0];
        for _ in 0..4_000 {
            let size = u32::try_from(bytes.len()).unwrap().to_be_bytes();
            bytes = [&[0xc9], size.as_slice(), &[5], &bytes].concat();
        }
        // The program's own stack is larger than that of a test.
        let shown = std::thread::Builder::new().stack_size(8 << 20).spawn(move || packed(&bytes));
        let shown = shown.unwrap().join().unwrap();
        // The last two levels are the library's.
        assert_eq!(shown.matches(r#"{"$ext":5,"data":"#).count(), DEPTH_MAX - 2);
        assert!(shown.contains(r#"{"$bytes":"#));
    }

    #[test]
    fn what_cannot_be_read_is_shown_by_its_size() {
        assert_eq!(packed(&[0x92, 1]), r#"{"$bytes":2}"#);
        assert_eq!(packed(&[1, 1]), r#"{"$bytes":2}"#);
        let pickle = Payload { kind: "pickle".to_owned(), bytes: vec![0; 4] };
        assert_eq!(compact(&shown(&pickle)), r#"{"$kind":"pickle","bytes":4}"#);
        let json = Payload { kind: "json".to_owned(), bytes: b"{".to_vec() };
        assert_eq!(compact(&shown(&json)), r#"{"$kind":"json","bytes":1}"#);
    }

    #[test]
    fn lines_are_indented_by_two_and_nothing_in_brackets_stays_on_its_line() {
        let value: Value = serde_json::from_str(r#"{"a":[1,{}],"b":[]}"#).unwrap();
        let shown = "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}\n";
        assert_eq!(lines(&value), shown);
    }
}
