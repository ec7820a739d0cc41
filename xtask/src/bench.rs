//! `cargo xtask bench`: the tables and the picture, the Rust host's table, and what PostgreSQL and
//! Kusto cost.

use std::process::Command;

use anyhow::Result;

use crate::kusto::LocalKusto;
use crate::postgres::{Postgres, WAITS_FOR_THE_DISK};
use crate::workspace::Workspace;
use crate::{component, npm, process};

/// The workload that does not belong to the JavaScript package.
const RUST: &str = "rust";
/// The workloads whose stores are servers.
const KUSTO: &str = "kusto";
const POSTGRES: &str = "postgres";

/// Builds what is needed, and measures.
pub(crate) fn run(workspace: &Workspace, quick: bool, only: Option<&str>) -> Result<()> {
    component::prepare(workspace)?;
    if only == Some(RUST) {
        return rust(workspace);
    }
    npm::ensure_installed(&workspace.js())?;
    npm::run_script(&workspace.js(), "build")?;
    if only == Some(KUSTO) {
        return kusto(workspace, quick);
    }
    if only == Some(POSTGRES) {
        return postgres(workspace, quick);
    }
    let mut node = Command::new("node");
    node.arg(workspace.path("js/bench/run.mjs"));
    if quick {
        node.arg("--quick");
    }
    if let Some(workload) = only {
        node.args(["--only", workload]);
    }
    process::run(&mut node)?;
    if quick || only.is_some() {
        return Ok(());
    }
    rust(workspace)?;
    postgres(workspace, quick)?;
    kusto(workspace, quick)
}

/// Measures beside LangGraph's saver, on a server that waits for the disk.
fn postgres(workspace: &Workspace, quick: bool) -> Result<()> {
    let Some(server) = Postgres::find(workspace, &WAITS_FOR_THE_DISK)? else {
        println!("PostgreSQL is not installed (Debian: postgresql): it was not measured");
        return Ok(());
    };
    let mut node = Command::new("node");
    node.arg(workspace.path("js/bench/postgres.mjs")).arg(server.url());
    if quick {
        node.arg("--quick");
    }
    process::run(&mut node)
}

/// Counts requests and bytes, which are the same on any Kusto. Times are not: this is a stand-in.
fn kusto(workspace: &Workspace, quick: bool) -> Result<()> {
    let local = LocalKusto::start(workspace)?;
    let mut node = Command::new("node");
    node.arg(workspace.path("js/bench/kusto.mjs")).arg(local.url());
    if quick {
        node.arg("--quick");
    }
    process::run(&mut node)
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
