//! Escapes text in URLs.

/// A text as a part of a URL's path, or as a name or value of a form.
pub(super) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_a_url_or_form_is_encoded() {
        assert_eq!(percent_encoded("a-Z_0.~"), "a-Z_0.~");
        assert_eq!(percent_encoded("a b/c?d&e=f%#+"), "a%20b%2Fc%3Fd%26e%3Df%25%23%2B");
        assert_eq!(percent_encoded("\u{e9}\0"), "%C3%A9%00");
    }
}
