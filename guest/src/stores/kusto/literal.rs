//! String literals of KQL. Only this module escapes text.

/// A text as a string literal, which the service reads back as exactly this text.
///
/// Every character that could end a literal or a line, or that is invisible, is escaped.
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

    /// Texts that have a meaning in KQL, break lines, or are unusual.
    const PIECES: [&str; 24] = [
        "\"",
        "'",
        "\\",
        "\\\\",
        "\n",
        "\r",
        "\t",
        "\0",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{2029}",
        "//",
        "```",
        "@\"",
        "h'",
        ";",
        "|",
        ".drop table T",
        "]",
        "{",
        "\u{1f600}",
        "\u{feff}",
        "a b",
    ];

    /// Microsoft's own lexer reads the same file (`tests/kusto-language`).
    #[test]
    fn literals_are_those_of_the_golden_file() {
        let mut lines = String::new();
        let mut add = |text: String| {
            let line = serde_json::json!([text, quoted(&text)]);
            lines.push_str(&format!("{line}\n"));
        };
        PIECES.iter().for_each(|piece| add((*piece).to_owned()));
        let mut state = 1_u32;
        for length in 0..400 {
            let mut text = String::new();
            for _ in 0..length % 12 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                text.push_str(PIECES[(state >> 16) as usize % PIECES.len()]);
            }
            add(text);
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/goldens/kusto/literals.jsonl");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, &lines).unwrap();
        }
        let golden = std::fs::read_to_string(path).unwrap_or_default();
        assert!(golden == lines, "literals differ; run with BLESS=1 and read the diff");
    }

    #[test]
    fn nothing_ends_a_literal_early() {
        assert_eq!(quoted("a\"; .drop table T //"), r#""a\"; .drop table T //""#);
        assert_eq!(quoted("back\\"), r#""back\\""#);
        assert_eq!(quoted("a\nb\u{2028}c\u{85}d\0"), r#""a\nb\u2028c\u0085d\u0000""#);
        assert_eq!(quoted("'`@{}\u{e9}\u{1f600}"), "\"'`@{}\u{e9}\u{1f600}\"");
    }
}
