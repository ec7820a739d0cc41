//! The commands that show threads: `threads`, `namespaces`, `history`, `show`.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use langgraph_checkpoint_guest::Access;
use langgraph_checkpoint_host::{
    CheckpointTuple, Config, Lifecycle, List, MetadataFilter, Payload, ThreadSummary, Version,
};
use serde_json::{Map, Value, json};

use crate::arguments::{History, Namespaces, Show, Threads, count_of};
use crate::failure::{Ended, Failure, Result};
use crate::opened::Opened;
use crate::output::{print, print_json, print_page};
use crate::{data, output, time};

/// The largest number of threads that are read at once.
pub(crate) const PAGE_MAX: u64 = 1_000;

/// The channel of LangGraph's that has a superstep's sends.
const TASKS: &str = "__pregel_tasks";

/// `threads`.
pub(crate) async fn list(arguments: Threads) -> Result<Ended> {
    let Threads { store, limit, after, prefix, idle_since, meta } = arguments;
    let mut left = count_of("--limit", &limit)?;
    let idle_since = idle_since.map(|text| time::of("--idle-since", &text)).transpose()?;
    let filter = meta.iter().map(|text| condition(text)).collect::<Result<Vec<_>>>()?;
    if filter.iter().map(|it| &it.key).collect::<BTreeSet<_>>().len() < filter.len() {
        return Err(Failure::usage("--meta names a key twice"));
    }
    let resume = after.map(|text| URL_SAFE_NO_PAD.decode(text).map_err(|_| refused_after()));
    let opened = Opened::open(&store, Access::Read).await?;
    let mut call = langgraph_checkpoint_host::Threads {
        resume: resume.transpose()?,
        idle_since,
        id_prefix: prefix,
        filter,
        ..Default::default()
    };
    let mut found: Vec<ThreadSummary> = Vec::new();
    loop {
        call.limit = Some(precise(left.min(PAGE_MAX)));
        let page = match opened.threads(call.clone()).await {
            Err(error) if error.code() == "foreign-resume" => {
                return Err(refused_after());
            }
            page => page?,
        };
        left = left.saturating_sub(page.threads.len() as u64);
        found.extend(page.threads);
        call.resume = page.next;
        if call.resume.is_none() || left == 0 {
            break;
        }
    }
    // A full page says where the next one begins, even if it is empty.
    call.limit = Some(1.0);
    let is_more = call.resume.is_some() && !opened.threads(call.clone()).await?.threads.is_empty();
    let next = call.resume.filter(|_| is_more).map(|next| URL_SAFE_NO_PAD.encode(next));
    print_page(
        &found,
        store.json,
        ("--after", next),
        summary,
        &[
            ("thread", |row| row.thread_id.as_str().into()),
            ("last put", |row| row.ts.as_str().into()),
            ("step", |row| field(&row.metadata, "step")),
            ("checkpoints", |row| row.checkpoints.into()),
            ("writes", |row| row.writes.into()),
            ("namespaces", |row| row.namespaces.into()),
            ("checkpoint", |row| row.checkpoint_id.as_str().into()),
        ],
    )?;
    Ok(Ended::Done)
}

/// `namespaces`.
pub(crate) async fn namespaces(arguments: Namespaces) -> Result<Ended> {
    let Namespaces { store, thread } = arguments;
    let opened = Opened::open(&store, Access::Read).await?;
    let config = Config { thread_id: thread.as_str().into(), ..Config::default() };
    let mut call = List { config, ..List::default() };
    let mut found: Vec<Namespace> = Vec::new();
    loop {
        let page = opened.page(call.clone()).await?;
        for tuple in page.tuples {
            match found.iter_mut().find(|it| it.namespace == tuple.checkpoint_ns) {
                Some(namespace) => namespace.checkpoints += 1,
                None => found.push(Namespace {
                    namespace: tuple.checkpoint_ns,
                    checkpoints: 1,
                    checkpoint_id: tuple.checkpoint_id,
                    ts: tuple.ts,
                }),
            }
        }
        if page.next.is_none() {
            break;
        }
        call.resume = page.next;
    }
    if found.is_empty() {
        return Ok(not_found(&thread));
    }
    print(
        &found,
        store.json,
        |row| {
            json!({
                "namespace": row.namespace,
                "checkpoints": row.checkpoints,
                "checkpointId": row.checkpoint_id,
                "ts": row.ts,
            })
        },
        &[
            ("namespace", |row| row.namespace.as_str().into()),
            ("last put", |row| row.ts.as_str().into()),
            ("checkpoints", |row| row.checkpoints.into()),
            ("checkpoint", |row| row.checkpoint_id.as_str().into()),
        ],
    )?;
    Ok(Ended::Done)
}

/// A namespace of a thread, and its newest checkpoint.
struct Namespace {
    namespace: String,
    checkpoints: u64,
    checkpoint_id: String,
    ts: String,
}

/// `history`.
pub(crate) async fn history(arguments: History) -> Result<Ended> {
    let History { store, thread, ns, limit, before } = arguments;
    let limit = count_of("--limit", &limit)?;
    let before = before.map(Into::into).unwrap_or_default();
    let opened = Opened::open(&store, Access::Read).await?;
    let config = config_of(&thread, &ns, None);
    // One more says whether there are more.
    let call = List { config, before, limit: Some(precise(limit + 1)), ..List::default() };
    let mut tuples = opened.list(call).await?;
    let count = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_more = tuples.len() > count;
    tuples.truncate(count);
    let Some(last) = tuples.last() else {
        return Ok(not_found(&thread));
    };
    let next = is_more.then(|| last.checkpoint_id.clone());
    print_page(
        &tuples,
        store.json,
        ("--before", next),
        row,
        &[
            ("checkpoint", |row| row.checkpoint_id.as_str().into()),
            ("put", |row| row.ts.as_str().into()),
            ("step", |row| field(&row.metadata, "step")),
            ("source", |row| field(&row.metadata, "source")),
            ("parent", |row| row.parent_checkpoint_id.as_deref().unwrap_or_default().into()),
            ("channels", |row| channels(row).join(" ").into()),
            ("writes", |row| row.pending_writes.len().into()),
        ],
    )?;
    Ok(Ended::Done)
}

/// `show`.
pub(crate) async fn show(arguments: Show) -> Result<Ended> {
    let Show { store, thread, checkpoint, ns } = arguments;
    let opened = Opened::open(&store, Access::Read).await?;
    let config = config_of(&thread, &ns, checkpoint.as_deref());
    let Some(tuple) = opened.get_tuple(config).await? else {
        return Ok(not_found(&thread));
    };
    print_json(&whole(&tuple), store.json)?;
    Ok(Ended::Done)
}

/// Says that a thread, or what was named of it, is not there.
pub(crate) fn not_found(thread: &str) -> Ended {
    output::say(&format!("thread {thread} has nothing like that"));
    Ended::Incomplete
}

fn refused_after() -> Failure {
    Failure::usage("--after is not what a list of threads said")
}

/// Which checkpoint of a thread; the newest if none is named.
pub(crate) fn config_of(thread: &str, ns: &str, checkpoint: Option<&str>) -> Config {
    Config {
        thread_id: thread.into(),
        checkpoint_ns: ns.into(),
        checkpoint_id: checkpoint.map(Into::into).unwrap_or_default(),
        ..Config::default()
    }
}

/// A condition on metadata: `KEY=VALUE`, with JSON or text as the value.
fn condition(text: &str) -> Result<MetadataFilter> {
    let (key, value) = text
        .split_once('=')
        .filter(|(key, _)| !key.is_empty())
        .ok_or_else(|| Failure::usage("--meta takes KEY=VALUE"))?;
    let json = match serde_json::from_str::<Value>(value) {
        Ok(value) => data::compact(&value),
        Err(_) => Value::from(value).to_string(),
    };
    Ok(MetadataFilter { key: key.to_owned(), json })
}

fn summary(thread: &ThreadSummary) -> Value {
    json!({
        "threadId": thread.thread_id,
        "checkpointId": thread.checkpoint_id,
        "ts": thread.ts,
        "namespaces": thread.namespaces,
        "checkpoints": thread.checkpoints,
        "writes": thread.writes,
        "metadata": data::shown(&thread.metadata),
    })
}

fn row(tuple: &CheckpointTuple) -> Value {
    let mut row = Map::new();
    row.insert("checkpointId".to_owned(), tuple.checkpoint_id.as_str().into());
    row.insert("ts".to_owned(), tuple.ts.as_str().into());
    if let Some(parent) = &tuple.parent_checkpoint_id {
        row.insert("parentId".to_owned(), parent.as_str().into());
    }
    row.insert("channels".to_owned(), channels(tuple).into());
    row.insert("metadata".to_owned(), data::shown(&tuple.metadata));
    row.insert("writes".to_owned(), tuple.pending_writes.len().into());
    row.into()
}

/// The names of the channels that have a value.
fn channels(tuple: &CheckpointTuple) -> Vec<&str> {
    let mut names: Vec<&str> =
        tuple.channel_values.iter().map(|entry| entry.channel.as_str()).collect();
    if tuple.pending_sends.is_some() && !names.contains(&TASKS) {
        names.push(TASKS);
    }
    names
}

/// A checkpoint with all that belongs to it, as LangGraph shows it.
fn whole(tuple: &CheckpointTuple) -> Value {
    let values = tuple.channel_values.iter();
    let mut values: Map<String, Value> =
        values.map(|entry| (entry.channel.clone(), data::shown(&entry.value))).collect();
    let versions = tuple.channel_versions.iter();
    let mut versions: Map<String, Value> =
        versions.map(|entry| (entry.channel.clone(), number_or_text(&entry.version))).collect();
    if let Some(sends) = &tuple.pending_sends {
        values.insert(TASKS.to_owned(), sends.iter().map(data::shown).collect());
        versions.insert(TASKS.to_owned(), newest(tuple));
    }
    let mut checkpoint = Map::new();
    checkpoint.insert("v".to_owned(), tuple.v.into());
    checkpoint.insert("id".to_owned(), tuple.checkpoint_id.as_str().into());
    checkpoint.insert("ts".to_owned(), tuple.ts.as_str().into());
    checkpoint.insert("channel_values".to_owned(), values.into());
    checkpoint.insert("channel_versions".to_owned(), versions.into());
    if let Value::Object(rest) = data::shown(&tuple.rest) {
        checkpoint.extend(rest);
    }
    let mut whole = Map::new();
    whole.insert("checkpoint".to_owned(), checkpoint.into());
    whole.insert("metadata".to_owned(), data::shown(&tuple.metadata));
    if let Some(parent) = &tuple.parent_checkpoint_id {
        whole.insert("parentId".to_owned(), parent.as_str().into());
    }
    let writes = tuple.pending_writes.iter();
    let writes = writes.map(|it| json!([it.task_id, it.channel, data::shown(&it.value)]));
    whole.insert("pendingWrites".to_owned(), writes.collect());
    whole.into()
}

/// The version that LangGraph gives the sends of an old checkpoint: its newest one.
fn newest(tuple: &CheckpointTuple) -> Value {
    let versions = tuple.channel_versions.iter().map(|entry| &entry.version);
    let newer = |one, other| match (one, other) {
        (&Version::Number(a), &Version::Number(b)) if a >= b => one,
        (Version::Text(a), Version::Text(b)) if a >= b => one,
        _ => other,
    };
    versions.reduce(newer).map_or(1.into(), number_or_text)
}

/// A version as JSON.
pub(crate) fn number_or_text(version: &Version) -> Value {
    match version {
        Version::Number(number) => (*number).into(),
        Version::Text(text) => text.as_str().into(),
    }
}

/// A field of an object; the empty text if it is not there.
fn field(metadata: &Payload, name: &str) -> Value {
    match data::shown(metadata).get(name) {
        None | Some(Value::Null) => "".into(),
        Some(value) => value.clone(),
    }
}

/// A count has at most 15 digits.
#[expect(clippy::cast_precision_loss, reason = "15 digits are exact")]
pub(crate) fn precise(count: u64) -> f64 {
    count as f64
}
