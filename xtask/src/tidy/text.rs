//! A file, its lines, and which part of a line is code.

/// A text file of the checkout.
pub(super) struct SourceFile {
    path: String,
    text: String,
}

impl SourceFile {
    pub(super) fn new(path: String, text: String) -> Self {
        Self { path, text }
    }

    /// Relative to the root, with slashes.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Whether the name ends in one of these extensions.
    pub(super) fn has_extension(&self, extensions: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
    }

    /// The lines, counted from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// The lines of Rust outside items marked `#[cfg(test)]`, without comments.
    ///
    /// It relies on rustfmt: an item ends at the brace with the same indentation as the item.
    pub(super) fn shipped_code(&self) -> Vec<(usize, &str)> {
        let mut code = Vec::new();
        let mut lines = self.lines();
        while let Some((number, line)) = lines.next() {
            if line.trim_start() != "#[cfg(test)]" {
                code.push((number, split_comment(line).0));
                continue;
            }
            let indent = &line[..line.len() - line.trim_start().len()];
            let end = lines.find(|(_, line)| {
                let item = line.strip_prefix(indent).unwrap_or(line);
                let nested = item.starts_with([' ', '#']);
                !nested && item.ends_with([';', '}'])
            });
            if end.is_none() {
                break;
            }
        }
        code
    }
}

/// What is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    /// Counted from 1; 0 means the whole file.
    pub(super) line: usize,
    pub(super) what: String,
}

/// Cuts a line of Rust, TypeScript or WIT into its code and its line comment.
pub(super) fn split_comment(line: &str) -> (&str, &str) {
    let mut quoted = false;
    let mut previous = ' ';
    for (position, character) in line.char_indices() {
        match character {
            '"' if previous != '\\' && previous != '\'' => quoted = !quoted,
            '/' if previous == '/' && !quoted => return line.split_at(position - 1),
            _ => {}
        }
        previous = character;
    }
    let start = line.trim_start();
    if start.starts_with("/*") || start.starts_with("* ") { ("", line) } else { (line, "") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_told_from_a_string() {
        assert_eq!(split_comment("let a = 1; // why"), ("let a = 1; ", "// why"));
        assert_eq!(split_comment("let a = \"http://x\";"), ("let a = \"http://x\";", ""));
        assert_eq!(split_comment("let a = '\"'; // why"), ("let a = '\"'; ", "// why"));
        assert_eq!(split_comment("   * of a block"), ("", "   * of a block"));
    }

    #[test]
    fn test_items_are_not_shipped() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n#[cfg(test)]\n\
                    mod other;\nimpl A {\n    #[cfg(test)]\n    fn c() {\n    }\n    \
                    fn d() {}\n}\n";
        let file = SourceFile::new("a.rs".to_owned(), text.to_owned());
        let lines: Vec<usize> = file.shipped_code().into_iter().map(|(number, _)| number).collect();
        assert_eq!(lines, [1, 8, 12, 13]);
    }
}
