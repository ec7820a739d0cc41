//! What an agent that sends its own statements may do with a `storage`: only what the component
//! `checkpointer` does, and only for a limited time.

mod support;

use std::path::Path;
use std::time::Duration;

use langgraph_checkpoint_guest::{Access, Answer, Call, Moment, Need, Outcome, Progress, Store};
use langgraph_checkpoint_host::{
    AgentLimits, AgentStorage, Batch, Checkpointer, List, MetadataFilter, Planner, RowSet,
    SqliteOptions, Statement, StorageAdapter, StorageError, Stored, Value,
};
use langgraph_checkpoint_tests::transcript;
use rusqlite::Connection;
use support::evil::{EVIL, endless};
use support::{config, put};

fn open(path: impl AsRef<Path>, limits: AgentLimits) -> AgentStorage {
    AgentStorage::open(path, &SqliteOptions::default(), limits).unwrap()
}

fn batch(access: Access, texts: &[&str]) -> Batch {
    let statement =
        |text: &&str| Statement { text: (*text).to_owned(), parameters: vec![Vec::new()] };
    Batch { access, statements: texts.iter().map(statement).collect() }
}

async fn run(
    storage: &AgentStorage,
    access: Access,
    text: &str,
) -> Result<Vec<RowSet>, StorageError> {
    storage.run(batch(access, &[text])).await
}

/// A tenant's file with one thread, and another tenant's file beside it.
async fn tenants() -> (tempfile::TempDir, AgentStorage) {
    let directory = tempfile::tempdir().unwrap();
    for name in ["mine.db", "victim.db"] {
        let storage = open(directory.path().join(name), AgentLimits::default());
        let checkpointer = Checkpointer::new(Planner::native(), storage);
        checkpointer.put(put(name, None, "c1", "[\"a secret\"]")).await.unwrap();
        drop(checkpointer);
        let connection = Connection::open(directory.path().join(name)).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE others (secret TEXT); INSERT INTO others VALUES ('of others'); \
                 CREATE VIEW peek AS SELECT secret FROM others",
            )
            .unwrap();
    }
    let storage = open(directory.path().join("mine.db"), AgentLimits::default());
    (directory, storage)
}

#[tokio::test]
async fn no_statement_reaches_more_than_the_threads_of_the_file() {
    let (directory, storage) = tenants().await;
    let folder = directory.path().to_str().unwrap();
    let stored = |name: &str| {
        let connection = Connection::open(directory.path().join(name)).unwrap();
        let schema = transcript_of(&connection, "SELECT type, name, sql FROM sqlite_master");
        let rows = transcript_of(&connection, "SELECT * FROM others");
        let threads = transcript_of(&connection, "SELECT * FROM lg_history");
        (schema, rows, threads)
    };
    let before = (stored("mine.db"), stored("victim.db"));
    for evil in EVIL {
        let text = evil.replace("DIR", folder);
        for access in [Access::Read, Access::Write] {
            // Twice: the authorizer is not asked again about a statement that is already prepared.
            for _ in 0..2 {
                let error = run(&storage, access, &text).await.expect_err(evil);
                let refused = ["storage-refused", "storage-read-only", "storage-failed"];
                assert!(refused.contains(&error.code()), "{evil}: {error:?}");
                assert_eq!(error.stored(), Stored::Nothing, "{evil}");
            }
        }
    }
    let checkpointer = Checkpointer::new(Planner::native(), storage);
    assert!(checkpointer.get_tuple(config("mine.db")).await.unwrap().is_some(), "goes on");
    checkpointer.put(put("mine.db", Some("c1"), "c2", "[]")).await.unwrap();
    checkpointer.delete_thread(config("of the test")).await.unwrap();
    drop(checkpointer);
    let after = (stored("mine.db"), stored("victim.db"));
    assert_eq!((&after.0.0, &after.0.1, &after.1), (&before.0.0, &before.0.1, &before.1));
    let mut names: Vec<_> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["mine.db", "victim.db"], "no file was made");
}

/// All rows of a query, as text.
fn transcript_of(connection: &Connection, text: &str) -> Vec<String> {
    let mut statement = connection.prepare(text).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..columns).map(|at| row.get_ref(at).map(|value| format!("{value:?}"))).collect()
    });
    rows.unwrap().map(|row: rusqlite::Result<Vec<String>>| row.unwrap().join("|")).collect()
}

#[tokio::test]
async fn a_batch_that_reads_writes_nothing_in_memory_either() {
    let directory = tempfile::tempdir().unwrap();
    for path in [Path::new(":memory:"), &directory.path().join("checkpoints.db")] {
        let storage = open(path, AgentLimits::default());
        let insert = "INSERT INTO lg_threads VALUES (1, 't', 0)";
        let remove = "DELETE FROM lg_threads";
        run(&storage, Access::Write, insert).await.unwrap();
        // It is prepared for a write batch and stays cached.
        run(&storage, Access::Write, remove).await.unwrap();
        run(&storage, Access::Write, insert).await.unwrap();
        let error = run(&storage, Access::Read, remove).await.unwrap_err();
        assert_eq!(error.code(), "storage-read-only");
        let rows = run(&storage, Access::Read, "SELECT thread_id FROM lg_threads").await.unwrap();
        assert_eq!(rows[0].rows, [[Value::Text("t".to_owned())]]);
    }
}

#[tokio::test]
async fn a_refused_statement_takes_the_rest_of_its_batch_along() {
    let storage = open(":memory:", AgentLimits::default());
    let insert = "INSERT INTO lg_threads VALUES (1, 't', 0)";
    for evil in ["COMMIT", "RELEASE batch", "ROLLBACK", "PRAGMA user_version = 7"] {
        let error = storage.run(batch(Access::Write, &[insert, evil])).await.unwrap_err();
        assert_eq!((error.code(), error.stored()), ("storage-refused", Stored::Nothing), "{evil}");
    }
    let rows = run(&storage, Access::Read, "SELECT thread_id FROM lg_threads").await.unwrap();
    assert!(rows[0].rows.is_empty());
}

#[tokio::test]
async fn a_statement_without_end_is_ended_and_holds_nobody_up() {
    let directory = tempfile::tempdir().unwrap();
    let limits = AgentLimits { time_limit: Duration::from_millis(200), ..AgentLimits::default() };
    let options = SqliteOptions { readers: 1, ..SqliteOptions::default() };
    let path = directory.path().join("checkpoints.db");
    let storage = AgentStorage::open(&path, &options, limits).unwrap();
    for text in endless() {
        for access in [Access::Read, Access::Write] {
            match run(&storage, access, &text).await {
                Err(error) => {
                    let codes = ["storage-timeout", "storage-too-large", "storage-failed"];
                    assert!(codes.contains(&error.code()), "{text}: {error:?}");
                    assert_eq!(error.stored(), Stored::Nothing);
                }
                Ok(sets) => assert_eq!(sets[0].rows.len(), 1, "{text}"),
            }
        }
    }
    let error = run(&storage, Access::Read, &endless()[0]).await.unwrap_err();
    assert_eq!(error.code(), "storage-timeout");
    // The reader and the writer still work, and no statement holds a lock.
    drop(storage);
    let storage = open(&path, AgentLimits::default());
    let checkpointer = Checkpointer::new(Planner::native(), storage);
    checkpointer.put(put("t", None, "c1", "[1]")).await.unwrap();
    assert!(checkpointer.get_tuple(config("t")).await.unwrap().is_some());
}

#[tokio::test]
async fn what_a_batch_brings_and_gives_has_its_limits() {
    let rows = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100) \
                SELECT hex(?1), n FROM n";
    let of = |texts: &[&str], parameters: Vec<Vec<Value>>| Batch {
        access: Access::Read,
        statements: texts
            .iter()
            .map(|text| Statement { text: (*text).to_owned(), parameters: parameters.clone() })
            .collect(),
    };
    let value = || vec![vec![Value::Text("x".repeat(1000))]];
    let default = AgentLimits::default();
    for (name, limits, batch) in [
        ("rows_max", AgentLimits { rows_max: 99, ..default }, of(&[rows], value())),
        ("answer_bytes_max", AgentLimits { answer_bytes_max: 9_999, ..default }, {
            of(&[rows], value())
        }),
        ("batch_bytes_max", AgentLimits { batch_bytes_max: 999, ..default }, {
            of(&[rows], value())
        }),
        ("statement_bytes_max", AgentLimits { statement_bytes_max: 99, ..default }, {
            of(&[rows], value())
        }),
        ("parameters_max", AgentLimits { parameters_max: 99, ..default }, {
            of(&["SELECT 1"], vec![Vec::new(); 100])
        }),
        ("statements_max", AgentLimits { statements_max: 9, ..default }, {
            of(&["SELECT 1"; 10], vec![Vec::new()])
        }),
    ] {
        let error = open(":memory:", limits).run(batch.clone()).await.unwrap_err();
        assert_eq!(error.code(), "storage-refused", "{name}");
        assert!(error.to_string().contains(name), "{name}: {error}");
        open(":memory:", default).run(batch).await.unwrap();
    }
    let limits = AgentLimits { value_bytes_max: 999, ..default };
    for batch in [of(&[rows], value()), of(&["SELECT length(?1 || ?1)"], value())] {
        let error = open(":memory:", limits).run(batch).await.unwrap_err();
        assert_eq!(error.code(), "storage-too-large");
        assert!(error.to_string().contains("AgentLimits::value_bytes_max, which is 999"));
    }
}

/// The memory of a statement is the number of values it holds, times the largest. These statements
/// hold thousands, each in another way.
#[tokio::test]
async fn no_statement_holds_values_without_number() {
    let storage = open(":memory:", AgentLimits::default());
    let list = |count: usize, of: &dyn Fn(usize) -> String, between: &str| {
        (0..count).map(of).collect::<Vec<_>>().join(between)
    };
    let table = |n: usize| {
        let columns = list(32, &|column| format!("max(?1 || {column}) c{column}"), ", ");
        format!("(SELECT {columns} FROM json_each('[1]')) s{n}")
    };
    for text in [
        format!("SELECT {}", list(100, &|n| format!("?1 || {n}"), ", ")),
        format!("SELECT {}", list(100, &|n| format!("length(max(?1 || {n}))"), " + ")),
        format!("SELECT s0.c0 FROM {}", list(10, &table, ", ")),
    ] {
        let value = Value::Text("x".to_owned());
        let statement = Statement { text: text.clone(), parameters: vec![vec![value]] };
        let batch = Batch { access: Access::Read, statements: vec![statement] };
        let error = storage.run(batch).await.expect_err(&text);
        let refused = ["storage-refused", "storage-failed"];
        assert!(refused.contains(&error.code()), "{text}: {error:?}");
        assert_eq!(error.stored(), Stored::Nothing);
    }
}

/// A value is counted before it is copied, so a value that exceeds the limit is not copied.
#[tokio::test]
async fn a_row_is_refused_at_the_value_that_is_too_much() {
    let limits = AgentLimits { answer_bytes_max: 2_500, ..AgentLimits::default() };
    let storage = open(":memory:", limits);
    let value = Value::Text("x".repeat(1000));
    let run = |text: &str| {
        let statement = Statement { text: text.to_owned(), parameters: vec![vec![value.clone()]] };
        storage.run(Batch { access: Access::Read, statements: vec![statement] })
    };
    assert_eq!(run("SELECT ?1, ?1").await.unwrap()[0].rows[0].len(), 2);
    // The third value exceeds the limit; the fourth would be another error.
    let error = run("SELECT ?1, ?1, ?1, CAST(x'ff' AS TEXT)").await.unwrap_err();
    assert_eq!(error.code(), "storage-refused");
}

/// Runs a call whose batches a storage answers.
async fn outcome(storage: &AgentStorage, call: Call) -> Outcome {
    let (mut operation, mut progress) = Store::Sqlite.start(call, Moment::default()).unwrap();
    loop {
        let batch = match progress {
            Progress::Done(outcome) => return outcome,
            Progress::Need(Need::Sql(batch)) => batch,
            Progress::Need(other) => panic!("{other:?}"),
        };
        let sets = storage.run(batch).await.unwrap();
        progress = operation.advance(Answer::Sql(sets), Moment::default()).unwrap();
    }
}

#[tokio::test]
async fn every_statement_of_an_agents_calls_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/goldens/sqlite");
    let directory = tempfile::tempdir().unwrap();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let file: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let name = path.file_name().unwrap();
        let storage = open(directory.path().join(name), AgentLimits::default());
        let mut known = None;
        for before in file["before"].as_array().into_iter().flatten() {
            known = match outcome(&storage, transcript::call(before)).await {
                Outcome::Stored(stored) => Some(stored.known),
                Outcome::Found(Some(found)) => Some(found.known),
                _ => known,
            };
        }
        let call = if file["call"]["name"] == "setup" {
            Call::Setup
        } else {
            transcript::call(&file["call"])
        };
        let call = match call {
            // The component `checkpointer` has no such calls.
            Call::Prune(_)
            | Call::CopyThread(_)
            | Call::Threads(_)
            | Call::Stats(_)
            | Call::Verify(_)
            | Call::Export(_)
            | Call::Diff(_) => continue,
            Call::Put(mut put) if file["knows"] == true => {
                put.known = known;
                Call::Put(put)
            }
            call => call,
        };
        outcome(&storage, call).await;
        count += 1;
    }
    assert!(count >= 10, "the golden files are there");
}

/// A list with the most conditions, each of the longest kind: a date's text, which is also searched
/// for and compared with a record.
#[tokio::test]
async fn the_largest_statement_of_the_planner_passes() {
    let storage = open(":memory:", AgentLimits::default());
    let filter = |n: usize| MetadataFilter {
        key: format!("key {n}"),
        json: "\"2026-01-02T03:04:05.678Z\"".to_owned(),
    };
    let list = List {
        config: config("t"),
        before: "c2".into(),
        filter: (0..16).map(filter).collect(),
        ..List::default()
    };
    assert!(matches!(outcome(&storage, Call::List(list)).await, Outcome::Page(_)));
}
