//! LangGraph's calls on SQLite, alone and concurrent.

mod support;

use std::sync::Arc;

use langgraph_checkpoint_host::{
    Checkpointer, Config, Error, GetTuple, KeptElements, List, NewValue, Planner, Put, Run,
    SqliteOptions, TupleValue,
};
use support::{config, large, open, put, put_writes, whole};

#[tokio::test]
async fn a_checkpoint_comes_back_as_it_was_put() {
    let checkpointer = open(Planner::native(), ":memory:").await;
    let put = large("t", None, "c1", 100);
    let stored = checkpointer.put(put.clone()).await.unwrap();
    assert_eq!(
        (&*stored.thread_id, &*stored.checkpoint_ns, &*stored.checkpoint_id),
        ("t", "", "c1")
    );
    checkpointer.put_writes(put_writes("t", "c1", "task")).await.unwrap();
    let tuple = checkpointer.get_tuple(config("t")).await.unwrap().unwrap();
    assert_eq!(tuple.channel_values, whole(&put));
    assert_eq!(tuple.channel_versions, put.checkpoint.channel_versions);
    assert_eq!(tuple.metadata, put.metadata);
    assert_eq!(tuple.rest, put.checkpoint.rest);
    assert_eq!((tuple.v, tuple.ts), (put.checkpoint.v, put.checkpoint.ts));
    assert_eq!(tuple.parent_checkpoint_id, None);
    assert_eq!(tuple.pending_writes.len(), 1);
    assert_eq!(tuple.pending_writes[0].value, put_writes("t", "c1", "task").writes[0].value);
}

#[tokio::test]
async fn a_list_goes_on_over_its_pages_to_the_end() {
    let checkpointer = open(Planner::native(), ":memory:").await;
    for n in 0..100 {
        checkpointer.put(put("t", None, &format!("c{n:03}"), "[1]")).await.unwrap();
    }
    let mut pages = checkpointer.list(List { config: config("t"), ..List::default() });
    let mut ids = Vec::new();
    let mut count = 0;
    while let Some(page) = pages.next_page().await.unwrap() {
        ids.extend(page.into_iter().map(|tuple| tuple.checkpoint_id));
        count += 1;
    }
    assert_eq!(ids, (0..100).rev().map(|n| format!("c{n:03}")).collect::<Vec<_>>());
    assert!(count > 1, "one page shows nothing about pages");
    let some = List { config: config("t"), limit: Some(40.0), ..List::default() };
    assert_eq!(checkpointer.list(some).try_collect().await.unwrap().len(), 40);
}

#[tokio::test]
async fn a_page_names_where_the_next_one_begins() {
    let checkpointer = open(Planner::native(), ":memory:").await;
    for n in 0..40 {
        checkpointer.put(put("t", None, &format!("c{n:03}"), "[1]")).await.unwrap();
    }
    let list = List { config: config("t"), ..List::default() };
    let first = checkpointer.page(list.clone()).await.unwrap();
    assert!(first.next.is_some(), "one page shows nothing about the next");
    let second = checkpointer.page(List { resume: first.next, ..list }).await.unwrap();
    assert_eq!(second.next, None);
    let ids = first.tuples.iter().chain(&second.tuples).map(|tuple| tuple.checkpoint_id.clone());
    assert_eq!(
        ids.collect::<Vec<_>>(),
        (0..40).rev().map(|n| format!("c{n:03}")).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn the_tables_are_there_after_setup() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.db");
    let checkpointer = open(Planner::native(), &path).await;
    checkpointer.setup().await.unwrap();
    checkpointer.setup().await.unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'lg_threads'";
    assert_eq!(connection.query_row(tables, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}

#[tokio::test]
async fn values_that_the_caller_has_are_not_given_again() {
    let checkpointer = open(Planner::native(), ":memory:").await;
    let first = large("t", None, "c1", 100);
    checkpointer.put(first.clone()).await.unwrap();
    let find = |known| GetTuple { config: config("t"), known };
    let found = checkpointer.find(find(None)).await.unwrap().unwrap();
    assert_eq!(found.tuple.clone().resolve(&[]).unwrap().channel_values, whole(&first));
    let again = checkpointer.find(find(Some(found.known.clone()))).await.unwrap().unwrap();
    assert!(again.tuple.channel_values.iter().all(|it| it.value == TupleValue::Unchanged));

    let mut second = large("t", Some("c1"), "c2", 101);
    second.checkpoint.channel_values.truncate(1);
    checkpointer.put(second.clone()).await.unwrap();
    let newer = checkpointer.find(find(Some(found.known))).await.unwrap().unwrap();
    assert_eq!(newer.tuple.resolve(&[]).unwrap().channel_values, whole(&second));
    let none = GetTuple { config: config("other"), known: None };
    assert!(checkpointer.find(none).await.unwrap().is_none());
}

#[tokio::test]
async fn a_deleted_thread_is_gone_and_can_be_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.db");
    let one = open(Planner::native(), &path).await;
    let other = open(Planner::native(), &path).await;
    one.put(large("t", None, "c1", 100)).await.unwrap();
    // The other checkpointer deletes the thread, so the first one's knowledge of it is out of date.
    other.delete_thread(config("t")).await.unwrap();
    assert!(one.get_tuple(config("t")).await.unwrap().is_none());
    let again = large("t", None, "c2", 100);
    one.put(again.clone()).await.unwrap();
    let tuple = other.get_tuple(config("t")).await.unwrap().unwrap();
    assert_eq!(tuple.channel_values, whole(&again));
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
                    shared.put_writes(put_writes("shared", &id, &own)).await.unwrap();
                }
            }));
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
    let checkpointer = open(Planner::native(), &path).await;
    let of = |thread_id: &str| List { config: config(thread_id), ..List::default() };
    let shared = checkpointer.list(of("shared")).try_collect().await.unwrap();
    assert_eq!(shared.len(), 120);
    for tuple in shared {
        let n: usize = tuple.checkpoint_id.rsplit(' ').next().unwrap().parse().unwrap();
        let expected = large("shared", None, &tuple.checkpoint_id, n);
        assert_eq!(tuple.channel_values, whole(&expected));
        assert_eq!(tuple.pending_writes.len(), 1);
    }
    assert_eq!(checkpointer.list(of("own 2 3")).try_collect().await.unwrap().len(), 10);
}

#[tokio::test]
async fn bad_input_is_refused_with_its_code_and_the_checkpointer_stays_usable() {
    let checkpointer = open(Planner::native(), ":memory:").await;
    let unnamed = Put { config: Config::default(), ..put("t", None, "c1", "[]") };
    let error = checkpointer.put(unnamed).await.unwrap_err();
    assert!(matches!(error, langgraph_checkpoint_host::Error::InvalidInput(_)), "{error:?}");
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
    let options = SqliteOptions { read_only: true, ..SqliteOptions::default() };
    let reader = Checkpointer::open_sqlite(Planner::native(), &path, options).await.unwrap();
    assert!(reader.get_tuple(config("t")).await.unwrap().is_some());
    let error = reader.put(put("t", None, "c2", "[1]")).await.unwrap_err();
    assert_eq!(error.code(), "storage-read-only");
    writer.put(put("t", Some("c1"), "c2", "[1]")).await.unwrap();
    let tuple = reader.get_tuple(config("t")).await.unwrap().unwrap();
    assert_eq!(tuple.checkpoint_id, "c2");
}

/// A put of one list: the first elements of the known list, and new ones.
fn edited(parent: &str, id: &str, kept: u32, fresh: &str, known: Option<Vec<u8>>) -> Put {
    let mut edited = put("t", Some(parent), id, "[]");
    edited.checkpoint.channel_values[0].value = NewValue::Edited(vec![
        Run::Kept(KeptElements { first: 0, count: kept }),
        Run::Fresh(fresh.as_bytes().to_vec()),
    ]);
    edited.known = known;
    edited
}

#[tokio::test]
async fn an_edit_names_its_base_or_is_refused() {
    let mut planners = vec![Planner::native()];
    #[cfg(feature = "component")]
    planners.push(support::component());
    for planner in planners {
        let checkpointer = open(planner, ":memory:").await;
        let list = |last: &str| {
            let element = |n| format!("\"{n} {}\",", "of both branches ".repeat(20));
            format!("[{}\"{last}\"]", (0..40).map(element).collect::<String>())
        };
        checkpointer.put(put("t", None, "1", &list("root"))).await.unwrap();
        let branch_a = checkpointer.put(put("t", Some("1"), "2a", &list("a"))).await.unwrap();
        checkpointer.put(put("t", Some("1"), "2b", &list("b"))).await.unwrap();
        // What the checkpointer remembers belongs to branch b.
        let fresh = "\"more\"";
        let error = checkpointer.put(edited("2a", "3a", 41, fresh, None)).await.unwrap_err();
        assert_eq!(error.code(), "edit-without-known");
        assert!(matches!(error, Error::InvalidInput(_)), "{error:?}");
        let mut unchanged = put("t", Some("2a"), "3a", "");
        unchanged.checkpoint.channel_values[0].value = NewValue::Unchanged;
        let error = checkpointer.put(unchanged.clone()).await.unwrap_err();
        assert_eq!(error.code(), "edit-without-known");
        assert!(checkpointer.get_tuple(support::at("t", "3a")).await.unwrap().is_none());
        // An older checkpoint is read, whose knowledge does not fit this one either.
        checkpointer.get_tuple(support::at("t", "1")).await.unwrap();
        assert!(checkpointer.put(unchanged).await.is_err());

        let known = Some(branch_a.known.clone());
        checkpointer.put(edited("2a", "3a", 41, fresh, known)).await.unwrap();
        let tuple = checkpointer.get_tuple(support::at("t", "3a")).await.unwrap().unwrap();
        let value = String::from_utf8_lossy(&tuple.channel_values[0].value.bytes).into_owned();
        assert!(value.ends_with("\"a\",\"more\"]"), "{value}");
    }
}
