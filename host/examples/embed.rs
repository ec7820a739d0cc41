//! An embedding: a store is opened, written to, read, listed and emptied.
//!
//! ```text
//! cargo xtask component
//! cargo run -p langgraph-checkpoint-host --example embed
//! ```

use std::path::Path;

use langgraph_checkpoint_host::{
    ChannelValue, ChannelVersion, Checkpoint, Checkpointer, Config, Id, Limits, List, NewWrite,
    Payload, Planner, Put, PutWrites, SqliteOptions, Version,
};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let checkpointer = open(&directory.path().join("checkpoints.db")).await?;

    // A thread's first checkpoint, the write of a task, and the checkpoint after it.
    let first = checkpoint("0001", None, json!(["Is it raining in Oslo?"]));
    let stored = checkpointer.put(first).await?;
    println!("stored {} of {}", stored.checkpoint_id, stored.thread_id);
    checkpointer
        .put_writes(PutWrites {
            config: config(Some("0001")),
            writes: vec![NewWrite {
                channel: "messages".to_owned(),
                value: payload(&json!("It is.")),
            }],
            task_id: "answer".into(),
            task_path: String::new(),
        })
        .await?;
    let second = checkpoint("0002", Some("0001"), json!(["Is it raining in Oslo?", "It is."]));
    checkpointer.put(second).await?;

    // The latest checkpoint, and an older one with its pending writes.
    let latest = checkpointer.get_tuple(config(None)).await?.ok_or("there is a checkpoint")?;
    println!("latest is {}, after {:?}", latest.checkpoint_id, latest.parent_checkpoint_id);
    for entry in &latest.channel_values {
        println!("  {} = {}", entry.channel, String::from_utf8_lossy(&entry.value.bytes));
    }
    let older = checkpointer.get_tuple(config(Some("0001"))).await?.ok_or("and an older one")?;
    for write in &older.pending_writes {
        println!("{} has a write to {} by {}", older.checkpoint_id, write.channel, write.task_id);
    }

    // The history, page by page, newest first.
    let mut pages = checkpointer.list(List { config: config(None), ..List::default() });
    while let Some(page) = pages.next_page().await? {
        for tuple in page {
            println!("history: {} at {}", tuple.checkpoint_id, tuple.ts);
        }
    }

    checkpointer.delete_thread(config(None)).await?;
    let gone = checkpointer.get_tuple(config(None)).await?.is_none();
    println!("deleted: {gone}");

    // Errors have stable codes.
    let error =
        checkpointer.put(Put { config: Config::default(), ..checkpoint("1", None, json!([])) });
    if let Err(error) = error.await {
        println!("refused: {} ({error})", error.code());
    }
    Ok(())
}

async fn open(path: &Path) -> Result<Checkpointer, langgraph_checkpoint_host::Error> {
    // One planner serves any number of stores; cloning it is cheap.
    let planner = Planner::embedded(Limits::default())?;
    Checkpointer::open_sqlite(planner, path, SqliteOptions::default()).await
}

fn config(checkpoint_id: Option<&str>) -> Config {
    Config {
        thread_id: "thread-1".into(),
        checkpoint_id: checkpoint_id.map_or(Id::Absent, Id::from),
        ..Config::default()
    }
}

/// A checkpoint with one channel, as a runtime makes it after a superstep.
fn checkpoint(checkpoint_id: &str, parent: Option<&str>, messages: serde_json::Value) -> Put {
    Put {
        config: config(parent),
        checkpoint: Checkpoint {
            id: checkpoint_id.into(),
            v: 4.0,
            ts: "2026-11-21T09:30:00.000Z".to_owned(),
            channel_versions: vec![ChannelVersion {
                channel: "messages".to_owned(),
                version: Version::Number(1.0),
            }],
            channel_values: vec![ChannelValue {
                channel: "messages".to_owned(),
                value: payload(&messages).into(),
            }],
            rest: payload(&json!({"versions_seen": {}})),
        },
        metadata: payload(&json!({"source": "loop", "step": 1, "parents": {}})),
        new_versions: vec!["messages".to_owned()],
        run_id: Id::Absent,
        known: None,
    }
}

/// A value as LangGraph's serializer writes it.
fn payload(value: &serde_json::Value) -> Payload {
    Payload { kind: "json".to_owned(), bytes: value.to_string().into_bytes() }
}
