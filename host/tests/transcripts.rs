//! The transcripts through the whole host: the real component under wasmtime, and the guest
//! compiled natively. Both on a SQLite file, and both pass on what is known.

#![cfg(feature = "component")]

mod support;

use std::path::Path;

use langgraph_checkpoint_host::{Checkpointer, Planner, SqliteOptions};
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
    support::play(&checkpointer, name, transcript).await;
}
