//! Servers of PostgreSQL: the one that the environment names, or one of the programs that are
//! installed.

use std::env;
use std::process::Command;

use anyhow::Result;

use crate::served::Served;
use crate::workspace::Workspace;

/// The variable that names a server, by a connection string.
const VARIABLE: &str = "POSTGRES_URL";
/// The settings of a server that is measured.
pub(crate) const WAITS_FOR_THE_DISK: [&str; 1] = ["fsync=on"];
const SERVER: &str = "tests/local-postgres/server.mjs";

/// A server.
pub(crate) enum Postgres {
    /// Somebody else's.
    Given(String),
    /// One that ends when this is dropped.
    Local(Served),
}

impl Postgres {
    /// The server of the environment, or a new one with these settings; `None` if PostgreSQL is not
    /// installed.
    pub(crate) fn find(workspace: &Workspace, settings: &[&str]) -> Result<Option<Self>> {
        if let Ok(url) = env::var(VARIABLE) {
            return Ok(Some(Self::Given(url)));
        }
        let mut node = Command::new("node");
        node.arg(workspace.path(SERVER)).args(settings);
        Ok(Served::start(node)?.map(Self::Local))
    }

    /// The connection string.
    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Given(url) => url,
            Self::Local(served) => served.url(),
        }
    }
}
