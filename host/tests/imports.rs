//! The imports of guests, served natively: `storage` for the component `checkpointer`, whose
//! outcomes and stored bytes must be the same as in every other host.

#![cfg(feature = "component")]

mod support;

use std::path::Path;

use langgraph_checkpoint_guest as guest;
use langgraph_checkpoint_guest::{
    Call, CheckpointTuple, FoundCheckpoint, Outcome, Page, TupleValue,
};
use langgraph_checkpoint_host::imports::{self, StorageView};
use langgraph_checkpoint_host::{AgentLimits, AgentStorage, SqliteOptions};
use langgraph_checkpoint_tests::transcript::{self, Transcript};
use rusqlite::Connection;
use support::{component_path, config, large};
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

#[allow(
    unreachable_pub,
    clippy::all,
    reason = "generated from wit/checkpoint, where the documentation is"
)]
mod generated {
    wasmtime::component::bindgen!({
        path: "wit-packages/checkpoint",
        inline: "
            package test:host;

            world calls {
                export langgraph:checkpoint/checkpointer@0.1.0;
            }
        ",
        world: "test:host/calls",
        exports: { default: async },
        with: { "langgraph:checkpoint/types": crate::types },
    });
}

/// The guest's types of the contract, and what generated code needs besides them.
#[allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "nothing is linked for an interface without functions"
)]
pub mod types {
    use wasmtime::component::{HasData, Linker};

    pub use langgraph_checkpoint_guest::wit::types::*;

    pub trait Host {}
    impl<T> Host for T {}

    pub trait HostWithStore<T>: HasData {}
    impl<T, D: HasData> HostWithStore<T> for D {}

    pub fn add_to_linker<T: 'static, D: HasData>(
        _: &mut Linker<T>,
        _: fn(&mut T) -> D::Data<'_>,
    ) -> wasmtime::Result<()> {
        Ok(())
    }
}

use guest::Error;

/// The state of an instance: its own store.
struct State(AgentStorage);

impl StorageView for State {
    type Storage = AgentStorage;

    fn storage(&mut self) -> &AgentStorage {
        &self.0
    }
}

/// The component `checkpointer` on a file.
struct Composed {
    store: Store<State>,
    exports: generated::Calls,
}

impl Composed {
    async fn open(engine: &Engine, component: &Component, path: &Path) -> Self {
        let mut linker = Linker::new(engine);
        imports::add_storage_to_linker(&mut linker).unwrap();
        let storage =
            AgentStorage::open(path, &SqliteOptions::default(), AgentLimits::default()).unwrap();
        let mut store = Store::new(engine, State(storage));
        let exports =
            generated::Calls::instantiate_async(&mut store, component, &linker).await.unwrap();
        Self { store, exports }
    }

    async fn call(&mut self, call: Call) -> Result<Vec<Outcome>, Error> {
        let calls = self.exports.langgraph_checkpoint_checkpointer();
        let store = &mut self.store;
        Ok(vec![match call {
            Call::Setup | Call::Flush => panic!("a checkpointer does this by itself"),
            Call::GetTuple(get) => {
                let found = calls.call_get_tuple(store, &get.config).await.unwrap()?;
                let found = found.map(as_given);
                let whole = |tuple| FoundCheckpoint { tuple, known: vec![], bases: vec![] };
                Outcome::Found(found.map(whole))
            }
            Call::List(list) => return self.list(list).await,
            Call::Put(put) => {
                let put = types::PutCall::of(put).unwrap();
                Outcome::Stored(calls.call_put(store, &put).await.unwrap()?.into())
            }
            Call::PutWrites(writes) => {
                calls.call_put_writes(store, &writes).await.unwrap()?;
                Outcome::WritesStored
            }
            Call::Prune(_)
            | Call::CopyThread(_)
            | Call::Threads(_)
            | Call::Stats(_)
            | Call::Verify(_)
            | Call::Vacuum(_)
            | Call::Export(_)
            | Call::Diff(_) => panic!("an agent's storage refuses calls about whole threads"),
            Call::DeleteThread(config) => {
                calls.call_delete_thread(store, &config).await.unwrap()?;
                Outcome::Deleted
            }
            Call::DeltaChannelHistory(history) => {
                let (config, channels) = (history.config, history.channels);
                let history = calls.call_get_delta_channel_history(store, &config, &channels).await;
                Outcome::History(history.unwrap()?.into_iter().map(Into::into).collect())
            }
        }])
    }

    /// All pages.
    async fn list(&mut self, list: guest::List) -> Result<Vec<Outcome>, Error> {
        let calls = self.exports.langgraph_checkpoint_checkpointer();
        let (mut pages, mut next) = (Vec::new(), Some(list));
        while let Some(list) = next.take() {
            let page = calls.call_list(&mut self.store, &list).await.unwrap()?;
            let types::Page { tuples, next: resume } = page;
            next = resume.map(|resume| guest::List { resume: Some(resume), ..list });
            let tuples = tuples.into_iter().map(as_given).collect();
            pages.push(Outcome::Page(Page { tuples, shared: Vec::new(), next: None }));
        }
        Ok(pages)
    }
}

/// A tuple with whole values, as the planner returns it.
fn as_given(tuple: CheckpointTuple) -> CheckpointTuple<TupleValue> {
    tuple.map_values(|value| Some(TupleValue::Whole(value))).unwrap()
}

fn checkpointer(engine: &Engine) -> Component {
    let path = component_path().with_file_name("checkpointer.wasm");
    Component::from_file(engine, path).unwrap()
}

#[tokio::test]
async fn every_transcript_holds_in_the_component_with_ordinary_calls() {
    let engine = Engine::default();
    let component = checkpointer(&engine);
    for (name, transcript) in transcript::common() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("checkpoints.db");
        let mut composed = Composed::open(&engine, &component, &path).await;
        run(&mut composed, &name, &transcript).await;
        let stored = transcript::stored(&Connection::open(&path).unwrap());
        assert_eq!(stored, transcript.stored, "{name}: the stored bytes");
    }
}

async fn run(composed: &mut Composed, name: &str, transcript: &Transcript) {
    for (index, step) in transcript.steps.iter().enumerate() {
        let outcome = composed.call(transcript::call(&step.call)).await;
        let outcome = outcome.as_deref().map(<[_]>::to_vec).map_err(|error| error.code());
        assert_eq!(
            transcript::gives(outcome),
            transcript::expand(&step.gives, "#"),
            "{name}, step {index}: {}",
            step.call
        );
    }
}

#[tokio::test]
async fn a_store_that_fails_says_so_by_its_own_code() {
    let engine = Engine::default();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("checkpoints.db");
    let mut composed = Composed::open(&engine, &checkpointer(&engine), &path).await;
    composed.call(Call::Put(large("t", None, "c1", 3))).await.unwrap();
    let options = SqliteOptions { read_only: true, ..SqliteOptions::default() };
    composed.store.data_mut().0 =
        AgentStorage::open(&path, &options, AgentLimits::default()).unwrap();
    let error = composed.call(Call::Put(large("t", Some("c1"), "c2", 4))).await.unwrap_err();
    assert_eq!(error.code(), "storage-read-only");
    let call = guest::GetTuple { config: config("t"), known: None };
    let found = composed.call(Call::GetTuple(call)).await.unwrap();
    assert!(matches!(&found[..], [Outcome::Found(Some(_))]), "the component stays usable");
}
