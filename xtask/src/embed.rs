//! The components that the host's crate contains.

use std::fs;

use anyhow::{Context, Result};

use crate::files::write_if_changed;
use crate::workspace::Workspace;

/// The components that the host's crate contains.
pub(crate) const EMBEDDED: [&str; 2] = ["planner.wasm", "checkpointer-kusto.wasm"];

/// Copies the built components to where the host's crate embeds them from.
pub(crate) fn embed(workspace: &Workspace) -> Result<()> {
    for name in EMBEDDED {
        let built = workspace.path("target/components").join(name);
        let bytes = fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
        write_if_changed(&workspace.path("host/components").join(name), &bytes)?;
    }
    Ok(())
}
