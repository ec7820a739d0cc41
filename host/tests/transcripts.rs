//! The transcripts through the whole host: the real component under wasmtime, and the guest
//! compiled natively. Both on a SQLite file, and both pass on what is known.

#![cfg(feature = "component")]

mod support;

use std::path::Path;

use langgraph_checkpoint_guest::{
    Call, CheckpointTuple, FoundCheckpoint, Outcome, Page, TupleValue,
};
use langgraph_checkpoint_host::{Checkpointer, Error, Planner, SqliteOptions};
use langgraph_checkpoint_tests::transcript::{self, Transcript};
use rusqlite::Connection;

#[tokio::test]
async fn every_transcript_holds_under_wasmtime() {
    run_all(&support::component()).await;
}

#[tokio::test]
async fn every_transcript_holds_natively() {
    run_all(&Planner::native()).await;
}

async fn run_all(planner: &Planner) {
    let transcripts = transcript::all();
    assert!(!transcripts.is_empty());
    for (name, transcript) in transcripts {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("checkpoints.db");
        run(planner.clone(), &path, &name, &transcript).await;
        let stored = transcript::stored(&Connection::open(&path).unwrap());
        assert_eq!(stored, transcript.stored, "{name}: the stored bytes");
    }
}

async fn run(planner: Planner, path: &Path, name: &str, transcript: &Transcript) {
    let options = SqliteOptions::default();
    let checkpointer = Checkpointer::open_sqlite(planner, path, options).await.unwrap();
    for (index, step) in transcript.steps.iter().enumerate() {
        let outcome = call(&checkpointer, transcript::call(&step.call)).await;
        assert_eq!(
            transcript::gives(
                outcome.as_ref().map(|outcome| vec![outcome.clone()]).map_err(Error::code)
            ),
            transcript::expand(&step.gives, "#"),
            "{name}, step {index}: {}",
            step.call
        );
    }
}

async fn call(checkpointer: &Checkpointer, call: Call) -> Result<Outcome, Error> {
    Ok(match call {
        Call::Setup | Call::Flush => panic!("a checkpointer does this by itself"),
        Call::GetTuple(get) => {
            let tuple = checkpointer.get_tuple(get.config).await?;
            let found = |tuple| FoundCheckpoint { tuple, known: Vec::new(), bases: Vec::new() };
            Outcome::Found(tuple.and_then(whole).map(found))
        }
        Call::List(list) => {
            let tuples = checkpointer.list(list).try_collect().await?;
            let tuples = tuples.into_iter().filter_map(whole).collect();
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
    })
}

/// A tuple with whole values, as the planner returns it.
fn whole(tuple: CheckpointTuple) -> Option<CheckpointTuple<TupleValue>> {
    tuple.map_values(|value| Some(TupleValue::Whole(value)))
}
