//! Sweeps of idle threads, and giving free pages back.

mod support;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use langgraph_checkpoint_host::{
    Checkpointer, Keep, Lifecycle, Planner, Prune, Pruned, SqliteOptions, Sweeper, Ttl,
};
use support::{large, open, put};

const MINUTE: Duration = Duration::from_secs(60);

/// 2100-01-01, long after what the tests put, and so many minutes.
fn at(minutes: u32) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(4_102_444_800) + MINUTE * minutes
}

#[tokio::test]
async fn one_of_two_checkpointers_sweeps_and_the_other_after_the_interval() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.db");
    let [one, other] = [open(Planner::native(), &path).await, open(Planner::native(), &path).await];
    for thread in ["a", "b", "c"] {
        one.put(put(thread, None, "c1", "[1]")).await.unwrap();
    }
    let ttl = Ttl { sweep_limit: 2, ..Ttl::new(MINUTE) };
    assert_eq!(ttl.sweep(&one, || at(0)).await.unwrap().threads, 2);
    assert_eq!(ttl.sweep(&other, || at(1)).await.unwrap().threads, 0);
    assert_eq!(ttl.sweep(&other, || at(5)).await.unwrap().threads, 1);
    assert_eq!(one.stats(None).await.unwrap().threads, 0);
}

#[tokio::test]
async fn the_background_sweeps_until_the_checkpointer_is_dropped() {
    let checkpointer = Arc::new(open(Planner::native(), ":memory:").await);
    let often = Ttl { sweep_interval: Duration::from_millis(1), ..Ttl::new(MINUTE) };
    let sweeper = Sweeper::start(&checkpointer, often).unwrap();
    for thread in ["a", "b"] {
        let mut old = put(thread, None, "c1", "[1]");
        old.checkpoint.ts = "2020-01-01T00:00:00.000Z".to_owned();
        checkpointer.put(old).await.unwrap();
        while checkpointer.stats(None).await.unwrap().threads > 0 {
            tokio::task::yield_now().await;
        }
    }
    drop(sweeper);
    let weak = Arc::downgrade(&checkpointer);
    drop(checkpointer);
    while weak.upgrade().is_some() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_sweeper_without_interval_or_limit_is_refused() {
    let checkpointer = Arc::new(open(Planner::native(), ":memory:").await);
    for ttl in [
        Ttl { sweep_interval: Duration::ZERO, ..Ttl::new(MINUTE) },
        Ttl { sweep_limit: 0, ..Ttl::new(MINUTE) },
    ] {
        assert_eq!(Sweeper::start(&checkpointer, ttl).unwrap_err().code(), "invalid-ttl");
    }
}

#[tokio::test]
async fn a_new_file_gives_its_free_pages_back_and_another_one_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let [new, old] = ["new.db", "old.db"].map(|name| directory.path().join(name));
    rusqlite::Connection::open(&old).unwrap().execute_batch("CREATE TABLE own (a)").unwrap();
    for (path, gives) in [(&new, true), (&old, false)] {
        let checkpointer =
            Checkpointer::open_sqlite(Planner::native(), path, SqliteOptions::default())
                .await
                .unwrap();
        checkpointer.put(large("t", None, "c1", 2000)).await.unwrap();
        let prune = Prune {
            pruned: Pruned::Threads(vec!["t".into()]),
            keep: Keep::Nothing,
            limit: None,
            dry_run: false,
            lease: None,
            resume: None,
        };
        checkpointer.prune_all(prune).await.unwrap();
        let given_back = checkpointer.vacuum_all().await;
        match given_back {
            Ok(bytes) => assert!(gives && bytes > 256 * 4096, "{bytes}"),
            Err(error) => {
                assert!(!gives && error.code() == "no-incremental-vacuum", "{error}");
            }
        }
    }
}
