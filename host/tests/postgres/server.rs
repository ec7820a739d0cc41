//! The server of the tests, and schemas on it.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};

use langgraph_checkpoint_host::{Checkpointer, Planner, PostgresOptions, PostgresStorage};
use langgraph_checkpoint_tests::transcript;
use sha2::{Digest, Sha256};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls, Row};

/// A server that was started for tests. It ends with this value, or with the process.
pub(crate) struct Server {
    pub(crate) url: String,
    child: Mutex<Child>,
}

impl Server {
    /// Starts a server with these settings (`name=value`).
    pub(crate) fn start(settings: &[&str]) -> Self {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/local-postgres/server.mjs");
        let mut child = Command::new("node")
            .arg(program)
            .args(settings)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node.js starts the server of the tests");
        let url = url_of(&mut child);
        Self { url, child: Mutex::new(child) }
    }

    /// Kills the server as a loss of power would end it, and starts it again.
    pub(crate) fn kill_and_restart(&self) {
        let mut child = self.child.lock().unwrap();
        child.stdin.as_mut().unwrap().write_all(b"kill\n").unwrap();
        assert_eq!(url_of(&mut child), self.url);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap();
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}

/// The URL in the next line that the server prints.
fn url_of(child: &mut Child) -> String {
    let mut line = String::new();
    // Unbuffered: the next line is read by another reader.
    let output = child.stdout.as_mut().unwrap();
    BufReader::with_capacity(1, output.by_ref()).read_line(&mut line).unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
    let url = line["url"].as_str();
    url.expect("PostgreSQL is not installed (Debian: postgresql)").to_owned()
}

/// The connection string of a role that may create roles and databases.
pub(crate) fn url() -> &'static str {
    static GIVEN: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("POSTGRES_URL").ok());
    // A static is never dropped: the server ends when its input does.
    static OWN: LazyLock<Server> = LazyLock::new(|| Server::start(&[]));
    GIVEN.as_deref().unwrap_or_else(|| &OWN.url)
}

/// The connection string of another role.
pub(crate) fn url_of_role(role: &str, password: &str) -> String {
    as_role(url(), role, password)
}

/// The same as this connection string, for another role.
pub(crate) fn as_role(url: &str, role: &str, password: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (_, place) = rest.split_once('@').unwrap();
    format!("{scheme}://{role}:{password}@{place}")
}

/// The connection string with one more option.
pub(crate) fn url_with(option: &str) -> String {
    let separator = if url().contains('?') { '&' } else { '?' };
    format!("{}{separator}{option}", url())
}

/// A connection of the superuser's.
pub(crate) async fn admin(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A schema that nothing else uses. Its name needs all the quoting that a name can need. It is
/// dropped by `Schema::end`.
pub(crate) struct Schema {
    pub(crate) name: String,
    pub(crate) admin: Client,
}

impl Schema {
    pub(crate) async fn new() -> Self {
        Self::on(url()).await
    }

    pub(crate) async fn on(url: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let name = format!("lg\"te'st.\u{e9}; {process:x}{count:03x}");
        Self { name, admin: admin(url).await }
    }

    /// Letters and digits that only this schema has.
    pub(crate) fn mark(&self) -> String {
        format!("lgtest_{}", self.name.rsplit(' ').next().unwrap())
    }

    pub(crate) fn options(&self) -> PostgresOptions {
        PostgresOptions { schema: self.name.clone(), ..PostgresOptions::default() }
    }

    pub(crate) fn open(&self) -> Checkpointer<PostgresStorage> {
        self.open_at(url(), &self.options())
    }

    pub(crate) fn open_at(
        &self,
        url: &str,
        options: &PostgresOptions,
    ) -> Checkpointer<PostgresStorage> {
        Checkpointer::connect_postgres(Planner::native(), url, options).unwrap()
    }

    /// The rows of a query, in which `$schema` is the schema.
    pub(crate) async fn rows(&self, text: &str) -> Vec<Row> {
        let quoted = format!("\"{}\"", self.name.replace('"', "\"\""));
        self.admin.query_typed(&text.replace("$schema", &quoted), &[]).await.unwrap()
    }

    /// The digest of what is stored, as for SQLite.
    pub(crate) async fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for (table, columns) in transcript::TABLES {
            let from = match table {
                "lg_checkpoints" => "lg_records WHERE task_id = ''",
                "lg_writes" => "lg_records WHERE task_id <> ''",
                table => table,
            };
            let rows = self.rows(&format!("SELECT {columns} FROM $schema.{from}")).await;
            let mut lines: Vec<String> = rows.iter().map(line).collect();
            lines.sort();
            for line in lines {
                digest.update(format!("{table}|{line}\n"));
            }
        }
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What is left of no thread, and what refers to a chunk that is not there.
    pub(crate) async fn leftovers(&self) -> [i64; 3] {
        let rows = self
            .rows(
                "WITH wanted AS (SELECT r.thread_key, substring(v FROM i * 20 + 1 FOR 20) AS hash \
                 FROM (SELECT thread_key, unnest(refs) AS v FROM $schema.lg_records \
                 UNION ALL SELECT thread_key, refs FROM $schema.lg_chunks) r, \
                 generate_series(0, octet_length(v) / 20 - 1) i) \
                 SELECT (SELECT count(*) FROM wanted w WHERE NOT EXISTS (SELECT FROM \
                 $schema.lg_chunks c WHERE c.thread_key = w.thread_key AND c.hash = w.hash)), \
                 (SELECT count(*) FROM $schema.lg_records WHERE thread_key NOT IN \
                 (SELECT thread_key FROM $schema.lg_threads)), \
                 (SELECT count(*) FROM $schema.lg_chunks WHERE thread_key NOT IN \
                 (SELECT thread_key FROM $schema.lg_threads))",
            )
            .await;
        [0, 1, 2].map(|at| rows[0].get(at))
    }

    pub(crate) async fn end(self) {
        self.rows("DROP SCHEMA IF EXISTS $schema CASCADE").await;
    }
}

/// A row as SQLite's `quote` shows it. Metadata in JSON is text there.
fn line(row: &Row) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    let columns = row.columns().iter().enumerate().map(|(at, column)| match *column.type_() {
        Type::INT8 => row.get::<_, Option<i64>>(at).map(|value| value.to_string()),
        Type::BYTEA => row.get::<_, Option<&[u8]>>(at).map(|bytes| {
            match (column.name(), std::str::from_utf8(bytes)) {
                ("metadata", Ok(text)) => quoted(text),
                _ => format!("X'{}'", hex(bytes)),
            }
        }),
        _ => row.get::<_, Option<&str>>(at).map(quoted),
    });
    columns.map(|text| text.unwrap_or_else(|| "NULL".to_owned())).collect::<Vec<_>>().join("|")
}
