//! Agents that are components, served from schemas of their own.

use std::sync::Arc;

use langgraph_checkpoint_host::imports::{self, CallLimits, CheckpointerView, StorageView, Tenant};
use langgraph_checkpoint_host::{AgentLimits, Checkpointer, PostgresAgentStorage, PostgresStorage};
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

use crate::server::{Schema, url};
use crate::support::{component, component_path};

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

struct Served(Tenant<PostgresStorage>);

impl CheckpointerView for Served {
    type Storage = PostgresStorage;

    fn tenant(&mut self) -> &mut Tenant<PostgresStorage> {
        &mut self.0
    }
}

fn agent(engine: &Engine, name: &str) -> Component {
    let path = component_path().with_file_name(name).with_extension("wasm");
    Component::from_file(engine, path).unwrap()
}

/// What the agent answers to a message in a new instance.
async fn answer<T: Send>(
    (linker, agent): (&Linker<T>, &Component),
    state: T,
    message: &str,
) -> String {
    let mut store = Store::new(linker.engine(), state);
    let listener = Listener::instantiate_async(&mut store, agent, linker).await.unwrap();
    listener.call_answer(&mut store, "shared name", message).await.unwrap().unwrap()
}

fn served(schema: &Schema) -> Served {
    let checkpointer = Checkpointer::connect_postgres(component(), url(), &schema.options());
    Served(Tenant::new(Arc::new(checkpointer.unwrap()), CallLimits::default()))
}

#[tokio::test]
async fn tenants_go_on_in_other_instances_and_see_nothing_of_one_another() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    imports::add_checkpointer_to_linker(&mut linker).unwrap();
    let agent = agent(&engine, "agent");
    let tenants = [(Schema::new().await, "mine"), (Schema::new().await, "theirs")];
    for said in 1..=3 {
        for (schema, first) in &tenants {
            let answer = answer((&linker, &agent), served(schema), first).await;
            assert_eq!(answer, format!("You have told me {said} things, first: {first}"));
        }
    }
    for (schema, _) in tenants {
        schema.end().await;
    }
}

/// The state of an agent that is composed with its checkpointer.
struct Composed(PostgresAgentStorage);

impl StorageView for Composed {
    type Storage = PostgresAgentStorage;

    fn storage(&mut self) -> &PostgresAgentStorage {
        &self.0
    }
}

/// The component is the one that runs on SQLite.
#[tokio::test]
async fn a_composed_agent_goes_on_in_another_instance_and_natively() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    imports::add_storage_to_linker(&mut linker).unwrap();
    let composed = agent(&engine, "agent-on-storage");
    let tenants = [(Schema::new().await, "mine"), (Schema::new().await, "theirs")];
    for said in 1..=2 {
        for (schema, first) in &tenants {
            let limits = AgentLimits::default();
            let storage = PostgresAgentStorage::connect(url(), &schema.options(), limits).await;
            let answer = answer((&linker, &composed), Composed(storage.unwrap()), first).await;
            assert_eq!(answer, format!("You have told me {said} things, first: {first}"));
        }
    }
    // The same agent without its checkpointer, on the same schemas.
    let mut linker = Linker::new(&engine);
    imports::add_checkpointer_to_linker(&mut linker).unwrap();
    let alone = agent(&engine, "agent");
    for (schema, first) in tenants {
        let answer = answer((&linker, &alone), served(&schema), first).await;
        assert_eq!(answer, format!("You have told me 3 things, first: {first}"));
        schema.end().await;
    }
}
