//! The components that the crate contains, and components that were compiled ahead of time.

#![cfg(all(feature = "embedded", feature = "sqlite"))]

mod support;

use langgraph_checkpoint_host::{Checkpointer, Limits, Planner, SqliteOptions, SqliteStorage};

use support::{component_bytes, config, put};

async fn stores_and_reads(planner: Planner) {
    let storage = SqliteStorage::in_memory(&SqliteOptions::default()).unwrap();
    let checkpointer = Checkpointer::new(planner, storage);
    checkpointer.put(put("t", None, "c1", "[1]")).await.unwrap();
    assert!(checkpointer.get_tuple(config("t")).await.unwrap().is_some());
}

#[tokio::test]
async fn the_embedded_planner_answers_calls() {
    stores_and_reads(Planner::embedded(Limits::default()).unwrap()).await;
}

#[tokio::test]
#[allow(unsafe_code, reason = "the bytes come from `precompile`, a line above")]
async fn a_planner_that_was_compiled_ahead_of_time_answers_calls() {
    let precompiled = Planner::precompile(&component_bytes()).unwrap();
    // SAFETY: nothing but `precompile` made these bytes.
    let planner = unsafe { Planner::from_precompiled(&precompiled, Limits::default()) };
    stores_and_reads(planner.unwrap()).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[allow(unsafe_code, reason = "the bytes come from `precompile_for`, a few lines above")]
async fn a_planner_that_was_compiled_for_any_machine_of_the_target_answers_calls() {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let precompiled = Planner::precompile_for(&component_bytes(), &target).unwrap();
    // SAFETY: nothing but `precompile_for` made these bytes.
    let planner = unsafe { Planner::from_precompiled(&precompiled, Limits::default()) };
    stores_and_reads(planner.unwrap()).await;
    let refused = Planner::precompile_for(&component_bytes(), "no-such-target").unwrap_err();
    assert_eq!(refused.code(), "component-unusable");
}

#[cfg(feature = "kusto")]
#[test]
#[allow(unsafe_code, reason = "the bytes come from `precompile`, or are not machine code")]
fn the_component_of_kusto_is_embedded_and_can_be_compiled_ahead_of_time() {
    use langgraph_checkpoint_host::KustoComponent;

    KustoComponent::embedded(Limits::default()).unwrap();
    let path = support::component_path().with_file_name("checkpointer-kusto.wasm");
    let component = std::fs::read(path).unwrap();
    let precompiled = KustoComponent::precompile(&component).unwrap();
    // SAFETY: nothing but `precompile` made these bytes.
    unsafe { KustoComponent::from_precompiled(&precompiled, Limits::default()) }.unwrap();
    // SAFETY: these bytes are not machine code, and are refused for that reason.
    let refused = unsafe { KustoComponent::from_precompiled(&component, Limits::default()) };
    assert_eq!(refused.unwrap_err().code(), "component-unusable");
}
