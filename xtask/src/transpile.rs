//! The JavaScript package's generated files, made from the components by jco.
//!
//! Of jco only its transpiling library is installed: a sixth of the whole. It calls
//! `jco-node-fs` for the WASI of components that read files, which ours do not; its version is
//! fixed in `xtask/jco/package.json` because the one it asks for was not published for every
//! platform, and `npm ci` refuses a lockfile with holes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;
use crate::{npm, process};

/// What the package reads of each component.
const SUFFIXES: &[&str] = &["js", "d.ts", "core.wasm"];

/// Its core module stands in for the planner's, whose other files serve both.
pub(crate) const SMALL: &str = "planner-small";
const SMALL_SUFFIXES: &[&str] = &["core.wasm"];

/// Makes `js/generated/`, unless it was made from the same components by the same tool.
pub(crate) fn transpile(workspace: &Workspace, components: &[PathBuf]) -> Result<()> {
    let tool = workspace.path("xtask/jco");
    let generated = workspace.js().join("generated");
    let stamp = workspace.path("target/components/transpiled");
    let inputs = inputs(&tool, components)?;
    let is_current = fs::read(&stamp).is_ok_and(|made_from| made_from == inputs);
    if is_current && missing(&generated, components).is_empty() {
        return Ok(());
    }

    npm::ensure_installed(&tool)?;
    let partial = workspace.js().join("generated.partial");
    remove(&partial)?;
    process::run(
        Command::new("node").arg(tool.join("transpile.mjs")).arg(&partial).args(components),
    )?;
    let missing = missing(&partial, components);
    if !missing.is_empty() {
        bail!("jco did not make {}", missing.join(", "));
    }
    remove(&generated)?;
    fs::rename(&partial, &generated)
        .with_context(|| format!("cannot write {}", generated.display()))?;
    fs::write(&stamp, inputs).with_context(|| format!("cannot write {}", stamp.display()))?;
    println!("made {} from {} components", generated.display(), components.len());
    Ok(())
}

/// Everything the generated files depend on, one after the other.
fn inputs(tool: &Path, components: &[PathBuf]) -> Result<Vec<u8>> {
    let tool = ["package-lock.json", "transpile.mjs", "shared.mjs"].map(|name| tool.join(name));
    let mut inputs = Vec::new();
    for path in tool.iter().chain(components) {
        inputs.extend(fs::read(path).with_context(|| format!("cannot read {}", path.display()))?);
    }
    Ok(inputs)
}

/// The names of the files that are not there.
fn missing(folder: &Path, components: &[PathBuf]) -> Vec<String> {
    let names = components.iter().filter_map(|component| component.file_stem()?.to_str());
    names
        .flat_map(|name| {
            let suffixes = if name == SMALL { SMALL_SUFFIXES } else { SUFFIXES };
            suffixes.iter().map(move |suffix| format!("{name}.{suffix}"))
        })
        .filter(|file| !folder.join(file).is_file())
        .collect()
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
