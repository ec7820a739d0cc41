//! Agents that are components, served from schemas of their own.

use std::sync::Arc;

use langgraph_checkpoint_host::imports::{self, CallLimits, CheckpointerView, Tenant};
use langgraph_checkpoint_host::{Checkpointer, PostgresStorage};
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

#[tokio::test]
async fn tenants_go_on_in_other_instances_and_see_nothing_of_one_another() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    imports::add_checkpointer_to_linker(&mut linker).unwrap();
    let agent = component_path().with_file_name("agent.wasm");
    let agent = Component::from_file(&engine, agent).unwrap();
    let tenants = [(Schema::new().await, "mine"), (Schema::new().await, "theirs")];
    for said in 1..=3 {
        for (schema, first) in &tenants {
            let options = schema.options();
            let checkpointer = Checkpointer::connect_postgres(component(), url(), &options);
            let tenant = Tenant::new(Arc::new(checkpointer.unwrap()), CallLimits::default());
            let mut store = Store::new(&engine, Served(tenant));
            let listener = Listener::instantiate_async(&mut store, &agent, &linker).await.unwrap();
            let answer = listener.call_answer(&mut store, "shared name", first).await.unwrap();
            let expected = format!("You have told me {said} things, first: {first}");
            assert_eq!(answer.unwrap(), expected);
        }
    }
    for (schema, _) in tenants {
        schema.end().await;
    }
}
