//! One leg of a relay: reads the latest checkpoint of a thread and puts the next one, as the
//! JavaScript hosts do on the same file.
//!
//! ```text
//! cargo run -p langgraph-checkpoint-host --example relay -- checkpoints.db 3
//! ```

use std::error::Error;
use std::path::Path;

use langgraph_checkpoint_host::{
    ChannelValue, ChannelVersion, Checkpoint, Checkpointer, Config, Id, Limits, NewWrite, Payload,
    Planner, Put, PutWrites, SqliteOptions, Version,
};

const COMPONENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/components/planner.wasm");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(leg)) = (arguments.next(), arguments.next()) else {
        return Err("usage: relay <database> <number of the leg>".into());
    };
    let leg: u32 = leg.parse()?;
    let planner = Planner::from_file(COMPONENT, Limits::default())?;
    let options = SqliteOptions::default();
    let checkpointer = Checkpointer::open_sqlite(planner, Path::new(&path), options).await?;

    let before = checkpointer.get_tuple(config(None)).await?.ok_or("nobody ran before")?;
    let messages = before
        .channel_values
        .iter()
        .find(|entry| entry.channel == "messages")
        .ok_or("the runner before left no messages")?;
    let messages = std::str::from_utf8(&messages.value.bytes)?.trim_end_matches(']');
    let messages = format!("{messages},{}]", message(leg));

    checkpointer.put(put(leg, &before.checkpoint_id, &messages)).await?;
    checkpointer
        .put_writes(PutWrites {
            config: config(Some(&checkpoint_id(leg))),
            writes: vec![NewWrite { channel: "count".to_owned(), value: json(&leg.to_string()) }],
            task_id: format!("task-{leg}").as_str().into(),
            task_path: String::new(),
        })
        .await?;
    println!("{}", before.checkpoint_id);
    Ok(())
}

fn put(leg: u32, parent: &str, messages: &str) -> Put {
    Put {
        config: config(Some(parent)),
        checkpoint: Checkpoint {
            id: checkpoint_id(leg).as_str().into(),
            v: 4.0,
            ts: "2027-01-01T00:00:00.000Z".to_owned(),
            channel_versions: vec![ChannelVersion {
                channel: "messages".to_owned(),
                version: Version::Number(f64::from(leg) + 1.0),
            }],
            channel_values: vec![ChannelValue {
                channel: "messages".to_owned(),
                value: json(messages).into(),
            }],
            rest: json("{\"versions_seen\":{}}"),
        },
        metadata: json(&format!("{{\"source\":\"loop\",\"step\":{leg},\"parents\":{{}}}}")),
        new_versions: vec!["messages".to_owned()],
        run_id: Id::Absent,
        known: None,
    }
}

/// The message of each runner. JavaScript hosts write the same text.
fn message(leg: u32) -> String {
    format!("{{\"id\":\"m-{leg}\",\"content\":\"{}\"}}", format!("leg {leg} of many ").repeat(20))
}

fn checkpoint_id(leg: u32) -> String {
    format!("1f000000-0000-6000-8000-{leg:012}")
}

fn config(checkpoint_id: Option<&str>) -> Config {
    Config {
        thread_id: "relay".into(),
        checkpoint_id: checkpoint_id.map_or(Id::Absent, Id::from),
        ..Config::default()
    }
}

fn json(text: &str) -> Payload {
    Payload { kind: "json".to_owned(), bytes: text.as_bytes().to_vec() }
}
