//! Shared by the tests: the component, futures that are polled by hand, calls with plain values.

#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod evil;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use langgraph_checkpoint_guest::{Call, FoundCheckpoint, Outcome, Page, ThreadsPage, TupleValue};
use langgraph_checkpoint_host::{
    ChannelValue, ChannelVersion, Checkpoint, CheckpointTuple, Checkpointer, Config, Error, Id,
    Lifecycle, NewWrite, Payload, Planner, Put, PutWrites, SqliteOptions, StorageAdapter, Version,
};
use langgraph_checkpoint_tests::transcript::{self, Transcript};

/// The bytes of the built component.
#[cfg(feature = "component")]
pub(crate) fn component_bytes() -> Vec<u8> {
    let path = component_path();
    std::fs::read(&path).unwrap_or_else(|error| {
        panic!("{} is not there ({error}): run `cargo xtask component` first", path.display())
    })
}

pub(crate) fn component_path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/components/planner.wasm")
}

/// The built component with default limits, compiled once for each test program.
#[cfg(feature = "component")]
pub(crate) fn component() -> Planner {
    use std::sync::OnceLock;

    use langgraph_checkpoint_host::Limits;

    static PLANNER: OnceLock<Planner> = OnceLock::new();
    PLANNER
        .get_or_init(|| Planner::from_bytes(&component_bytes(), Limits::default()).unwrap())
        .clone()
}

/// The component for Kusto with default limits, compiled once for each test program.
#[cfg(feature = "kusto")]
pub(crate) fn kusto_component() -> langgraph_checkpoint_host::KustoComponent {
    use std::sync::OnceLock;

    use langgraph_checkpoint_host::{KustoComponent, Limits};

    static COMPONENT: OnceLock<KustoComponent> = OnceLock::new();
    let path = component_path().with_file_name("checkpointer-kusto.wasm");
    COMPONENT.get_or_init(|| KustoComponent::from_file(path, Limits::default()).unwrap()).clone()
}

pub(crate) async fn open(planner: Planner, path: impl AsRef<Path>) -> Checkpointer {
    Checkpointer::open_sqlite(planner, path, SqliteOptions::default()).await.unwrap()
}

/// Polls a future once. The first poll of a batch on an idle queue puts it there.
pub(crate) fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

pub(crate) fn config(thread_id: &str) -> Config {
    Config { thread_id: thread_id.into(), ..Config::default() }
}

pub(crate) fn at(thread_id: &str, checkpoint_id: &str) -> Config {
    Config { checkpoint_id: checkpoint_id.into(), ..config(thread_id) }
}

pub(crate) fn json(text: &str) -> Payload {
    Payload { kind: "json".to_owned(), bytes: text.as_bytes().to_vec() }
}

/// A checkpoint of one channel, `messages`, with a value of its own.
pub(crate) fn put(thread_id: &str, parent: Option<&str>, checkpoint_id: &str, value: &str) -> Put {
    Put {
        config: Config { checkpoint_id: parent.map_or(Id::Absent, Id::from), ..config(thread_id) },
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
                value: json(value).into(),
            }],
            rest: json("{}"),
        },
        metadata: json(r#"{"source":"loop","step":1,"parents":{}}"#),
        new_versions: vec!["messages".to_owned()],
        run_id: Id::Absent,
        known: None,
    }
}

pub(crate) fn put_writes(thread_id: &str, checkpoint_id: &str, task_id: &str) -> PutWrites {
    PutWrites {
        config: at(thread_id, checkpoint_id),
        writes: vec![NewWrite { channel: "messages".to_owned(), value: json("[\"written\"]") }],
        task_id: task_id.into(),
        task_path: String::new(),
    }
}

/// A state of several channels, one of them large enough to be split.
pub(crate) fn large(
    thread_id: &str,
    parent: Option<&str>,
    checkpoint_id: &str,
    messages: usize,
) -> Put {
    let mut large = put(thread_id, parent, checkpoint_id, "[]");
    let text = "All work and no play makes a dull checkpoint. ".repeat(20);
    let messages: Vec<_> =
        (0..messages).map(|n| format!("{{\"n\":{n},\"t\":\"{text}\"}}")).collect();
    large.checkpoint.channel_values = vec![
        ChannelValue {
            channel: "messages".to_owned(),
            value: json(&format!("[{}]", messages.join(","))).into(),
        },
        ChannelValue {
            channel: "image".to_owned(),
            value: Payload {
                kind: "bytes".to_owned(),
                bytes: (0..=255).cycle().take(100_000).collect(),
            }
            .into(),
        },
        ChannelValue { channel: "topic".to_owned(), value: json("\"checkpoints\"").into() },
    ];
    large.checkpoint.channel_versions.push(ChannelVersion {
        channel: "image".to_owned(),
        version: Version::Text("0001.5".to_owned()),
    });
    large.new_versions = vec!["messages".to_owned(), "image".to_owned()];
    large
}

/// The values of a put, as they come back.
pub(crate) fn whole(put: &Put) -> Vec<ChannelValue> {
    put.checkpoint
        .channel_values
        .iter()
        .map(langgraph_checkpoint_tests::editor::whole_value)
        .collect()
}

/// Makes the calls of a transcript, and compares what they give.
pub(crate) async fn play(
    checkpointer: &Checkpointer<impl StorageAdapter>,
    name: &str,
    transcript: &Transcript,
) {
    for (index, step) in transcript.steps.iter().enumerate() {
        let outcomes = call(checkpointer, transcript::call(&step.call)).await;
        assert_eq!(
            transcript::gives(outcomes.as_ref().map(Clone::clone).map_err(Error::code)),
            transcript::expand(&step.gives, "#"),
            "{name}, step {index}: {}",
            step.call
        );
    }
}

async fn call(
    checkpointer: &Checkpointer<impl StorageAdapter>,
    call: Call,
) -> Result<Vec<Outcome>, Error> {
    let outcome = match call {
        Call::Setup | Call::Flush => panic!("a checkpointer does this by itself"),
        Call::GetTuple(get) => {
            let tuple = checkpointer.get_tuple(get.config).await?;
            let found = |tuple| FoundCheckpoint { tuple, known: Vec::new(), bases: Vec::new() };
            Outcome::Found(tuple.and_then(as_given).map(found))
        }
        Call::List(list) => {
            let tuples = checkpointer.list(list).try_collect().await?;
            let tuples = tuples.into_iter().filter_map(as_given).collect();
            Outcome::Page(Page { tuples, shared: Vec::new(), next: None })
        }
        Call::Put(put) => Outcome::Stored(checkpointer.put(put).await?),
        Call::PutWrites(put_writes) => {
            checkpointer.put_writes(put_writes).await?;
            Outcome::WritesStored
        }
        Call::DeleteThread(config) => {
            checkpointer.delete_thread(config).await?;
            Outcome::Deleted
        }
        Call::DeltaChannelHistory(history) => {
            let (config, channels) = (history.config, history.channels);
            Outcome::History(checkpointer.get_delta_channel_history(config, channels).await?)
        }
        Call::Vacuum(vacuum) => Outcome::Worked(checkpointer.vacuum(vacuum).await?),
        call => return on_threads(checkpointer, call).await,
    };
    Ok(vec![outcome])
}

/// Makes a call about whole threads until nothing is left to do.
pub(crate) async fn on_threads(
    checkpointer: &impl Lifecycle,
    call: Call,
) -> Result<Vec<Outcome>, Error> {
    let outcome = match call {
        Call::Prune(prune) => Outcome::Worked(checkpointer.prune_all(prune).await?),
        Call::CopyThread(copy) => Outcome::Worked(checkpointer.copy_thread(copy).await?),
        Call::Threads(mut call) => {
            let mut all = ThreadsPage::default();
            loop {
                let page = checkpointer.threads(call.clone()).await?;
                all.threads.extend(page.threads);
                call.resume = page.next;
                if call.resume.is_none() {
                    break Outcome::Threads(all);
                }
            }
        }
        Call::Stats(Id::Text(thread)) => Outcome::Stats(checkpointer.stats(Some(&thread)).await?),
        Call::Stats(_) => Outcome::Stats(checkpointer.stats(None).await?),
        Call::Verify(verify) => Outcome::Verified(checkpointer.verify(verify).await?),
        Call::Diff(diff) => Outcome::Differences(checkpointer.diff(diff).await?),
        Call::Export(mut call) => {
            let mut all = Vec::new();
            while let Some(exported) = checkpointer.export(call.clone()).await? {
                call.resume = Some(exported.next.clone());
                all.push(Outcome::Exported(Some(exported)));
            }
            all.push(Outcome::Exported(None));
            return Ok(all);
        }
        call => panic!("{} is not about whole threads", call.name()),
    };
    Ok(vec![outcome])
}

/// A tuple with whole values, as the planner returns it.
pub(crate) fn as_given(tuple: CheckpointTuple) -> Option<CheckpointTuple<TupleValue>> {
    tuple.map_values(|value| Some(TupleValue::Whole(value)))
}
