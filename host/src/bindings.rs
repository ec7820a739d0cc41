//! The generated code that enters the planner. Its types are the guest's.

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    reason = "generated from wit/planner, where the documentation is"
)]
mod generated {
    wasmtime::component::bindgen!({
        path: ["wit-packages/checkpoint", "wit-packages/planner"],
        world: "langgraph:checkpoint-planner/pure-planner@0.1.0",
        exports: { default: async },
        with: {
            "langgraph:checkpoint/types": crate::wit::types,
            "langgraph:checkpoint-planner/planner-types":
                crate::wit::planner_types,
        },
    });
}

pub(crate) use generated::exports::langgraph::checkpoint_planner::planner::{
    PostgresOptions, StoreOptions,
};
pub(crate) use generated::{PurePlanner, PurePlannerPre};
