//! The guest on a Kusto: the local one that `cargo xtask test` starts, or the cluster that the
//! environment names. Without either the tests say so and do nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use langgraph_checkpoint_guest::kusto::StoreOptions;
use langgraph_checkpoint_tests::caller::{self, Known};
use langgraph_checkpoint_tests::kusto::Kusto;
use langgraph_checkpoint_tests::transcript;

/// A store in a database of its own, where a Kusto is there.
fn store(name: &str, options: StoreOptions) -> Option<Kusto> {
    let Ok(cluster_uri) = std::env::var("KUSTO_CLUSTER_URI") else {
        eprintln!("skipped: KUSTO_CLUSTER_URI names no cluster");
        return None;
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let database = std::env::var("KUSTO_DATABASE").unwrap_or_else(|_| format!("{name}_{now}"));
    let token = std::env::var("KUSTO_ACCESS_TOKEN").ok();
    Some(Kusto::open(StoreOptions { cluster_uri, database, ..options }, token).unwrap())
}

#[test]
fn every_transcript_gives_the_outcomes_of_sqlite() {
    for (name, transcript) in transcript::all() {
        for known in [Known::Forgotten, Known::Carried, Known::Edited] {
            let Some(mut kusto) = store("transcript", StoreOptions::default()) else { return };
            let outcomes = caller::run(&mut kusto, &transcript, known);
            for (index, (step, outcome)) in transcript.steps.iter().zip(&outcomes).enumerate() {
                let expected = transcript::expand(&step.gives, "#");
                assert_eq!(*outcome, expected, "{name}, {known:?}, step {index}: {}", step.call);
            }
        }
    }
}
