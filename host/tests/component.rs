//! The component's limits and its replacement. Components that trap or never end are generated from
//! the WIT, so that they have a planner's types.

#![cfg(feature = "component")]

mod support;

use std::error::Error as _;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use langgraph_checkpoint_host::{
    Checkpointer, ComponentErrorKind, Error, Limits, Payload, Planner, SqliteOptions,
    SqliteStorage, Stored,
};
use rusqlite::Connection;
use support::{component_bytes, component_path, config, open, poll_once, put};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve};

/// A planner whose every function has this body.
fn planner_of(body: &str) -> Vec<u8> {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("wit-packages");
    let mut resolve = Resolve::default();
    resolve.push_path(wit.join("checkpoint")).unwrap();
    let (package, _) = resolve.push_path(wit.join("planner")).unwrap();
    let world = resolve.select_world(&[package], Some("pure-planner")).unwrap();
    let core = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    let text = wasmprinter::print_bytes(core).unwrap();
    assert!(text.contains("unreachable"));
    let mut core = wat::parse_str(text.replace("unreachable", body)).unwrap();
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&core).unwrap().encode().unwrap()
}

fn on(planner: Planner) -> Checkpointer {
    Checkpointer::new(planner, SqliteStorage::in_memory(&SqliteOptions::default()).unwrap())
}

fn kind(error: Error) -> ComponentErrorKind {
    match error {
        Error::Component(error) => error.kind(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_component_that_traps_fails_each_call_and_its_instance_is_replaced() {
    let limits = Limits { instances_max: 1, ..Limits::default() };
    let checkpointer = on(Planner::from_bytes(&planner_of("unreachable"), limits).unwrap());
    // An instance that trapped would refuse to be entered again, with another error.
    for _ in 0..3 {
        let error = checkpointer.get_tuple(config("t")).await.unwrap_err();
        assert_eq!(error.code(), "component-trap");
        let causes: Vec<_> = std::iter::successors(error.source(), |cause| (*cause).source())
            .map(ToString::to_string)
            .collect();
        assert!(causes.iter().any(|cause| cause.contains("unreachable")), "{causes:?}");
    }
}

#[tokio::test]
async fn a_component_that_never_ends_is_stopped() {
    let limits = Limits { time_limit: Duration::from_millis(30), ..Limits::default() };
    let endless = planner_of("loop br 0 end unreachable");
    let checkpointer = on(Planner::from_bytes(&endless, limits).unwrap());
    for _ in 0..2 {
        let error = checkpointer.get_tuple(config("t")).await.unwrap_err();
        assert_eq!(error.code(), "component-timeout");
    }
}

#[tokio::test]
async fn others_run_while_a_component_works() {
    let endless = planner_of("loop br 0 end unreachable");
    let limits = Limits { time_limit: Duration::from_secs(3600), ..Limits::default() };
    let checkpointer = on(Planner::from_bytes(&endless, limits).unwrap());
    // There is one thread: the other future runs because the component yields.
    tokio::select! {
        biased;
        ended = checkpointer.get_tuple(config("t")) => panic!("{ended:?}"),
        () = async {} => {}
    }
}

#[tokio::test]
async fn a_call_that_needs_too_much_memory_fails_alone() {
    let limits = Limits { memory_bytes_max: 16 << 20, ..Limits::default() };
    let checkpointer = on(Planner::from_bytes(&component_bytes(), limits).unwrap());
    checkpointer.put(put("t", None, "c1", "[1]")).await.unwrap();
    let large = format!("\"{}\"", "x".repeat(32 << 20));
    let error = checkpointer.put(put("t", Some("c1"), "c2", &large)).await.unwrap_err();
    assert_eq!(error.code(), "component-memory-limit");
    let tuple = checkpointer.get_tuple(config("t")).await.unwrap().unwrap();
    assert_eq!(tuple.checkpoint_id, "c1");
    checkpointer.put(put("t", Some("c1"), "c2", "[1,2]")).await.unwrap();
}

#[tokio::test]
async fn a_call_that_gives_too_much_at_once_fails_alone_and_names_the_limit() {
    let limits = Limits { answer_bytes_max: 1 << 20, ..Limits::default() };
    let checkpointer = on(Planner::from_bytes(&component_bytes(), limits).unwrap());
    checkpointer.put(put("t", None, "c1", "[1]")).await.unwrap();
    let large: String = (0..1 << 17).map(|n| format!("{n:016}")).collect();
    let large = put("t", Some("c1"), "c2", &format!("\"{large}\""));
    let error = checkpointer.put(large).await.unwrap_err();
    assert_eq!(error.code(), "component-answer-limit");
    assert!(error.to_string().contains("Limits::answer_bytes_max"), "{error}");
    let Error::Component(error) = error else { panic!("{error:?}") };
    assert_eq!(error.stored(), Stored::Nothing);
    checkpointer.put(put("t", Some("c1"), "c2", "[1,2]")).await.unwrap();
}

#[tokio::test]
async fn a_state_as_large_as_the_limits_allow_is_stored_and_read() {
    let limits = Limits {
        memory_bytes_max: 2 << 30,
        time_limit: Duration::from_secs(600),
        ..Limits::default()
    };
    let checkpointer = on(Planner::from_bytes(&component_bytes(), limits).unwrap());
    let mut put = put("t", None, "c1", "[]");
    // More than wasmtime accepts from a component by default, which is 128 MiB.
    let mut block: Vec<u8> = (0..=255).cycle().take(1024).collect();
    let mut bytes = Vec::new();
    for n in 0..136 * 1024_u32 {
        block[..4].copy_from_slice(&n.to_le_bytes());
        bytes.extend_from_slice(&block);
    }
    let value = Payload { kind: "bytes".to_owned(), bytes };
    put.checkpoint.channel_values[0].value = value.clone().into();
    checkpointer.put(put).await.unwrap();
    let tuple = checkpointer.get_tuple(config("t")).await.unwrap().unwrap();
    assert!(tuple.channel_values[0].value == value, "every byte comes back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn operations_above_the_number_of_instances_wait_their_turn() {
    let limits = Limits { instances_max: 2, ..Limits::default() };
    let checkpointer = on(Planner::from_bytes(&component_bytes(), limits).unwrap());
    let checkpointer = std::sync::Arc::new(checkpointer);
    let tasks: Vec<_> = (0..40)
        .map(|n| {
            let checkpointer = checkpointer.clone();
            tokio::spawn(async move {
                checkpointer.put(put(&format!("t{n}"), None, "c1", "[1]")).await.map(|_| ())
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let all = checkpointer.list(Default::default()).try_collect().await.unwrap();
    assert_eq!(all.len(), 40);
}

#[tokio::test]
async fn an_operation_that_is_given_up_leaves_its_instance_to_others() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("checkpoints.db");
    let limits = Limits { instances_max: 1, ..Limits::default() };
    let planner = Planner::from_bytes(&component_bytes(), limits).unwrap();
    let checkpointer = open(planner, &path).await;
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for polls in 1..=8 {
        let mut given_up = pin!(checkpointer.put(put("t", None, "c1", "[1]")));
        for _ in 0..polls {
            assert!(poll_once(given_up.as_mut()).is_pending(), "the lock is held");
        }
    }
    other.execute_batch("ROLLBACK").unwrap();
    checkpointer.put(put("t", None, "c2", "[2]")).await.unwrap();
    assert!(checkpointer.get_tuple(config("t")).await.unwrap().is_some());
}

#[test]
fn what_is_no_planner_is_refused_when_it_is_loaded() {
    let limits = Limits::default();
    let load = |bytes: &[u8]| kind(Planner::from_bytes(bytes, limits).unwrap_err());
    assert_eq!(load(b"not a component"), ComponentErrorKind::Unusable);
    assert_eq!(load(&wat::parse_str("(component)").unwrap()), ComponentErrorKind::Unusable);
    let imports = wat::parse_str("(component (import \"clock\" (func (result u64))))").unwrap();
    assert_eq!(load(&imports), ComponentErrorKind::Unusable);
    let missing = Planner::from_file("no/such/planner.wasm", limits).unwrap_err();
    assert!(missing.to_string().contains("no/such/planner.wasm"), "{missing}");
    assert_eq!(kind(missing), ComponentErrorKind::Unusable);
}

#[test]
fn the_built_component_loads_from_its_file() {
    Planner::from_file(component_path(), Limits::default()).unwrap();
}
