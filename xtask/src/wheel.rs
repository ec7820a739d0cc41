//! The Python package as others build and install it: from its source distribution, by pip alone,
//! and one wheel in every version of Python that is here.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail};

use crate::embed::EMBEDDED;
use crate::workspace::Workspace;
use crate::{process, python, venv};

/// The versions of Python that one wheel is for.
const VERSIONS: [&str; 4] = ["python3.10", "python3.11", "python3.12", "python3.13"];
/// What the first program of the package's README prints.
const PRINTED: &str = "['first', 'hello, note 1']";
/// The target for the wheel's size, in bytes.
const WHEEL_MAX: u64 = 6_000_000;
/// Says that the package is whole.
const WHOLE: &str = "
import langgraph_checkpoint_wasm as package
from langgraph_checkpoint_wasm.kusto import KustoSaver
assert package.engine == 'component', package.engine
KustoSaver('http://127.0.0.1:9', 'database').close()
";

/// Builds the source distribution, a wheel from it, and runs the README's program with the wheel.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let folder = workspace.path("target/python-package");
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let source = source_distribution(workspace, &folder)?;
    let pythons: Vec<&str> = VERSIONS.into_iter().filter(|python| runs(python)).collect();
    let Some(builder) = pythons.first() else {
        bail!("none of {} is on the path", VERSIONS.join(", "));
    };
    let mut pip = venv::new(builder, &folder.join("builder"))?;
    pip.args(["wheel", "--quiet", "--no-deps", "--wheel-dir"]).arg(&folder).arg(source);
    process::run(alone(&mut pip))?;
    let wheel = only_file(&folder, "whl")?;
    let size = fs::metadata(&wheel)?.len();
    let verdict = if size > WHEEL_MAX { "more than the target" } else { "within the target" };
    println!("{}: {:.2} MB, {verdict}", wheel.display(), size as f64 / 1e6);
    for python in VERSIONS {
        if pythons.contains(&python) {
            run_program(workspace, python, &folder, &wheel)?;
        } else {
            println!("{python}: not here, so not tried");
        }
    }
    Ok(())
}

fn source_distribution(workspace: &Workspace, folder: &Path) -> Result<PathBuf> {
    process::run(python::module(workspace)?.args(["maturin", "sdist", "--out"]).arg(folder))?;
    let source = only_file(folder, "gz")?;
    let mut list = python::module(workspace)?;
    let files = process::output(list.args(["tarfile", "--list"]).arg(&source))?;
    for name in EMBEDDED {
        if !files.lines().any(|file| file.trim().ends_with(&format!("components/{name}"))) {
            bail!("{} has no {name}: run `cargo xtask component`", source.display());
        }
    }
    Ok(source)
}

/// Installs the wheel in a new environment, and runs the README's first program there.
fn run_program(workspace: &Workspace, python: &str, folder: &Path, wheel: &Path) -> Result<()> {
    let environment = folder.join(python);
    let mut pip = venv::new(python, &environment)?;
    process::run(alone(pip.args(["install", "--quiet"]).arg(wheel).arg("langgraph")))?;
    let run = |program: &str| {
        let mut python = Command::new(venv::interpreter(&environment));
        process::output(alone(python.current_dir(&environment).args(["-c", program])))
    };
    run(WHOLE)?;
    let readme = fs::read_to_string(workspace.path("python/README.md"))?;
    let program = readme.split("```python\n").nth(1).and_then(|rest| rest.split("```").next());
    let printed = run(program.context("python/README.md has no program")?)?;
    if printed.trim() != PRINTED {
        bail!("{python}: the README's program printed {printed}");
    }
    println!("{python}: installed, and the README's program ran");
    Ok(())
}

/// Whether this version of Python is here. A version manager has programs for those that are not.
fn runs(python: &str) -> bool {
    process::succeeds(Command::new(python).arg("--version"))
}

/// Takes away what cargo and rustup tell the programs that they start.
fn alone(command: &mut Command) -> &mut Command {
    for (name, _) in env::vars_os() {
        let kept = ["CARGO_HOME", "RUSTUP_HOME"].map(OsStr::new).contains(&name.as_os_str());
        let text = name.to_string_lossy();
        if !kept && (text.starts_with("CARGO") || text.starts_with("RUST")) {
            command.env_remove(&name);
        }
    }
    command.env_remove("PYTHONPATH")
}

/// The file of a folder with this extension, of which there is one.
fn only_file(folder: &Path, extension: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut found = entries
        .iter()
        .map(|entry| entry.path())
        .filter(|path| path.extension() == Some(OsStr::new(extension)));
    match (found.next(), found.next()) {
        (Some(path), None) => Ok(path),
        _ => bail!("{} has not exactly one .{extension}", folder.display()),
    }
}
