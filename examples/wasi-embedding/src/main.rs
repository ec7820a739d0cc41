//! The smallest host of `checkpointer-kusto`: wasmtime with WASI's clocks, entropy, streams and
//! outgoing HTTP, and nothing else. It knows the WIT, and none of this repository's crates.
//!
//! ```text
//! cargo xtask component
//! cargo run -p example-wasi-embedding -- \
//!     target/components/checkpointer-kusto.wasm http://localhost:8080 langgraph
//! ```
//!
//! The component may also be an agent composed with its checkpointer, such as
//! `target/components/agent-on-kusto.wasm`: then this program talks to the agent.

use wasmtime::component::{Component, HasData, Linker, ResourceTable};
use wasmtime::{Engine, Error, Result, Store};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksCtx, WasiClocksCtxView};
use wasmtime_wasi::p2::bindings::{clocks, random};
use wasmtime_wasi::random::{WasiRandom, WasiRandomCtx};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
use wasmtime_wasi_io::bindings::wasi::io;

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    reason = "generated from wit/kusto, where the documentation is"
)]
mod generated {
    // The component imports only WASI's interfaces, for which wasmtime has bindings.
    wasmtime::component::bindgen!({
        path: ["../../wit/checkpoint", "../../wit/kusto"],
        inline: "
            package example:embedding;

            world kusto {
                export langgraph:checkpoint/checkpointer@0.1.0;
                export langgraph:checkpoint-kusto/connection@0.1.0;
            }
        ",
        world: "example:embedding/kusto",
        exports: { default: async },
    });
}

use generated::Kusto;
use generated::langgraph::checkpoint::types as calls;
use generated::langgraph::checkpoint_kusto::connection_types as connection;

/// The state of the component's instance in this host.
#[derive(Default)]
struct State {
    table: ResourceTable,
    clocks: WasiClocksCtx,
    random: WasiRandomCtx,
    http: WasiHttpCtx,
}

impl State {
    fn clocks(&mut self) -> WasiClocksCtxView<'_> {
        WasiClocksCtxView { ctx: &mut self.clocks, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let hooks = wasmtime_wasi_http::default_hooks();
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks }
    }
}

struct HasTable;

impl HasData for HasTable {
    type Data<'a> = &'a mut ResourceTable;
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [component, cluster_uri, database] = arguments.as_slice() else {
        return Err(Error::msg("usage: example-wasi-embedding <component> <cluster> <database>"));
    };
    let engine = Engine::default();
    let component = Component::from_file(&engine, component)?;
    let mut store = Store::new(&engine, State::default());
    let instance = linker(&engine)?.instantiate_async(&mut store, &component).await?;
    let kusto = Kusto::new(&mut store, &instance)?;

    let options = options(cluster_uri, database);
    let connected =
        kusto.langgraph_checkpoint_kusto_connection().call_connect(&mut store, &options).await?;
    connected.map_err(failed)?;

    let agent = instance.get_func(&mut store, "answer");
    let Some(agent) = agent else { return store_and_delete(&kusto, store).await };
    let agent = agent.typed::<(&str, &str), (Answer,)>(&store)?;
    for message in ["it rains", "it stopped"] {
        let (answer,) = agent.call_async(&mut store, ("embedded agent", message)).await?;
        println!("{}", answer.map_err(Error::msg)?);
    }
    Ok(())
}

/// What the agent returns.
type Answer = std::result::Result<String, String>;

async fn store_and_delete(kusto: &Kusto, mut store: Store<State>) -> Result<()> {
    let checkpointer = kusto.langgraph_checkpoint_checkpointer();
    let stored = checkpointer.call_put(&mut store, &put()).await?.map_err(failed)?;
    println!("stored {} of {}", stored.checkpoint_id, stored.thread_id);
    let found = checkpointer.call_get_tuple(&mut store, &config()).await?.map_err(failed)?;
    let found = found.ok_or_else(|| Error::msg("the thread has no checkpoint"))?;
    for entry in found.channel_values {
        println!("{} = {}", entry.channel, String::from_utf8_lossy(&entry.value.bytes));
    }
    checkpointer.call_delete_thread(&mut store, &config()).await?.map_err(failed)?;
    let gone = checkpointer.call_get_tuple(&mut store, &config()).await?.map_err(failed)?;
    println!("deleted: {}", gone.is_none());
    Ok(())
}

/// Everything the component may do.
fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    let l = &mut linker;
    io::error::add_to_linker::<State, HasTable>(l, |state| &mut state.table)?;
    io::poll::add_to_linker::<State, HasTable>(l, |state| &mut state.table)?;
    io::streams::add_to_linker::<State, HasTable>(l, |state| &mut state.table)?;
    clocks::monotonic_clock::add_to_linker::<State, WasiClocks>(l, State::clocks)?;
    clocks::wall_clock::add_to_linker::<State, WasiClocks>(l, State::clocks)?;
    random::random::add_to_linker::<State, WasiRandom>(l, |state| &mut state.random)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(l)?;
    Ok(linker)
}

fn options(cluster_uri: &str, database: &str) -> connection::ConnectOptions {
    connection::ConnectOptions {
        cluster_uri: cluster_uri.to_owned(),
        database: database.to_owned(),
        login: std::env::var("KUSTO_ACCESS_TOKEN")
            .map_or(connection::Login::Unspecified, connection::Login::Token),
        authority: None,
        table: None,
        ingest_mode: connection::IngestMode::Auto,
        batch_size: None,
        flush_interval_ms: None,
        deadline_ms: None,
        retention_days: None,
        visibility_timeout_ms: None,
        admin: false,
        trusted_hosts: Vec::new(),
    }
}

fn config() -> calls::Config {
    calls::Config {
        thread_id: calls::Id::Text("embedded".to_owned()),
        checkpoint_ns: calls::Id::Absent,
        checkpoint_id: calls::Id::Absent,
        thread_ts: calls::Id::Absent,
    }
}

/// A checkpoint with one channel.
fn put() -> calls::PutCall {
    calls::PutCall {
        config: config(),
        checkpoint: calls::Checkpoint {
            id: calls::Id::Text("0001".to_owned()),
            v: 4.0,
            ts: "2026-11-21T09:30:00.000Z".to_owned(),
            channel_versions: vec![calls::ChannelVersion {
                channel: "messages".to_owned(),
                version: calls::Version::Number(1.0),
            }],
            channel_values: vec![calls::ChannelValue {
                channel: "messages".to_owned(),
                value: json(r#"["Is it raining in Oslo?"]"#),
            }],
            rest: json(r#"{"versions_seen":{}}"#),
        },
        metadata: json(r#"{"source":"loop","step":1,"parents":{}}"#),
        new_versions: vec!["messages".to_owned()],
        run_id: calls::Id::Absent,
    }
}

fn json(text: &str) -> calls::Payload {
    calls::Payload { kind: "json".to_owned(), bytes: text.as_bytes().to_vec() }
}

fn failed(error: calls::Error) -> Error {
    let (code, message) = match error {
        calls::Error::InvalidInput(fault)
        | calls::Error::Corrupt(fault)
        | calls::Error::UnsupportedFormat(fault)
        | calls::Error::Protocol(fault) => (fault.code, fault.message),
        calls::Error::Storage(store)
        | calls::Error::Unavailable(store)
        | calls::Error::Denied(store) => (store.fault.code, store.fault.message),
    };
    Error::msg(format!("{code}: {message}"))
}
