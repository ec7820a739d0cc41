//! `cargo xtask matrix`: the package in every runtime, on every store.
//!
//! The runtimes come from npm, from a lockfile of their own; a browser comes from the system.

use std::process::Command;

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{component, npm, process};

/// Prepares and runs the cells; fails when one breaks.
pub(crate) fn run(workspace: &Workspace, quick: bool, only: Option<&str>) -> Result<()> {
    component::prepare(workspace)?;
    npm::ensure_installed(&workspace.js())?;
    npm::ensure_installed(&workspace.js().join("matrix").join("runtimes"))?;
    npm::run_script(&workspace.js(), "build")?;
    let mut node = Command::new("node");
    node.arg(workspace.path("js/matrix/run.mjs"));
    if quick {
        node.arg("--quick");
    }
    if let Some(cells) = only {
        node.arg(cells);
    }
    process::run(&mut node)
}
