//! The transcripts and more on a Kusto, through the component and WASI's HTTP: the local one that
//! `cargo xtask test` starts, or the cluster that the environment names. Without either, the tests
//! print so and do nothing.

#![cfg(feature = "kusto")]

mod support;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use langgraph_checkpoint_guest::{Call, FoundCheckpoint, Outcome, Page, Verify};
use langgraph_checkpoint_host::{
    Error, Keep, KustoCheckpointer, KustoIngestMode, KustoLogin, KustoOptions, Lifecycle, List,
    Prune, Pruned, Put,
};
use langgraph_checkpoint_tests::transcript::{self, Transcript};
use support::{config, kusto_component, large, put, put_writes, whole};

/// Options for a separate database; `None` without a Kusto.
fn options(name: &str) -> Option<KustoOptions> {
    let Ok(cluster_uri) = std::env::var("KUSTO_CLUSTER_URI") else {
        eprintln!("skipped: KUSTO_CLUSTER_URI names no cluster");
        return None;
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let database = std::env::var("KUSTO_DATABASE").unwrap_or_else(|_| format!("{name}_{now}"));
    let token = std::env::var("KUSTO_ACCESS_TOKEN").ok();
    let login = token.map_or(KustoLogin::None, KustoLogin::Token);
    Some(KustoOptions { login, ..KustoOptions::new(cluster_uri, database) })
}

fn open(options: KustoOptions) -> KustoCheckpointer {
    KustoCheckpointer::open(kusto_component(), options).unwrap()
}

#[tokio::test]
async fn every_transcript_gives_the_outcomes_of_sqlite() {
    for (name, transcript) in transcript::all() {
        let Some(options) = options("host") else { return };
        run(&open(options), &name, &transcript).await;
    }
}

#[tokio::test]
async fn write_behind_and_inline_give_the_same_outcomes() {
    for (name, transcript) in transcript::all() {
        let Some(behind) = options("behind") else { return };
        let inline =
            KustoOptions { ingest_mode: KustoIngestMode::Inline, ..options("inline").unwrap() };
        let behind = KustoOptions { batch_size: Some(1000), instances: Some(3), ..behind };
        for options in [behind, inline] {
            run(&open(options), &name, &transcript).await;
        }
    }
}

async fn run(checkpointer: &KustoCheckpointer, name: &str, transcript: &Transcript) {
    for (index, step) in transcript.steps.iter().enumerate() {
        let outcomes = call(checkpointer, transcript::call(&step.call)).await;
        let given = outcomes.as_ref().map(Clone::clone).map_err(Error::code);
        assert_eq!(
            transcript::keeping_chunks(step, transcript::gives(given)),
            transcript::keeping_chunks(step, transcript::expand(&step.gives, "#")),
            "{name}, step {index}: {}",
            step.call
        );
    }
}

async fn call(checkpointer: &KustoCheckpointer, call: Call) -> Result<Vec<Outcome>, Error> {
    let outcome = match call {
        Call::Setup | Call::Flush => panic!("no transcript has it"),
        Call::GetTuple(get) => {
            let tuple = checkpointer.get_tuple(get.config).await?;
            let found = |tuple| FoundCheckpoint { tuple, known: Vec::new(), bases: Vec::new() };
            Outcome::Found(tuple.and_then(support::as_given).map(found))
        }
        Call::List(list) => {
            let tuples = checkpointer.list(list).try_collect().await?;
            let tuples = tuples.into_iter().filter_map(support::as_given).collect();
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
        call => return support::on_threads(checkpointer, call).await,
    };
    Ok(vec![outcome])
}

#[tokio::test]
async fn what_was_put_in_many_lanes_is_verified_and_pruned_as_a_whole() {
    let Some(options) = options("lifecycle") else { return };
    let checkpointer = open(KustoOptions { instances: Some(4), ..options });
    for n in 0..6 {
        let thread = format!("t{n}");
        checkpointer.put(large(&thread, None, "c1", 10)).await.unwrap();
        checkpointer.put(large(&thread, Some("c1"), "c2", 12)).await.unwrap();
    }
    let mut verify = Verify::default();
    let verified = loop {
        let verified = checkpointer.verify(verify.clone()).await.unwrap();
        assert_eq!(verified.problems, []);
        verify.resume = verified.next.clone();
        if verify.resume.is_none() {
            break verified;
        }
    };
    assert_eq!((verified.threads, verified.checkpoints), (6, 12));
    let all = Prune {
        pruned: Pruned::Idle("9999-01-01T00:00:00Z".to_owned()),
        keep: Keep::Latest,
        limit: None,
        dry_run: false,
        lease: None,
        resume: None,
    };
    let work = checkpointer.prune_all(all).await.unwrap();
    assert_eq!((work.threads, work.checkpoints), (6, 6));
    for n in 0..6 {
        let tuple = checkpointer.get_tuple(config(&format!("t{n}"))).await.unwrap().unwrap();
        assert_eq!(tuple.checkpoint_id, "c2");
    }
    assert_eq!(checkpointer.stats(None).await.unwrap().checkpoints, 6);
}

#[tokio::test]
async fn setup_finds_what_is_provisioned_and_misses_what_is_not() {
    let Some(options) = options("setup") else { return };
    open(options.clone()).setup().await.unwrap();
    let missing = KustoOptions { table: Some("NoSuchTable".to_owned()), ..options };
    let error = open(missing).setup().await.unwrap_err();
    assert!(matches!(error, Error::Denied(_)), "{error:?}");
    assert!(error.to_string().contains("provision.kql"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_many_threads_run_at_once_and_each_sees_its_own() {
    let Some(options) = options("many") else { return };
    let checkpointer = Arc::new(open(KustoOptions { instances: Some(4), ..options }));
    let tasks: Vec<_> = (0..12)
        .map(|n| {
            let checkpointer = Arc::clone(&checkpointer);
            tokio::spawn(async move {
                let thread = format!("t{n}");
                let large = large(&thread, None, "c1", 10);
                checkpointer.put(large.clone()).await.unwrap();
                checkpointer.put_writes(put_writes(&thread, "c1", "task")).await.unwrap();
                let tuple = checkpointer.get_tuple(config(&thread)).await.unwrap().unwrap();
                assert_eq!(tuple.channel_values, whole(&large));
                assert_eq!(tuple.pending_writes.len(), 1);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let all = checkpointer.list(List::default()).try_collect().await.unwrap();
    assert_eq!(all.len(), 12);
}

#[tokio::test]
async fn what_waits_is_ingested_in_time_by_a_flush_and_at_the_end() {
    let Some(options) = options("waits") else { return };
    let behind = |interval| KustoOptions {
        batch_size: Some(1000),
        flush_interval: Some(interval),
        ..options.clone()
    };
    let reader = open(options.clone());
    let seen = async |id: &str| {
        reader.get_tuple(config("t")).await.unwrap().is_some_and(|tuple| tuple.checkpoint_id == id)
    };
    let writer = open(behind(Duration::from_secs(3600)));
    writer.put(put("t", None, "c1", "[1]")).await.unwrap();
    assert!(!seen("c1").await, "it is acknowledged before it is ingested");
    writer.flush().await.unwrap();
    assert!(seen("c1").await);
    writer.put(put("t", Some("c1"), "c2", "[1,2]")).await.unwrap();
    writer.close().await.unwrap();
    assert!(seen("c2").await);

    let writer = open(behind(Duration::from_millis(1)));
    writer.put(put("t", Some("c2"), "c3", "[1,2,3]")).await.unwrap();
    while !seen("c3").await {
        tokio::task::yield_now().await;
    }
    drop(writer);
}

#[tokio::test]
async fn values_that_refer_to_a_base_are_refused() {
    let Some(options) = options("whole") else { return };
    let checkpointer = open(options);
    let mut edited = put("t", None, "c1", "[1]");
    edited.checkpoint.channel_values[0].value = langgraph_checkpoint_guest::NewValue::Unchanged;
    let error = checkpointer.put(edited).await.unwrap_err();
    assert_eq!(error.code(), "needs-whole-values");
    checkpointer.put(put("t", None, "c1", "[1]")).await.unwrap();
}

#[tokio::test]
async fn bad_input_is_refused_with_its_code_and_the_checkpointer_stays_usable() {
    let Some(options) = options("bad") else { return };
    let checkpointer = open(options);
    let unnamed = Put { config: Default::default(), ..put("t", None, "c1", "[]") };
    let error = checkpointer.put(unnamed).await.unwrap_err();
    assert!(matches!(error, Error::InvalidInput(_)), "{error:?}");
    assert!(error.to_string().contains("thread_id"), "{error}");
    checkpointer.put(put("t", None, "c1", "[]")).await.unwrap();
}
