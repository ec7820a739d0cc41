//! Terms: hashes of the metadata's members, by which a store finds the checkpoints that a filter
//! selects.
//!
//! A store that keeps no JSON exactly keeps these beside the metadata. Equal members have equal
//! terms: numbers are compared by value, texts by their content, everything else by its JSON text.
//! Zeros of either sign are equal, and so are a date and its text.

use super::json::{compact, date_record, is_zero, object, unescaped, whole};

/// The length of a term, in bytes. With 128 bits, nobody finds two members with one term.
const TERM_BYTES: usize = 16;

/// The hash of a key and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Term([u8; TERM_BYTES]);

impl Term {
    /// The bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The term of a filter's condition. `json` is a JSON value.
    pub(crate) fn of_filter(key: &str, json: &str) -> Self {
        Self::of(key.as_bytes(), &form(json))
    }

    fn of(key: &[u8], form: &Form) -> Self {
        let (kind, content): (u8, &[u8]) = match form {
            Form::Integer(integer) => (b'i', &integer.to_le_bytes()),
            Form::Real(bits) => (b'r', &bits.to_le_bytes()),
            Form::Text(text) => (b't', text),
            Form::Other(json) => (b'j', json.as_bytes()),
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(key.len() as u64).to_le_bytes());
        hasher.update(key);
        hasher.update(&[kind]);
        hasher.update(content);
        let mut term = [0; TERM_BYTES];
        for (to, from) in term.iter_mut().zip(hasher.finalize().as_bytes()) {
            *to = *from;
        }
        Self(term)
    }
}

/// The terms of metadata, sorted; none if the text is not a JSON object.
pub(crate) fn terms(metadata: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    for (key, json) in object(metadata).unwrap_or_default() {
        let key = unescaped(key);
        terms.push(Term::of(&key, &form(json)));
        if let Some(date) = date_of(json) {
            terms.push(Term::of(&key, &Form::Text(unescaped(date))));
        }
    }
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// What makes a value equal to others.
enum Form {
    Integer(i64),
    /// The bits of a number that is no integer of 64 bits.
    Real(u64),
    /// The bytes of a text without escapes. Lone surrogates have three bytes.
    Text(Vec<u8>),
    /// JSON without white space.
    Other(String),
}

fn form(json: &str) -> Form {
    let json = json.trim();
    if is_zero(json) || (json.starts_with('{') && is_zero(&compact(json))) {
        return Form::Integer(0);
    }
    match json.as_bytes().first() {
        Some(b'"') => Form::Text(unescaped(json)),
        Some(b'-' | b'0'..=b'9') => {
            let double: f64 = json.parse().unwrap_or_default();
            match json.parse().ok().or_else(|| whole(double)) {
                Some(integer) => Form::Integer(integer),
                None => Form::Real(double.to_bits()),
            }
        }
        _ => Form::Other(compact(json)),
    }
}

/// The text of a date, as a JSON string, if the value is the serializer's record of that date.
fn date_of(json: &str) -> Option<&str> {
    if !json.starts_with('{') {
        return None;
    }
    let members = object(json)?;
    let (_, date) = members.iter().find(|(key, _)| *key == r#""value""#)?;
    (date_record(date)? == compact(json)).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::json::NEGATIVE_ZERO;

    fn holds(metadata: &str, key: &str, json: &str) -> bool {
        terms(metadata).contains(&Term::of_filter(key, json))
    }

    #[test]
    fn values_are_equal_by_type_and_value() {
        let metadata = r#"{"step":1,"source":"loop","half":0.5,"n":null,"list":[1, {"a":"b c"}]}"#;
        assert!(holds(metadata, "step", "1"));
        assert!(holds(metadata, "step", "1.0"));
        assert!(!holds(metadata, "step", "\"1\""));
        assert!(!holds(metadata, "step", "2"));
        assert!(!holds(metadata, "ste", "p1"));
        assert!(holds(metadata, "source", r#""l\u006fop""#));
        assert!(holds(metadata, "half", "5e-1"));
        assert!(holds(metadata, "n", "null"));
        assert!(!holds(metadata, "absent", "null"));
        assert!(holds(metadata, "list", r#"[1,{"a":"b c"}]"#));
        assert!(!holds(metadata, "list", r#"[1,{"a":"bc"}]"#));
        for none in ["no JSON", "[1]", "{} ", "1", ""] {
            assert_eq!(terms(none), [], "{none}");
        }
    }

    #[test]
    fn zero_is_zero_whatever_its_sign() {
        let zeros = ["0", "-0", "0.0", "-0.0", "0e0", "-0e5", NEGATIVE_ZERO];
        for zero in zeros {
            let metadata = format!(r#"{{"n": {zero} }}"#);
            assert!(zeros.iter().all(|other| holds(&metadata, "n", other)), "{zero}");
            assert!(!holds(&metadata, "n", "1") && !holds(&metadata, "n", "\"0\""));
        }
    }

    #[test]
    fn a_date_has_the_term_of_its_text_and_a_text_not_that_of_a_date() {
        let text = "\"2027-01-01T00:00:00.000Z\"";
        let record = format!(r#"{{"lc":2,"type":"date","value":{text}}}"#);
        let date = format!(r#"{{"at":{record}}}"#);
        assert!(holds(&date, "at", text) && holds(&date, "at", &record));
        let plain = format!(r#"{{"at":{text}}}"#);
        assert!(holds(&plain, "at", text) && !holds(&plain, "at", &record));
    }

    #[test]
    fn integers_of_64_bits_are_told_apart_and_equal_their_decimals() {
        for (stored, asked, equal) in [
            ("9007199254740993", "9007199254740993", true),
            ("9007199254740993", "9007199254740992", false),
            ("9007199254740992", "9007199254740992.0", true),
            ("9223372036854775807", "9223372036854775808.0", false),
            ("9223372036854775808", "9223372036854775808.0", true),
            ("10000000000000000000", "1e19", true),
        ] {
            assert_eq!(holds(&format!(r#"{{"n":{stored}}}"#), "n", asked), equal, "{stored}");
        }
    }

    #[test]
    fn escapes_are_the_characters_that_they_stand_for() {
        let metadata = r#"{"a\"\\\/\b\f\n\r\t":"\u0000\ud83d\ude00\ud800\u00e9"}"#;
        let key = "a\"\\/\u{8}\u{c}\n\r\t";
        assert!(holds(metadata, key, "\"\\u0000\u{1f600}\\ud800\u{e9}\""));
        assert!(!holds(metadata, key, "\"\\u0000\u{1f600}\\ud801\u{e9}\""));
        assert!(holds(r#"{"a\u0000b":1}"#, "a\0b", "1"));
    }
}
