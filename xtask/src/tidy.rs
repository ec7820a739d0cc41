//! Rules that no compiler checks. A unit test runs them too, so `cargo test` fails on untidy code.

mod codes;
mod generated;
mod imports;
mod layers;
mod rules;
mod text;
mod words;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;
use text::SourceFile;

/// Folders with files that others wrote or that are generated. `.git` may be a file: of a worktree.
const SKIPPED: &[&str] = &[
    ".git",
    ".venv",
    "artifacts",
    "corpus",
    "deps",
    "dist",
    "generated",
    "generated.partial",
    "goldens",
    ".hypothesis",
    "node_modules",
    "target",
];

/// Checks every file of the checkout against every rule.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut files = Vec::new();
    collect(workspace.root(), "", &mut files)?;
    let mut complaints = Vec::new();
    for file in &files {
        for complaint in rules::complaints(file) {
            complaints.push(format!("{}:{}: {}", file.path(), complaint.line, complaint.what));
        }
    }
    complaints.extend(layers::complaints(&files));
    complaints.extend(generated::complaints(&files));
    complaints.extend(words::complaints(&files));
    complaints.extend(codes::complaints(&files));
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    println!("{} files are tidy", files.len());
    Ok(())
}

/// Reads every text file below a folder.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<SourceFile>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {prefix}"))?;
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        let Ok(name) = entry.file_name().into_string() else {
            bail!("{prefix}: a file name that is not UTF-8");
        };
        if SKIPPED.contains(&name.as_str()) {
            continue;
        }
        let path = format!("{prefix}{name}");
        if kind.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_file()
            && let Ok(text) = String::from_utf8(fs::read(entry.path())?)
        {
            files.push(SourceFile::new(path, text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        check(&Workspace::locate().unwrap()).unwrap();
    }
}
