//! The component `checkpointer-kusto`, compiled once, and its instances.

use std::sync::Arc;

use wasmtime::component::{Component, HasData, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksCtx, WasiClocksCtxView};
use wasmtime_wasi::p2::bindings::{clocks, random};
use wasmtime_wasi::random::{WasiRandom, WasiRandomCtx};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
use wasmtime_wasi_io::bindings::wasi::io;

use super::bindings::{CheckpointerKusto, CheckpointerKustoPre};
use super::outgoing::Outgoing;
#[cfg(feature = "compiler")]
use crate::component;
use crate::component::limits::{Limits, State as Used};
use crate::component::ticker::{Running, Ticker};
use crate::component::{engine, not_instantiated, unusable};
use crate::error::Error;

/// The component, ready to be instantiated. Cloning is cheap, and clones share the compiled code.
#[derive(Clone)]
pub struct KustoComponent(Arc<Compiled>);

struct Compiled {
    engine: Engine,
    component: CheckpointerKustoPre<State>,
    ticker: Ticker,
    limits: Limits,
}

impl std::fmt::Debug for KustoComponent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KustoComponent").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}

impl KustoComponent {
    /// Compiles the component that this crate contains. The limits on memory, answers and time hold
    /// for each instance; `KustoOptions::instances` sets the number of instances.
    #[cfg(feature = "embedded")]
    pub fn embedded(limits: Limits) -> Result<Self, Error> {
        let bytes = include_bytes!(concat!(env!("OUT_DIR"), "/checkpointer-kusto.wasm"));
        Self::from_bytes(component::embedded(bytes)?, limits)
    }

    /// Compiles `checkpointer-kusto.wasm` from its bytes.
    #[cfg(feature = "compiler")]
    pub fn from_bytes(bytes: &[u8], limits: Limits) -> Result<Self, Error> {
        let engine = engine()?;
        let component = Component::from_binary(&engine, bytes).map_err(unusable)?;
        Self::of(engine, &component, limits)
    }

    /// Compiles `checkpointer-kusto.wasm` from its file.
    #[cfg(feature = "compiler")]
    pub fn from_file(path: impl AsRef<std::path::Path>, limits: Limits) -> Result<Self, Error> {
        Self::from_bytes(&component::read(path.as_ref())?, limits)
    }

    /// Compiles the component ahead of time. Returns machine code for
    /// [`KustoComponent::from_precompiled`], which needs no compiler.
    #[cfg(feature = "compiler")]
    pub fn precompile(bytes: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(component::precompile(bytes, None)?)
    }

    /// The same for every machine of a target, as `Planner::precompile_for`.
    #[cfg(feature = "compiler")]
    pub fn precompile_for(bytes: &[u8], target: &str) -> Result<Vec<u8>, Error> {
        Ok(component::precompile(bytes, Some(target))?)
    }

    /// Loads what `KustoComponent::precompile` returned on the same kind of machine. The output of
    /// another major version of wasmtime is refused.
    ///
    /// # Safety
    ///
    /// The bytes run as machine code of this process, and nothing detects changes in them. They
    /// must be what `precompile` returned, from a place that nobody else can write to.
    #[allow(unsafe_code, reason = "only the caller can know where the bytes come from")]
    pub unsafe fn from_precompiled(bytes: &[u8], limits: Limits) -> Result<Self, Error> {
        let engine = engine()?;
        // SAFETY: the caller's promise is the one that wasmtime asks for.
        let component = unsafe { Component::deserialize(&engine, bytes) }.map_err(unusable)?;
        Self::of(engine, &component, limits)
    }

    fn of(engine: Engine, component: &Component, limits: Limits) -> Result<Self, Error> {
        let linker = linker(&engine).map_err(unusable)?;
        let component = linker
            .instantiate_pre(component)
            .and_then(CheckpointerKustoPre::new)
            .map_err(unusable)?;
        let ticker = Ticker::start(engine.clone()).map_err(unusable)?;
        Ok(Self(Arc::new(Compiled { engine, component, ticker, limits })))
    }

    /// A new instance, which can send requests only to the allowed places.
    pub(super) async fn instantiate(&self, outgoing: Outgoing) -> Result<Instance, Error> {
        let mut store = Store::new(&self.0.engine, State::new(&self.0.limits, outgoing));
        store.limiter(|state| &mut state.used);
        store.set_hostcall_fuel(self.0.limits.answer_bytes_max);
        store.epoch_deadline_callback(|mut context| context.data_mut().used.tick());
        store.set_epoch_deadline(1);
        let _running = self.0.ticker.running();
        let exports =
            self.0.component.instantiate_async(&mut store).await.map_err(not_instantiated)?;
        Ok(Instance { exports, store, component: self.clone() })
    }
}

/// Provides exactly what the component imports: a component that imports more does not link.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
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

struct HasTable;

impl HasData for HasTable {
    type Data<'a> = &'a mut ResourceTable;
}

/// What an instance has used, and its WASI state.
pub(super) struct State {
    used: Used,
    table: ResourceTable,
    clocks: WasiClocksCtx,
    random: WasiRandomCtx,
    http: WasiHttpCtx,
    outgoing: Outgoing,
}

impl State {
    fn new(limits: &Limits, outgoing: Outgoing) -> Self {
        Self {
            used: Used::new(limits),
            table: ResourceTable::new(),
            clocks: WasiClocksCtx::default(),
            random: WasiRandomCtx::default(),
            http: WasiHttpCtx::new(),
            outgoing,
        }
    }

    fn clocks(&mut self) -> WasiClocksCtxView<'_> {
        WasiClocksCtxView { ctx: &mut self.clocks, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outgoing }
    }
}

/// One instance in its own `Store`. An instance whose call failed in `wasmtime` or was cancelled
/// must be dropped.
pub(super) struct Instance {
    exports: CheckpointerKusto,
    store: Store<State>,
    component: KustoComponent,
}

impl Instance {
    /// Prepares the next call: resets its time limit. Returns the guard of the clock, the `Store`
    /// and the exports.
    pub(super) fn enter(&mut self) -> (Running<'_>, &mut Store<State>, &CheckpointerKusto) {
        self.store.data_mut().used.rearm();
        self.store.set_epoch_deadline(1);
        (self.component.0.ticker.running(), &mut self.store, &self.exports)
    }

    /// How many requests were sent since this was last called.
    pub(super) fn take_sent(&self) -> usize {
        self.store.data().outgoing.take_sent()
    }

    /// Whether a request was sent since then.
    pub(super) fn has_sent(&self) -> bool {
        self.store.data().outgoing.has_sent()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use langgraph_checkpoint_guest::{Call, GetTuple};

    use super::super::options::KustoOptions;
    use super::*;

    #[tokio::test]
    async fn a_request_to_another_place_than_those_allowed_does_not_leave() {
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        elsewhere.set_nonblocking(true).unwrap();
        let path =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../target/components/checkpointer-kusto.wasm");
        let component = KustoComponent::from_file(path, Limits::default()).unwrap();
        let allowed = KustoOptions::new("https://a.kusto.windows.net", "db");
        let outgoing = Outgoing::of(&allowed).unwrap();
        let mut instance = component.instantiate(outgoing).await.unwrap();
        // The component is told to go elsewhere, as a manipulated one might by itself.
        let elsewhere_uri = format!("http://{}", elsewhere.local_addr().unwrap());
        let options = KustoOptions::new(elsewhere_uri, "db").connect_options(None);
        instance.connect(&options).await.unwrap();
        let call = Call::GetTuple(GetTuple {
            config: crate::Config { thread_id: "t".into(), ..Default::default() },
            known: None,
        });
        let error = instance.call(call).await.unwrap().unwrap_err();
        assert!(matches!(error, Error::Denied(_)), "{error:?}");
        assert_eq!(error.code(), "request-not-allowed");
        assert_eq!(instance.take_sent(), 0);
        let visit = elsewhere.accept().map(|_| ());
        assert_eq!(visit.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }
}
