//! A process that follows a plan on a SQLite file, as `js/harness/support/caller.mjs` does in
//! JavaScript. The harnesses there define plans and judge the results of both. It prints `ready`,
//! and starts when its input ends.
//!
//! ```text
//! cargo run -p langgraph-checkpoint-host --example caller -- <plan> <log> <database>
//! ```

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::sync::Arc;

use langgraph_checkpoint_host::{
    ChannelValue, ChannelVersion, Checkpoint, CheckpointTuple, Checkpointer, Config,
    Error as CallError, Id, Limits, List, NewWrite, Payload, Planner, Put, PutWrites,
    SqliteOptions, Stored, Synchronous, Version,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

const COMPONENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/components/planner.wasm");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [plan, log, database] = arguments.as_slice() else {
        return Err("usage: caller <plan> <log> <database>".into());
    };
    let plan: Value = serde_json::from_slice(&std::fs::read(plan)?)?;
    let log = OpenOptions::new().append(true).create(true).open(log)?;
    let caller = Arc::new(Caller { plan, log });
    let planner = Planner::from_file(COMPONENT, Limits::default())?;
    println!("ready");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    let mut checkpointer = None;
    let mut under_way = JoinSet::new();
    for turn in items(&caller.plan["turns"]) {
        if !turn["open"].is_null() {
            wait_for(&mut under_way).await?;
            drop(checkpointer.take());
            checkpointer = Some(Arc::new(caller.open(planner.clone(), database).await?));
        }
        let checkpointer = checkpointer.as_ref().ok_or("a plan opens the database first")?;
        if turn["alone"] == true {
            wait_for(&mut under_way).await?;
        }
        for call in items(&turn["calls"]) {
            let (caller, checkpointer) = (Arc::clone(&caller), Arc::clone(checkpointer));
            let call = call.clone();
            under_way.spawn(async move { caller.make(&checkpointer, &call).await });
            if turn["wait"] == "each" {
                wait_for(&mut under_way).await?;
            }
        }
        if turn["wait"] == "together" {
            wait_for(&mut under_way).await?;
        }
    }
    wait_for(&mut under_way).await
}

async fn wait_for(calls: &mut JoinSet<std::io::Result<()>>) -> Result<(), Box<dyn Error>> {
    while let Some(made) = calls.join_next().await {
        made??;
    }
    Ok(())
}

struct Caller {
    plan: Value,
    log: File,
}

impl Caller {
    async fn open(&self, planner: Planner, path: &str) -> Result<Checkpointer, CallError> {
        let synchronous = match &self.plan["options"]["synchronous"] {
            Value::String(level) if level == "normal" => Synchronous::Normal,
            _ => Synchronous::Full,
        };
        let busy_deadline = std::time::Duration::from_secs(60);
        let options = SqliteOptions { synchronous, busy_deadline, ..SqliteOptions::default() };
        Checkpointer::open_sqlite(planner, path, options).await
    }

    /// Makes a call, and logs a line before and after it. Concurrent calls have no order here.
    async fn make(&self, checkpointer: &Checkpointer, call: &Value) -> std::io::Result<()> {
        let (name, number) = (text(&self.plan["name"]), &call["n"]);
        self.say(&format!("B {name} {number} -\n"))?;
        let result = match self.perform(checkpointer, call).await {
            Ok(Some(read)) => json!({ "read": read }),
            Ok(None) => json!({}),
            Err(error) => json!({ "failed": failure(&error) }),
        };
        self.say(&format!("E {name} {number} {result}\n"))
    }

    /// One write to the system, so that lines of several processes do not mix.
    fn say(&self, line: &str) -> std::io::Result<()> {
        (&self.log).write_all(line.as_bytes())
    }

    /// What the call read, if it reads.
    async fn perform(
        &self,
        checkpointer: &Checkpointer,
        call: &Value,
    ) -> Result<Option<String>, CallError> {
        match text(&call["op"]) {
            "put" => {
                checkpointer.put(self.to_put(call)).await?;
                Ok(None)
            }
            "writes" => {
                checkpointer.put_writes(to_writes(call)).await?;
                Ok(None)
            }
            "delete" => {
                checkpointer.delete_thread(config(call, &Value::Null)).await?;
                Ok(None)
            }
            "get" => {
                let found = checkpointer.get_tuple(config(call, &call["id"])).await?;
                Ok(Some(found.as_ref().map_or_else(|| "nothing".to_owned(), summary)))
            }
            _ => {
                let list = List { config: config(call, &Value::Null), ..List::default() };
                let tuples = checkpointer.list(list).try_collect().await?;
                Ok(Some(tuples.iter().map(summary).collect::<Vec<_>>().join("\n")))
            }
        }
    }

    fn to_put(&self, call: &Value) -> Put {
        let channel_values = entries(&call["values"]).map(|(channel, number)| {
            let at = number.as_u64().and_then(|number| usize::try_from(number).ok());
            let value = json_payload(text(&self.plan["texts"][at.unwrap_or(usize::MAX)]));
            ChannelValue { channel: channel.clone(), value: value.into() }
        });
        let channel_versions = entries(&call["versions"]).map(|(channel, version)| {
            let version = Version::Number(version.as_f64().unwrap_or_default());
            ChannelVersion { channel: channel.clone(), version }
        });
        Put {
            config: config(call, &call["parent"]),
            checkpoint: Checkpoint {
                id: text(&call["id"]).into(),
                v: 4.0,
                ts: "2027-01-01T00:00:00.000Z".to_owned(),
                channel_versions: channel_versions.collect(),
                channel_values: channel_values.collect(),
                rest: json_payload("{\"versions_seen\":{}}"),
            },
            metadata: json_payload(text(&call["metadata"])),
            new_versions: items(&call["changed"]).map(|one| text(one).to_owned()).collect(),
            run_id: Id::Absent,
            known: None,
        }
    }
}

fn to_writes(call: &Value) -> PutWrites {
    let writes = items(&call["writes"]).map(|write| NewWrite {
        channel: text(&write[0]).to_owned(),
        value: json_payload(text(&write[1])),
    });
    PutWrites {
        config: config(call, &call["id"]),
        writes: writes.collect(),
        task_id: text(&call["task"]).into(),
        task_path: String::new(),
    }
}

fn config(call: &Value, id: &Value) -> Config {
    Config {
        thread_id: text(&call["thread"]).into(),
        checkpoint_id: id.as_str().map_or(Id::Absent, Id::from),
        ..Config::default()
    }
}

/// A text that summarizes a tuple, the same as that of `js/harness/support/summary.mjs`.
fn summary(tuple: &CheckpointTuple) -> String {
    let mut values: Vec<_> = tuple.channel_values.iter().collect();
    values.sort_by(|a, b| a.channel.cmp(&b.channel));
    let values = values.iter().flat_map(|entry| [entry.channel.as_bytes(), &entry.value.bytes]);
    let state = digest(std::iter::once(&*tuple.metadata.bytes).chain(values));
    let writes = tuple.pending_writes.iter().map(|write| {
        let value = digest(std::iter::once(&*write.value.bytes));
        format!("{}:{}={value}", write.task_id, write.channel)
    });
    let writes = writes.collect::<Vec<_>>().join(" ");
    let parent = tuple.parent_checkpoint_id.as_deref().unwrap_or("none");
    format!("{} after {parent} {state} [{writes}]", tuple.checkpoint_id)
}

fn digest<'a>(parts: impl Iterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// An error as the log has it; only failures of the store say what they left there.
fn failure(error: &CallError) -> Value {
    let mut failed = json!({ "code": error.code(), "message": error.to_string() });
    if let CallError::Storage(error) = error {
        let unknown = error.stored() == Stored::Unknown;
        failed["stored"] = json!(if unknown { "unknown" } else { "nothing" });
    }
    failed
}

fn json_payload(text: &str) -> Payload {
    Payload { kind: "json".to_owned(), bytes: text.as_bytes().to_vec() }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
