//! The little JSON that this crate checks and writes by itself. It never decodes a value.

/// A JSON text may nest at most this deep.
const DEPTH_MAX: usize = 128;

/// What the JavaScript serializer writes for a negative zero, which `JSON.stringify` would lose.
pub(crate) const NEGATIVE_ZERO: &str = r#"{"lc":2,"type":"number","value":"-0"}"#;

/// Whether a JSON value is zero, of either sign and in any notation.
pub(crate) fn is_zero(json: &str) -> bool {
    let json = json.trim();
    let is_number = json.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    json == NEGATIVE_ZERO || (is_number && json.parse() == Ok(0.0_f64))
}

/// What the JavaScript serializer writes for the date with this ISO text, given as a JSON value;
/// `None` if the text is not a date.
pub(crate) fn date_record(json: &str) -> Option<String> {
    // The year has four digits, or a sign and six digits.
    const LENGTHS: [usize; 2] =
        ["\"2027-01-01T00:00:00.000Z\"".len(), "\"+002027-01-01T00:00:00.000Z\"".len()];
    let json = json.trim();
    let is_date = LENGTHS.contains(&json.len())
        && json.starts_with('"')
        && json.ends_with("Z\"")
        && json.contains('T')
        && !json.contains('\\');
    is_date.then(|| format!(r#"{{"lc":2,"type":"date","value":{json}}}"#))
}

/// The texts as a JSON array of strings.
pub(crate) fn array_of_strings<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut array = String::with_capacity(128);
    array.push('[');
    for text in texts {
        if array.len() > 1 {
            array.push(',');
        }
        push_string(text, &mut array);
    }
    array.push(']');
    array
}

/// The text as a JSON string.
#[cfg(feature = "takeover")]
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    push_string(text, &mut quoted);
    quoted
}

fn push_string(text: &str, json: &mut String) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            '\0'..='\x1f' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => json.push(c),
        }
    }
    json.push('"');
}

/// Whether the bytes are one JSON value (RFC 8259) with nothing around it.
pub(crate) fn is_value(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok() && value(bytes, 0, 0) == Some(bytes.len())
}

/// The members of an object: the keys, which are JSON strings, and the values. `None` if the text
/// is not one object with nothing around it.
pub(crate) fn object(json: &str) -> Option<Vec<(&str, &str)>> {
    let bytes = json.as_bytes();
    if bytes.first() != Some(&b'{') || !is_value(bytes) {
        return None;
    }
    let mut found = Vec::new();
    members(bytes, 0, b'}', |begin| {
        let after_key = string(bytes, begin)?;
        let from = space(bytes, space(bytes, after_key) + 1);
        let to = value(bytes, from, 1)?;
        found.push((json.get(begin..after_key)?, json.get(from..to)?));
        Some(to)
    })?;
    Some(found)
}

/// The texts in an array of strings; `None` if the text is not one such array with nothing around
/// it.
pub(crate) fn strings(json: &str) -> Option<Vec<String>> {
    let bytes = json.as_bytes();
    if bytes.first() != Some(&b'[') || !is_value(bytes) {
        return None;
    }
    let mut found = Vec::new();
    members(bytes, 0, b']', |begin| {
        let end = string(bytes, begin)?;
        found.push(text(json.get(begin..end)?)?);
        Some(end)
    })?;
    Some(found)
}

/// The text of a JSON string; `None` if it has half of a surrogate pair.
pub(crate) fn text(json: &str) -> Option<String> {
    String::from_utf8(unescaped(json)).ok()
}

/// The value of the first member with this key in an object; `None` if there is none.
pub(crate) fn member<'a>(json: &'a str, key: &str) -> Option<&'a str> {
    let is_key = |(name, _): &(&str, &str)| text(name).as_deref() == Some(key);
    object(json)?.into_iter().find(is_key).map(|(_, value)| value)
}

/// The bytes of a JSON string's content.
pub(crate) fn unescaped(json: &str) -> Vec<u8> {
    let inner = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(json);
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let mut characters = escape.chars();
        let replaced = match characters.next() {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                rest = push_unit(escape, &mut bytes);
                continue;
            }
            other => other.unwrap_or('\\'),
        };
        bytes.extend_from_slice(replaced.encode_utf8(&mut [0; 4]).as_bytes());
        rest = characters.as_str();
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// Appends the character of an escape that begins with `u`, and returns the text after it.
fn push_unit<'a>(escape: &'a str, bytes: &mut Vec<u8>) -> &'a str {
    let unit = |text: &str| u32::from_str_radix(text.get(1..5)?, 16).ok();
    let after = |text: &'a str| text.get(5..).unwrap_or_default();
    let first = unit(escape).unwrap_or_default();
    let rest = after(escape);
    if let (0xd800..0xdc00, Some(next)) = (first, rest.strip_prefix("\\u")) {
        let second = next.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if let Some(second @ 0xdc00..0xe000) = second {
            let pair = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            let pair = char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER);
            bytes.extend_from_slice(pair.encode_utf8(&mut [0; 4]).as_bytes());
            return next.get(4..).unwrap_or_default();
        }
    }
    match char::from_u32(first) {
        Some(character) => {
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        // A lone surrogate, encoded like a character of its number.
        None => {
            let tail = |shift: u32| 0x80 | (first >> shift & 0x3f) as u8;
            bytes.extend([0xe0 | (first >> 12) as u8, tail(6), tail(0)]);
        }
    }
    rest
}

/// JSON without insignificant white space.
#[cfg(any(feature = "kusto", feature = "postgres"))]
pub(crate) fn compact(json: &str) -> String {
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

/// The double as an integer of 64 bits; `None` if it is not one.
#[cfg(any(feature = "kusto", feature = "postgres", feature = "takeover"))]
pub(crate) fn whole(double: f64) -> Option<i64> {
    const END: f64 = 9_223_372_036_854_775_808.0;
    (double.fract() == 0.0 && (-END..END).contains(&double)).then_some(double as i64)
}

/// The index after the value at `at`.
fn value(bytes: &[u8], at: usize, depth: usize) -> Option<usize> {
    if depth > DEPTH_MAX {
        return None;
    }
    let rest = bytes.get(at..)?;
    match rest.first()? {
        b'"' => string(bytes, at),
        b'[' => members(bytes, at, b']', |at| value(bytes, at, depth + 1)),
        b'{' => members(bytes, at, b'}', |at| {
            let colon = space(bytes, string(bytes, at)?);
            (bytes.get(colon) == Some(&b':')).then_some(())?;
            value(bytes, space(bytes, colon + 1), depth + 1)
        }),
        b't' => rest.starts_with(b"true").then_some(at + 4),
        b'f' => rest.starts_with(b"false").then_some(at + 5),
        b'n' => rest.starts_with(b"null").then_some(at + 4),
        _ => number(bytes, at),
    }
}

/// The index after the container at `at`, whose members `member` reads.
fn members(
    bytes: &[u8],
    at: usize,
    end: u8,
    mut member: impl FnMut(usize) -> Option<usize>,
) -> Option<usize> {
    let mut at = space(bytes, at + 1);
    if bytes.get(at) == Some(&end) {
        return Some(at + 1);
    }
    loop {
        at = space(bytes, member(at)?);
        match bytes.get(at)? {
            b',' => at = space(bytes, at + 1),
            byte if *byte == end => return Some(at + 1),
            _ => return None,
        }
    }
}

fn space(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

fn string(bytes: &[u8], quote: usize) -> Option<usize> {
    (bytes.get(quote) == Some(&b'"')).then_some(())?;
    let mut at = quote + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => match bytes.get(at + 1)? {
                b'u' => {
                    let digits = bytes.get(at + 2..at + 6)?;
                    digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                    at += 6;
                }
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                _ => return None,
            },
            0..=0x1f => return None,
            _ => at += 1,
        }
    }
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let digits = |mut at: usize| {
        let begin = at;
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        (at > begin).then_some(at)
    };
    let begin = if bytes.get(at) == Some(&b'-') { at + 1 } else { at };
    let mut at = digits(begin)?;
    if bytes.get(begin) == Some(&b'0') && at > begin + 1 {
        return None;
    }
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
        at = digits(at + 1 + usize::from(sign))?;
    }
    Some(at)
}
