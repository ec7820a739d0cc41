//! The server, in a process of its own, and a client.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A server that is killed with this.
pub(crate) struct Server {
    process: Child,
    url: String,
    client: ureq::Agent,
}

impl Server {
    /// Serves the example agent on any free port, with its threads in this file.
    pub(crate) fn start(database: &Path) -> Self {
        Self::of("http-agent", database)
    }

    /// The same of a component with this name.
    pub(crate) fn of(name: &str, database: &Path) -> Self {
        let components = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/components");
        let component = components.join(name).with_extension("wasm");
        assert!(component.exists(), "run `cargo xtask compose` first");
        let mut process = Command::new(env!("CARGO_BIN_EXE_example-http-host"))
            .args([component.as_path(), database, Path::new("127.0.0.1:0")])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        assert!(url.starts_with("http://127.0.0.1:"), "the server printed {url:?}");
        let client = ureq::Agent::config_builder().http_status_as_error(false).build();
        Self { process, url: url.trim().to_owned(), client: client.into() }
    }

    /// The status and the JSON of a path.
    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        answered(self.client.get(self.url(path)).call())
    }

    /// The same, after a body was sent there.
    pub(crate) fn post(&self, path: &str, body: impl ureq::AsSendBody) -> (u16, Value) {
        answered(self.client.post(self.url(path)).send(body))
    }

    /// The same, after a request to delete what is there.
    pub(crate) fn delete(&self, path: &str) -> (u16, Value) {
        answered(self.client.delete(self.url(path)).call())
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Not asked to end: what it has answered must be stored.
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn answered(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, Value) {
    let mut response = response.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap())
}
