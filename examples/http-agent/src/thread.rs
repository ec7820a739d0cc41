//! A thread: what was told to it, in checkpoints of one channel.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Refusal;
use crate::generated::langgraph::checkpoint::checkpointer;
use crate::generated::langgraph::checkpoint::types::{
    ChannelValue, ChannelVersion, Checkpoint, CheckpointTuple, Config, Id, NewWrite, Payload,
    PutCall, PutWritesCall, Version,
};
use crate::generated::wasi::clocks::wall_clock;
use crate::generated::wasi::random::random::get_random_u64;

const CHANNEL: &str = "messages";

/// The messages of a thread, oldest first.
pub(crate) fn messages(thread_id: &str) -> Result<Vec<Value>, Refusal> {
    let newest = checkpointer::get_tuple(&config(thread_id, None))?;
    newest.as_ref().map_or_else(|| Ok(Vec::new()), messages_of)
}

/// Adds a message to a thread: a superstep as LangGraph makes one, the task's writes and then the
/// state with them. Two at once in one thread make two branches; who wants both in one sends the
/// second after the first.
pub(crate) fn add(thread_id: &str, message: &str) -> Result<Vec<Value>, Refusal> {
    let newest = checkpointer::get_tuple(&config(thread_id, None))?;
    let (parent, mut messages) = match newest {
        Some(tuple) => (tuple.checkpoint_id.clone(), messages_of(&tuple)?),
        // Writes are a checkpoint's, so a thread begins with an empty one.
        None => (put(thread_id, None, &[])?, Vec::new()),
    };
    let message = Value::from(message);
    checkpointer::put_writes(&PutWritesCall {
        config: config(thread_id, Some(&parent)),
        writes: vec![NewWrite { channel: CHANNEL.to_owned(), value: payload(&message) }],
        task_id: Id::Text(format!("{:016x}", get_random_u64())),
        task_path: String::new(),
    })?;
    messages.push(message);
    put(thread_id, Some(&parent), &messages)?;
    Ok(messages)
}

/// The messages of a checkpoint, with those whose turn ended before its `put`: they are pending.
fn messages_of(tuple: &CheckpointTuple) -> Result<Vec<Value>, Refusal> {
    let unread = |_| Refusal::new(500, "no-messages", "another agent has stored in this thread");
    let mut messages = Vec::new();
    for entry in tuple.channel_values.iter().filter(|entry| entry.channel == CHANNEL) {
        messages = serde_json::from_slice(&entry.value.bytes).map_err(unread)?;
    }
    for write in tuple.pending_writes.iter().filter(|write| write.channel == CHANNEL) {
        messages.push(serde_json::from_slice(&write.value.bytes).map_err(unread)?);
    }
    Ok(messages)
}

/// Stores a state, and returns the id of its checkpoint.
fn put(thread_id: &str, parent: Option<&str>, messages: &[Value]) -> Result<String, Refusal> {
    let step = messages.len();
    let stored = checkpointer::put(&PutCall {
        config: config(thread_id, parent),
        checkpoint: Checkpoint {
            // Ids sort as text, which is the order of checkpoints: a longer thread is a newer one.
            id: Id::Text(format!("{step:012}-{:016x}", get_random_u64())),
            v: 4.0,
            ts: now()?,
            channel_versions: vec![ChannelVersion {
                channel: CHANNEL.to_owned(),
                version: Version::Number(step as f64),
            }],
            channel_values: vec![ChannelValue {
                channel: CHANNEL.to_owned(),
                value: payload(&Value::from(messages)),
            }],
            rest: payload(&json!({})),
        },
        metadata: payload(&json!({"source": "loop", "step": step, "parents": {}})),
        new_versions: vec![CHANNEL.to_owned()],
        run_id: Id::Absent,
    })?;
    Ok(stored.checkpoint_id)
}

/// The time, in ISO 8601.
fn now() -> Result<String, Refusal> {
    let now = wall_clock::now();
    let nanoseconds = i128::from(now.seconds) * 1_000_000_000 + i128::from(now.nanoseconds);
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok();
    let text = time.and_then(|time| time.format(&Rfc3339).ok());
    text.ok_or_else(|| Refusal::new(500, "no-such-time", "the host's clock is far off"))
}

fn config(thread_id: &str, checkpoint_id: Option<&str>) -> Config {
    Config {
        thread_id: Id::Text(thread_id.to_owned()),
        checkpoint_ns: Id::Absent,
        checkpoint_id: checkpoint_id.map_or(Id::Absent, |id| Id::Text(id.to_owned())),
        thread_ts: Id::Absent,
    }
}

fn payload(value: &Value) -> Payload {
    Payload { kind: "json".to_owned(), bytes: value.to_string().into_bytes() }
}
