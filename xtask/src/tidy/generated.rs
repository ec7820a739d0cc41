//! Generated code: the only files that may use it.

use std::collections::BTreeSet;

use super::text::{SourceFile, split_comment};

/// What a build makes below `js/generated/`.
const SCRIPTS: &[&str] = &[
    "js/src/entries/core-for-workers.ts",
    "js/src/entries/core-kusto-for-workers.ts",
    "js/src/entries/core-kusto.ts",
    "js/src/entries/core-postgres-for-workers.ts",
    "js/src/entries/core-postgres.ts",
    "js/src/entries/core.ts",
    "js/src/entries/sqlite-wasm.ts",
    "js/src/planner/core-of-kusto.ts",
    "js/src/planner/core-of-postgres.ts",
    "js/src/planner/core-of-sql.ts",
    "js/src/testing/transcripts.ts",
];

/// What `wit_bindgen` and wasmtime's `bindgen` make of WIT.
const BINDINGS: &[&str] = &[
    "examples/agent/src/lib.rs",
    "examples/http-agent/src/lib.rs",
    "examples/wasi-embedding/src/main.rs",
    "guest/checkpointer-kusto/src/lib.rs",
    "guest/checkpointer/src/lib.rs",
    "guest/planner/src/lib.rs",
    "guest/wire-planner/src/lib.rs",
    "host/src/bindings.rs",
    "host/src/imports/bindings.rs",
    "host/src/kusto/bindings.rs",
    "host/tests/agents.rs",
    "host/tests/imports.rs",
    "host/tests/postgres/agents.rs",
];

/// Complains of files that use generated code and are not listed, and of the reverse.
pub(super) fn complaints(files: &[SourceFile]) -> Vec<String> {
    let listed: BTreeSet<&str> = SCRIPTS.iter().chain(BINDINGS).copied().collect();
    let found: BTreeSet<&str> =
        files.iter().filter(|file| uses(file)).map(SourceFile::path).collect();
    let unlisted = found.difference(&listed).map(|path| {
        format!(
            "{path}: uses generated code: go through a file that does, or list it in generated.rs"
        )
    });
    let stale = listed.difference(&found).map(|path| {
        format!("{path}: uses no generated code: remove it from the list in generated.rs")
    });
    unlisted.chain(stale).collect()
}

fn uses(file: &SourceFile) -> bool {
    let marks: &[&str] = if file.has_extension(&["rs"]) {
        &[concat!("bindgen", "!"), concat!("generate", "!")]
    } else if file.path().starts_with("js/src/") && file.has_extension(&["ts"]) {
        &["../generated/"]
    } else {
        return false;
    };
    file.lines().any(|(_, line)| marks.iter().any(|mark| split_comment(line).0.contains(mark)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile::new(path.to_owned(), text.to_owned())
    }

    /// Every listed file, with generated code.
    fn all_listed() -> Vec<SourceFile> {
        let scripts = SCRIPTS.iter().map(|path| file(path, "from \"../../generated/a.js\";"));
        let bindings = BINDINGS.iter().map(|path| file(path, concat!("bindgen", "!({")));
        scripts.chain(bindings).collect()
    }

    #[test]
    fn generated_code_is_reported_outside_the_listed_files() {
        let mut files = all_listed();
        assert_eq!(complaints(&files), [""; 0]);
        files.push(file("js/test/a.ts", "from \"../generated/a.js\";"));
        files.push(file("js/src/a.ts", "// from \"../generated/a.js\";"));
        assert_eq!(complaints(&files), [""; 0]);
        files.push(file("js/src/b.ts", "new URL(\"../generated/a.wasm\", import.meta.url)"));
        files.push(file("host/src/b.rs", concat!("    wit_bindgen::generate", "!({")));
        let reported = complaints(&files);
        assert!(reported[0].starts_with("host/src/b.rs: uses generated code"), "{reported:?}");
        assert!(reported[1].starts_with("js/src/b.ts: uses generated code"), "{reported:?}");
        assert_eq!(reported.len(), 2);
    }

    #[test]
    fn a_listed_file_without_generated_code_is_reported() {
        let mut files = all_listed();
        let missing = files.pop().unwrap();
        let expected = format!("{}: uses no generated code", missing.path());
        assert!(complaints(&files)[0].starts_with(&expected));
    }
}
