//! The local stand-in for a Kusto cluster, and the tests that use it. It is a Python program, in
//! its own virtual environment in `target/`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::served::Served;
use crate::workspace::Workspace;
use crate::{npm, process, venv};

/// The variable that names a cluster to test on.
pub(crate) const CLUSTER_VARIABLE: &str = "KUSTO_CLUSTER_URI";

/// The script that prepares a database for the checkpointer.
const PROVISION: &str = "provision.kql";
const SERVER: &str = "tests/local-kusto";
const CLIENT: &str = "tests/kusto-client";
const LANGUAGE: &str = "tests/kusto-language";

/// A running server. It ends when this is dropped.
pub(crate) struct LocalKusto(Served);

impl LocalKusto {
    /// Starts a server on a free port. It creates a database when a request first names it.
    pub(crate) fn start(workspace: &Workspace) -> Result<Self> {
        Served::start(server(workspace)?)?.map(Self).context("the local Kusto has no address")
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        self.0.url()
    }
}

/// Serves in the foreground, until it is interrupted.
pub(crate) fn serve(workspace: &Workspace, port: u16, data: Option<&Path>) -> Result<()> {
    let mut command = server(workspace)?;
    command.arg("--port").arg(port.to_string());
    if let Some(data) = data {
        command.arg("--data").arg(data);
    }
    command.stdin(Stdio::piped());
    let mut child = command.spawn().map_err(|error| process::not_started(&command, error))?;
    // Kept open to the end: it closes with this process, however that ends.
    let _input = child.stdin.take();
    let status = child.wait()?;
    if !status.success() {
        bail!("`{}` failed ({status})", process::shown(&command));
    }
    Ok(())
}

/// Runs the server's own tests.
pub(crate) fn test_server(workspace: &Workspace) -> Result<()> {
    let python = interpreter(workspace)?;
    process::run(Command::new(python).current_dir(workspace.path(SERVER)).args([
        "-B",
        "-m",
        "unittest",
        "discover",
        "--start-directory",
        "tests",
        "--top-level-directory",
        ".",
    ]))
}

/// Checks the format, lints and types of the Python code.
pub(crate) fn check_python(workspace: &Workspace) -> Result<()> {
    let python = interpreter(workspace)?;
    let tool = |arguments: &[&str]| {
        let mut command = Command::new(&python);
        command.current_dir(workspace.path("tests")).args(["-B", "-m"]).args(arguments);
        process::run(&mut command)
    };
    tool(&["ruff", "format", "--quiet", "--no-cache", "--check", "."])?;
    tool(&["ruff", "check", "--quiet", "--no-cache", "."])?;
    let cache = workspace.path("target/mypy").display().to_string();
    let sources =
        ["local-kusto/local_kusto", "kusto-client/client.py", "format-reader/test_reader.py"];
    tool(&[&["mypy", "--cache-dir", &cache, "--no-error-summary"], &sources[..]].concat())
}

/// Checks with Microsoft's parser the KQL that we send and that the documents show.
pub(crate) fn test_language(workspace: &Workspace) -> Result<()> {
    let folder = workspace.path(LANGUAGE);
    npm::ensure_installed(&folder)?;
    npm::run_script(&folder, "test")
}

/// Tests the local server with Microsoft's client. The client reads what the saver of the built npm
/// package wrote, and writes what that saver reads. The parser checks the KQL that the saver sent.
pub(crate) fn test_client(workspace: &Workspace) -> Result<()> {
    let python = interpreter(workspace)?;
    let kusto = LocalKusto::start(workspace)?;
    let client = workspace.path(CLIENT);
    let prepare = |command: &mut Command| -> Result<()> {
        command.current_dir(&client).env("KUSTO_CLUSTER_URI", kusto.url());
        process::run(command.env("KUSTO_DATABASE", "client").env("PYTHON", &python))
    };
    prepare(Command::new(&python).args(["-B", "-m", "unittest", "--quiet"]))?;
    prepare(Command::new("node").arg("check.mjs"))?;
    npm::ensure_installed(&workspace.path(LANGUAGE))?;
    prepare(Command::new("node").arg("texts.mjs"))
}

/// The command that serves.
fn server(workspace: &Workspace) -> Result<Command> {
    let mut command = Command::new(interpreter(workspace)?);
    command.arg("-B").arg(workspace.path(SERVER));
    command.arg("--provision").arg(workspace.path(PROVISION));
    // So that it does not outlive this process.
    command.arg("--until-input-ends");
    Ok(command)
}

/// A Python interpreter with all required packages.
pub(crate) fn interpreter(workspace: &Workspace) -> Result<PathBuf> {
    let folders = [SERVER, CLIENT, "tests"];
    let requirements = folders.map(|folder| workspace.path(folder).join("requirements.txt"));
    venv::ensure("the local Kusto", &workspace.path("target/kusto-python"), &requirements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_where_it_listens_and_ends_with_its_value() {
        let kusto = LocalKusto::start(&Workspace::locate().unwrap()).unwrap();
        let address = kusto.url().strip_prefix("http://").unwrap().to_owned();
        assert!(std::net::TcpStream::connect(&address).is_ok());
        drop(kusto);
        assert!(std::net::TcpStream::connect(&address).is_err());
    }
}
