//! npm packages, installed from their lockfile when they are missing or out of date.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use crate::process;

/// Installs what the folder's `package-lock.json` names, unless it is installed already.
pub(crate) fn ensure_installed(folder: &Path) -> Result<()> {
    ensure(folder, &["ci"])
}

/// Like `ensure_installed`, for packages that have a part for each platform. If a registry lacks a
/// part, `npm ci` fails even if that part is for another platform.
pub(crate) fn ensure_installed_in_part(folder: &Path) -> Result<()> {
    ensure(folder, &["install", "--no-save"])
}

fn ensure(folder: &Path, install: &[&str]) -> Result<()> {
    let locked = packages(&folder.join("package-lock.json"))?;
    let Some(locked) = locked else {
        bail!("{} has no package-lock.json", folder.display());
    };
    // npm writes this file at the end of an installation.
    let installed = packages(&folder.join("node_modules").join(".package-lock.json"))?;
    if installed.is_some_and(|installed| satisfies(&installed, &locked)) {
        return Ok(());
    }
    println!("installing the npm packages of {}", folder.display());
    run(folder, &[install, &["--no-audit", "--no-fund"]].concat())
}

/// Runs a script of the folder's `package.json`.
pub(crate) fn run_script(folder: &Path, script: &str) -> Result<()> {
    run(folder, &["run", "--silent", script])
}

/// Runs npm in a folder.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Result<()> {
    // On Windows npm is a script, which is not found without its extension.
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    process::run(Command::new(program).current_dir(folder).args(arguments))
}

/// The `packages` of a lockfile; `None` if there is no lockfile.
fn packages(lockfile: &Path) -> Result<Option<Map<String, Value>>> {
    let Ok(text) = fs::read_to_string(lockfile) else {
        return Ok(None);
    };
    let mut root: Value = serde_json::from_str(&text)
        .with_context(|| format!("{} is not JSON", lockfile.display()))?;
    match root["packages"].take() {
        Value::Object(packages) => Ok(Some(packages)),
        _ => bail!("{} has no `packages`: made by an npm before 7", lockfile.display()),
    }
}

/// Whether exactly the locked packages are installed; those of other platforms may be absent.
fn satisfies(installed: &Map<String, Value>, locked: &Map<String, Value>) -> bool {
    let all_there = locked.iter().filter(|(path, _)| !path.is_empty()).all(|(path, package)| {
        match installed.get(path) {
            Some(found) => {
                found["version"] == package["version"] && found["integrity"] == package["integrity"]
            }
            None => package["optional"] == true || package["devOptional"] == true,
        }
    });
    all_there && installed.keys().all(|path| locked.contains_key(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn locked() -> Map<String, Value> {
        map(json!({
            "": { "name": "root" },
            "node_modules/a": { "version": "1.0.0", "integrity": "x" },
            "node_modules/b": { "version": "1.0.0", "integrity": "y", "optional": true },
        }))
    }

    #[test]
    fn an_optional_package_may_be_absent() {
        let installed = map(json!({ "node_modules/a": { "version": "1.0.0", "integrity": "x" } }));
        assert!(satisfies(&installed, &locked()));
    }

    #[test]
    fn a_missing_other_or_extra_package_means_installing() {
        let other = map(json!({ "node_modules/a": { "version": "1.0.1", "integrity": "z" } }));
        let extra = map(json!({
            "node_modules/a": { "version": "1.0.0", "integrity": "x" },
            "node_modules/c": { "version": "1.0.0", "integrity": "w" },
        }));
        for installed in [Map::new(), other, extra] {
            assert!(!satisfies(&installed, &locked()), "{installed:?}");
        }
    }

    #[test]
    fn a_folder_without_a_lockfile_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = ensure_installed(folder.path()).unwrap_err();
        assert!(error.to_string().ends_with("has no package-lock.json"), "{error}");
    }
}
