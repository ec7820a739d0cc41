//! Calls about whole threads, and what they give.

use langgraph_checkpoint_guest as guest;
use langgraph_checkpoint_guest::{Call, Difference, Exported, Outcome, PartSize, Version};
use serde_json::{Map, Value, json};

use super::{conditions, config, id, list, number, text, three, tuple, value};

/// The call that a step makes.
pub(super) fn call(name: &str, step: &Value) -> Call {
    match name {
        "prune" => Call::Prune(guest::Prune {
            pruned: guest::Pruned::Threads(list(&step["threads"]).iter().map(id).collect()),
            keep: keep(&step["keep"]),
            limit: None,
            dry_run: step["dry_run"] == true,
            lease: None,
            resume: None,
        }),
        "delete_for_runs" => Call::Prune(guest::Prune {
            pruned: guest::Pruned::Runs(list(&step["runs"]).iter().map(id).collect()),
            keep: guest::Keep::Latest,
            limit: None,
            dry_run: false,
            lease: None,
            resume: None,
        }),
        "expire" => Call::Prune(guest::Prune {
            pruned: guest::Pruned::Idle(text(&step["idle"])),
            keep: keep(&step["keep"]),
            limit: step["limit"].as_f64(),
            dry_run: false,
            lease: step["lease"].as_object().map(|lease| guest::Lease {
                now_ms: lease["now_ms"].as_f64().unwrap_or_default(),
                length_ms: lease["length_ms"].as_f64().unwrap_or_default(),
            }),
            resume: None,
        }),
        "copy_thread" => Call::CopyThread(guest::CopyThread {
            source: id(&step["source"]),
            target: id(&step["target"]),
            latest_only: step["latest_only"] == true,
        }),
        "threads" => Call::Threads(guest::Threads {
            limit: step["limit"].as_f64(),
            idle_since: step["idle_since"].as_str().map(str::to_owned),
            id_prefix: step["id_prefix"].as_str().map(str::to_owned),
            filter: conditions(&step["metadata"]),
            resume: None,
        }),
        "stats" => Call::Stats(id(&step["thread_id"])),
        "diff" => Call::Diff(guest::Diff {
            config: config(&step["config"]),
            before: id(&step["before"]),
            values: step["values"] == true,
        }),
        "export" => Call::Export(guest::Export { thread: id(&step["thread_id"]), resume: None }),
        _ => panic!("{name} is no call"),
    }
}

fn keep(rule: &Value) -> guest::Keep {
    match rule {
        Value::Object(rule) => match (rule.get("last"), rule.get("newer_than")) {
            (Some(count), _) => {
                guest::Keep::Last(u32::try_from(count.as_u64().unwrap_or_default()).unwrap())
            }
            (_, time) => guest::Keep::NewerThan(text(time.unwrap_or(&Value::Null))),
        },
        _ if rule == "nothing" => guest::Keep::Nothing,
        _ => guest::Keep::Latest,
    }
}

/// What the outcomes of one call give; `None` if it is not about whole threads.
pub(super) fn gives(outcomes: &[Outcome]) -> Option<Value> {
    // The last of several says what all did together.
    Some(match outcomes.last()? {
        Outcome::Threads(_) => {
            let threads = outcomes.iter().flat_map(|outcome| match outcome {
                Outcome::Threads(page) => page.threads.as_slice(),
                _ => &[],
            });
            json!({ "threads": threads.map(thread).collect::<Vec<_>>() })
        }
        Outcome::Worked(work) => json!({ "work": {
            "threads": work.threads,
            "checkpoints": work.checkpoints,
            "writes": work.writes,
            "chunks": work.chunks,
            "bytes": work.bytes,
        } }),
        Outcome::Stats(stats) => json!({ "stats": {
            "threads": stats.threads,
            "checkpoints": stats.checkpoints,
            "writes": stats.writes,
            "record_bytes": stats.record_bytes,
            "chunks": stats.chunks,
            "chunk_bytes": stats.chunk_bytes,
        } }),
        Outcome::Differences(found) => json!({ "difference": found.as_ref().map(difference) }),
        Outcome::Exported(_) => {
            let all = outcomes.iter().filter_map(|outcome| match outcome {
                Outcome::Exported(exported) => exported.as_ref(),
                _ => None,
            });
            json!({ "exported": all.map(exported).collect::<Vec<_>>() })
        }
        _ => return None,
    })
}

fn thread(thread: &guest::ThreadSummary) -> Value {
    json!({
        "thread_id": thread.thread_id,
        "checkpoint_id": thread.checkpoint_id,
        "ts": thread.ts,
        "metadata": value(&thread.metadata),
        "namespaces": thread.namespaces,
        "checkpoints": thread.checkpoints,
        "writes": thread.writes,
    })
}

/// What is not there has no key.
fn difference(found: &Difference) -> Value {
    let channels = found.channels.iter().map(|channel| {
        let elements = channel.elements.as_ref().map(|elements| {
            let element = |element: &guest::ElementDifference| {
                object([
                    ("place", element.place.map(Value::from)),
                    ("before", element.before.as_ref().map(part)),
                    ("after", element.after.as_ref().map(part)),
                ])
            };
            elements.iter().map(element).collect()
        });
        object([
            ("channel", Some(channel.channel.as_str().into())),
            ("version_before", channel.version_before.as_ref().map(version)),
            ("version_after", channel.version_after.as_ref().map(version)),
            ("before", channel.before.as_ref().map(part)),
            ("after", channel.after.as_ref().map(part)),
            ("elements", elements),
        ])
    });
    let writes = found.writes.iter().map(|write| {
        json!({
            "task_id": write.task_id,
            "channel": write.channel,
            "value": part(&write.value),
        })
    });
    object([
        ("before", found.before.as_deref().map(Value::from)),
        ("channels", Some(channels.collect())),
        ("writes", Some(writes.collect())),
    ])
}

fn part(part: &PartSize) -> Value {
    object([("bytes", Some(part.bytes.into())), ("value", part.value.as_ref().map(value))])
}

fn version(version: &Version) -> Value {
    match version {
        Version::Number(version) => number(*version),
        Version::Text(text) => text.as_str().into(),
    }
}

/// A checkpoint as a read gives it, with the places of its writes. `checkpoint` is null if only its
/// writes are stored.
fn exported(exported: &Exported) -> Value {
    let mut given = match exported.checkpoint.as_ref().map(tuple) {
        Some(Value::Object(given)) => given,
        _ => Map::from_iter([("checkpoint".to_owned(), Value::Null)]),
    };
    given.shift_remove("pending_writes");
    let Exported { thread_id, checkpoint_ns, checkpoint_id, .. } = exported;
    given.insert("config".to_owned(), three(thread_id, checkpoint_ns, checkpoint_id));
    let writes = exported.writes.iter().map(|write| {
        json!([write.task_id, write.task_path, write.idx, write.channel, value(&write.value)])
    });
    given.insert("writes".to_owned(), writes.collect());
    Value::Object(given)
}

fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let members = members.into_iter();
    let members = members.filter_map(|(name, value)| Some((name.to_owned(), value?)));
    members.collect::<Map<_, _>>().into()
}
