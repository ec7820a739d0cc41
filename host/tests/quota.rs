//! How large a store may become.

mod support;

use langgraph_checkpoint_guest::Access;
use langgraph_checkpoint_host::{
    AgentLimits, AgentStorage, Batch, Checkpointer, Error, Planner, Quota, SqliteOptions,
    SqliteStorage, Statement, StorageAdapter, StorageError, StorageErrorKind, Stored, Value,
};
use support::{config, large, put, put_writes};

fn options(quota: Quota) -> SqliteOptions {
    SqliteOptions { quota, ..SqliteOptions::default() }
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>, field: &str) {
    match result.unwrap_err() {
        Error::Storage(error) => {
            assert_eq!((error.kind(), error.stored()), (StorageErrorKind::Quota, Stored::Nothing));
            assert_eq!(error.code(), "storage-quota");
            assert!(error.to_string().contains(field), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

async fn a_thread_too_many_is_refused(checkpointer: Checkpointer<impl StorageAdapter>) {
    checkpointer.put(put("a", None, "c1", "[1]")).await.unwrap();
    checkpointer.put_writes(put_writes("b", "c1", "task")).await.unwrap();
    refused(checkpointer.put(put("c", None, "c1", "[1]")).await, "threads_max");
    refused(checkpointer.put_writes(put_writes("c", "c1", "task")).await, "threads_max");
    assert!(checkpointer.get_tuple(config("c")).await.unwrap().is_none());
    checkpointer.put(put("a", Some("c1"), "c2", "[2]")).await.unwrap();
    checkpointer.put(put("b", None, "c1", "[2]")).await.unwrap();
    checkpointer.delete_thread(config("a")).await.unwrap();
    checkpointer.put(put("c", None, "c1", "[1]")).await.unwrap();
    refused(checkpointer.put(put("d", None, "c1", "[1]")).await, "threads_max");
}

#[tokio::test]
async fn a_store_has_no_more_threads_than_its_quota() {
    let options = options(Quota { threads_max: Some(2), bytes_max: None });
    let directory = tempfile::tempdir().unwrap();
    for path in [":memory:", directory.path().join("a.db").to_str().unwrap()] {
        let storage = SqliteStorage::open(path, &options).unwrap();
        a_thread_too_many_is_refused(Checkpointer::new(Planner::native(), storage)).await;
    }
    // The same for an agent's SQL.
    let path = directory.path().join("b.db");
    let storage = AgentStorage::open(path, &options, AgentLimits::default()).unwrap();
    a_thread_too_many_is_refused(Checkpointer::new(Planner::native(), storage)).await;
}

#[tokio::test]
async fn puts_that_share_a_commit_keep_to_the_quota_each() {
    let directory = tempfile::tempdir().unwrap();
    let options = options(Quota { threads_max: Some(2), bytes_max: None });
    let storage = SqliteStorage::open(directory.path().join("a.db"), &options).unwrap();
    let checkpointer = Checkpointer::new(Planner::native(), storage);
    let put = |thread: &'static str| checkpointer.put(put(thread, None, "c1", "[1]"));
    let (a, b, c, d) = tokio::join!(put("a"), put("b"), put("c"), put("d"));
    let stored = [a, b, c, d].into_iter().filter(Result::is_ok).count();
    assert_eq!(stored, 2);
    assert_eq!(checkpointer.list(Default::default()).try_collect().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_store_grows_to_its_quota_and_not_past_it() {
    const BYTES_MAX: u64 = 1 << 20;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("checkpoints.db");
    let options = options(Quota { threads_max: None, bytes_max: Some(BYTES_MAX) });
    let storage = SqliteStorage::open(&path, &options).unwrap();
    let checkpointer = Checkpointer::new(Planner::native(), storage);
    let mut stored = 0;
    let refusal = loop {
        let mut put = large("t", None, &format!("c{stored:03}"), 100);
        put.checkpoint.channel_values[1] = langgraph_checkpoint_host::ChannelValue {
            channel: "image".to_owned(),
            value: support::json(&format!("\"{}\"", format!("{stored:09}").repeat(5_000))).into(),
        };
        match checkpointer.put(put).await {
            Ok(_) => stored += 1,
            refusal => break refusal,
        }
    };
    refused(refusal, "bytes_max");
    assert!(stored > 3, "{stored}");
    // Stored data can be read, and deleting it makes room.
    assert_eq!(checkpointer.list(Default::default()).try_collect().await.unwrap().len(), stored);
    checkpointer.delete_thread(config("t")).await.unwrap();
    checkpointer.put(large("u", None, "c1", 100)).await.unwrap();
    drop(checkpointer);
    assert!(std::fs::metadata(&path).unwrap().len() <= BYTES_MAX);
}

/// Overwrites the same megabyte.
async fn write(storage: &impl StorageAdapter, n: u8) -> Result<(), StorageError> {
    let row = vec![Value::Blob(vec![1]), Value::Blob(vec![n; 1 << 20])];
    let text = "INSERT OR REPLACE INTO lg_chunks VALUES (1, ?1, ?2)".to_owned();
    let statement = Statement { text, parameters: vec![row] };
    let batch = Batch { access: Access::Write, statements: vec![statement] };
    storage.run(batch).await.map(|_| ())
}

/// A reader keeps the log from being moved into the file.
#[tokio::test]
async fn the_log_grows_no_further_than_the_quota_while_somebody_reads() {
    const BYTES_MAX: u64 = 10 << 20;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("checkpoints.db");
    let log = directory.path().join("checkpoints.db-wal");
    let log_bytes = || std::fs::metadata(&log).unwrap().len();
    let options = SqliteOptions {
        busy_deadline: std::time::Duration::ZERO,
        synchronous: langgraph_checkpoint_host::Synchronous::Normal,
        ..options(Quota { threads_max: None, bytes_max: Some(BYTES_MAX) })
    };
    let storage = AgentStorage::open(&path, &options, AgentLimits::default()).unwrap();
    write(&storage, 0).await.unwrap();
    let reader = rusqlite::Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM lg_chunks").unwrap();
    let mut stored = 0;
    let error = loop {
        match write(&storage, stored).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
        assert!(log_bytes() < 2 * BYTES_MAX);
    };
    assert!(stored > 5, "{stored}");
    assert_eq!((error.kind(), error.stored()), (StorageErrorKind::Busy, Stored::Nothing));
    assert!(error.to_string().contains("Quota::bytes_max"), "{error}");
    reader.execute_batch("COMMIT").unwrap();
    write(&storage, stored).await.unwrap();
    assert!(log_bytes() < BYTES_MAX / 2, "it is cut off");
}

/// The log of a store without a quota is truncated too, once nobody reads it.
#[tokio::test]
async fn a_log_that_has_grown_does_not_stay() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("checkpoints.db");
    let log = directory.path().join("checkpoints.db-wal");
    let log_bytes = || std::fs::metadata(&log).unwrap().len();
    let options = SqliteOptions::default();
    let checkpointer = support::open(Planner::native(), &path).await;
    checkpointer.put(put("t", None, "c1", "[1]")).await.unwrap();
    drop(checkpointer);
    let storage = SqliteStorage::open(&path, &options).unwrap();
    write(&storage, 0).await.unwrap();
    let reader = rusqlite::Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM lg_chunks").unwrap();
    for n in 1..20 {
        write(&storage, n).await.unwrap();
    }
    assert!(log_bytes() > 17 << 20, "{}", log_bytes());
    reader.execute_batch("COMMIT").unwrap();
    for n in 20..23 {
        write(&storage, n).await.unwrap();
    }
    assert!(log_bytes() <= 16 << 20, "{}", log_bytes());
}
