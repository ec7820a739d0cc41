//! `cargo xtask demo`: one thread in one database, used by three processes in two languages. On
//! Kusto the third process is an analyst's.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::kusto::LocalKusto;
use crate::postgres::Postgres;
use crate::workspace::Workspace;
use crate::{component, npm, process, python};

/// The thread the agent talks on.
const THREAD: &str = "trip-to-lisbon";
/// What the agent prints when it needs a person to continue.
const WAITING: &str = "waiting for approval";
/// An agent that prints nothing for this long has failed.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Where the demo's thread is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    /// A SQLite file
    Sqlite,
    /// The server of `POSTGRES_URL`, or else one of the installed programs, or else PGlite
    Postgres,
    /// The cluster of `KUSTO_CLUSTER_URI` and `KUSTO_DATABASE`, or else a local stand-in
    Kusto,
}

/// Prepares and runs.
pub(crate) fn run(workspace: &Workspace, store: Store) -> Result<()> {
    component::prepare(workspace)?;
    npm::ensure_installed(&workspace.js())?;
    npm::run_script(&workspace.js(), "build")?;
    match store {
        Store::Sqlite => on_sqlite(workspace),
        Store::Postgres => on_postgres(workspace),
        Store::Kusto => on_kusto(workspace),
    }
}

/// The same with an agent in Python, on a SQLite file.
pub(crate) fn run_python(workspace: &Workspace) -> Result<()> {
    component::prepare(workspace)?;
    python::build(workspace)?;
    on_file(workspace, "LangGraph", |part, place| {
        let mut agent = python::interpreter(workspace)?;
        agent.arg("demo/agent.py").arg(part).arg(place).arg(THREAD).stdin(Stdio::null());
        Ok(agent)
    })
}

fn on_sqlite(workspace: &Workspace) -> Result<()> {
    let script = workspace.path("js/demo/agent.mjs");
    on_file(workspace, "LangGraph.js", |part, place| Ok(node(&script, part, place, THREAD)))
}

/// Runs an agent in two processes on a file, and reads its thread in Rust.
fn on_file(
    workspace: &Workspace,
    language: &str,
    agent: impl Fn(&str, &str) -> Result<Command>,
) -> Result<()> {
    let inspect = build_inspect(workspace)?;
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("checkpoints.db");
    let place = database.to_str().context("the folder of temporary files is not UTF-8")?;
    talk(language, "file", |part| agent(part, place))?;

    heading("3. The Rust host reads the same thread from the same file");
    process::run(Command::new(inspect).arg(&database).arg(THREAD))
}

/// Runs agents in two processes at once, in a schema of their own, and reads one thread in Rust.
fn on_postgres(workspace: &Workspace) -> Result<()> {
    let inspect = build_inspect(workspace)?;
    let server = Postgres::find(workspace, &[])?;
    let schema = format!("langgraph_demo_{}", std::process::id());
    let mut node = Command::new("node");
    node.arg(workspace.path("js/demo/postgres.mjs")).arg(&schema);
    let Some(server) = &server else {
        return process::run(&mut node);
    };
    process::run(node.arg(server.url()))?;

    heading("4. The Rust host reads a thread that both processes wrote");
    process::run(Command::new(inspect).args([server.url(), "alice", &schema]))
}

fn on_kusto(workspace: &Workspace) -> Result<()> {
    // The thread of an earlier demo on a cluster stays as it is.
    let thread = format!("{THREAD}-{}", std::process::id());
    let (local, cluster) = match env::var("KUSTO_CLUSTER_URI") {
        Ok(cluster) => (None, cluster),
        Err(_) => {
            let local = LocalKusto::start(workspace)?;
            let url = local.url().to_owned();
            (Some(local), url)
        }
    };
    if local.is_some() {
        println!("\nThis is a local stand-in for Kusto, at {cluster}. It is not Kusto.");
    }
    let database = env::var("KUSTO_DATABASE").unwrap_or_else(|_| "langgraph".to_owned());
    let place = format!("{}/{database}", cluster.trim_end_matches('/'));
    let script = workspace.path("js/demo/agent.mjs");
    talk("LangGraph.js", "table", |part| Ok(node(&script, part, &place, &thread)))?;

    heading("3. An analyst looks at the same thread in KQL");
    let analyze = workspace.path("js/demo/analyze.mjs");
    process::run(Command::new("node").arg(analyze).arg(place).arg(thread))
}

/// Runs two processes, and kills the first.
fn talk(language: &str, what: &str, agent: impl Fn(&str) -> Result<Command>) -> Result<()> {
    heading(&format!("1. A {language} agent talks, stops for approval, and its process is killed"));
    kill_when_waiting(agent("start")?)?;

    heading(&format!("2. A second process opens the same {what} and goes on"));
    process::run(&mut agent("resume")?)
}

/// Builds the Rust program that reads a thread. Returns its path.
fn build_inspect(workspace: &Workspace) -> Result<PathBuf> {
    // With the same packages as the tests: with other features, wasmtime would be built again.
    process::run(
        process::cargo()
            .current_dir(workspace.root())
            .args(["build", "--quiet", "--workspace", "--example", "inspect"])
            .args(component::WITH_POSTGRES)
            .args(component::WITHOUT),
    )?;
    Ok(workspace.target().join("debug").join("examples").join("inspect"))
}

fn heading(text: &str) {
    println!("\n{text}\n{}\n", "-".repeat(text.len()));
}

fn node(agent: &Path, part: &str, place: &str, thread: &str) -> Command {
    let mut node = Command::new("node");
    node.arg(agent).arg(part).arg(place).arg(thread).stdin(Stdio::null());
    node
}

/// Shows what the process prints until it waits, then kills it without warning (SIGKILL on Unix).
fn kill_when_waiting(mut command: Command) -> Result<()> {
    command.stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| process::not_started(&command, error))?;
    let waited = show_until_waiting(&mut child);
    // It may have ended by itself; that is reported below.
    let killed = child.kill();
    let status = child.wait()?;
    if !waited.with_context(|| format!("`{}` ({status})", process::shown(&command)))? {
        bail!("`{}` ended ({status}) before \"{WAITING}\"", process::shown(&command));
    }
    killed.context("cannot kill the agent")?;
    println!("\n(killed: {status})");
    Ok(())
}

/// Shows the process's output. Returns whether it printed that it waits before the output ended.
fn show_until_waiting(child: &mut Child) -> Result<bool> {
    let output = child.stdout.take().context("the agent has no output")?;
    let (sender, lines) = mpsc::channel();
    // In a thread, because a read cannot have a deadline. Killing the process ends it.
    thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    loop {
        match lines.recv_timeout(SILENCE_MAX) {
            Ok(line) => {
                let line = line?;
                println!("{line}");
                if line.contains(WAITING) {
                    return Ok(true);
                }
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(false),
            Err(RecvTimeoutError::Timeout) => {
                bail!("printed nothing for {} seconds", SILENCE_MAX.as_secs())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cat(text: &str) -> (tempfile::TempDir, Command) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        std::fs::write(&path, text).unwrap();
        let mut tail = Command::new("tail");
        tail.arg("-f").arg(path).stdin(Stdio::null());
        (folder, tail)
    }

    #[test]
    fn a_process_that_waits_is_killed() {
        let (_folder, command) = cat("hello\nwaiting for approval\n");
        kill_when_waiting(command).unwrap();
    }

    #[test]
    fn a_process_that_ends_first_is_an_error() {
        let mut command = process::cargo();
        command.arg("--version");
        let error = kill_when_waiting(command).unwrap_err();
        assert!(error.to_string().contains("before \"waiting for approval\""), "{error}");
    }
}
