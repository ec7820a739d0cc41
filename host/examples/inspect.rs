//! Prints the history and the latest state of a thread, as any LangGraph agent stored it.
//!
//! ```text
//! cargo run -p langgraph-checkpoint-host --example inspect -- checkpoints.db thread-1
//! cargo run -p langgraph-checkpoint-host --features postgres --example inspect -- \
//!     postgresql://localhost/app thread-1 schema
//! ```
//!
//! With the feature `postgres` and a third argument, the schema, the first one is the connection
//! string of a PostgreSQL server.

use std::collections::HashMap;
use std::error::Error;
use std::io::IsTerminal;

#[cfg(feature = "postgres")]
use langgraph_checkpoint_host::PostgresOptions;
use langgraph_checkpoint_host::{
    CheckpointTuple, Checkpointer, Config, Limits, List, Payload, Planner, SqliteOptions,
};
use serde_json::{Value, json};

const COMPONENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/components/planner.wasm");

/// How much of a value is shown.
const VALUE_CHARS_MAX: usize = 84;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(place), Some(thread_id)) = (arguments.next(), arguments.next()) else {
        return Err("usage: inspect <database file> <thread id>, or \
                    inspect <connection string> <thread id> <schema>"
            .into());
    };
    let planner = Planner::from_file(COMPONENT, Limits::default())?;
    let config = Config {
        thread_id: thread_id.as_str().into(),
        checkpoint_ns: "".into(),
        ..Config::default()
    };
    let list = List { config, ..List::default() };
    let history = match arguments.next() {
        Some(schema) => history_in_postgres(planner, &place, schema, list).await?,
        None => {
            let options = SqliteOptions { read_only: true, ..SqliteOptions::default() };
            let checkpointer = Checkpointer::open_sqlite(planner, &place, options).await?;
            checkpointer.list(list).try_collect().await?
        }
    };
    let Some(latest) = history.first() else {
        return Err(format!("there is no checkpoint of the thread {thread_id}").into());
    };
    let style = Style::of_stdout();
    print_history(&style, &thread_id, &history);
    print_state(&style, latest);
    Ok(())
}

#[cfg(feature = "postgres")]
async fn history_in_postgres(
    planner: Planner,
    url: &str,
    schema: String,
    list: List,
) -> Result<Vec<CheckpointTuple>, Box<dyn Error>> {
    let options = PostgresOptions { schema, ..PostgresOptions::default() };
    let checkpointer = Checkpointer::connect_postgres(planner, url, &options)?;
    Ok(checkpointer.list(list).try_collect().await?)
}

#[cfg(not(feature = "postgres"))]
async fn history_in_postgres(
    _: Planner,
    _: &str,
    _: String,
    _: List,
) -> Result<Vec<CheckpointTuple>, Box<dyn Error>> {
    Err("build this with the feature postgres".into())
}

/// Prints one line for each checkpoint, newest first. Numbers count from the oldest, so a fork is
/// two lines with the same parent.
fn print_history(style: &Style, thread_id: &str, history: &[CheckpointTuple]) {
    let count = history.len();
    let title = format!("Thread {thread_id}: {count} checkpoints, newest first");
    println!("{}\n", style.strong(&title));
    let header = format!(
        "  {:>4}  {:<8} {:>5}  {:<7} {:<24} {}",
        "", "parent", "step", "source", "created", "checkpoint id"
    );
    println!("{}", style.faint(&header));
    let numbers: HashMap<_, _> = (1..=count)
        .rev()
        .zip(history)
        .map(|(number, tuple)| (tuple.checkpoint_id.as_str(), number))
        .collect();
    for tuple in history {
        let metadata = read(&tuple.metadata).unwrap_or_default();
        let number = numbers[tuple.checkpoint_id.as_str()];
        let parent = tuple.parent_checkpoint_id.as_deref().map(|id| numbers.get(id));
        let note = match parent {
            Some(Some(parent)) if parent + 1 < number => format!("  branches off #{parent}"),
            _ if interrupts(tuple).next().is_some() => "  interrupted".to_owned(),
            _ => String::new(),
        };
        let parent = match parent {
            None => "-".to_owned(),
            Some(None) => "gone".to_owned(),
            Some(Some(parent)) => format!("#{parent}"),
        };
        let number = format!("#{number}");
        println!(
            "  {number:>4}  {parent:<8} {:>5}  {:<7} {:<24} {}{}",
            metadata["step"].to_string(),
            metadata["source"].as_str().unwrap_or("-"),
            tuple.ts,
            style.faint(&tuple.checkpoint_id),
            note,
        );
    }
}

fn print_state(style: &Style, latest: &CheckpointTuple) {
    println!("\n{}\n", style.strong("Latest state"));
    let mut internal = Vec::new();
    for entry in &latest.channel_values {
        // LangGraph keeps its bookkeeping in channels too.
        if entry.channel.starts_with("__") || entry.channel.starts_with("branch:") {
            internal.push(entry.channel.as_str());
            continue;
        }
        match read(&entry.value) {
            Some(Value::Array(list)) if !list.is_empty() && list.iter().all(is_message) => {
                println!("  {} ({} messages)", style.strong(&entry.channel), list.len());
                for message in &list {
                    print_message(style, message);
                }
            }
            Some(value) => {
                println!("  {} = {}", style.strong(&entry.channel), short(&value.to_string()));
            }
            None => {
                let bytes = entry.value.bytes.len();
                println!("  {} = {bytes} bytes", style.strong(&entry.channel));
            }
        }
    }
    if !internal.is_empty() {
        let count = internal.len();
        let channels = if count == 1 { "channel" } else { "channels" };
        let names = internal.join(", ");
        let rest = format!("and {count} {channels} of LangGraph's own ({names})");
        println!("  {}", style.faint(&rest));
    }
    for value in interrupts(latest) {
        println!("\n  {} {}", style.strong("waits for an answer to"), short(&value.to_string()));
    }
}

/// The interrupts of a checkpoint that no write has resumed.
fn interrupts(tuple: &CheckpointTuple) -> impl Iterator<Item = Value> {
    let writes = &tuple.pending_writes;
    let resumed = writes.iter().any(|write| write.channel == "__resume__");
    writes
        .iter()
        .filter(move |write| write.channel == "__interrupt__" && !resumed)
        .filter_map(|write| read(&write.value))
}

/// A message of LangChain's, in its serialized form.
fn is_message(value: &Value) -> bool {
    value["lc"] == 1
        && value["type"] == "constructor"
        && value["id"][1] == "messages"
        && value["kwargs"].is_object()
}

fn print_message(style: &Style, message: &Value) {
    let class = message["id"].as_array().and_then(|id| id.last()).and_then(Value::as_str);
    let role = class.unwrap_or("Message").trim_end_matches("Chunk").trim_end_matches("Message");
    let kwargs = &message["kwargs"];
    let content = match &kwargs["content"] {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => blocks
            .iter()
            .map(|block| block["text"].as_str().map_or(block.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(" "),
        other => other.to_string(),
    };
    let role = style.faint(&format!("{:>8}", role.to_lowercase()));
    if !content.is_empty() {
        println!("  {role}  {}", short(&content));
    }
    for call in kwargs["tool_calls"].as_array().into_iter().flatten() {
        let name = call["name"].as_str().unwrap_or("?");
        println!("  {role}  -> {}", short(&format!("{name}({})", call["args"])));
    }
}

fn read(payload: &Payload) -> Option<Value> {
    match payload.kind.as_str() {
        "json" => serde_json::from_slice(&payload.bytes).ok(),
        "msgpack" => rmpv::decode::read_value(&mut payload.bytes.as_slice()).ok().map(of_python),
        _ => None,
    }
}

/// What LangGraph in Python wrote, with its messages as JavaScript writes them.
fn of_python(value: rmpv::Value) -> Value {
    match value {
        rmpv::Value::Array(items) => items.into_iter().map(of_python).collect(),
        rmpv::Value::Map(entries) => {
            let key = |key: &rmpv::Value| key.as_str().map_or(key.to_string(), str::to_owned);
            let entry = |(name, value)| (key(&name), of_python(value));
            Value::Object(entries.into_iter().map(entry).collect())
        }
        // An object: its module, its class, and what it is made of.
        rmpv::Value::Ext(_, bytes) => {
            match rmpv::decode::read_value(&mut bytes.as_slice()).map(of_python) {
                Ok(Value::Array(parts)) => match parts.as_slice() {
                    [Value::String(module), class, fields, ..]
                        if module.starts_with("langchain_core.messages") =>
                    {
                        let id = json!(["langchain_core", "messages", class]);
                        json!({ "lc": 1, "type": "constructor", "id": id, "kwargs": fields })
                    }
                    [_, _, fields, ..] => fields.clone(),
                    _ => Value::Array(parts),
                },
                Ok(other) => other,
                Err(_) => Value::Null,
            }
        }
        other => serde_json::to_value(other).unwrap_or_default(),
    }
}

/// The start of a text, on one line.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// Bold and faint text if the output is a terminal.
struct Style {
    terminal: bool,
}

impl Style {
    fn of_stdout() -> Self {
        Self { terminal: std::io::stdout().is_terminal() }
    }

    fn strong(&self, text: &str) -> String {
        self.code("1", text)
    }

    fn faint(&self, text: &str) -> String {
        self.code("2", text)
    }

    fn code(&self, code: &str, text: &str) -> String {
        if self.terminal { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
