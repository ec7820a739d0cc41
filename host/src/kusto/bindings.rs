//! The generated types of `checkpointer-kusto`.

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    reason = "generated from wit/checkpointer.wit, where the documentation is"
)]
mod generated {
    // What the component imports is WASI's, which others have bindings for.
    wasmtime::component::bindgen!({
        path: "wit",
        inline: "
            package langgraph:host;

            world kusto {
                export langgraph:checkpoint/checkpointer@0.1.0;
                export langgraph:checkpoint/kusto-connection@0.1.0;
            }
        ",
        world: "langgraph:host/kusto",
        exports: { default: async },
    });
}

pub(super) use generated::exports::langgraph::checkpoint::checkpointer as wit;
pub(super) use generated::exports::langgraph::checkpoint::kusto_connection as connection;
pub(super) use generated::{Kusto as CheckpointerKusto, KustoPre as CheckpointerKustoPre};
