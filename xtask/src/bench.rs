//! `cargo xtask bench`: the tables and the picture.

use std::process::Command;

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{component, npm, process};

/// Prepares and measures.
pub(crate) fn run(workspace: &Workspace, quick: bool, only: Option<&str>) -> Result<()> {
    component::prepare(workspace)?;
    npm::ensure_installed(&workspace.js())?;
    npm::run_script(&workspace.js(), "build")?;
    let mut node = Command::new("node");
    node.arg(workspace.path("js/bench/run.mjs"));
    if quick {
        node.arg("--quick");
    }
    if let Some(workload) = only {
        node.args(["--only", workload]);
    }
    process::run(&mut node)
}
