//! The types of the contract, as generated code expects the modules of interfaces that have no
//! function.

/// What such a module has beside its types.
mod without_functions {
    use wasmtime::component::{HasData, Linker};

    /// What nobody needs to implement.
    pub trait Host {}
    impl<T> Host for T {}

    /// As above.
    pub trait HostWithStore<T>: HasData {}
    impl<T, D: HasData> HostWithStore<T> for D {}

    /// Adds nothing.
    #[expect(clippy::unnecessary_wraps, reason = "generated code calls it as it calls others")]
    pub fn add_to_linker<T: 'static, D: HasData>(
        _: &mut Linker<T>,
        _: fn(&mut T) -> D::Data<'_>,
    ) -> wasmtime::Result<()> {
        Ok(())
    }
}

/// `langgraph:checkpoint/types`.
pub mod types {
    pub use super::without_functions::*;
    pub use langgraph_checkpoint_guest::wit::types::*;
}

/// `langgraph:checkpoint-planner/planner-types`.
pub mod planner_types {
    pub use super::without_functions::*;
    pub use langgraph_checkpoint_guest::wit::planner_types::*;
}

/// `langgraph:checkpoint-kusto/connection-types`.
#[cfg(feature = "kusto")]
pub mod connection_types {
    pub use super::without_functions::*;
    pub use langgraph_checkpoint_guest::wit::connection_types::*;
}
