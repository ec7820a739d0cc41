//! Conditions on metadata. They are decided here, exactly, and as on every other store. A query is
//! only narrowed to rows that may match, because Kusto does not keep JSON exactly.

use serde_json::value::RawValue;

use super::parameter::{FILTERS_MAX, Parameter, Parameters};
use super::row::Members;
use crate::contract::call::MetadataFilter;
use crate::format::json::{compact, date_record, is_zero, whole};

/// A condition that a query can check. It holds for every match, and for some other rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Narrowing {
    /// A text in a column of its own.
    Column(&'static str, String),
    Step(i64),
    Text(String, String),
    /// The least and the greatest number.
    Number(String, f64, f64),
    Bool(String, bool),
    Null(String),
}

/// The conditions that narrow a query: at most `FILTERS_MAX` of them.
pub(crate) fn narrowing(filters: &[MetadataFilter]) -> Vec<Narrowing> {
    filters.iter().filter_map(Narrowing::of).take(FILTERS_MAX).collect()
}

impl Narrowing {
    fn of(filter: &MetadataFilter) -> Option<Self> {
        use serde_json::Value;
        let key = filter.key.clone();
        // It is not certain what a store of JSON does with other names and texts.
        let plain = |text: &str| !text.is_empty() && !text.contains(char::is_control);
        if !plain(&key) {
            return None;
        }
        match (key.as_str(), serde_json::from_str(&filter.json).ok()?) {
            // A date may be stored as something other than its text.
            (_, Value::String(_)) if date_record(&filter.json).is_some() => None,
            // A zero of the other sign may be stored as something other than a number.
            (_, Value::Number(number)) if number.as_f64() == Some(0.0) => None,
            ("source", Value::String(text)) if plain(&text) => Some(Self::Column("source", text)),
            ("run_id", Value::String(text)) if plain(&text) => Some(Self::Column("run_id", text)),
            (_, Value::String(text)) => plain(&text).then_some(Self::Text(key, text)),
            ("step", Value::Number(number)) if number.is_i64() => number.as_i64().map(Self::Step),
            (_, Value::Number(number)) => {
                let (low, high) = around(number.as_f64()?)?;
                Some(Self::Number(key, low, high))
            }
            (_, Value::Bool(value)) => Some(Self::Bool(key, value)),
            (_, Value::Null) => Some(Self::Null(key)),
            (_, Value::Array(_) | Value::Object(_)) => None,
        }
    }

    /// The condition in KQL, with these names for the parameters of its key and values.
    ///
    /// It also selects rows that have no copy of their metadata, and texts that the service may
    /// have read as a date, a guid or a number.
    pub(crate) fn condition(
        &self,
        names: [&'static str; 3],
        parameters: &mut Parameters,
    ) -> String {
        let [key_name, value_name, high_name] = names;
        let mut member = |key: &String| {
            parameters.push((key_name, Parameter::Text(key.clone())));
            format!("metadata[{key_name}]")
        };
        let (condition, value) = match self {
            Self::Column(column, text) => {
                (format!("{column} == {value_name}"), Some(Parameter::Text(text.clone())))
            }
            Self::Step(step) => (format!("step == {value_name}"), Some(Parameter::Long(*step))),
            Self::Text(key, text) => {
                let member = member(key);
                let condition = format!(
                    "tostring({member}) == {value_name} or gettype({member}) !in \
                     (\"string\", \"null\", \"array\", \"dictionary\")"
                );
                (condition, Some(Parameter::Text(text.clone())))
            }
            Self::Number(key, low, high) => {
                let member = member(key);
                parameters.push((high_name, Parameter::Real(*high)));
                let condition = format!("todouble({member}) between ({value_name} .. {high_name})");
                (condition, Some(Parameter::Real(*low)))
            }
            Self::Bool(key, value) => (format!("tobool({}) == {value}", member(key)), None),
            Self::Null(key) => (format!("isnull({})", member(key)), None),
        };
        parameters.extend(value.map(|value| (value_name, value)));
        format!("(isnull(metadata) or {condition})")
    }
}

/// The range in which a store may keep a number, if it keeps decimals less exactly. `None` if the
/// range is not finite.
fn around(number: f64) -> Option<(f64, f64)> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    const NEAR: f64 = 1e-9;
    let margin = if number.fract() == 0.0 && number.abs() < EXACT_MAX { 0.0 } else { NEAR };
    let range = (number - number.abs() * margin, number + number.abs() * margin);
    (range.0.is_finite() && range.1.is_finite()).then_some(range)
}

/// Whether all conditions hold for metadata, given as JSON text.
pub(crate) fn matches(metadata: &str, filters: &[MetadataFilter]) -> bool {
    if filters.is_empty() {
        return true;
    }
    let Ok(members) = serde_json::from_str::<Members<'_>>(metadata) else {
        return false;
    };
    filters.iter().all(|filter| {
        let value = members.get(filter.key.as_str());
        value.is_some_and(|value| equal(value, &filter.json))
    })
}

/// Whether two JSON values are equal: numbers by value, including zeros of either sign; texts by
/// their content; a date and its text; everything else by its JSON text.
fn equal(value: &RawValue, json: &str) -> bool {
    let value = value.get().trim();
    let json = json.trim();
    if is_zero(json) {
        return is_zero(&compact(value));
    }
    if value.starts_with('{') && date_record(json).is_some_and(|record| record == compact(value)) {
        return true;
    }
    match (value.as_bytes().first(), json.as_bytes().first()) {
        (Some(b'"'), Some(b'"')) => {
            let read = |text| serde_json::from_str::<String>(text).ok();
            read(value).is_some() && read(value) == read(json)
        }
        (Some(b'-' | b'0'..=b'9'), Some(b'-' | b'0'..=b'9')) => number(value) == number(json),
        _ => compact(value) == compact(json),
    }
}

/// What identifies a number's value: an integer if 64 bits hold it, else the bits of a double.
fn number(text: &str) -> Option<(Option<i64>, u64)> {
    let double: f64 = text.parse().ok()?;
    let whole = text.parse::<i64>().ok().or_else(|| whole(double));
    Some((whole, if whole.is_some() { 0 } else { double.to_bits() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::json::NEGATIVE_ZERO;

    fn holds(metadata: &str, key: &str, json: &str) -> bool {
        matches(metadata, &[MetadataFilter { key: key.to_owned(), json: json.to_owned() }])
    }

    #[test]
    fn values_are_equal_by_type_and_value() {
        let metadata = r#"{"step":1,"source":"loop","half":0.5,"n":null,"list":[1, {"a":"b c"}]}"#;
        assert!(holds(metadata, "step", "1"));
        assert!(holds(metadata, "step", "1.0"));
        assert!(!holds(metadata, "step", "\"1\""));
        assert!(!holds(metadata, "step", "2"));
        assert!(holds(metadata, "source", r#""l\u006fop""#));
        assert!(holds(metadata, "half", "5e-1"));
        assert!(holds(metadata, "n", "null"));
        assert!(!holds(metadata, "absent", "null"));
        assert!(holds(metadata, "list", r#"[1,{"a":"b c"}]"#));
        assert!(!holds(metadata, "list", r#"[1,{"a":"bc"}]"#));
        assert!(!holds("no JSON", "step", "1"));
    }

    #[test]
    fn plain_values_narrow_a_query_and_others_do_not() {
        let narrowed = |key: &str, json: &str| {
            narrowing(&[MetadataFilter { key: key.to_owned(), json: json.to_owned() }]).pop()
        };
        let key = || "user_id".to_owned();
        assert_eq!(
            narrowed("source", "\"loop\""),
            Some(Narrowing::Column("source", "loop".into()))
        );
        assert_eq!(narrowed("step", "1"), Some(Narrowing::Step(1)));
        assert_eq!(narrowed("step", "1.0"), Some(Narrowing::Number("step".into(), 1.0, 1.0)));
        let text = narrowed("user_id", r#""a\u0022b""#);
        assert_eq!(text, Some(Narrowing::Text(key(), "a\"b".into())));
        assert_eq!(narrowed("user_id", "true"), Some(Narrowing::Bool(key(), true)));
        assert_eq!(narrowed("user_id", "null"), Some(Narrowing::Null(key())));
        let Some(Narrowing::Number(_, low, high)) = narrowed("user_id", "0.1") else {
            panic!("a number narrows")
        };
        assert!(low < 0.1 && 0.1 < high && high - low < 1e-8);
        for json in ["[1]", "{}", "0", "-0.0", "\"\"", r#""\u0000""#, r#""\ud800""#, "1e999", "-"] {
            assert_eq!(narrowed("user_id", json), None, "{json}");
        }
        assert_eq!(narrowed("", "1"), None);
    }

    #[test]
    fn zero_is_zero_whatever_its_sign() {
        let zeros = ["0", "-0", "0.0", "-0.0", "0e0", "-0e5", NEGATIVE_ZERO];
        for zero in zeros {
            let metadata = format!(r#"{{"n":{zero}}}"#);
            assert!(zeros.iter().all(|other| holds(&metadata, "n", other)), "{zero}");
            assert!(!holds(&metadata, "n", "1") && !holds(&metadata, "n", "\"0\""));
        }
    }

    /// A value that a store of JSON may keep as something else must not narrow a query, whatever
    /// its column.
    #[test]
    fn a_date_and_a_zero_narrow_no_query_whatever_their_key() {
        let filter = |key: &str, json: &str| MetadataFilter { key: key.into(), json: json.into() };
        for key in ["source", "run_id", "step", "user_id"] {
            for json in ["\"2027-01-01T00:00:00.000Z\"", "0", "-0", "0.0"] {
                assert_eq!(narrowing(&[filter(key, json)]), [], "{key} {json}");
            }
        }
        let date = r#"{"source":{"lc":2,"type":"date","value":"2027-01-01T00:00:00.000Z"}}"#;
        assert!(holds(date, "source", "\"2027-01-01T00:00:00.000Z\""));
        assert!(holds(&format!(r#"{{"step":{NEGATIVE_ZERO}}}"#), "step", "0"));
    }

    #[test]
    fn an_integer_is_equal_to_the_decimal_of_its_value() {
        for (integer, decimal, equal) in [
            ("9007199254740991", "9007199254740991.0", true),
            ("9007199254740992", "9007199254740992.0", true),
            ("9007199254740993", "9007199254740992.0", false),
            ("9007199254740994", "9007199254740994.0", true),
            ("-9223372036854775808", "-9223372036854775808.0", true),
            ("9223372036854775807", "9223372036854775808.0", false),
            ("9223372036854775808", "9223372036854775808.0", true),
            ("10000000000000000000", "1e19", true),
        ] {
            let metadata = |number: &str| format!(r#"{{"n":{number}}}"#);
            assert_eq!(holds(&metadata(integer), "n", decimal), equal, "{integer} {decimal}");
            assert_eq!(holds(&metadata(decimal), "n", integer), equal, "{decimal} {integer}");
        }
    }

    #[test]
    fn integers_of_64_bits_are_told_apart() {
        let metadata = r#"{"id":9007199254740993}"#;
        assert!(holds(metadata, "id", "9007199254740993"));
        assert!(!holds(metadata, "id", "9007199254740992"));
    }
}
