//! `cargo xtask matrix`: the package in every runtime, on every store.
//!
//! The runtimes come from npm, from their own lockfile; the browser is the system's.

use std::process::Command;

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{component, npm, process};

/// Prepares and runs the cells; fails if one fails.
pub(crate) fn run(workspace: &Workspace, quick: bool, only: Option<&str>) -> Result<()> {
    component::prepare(workspace)?;
    npm::ensure_installed(&workspace.js())?;
    npm::ensure_installed_in_part(&workspace.js().join("matrix").join("runtimes"))?;
    npm::run_script(&workspace.js(), "build")?;
    let host = ["build", "--quiet", "-p", "langgraph-checkpoint-host", "--example", "relay"];
    process::run(process::cargo().current_dir(workspace.root()).args(host))?;
    let mut node = Command::new("node");
    // The Rust host's part in the relay on one file.
    node.env("RUST_RELAY", workspace.target().join("debug").join("examples").join("relay"));
    node.arg(workspace.path("js/matrix/run.mjs"));
    if quick {
        node.arg("--quick");
    }
    if let Some(cells) = only {
        node.arg(cells);
    }
    process::run(&mut node)
}
