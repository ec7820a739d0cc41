//! `cargo xtask check`: everything that can be said about the code without running it.

use anyhow::Result;

use crate::step::{Step, run_steps};
use crate::workspace::Workspace;
use crate::{component, goldens, licences, npm, process, tidy};

const STEPS: &[Step] = &[
    Step {
        name: "format",
        run: format,
    },
    Step {
        name: "tidy",
        run: tidy::check,
    },
    Step {
        name: "goldens",
        run: goldens::check,
    },
    Step {
        name: "licences",
        run: licences::check,
    },
    Step {
        name: "component",
        run: component::prepare,
    },
    Step {
        name: "imports",
        run: component::check_imports,
    },
    Step {
        name: "clippy",
        run: clippy,
    },
    Step {
        name: "js-packages",
        run: |workspace| npm::ensure_installed(&workspace.js()),
    },
    Step {
        name: "js",
        run: |workspace| npm::run_script(&workspace.js(), "check"),
    },
];

/// Runs the steps.
pub(crate) fn run(workspace: &Workspace, only: Option<&str>) -> Result<()> {
    run_steps(workspace, "check", STEPS, only)
}

fn format(workspace: &Workspace) -> Result<()> {
    let root = workspace.root();
    process::run(
        process::cargo()
            .current_dir(root)
            .args(["fmt", "--all", "--", "--check"]),
    )
}

fn clippy(workspace: &Workspace) -> Result<()> {
    process::run(process::cargo().current_dir(workspace.root()).args([
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}
