//! The component under wasmtime: compiled once, run in a pool of instances.
//!
//! An operation has an instance for itself from its start to its end, also while its batches run.
//! It has a place to run only while the component works. After the operation, the instance goes
//! back to the pool. An instance that trapped, reached a limit, or whose operation was cancelled is
//! dropped, and the next operation gets a new one.

mod failure;
pub(crate) mod limits;
pub(crate) mod places;
pub(crate) mod ticker;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use langgraph_checkpoint_guest::{Answer, Call, Moment, Progress};
use wasmtime::component::{Component, Linker, ResourceAny};
use wasmtime::{Config, Engine, Store};

pub(crate) use self::failure::{failed, not_instantiated, unusable};
pub use self::limits::Limits;
use self::limits::State;
use self::places::{Place, Places};
use self::ticker::Ticker;
use crate::bindings::{PostgresOptions, PurePlanner, PurePlannerPre, StoreOptions};
#[cfg(feature = "compiler")]
use crate::error::ComponentErrorKind;
use crate::error::{ComponentError, Error};
use crate::storage::Dialect;

/// How many operations an instance runs before it is replaced. This limits how much garbage its
/// memory collects.
const OPERATIONS_MAX: usize = 10_000;

/// The compiled component and its instances.
pub(crate) struct Pool {
    engine: Engine,
    component: PurePlannerPre<State>,
    ticker: Ticker,
    limits: Limits,
    instances: Places,
    running: Places,
    idle: Mutex<Vec<Instance>>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Pool {
    /// Compiles a component.
    #[cfg(feature = "compiler")]
    pub(crate) fn new(bytes: &[u8], limits: Limits) -> Result<Self, ComponentError> {
        let engine = engine()?;
        let component = Component::from_binary(&engine, bytes).map_err(unusable)?;
        Self::of(engine, &component, limits)
    }

    /// Loads what `precompile` returned.
    ///
    /// # Safety
    ///
    /// The bytes are run as machine code: they MUST be what `precompile` returned.
    #[allow(unsafe_code, reason = "the caller promises where the bytes come from")]
    pub(crate) unsafe fn from_precompiled(
        bytes: &[u8],
        limits: Limits,
    ) -> Result<Self, ComponentError> {
        let engine = engine()?;
        // SAFETY: the caller's promise is the one that wasmtime asks for.
        let component = unsafe { Component::deserialize(&engine, bytes) }.map_err(unusable)?;
        Self::of(engine, &component, limits)
    }

    fn of(engine: Engine, component: &Component, limits: Limits) -> Result<Self, ComponentError> {
        // The linker is empty, so a component that imports anything does not link.
        let linker = Linker::new(&engine);
        let component =
            linker.instantiate_pre(component).and_then(PurePlannerPre::new).map_err(unusable)?;
        let ticker = Ticker::start(engine.clone()).map_err(unusable)?;
        let places = |limit, count| Places::new(limit, count, limits.wait_limit);
        let instances = places("instances_max", limits.instances_max);
        let running = places("running_max", limits.running_max);
        let idle = Mutex::default();
        Ok(Self { engine, component, ticker, limits, instances, running, idle })
    }

    pub(crate) async fn start(
        self: &Arc<Self>,
        dialect: &Dialect,
        call: Call,
    ) -> Result<(Operation, Progress), Error> {
        let place = self.instances.take().await?;
        let _working = self.running.take().await?;
        let idle = self.lock_idle().pop();
        let mut instance = match idle {
            Some(instance) => instance,
            None => self.instantiate().await?,
        };
        instance.operations += 1;
        let started = {
            let _running = instance.enter(self);
            let planned = instance.opened(dialect).await?;
            let stores = instance.planner.langgraph_checkpoint_planner_planner().store();
            let at = Moment::default();
            stores.call_start(&mut instance.store, planned, &call, at).await.map_err(failed)?
        };
        match started {
            Ok((resource, progress)) => {
                let pool = Arc::clone(self);
                let running = Some(Running { instance, resource });
                Ok((Operation { running, pool, _place: place }, progress))
            }
            Err(error) => {
                self.give_back(instance);
                Err(error.into())
            }
        }
    }

    async fn instantiate(&self) -> Result<Instance, Error> {
        let mut store = Store::new(&self.engine, State::new(&self.limits));
        store.limiter(|state| state);
        store.set_hostcall_fuel(self.limits.answer_bytes_max);
        store.epoch_deadline_callback(|mut context| context.data_mut().tick());
        arm(&mut store);
        let _running = self.ticker.running();
        let planner =
            self.component.instantiate_async(&mut store).await.map_err(not_instantiated)?;
        Ok(Instance { planned: None, store, planner, operations: 0 })
    }

    /// The places that limit the instances of one checkpointer.
    pub(crate) fn places_of_one(&self) -> Places {
        let count = self.limits.instances_per_checkpointer_max;
        Places::new("instances_per_checkpointer_max", count, self.limits.wait_limit)
    }

    fn give_back(&self, instance: Instance) {
        let memory_bytes = instance.store.data().memory_bytes();
        let mut idle = self.lock_idle();
        if instance.operations < OPERATIONS_MAX
            && memory_bytes <= self.limits.idle_memory_bytes_max
            // More idle instances than can run at once are not needed again soon.
            && idle.len() < self.limits.running_max.max(1)
        {
            idle.push(instance);
        }
    }

    fn lock_idle(&self) -> MutexGuard<'_, Vec<Instance>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes of a component's file.
#[cfg(feature = "compiler")]
pub(crate) fn read(path: &std::path::Path) -> Result<Vec<u8>, ComponentError> {
    std::fs::read(path).map_err(|error| {
        let message = format!("the component {} could not be read", path.display());
        ComponentError::new(ComponentErrorKind::Unusable, message, error)
    })
}

/// The bytes of a component that the build script has embedded.
#[cfg(feature = "embedded")]
pub(crate) fn embedded(bytes: &'static [u8]) -> Result<&'static [u8], ComponentError> {
    if bytes.is_empty() {
        let message = "this crate was built without the component; run `cargo xtask \
                       component` in its repository and build it again, or load a file";
        return Err(ComponentError::bare(ComponentErrorKind::Unusable, message));
    }
    Ok(bytes)
}

/// Compiles a component to machine code that `from_precompiled` loads, for this machine or for any
/// of a target.
#[cfg(feature = "compiler")]
#[allow(unsafe_code, reason = "the compiler's own name for a set of a processor's features")]
pub(crate) fn precompile(bytes: &[u8], target: Option<&str>) -> Result<Vec<u8>, ComponentError> {
    let mut config = config();
    if let Some(target) = target {
        config.target(target).map_err(unusable)?;
        if target.starts_with("x86_64") {
            // Vectors take five times as long with only what every x86-64 has.
            // SAFETY: loading the code checks that the processor has what this enables.
            unsafe { config.cranelift_flag_enable("x86-64-v2") };
        }
    }
    Engine::new(&config).and_then(|engine| engine.precompile_component(bytes)).map_err(unusable)
}

/// Resets the time limit for the next entry.
fn arm(store: &mut Store<State>) {
    store.data_mut().rearm();
    store.set_epoch_deadline(1);
}

/// An engine whose components are interrupted at every tick.
pub(crate) fn engine() -> Result<Engine, ComponentError> {
    Engine::new(&config()).map_err(unusable)
}

fn config() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config
}

/// An instance with its own `Store`, because a `Store` keeps all its instances until it is dropped.
struct Instance {
    store: Store<State>,
    planner: PurePlanner,
    /// The planner's store, on which calls are started.
    planned: Option<(Dialect, ResourceAny)>,
    operations: usize,
}

impl Instance {
    /// The planner's store for a dialect. It stays open for the next call.
    async fn opened(&mut self, dialect: &Dialect) -> Result<ResourceAny, Error> {
        match self.planned.take() {
            Some((of, planned)) if of == *dialect => {
                self.planned = Some((of, planned));
                return Ok(planned);
            }
            Some((_, planned)) => {
                planned.resource_drop_async(&mut self.store).await.map_err(failed)?;
            }
            None => {}
        }
        let options = match dialect {
            Dialect::Sqlite => StoreOptions::Sqlite,
            Dialect::Postgres { schema } => {
                StoreOptions::Postgres(PostgresOptions { schema: schema.clone() })
            }
        };
        let stores = self.planner.langgraph_checkpoint_planner_planner().store();
        let planned = stores.call_open(&mut self.store, &options).await.map_err(failed)??;
        self.planned = Some((dialect.clone(), planned));
        Ok(planned)
    }

    /// Resets the time limit, and keeps the clock running until the guard is dropped.
    fn enter<'a>(&mut self, pool: &'a Pool) -> ticker::Running<'a> {
        arm(&mut self.store);
        pool.ticker.running()
    }
}

/// An operation and the instance that it has for itself.
pub(crate) struct Operation {
    /// `None` while the instance works, and afterwards if it trapped or its caller gave up.
    running: Option<Running>,
    pool: Arc<Pool>,
    _place: Place,
}

struct Running {
    instance: Instance,
    resource: ResourceAny,
}

impl Operation {
    pub(crate) async fn advance(&mut self, answer: Answer) -> Result<Progress, Error> {
        // What the answer reports has happened. Giving up now would leave the caller in doubt about
        // it.
        let _working = self.pool.running.wait().await?;
        let Some(mut running) = self.running.take() else {
            return Err(Error::protocol(
                "operation-ended",
                "an operation that had failed was advanced; start the call again",
            ));
        };
        let advanced = {
            let instance = &mut running.instance;
            let _running = instance.enter(&self.pool);
            let operations = instance.planner.langgraph_checkpoint_planner_planner().operation();
            let at = Moment::default();
            operations
                .call_advance(&mut instance.store, running.resource, &answer, at)
                .await
                .map_err(failed)?
        };
        self.running = Some(running);
        Ok(advanced?)
    }

    /// Drops the resource and returns the instance to the pool.
    pub(crate) async fn finish(mut self) {
        let Ok(_working) = self.pool.running.wait().await else {
            return;
        };
        let Some(Running { mut instance, resource }) = self.running.take() else {
            return;
        };
        let dropped = {
            let _running = instance.enter(&self.pool);
            resource.resource_drop_async(&mut instance.store).await
        };
        match dropped {
            Ok(()) => self.pool.give_back(instance),
            Err(error) => tracing::warn!(%error, "an operation could not be dropped"),
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(feature = "embedded")]
    use super::*;

    #[cfg(feature = "embedded")]
    #[test]
    fn a_crate_that_was_built_without_components_says_how_to_get_them() {
        let error = embedded(b"").unwrap_err();
        assert_eq!(error.kind(), ComponentErrorKind::Unusable);
        assert!(error.to_string().contains("cargo xtask component"), "{error}");
        assert_eq!(embedded(b"a component").unwrap(), b"a component");
    }
}
