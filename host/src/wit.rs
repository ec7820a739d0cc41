//! The types of the contract, in modules as generated code expects them for interfaces without
//! functions.

/// What such a module has besides its types.
mod without_functions {
    use wasmtime::component::{HasData, Linker};

    /// Required by generated code; has no functions to implement.
    pub trait Host {}
    impl<T> Host for T {}

    /// As above.
    pub trait HostWithStore<T>: HasData {}
    impl<T, D: HasData> HostWithStore<T> for D {}

    /// Adds nothing, because the interface has no functions.
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
    pub use crate::wit::without_functions::*;
    pub use langgraph_checkpoint_guest::wit::types::*;
}

/// `langgraph:checkpoint-planner/planner-types`.
pub mod planner_types {
    pub use crate::wit::without_functions::*;
    pub use langgraph_checkpoint_guest::wit::planner_types::*;
}

/// `langgraph:checkpoint-kusto/connection-types`.
#[cfg(feature = "kusto")]
pub mod connection_types {
    pub use crate::wit::without_functions::*;
    pub use langgraph_checkpoint_guest::wit::connection_types::*;
}
