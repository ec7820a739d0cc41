//! A database file, its log, or the log's index that is deleted or replaced while it is open.

#![cfg(unix)]

mod support;

use std::path::{Path, PathBuf};

use langgraph_checkpoint_host::{
    Checkpointer, Error, Planner, SqliteOptions, StorageErrorKind, Stored,
};
use rusqlite::Connection;
use support::{config, open, put};

/// A store with one checkpoint, and its files: the database, its log and the log's index.
async fn store(folder: &Path) -> (Checkpointer, [PathBuf; 3]) {
    let path = folder.join("checkpoints.db");
    let checkpointer = open(Planner::native(), &path).await;
    checkpointer.put(put("t", None, "c1", "[1]")).await.unwrap();
    let log = folder.join("checkpoints.db-wal");
    let index = folder.join("checkpoints.db-shm");
    assert!(log.exists() && index.exists());
    (checkpointer, [path, log, index])
}

/// Checks that a call failed because its files were replaced. Returns what may have been stored.
fn replaced<T: std::fmt::Debug>(result: Result<T, Error>) -> Stored {
    match result.unwrap_err() {
        Error::Storage(error) => {
            assert_eq!(error.kind(), StorageErrorKind::Replaced, "{error}");
            assert_eq!(error.code(), "storage-replaced");
            error.stored()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nothing_is_acknowledged_to_a_file_that_was_deleted() {
    for file in 0..3 {
        let directory = tempfile::tempdir().unwrap();
        let (checkpointer, files) = store(directory.path()).await;
        std::fs::remove_file(&files[file]).unwrap();
        let stored = replaced(checkpointer.put(put("t", Some("c1"), "c2", "[2]")).await);
        assert_eq!(stored, Stored::Unknown);
        assert_eq!(replaced(checkpointer.get_tuple(config("t")).await), Stored::Nothing);
        replaced(checkpointer.delete_thread(config("t")).await);
    }
}

#[tokio::test]
async fn nothing_is_acknowledged_to_a_file_that_was_replaced() {
    for file in 0..3 {
        let directory = tempfile::tempdir().unwrap();
        let (checkpointer, files) = store(directory.path()).await;
        let copy = directory.path().join("copy");
        std::fs::copy(&files[file], &copy).unwrap();
        std::fs::rename(&copy, &files[file]).unwrap();
        let stored = replaced(checkpointer.put(put("t", Some("c1"), "c2", "[2]")).await);
        assert_eq!(stored, Stored::Unknown);
        assert_eq!(replaced(checkpointer.get_tuple(config("t")).await), Stored::Nothing);
    }
}

#[tokio::test]
async fn a_file_deleted_long_after_its_folder_last_changed_is_noticed() {
    let stores = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let mut opened = Vec::new();
    for directory in &stores {
        opened.push(store(directory.path()).await);
    }
    // From now on only the folders are looked at.
    tokio::time::sleep(std::time::Duration::from_millis(3100)).await;
    for (file, (checkpointer, files)) in opened.iter().enumerate() {
        checkpointer.put(put("t", Some("c1"), "c2", "[2]")).await.unwrap();
        std::fs::remove_file(&files[file]).unwrap();
        replaced(checkpointer.put(put("t", Some("c2"), "c3", "[3]")).await);
        assert_eq!(replaced(checkpointer.get_tuple(config("t")).await), Stored::Nothing);
    }
}

#[tokio::test]
async fn others_that_open_close_and_tidy_the_file_raise_no_alarm() {
    let directory = tempfile::tempdir().unwrap();
    let (checkpointer, [path, ..]) = store(directory.path()).await;
    for n in 2..6 {
        let other = open(Planner::native(), &path).await;
        other.put(put("u", None, &format!("c{n}"), "[1]")).await.unwrap();
        drop(other);
        let other = Connection::open(&path).unwrap();
        other.execute_batch("PRAGMA wal_checkpoint (TRUNCATE); VACUUM").unwrap();
        drop(other);
        let link = directory.path().join(format!("link{n}"));
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let linked = open(Planner::native(), &link).await;
        std::fs::remove_file(&link).unwrap();
        assert!(linked.get_tuple(config("t")).await.unwrap().is_some());
        linked.put(put("u", None, &format!("d{n}"), "[1]")).await.unwrap();
        checkpointer.put(put("t", None, &format!("c{n}"), "[1]")).await.unwrap();
        assert!(checkpointer.get_tuple(config("u")).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_store_that_only_reads_raises_no_alarm_and_notices_as_well() {
    let directory = tempfile::tempdir().unwrap();
    let (writer, [path, ..]) = store(directory.path()).await;
    drop(writer);
    let options = SqliteOptions { read_only: true, ..SqliteOptions::default() };
    let reader = Checkpointer::open_sqlite(Planner::native(), &path, options).await.unwrap();
    for n in 2..5 {
        let other = open(Planner::native(), &path).await;
        other.put(put("t", None, &format!("c{n}"), "[1]")).await.unwrap();
        drop(other);
        let tuple = reader.get_tuple(config("t")).await.unwrap().unwrap();
        assert_eq!(tuple.checkpoint_id, format!("c{n}"));
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(replaced(reader.get_tuple(config("t")).await), Stored::Nothing);
}
