//! Checks that the examples in the documents are run by tests, that their commands exist, and that
//! they name the Rust that is needed.
//!
//! The README's JavaScript is also in the package's README, and the package's tests run every
//! example there. The README's Rust is compiled with the host's documentation.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::arguments;
use crate::workspace::Workspace;

/// The documents whose commands are checked.
const SHOWING: &[&str] = &["README.md", "CONTRIBUTING.md", "docs/benchmarks.md"];

/// Fails on an example that no test runs, and on an unknown command.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let read = |path: &str| {
        fs::read_to_string(workspace.path(path)).with_context(|| format!("cannot read {path}"))
    };
    let readme = read("README.md")?;
    let package = read("js/README.md")?;
    let host = read("host/src/lib.rs")?;
    let examples = blocks(&readme, "js");
    check_excerpts(
        &read("docs/tutorials/agents-as-components.md")?,
        &[&read("examples/agent/src/lib.rs")?, &read("examples/http-agent/src/lib.rs")?],
    )?;
    if examples.is_empty() {
        bail!("README.md has no example in JavaScript");
    }
    if let Some(example) = examples.iter().find(|example| !package.contains(**example)) {
        bail!("js/README.md, whose examples are run, has no such example:\n{example}");
    }
    if !host.contains("include_str!(\"../../README.md\")") {
        bail!("host/src/lib.rs does not include README.md, so its Rust is not compiled");
    }
    let rust = rust_version(&read("Cargo.toml")?).context("Cargo.toml has no rust-version")?;
    for document in ["README.md", "CONTRIBUTING.md"] {
        if !read(document)?.contains(&format!("Rust {rust} or newer")) {
            bail!("{document} does not say that Rust {rust} or newer is needed");
        }
    }
    let commands = arguments::commands();
    for document in SHOWING {
        let text = read(document)?;
        if let Some(unknown) = shown(&text).find(|name| !commands.iter().any(|own| own == name)) {
            bail!("{document} shows `cargo xtask {unknown}`, which is not a command");
        }
    }
    println!("{}; every command of {} exists", run(examples.len()), SHOWING.join(", "));
    Ok(())
}

/// The oldest Rust that the workspace builds with.
fn rust_version(manifest: &str) -> Option<String> {
    let line = manifest.lines().find_map(|line| line.strip_prefix("rust-version = "))?;
    Some(line.trim_matches('"').to_owned())
}

/// How many examples are run, in words.
fn run(count: usize) -> String {
    match count {
        1 => "1 example is run".to_owned(),
        _ => format!("{count} examples are run"),
    }
}

/// Fails if the tutorial on agents shows lines that no example has. A test runs its host.
fn check_excerpts(tutorial: &str, agents: &[&str]) -> Result<()> {
    let shown = |text: &str| agents.iter().any(|agent| agent.contains(text));
    if let Some(excerpt) = blocks(tutorial, "rs").iter().find(|text| !shown(text)) {
        bail!("no agent in examples/ has these lines of the tutorial on agents:\n{excerpt}");
    }
    Ok(())
}

/// The fenced blocks of a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    text.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// The names after `cargo xtask`.
fn shown(text: &str) -> impl Iterator<Item = &str> {
    text.split("cargo xtask ").skip(1).map(|rest| {
        rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rust_version_is_that_of_the_manifest() {
        assert_eq!(rust_version("a = 1\nrust-version = \"1.95\"\n").as_deref(), Some("1.95"));
        assert_eq!(rust_version("a = 1\n"), None);
    }

    #[test]
    fn one_example_is_counted_in_the_singular() {
        assert_eq!([run(1), run(2)], ["1 example is run", "2 examples are run"]);
    }

    #[test]
    fn lines_that_no_agent_has_are_reported() {
        let tutorial = "```rs\nfn a() {}\n```\n";
        assert!(check_excerpts(tutorial, &["fn b() {}\n", "x\nfn a() {}\ny\n"]).is_ok());
        assert!(check_excerpts(tutorial, &["fn b() {}\n"]).is_err());
    }

    #[test]
    fn blocks_are_those_of_the_language() {
        let text = "a\n```js\none\n```\n```sh\ntwo\n```\n```js\nthree\n```\n";
        assert_eq!(blocks(text, "js"), ["one\n", "three\n"]);
    }

    #[test]
    fn commands_end_where_their_names_do() {
        let text = "run `cargo xtask demo`, or cargo xtask test --only js";
        assert_eq!(shown(text).collect::<Vec<_>>(), ["demo", "test"]);
    }
}
