//! A server that a program of this repository runs until its input ends.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::process;

/// What a server prints when it listens.
#[derive(Deserialize)]
struct Listening {
    url: Option<String>,
}

/// A running server. It ends when this is dropped.
pub(crate) struct Served {
    child: Child,
    url: String,
}

impl Served {
    /// Starts a server, and waits until it listens. `None` if it says that it cannot be had here.
    pub(crate) fn start(mut command: Command) -> Result<Option<Self>> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| process::not_started(&command, error))?;
        let output = child.stdout.take().context("the server has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        match serde_json::from_str::<Listening>(&line) {
            Ok(Listening { url: Some(url) }) => Ok(Some(Self { child, url })),
            Ok(Listening { url: None }) => {
                child.wait()?;
                Ok(None)
            }
            Err(_) => {
                let status = child.wait()?;
                bail!("`{}` ended ({status}) before it listened", process::shown(&command))
            }
        }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // Only wait for the end: its exit code does not matter any more.
        let _ = self.child.wait();
    }
}
