//! The generated code behind what guests import. Its types are the guest crate's.

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    reason = "generated from wit/checkpoint, where the documentation is"
)]
mod generated {
    wasmtime::component::bindgen!({
        path: "wit-packages/checkpoint",
        inline: "
            package langgraph:host;

            world imports {
                import langgraph:checkpoint/checkpointer@0.1.0;
                import langgraph:checkpoint/storage@0.1.0;
            }
        ",
        world: "langgraph:host/imports",
        imports: { default: async },
        with: { "langgraph:checkpoint/types": crate::wit::types },
    });
}

pub(super) use generated::langgraph::checkpoint::{checkpointer, storage};
