//! LangGraph's calls on SQLite: under wasmtime and natively, alone and beside others.

mod support;

use std::path::Path;
use std::sync::Arc;

use langgraph_checkpoint_host::{
    ChannelValue, ChannelVersion, Checkpointer, Config, List, Payload, Planner, Put, SqliteOptions,
    Version,
};
use rusqlite::Connection;
use rusqlite::types::Value;
use support::{at, config, json, put, put_writes};

async fn open(planner: Planner, path: impl AsRef<Path>) -> Checkpointer {
    Checkpointer::open_sqlite(planner, path, SqliteOptions::default())
        .await
        .unwrap()
}

/// A state of several channels, one of them large enough to be split.
fn large(thread_id: &str, parent: Option<&str>, checkpoint_id: &str, messages: usize) -> Put {
    let mut large = put(thread_id, parent, checkpoint_id, "[]");
    let text = "All work and no play makes a dull checkpoint. ".repeat(20);
    let messages: Vec<_> = (0..messages)
        .map(|n| format!("{{\"n\":{n},\"t\":\"{text}\"}}"))
        .collect();
    large.checkpoint.channel_values = vec![
        ChannelValue {
            channel: "messages".to_owned(),
            value: json(&format!("[{}]", messages.join(","))),
        },
        ChannelValue {
            channel: "image".to_owned(),
            value: Payload {
                kind: "bytes".to_owned(),
                bytes: (0..=255).cycle().take(100_000).collect(),
            },
        },
        ChannelValue {
            channel: "topic".to_owned(),
            value: json("\"checkpoints\""),
        },
    ];
    large.checkpoint.channel_versions.push(ChannelVersion {
        channel: "image".to_owned(),
        version: Version::Text("0001.5".to_owned()),
    });
    large.new_versions = vec!["messages".to_owned(), "image".to_owned()];
    large
}

/// All rows of all tables, and what each call gave, of one course of calls.
async fn course(planner: Planner, path: &Path) -> (Vec<String>, Vec<Vec<Value>>) {
    let checkpointer = open(planner, path).await;
    let mut outcomes = Vec::new();
    let mut note = |outcome: String| outcomes.push(outcome);
    note(format!("{:?}", checkpointer.get_tuple(config("t")).await));
    note(format!(
        "{:?}",
        checkpointer.put(large("t", None, "c1", 3)).await
    ));
    note(format!(
        "{:?}",
        checkpointer.put_writes(put_writes("t", "c1", "task")).await
    ));
    note(format!(
        "{:?}",
        checkpointer.put(large("t", Some("c1"), "c2", 200)).await
    ));
    note(format!(
        "{:?}",
        checkpointer.put(large("t", Some("c2"), "c3", 201)).await
    ));
    note(format!(
        "{:?}",
        checkpointer.put(put("u", None, "c1", "[]")).await
    ));
    note(format!("{:?}", checkpointer.get_tuple(at("t", "c1")).await));
    note(format!("{:?}", checkpointer.get_tuple(config("t")).await));
    note(format!(
        "{:?}",
        checkpointer.list(List::default()).try_collect().await
    ));
    let channels = vec!["messages".to_owned()];
    note(format!(
        "{:?}",
        checkpointer
            .get_delta_channel_history(config("t"), channels)
            .await
    ));
    note(format!(
        "{:?}",
        checkpointer.delete_thread(config("u")).await
    ));
    let refused = checkpointer
        .put(put("", None, "c1", "[]"))
        .await
        .unwrap_err();
    note(format!("{} {refused}", refused.code()));
    drop(checkpointer);
    (outcomes, rows(path))
}

fn rows(path: &Path) -> Vec<Vec<Value>> {
    let connection = Connection::open(path).unwrap();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut select = connection.prepare(tables).unwrap();
    let tables: Vec<String> = select
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut rows = Vec::new();
    for table in tables {
        let mut select = connection
            .prepare(&format!("SELECT * FROM {table}"))
            .unwrap();
        let columns = select.column_count();
        let mut found = select.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            rows.push(
                (0..columns)
                    .map(|column| row.get(column).unwrap())
                    .collect(),
            );
        }
    }
    rows
}

#[cfg(feature = "component")]
#[tokio::test]
async fn the_component_gives_and_stores_what_native_code_does() {
    let directory = tempfile::tempdir().unwrap();
    let native = course(Planner::native(), &directory.path().join("native.db")).await;
    let component = course(support::component(), &directory.path().join("component.db")).await;
    assert_eq!(native.0, component.0);
    assert_eq!(native.1, component.1);
    assert!(native.1.len() > 20, "{} rows", native.1.len());
}

#[cfg(feature = "component")]
#[tokio::test]
async fn a_checkpoint_comes_back_as_it_was_put() {
    let checkpointer = open(support::component(), ":memory:").await;
    let put = large("t", None, "c1", 100);
    let stored = checkpointer.put(put.clone()).await.unwrap();
    assert_eq!(
        (
            &*stored.thread_id,
            &*stored.checkpoint_ns,
            &*stored.checkpoint_id
        ),
        ("t", "", "c1")
    );
    checkpointer
        .put_writes(put_writes("t", "c1", "task"))
        .await
        .unwrap();
    let tuple = checkpointer.get_tuple(config("t")).await.unwrap().unwrap();
    assert_eq!(tuple.channel_values, put.checkpoint.channel_values);
    assert_eq!(tuple.channel_versions, put.checkpoint.channel_versions);
    assert_eq!(tuple.metadata, put.metadata);
    assert_eq!(tuple.rest, put.checkpoint.rest);
    assert_eq!((tuple.v, tuple.ts), (put.checkpoint.v, put.checkpoint.ts));
    assert_eq!(tuple.parent_checkpoint_id, None);
    assert_eq!(tuple.pending_writes.len(), 1);
    assert_eq!(
        tuple.pending_writes[0].value,
        put_writes("t", "c1", "task").writes[0].value
    );
}

#[tokio::test]
async fn a_list_goes_on_over_its_pages_to_the_end() {
    let checkpointer = open(Planner::native(), ":memory:").await;
    for n in 0..100 {
        checkpointer
            .put(put("t", None, &format!("c{n:03}"), "[1]"))
            .await
            .unwrap();
    }
    let mut pages = checkpointer.list(List {
        config: config("t"),
        ..List::default()
    });
    let mut ids = Vec::new();
    let mut count = 0;
    while let Some(page) = pages.next_page().await.unwrap() {
        ids.extend(page.into_iter().map(|tuple| tuple.checkpoint_id));
        count += 1;
    }
    assert_eq!(
        ids,
        (0..100)
            .rev()
            .map(|n| format!("c{n:03}"))
            .collect::<Vec<_>>()
    );
    assert!(count > 1, "one page shows nothing about pages");
    let some = List {
        config: config("t"),
        limit: Some(40.0),
        ..List::default()
    };
    assert_eq!(
        checkpointer.list(some).try_collect().await.unwrap().len(),
        40
    );
}

#[tokio::test]
async fn a_deleted_thread_is_gone_and_can_be_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.db");
    let one = open(Planner::native(), &path).await;
    let other = open(Planner::native(), &path).await;
    one.put(large("t", None, "c1", 100)).await.unwrap();
    // The other one deletes, so that what the first one knows of the thread is wrong.
    other.delete_thread(config("t")).await.unwrap();
    assert!(one.get_tuple(config("t")).await.unwrap().is_none());
    let again = large("t", None, "c2", 100);
    one.put(again.clone()).await.unwrap();
    let tuple = other.get_tuple(config("t")).await.unwrap().unwrap();
    assert_eq!(tuple.channel_values, again.checkpoint.channel_values);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn checkpointers_that_share_a_file_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.db");
    let mut tasks = Vec::new();
    for checkpointer in 0..3 {
        let shared = Arc::new(open(Planner::native(), &path).await);
        for task in 0..4 {
            let shared = Arc::clone(&shared);
            tasks.push(tokio::spawn(async move {
                let own = format!("own {checkpointer} {task}");
                for n in 0..10 {
                    let id = format!("{n}");
                    shared.put(large(&own, None, &id, n)).await.unwrap();
                    let id = format!("{checkpointer} {task} {n}");
                    shared.put(large("shared", None, &id, n)).await.unwrap();
                    shared
                        .put_writes(put_writes("shared", &id, &own))
                        .await
                        .unwrap();
                }
            }));
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
    let checkpointer = open(Planner::native(), &path).await;
    let of = |thread_id: &str| List {
        config: config(thread_id),
        ..List::default()
    };
    let shared = checkpointer.list(of("shared")).try_collect().await.unwrap();
    assert_eq!(shared.len(), 120);
    for tuple in shared {
        let n: usize = tuple
            .checkpoint_id
            .rsplit(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let expected = large("shared", None, &tuple.checkpoint_id, n);
        assert_eq!(tuple.channel_values, expected.checkpoint.channel_values);
        assert_eq!(tuple.pending_writes.len(), 1);
    }
    assert_eq!(
        checkpointer
            .list(of("own 2 3"))
            .try_collect()
            .await
            .unwrap()
            .len(),
        10
    );
}

#[tokio::test]
async fn bad_input_is_refused_with_its_code_and_the_checkpointer_stays_usable() {
    let checkpointer = open(Planner::native(), ":memory:").await;
    let unnamed = Put {
        config: Config::default(),
        ..put("t", None, "c1", "[]")
    };
    let error = checkpointer.put(unnamed).await.unwrap_err();
    assert!(
        matches!(error, langgraph_checkpoint_host::Error::InvalidInput(_)),
        "{error:?}"
    );
    assert!(!error.code().is_empty());
    assert!(error.to_string().contains("thread_id"), "{error}");
    checkpointer.put(put("t", None, "c1", "[]")).await.unwrap();
}

#[tokio::test]
async fn a_store_opened_for_reading_reads_and_does_not_write() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.db");
    let writer = open(Planner::native(), &path).await;
    writer.put(put("t", None, "c1", "[1]")).await.unwrap();
    let options = SqliteOptions {
        read_only: true,
        ..SqliteOptions::default()
    };
    let reader = Checkpointer::open_sqlite(Planner::native(), &path, options)
        .await
        .unwrap();
    assert!(reader.get_tuple(config("t")).await.unwrap().is_some());
    let error = reader.put(put("t", None, "c2", "[1]")).await.unwrap_err();
    assert_eq!(error.code(), "storage-read-only");
    writer.put(put("t", Some("c1"), "c2", "[1]")).await.unwrap();
    let tuple = reader.get_tuple(config("t")).await.unwrap().unwrap();
    assert_eq!(tuple.checkpoint_id, "c2");
}
