//! The JavaScript package's generated files, made from the component by jco.
//!
//! Of jco only its transpiling library is installed: a sixth of the whole. It calls
//! `jco-node-fs` for the WASI of components that read files, which ours do not; its version is
//! fixed in `xtask/jco/package.json` because the one it asks for was not published for every
//! platform, and `npm ci` refuses a lockfile with holes.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;
use crate::{npm, process};

/// What the package reads. A component that exports a resource has three core modules.
const FILES: &[&str] = &[
    "planner.js",
    "planner.d.ts",
    "planner.core.wasm",
    "planner.core2.wasm",
    "planner.core3.wasm",
];

/// Makes `js/generated/`, unless it was made from the same component by the same tool.
pub(crate) fn transpile(workspace: &Workspace, component: &Path) -> Result<()> {
    let tool = workspace.path("xtask/jco");
    let generated = workspace.js().join("generated");
    let stamp = component.with_extension("transpiled");
    let inputs = inputs(&tool, component)?;
    if is_complete(&generated) && fs::read(&stamp).is_ok_and(|made_from| made_from == inputs) {
        return Ok(());
    }

    npm::ensure_installed(&tool)?;
    let partial = workspace.js().join("generated.partial");
    remove(&partial)?;
    process::run(
        Command::new("node").arg(tool.join("transpile.mjs")).arg(component).arg(&partial),
    )?;
    if !is_complete(&partial) {
        bail!("jco did not make all of {}", FILES.join(", "));
    }
    remove(&generated)?;
    fs::rename(&partial, &generated)
        .with_context(|| format!("cannot write {}", generated.display()))?;
    fs::write(&stamp, inputs).with_context(|| format!("cannot write {}", stamp.display()))?;
    println!("made {} from {}", generated.display(), component.display());
    Ok(())
}

/// Everything the generated files depend on, one after the other.
fn inputs(tool: &Path, component: &Path) -> Result<Vec<u8>> {
    let mut inputs = Vec::new();
    for path in [&tool.join("package-lock.json"), &tool.join("transpile.mjs"), component] {
        inputs.extend(fs::read(path).with_context(|| format!("cannot read {}", path.display()))?);
    }
    Ok(inputs)
}

fn is_complete(folder: &Path) -> bool {
    FILES.iter().all(|name| folder.join(name).is_file())
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
