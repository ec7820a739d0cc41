//! `cargo xtask bench`: the tables and the picture, and the Rust host's table.

use std::process::Command;

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{component, npm, process};

/// The workload that is none of the JavaScript package's.
const RUST: &str = "rust";

/// Prepares and measures.
pub(crate) fn run(workspace: &Workspace, quick: bool, only: Option<&str>) -> Result<()> {
    component::prepare(workspace)?;
    if only == Some(RUST) {
        return rust(workspace);
    }
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
    process::run(&mut node)?;
    if quick || only.is_some() { Ok(()) } else { rust(workspace) }
}

/// Measures the boundary of the component in the Rust host.
fn rust(workspace: &Workspace) -> Result<()> {
    let mut cargo = process::cargo();
    cargo.current_dir(workspace.root()).args([
        "bench",
        "-p",
        "langgraph-checkpoint-host",
        "--bench",
        "boundary",
    ]);
    process::run(&mut cargo)
}
