//! The SQLite adapter on plain batches: values, transactions, group commit.

mod support;

use std::path::Path;
use std::pin::pin;
use std::sync::Barrier;

use langgraph_checkpoint_host::statement::Access;
use langgraph_checkpoint_host::{
    Batch, RowSet, SqliteOptions, SqliteStorage, Statement, StorageAdapter, StorageError,
    StorageErrorKind, Stored, Value,
};
use rusqlite::Connection;
use support::poll_once;

fn statement(text: &str, parameters: Vec<Vec<Value>>) -> Statement {
    Statement { text: text.to_owned(), parameters }
}

fn write(text: &str) -> Batch {
    Batch { access: Access::Write, statements: vec![statement(text, vec![vec![]])] }
}

fn read(text: &str) -> Batch {
    Batch { access: Access::Read, statements: vec![statement(text, vec![vec![]])] }
}

fn insert(n: i64) -> Batch {
    let row = vec![Value::Integer(n)];
    Batch {
        access: Access::Write,
        statements: vec![statement("INSERT INTO numbers (n) VALUES (?1)", vec![row])],
    }
}

/// A store in a new file with the table `numbers`, and the file's path.
async fn numbers(directory: &Path) -> (SqliteStorage, std::path::PathBuf) {
    let path = directory.join("numbers.db");
    let storage = SqliteStorage::open(&path, &SqliteOptions::default()).unwrap();
    storage.run(write("CREATE TABLE numbers (n INTEGER PRIMARY KEY) STRICT")).await.unwrap();
    (storage, path)
}

fn stored(path: &Path) -> Vec<i64> {
    let connection = Connection::open(path).unwrap();
    let mut select = connection.prepare("SELECT n FROM numbers ORDER BY n").unwrap();
    select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// How many transactions the write-ahead log holds: the last frame of a transaction has the size of
/// the database, the others have zero.
fn commits_in_log(path: &Path) -> usize {
    const HEADER_BYTES: usize = 32;
    const FRAME_HEADER_BYTES: usize = 24;
    let log = std::fs::read(format!("{}-wal", path.display())).unwrap();
    let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let page_bytes = number(8) as usize;
    (HEADER_BYTES..log.len())
        .step_by(FRAME_HEADER_BYTES + page_bytes)
        .filter(|frame| number(frame + 4) != 0)
        .count()
}

#[tokio::test]
async fn values_of_every_class_come_back_exactly() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("values.db");
    for storage in [
        SqliteStorage::open(path, &SqliteOptions::default()).unwrap(),
        SqliteStorage::in_memory(&SqliteOptions::default()).unwrap(),
    ] {
        let rows = vec![
            vec![Value::Null, Value::Null],
            vec![Value::Integer(i64::MIN), Value::Integer(i64::MAX)],
            vec![Value::Real(-0.1), Value::Real(f64::MAX)],
            vec![Value::Text(String::new()), Value::Text("\u{0}'\u{1F600}".to_owned())],
            vec![Value::Blob(vec![]), Value::Blob(vec![0, 0xff, 0xfe])],
        ];
        storage.run(write("CREATE TABLE pairs (a, b)")).await.unwrap();
        let inserts = statement("INSERT INTO pairs VALUES (?1, ?2)", rows.clone());
        let batch = Batch { access: Access::Write, statements: vec![inserts] };
        assert_eq!(storage.run(batch).await.unwrap(), [RowSet::default()]);
        let sets = storage.run(read("SELECT a, b FROM pairs ORDER BY rowid")).await.unwrap();
        assert_eq!(sets, [RowSet { rows }]);
    }
}

#[tokio::test]
async fn a_statement_runs_once_for_each_row_of_parameters() {
    let storage = SqliteStorage::in_memory(&SqliteOptions::default()).unwrap();
    let row = |n| vec![Value::Integer(n)];
    let batch = Batch {
        access: Access::Read,
        statements: vec![
            statement("SELECT ?1 UNION ALL SELECT ?1 + 1", vec![row(1), row(5)]),
            statement("SELECT ?1", vec![]),
        ],
    };
    let sets = storage.run(batch).await.unwrap();
    let expected = RowSet { rows: vec![row(1), row(2), row(5), row(6)] };
    assert_eq!(sets, [expected, RowSet::default()]);
}

#[tokio::test]
async fn a_row_of_too_few_parameters_is_refused() {
    let storage = SqliteStorage::in_memory(&SqliteOptions::default()).unwrap();
    let short = statement("SELECT ?1, ?2", vec![vec![Value::Integer(1)]]);
    let batch = Batch { access: Access::Read, statements: vec![short] };
    assert_eq!(storage.run(batch).await.unwrap_err().code(), "storage-failed");
}

#[tokio::test]
async fn batches_that_wait_share_one_commit() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, path) = numbers(directory.path()).await;
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let before = commits_in_log(&path);
    let mut waiting: Vec<_> = (0..20).map(|n| Box::pin(storage.run(insert(n)))).collect();
    for future in &mut waiting {
        assert!(poll_once(future.as_mut()).is_pending());
    }
    other.execute_batch("ROLLBACK").unwrap();
    for future in waiting {
        future.await.unwrap();
    }
    assert_eq!(commits_in_log(&path) - before, 1);
    assert_eq!(stored(&path), (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_batch_that_fails_undoes_nothing_of_the_others_in_its_transaction() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, path) = numbers(directory.path()).await;
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let before = commits_in_log(&path);
    let mut twice = insert(2);
    twice.statements.extend(insert(1).statements);
    let mut first = pin!(storage.run(insert(1)));
    let mut clashing = pin!(storage.run(twice));
    let mut last = pin!(storage.run(insert(3)));
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(poll_once(clashing.as_mut()).is_pending());
    assert!(poll_once(last.as_mut()).is_pending());
    other.execute_batch("ROLLBACK").unwrap();
    first.await.unwrap();
    let error = clashing.await.unwrap_err();
    last.await.unwrap();
    assert_eq!((error.code(), error.stored()), ("storage-failed", Stored::Nothing));
    assert_eq!(stored(&path), [1, 3]);
    assert_eq!(commits_in_log(&path) - before, 1);
}

/// A deferred constraint fails only at the commit, so an answer before the commit would be `Ok`.
#[tokio::test]
async fn nobody_is_answered_before_the_commit() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, path) = numbers(directory.path()).await;
    let schema = "CREATE TABLE children (n INTEGER NOT NULL \
                  REFERENCES numbers (n) DEFERRABLE INITIALLY DEFERRED)";
    storage.run(write("PRAGMA foreign_keys = ON")).await.unwrap();
    storage.run(write(schema)).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut first = pin!(storage.run(insert(1)));
    let mut orphan = pin!(storage.run(write("INSERT INTO children (n) VALUES (99)")));
    let mut last = pin!(storage.run(insert(2)));
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(poll_once(orphan.as_mut()).is_pending());
    assert!(poll_once(last.as_mut()).is_pending());
    other.execute_batch("ROLLBACK").unwrap();
    first.await.unwrap();
    assert_eq!(orphan.await.unwrap_err().code(), "storage-failed");
    last.await.unwrap();
    assert_eq!(stored(&path), [1, 2]);
}

#[tokio::test]
async fn a_full_database_is_said_to_be_full_and_stays_usable() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, path) = numbers(directory.path()).await;
    storage.run(write("CREATE TABLE blobs (data BLOB)")).await.unwrap();
    storage.run(write("PRAGMA max_page_count = 20")).await.unwrap();
    let error =
        storage.run(write("INSERT INTO blobs VALUES (zeroblob(1000000))")).await.unwrap_err();
    assert_eq!((error.code(), error.stored()), ("storage-full", Stored::Nothing));
    storage.run(insert(1)).await.unwrap();
    assert_eq!(stored(&path), [1]);
}

#[tokio::test]
async fn a_value_above_the_limit_is_said_to_be_too_large() {
    let storage = SqliteStorage::in_memory(&SqliteOptions::default()).unwrap();
    let error = storage.run(read("SELECT zeroblob(2000000000)")).await.unwrap_err();
    assert_eq!(error.code(), "storage-too-large");
}

#[tokio::test]
async fn text_that_is_not_utf8_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, _) = numbers(directory.path()).await;
    let error = storage.run(read("SELECT 1, CAST(x'ff41' AS TEXT)")).await.unwrap_err();
    assert_eq!(error.code(), "storage-damaged");
    assert!(error.to_string().contains("column 2"), "{error}");
}

#[tokio::test]
async fn a_read_batch_cannot_write() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, path) = numbers(directory.path()).await;
    let batch = Batch { access: Access::Read, ..insert(1) };
    assert_eq!(storage.run(batch).await.unwrap_err().code(), "storage-read-only");
    assert!(stored(&path).is_empty());
}

#[tokio::test]
async fn a_read_batch_sees_one_state_of_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, path) = numbers(directory.path()).await;
    // The recursion is long enough to write meanwhile; the claim holds in any case.
    let mut slow = read("SELECT count(*) FROM numbers");
    slow.statements.push(statement(
        "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 200000) \
         SELECT max(n) FROM c",
        vec![vec![]],
    ));
    slow.statements.extend(read("SELECT count(*) FROM numbers").statements);
    let mut reading = pin!(storage.run(slow));
    assert!(poll_once(reading.as_mut()).is_pending());
    for n in 0..20 {
        storage.run(insert(n)).await.unwrap();
    }
    let sets = reading.await.unwrap();
    assert_eq!(sets[0], sets[2]);
    assert_eq!(stored(&path).len(), 20);
}

#[tokio::test]
async fn what_is_queued_is_stored_when_the_store_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, path) = numbers(directory.path()).await;
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for n in 0..5 {
        let mut given_up = pin!(storage.run(insert(n)));
        assert!(poll_once(given_up.as_mut()).is_pending());
    }
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    drop(storage);
    assert!(!directory.path().join("numbers.db-wal").exists(), "the log was not closed");
    assert_eq!(stored(&path), [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn stores_that_open_one_new_file_at_once_all_get_a_write_ahead_log() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new.db");
    let barrier = Barrier::new(8);
    let stores: Vec<_> = std::thread::scope(|scope| {
        let open = || {
            barrier.wait();
            SqliteStorage::open(&path, &SqliteOptions::default())
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
    });
    for storage in &stores {
        let sets = storage.run(read("PRAGMA journal_mode")).await.unwrap();
        assert_eq!(sets[0].rows, [[Value::Text("wal".to_owned())]]);
    }
}

#[tokio::test]
async fn a_commit_waits_for_the_disk_unless_told_otherwise() {
    use langgraph_checkpoint_host::Synchronous;

    let directory = tempfile::tempdir().unwrap();
    for (synchronous, level) in [(Synchronous::Full, 2), (Synchronous::Normal, 1)] {
        let options = SqliteOptions { synchronous, ..SqliteOptions::default() };
        let path = directory.path().join(format!("{level}.db"));
        let storage = SqliteStorage::open(path, &options).unwrap();
        // As a write batch, because the writer's pragma is of interest.
        let error = storage.run(write("PRAGMA synchronous")).await;
        assert_eq!(error.unwrap()[0].rows, [[Value::Integer(level)]]);
    }
    let storage = SqliteStorage::open(directory.path().join("d.db"), &SqliteOptions::default());
    let sets = storage.unwrap().run(write("PRAGMA synchronous")).await.unwrap();
    assert_eq!(sets[0].rows, [[Value::Integer(2)]]);
}

#[tokio::test]
async fn a_file_opened_for_reading_is_read_and_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, path) = numbers(directory.path()).await;
    storage.run(insert(7)).await.unwrap();
    drop(storage);
    let options = SqliteOptions { read_only: true, ..SqliteOptions::default() };
    let storage = SqliteStorage::open(&path, &options).unwrap();
    let sets = storage.run(read("SELECT n FROM numbers")).await.unwrap();
    assert_eq!(sets[0].rows, [[Value::Integer(7)]]);
    let error = storage.run(insert(8)).await.unwrap_err();
    assert_eq!((error.code(), error.stored()), ("storage-read-only", Stored::Nothing));
    assert_eq!(stored(&path), [7]);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("letter.txt");
    let text = "Dear reader, this is a letter and no database. ".repeat(100);
    std::fs::write(&path, &text).unwrap();
    for read_only in [false, true] {
        let options = SqliteOptions { read_only, ..SqliteOptions::default() };
        let error = SqliteStorage::open(&path, &options).unwrap_err();
        assert_eq!(error.kind(), StorageErrorKind::NotADatabase);
        assert!(error.to_string().contains("letter.txt"), "{error}");
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_path_that_cannot_be_opened_is_unreachable() {
    let directory = tempfile::tempdir().unwrap();
    let open = |path: &Path| SqliteStorage::open(path, &SqliteOptions::default());
    let code = |error: Result<SqliteStorage, StorageError>| error.unwrap_err().code();
    assert_eq!(code(open(&directory.path().join("missing/a.db"))), "storage-unreachable");
    assert_eq!(code(open(directory.path())), "storage-unreachable");
    assert_eq!(code(open(Path::new(""))), "storage-unreachable");
}
