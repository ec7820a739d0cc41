//! An agent that is a component. It remembers what it was told by putting a checkpoint after each
//! turn. Whoever composes or runs it decides where the checkpoints go.
//!
//! ```text
//! cargo xtask compose
//! ```

#![allow(unsafe_code, reason = "the generated exports are `unsafe extern` functions")]

#[allow(
    unreachable_pub,
    clippy::all,
    reason = "generated from wit/checkpoint, where the documentation is"
)]
mod generated {
    wit_bindgen::generate!({
        path: "../../wit/checkpoint",
        inline: "
            package example:agent;

            world listener {
                include langgraph:checkpoint/agent@0.1.0;

                /// Takes a message of a thread and answers it.
                export answer: func(
                    thread-id: string,
                    message: string,
                ) -> result<string, string>;
            }
        ",
        world: "example:agent/listener",
        generate_all,
    });
}

use generated::langgraph::checkpoint::checkpointer;
use generated::langgraph::checkpoint::types::{
    ChannelValue, ChannelVersion, Checkpoint, CheckpointTuple, Config, Error, Id, Payload, PutCall,
    Version,
};
use serde_json::{Value, json};

struct Agent;

impl generated::Guest for Agent {
    fn answer(thread_id: String, message: String) -> Result<String, String> {
        let latest = checkpointer::get_tuple(&config(&thread_id, None)).map_err(shown)?;
        let mut messages = latest.as_ref().map(messages).unwrap_or_default();
        messages.push(message.into());
        let said = messages.len().div_ceil(2);
        let first = messages.first().and_then(Value::as_str).unwrap_or_default();
        let answer = format!("You have told me {said} things, first: {first}");
        messages.push(answer.clone().into());
        put(&thread_id, latest.as_ref(), messages)?;
        Ok(answer)
    }
}

/// The messages of a checkpoint.
fn messages(tuple: &CheckpointTuple) -> Vec<Value> {
    let stored = tuple.channel_values.iter().find(|entry| entry.channel == "messages");
    stored.and_then(|entry| serde_json::from_slice(&entry.value.bytes).ok()).unwrap_or_default()
}

/// Stores the state after a turn.
fn put(
    thread_id: &str,
    parent: Option<&CheckpointTuple>,
    messages: Vec<Value>,
) -> Result<(), String> {
    let step = messages.len() / 2;
    let parent = parent.map(|tuple| tuple.checkpoint_id.as_str());
    let call = PutCall {
        config: config(thread_id, parent),
        checkpoint: Checkpoint {
            // Checkpoints are ordered by their ids as text. An agent with a clock would use ids
            // like LangGraph's.
            id: Id::Text(format!("{step:012}")),
            v: 4.0,
            ts: "1970-01-01T00:00:00.000Z".to_owned(),
            channel_versions: vec![ChannelVersion {
                channel: "messages".to_owned(),
                version: Version::Number(step as f64),
            }],
            channel_values: vec![ChannelValue {
                channel: "messages".to_owned(),
                value: payload(&Value::Array(messages)),
            }],
            rest: payload(&json!({})),
        },
        metadata: payload(&json!({"source": "loop", "step": step, "parents": {}})),
        new_versions: vec!["messages".to_owned()],
        run_id: Id::Absent,
    };
    checkpointer::put(&call).map(|_| ()).map_err(shown)
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

/// An error as text.
fn shown(error: Error) -> String {
    let (code, message) = match error {
        Error::InvalidInput(fault)
        | Error::Corrupt(fault)
        | Error::UnsupportedFormat(fault)
        | Error::Protocol(fault) => (fault.code, fault.message),
        Error::Storage(store) | Error::Unavailable(store) | Error::Denied(store) => {
            (store.fault.code, store.fault.message)
        }
    };
    format!("{code}: {message}")
}

generated::export!(Agent with_types_in generated);
