//! `cargo xtask package`: builds and checks everything that is published, and sends nothing.

use std::process::Command;

use anyhow::{Result, bail};

use crate::embed::EMBEDDED;
use crate::step::{Step, run_steps};
use crate::workspace::Workspace;
use crate::{component, npm, process, wheel};

/// The crates, in the order in which they are published.
const CRATES: [&str; 3] = ["langgraph-checkpoint-guest", HOST, PROGRAM];
const HOST: &str = "langgraph-checkpoint-host";
const PROGRAM: &str = "langgraph-checkpoint-wasm";

/// The features that the host's crate must build with, each alone: default features hide that one
/// feature needs another. The first ones need no wasmtime.
const FEATURES: [&str; 4] = ["", "sqlite", "bundled", "postgres"];
const FEATURES_WITH_WASMTIME: [&str; 6] = [
    "kusto",
    "component,sqlite",
    "component,postgres",
    "kusto,sqlite",
    "compiler",
    "embedded,kusto",
];

const STEPS: &[Step] = &[
    Step::new("committed", committed),
    Step::new("component", component::prepare),
    Step::new("features", |workspace| check_features(workspace, &FEATURES_WITH_WASMTIME)),
    Step::new("crates", crates),
    Step::new("js-packages", |workspace| npm::ensure_installed(&workspace.js())),
    Step::new("npm", |workspace| npm::run(&workspace.js(), &["publish", "--dry-run"])),
    Step::new("python", wheel::check),
];

/// Runs the steps.
pub(crate) fn run(workspace: &Workspace, only: Option<&str>) -> Result<()> {
    run_steps(workspace, "package", STEPS, only)
}

/// Checks that everything that is published is committed.
fn committed(workspace: &Workspace) -> Result<()> {
    let mut git = Command::new("git");
    let changed =
        process::output(git.current_dir(workspace.root()).args(["status", "--porcelain"]))?;
    if !changed.is_empty() {
        bail!("these files have changes that are not committed:\n{changed}");
    }
    Ok(())
}

/// Checks the features that take only seconds.
pub(crate) fn check_light_features(workspace: &Workspace) -> Result<()> {
    check_features(workspace, &FEATURES)?;
    check_with(workspace, PROGRAM, "")
}

fn check_features(workspace: &Workspace, combinations: &[&str]) -> Result<()> {
    for features in combinations {
        check_with(workspace, HOST, features)?;
    }
    Ok(())
}

/// Checks a crate with these features alone.
fn check_with(workspace: &Workspace, name: &str, features: &str) -> Result<()> {
    println!("features of {name}: {features}");
    process::run(
        process::cargo()
            .current_dir(workspace.root())
            .args(["clippy", "--quiet", "-p", name, "--no-default-features"])
            .args(["--features", features, "--", "-D", "warnings"]),
    )
}

/// Builds the documentation as docs.rs shows it; a broken link is an error.
pub(crate) fn document(workspace: &Workspace) -> Result<()> {
    let mut cargo = process::cargo();
    cargo.current_dir(workspace.root()).env("RUSTDOCFLAGS", "-D warnings");
    cargo.args(["doc", "--quiet", "--no-deps"]);
    for name in CRATES {
        cargo.args(["-p", name]);
    }
    process::run(&mut cargo)
}

/// Builds each crate only from its packaged files. A crate finds those before it in a temporary
/// registry that cargo makes.
fn crates(workspace: &Workspace) -> Result<()> {
    let cargo = |arguments: &[&str]| {
        let mut cargo = process::cargo();
        cargo.current_dir(workspace.root()).args(arguments);
        cargo
    };
    let files = process::output(&mut cargo(&["package", "--list", "--allow-dirty", "-p", HOST]))?;
    for name in EMBEDDED {
        if !files.lines().any(|file| file.replace('\\', "/") == format!("components/{name}")) {
            bail!("the crate {HOST} has no components/{name}: run `cargo xtask component`");
        }
    }
    // The components are in no commit; `committed` has checked everything else.
    let mut publish = cargo(&["publish", "--dry-run", "--locked", "--allow-dirty"]);
    for name in CRATES {
        publish.args(["-p", name]);
    }
    process::run(&mut publish)
}
