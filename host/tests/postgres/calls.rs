//! Calls, outcomes and stored bytes that are the same for every host and every store.

use langgraph_checkpoint_host::{Checkpointer, Planner, PostgresOptions};
use langgraph_checkpoint_tests::transcript;

use crate::server::{Schema, url};

#[cfg(feature = "component")]
#[tokio::test]
async fn every_transcript_holds_under_wasmtime() {
    run_all(&crate::support::component(), false).await;
}

#[tokio::test]
async fn every_transcript_holds_natively() {
    run_all(&Planner::native(), false).await;
}

#[tokio::test]
async fn every_transcript_holds_with_prepared_statements() {
    run_all(&Planner::native(), true).await;
}

async fn run_all(planner: &Planner, prepare: bool) {
    let transcripts = transcript::all();
    assert!(!transcripts.is_empty());
    for (name, transcript) in transcripts {
        let schema = Schema::new().await;
        let planner = planner.clone();
        let options = PostgresOptions { prepare, ..schema.options() };
        let checkpointer = Checkpointer::connect_postgres(planner, url(), &options).unwrap();
        checkpointer.setup().await.unwrap();
        crate::support::play(&checkpointer, &name, &transcript).await;
        assert_eq!(schema.digest().await, transcript.stored, "{name}: the stored bytes");
        schema.end().await;
    }
}

#[cfg(feature = "component")]
#[tokio::test]
async fn schemas_share_the_instances_of_a_planner_and_nothing_else() {
    let planner = crate::support::component();
    let (one, other) = (Schema::new().await, Schema::new().await);
    let open = |schema: &Schema| {
        Checkpointer::connect_postgres(planner.clone(), url(), &schema.options()).unwrap()
    };
    let (first, second) = (open(&one), open(&other));
    let put = crate::support::put;
    for number in 0..3 {
        first.put(put("t", None, &format!("a{number}"), "1")).await.unwrap();
        second.put(put("t", None, &format!("b{number}"), "2")).await.unwrap();
        let [first, second] = [
            first.get_tuple(crate::support::config("t")).await.unwrap().unwrap(),
            second.get_tuple(crate::support::config("t")).await.unwrap().unwrap(),
        ];
        assert_eq!(first.checkpoint_id, format!("a{number}"));
        assert_eq!(second.checkpoint_id, format!("b{number}"));
    }
    one.end().await;
    other.end().await;
}
