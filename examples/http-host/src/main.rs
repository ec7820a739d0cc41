//! A server for agents that are components and serve HTTP: wasmtime with WASI's HTTP, and the
//! checkpointer of this repository on a file of SQLite. Every request has an instance of its own,
//! so what an agent is to remember it stores. An agent imports `checkpointer`, or `storage` where
//! it was composed with the component that exports `checkpointer`.
//!
//! ```text
//! cargo xtask component
//! cargo run -p example-http-host -- target/components/http-agent.wasm threads.db 127.0.0.1:8080
//! curl -d "it rains" http://127.0.0.1:8080/threads/oslo
//! ```

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use langgraph_checkpoint_host::imports::{self, CallLimits, CheckpointerView, StorageView, Tenant};
use langgraph_checkpoint_host::{
    AgentLimits, AgentStorage, Checkpointer, Planner, SqliteOptions, SqliteStorage,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Error, Result, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// What an instance has: WASI without folders, arguments and environment, and its tenant's stores.
struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    stores: Stores,
}

/// Both on one file: an agent imports one of the two.
#[derive(Clone)]
struct Stores {
    checkpointer: Tenant<SqliteStorage>,
    storage: Arc<AgentStorage>,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let hooks = wasmtime_wasi_http::default_hooks();
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks }
    }
}

impl CheckpointerView for State {
    type Storage = SqliteStorage;

    fn tenant(&mut self) -> &mut Tenant<SqliteStorage> {
        &mut self.stores.checkpointer
    }
}

impl StorageView for State {
    type Storage = AgentStorage;

    fn storage(&mut self) -> &AgentStorage {
        &self.stores.storage
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [component, database, address] = arguments.as_slice() else {
        return Err(Error::msg("usage: example-http-host <component> <database> <address>"));
    };
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    wasmtime_wasi_http::p2::add_to_linker_async(&mut linker)?;
    imports::add_checkpointer_to_linker(&mut linker)?;
    imports::add_storage_to_linker(&mut linker)?;
    let component = Component::from_file(&engine, component)?;
    let agent = ProxyPre::new(linker.instantiate_pre(&component)?)?;

    let options = SqliteOptions::default();
    let storage = AgentStorage::open(database, &options, AgentLimits::default())?;
    let checkpointer = Checkpointer::open_sqlite(Planner::native(), database, options).await?;
    let stores = Stores {
        checkpointer: Tenant::new(Arc::new(checkpointer), CallLimits::default()),
        storage: Arc::new(storage),
    };

    let listener = TcpListener::bind(address).await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (connection, _) = listener.accept().await?;
        tokio::spawn(serve(connection, agent.clone(), stores.clone()));
    }
}

/// Answers the requests of a connection.
async fn serve(connection: TcpStream, agent: ProxyPre<State>, stores: Stores) {
    let service = service_fn(|request| answer(agent.clone(), stores.clone(), request));
    let served = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
    if let Err(error) = served {
        eprintln!("a connection ended: {error:?}");
    }
}

/// Has a new instance handle a request. It goes on when its client has gone: what it stores does
/// not depend on who listens.
async fn answer(
    agent: ProxyPre<State>,
    stores: Stores,
    request: Request<Incoming>,
) -> Result<Response<HyperOutgoingBody>> {
    let state = State {
        table: ResourceTable::new(),
        wasi: WasiCtx::builder().inherit_stdout().inherit_stderr().build(),
        http: WasiHttpCtx::new(),
        stores,
    };
    // An embedding for agents of others also bounds an instance's memory and time here.
    let mut store = Store::new(agent.engine(), state);
    let (sender, receiver) = oneshot::channel();
    let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
    let response = store.data_mut().http().new_response_outparam(sender)?;
    let handling = tokio::spawn(async move {
        let proxy = agent.instantiate_async(&mut store).await?;
        proxy.wasi_http_incoming_handler().call_handle(&mut store, request, response).await
    });
    match receiver.await {
        Ok(answered) => Ok(answered?),
        // The instance is gone, and so is where it would have put its response.
        Err(_) => match handling.await? {
            Ok(()) => Err(Error::msg("the agent gave no response")),
            Err(error) => Err(error.context("the agent gave no response")),
        },
    }
}
