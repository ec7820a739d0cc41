//! Batches that run on their callers' threads.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use langgraph_checkpoint_host::statement::Access;
use langgraph_checkpoint_host::{
    Batch, SqliteOptions, SqliteStorage, Statement, StorageAdapter, StorageError, Stored, Value,
};
use rusqlite::Connection;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

fn statement(text: &str, parameters: Vec<Value>) -> Statement {
    Statement { text: text.to_owned(), parameters: vec![parameters] }
}

fn write(text: &str) -> Batch {
    Batch { access: Access::Write, statements: vec![statement(text, vec![])] }
}

fn insert(n: i64) -> Batch {
    let statements =
        vec![statement("INSERT INTO numbers (n) VALUES (?1)", vec![Value::Integer(n)])];
    Batch { access: Access::Write, statements }
}

fn options() -> SqliteOptions {
    SqliteOptions { on_callers_thread: true, ..SqliteOptions::default() }
}

/// A store in a new file with the table `numbers`, the file's path, and threads that may block.
fn numbers(directory: &Path) -> (Arc<SqliteStorage>, PathBuf, Runtime) {
    let path = directory.join("numbers.db");
    let storage = SqliteStorage::open(&path, &options()).unwrap();
    let runtime = Builder::new_multi_thread().worker_threads(8).build().unwrap();
    let table = "CREATE TABLE numbers (n INTEGER PRIMARY KEY) STRICT";
    runtime.block_on(storage.run(write(table))).unwrap();
    (Arc::new(storage), path, runtime)
}

fn stored(path: &Path) -> Vec<i64> {
    let connection = Connection::open(path).unwrap();
    let mut select = connection.prepare("SELECT n FROM numbers ORDER BY n").unwrap();
    select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

type Running = JoinHandle<Result<(), StorageError>>;

fn start(runtime: &Runtime, storage: &Arc<SqliteStorage>, batch: Batch) -> Running {
    let storage = Arc::clone(storage);
    runtime.spawn(async move { storage.run(batch).await.map(|_| ()) })
}

/// Runs something while another connection holds the write lock.
fn while_locked(path: &Path, run: impl FnOnce()) {
    let other = Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    run();
    std::thread::sleep(Duration::from_millis(50));
    other.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn every_batch_of_many_threads_is_stored_and_answered() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, path, runtime) = numbers(directory.path());
    let (tasks, each) = (64, 50);
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            let storage = Arc::clone(&storage);
            runtime.spawn(async move {
                for n in 0..each {
                    storage.run(insert(task * each + n)).await.unwrap();
                }
            })
        })
        .collect();
    runtime.block_on(async {
        for task in running {
            task.await.unwrap();
        }
    });
    assert_eq!(stored(&path), (0..tasks * each).collect::<Vec<_>>());
}

#[test]
fn batches_of_threads_that_block_are_stored_without_a_runtime_of_their_own() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, path, runtime) = numbers(directory.path());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (storage, runtime) = (&storage, &runtime);
            scope.spawn(move || {
                for n in 0..50 {
                    runtime.block_on(storage.run(insert(thread * 50 + n))).unwrap();
                }
            });
        }
    });
    assert_eq!(stored(&path), (0..400).collect::<Vec<_>>());
}

#[test]
fn a_batch_that_fails_undoes_nothing_of_the_others() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, path, runtime) = numbers(directory.path());
    let mut twice = insert(2);
    twice.statements.extend(insert(1).statements);
    let mut running = Vec::new();
    while_locked(&path, || {
        running.push(start(&runtime, &storage, insert(1)));
        // The first one waits for the lock, the others for the first one.
        std::thread::sleep(Duration::from_millis(20));
        running.push(start(&runtime, &storage, twice));
        running.push(start(&runtime, &storage, insert(3)));
    });
    let mut ends = Vec::new();
    for task in running {
        ends.push(runtime.block_on(task).unwrap());
    }
    let error = ends[1].as_ref().unwrap_err();
    assert_eq!((error.code(), error.stored()), ("storage-failed", Stored::Nothing));
    assert!(ends[0].is_ok() && ends[2].is_ok());
    assert_eq!(stored(&path), [1, 3]);
}

#[test]
fn a_batch_that_fails_alone_leaves_no_transaction_open() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, path, runtime) = numbers(directory.path());
    let mut twice = insert(1);
    twice.statements.extend(insert(1).statements);
    let error = runtime.block_on(storage.run(twice)).unwrap_err();
    assert_eq!((error.code(), error.stored()), ("storage-failed", Stored::Nothing));
    runtime.block_on(storage.run(insert(2))).unwrap();
    assert_eq!(stored(&path), [2]);
}

#[test]
fn callers_that_stop_waiting_hold_up_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, path, runtime) = numbers(directory.path());
    for round in 0..20 {
        let mut running = Vec::new();
        while_locked(&path, || {
            for n in 0..100 {
                running.push(start(&runtime, &storage, insert(round * 100 + n)));
            }
            for task in running.iter().step_by(2) {
                task.abort();
            }
        });
        for task in running.into_iter().skip(1).step_by(2) {
            runtime.block_on(task).unwrap().unwrap();
        }
        runtime.block_on(storage.run(insert(-round - 1))).unwrap();
    }
    let found = stored(&path);
    let odd = (0..2000).filter(|n| n % 2 == 1);
    assert!(odd.clone().all(|n| found.contains(&n)));
}

#[test]
fn reads_run_beside_a_write_that_waits() {
    let directory = tempfile::tempdir().unwrap();
    let (storage, path, runtime) = numbers(directory.path());
    let mut waiting = None;
    while_locked(&path, || {
        waiting = Some(start(&runtime, &storage, insert(1)));
        let select = statement("SELECT count(*) FROM numbers", vec![]);
        let batch = Batch { access: Access::Read, statements: vec![select] };
        let sets = runtime.block_on(storage.run(batch)).unwrap();
        assert_eq!(sets[0].rows, [[Value::Integer(0)]]);
    });
    runtime.block_on(waiting.unwrap()).unwrap().unwrap();
}
