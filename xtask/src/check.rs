//! `cargo xtask check`: everything that can be checked without running the code.

use anyhow::Result;

use crate::step::{Step, run_steps};
use crate::workspace::Workspace;
use crate::{component, documents, goldens, kusto, licences, npm, package, process, tidy};

const STEPS: &[Step] = &[
    Step::new("format", format),
    Step::new("tidy", tidy::check),
    Step::new("goldens", goldens::check),
    Step::new("documents", documents::check),
    Step::new("licences", licences::check),
    Step::new("component", component::prepare),
    Step::new("imports", component::check_imports),
    Step::new("clippy", clippy),
    Step::new("features", package::check_light_features),
    Step::new("rustdoc", package::document),
    Step::new("python", kusto::check_python),
    Step::new("js-packages", |workspace| npm::ensure_installed(&workspace.js())),
    Step::new("js", |workspace| npm::run_script(&workspace.js(), "check")),
];

/// Runs the steps.
pub(crate) fn run(workspace: &Workspace, only: Option<&str>) -> Result<()> {
    run_steps(workspace, "check", STEPS, only)
}

fn format(workspace: &Workspace) -> Result<()> {
    let root = workspace.root();
    process::run(process::cargo().current_dir(root).args(["fmt", "--all", "--", "--check"]))
}

fn clippy(workspace: &Workspace) -> Result<()> {
    let clippy = |arguments: &[&str]| {
        let mut cargo = process::cargo();
        cargo.current_dir(workspace.root()).args(["clippy", "--quiet"]).args(arguments);
        process::run(cargo.args(["--all-targets", "--", "-D", "warnings"]))
    };
    let all = ["--workspace", "--exclude", component::EXTENSION];
    clippy(&[all.as_slice(), &component::WITH_POSTGRES].concat())?;
    // Alone and without the component, so that no second compiler of components is built.
    clippy(&["-p", component::EXTENSION])
}
