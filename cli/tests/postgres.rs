//! The commands on PostgreSQL: on the server of `POSTGRES_URL`, or on one that the test starts.

#![allow(dead_code, reason = "no test uses all of the support")]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use support::{done, fixture, run};
use tokio_postgres::NoTls;

/// A server that was started for the test. It ends with this value.
struct Server(Child);

impl Server {
    /// Starts a server. Returns its connection string, too.
    fn start() -> (Self, String) {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/local-postgres/server.mjs");
        let mut node = Command::new("node");
        node.arg(program).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = node.spawn().expect("Node.js starts the server of the tests");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        let url = line["url"].as_str().expect("PostgreSQL is not installed (Debian: postgresql)");
        (Self(child), url.to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

/// The server of the tests, if one was started, and its connection string.
fn server() -> (Option<Server>, String) {
    match std::env::var("POSTGRES_URL") {
        Ok(url) => (None, url),
        Err(_) => {
            let (server, url) = Server::start();
            (Some(server), url)
        }
    }
}

#[test]
fn commands_on_postgres_print_what_they_print_of_a_file() {
    let (_server, url) = server();
    let schema = format!("cli_{}", std::process::id());
    let on = |words: &[&str]| {
        let words: Vec<&str> = [words, &["--schema", &schema]].concat();
        run(&words)
    };
    let url = url.as_str();

    let missing = on(&["threads", url]);
    assert_eq!(missing.status, 2);
    assert!(missing.stderr.starts_with("the schema has no store of this package"));
    assert_eq!(count_of_schemas(url, &schema), 0, "a command that reads has made the schema");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.db");
    let file = path.to_str().unwrap();
    let stock = fixture("stock/javascript-1.0.1.sqlite");
    let stock = stock.to_str().unwrap();
    let dry = |here: &str| {
        let report = on(&["import", stock, here, "--dry-run"]);
        assert_eq!((report.status, report.stderr.as_str()), (0, ""));
        report.stdout
    };
    assert_eq!(dry(url), dry(file));
    assert_eq!(count_of_schemas(url, &schema), 0, "a dry run has made the schema");
    done(&["import", stock, file]);
    let report = on(&["import", stock, url, "--verify", "--json"]);
    assert_eq!((report.status, report.stderr.as_str()), (0, ""));
    assert!(report.stdout.contains(r#""verified":{"checkpoints":15,"different":0}"#));
    assert!(!report.stdout.contains("target"), "an address may have a password");
    assert!(dry(url).starts_with("3 threads: 0 would be imported, 3 there already"));
    assert_eq!(dry(url), dry(file));

    for (name, more) in [
        ("threads", ["--json"].as_slice()),
        ("threads", &["--limit", "2"]),
        ("namespaces", &["waiting"]),
        ("history", &["waiting"]),
        ("history", &["waiting", "--limit", "2", "--json"]),
        ("show", &["waiting"]),
        ("diff", &["waiting", "1f1ec2a2-8df4-6b20-8002-21897450a8bf", "--values"]),
        ("verify", &[]),
        ("copy", &["waiting", "copy"]),
        ("prune", &["waiting", "--yes"]),
        ("delete", &["done", "--yes"]),
        ("threads", &[]),
        ("expire", &["--idle-for", "1m", "--dry-run"]),
    ] {
        let of_file = run(&[&[name, file], more].concat());
        assert_eq!(on(&[&[name, url], more].concat()), of_file, "{name}");
        assert_eq!(of_file.status, 0, "{name}");
    }
    execute(url, &format!("DROP SCHEMA {schema} CASCADE"));
}

#[test]
fn what_is_exported_to_postgres_comes_back_the_same() {
    let (_server, url) = server();
    let url = url.as_str();
    let folder = tempfile::tempdir().unwrap();
    for (stock, layout) in [("javascript-1.0.1", "js"), ("python-3.0.3", "python")] {
        let schema = format!("cli_{layout}_{}", std::process::id());
        let [own, again] = ["own", "again"].map(|name| {
            let path = folder.path().join(format!("{name}-{layout}.db"));
            path.to_str().unwrap().to_owned()
        });
        let stock = fixture(&format!("stock/{stock}.sqlite"));
        done(&["import", stock.to_str().unwrap(), &own]);
        let export = ["export", &own, url, "--layout", layout, "--schema", &schema, "--json"];
        let report = done(&export);
        assert!(report.contains(r#""exported":3,"present":0,"conflicting":0"#), "{report}");
        let report = done(&export);
        assert!(report.contains(r#""exported":0,"present":3,"conflicting":0"#), "{report}");
        done(&["import", url, &again, "--source-schema", &schema, "--verify"]);
        let lines = |store: &str| run(&["export", store, "-", "--jsonl"]).stdout;
        assert!(parsed(&lines(&again)) == parsed(&lines(&own)), "{layout}");

        // One value at a channel and version: that of a fork which was there first.
        let damage = format!("UPDATE {schema}.checkpoint_blobs SET blob = 'null'");
        execute(url, &format!("{damage} WHERE thread_id = 'done' AND channel = 'notes'"));
        execute(url, &format!("DELETE FROM {schema}.checkpoints WHERE thread_id = 'done'"));
        let shared = run(&export);
        assert_eq!(shared.status, 1);
        assert!(shared.stdout.contains(r#""code":"shared-by-forks""#), "{}", shared.stdout);
        execute(url, &format!("DROP SCHEMA {schema} CASCADE"));
    }
}

/// Lines of JSON, without the values that have no version: the savers on PostgreSQL store none.
fn parsed(lines: &str) -> Vec<Value> {
    assert!(lines.lines().count() > 10);
    let line = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let versions = line["checkpoint"]["channel_versions"].as_object().unwrap().clone();
        for values in ["/checkpoint/channel_values", "/types"] {
            let values = line.pointer_mut(values).unwrap().as_object_mut().unwrap();
            values.retain(|channel, _| versions.contains_key(channel));
        }
        line
    };
    lines.lines().map(line).collect()
}

fn count_of_schemas(url: &str, schema: &str) -> usize {
    execute(url, &format!("SELECT 1 FROM pg_namespace WHERE nspname = '{schema}'"))
}

/// Runs a statement. Returns the number of its rows.
fn execute(url: &str, text: &str) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.query(text, &[]).await.unwrap().len()
    })
}
