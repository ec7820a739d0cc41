//! A Python virtual environment, with exactly the packages of the requirement files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// The oldest version that everything runs on.
const AT_LEAST: &str = "3.11";
/// Records what was installed. Written last, so that an incomplete environment is made again.
const INSTALLED: &str = "installed-requirements.txt";

/// Creates the environment unless it exists and is up to date. Returns its interpreter. `what` says
/// what the packages are for.
pub(crate) fn ensure(what: &str, folder: &Path, requirements: &[PathBuf]) -> Result<PathBuf> {
    let interpreter = interpreter(folder);
    let wanted = joined(requirements)?;
    let installed = fs::read_to_string(folder.join(INSTALLED)).unwrap_or_default();
    if installed == wanted && interpreter.is_file() {
        return Ok(interpreter);
    }
    println!("installing the Python packages of {what} in {}", folder.display());
    let python = system_python()?;
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let mut pip = new(&python, folder)?;
    pip.args(["install", "--quiet", "--require-hashes"]);
    for file in requirements {
        pip.arg("--requirement").arg(file);
    }
    process::run(&mut pip)?;
    fs::write(folder.join(INSTALLED), wanted)?;
    Ok(interpreter)
}

/// Makes an environment with nothing in it. Returns the command that installs into it, without what
/// to do.
pub(crate) fn new(python: &str, folder: &Path) -> Result<Command> {
    let mut pip = create(python, folder, &interpreter(folder))?;
    pip.env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    Ok(pip)
}

fn create(python: &str, folder: &Path, interpreter: &Path) -> Result<Command> {
    if process::succeeds(Command::new(python).args(["-m", "venv"]).arg(folder)) {
        let mut pip = Command::new(interpreter);
        pip.args(["-m", "pip"]);
        return Ok(pip);
    }
    // Debian splits Python up: without its package python3-venv an environment has no pip, but
    // the pip of python3-pip can install into it.
    if process::succeeds(Command::new(python).args(["-m", "pip", "--version"])) {
        let mut venv = Command::new(python);
        process::run(venv.args(["-m", "venv", "--clear", "--without-pip"]).arg(folder))?;
        let mut pip = Command::new(python);
        pip.args(["-m", "pip", "--python"]).arg(interpreter);
        return Ok(pip);
    }
    bail!(
        "`{python}` can make no virtual environment with pip: install python3-venv \
         (Debian, Ubuntu: apt-get install python3-venv), or a Python from python.org"
    )
}

/// The newest Python on the path that is new enough.
fn system_python() -> Result<String> {
    let (_, minor) = AT_LEAST.split_once('.').context("a version has a point")?;
    let test = format!("import sys; sys.exit(sys.version_info < (3, {minor}))");
    let names = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11"];
    let fits = |name: &&str| process::succeeds(Command::new(name).args(["-c", &test]));
    match names.into_iter().find(fits) {
        Some(name) => Ok(name.to_owned()),
        None => bail!("Python {AT_LEAST} or newer is missing: install python3"),
    }
}

/// The interpreter of an environment.
pub(crate) fn interpreter(folder: &Path) -> PathBuf {
    if cfg!(windows) {
        folder.join("Scripts").join("python.exe")
    } else {
        folder.join("bin").join("python")
    }
}

/// The requirement files as one text.
fn joined(requirements: &[PathBuf]) -> Result<String> {
    let mut text = String::new();
    for file in requirements {
        text +=
            &fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_made_once_and_again_when_the_requirements_change() {
        let folder = tempfile::tempdir().unwrap();
        let (environment, file) = (folder.path().join("python"), folder.path().join("list.txt"));
        fs::write(&file, "").unwrap();
        let requirements = [file.clone()];
        let made = ensure("a test", &environment, &requirements).unwrap();
        let mark = environment.join("mark");
        fs::write(&mark, "").unwrap();
        assert_eq!(ensure("a test", &environment, &requirements).unwrap(), made);
        assert!(mark.exists());
        fs::write(&file, "# Other requirements.\n").unwrap();
        ensure("a test", &environment, &requirements).unwrap();
        assert!(!mark.exists());
    }
}
