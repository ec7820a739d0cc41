//! What callers see when a connection or the server fails, and that a checkpointer goes on when it
//! can.

use std::sync::atomic::Ordering;
use std::time::Duration;

use langgraph_checkpoint_guest::Access;
use langgraph_checkpoint_host::{
    Batch, Error, List, PostgresOptions, Statement, StorageAdapter, Stored,
};

use crate::proxy::{Answers, Proxy};
use crate::rights::{self, USE, WORK};
use crate::server::{Schema, admin, as_role, url, url_with};
use crate::support::{at, config, poll_once, put, put_writes};

/// Whether the failed call may have stored something.
fn stored(error: &Error) -> Stored {
    match error {
        Error::Storage(error) => error.stored(),
        other => panic!("no failure of the store: {other}"),
    }
}

#[tokio::test]
async fn a_connection_that_dies_is_replaced() {
    let schema = Schema::new().await;
    let mark = schema.mark();
    let url = url_with(&format!("application_name={mark}"));
    let checkpointer = schema.open_at(&url, &schema.options());
    checkpointer.put(put("t", None, "1", "1")).await.unwrap();
    let kill = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{mark}'"
    );
    for (parent, id) in [("1", "2"), ("2", "3"), ("3", "4")] {
        assert!(!schema.rows(&kill).await.is_empty());
        checkpointer.put(put("t", Some(parent), id, id)).await.unwrap();
    }
    let tuple = checkpointer.get_tuple(config("t")).await.unwrap().unwrap();
    assert_eq!(tuple.checkpoint_id, "4");
    schema.end().await;
}

#[tokio::test]
async fn a_batch_whose_answer_is_lost_is_repeated_and_stored_once() {
    let schema = Schema::new().await;
    let proxy = Proxy::start().await;
    let checkpointer = schema.open_at(&proxy.url, &schema.options());
    checkpointer.put(put("t", None, "1", "1")).await.unwrap();
    for (parent, id) in [("1", "2"), ("2", "3"), ("3", "4")] {
        proxy.answer(Answers::Cut);
        checkpointer.put_writes(put_writes("t", parent, "task")).await.unwrap();
        proxy.answer(Answers::Cut);
        checkpointer.put(put("t", Some(parent), id, id)).await.unwrap();
    }
    proxy.answer(Answers::Cut);
    let list = List { config: config("t"), ..List::default() };
    let tuples = checkpointer.list(list).try_collect().await.unwrap();
    let found: Vec<_> = tuples
        .iter()
        .map(|tuple| (tuple.checkpoint_id.as_str(), tuple.pending_writes.len()))
        .collect();
    assert_eq!(found, [("4", 0), ("3", 1), ("2", 1), ("1", 1)]);
    proxy.answer(Answers::Cut);
    checkpointer.delete_thread(config("t")).await.unwrap();
    assert_eq!(checkpointer.get_tuple(config("t")).await.unwrap(), None);
    schema.end().await;
}

#[tokio::test]
async fn a_batch_without_an_answer_fails_at_the_deadline_and_may_be_stored() {
    let schema = Schema::new().await;
    let proxy = Proxy::start().await;
    let options = PostgresOptions { deadline: Duration::from_millis(400), ..schema.options() };
    let checkpointer = schema.open_at(&proxy.url, &options);
    checkpointer.put(put("t", None, "1", "1")).await.unwrap();
    proxy.answer(Answers::Keep);
    let late = checkpointer.put(put("t", Some("1"), "2", "2")).await.unwrap_err();
    assert_eq!((late.code(), stored(&late)), ("storage-timeout", Stored::Unknown));
    // No connection is left, and a new one has no answer either.
    let read = checkpointer.get_tuple(config("t")).await.unwrap_err();
    assert_eq!((read.code(), stored(&read)), ("storage-timeout", Stored::Nothing));
    proxy.answer(Answers::Pass);
    checkpointer.put(put("t", Some("1"), "2", "2")).await.unwrap();
    let tuple = checkpointer.get_tuple(config("t")).await.unwrap().unwrap();
    assert_eq!(tuple.checkpoint_id, "2");
    schema.end().await;
}

#[tokio::test]
async fn a_call_is_one_round_trip() {
    let schema = Schema::new().await;
    let proxy = Proxy::start().await;
    let options = PostgresOptions { connections_max: 1, ..schema.options() };
    let checkpointer = schema.open_at(&proxy.url, &options);
    checkpointer.put(put("t", None, "1", "1")).await.unwrap();
    let trips = || proxy.round_trips.swap(0, Ordering::Relaxed);
    trips();
    checkpointer.put(put("t", Some("1"), "2", "2")).await.unwrap();
    assert_eq!(trips(), 1);
    checkpointer.put_writes(put_writes("t", "2", "task")).await.unwrap();
    assert_eq!(trips(), 1);
    checkpointer.get_tuple(config("t")).await.unwrap();
    assert_eq!(trips(), 1);
    // A transaction of two statements.
    checkpointer.delete_thread(config("t")).await.unwrap();
    assert_eq!(trips(), 1);
    schema.end().await;
}

#[tokio::test]
async fn calls_of_a_thread_that_gather_are_one_transaction_and_keep_their_order() {
    let schema = Schema::new().await;
    let proxy = Proxy::start().await;
    let checkpointer = schema.open_at(&proxy.url, &schema.options());
    checkpointer.put(put("t", None, "1", "1")).await.unwrap();
    proxy.round_trips.store(0, Ordering::Relaxed);
    let mut writes: Vec<_> = (0..16)
        .map(|task| Box::pin(checkpointer.put_writes(put_writes("t", "1", &format!("{task}")))))
        .collect();
    // The last put of a checkpoint wins.
    let mut puts: Vec<_> = ["1", "2", "3", "4"]
        .map(|value| Box::pin(checkpointer.put(put("t", Some("1"), "2", value))))
        .into();
    for write in &mut writes {
        assert!(poll_once(write.as_mut()).is_pending());
    }
    for put in &mut puts {
        assert!(poll_once(put.as_mut()).is_pending());
    }
    for write in writes {
        write.await.unwrap();
    }
    for put in puts {
        put.await.unwrap();
    }
    // The first one, and all others.
    assert_eq!(proxy.round_trips.load(Ordering::Relaxed), 2);
    let tuple = checkpointer.get_tuple(config("t")).await.unwrap().unwrap();
    assert_eq!(tuple.channel_values[0].value.bytes, b"4");
    let first = checkpointer.get_tuple(at("t", "1")).await.unwrap().unwrap();
    assert_eq!(first.pending_writes.len(), 16);
    schema.end().await;
}

#[tokio::test]
async fn a_call_that_fails_makes_none_fail_that_gathered_with_it() {
    let schema = Schema::new().await;
    let checkpointer = schema.open();
    checkpointer.put(put("t", None, "1", "1")).await.unwrap();
    let check = "ALTER TABLE $schema.lg_records ADD CHECK (task_id <> 'refused')";
    schema.rows(check).await;
    let tasks = ["a", "b", "refused", "c"];
    let mut writes: Vec<_> =
        tasks.map(|task| Box::pin(checkpointer.put_writes(put_writes("t", "1", task)))).into();
    for write in &mut writes {
        assert!(poll_once(write.as_mut()).is_pending());
    }
    for (task, write) in tasks.into_iter().zip(writes) {
        match write.await {
            Ok(()) => assert_ne!(task, "refused"),
            Err(error) => assert_eq!((task, error.code()), ("refused", "storage-failed")),
        }
    }
    let tuple = checkpointer.get_tuple(config("t")).await.unwrap().unwrap();
    let written = tuple.pending_writes.iter().map(|write| write.task_id.as_str());
    assert_eq!(written.collect::<Vec<_>>(), ["a", "b", "c"]);
    schema.end().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable_at_once() {
    let schema = Schema::new().await;
    let checkpointer = schema.open_at("postgresql://127.0.0.1:1/postgres", &schema.options());
    let lost = checkpointer.put(put("t", None, "1", "1")).await.unwrap_err();
    assert_eq!((lost.code(), stored(&lost)), ("storage-unreachable", Stored::Nothing));
}

#[tokio::test]
async fn a_first_call_waits_for_a_server_that_has_no_connection_left() {
    let schema = Schema::new().await;
    schema.open().setup().await.unwrap();
    let role = rights::new_role(&schema, &[USE, WORK]).await;
    let limit = |count: u32| format!("ALTER ROLE {role} CONNECTION LIMIT {count}");
    schema.rows(&limit(0)).await;
    let proxy = Proxy::start().await;
    let url = as_role(&proxy.url, &role, "right");
    let options = PostgresOptions { deadline: Duration::from_millis(200), ..schema.options() };
    let hasty = schema.open_at(&url, &options);
    let busy = hasty.put(put("t", None, "1", "1")).await.unwrap_err();
    assert_eq!((busy.code(), stored(&busy)), ("storage-busy", Stored::Nothing));
    let patient = schema.open_at(&url, &schema.options());
    proxy.round_trips.store(0, Ordering::Relaxed);
    let (stored, _) = tokio::join!(patient.put(put("t", None, "1", "1")), async {
        // An attempt asks for TLS and then for the session. The third trip begins another attempt.
        while proxy.round_trips.load(Ordering::Relaxed) < 3 {
            tokio::task::yield_now().await;
        }
        schema.rows(&limit(5)).await
    });
    stored.unwrap();
    drop(patient);
    rights::end(schema, &role).await;
}

#[tokio::test]
async fn a_pool_without_a_free_connection_is_busy() {
    let schema = Schema::new().await;
    let options = PostgresOptions {
        deadline: Duration::from_millis(500),
        connections_max: 1,
        ..schema.options()
    };
    let checkpointer = schema.open_at(url(), &options);
    checkpointer.put(put("t", None, "1", "1")).await.unwrap();
    let mut blocker = admin(url()).await;
    let blocking = blocker.transaction().await.unwrap();
    let quoted = schema.name.replace('"', "\"\"");
    blocking.batch_execute(&format!("LOCK TABLE \"{quoted}\".lg_records")).await.unwrap();
    let holding = checkpointer.get_tuple(config("t"));
    let waiting = async {
        tokio::task::yield_now().await;
        checkpointer.get_tuple(config("t")).await
    };
    let (held, busy) = tokio::join!(holding, waiting);
    assert_eq!(held.unwrap_err().code(), "storage-timeout");
    let busy = busy.unwrap_err();
    assert_eq!((busy.code(), stored(&busy)), ("storage-busy", Stored::Nothing));
    blocking.rollback().await.unwrap();
    assert!(checkpointer.get_tuple(config("t")).await.unwrap().is_some());
    schema.end().await;
}

#[tokio::test]
async fn a_statement_timeout_is_told() {
    let schema = Schema::new().await;
    let url_of_hasty = url_with("options=-c%20statement_timeout%3D200");
    let checkpointer = schema.open_at(&url_of_hasty, &schema.options());
    checkpointer.put(put("t", None, "1", "1")).await.unwrap();
    let mut blocker = admin(url()).await;
    let blocking = blocker.transaction().await.unwrap();
    let quoted = schema.name.replace('"', "\"\"");
    blocking.batch_execute(&format!("LOCK TABLE \"{quoted}\".lg_records")).await.unwrap();
    let late = checkpointer.put(put("t", Some("1"), "2", "2")).await.unwrap_err();
    assert_eq!((late.code(), stored(&late)), ("storage-timeout", Stored::Nothing));
    blocking.rollback().await.unwrap();
    checkpointer.put(put("t", Some("1"), "2", "2")).await.unwrap();
    schema.end().await;
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_no_connection_in_use() {
    let schema = Schema::new().await;
    let options = PostgresOptions { connections_max: 1, ..schema.options() };
    let checkpointer = schema.open_at(url(), &options);
    checkpointer.put(put("t", None, "1", "1")).await.unwrap();
    let mut blocker = admin(url()).await;
    let blocking = blocker.transaction().await.unwrap();
    let quoted = schema.name.replace('"', "\"\"");
    blocking.batch_execute(&format!("LOCK TABLE \"{quoted}\".lg_threads")).await.unwrap();
    let given_up = tokio::time::timeout(
        Duration::from_millis(100),
        checkpointer.put(put("other", None, "1", "1")),
    );
    assert!(given_up.await.is_err());
    let reading = checkpointer.get_tuple(config("t"));
    let (read, ()) = tokio::join!(reading, async { blocking.rollback().await.unwrap() });
    assert!(read.unwrap().is_some());
    schema.end().await;
}

/// How many statements of one connection have names, after calls on it.
async fn named_statements(schema: &Schema, prepare: bool) -> usize {
    let options = PostgresOptions { connections_max: 1, prepare, ..schema.options() };
    let checkpointer = schema.open_at(url(), &options);
    checkpointer.put(put("t", None, "1", "1")).await.unwrap();
    let text = "SELECT name FROM pg_prepared_statements".to_owned();
    let statement = Statement { text, parameters: vec![Vec::new()] };
    let batch = Batch { access: Access::Read, statements: vec![statement] };
    checkpointer.storage().run(batch).await.unwrap()[0].rows.len()
}

#[tokio::test]
async fn statements_have_names_only_if_they_are_prepared() {
    let schema = Schema::new().await;
    assert_eq!(named_statements(&schema, false).await, 0);
    assert!(named_statements(&schema, true).await > 0);
    schema.end().await;
}

#[tokio::test]
async fn sessions_are_named() {
    let schema = Schema::new().await;
    let options = PostgresOptions { application_name: schema.mark(), ..schema.options() };
    let checkpointer = schema.open_at(url(), &options);
    checkpointer.put(put("t", None, "1", "1")).await.unwrap();
    let sessions = format!(
        "SELECT FROM pg_stat_activity WHERE application_name = '{}'",
        options.application_name
    );
    assert_eq!(schema.rows(&sessions).await.len(), 1);
    schema.end().await;
}

#[tokio::test]
async fn a_closed_checkpointer_refuses_calls() {
    let schema = Schema::new().await;
    let checkpointer = schema.open();
    checkpointer.put(put("t", None, "1", "1")).await.unwrap();
    checkpointer.storage().close();
    let closed = checkpointer.get_tuple(config("t")).await.unwrap_err();
    assert_eq!((closed.code(), stored(&closed)), ("storage-closed", Stored::Nothing));
    schema.end().await;
}
