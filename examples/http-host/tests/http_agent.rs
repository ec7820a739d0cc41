//! The agent of `examples/http-agent`, served over HTTP: an instance a request, a process a server.

mod support;

use std::path::{Path, PathBuf};

use langgraph_checkpoint_host::{
    Checkpointer, Config, NewWrite, Payload, Planner, PutWrites, SqliteOptions,
};
use serde_json::{Value, json};
use support::Server;
use tempfile::TempDir;

/// A database in a folder that is gone with the test.
fn database() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("threads.db");
    (folder, path)
}

/// The database, as a Rust program has it.
async fn native(database: &Path) -> Checkpointer {
    let options = SqliteOptions::default();
    Checkpointer::open_sqlite(Planner::native(), database, options).await.unwrap()
}

fn config(thread_id: &str) -> Config {
    Config { thread_id: thread_id.into(), ..Config::default() }
}

/// The status, and the code of an error.
fn refused((status, body): (u16, Value)) -> (u16, String) {
    (status, body["code"].as_str().unwrap().to_owned())
}

#[test]
fn an_agent_that_serves_http_keeps_its_threads_across_instances() {
    let (_folder, database) = database();
    let server = Server::start(&database);
    assert_eq!(server.get("/threads/oslo"), (200, json!([])));
    assert_eq!(server.post("/threads/oslo", "it rains"), (200, json!(["it rains"])));
    let both = json!(["it rains", "it stopped"]);
    assert_eq!(server.post("/threads/oslo", "it stopped"), (200, both.clone()));
    assert_eq!(server.get("/threads/oslo"), (200, both.clone()));
    drop(server);

    let server = Server::start(&database);
    assert_eq!(server.get("/threads/oslo"), (200, both));
    let all = json!(["it rains", "it stopped", "it rains"]);
    assert_eq!(server.post("/threads/oslo", "it rains"), (200, all.clone()));
    assert_eq!(server.get("/threads/oslo?of=today"), (200, all));
}

#[test]
fn an_agent_that_brings_its_checkpointer_along_serves_the_same_threads() {
    let (_folder, database) = database();
    let mut said = Vec::new();
    for component in ["http-agent", "http-agent-on-storage", "http-agent"] {
        let server = Server::of(component, &database);
        assert_eq!(server.get("/threads/oslo"), (200, json!(said)));
        said.push(format!("said to {component}"));
        assert_eq!(server.post("/threads/oslo", said.last().unwrap()), (200, json!(said)));
    }
}

#[test]
fn two_threads_do_not_meet() {
    let (_folder, database) = database();
    let server = Server::start(&database);
    server.post("/threads/oslo", "it rains");
    server.post("/threads/oslo2", "it snows");
    assert_eq!(server.get("/threads/oslo"), (200, json!(["it rains"])));
    assert_eq!(server.get("/threads/oslo2"), (200, json!(["it snows"])));
}

#[test]
fn threads_that_are_added_to_at_once_keep_all_their_messages() {
    let (_folder, database) = database();
    let server = Server::start(&database);
    let said = |thread: usize| (0..5).map(|n| format!("{n} of {thread}")).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let server = &server;
            scope.spawn(move || {
                for message in said(thread) {
                    assert_eq!(server.post(&format!("/threads/{thread}"), &message).0, 200);
                }
            });
        }
    });
    for thread in 0..8 {
        assert_eq!(server.get(&format!("/threads/{thread}")), (200, json!(said(thread))));
    }
}

#[tokio::test]
async fn a_superstep_of_the_agent_is_a_write_and_a_checkpoint_after_it() {
    let (_folder, database) = database();
    let server = Server::start(&database);
    server.post("/threads/oslo", "it rains");
    server.post("/threads/oslo", "it stopped");
    let tuples = native(&database).await.list(Default::default()).try_collect().await.unwrap();
    let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
    let stored = tuples.iter().map(|tuple| {
        let state = tuple.channel_values.iter().map(|entry| text(&entry.value.bytes));
        let writes = tuple.pending_writes.iter().map(|write| text(&write.value.bytes));
        (state.collect(), writes.collect())
    });
    let stored: Vec<(String, String)> = stored.collect();
    let expected = [
        (r#"["it rains","it stopped"]"#, ""),
        (r#"["it rains"]"#, r#""it stopped""#),
        ("[]", r#""it rains""#),
    ];
    assert_eq!(stored, expected.map(|(state, write)| (state.to_owned(), write.to_owned())));
    let parents = tuples.iter().map(|tuple| tuple.parent_checkpoint_id.as_deref());
    let ids = tuples.iter().skip(1).map(|tuple| Some(tuple.checkpoint_id.as_str()));
    assert_eq!(parents.collect::<Vec<_>>(), ids.chain([None]).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_message_whose_turn_ended_before_its_checkpoint_is_not_lost() {
    let (_folder, database) = database();
    let server = Server::start(&database);
    server.post("/threads/oslo", "it rains");
    let checkpointer = native(&database).await;
    let newest = checkpointer.get_tuple(config("oslo")).await.unwrap().unwrap();
    let value = Payload { kind: "json".to_owned(), bytes: br#""it stopped""#.to_vec() };
    let writes = PutWrites {
        config: Config { checkpoint_id: newest.checkpoint_id.as_str().into(), ..config("oslo") },
        writes: vec![NewWrite { channel: "messages".to_owned(), value }],
        task_id: "cut off".into(),
        task_path: String::new(),
    };
    checkpointer.put_writes(writes).await.unwrap();
    assert_eq!(server.get("/threads/oslo"), (200, json!(["it rains", "it stopped"])));
    let all = json!(["it rains", "it stopped", "it snows"]);
    assert_eq!(server.post("/threads/oslo", "it snows"), (200, all.clone()));
    assert_eq!(server.get("/threads/oslo"), (200, all));
}

#[test]
fn a_path_that_names_no_thread_is_not_found() {
    let (_folder, database) = database();
    let server = Server::start(&database);
    for path in ["/", "/threads", "/threads/", "/threads/?id=oslo", "/threads/oslo/1", "/oslo"] {
        assert_eq!(refused(server.get(path)), (404, "no-such-path".to_owned()), "{path}");
        assert_eq!(refused(server.post(path, "text")), (404, "no-such-path".to_owned()), "{path}");
    }
    assert_eq!(refused(server.delete("/threads/oslo")), (405, "no-such-method".to_owned()));
}

#[test]
fn a_message_may_be_long_and_must_be_text() {
    let (_folder, database) = database();
    let server = Server::start(&database);
    let long = "it rains \u{1f327} ".repeat(70_000);
    assert_eq!(server.post("/threads/oslo", &long), (200, json!([&long])));
    assert_eq!(server.get("/threads/oslo"), (200, json!([&long])));
    let longer = "x".repeat((1 << 20) + 1);
    assert_eq!(refused(server.post("/threads/oslo", &longer)), (413, "body-too-large".to_owned()));
    assert_eq!(
        refused(server.post("/threads/oslo", &[0xff_u8, 0xfe][..])),
        (400, "no-text".to_owned())
    );
    assert_eq!(server.get("/threads/oslo"), (200, json!([long])));
}

#[test]
fn an_error_of_the_store_is_answered_with_its_code() {
    let (_folder, database) = database();
    let server = Server::start(&database);
    server.post("/threads/oslo", "it rains ".repeat(30));
    server.post("/threads/bergen", "it rains");
    let connection = rusqlite::Connection::open(&database).unwrap();
    assert!(connection.execute("DELETE FROM lg_chunks", []).unwrap() > 0);
    assert_eq!(refused(server.get("/threads/oslo")), (500, "missing-chunk".to_owned()));
    assert_eq!(refused(server.post("/threads/oslo", "more")), (500, "missing-chunk".to_owned()));
    assert_eq!(server.get("/threads/bergen"), (200, json!(["it rains"])));
}
