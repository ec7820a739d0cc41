//! Tenants that share a planner: none delays another.

#![cfg(feature = "component")]

mod support;

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use langgraph_checkpoint_host::{
    Checkpointer, ComponentErrorKind, Error, Limits, Planner, SqliteOptions, Stored,
};
use rusqlite::Connection;
use support::{component_bytes, config, open, poll_once, put};

/// A checkpointer on a file, and a connection that holds the file's lock.
async fn locked(planner: &Planner, path: &Path) -> (Checkpointer, Connection) {
    let options =
        SqliteOptions { busy_deadline: Duration::from_secs(600), ..SqliteOptions::default() };
    let checkpointer = Checkpointer::open_sqlite(planner.clone(), path, options).await.unwrap();
    checkpointer.put(put("t", None, "c0", "[0]")).await.unwrap();
    let other = Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    (checkpointer, other)
}

#[tokio::test]
async fn a_locked_file_holds_up_nobody_but_its_own_tenant() {
    let directory = tempfile::tempdir().unwrap();
    // With one place to run, a call that kept it while its file is locked would block everybody.
    let limits = Limits { running_max: 1, ..Limits::default() };
    let planner = Planner::from_bytes(&component_bytes(), limits).unwrap();
    let (one, lock) = locked(&planner, &directory.path().join("one.db")).await;
    let one = Arc::new(one);
    let other = open(planner, directory.path().join("other.db")).await;
    let puts: Vec<_> = (0..64)
        .map(|n| {
            let one = Arc::clone(&one);
            tokio::spawn(async move { one.put(put(&format!("t{n}"), None, "c1", "[1]")).await })
        })
        .collect();
    // Let each run as far as it can.
    tokio::task::yield_now().await;
    other.put(put("t", None, "c1", "[1]")).await.unwrap();
    assert!(other.get_tuple(config("t")).await.unwrap().is_some());
    assert!(!puts.iter().any(tokio::task::JoinHandle::is_finished), "the lock is held to the end");
    lock.execute_batch("ROLLBACK").unwrap();
    for put in puts {
        put.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_tenant_that_takes_all_its_places_leaves_those_of_others() {
    let directory = tempfile::tempdir().unwrap();
    let limits =
        Limits { instances_max: 3, instances_per_checkpointer_max: 2, ..Limits::default() };
    let planner = Planner::from_bytes(&component_bytes(), limits).unwrap();
    let (one, _lock) = locked(&planner, &directory.path().join("one.db")).await;
    let other = open(planner, directory.path().join("other.db")).await;
    let mut puts: Vec<_> =
        (0..8).map(|n| Box::pin(one.put(put(&format!("t{n}"), None, "c1", "[1]")))).collect();
    for put in &mut puts {
        assert!(poll_once(put.as_mut()).is_pending(), "the lock is held");
    }
    other.put(put("t", None, "c1", "[1]")).await.unwrap();
}

#[tokio::test]
async fn a_call_waits_for_a_place_no_longer_than_its_limit() {
    let directory = tempfile::tempdir().unwrap();
    for (name, limits) in [
        ("instances_max", Limits { instances_max: 1, ..Limits::default() }),
        (
            "instances_per_checkpointer_max",
            Limits { instances_per_checkpointer_max: 1, ..Limits::default() },
        ),
    ] {
        let limits = Limits { wait_limit: Duration::from_millis(5), ..limits };
        let planner = Planner::from_bytes(&component_bytes(), limits).unwrap();
        let (one, _lock) = locked(&planner, &directory.path().join(name)).await;
        let mut first = pin!(one.put(put("t", None, "c1", "[1]")));
        assert!(poll_once(first.as_mut()).is_pending(), "the lock is held");
        match one.put(put("t", None, "c2", "[1]")).await.unwrap_err() {
            Error::Component(error) => {
                assert_eq!(error.kind(), ComponentErrorKind::Busy);
                assert_eq!(error.kind().code(), "component-busy");
                assert_eq!(error.stored(), Stored::Nothing);
                assert!(error.to_string().contains(name), "{error}");
            }
            other => panic!("{other:?}"),
        }
    }
}
