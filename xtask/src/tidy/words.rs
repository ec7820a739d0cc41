//! Names: a thing is called by its word in docs/glossary.md, in the code as in the documents.

use super::text::{SourceFile, split_comment};

const GLOSSARY: &str = "docs/glossary.md";

/// A word that no name has, because the glossary has another one for the same thing.
struct Avoided {
    words: &'static [&'static str],
    /// The glossary's word.
    instead: &'static str,
    /// How the paths of the files begin in which the words would mean the same.
    within: &'static [&'static str],
}

const PRODUCT: &[&str] = &["guest/", "host/", "js/src/"];
/// Where values are remembered and compared.
const SAVER: &[&str] = &["js/src/changes/", "js/src/langgraph/", "js/src/options.ts"];
const CHANGES: &[&str] = &["js/src/changes/", "js/src/langgraph/", "js/test/changes/"];

const AVOIDED: &[Avoided] = &[
    Avoided { words: &["memory", "memo"], instead: "cache", within: SAVER },
    Avoided { words: &["snapshot", "proof", "proofs"], instead: "fingerprint", within: CHANGES },
    Avoided { words: &["patch", "hunk"], instead: "edit", within: PRODUCT },
    Avoided { words: &["segment", "fragment", "shard"], instead: "chunk", within: PRODUCT },
    Avoided { words: &["manifest"], instead: "piece", within: PRODUCT },
    Avoided { words: &["backend"], instead: "store", within: PRODUCT },
    Avoided { words: &["flavour"], instead: "dialect", within: PRODUCT },
    Avoided { words: &["demand"], instead: "need", within: PRODUCT },
    Avoided { words: &["verdict"], instead: "outcome", within: PRODUCT },
    Avoided { words: &["backlog", "writeback"], instead: "write-behind", within: PRODUCT },
    Avoided { words: &["scenario"], instead: "transcript", within: &["tests/", "js/src/testing/"] },
];

/// Names that do not tell one file from another.
const FILES: &[&str] =
    &["again", "common", "eventually", "helper", "helpers", "misc", "runner", "util", "utils"];

/// Everything that is wrong with names.
pub(super) fn complaints(files: &[SourceFile]) -> Vec<String> {
    let glossary = files.iter().find(|file| file.path() == GLOSSARY);
    let lines = glossary.into_iter().flat_map(SourceFile::lines);
    let known: Vec<&str> =
        lines.filter_map(|(_, line)| line.strip_prefix("| ")?.split(" | ").next()).collect();
    let unknown = AVOIDED.iter().filter(|avoided| !known.contains(&avoided.instead));
    let unknown = unknown.map(|avoided| format!("{GLOSSARY}: `{}` is missing", avoided.instead));
    let sources = files.iter().filter(|file| file.has_extension(&["rs", "ts", "mjs", "wit"]));
    unknown.chain(sources.flat_map(names)).collect()
}

fn names(file: &SourceFile) -> Vec<String> {
    let path = file.path();
    let is_here = |avoided: &&Avoided| avoided.within.iter().any(|start| path.starts_with(start));
    let avoided: Vec<_> = AVOIDED.iter().filter(is_here).collect();
    let mut complaints = Vec::new();
    let name = path.rsplit('/').next().unwrap_or(path);
    if let Some(word) = words(name).into_iter().find(|word| FILES.contains(&word.as_str())) {
        complaints.push(format!("{path}: `{word}` does not say what is in the file"));
    }
    // Line 0 is the path.
    let lines = file.lines().map(|(line, text)| (line, split_comment(text).0));
    for (line, code) in std::iter::once((0, path)).chain(lines) {
        // What is in quotes is no name.
        for word in code.split('"').step_by(2).flat_map(words) {
            for Avoided { instead, .. } in
                avoided.iter().filter(|avoided| avoided.words.contains(&word.as_str()))
            {
                let what = format!("say `{instead}` instead of `{word}` ({GLOSSARY})");
                complaints.push(format!("{path}:{line}: {what}"));
            }
        }
    }
    complaints
}

/// The words of all names in a text, in lower case: four of `getTuple`, `MAX_BYTES`.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for sign in text.chars() {
        if !sign.is_alphabetic() || (sign.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        if sign.is_alphabetic()
            && let Some(word) = words.last_mut()
        {
            word.extend(sign.to_lowercase());
        }
        was_lower = sign.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints_about(path: &str, text: &str) -> Vec<String> {
        let rows: Vec<_> = AVOIDED.iter().map(|it| format!("| {} | is |", it.instead)).collect();
        let glossary = SourceFile::new(GLOSSARY.to_owned(), rows.join("\n"));
        complaints(&[glossary, SourceFile::new(path.to_owned(), text.to_owned())])
    }

    #[test]
    fn a_word_for_which_the_glossary_has_another_is_reported_in_every_kind_of_name() {
        for name in ["memory", "#memoryOf", "MEMORY_MAX", "InMemory", "a_memory_b"] {
            let reported = complaints_about("js/src/changes/a.ts", &format!("\nf({name});"));
            let what = "say `cache` instead of `memory` (docs/glossary.md)";
            assert_eq!(reported, [format!("js/src/changes/a.ts:2: {what}")], "{name}");
        }
        assert_eq!(complaints_about("guest/src/shard.rs", "").len(), 1);
    }

    #[test]
    fn the_word_is_free_in_texts_in_comments_and_elsewhere() {
        let text = "f(\"memory\"); // its memory\nmemorable();";
        assert_eq!(complaints_about("js/src/changes/a.ts", text), [""; 0]);
        assert_eq!(complaints_about("js/src/planner/a.ts", "memory"), [""; 0]);
    }

    #[test]
    fn names_of_files_that_say_nothing_are_reported() {
        for name in FILES {
            assert_eq!(complaints_about(&format!("a/{name}.rs"), "").len(), 1, "{name}");
            assert_eq!(complaints_about(&format!("a/my-{name}.ts"), "").len(), 1, "{name}");
        }
        assert_eq!(complaints_about("a/utilities.rs", "again(); utils();"), [""; 0]);
    }

    #[test]
    fn a_better_word_that_the_glossary_lacks_is_reported() {
        let reported = complaints(&[]);
        assert_eq!(reported.len(), AVOIDED.len());
        assert_eq!(reported[0], "docs/glossary.md: `cache` is missing");
    }
}
