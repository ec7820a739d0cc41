//! The generated code that enters `checkpointer-kusto`. Its types are the guest's.

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    reason = "generated from wit/kusto, where the documentation is"
)]
mod generated {
    // The component imports only WASI's interfaces, for which other crates have bindings.
    wasmtime::component::bindgen!({
        path: ["wit-packages/checkpoint", "wit-packages/kusto"],
        inline: "
            package langgraph:host;

            world kusto {
                export langgraph:checkpoint/checkpointer@0.1.0;
                export langgraph:checkpoint/lifecycle@0.1.0;
                export langgraph:checkpoint-kusto/connection@0.1.0;
            }
        ",
        world: "langgraph:host/kusto",
        exports: { default: async },
        with: {
            "langgraph:checkpoint/types": crate::wit::types,
            "langgraph:checkpoint-kusto/connection-types":
                crate::wit::connection_types,
        },
    });
}

pub(super) use generated::{Kusto as CheckpointerKusto, KustoPre as CheckpointerKustoPre};
