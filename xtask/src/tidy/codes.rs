//! The codes of errors: docs/troubleshooting.md must have exactly those in the sources.

use std::collections::BTreeSet;

use super::text::{SourceFile, split_comment};

const DOCUMENT: &str = "docs/troubleshooting.md";

/// Texts that look like codes and are not.
const OTHERS: &[&str] = &[
    // A command of the program, and options.
    "delete-runs",
    "dry-run",
    "source-schema",
    // Headers.
    "accept-encoding",
    "content-encoding",
    "content-length",
    "content-type",
    "retry-after",
    "x-ms-app",
    "x-ms-client-request-id",
    "x-ms-version",
    // Names of threads, worlds and entry points.
    "checkpoint-call",
    "checkpoint-read",
    "checkpoint-tick",
    "checkpoint-write",
    "checkpointer-kusto",
    "checkpointer-sql",
    "durable-object",
    "langgraph-checkpoint-wasm",
    "sqlite-wasm",
    // Options of commands.
    "idle-for",
    "idle-since",
    "keep-last",
    // Values of libpq's `sslmode`.
    "verify-ca",
    "verify-full",
    // Cases of variants.
    "all-done",
    "await-shown",
    "client-secret",
    "copy-thread",
    "delete-thread",
    "delta-channel-history",
    "fresh-token",
    "get-tuple",
    "invalid-input",
    "newer-than",
    "put-writes",
    "too-large",
    "unsupported-format",
    "with-rows",
    "writes-stored",
];

/// Comes before a name of `wit/`.
const NAMED_FOR_WIT: &str = "component(name =";

/// What is wrong with the document.
pub(super) fn complaints(files: &[SourceFile]) -> Vec<String> {
    let Some(document) = files.iter().find(|file| file.path() == DOCUMENT) else {
        return vec![format!("{DOCUMENT} is missing")];
    };
    let documented = documented(document);
    let sources: BTreeSet<&str> = files.iter().flat_map(codes).collect();
    let missing = sources.difference(&documented).map(|code| {
        format!(
            "{DOCUMENT}: \"{code}\" is missing; if it is not a code, name it in xtask's codes.rs"
        )
    });
    let unknown = documented
        .difference(&sources)
        .map(|code| format!("{DOCUMENT}: no source has the code \"{code}\""));
    missing.chain(unknown).collect()
}

/// The codes in the first cells of the tables.
fn documented(document: &SourceFile) -> BTreeSet<&str> {
    let cells = document.lines().filter_map(|(_, line)| line.strip_prefix("| "));
    let cells = cells.filter_map(|line| line.split(" | ").next());
    cells.flat_map(|cell| quoted(cell, '`')).filter(|text| is_code(text)).collect()
}

/// The codes in a source file of the product.
fn codes(file: &SourceFile) -> Vec<&str> {
    let path = file.path();
    let ours = ["guest/", "host/", "js/", "python/"];
    let ours = ours.iter().any(|folder| path.starts_with(folder))
        && ["/src/", "/langgraph_checkpoint_wasm/"].iter().any(|folder| path.contains(folder));
    if !ours || path.ends_with("/tests.rs") {
        return Vec::new();
    }
    let code: Vec<&str> = if file.has_extension(&["rs"]) {
        let code = file.shipped_code().into_iter().map(|(_, line)| line);
        code.filter(|line| !line.contains(NAMED_FOR_WIT)).collect()
    } else if file.has_extension(&["ts"]) {
        file.lines().map(|(_, line)| split_comment(line).0).collect()
    } else if file.has_extension(&["py"]) {
        file.lines().filter_map(|(_, line)| line.split("# ").next()).collect()
    } else {
        return Vec::new();
    };
    let texts = code.into_iter().flat_map(|line| quoted(line, '"'));
    texts.filter(|text| is_code(text) && !OTHERS.contains(text)).collect()
}

/// The texts between pairs of marks in a line.
fn quoted(line: &str, mark: char) -> impl Iterator<Item = &str> {
    line.split(mark).skip(1).step_by(2)
}

/// Whether a text is at least two lower-case words joined by hyphens.
fn is_code(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    text.contains('-') && text.split('-').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile::new(path.to_owned(), text.to_owned())
    }

    #[test]
    fn a_code_that_is_not_documented_and_one_that_no_source_has_are_reported() {
        let table = "| code | cause |\n| `one-code`, `no-code` | not `in-here` |\n";
        let files = [
            file(DOCUMENT, table),
            file("guest/src/a.rs", "f(\"one-code\"); // \"no-code\"\n"),
            file("js/src/a.ts", "throw new E(\"other-code\", \"a text\");\n"),
            file("js/test/a.ts", "\"not-shipped\"\n"),
            file("python/python/langgraph_checkpoint_wasm/a.py", "\"of-python\"  # \"no-code\"\n"),
        ];
        let reported = complaints(&files);
        assert_eq!(reported.len(), 3, "{reported:?}");
        assert!(reported[0].contains("\"of-python\" is missing"));
        assert!(reported[1].contains("\"other-code\" is missing"));
        assert!(reported[2].contains("no source has the code \"no-code\""));
    }

    #[test]
    fn headers_and_texts_are_no_codes() {
        let text = "[\"content-type\", \"utf-8\", \"a b-c\", \"word\", \"-\"]";
        assert!(codes(&file("host/src/a.rs", text)).is_empty());
    }
}
