//! The Python package: its extension is built into the folder of its sources, and tested from there
//! in a virtual environment in `target/`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::kusto::{self, LocalKusto};
use crate::postgres::{Postgres, WAITS_FOR_THE_DISK};
use crate::workspace::Workspace;
use crate::{component, npm, process, venv};

const PACKAGE: &str = "python";
/// What of it has types.
const TYPED: [&str; 5] = ["python/langgraph_checkpoint_wasm", "bench", "demo", "examples", "tests"];

/// Builds the package, and checks and tests it. The tests of Kusto run on the cluster of the
/// environment, or else on a local stand-in.
pub(crate) fn test(workspace: &Workspace) -> Result<()> {
    build(workspace)?;
    let run = |arguments: &[&str]| process::run(module(workspace)?.args(arguments));
    run(&["ruff", "format", "--quiet", "--no-cache", "--check", "."])?;
    run(&["ruff", "check", "--quiet", "--no-cache", "."])?;
    let cache = workspace.path("target/mypy-of-package").display().to_string();
    run(&[&["mypy", "--cache-dir", &cache, "--no-error-summary"], &TYPED[..]].concat())?;
    run(&["mypy.stubtest", "--concise", "langgraph_checkpoint_wasm"])?;
    let mut pytest = module(workspace)?;
    pytest.args(["pytest", "--quiet", "-p", "no:cacheprovider"]);
    let local = match std::env::var_os(kusto::CLUSTER_VARIABLE) {
        Some(_) => None,
        None => Some(LocalKusto::start(workspace)?),
    };
    if let Some(local) = &local {
        pytest.env(kusto::CLUSTER_VARIABLE, local.url());
    }
    process::run(&mut pytest)
}

/// Runs the tests that also need the npm package: a thread that both languages continue.
pub(crate) fn test_with_javascript(workspace: &Workspace) -> Result<()> {
    build(workspace)?;
    npm::ensure_installed(&workspace.js())?;
    npm::run_script(&workspace.js(), "build")?;
    let mut pytest = module(workspace)?;
    pytest.args(["pytest", "--quiet", "-p", "no:cacheprovider"]);
    pytest.args(["tests/test_relay.py", "tests/test_moving.py"]);
    let relay = workspace.js().join("test").join("support").join("relay.mjs");
    let program = workspace.js().join("dist").join("entries").join("cli.js");
    process::run(pytest.env("RELAY_IN_JAVASCRIPT", relay).env("PROGRAM_IN_JAVASCRIPT", program))
}

/// Measures the package beside LangGraph's savers, and writes the table into the documents.
pub(crate) fn bench(workspace: &Workspace, quick: bool) -> Result<()> {
    component::prepare(workspace)?;
    build_as(workspace, "extension")?;
    let mut python = module(workspace)?;
    python.arg("bench").args(quick.then_some("--quick"));
    let server = Postgres::find(workspace, &WAITS_FOR_THE_DISK)?;
    if let Some(server) = &server {
        python.args(["--postgres", server.url()]);
    } else {
        println!("PostgreSQL is not installed (Debian: postgresql): it was not measured");
    }
    process::run(&mut python)
}

/// Builds the extension, with the planner as a component.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    build_as(workspace, "dev")
}

fn build_as(workspace: &Workspace, profile: &str) -> Result<()> {
    let mut maturin = module(workspace)?;
    maturin.args(["maturin", "develop", "--skip-install", "--profile", profile, "--locked"]);
    process::run(maturin.env("VIRTUAL_ENV", environment(workspace)))
}

/// The command that runs a program with the package, without what to run.
pub(crate) fn interpreter(workspace: &Workspace) -> Result<Command> {
    let folder = workspace.path(PACKAGE);
    let requirements = [folder.join("tests").join("requirements.txt")];
    let what = "the Python package's tests";
    let mut python = Command::new(venv::ensure(what, &environment(workspace), &requirements)?);
    python.env("PYTHONPATH", folder.join("python")).arg("-B").current_dir(folder);
    Ok(python)
}

/// The command that runs a module of Python, without the module.
pub(crate) fn module(workspace: &Workspace) -> Result<Command> {
    let mut python = interpreter(workspace)?;
    python.arg("-m");
    Ok(python)
}

fn environment(workspace: &Workspace) -> PathBuf {
    workspace.path("target/python")
}
