//! `cargo xtask bench`: the tables.

use std::process::Command;

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{component, npm, process};

/// Prepares and measures.
pub(crate) fn run(workspace: &Workspace, quick: bool) -> Result<()> {
    component::prepare(workspace)?;
    npm::ensure_installed(&workspace.js())?;
    npm::run_script(&workspace.js(), "build")?;
    let mut node = Command::new("node");
    node.arg(workspace.path("js/bench/run.mjs"));
    if quick {
        node.arg("--quick");
    }
    process::run(&mut node)
}
