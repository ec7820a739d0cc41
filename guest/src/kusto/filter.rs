//! Conditions on metadata, decided exactly: equal as on every other store. A query can only be
//! narrowed, since Kusto keeps no JSON exactly.

use serde_json::value::RawValue;

use super::query::Narrowing;
use super::row::Members;
use crate::call::MetadataFilter;
use crate::json::is_zero;

/// What a query may be narrowed by: conditions that hold for every match.
pub(crate) fn narrowing(filters: &[MetadataFilter]) -> Vec<Narrowing> {
    let narrowing = |filter: &MetadataFilter| match filter.key.as_str() {
        "source" => text(&filter.json).map(Narrowing::Source),
        "run_id" => text(&filter.json).map(Narrowing::RunId),
        "step" => serde_json::from_str(&filter.json).ok().map(Narrowing::Step),
        _ => None,
    };
    let mut narrow: Vec<Narrowing> = Vec::new();
    for found in filters.iter().filter_map(narrowing) {
        let same =
            |other: &Narrowing| std::mem::discriminant(other) == std::mem::discriminant(&found);
        if !narrow.iter().any(same) {
            narrow.push(found);
        }
    }
    narrow
}

/// An empty text is no condition: a column says the same of an absent one.
fn text(json: &str) -> Option<String> {
    serde_json::from_str::<String>(json).ok().filter(|text| !text.is_empty())
}

/// Whether all conditions hold of a metadata that is JSON text.
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

/// Numbers are equal by value, zeros of either sign being equal, texts by what they say, everything else by its JSON text.
fn equal(value: &RawValue, json: &str) -> bool {
    let value = value.get().trim();
    let json = json.trim();
    if is_zero(json) {
        return is_zero(&compact(value));
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

/// A number by its value: 64 bits where it is an integer of so many, else a double.
fn number(text: &str) -> Option<(Option<i64>, u64)> {
    let double: f64 = text.parse().ok()?;
    let whole = text.parse::<i64>().ok().or_else(|| {
        let exact = double.fract() == 0.0 && double.abs() < 9_007_199_254_740_992.0;
        exact.then_some(double as i64)
    });
    Some((whole, if whole.is_some() { 0 } else { double.to_bits() }))
}

/// JSON without the white space that means nothing.
fn compact(json: &str) -> String {
    let mut compact = String::with_capacity(json.len());
    let (mut inside, mut escaped) = (false, false);
    for c in json.chars() {
        if inside {
            inside = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c.is_ascii_whitespace() {
            continue;
        } else {
            inside = c == '"';
        }
        compact.push(c);
    }
    compact
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::NEGATIVE_ZERO;

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
    fn zero_is_zero_whatever_its_sign() {
        let zeros = ["0", "-0", "0.0", "-0.0", "0e0", "-0e5", NEGATIVE_ZERO];
        for zero in zeros {
            let metadata = format!(r#"{{"n":{zero}}}"#);
            assert!(zeros.iter().all(|other| holds(&metadata, "n", other)), "{zero}");
            assert!(!holds(&metadata, "n", "1") && !holds(&metadata, "n", "\"0\""));
        }
    }

    #[test]
    fn integers_of_64_bits_are_told_apart() {
        let metadata = r#"{"id":9007199254740993}"#;
        assert!(holds(metadata, "id", "9007199254740993"));
        assert!(!holds(metadata, "id", "9007199254740992"));
    }
}
