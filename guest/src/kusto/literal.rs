//! Text as KQL: the only place that escapes.

/// A text as a string literal, which the service reads back as exactly this text.
///
/// Everything that could end a literal or a line, or that does not show, is escaped.
pub(crate) fn quoted(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for c in text.chars() {
        match c {
            '\\' => literal.push_str("\\\\"),
            '"' => literal.push_str("\\\""),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
                literal.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            _ => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn nothing_ends_a_literal_early() {
        assert_eq!(quoted("a\"; .drop table T //"), r#""a\"; .drop table T //""#);
        assert_eq!(quoted("back\\"), r#""back\\""#);
        assert_eq!(quoted("a\nb\u{2028}c\u{85}d\0"), r#""a\nb\u2028c\u0085d\u0000""#);
        assert_eq!(quoted("'`@{}\u{e9}\u{1f600}"), "\"'`@{}\u{e9}\u{1f600}\"");
    }
}
