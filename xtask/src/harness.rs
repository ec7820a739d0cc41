//! The harnesses in `js/harness/`: processes of both hosts that make random calls from a seed, and
//! checks of what they leave.

use std::process::Command;

use anyhow::Result;

use crate::process;
use crate::workspace::Workspace;

/// Checks that some order of the calls of many processes explains what they read.
pub(crate) fn histories(workspace: &Workspace) -> Result<()> {
    run(workspace, "histories")
}

/// Checks what is left of a database after a loss of power.
pub(crate) fn disk(workspace: &Workspace) -> Result<()> {
    if !cfg!(target_os = "linux") {
        println!("what is done to files is recorded on Linux only");
        return Ok(());
    }
    run(workspace, "disk")
}

fn run(workspace: &Workspace, script: &str) -> Result<()> {
    let host = ["build", "--quiet", "-p", "langgraph-checkpoint-host", "--example", "caller"];
    process::run(process::cargo().current_dir(workspace.root()).args(host))?;
    let caller = workspace.target().join("debug").join("examples").join("caller");
    let mut npm = Command::new("npm");
    npm.current_dir(workspace.js()).args(["run", "--silent", script]);
    process::run(npm.env("RUST_CALLER", caller))
}
