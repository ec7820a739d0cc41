//! Agents that are components: composed with the component `checkpointer`, and served natively,
//! each tenant on its own store.

#![cfg(feature = "component")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use langgraph_checkpoint_host::imports::{self, CallLimits, CheckpointerView, StorageView, Tenant};
use langgraph_checkpoint_host::{
    AgentLimits, AgentStorage, Batch, Checkpointer, Planner, RowSet, SqliteOptions, SqliteStorage,
    StorageAdapter, StorageError,
};
use support::{component_path, config, open};
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

#[allow(unreachable_pub, clippy::all, reason = "generated from the world of examples/agent")]
mod generated {
    wasmtime::component::bindgen!({
        inline: "
            package test:agent;

            world listener {
                export answer: func(
                    thread-id: string,
                    message: string,
                ) -> result<string, string>;
            }
        ",
        exports: { default: async },
    });
}

use generated::Listener;

fn component(engine: &Engine, name: &str) -> Component {
    let path = component_path().with_file_name(name).with_extension("wasm");
    Component::from_file(engine, path).unwrap()
}

/// An agent's instance, with its `Store`.
struct Agent<T: 'static> {
    store: Store<T>,
    exports: Listener,
}

impl<T: Send> Agent<T> {
    async fn start(component: &Component, linker: &Linker<T>, state: T) -> Self {
        let mut store = Store::new(linker.engine(), state);
        let exports = Listener::instantiate_async(&mut store, component, linker).await.unwrap();
        Self { store, exports }
    }

    async fn answer(&mut self, thread_id: &str, message: &str) -> Result<String, String> {
        self.exports.call_answer(&mut self.store, thread_id, message).await.unwrap()
    }
}

/// The state of an agent that is composed with its checkpointer.
struct Composed(AgentStorage);

impl StorageView for Composed {
    type Storage = AgentStorage;

    fn storage(&mut self) -> &AgentStorage {
        &self.0
    }
}

/// The state of an agent that is served natively.
struct Served<S: 'static>(Tenant<S>);

impl<S: StorageAdapter + 'static> CheckpointerView for Served<S> {
    type Storage = S;

    fn tenant(&mut self) -> &mut Tenant<S> {
        &mut self.0
    }
}

fn served(checkpointer: Checkpointer, limits: CallLimits) -> Served<SqliteStorage> {
    Served(Tenant::new(Arc::new(checkpointer), limits))
}

async fn native(path: impl AsRef<Path>) -> Served<SqliteStorage> {
    served(open(Planner::native(), path).await, CallLimits::default())
}

#[tokio::test]
async fn a_composed_agent_goes_on_in_another_instance_and_natively() {
    let engine = Engine::default();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("checkpoints.db");
    let composed = component(&engine, "agent-on-storage");
    let mut linker = Linker::new(&engine);
    imports::add_storage_to_linker(&mut linker).unwrap();
    for (message, said) in [("it rains", 1), ("it stopped", 2)] {
        let storage =
            AgentStorage::open(&path, &SqliteOptions::default(), AgentLimits::default()).unwrap();
        let mut agent = Agent::start(&composed, &linker, Composed(storage)).await;
        let answer = agent.answer("oslo", message).await.unwrap();
        assert_eq!(answer, format!("You have told me {said} things, first: it rains"));
    }
    // The same agent without its checkpointer, on the same file.
    let mut linker = Linker::new(&engine);
    imports::add_checkpointer_to_linker(&mut linker).unwrap();
    let alone = component(&engine, "agent");
    let mut agent = Agent::start(&alone, &linker, native(&path).await).await;
    let answer = agent.answer("oslo", "and again").await.unwrap();
    assert_eq!(answer, "You have told me 3 things, first: it rains");
}

#[tokio::test]
async fn tenants_see_nothing_of_one_another() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    imports::add_checkpointer_to_linker(&mut linker).unwrap();
    let alone = component(&engine, "agent");
    let (one, other) = (native(":memory:").await, native(":memory:").await);
    let checkpointers = [&one, &other].map(|served| served.0.clone());
    let mut one = Agent::start(&alone, &linker, one).await;
    let mut other = Agent::start(&alone, &linker, other).await;
    assert!(one.answer("shared name", "mine").await.unwrap().ends_with("1 things, first: mine"));
    let answer = other.answer("shared name", "theirs").await.unwrap();
    assert!(answer.ends_with("1 things, first: theirs"), "{answer}");
    for (tenant, said) in checkpointers.iter().zip(["mine", "theirs"]) {
        let tuples = tenant.checkpointer().list(Default::default()).try_collect().await.unwrap();
        assert_eq!(tuples.len(), 1);
        let value = String::from_utf8_lossy(&tuples[0].channel_values[0].value.bytes).into_owned();
        assert!(value.contains(said), "{value}");
    }
}

#[tokio::test]
async fn a_call_that_brings_too_much_is_refused_and_stores_nothing() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    imports::add_checkpointer_to_linker(&mut linker).unwrap();
    let limits = CallLimits { call_bytes_max: 10_000, ..CallLimits::default() };
    let state = served(open(Planner::native(), ":memory:").await, limits);
    let tenant = state.0.clone();
    let mut agent = Agent::start(&component(&engine, "agent"), &linker, state).await;
    let error = agent.answer("t", &"x".repeat(20_000)).await.unwrap_err();
    assert!(error.starts_with("call-too-large: "), "{error}");
    assert!(tenant.checkpointer().get_tuple(config("t")).await.unwrap().is_none());
    agent.answer("t", "short").await.unwrap();
}

/// A store that never answers.
struct Stuck;

impl StorageAdapter for Stuck {
    async fn run(&self, _batch: Batch) -> Result<Vec<RowSet>, StorageError> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_cut_off() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    imports::add_checkpointer_to_linker(&mut linker).unwrap();
    let limits = CallLimits { time_limit: Duration::from_millis(30), ..CallLimits::default() };
    let checkpointer = Checkpointer::new(Planner::native(), Stuck);
    let state = Served(Tenant::new(Arc::new(checkpointer), limits));
    let mut agent = Agent::start(&component(&engine, "agent"), &linker, state).await;
    let error = agent.answer("t", "hello").await.unwrap_err();
    assert!(error.starts_with("call-timeout: "), "{error}");
}
