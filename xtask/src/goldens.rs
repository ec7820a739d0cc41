//! Checks that every golden call has its expected statements, and the reverse.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// Fails on a golden file without its pair.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let sqlite = workspace.path("tests/goldens/sqlite");
    let count = paired(&sqlite)?;
    same_names(&sqlite, &workspace.path("tests/goldens/postgres"))?;
    println!("{count} goldens, each with its pair");
    Ok(())
}

/// Returns the number of pairs `NAME.json` and `NAME.txt` in a folder that has nothing else.
fn paired(folder: &Path) -> Result<usize> {
    let mut calls = BTreeSet::new();
    let mut expected = BTreeSet::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => calls.insert(name),
            Some("txt") => expected.insert(name),
            _ => bail!("{} is neither a call nor its statements", path.display()),
        };
    }
    let alone: Vec<&str> = calls.symmetric_difference(&expected).map(String::as_str).collect();
    if !alone.is_empty() {
        bail!("goldens without their pair: {}", alone.join(", "));
    }
    if calls.is_empty() {
        bail!("{} has no goldens", folder.display());
    }
    Ok(calls.len())
}

/// Fails unless both folders have the same expected statements: each call is shown on every store
/// of SQL.
fn same_names(folder: &Path, other: &Path) -> Result<()> {
    let names = |folder: &Path| -> Result<BTreeSet<String>> {
        let entries =
            fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.filter(|name| name.as_ref().is_ok_and(|name| name.ends_with(".txt"))).collect()
    };
    let (these, others) = (names(folder)?, names(other)?);
    let alone: Vec<&str> = these.symmetric_difference(&others).map(String::as_str).collect();
    if !alone.is_empty() {
        bail!("goldens of one store only: {}", alone.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            fs::write(folder.path().join(name), "").unwrap();
        }
        folder
    }

    #[test]
    fn pairs_are_counted() {
        let folder = folder(&["put.json", "put.txt", "list.json", "list.txt"]);
        assert_eq!(paired(folder.path()).unwrap(), 2);
    }

    #[test]
    fn a_golden_without_its_pair_is_named() {
        let folder = folder(&["put.json", "put.txt", "list.json", "setup.txt"]);
        let error = paired(folder.path()).unwrap_err();
        assert_eq!(error.to_string(), "goldens without their pair: list, setup");
    }

    #[test]
    fn anything_else_and_nothing_at_all_are_refused() {
        assert!(paired(folder(&["put.new"]).path()).is_err());
        assert!(paired(folder(&[]).path()).is_err());
    }

    #[test]
    fn a_call_is_shown_on_every_store() {
        let (one, other) = (folder(&["put.json", "put.txt"]), folder(&["put.txt"]));
        assert!(same_names(one.path(), other.path()).is_ok());
        let more = folder(&["put.txt", "old.txt"]);
        assert!(same_names(one.path(), more.path()).unwrap_err().to_string().contains("old.txt"));
    }
}
