//! The rules. Each is a function from a file to complaints. Patterns that would match this file
//! itself are concatenated from two halves.

use super::text::{Complaint, SourceFile, split_comment};

const COLUMNS_MAX: usize = 100;
const LINES_MAX: usize = 700;

const MARKERS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
/// Words that say nothing, or praise.
const WORDS: &[&str] =
    &["simply", "obviously", "robust", "seamless", "blazing", "leverage", "utilize"];
/// Paths of one person's machine.
const MACHINE_PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/")];
/// A panic ends the instance that it happens in.
const PANICS: &[&str] =
    &[".unwrap()", ".expect(", "panic!(", "unreachable!(", "todo!(", "unimplemented!("];
/// The guest only plans: access to the outside world belongs to a host.
const IMPURE: &[&str] = &["std::time", "std::fs", "std::net", "std::env", "std::thread"];
/// If these are looked up at the call, they may be fakes in an application's tests.
const TIMERS: &[&str] = &[
    "setTimeout",
    "clearTimeout",
    "setInterval",
    "clearInterval",
    "setImmediate",
    "clearImmediate",
    "queueMicrotask",
    "nextTick",
    "performance",
    "Date.now",
    "new Date()",
    "AbortSignal.timeout",
];
/// The module that looks them up once.
const TIMERS_MODULE: &str = "js/src/platform/timers.ts";
/// Lockfiles must name the same registry for everybody.
const NPM_REGISTRY: &str = "https://registry.npmjs.org/";

const RULES: &[fn(&SourceFile) -> Vec<Complaint>] = &[
    columns,
    length,
    ascii,
    markers,
    ignored_tests,
    narrowed_tests,
    words,
    machine_paths,
    panics,
    purity,
    timers,
    registry,
];

/// Everything that is wrong with a file.
pub(super) fn complaints(file: &SourceFile) -> Vec<Complaint> {
    RULES.iter().flat_map(|rule| rule(file)).collect()
}

/// One complaint for each line for which the function returns a text.
fn each_line(file: &SourceFile, what: impl Fn(&str) -> Option<String>) -> Vec<Complaint> {
    let lines = file.lines();
    lines.filter_map(|(line, text)| Some(Complaint { line, what: what(text)? })).collect()
}

fn is_source(file: &SourceFile) -> bool {
    file.has_extension(&["rs", "ts", "js", "mjs", "wit", "kql"])
}

fn columns(file: &SourceFile) -> Vec<Complaint> {
    if !is_source(file) {
        return Vec::new();
    }
    each_line(file, |line| {
        let columns = line.chars().count();
        (columns > COLUMNS_MAX).then(|| format!("{columns} columns, at most {COLUMNS_MAX}"))
    })
}

fn length(file: &SourceFile) -> Vec<Complaint> {
    let count = file.lines().count();
    if !is_source(file) || count <= LINES_MAX {
        return Vec::new();
    }
    vec![Complaint { line: 0, what: format!("{count} lines, at most {LINES_MAX}") }]
}

fn ascii(file: &SourceFile) -> Vec<Complaint> {
    if !is_source(file) {
        return Vec::new();
    }
    each_line(file, |line| {
        let strange = line.chars().find(|character| !character.is_ascii())?;
        Some(format!("{} is not ASCII: escape it", strange.escape_unicode()))
    })
}

fn markers(file: &SourceFile) -> Vec<Complaint> {
    if !is_source(file) && !file.has_extension(&["md", "toml"]) {
        return Vec::new();
    }
    each_line(file, |line| {
        let marker = MARKERS.iter().find(|marker| has_word(line, marker))?;
        Some(format!("{marker}: finish it or open an issue"))
    })
}

fn ignored_tests(file: &SourceFile) -> Vec<Complaint> {
    if !file.has_extension(&["rs"]) {
        return Vec::new();
    }
    each_line(file, |line| {
        let ignored = line.trim_start().starts_with("#[ignore]");
        ignored.then(|| "a test ignored without a reason".to_owned())
    })
}

fn narrowed_tests(file: &SourceFile) -> Vec<Complaint> {
    if !file.path().starts_with("js/test/") {
        return Vec::new();
    }
    each_line(file, |line| {
        let code = split_comment(line).0;
        let call = [".only(", ".skip("].into_iter().find(|call| code.contains(call))?;
        Some(format!("{call}) leaves tests out"))
    })
}

fn words(file: &SourceFile) -> Vec<Complaint> {
    let prose = file.has_extension(&["md"]);
    if !prose && !is_source(file) {
        return Vec::new();
    }
    each_line(file, |line| {
        let text = if prose { line } else { split_comment(line).1 };
        let text = text.to_ascii_lowercase();
        let word = WORDS.iter().find(|word| has_word(&text, word))?;
        Some(format!("\"{word}\" says nothing: leave it out"))
    })
}

fn machine_paths(file: &SourceFile) -> Vec<Complaint> {
    each_line(file, |line| {
        let path = MACHINE_PATHS.iter().find(|path| {
            line.match_indices(**path).any(|(position, _)| {
                let before = line[..position].chars().next_back();
                !before.is_some_and(|before| before.is_alphanumeric() || "._-}".contains(before))
            })
        })?;
        Some(format!("{path} is a path of one machine"))
    })
}

/// Whether this is code that runs for users, where a panic would end an instance.
fn is_shipped_rust(file: &SourceFile, folders: &[&str]) -> bool {
    let tests = file.path().ends_with("/tests.rs") || file.path().contains("/tests/");
    let inside = folders.iter().any(|folder| file.path().starts_with(folder));
    inside && !tests && file.has_extension(&["rs"])
}

fn panics(file: &SourceFile) -> Vec<Complaint> {
    if !is_shipped_rust(file, &["guest/src/", "guest/planner/src/", "host/src/", "xtask/src/"]) {
        return Vec::new();
    }
    // This file contains the patterns.
    if file.path() == "xtask/src/tidy/rules.rs" {
        return Vec::new();
    }
    forbidden(file, PANICS, "panics: return an error")
}

fn purity(file: &SourceFile) -> Vec<Complaint> {
    if !is_shipped_rust(file, &["guest/src/", "guest/planner/src/"]) {
        return Vec::new();
    }
    forbidden(file, IMPURE, "touches the world: leave it to the host")
}

fn timers(file: &SourceFile) -> Vec<Complaint> {
    if !file.path().starts_with("js/src/") || file.path() == TIMERS_MODULE {
        return Vec::new();
    }
    each_line(file, |line| {
        let code = split_comment(line).0.replace("timers.", "timers");
        let timer = TIMERS.iter().find(|timer| has_word(&code, timer))?;
        Some(format!("`{timer}` may be a fake when it is called: use {TIMERS_MODULE}"))
    })
}

fn forbidden(file: &SourceFile, patterns: &[&str], why: &str) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (line, code) in file.shipped_code() {
        if let Some(pattern) = patterns.iter().find(|pattern| code.contains(**pattern)) {
            complaints.push(Complaint { line, what: format!("`{pattern}` {why}") });
        }
    }
    complaints
}

fn registry(file: &SourceFile) -> Vec<Complaint> {
    if !file.path().ends_with("package-lock.json") {
        return Vec::new();
    }
    each_line(file, |line| {
        let address = line.trim_start().strip_prefix("\"resolved\": \"")?;
        let elsewhere = !address.starts_with(NPM_REGISTRY);
        elsewhere.then(|| format!("a package from elsewhere than {NPM_REGISTRY}"))
    })
}

/// Whether the text has the word without a letter or digit beside it.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(position, _)| {
        let before = text[..position].chars().next_back();
        let after = text[position + word.len()..].chars().next();
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests;
