//! The interfaces of this package that the embedding's guests import, served natively.
//!
//! A platform runs agents that are components. They import `checkpointer`, or they are composed
//! with the component that exports it and import `storage`. Both interfaces can be added to a
//! linker here. A guest reaches only the handle in its own state, so tenants with separate handles
//! are separate: nothing that a guest passes chooses a store.
//!
//! **Each tenant needs its own store.** A guest can list and delete every thread of its store. With
//! `storage` it does this in SQL, which a [`ConfinedStorage`] holds to the tables: an
//! `AgentStorage` of SQLite, or a `PostgresAgentStorage`. The embedding limits the guest's
//! instance: its memory and time, and with `Store::set_hostcall_fuel` how much it passes in one
//! call, by default 128 MiB.
//!
//! ```
//! use std::sync::Arc;
//!
//! use langgraph_checkpoint_host::{Checkpointer, SqliteStorage, imports};
//! use langgraph_checkpoint_host::imports::{CallLimits, CheckpointerView, Tenant};
//! use wasmtime::Engine;
//! use wasmtime::component::Linker;
//!
//! /// The state of one agent's instance.
//! struct AgentState {
//!     tenant: Tenant<SqliteStorage>,
//! }
//!
//! impl AgentState {
//!     fn new(checkpointer: Arc<Checkpointer>) -> Self {
//!         Self { tenant: Tenant::new(checkpointer, CallLimits::default()) }
//!     }
//! }
//!
//! impl CheckpointerView for AgentState {
//!     type Storage = SqliteStorage;
//!
//!     fn tenant(&mut self) -> &mut Tenant<SqliteStorage> {
//!         &mut self.tenant
//!     }
//! }
//!
//! # fn example() -> Result<(), langgraph_checkpoint_host::Error> {
//! let engine = Engine::default();
//! let mut linker = Linker::<AgentState>::new(&engine);
//! imports::add_checkpointer_to_linker(&mut linker)?;
//! # Ok(())
//! # }
//! ```

mod bindings;
mod calls;
mod failures;
mod load;
mod storage;
mod tenant;

use wasmtime::component::{HasData, Linker};

use self::storage::Served;
pub use self::tenant::{CallLimits, Tenant};
use crate::component::unusable;
use crate::error::Error;
use crate::storage::{ConfinedStorage, StorageAdapter};

/// The state of an instance that imports `checkpointer`.
pub trait CheckpointerView: Send + 'static {
    /// The store of the instance's tenant.
    type Storage: StorageAdapter + 'static;

    /// The tenant that the instance belongs to.
    fn tenant(&mut self) -> &mut Tenant<Self::Storage>;
}

/// The state of an instance that imports `storage`.
pub trait StorageView: Send + 'static {
    /// The kind of store.
    type Storage: ConfinedStorage + 'static;

    /// The store of the instance's tenant, on a file or schema that no other tenant's instances can
    /// reach.
    fn storage(&mut self) -> &Self::Storage;
}

/// Serves `langgraph:checkpoint/checkpointer` to the components of a linker.
pub fn add_checkpointer_to_linker<T: CheckpointerView>(
    linker: &mut Linker<T>,
) -> Result<(), Error> {
    bindings::checkpointer::add_to_linker::<T, HasTenant<T>>(linker, T::tenant)
        .map_err(|error| unusable(error).into())
}

/// Serves `langgraph:checkpoint/storage` to the components of a linker that are composed with the
/// component `checkpointer`.
pub fn add_storage_to_linker<T: StorageView>(linker: &mut Linker<T>) -> Result<(), Error> {
    bindings::storage::add_to_linker::<T, HasStorage<T>>(linker, |state| Served(state.storage()))
        .map_err(|error| unusable(error).into())
}

struct HasTenant<T>(std::marker::PhantomData<T>);

impl<T: CheckpointerView> HasData for HasTenant<T> {
    type Data<'a> = &'a mut Tenant<T::Storage>;
}

struct HasStorage<T>(std::marker::PhantomData<T>);

impl<T: StorageView> HasData for HasStorage<T> {
    type Data<'a> = Served<'a, T::Storage>;
}
