//! `cargo xtask test`: every test of the repository.

use std::process::Command;

use anyhow::Result;

use crate::kusto::LocalKusto;
use crate::step::{Step, run_steps};
use crate::workspace::Workspace;
use crate::{component, fuzz, harness, kusto, matrix, npm, process, python};

const STEPS: &[Step] = &[
    Step::new("component", component::prepare),
    Step::new("rust", rust),
    Step::new("rust-example", rust_example),
    Step::new("fuzz", fuzz::replay),
    Step::new("format-reader", format_reader),
    Step::new("local-kusto", kusto::test_server),
    Step::new("kusto-language", kusto::test_language),
    Step::new("python", python::test),
    Step::new("js-packages", js_packages),
    Step::new("js-build", |workspace| npm::run_script(&workspace.js(), "build")),
    Step::new("kusto-client", kusto::test_client),
    Step::new("js", |workspace| npm::run_script(&workspace.js(), "test")),
    Step::new("languages", python::test_with_javascript),
    Step::new("postgres", postgres),
    Step::new("histories", harness::histories),
    Step::new("disk", harness::disk),
    Step::new("matrix", |workspace| matrix::run(workspace, true, None)),
];

/// Installs the package's dependencies, and the tool that a test composes agents with.
fn js_packages(workspace: &Workspace) -> Result<()> {
    npm::ensure_installed(&workspace.js())?;
    npm::ensure_installed(&workspace.path("xtask/jco"))
}

/// Runs the steps.
pub(crate) fn run(workspace: &Workspace, only: Option<&str>) -> Result<()> {
    run_steps(workspace, "test", STEPS, only)
}

/// Runs the Rust tests. Those of Kusto run on the cluster of the environment, or else on a local
/// stand-in; those of PostgreSQL as in the step `postgres`.
fn rust(workspace: &Workspace) -> Result<()> {
    let mut cargo = rust_tests(workspace);
    let local = match std::env::var_os(kusto::CLUSTER_VARIABLE) {
        Some(_) => None,
        None => Some(LocalKusto::start(workspace)?),
    };
    if let Some(local) = &local {
        cargo.env(kusto::CLUSTER_VARIABLE, local.url());
    }
    process::run(&mut cargo)
}

fn rust_tests(workspace: &Workspace) -> Command {
    let mut cargo = process::cargo();
    cargo.current_dir(workspace.root()).args(["test", "--workspace"]);
    cargo.args(component::WITHOUT).args(component::WITH_POSTGRES);
    cargo
}

/// Runs the tests on PostgreSQL: on the server of `POSTGRES_URL`, or on one that they start from
/// the programs that are installed.
fn postgres(workspace: &Workspace) -> Result<()> {
    process::run(rust_tests(workspace).args(["--test", "postgres"]))?;
    npm::ensure_installed(&workspace.js())?;
    npm::run_script(&workspace.js(), "test:postgres")
}

/// Runs the example, which was built with the tests.
fn rust_example(workspace: &Workspace) -> Result<()> {
    let example = workspace.target().join("debug").join("examples").join("embed");
    process::run(&mut Command::new(example))
}

/// Runs the independent reader, made from docs/format.md, on the fixtures.
fn format_reader(workspace: &Workspace) -> Result<()> {
    let mut python = Command::new(kusto::interpreter(workspace)?);
    python.current_dir(workspace.path("tests/format-reader"));
    process::run(python.args(["-B", "-m", "unittest", "--quiet"]))
}
