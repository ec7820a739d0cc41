//! Locks that another connection holds. This is a separate test program, because it listens to all
//! events of the process to know that a call waits for a lock.

mod support;

use std::path::Path;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use langgraph_checkpoint_host::{
    Checkpointer, Error, Planner, SqliteOptions, SqliteStorage, StorageAdapter, Stored,
};
use rusqlite::Connection;
use support::{config, poll_once, put};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// One test at a time listens.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
static LISTENER: Mutex<Option<Sender<()>>> = Mutex::new(None);

/// Reports each wait for a lock to the listener.
struct Locks;

impl Subscriber for Locks {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("langgraph_checkpoint_host")
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut message = Message(false);
        event.record(&mut message);
        if message.0
            && let Some(listener) = &*LISTENER.lock().unwrap()
        {
            let _ = listener.send(());
        }
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Whether an event reports a wait for a lock.
struct Message(bool);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0 |= field.name() == "message" && format!("{value:?}").contains("locked");
    }
}

fn listen() -> Receiver<()> {
    let (sender, receiver) = channel();
    *LISTENER.lock().unwrap() = Some(sender);
    let _ = tracing::subscriber::set_global_default(Locks);
    receiver
}

async fn checkpointer(path: &Path, busy_deadline: Duration) -> Checkpointer {
    let options = SqliteOptions { busy_deadline, ..SqliteOptions::default() };
    Checkpointer::open_sqlite(Planner::native(), path, options).await.unwrap()
}

/// A lock that blocks all writers of the file.
fn lock(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

#[tokio::test]
async fn a_lock_released_before_the_deadline_is_waited_for() {
    let _turn = TURN.lock().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.db");
    let checkpointer = checkpointer(&path, Duration::from_secs(600)).await;
    checkpointer.put(put("t", None, "c1", "[1]")).await.unwrap();
    let waits = listen();
    let other = lock(&path);
    let mut waiting = pin!(checkpointer.put(put("t", Some("c1"), "c2", "[1,2]")));
    assert!(poll_once(waiting.as_mut()).is_pending());
    waits.recv().unwrap();
    other.execute_batch("COMMIT").unwrap();
    waiting.await.unwrap();
    let tuple = checkpointer.get_tuple(config("t")).await.unwrap().unwrap();
    assert_eq!(tuple.checkpoint_id, "c2");
}

#[tokio::test]
async fn a_lock_held_past_the_deadline_is_busy_and_stores_nothing() {
    let _turn = TURN.lock().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.db");
    let checkpointer = checkpointer(&path, Duration::from_millis(20)).await;
    checkpointer.put(put("t", None, "c1", "[1]")).await.unwrap();
    let other = lock(&path);
    let error = checkpointer.put(put("t", Some("c1"), "c2", "[1,2]")).await.unwrap_err();
    assert_eq!(error.code(), "storage-busy");
    assert!(matches!(&error, Error::Storage(error) if error.stored() == Stored::Nothing));
    // Readers do not wait for writers.
    let tuple = checkpointer.get_tuple(config("t")).await.unwrap().unwrap();
    assert_eq!(tuple.checkpoint_id, "c1");
    other.execute_batch("ROLLBACK").unwrap();
    checkpointer.put(put("t", Some("c1"), "c2", "[1,2]")).await.unwrap();
    let tuple = checkpointer.get_tuple(config("t")).await.unwrap().unwrap();
    assert_eq!(tuple.checkpoint_id, "c2");
}

#[tokio::test]
async fn a_setup_that_met_a_lock_is_tried_again_by_the_next_call() {
    let _turn = TURN.lock().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.db");
    let checkpointer = checkpointer(&path, Duration::ZERO).await;
    let other = lock(&path);
    let error = checkpointer.put(put("t", None, "c1", "[1]")).await.unwrap_err();
    assert_eq!(error.code(), "storage-busy");
    other.execute_batch("ROLLBACK").unwrap();
    checkpointer.put(put("t", None, "c1", "[1]")).await.unwrap();
}

#[tokio::test]
async fn a_file_locked_while_it_is_opened_is_waited_for() {
    let _turn = TURN.lock().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("c.db");
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE a (b); BEGIN EXCLUSIVE").unwrap();
    let options = |deadline| SqliteOptions { busy_deadline: deadline, ..Default::default() };
    let error = SqliteStorage::open(&path, &options(Duration::ZERO)).unwrap_err();
    assert_eq!(error.code(), "storage-busy");
    let waits = listen();
    let storage = std::thread::scope(|scope| {
        let open = || SqliteStorage::open(&path, &options(Duration::from_secs(600)));
        let opening = scope.spawn(open);
        waits.recv().unwrap();
        other.execute_batch("ROLLBACK").unwrap();
        opening.join().unwrap().unwrap()
    });
    let batch = langgraph_checkpoint_host::Batch {
        access: langgraph_checkpoint_host::statement::Access::Read,
        statements: vec![langgraph_checkpoint_host::Statement {
            text: "SELECT count(*) FROM a".to_owned(),
            parameters: vec![vec![]],
        }],
    };
    storage.run(batch).await.unwrap();
}
