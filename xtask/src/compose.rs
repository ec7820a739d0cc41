//! `cargo xtask compose`: composes the example agents with the components that export what they
//! import.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions};

use crate::files::write_if_changed;
use crate::workspace::Workspace;
use crate::world::{TYPES, World};

/// A composition.
struct Plan {
    /// The name of its file.
    name: &'static str,
    /// The component that imports `checkpointer`.
    agent: &'static str,
    /// The component that exports `checkpointer`.
    plug: &'static str,
    /// The exports of the plug that the composition exports too.
    exports: &'static [&'static str],
    /// The prefixes of the imports that it may have.
    imports: &'static [&'static str],
}

const CHECKPOINTER: &str = "langgraph:checkpoint/checkpointer@0.1.0";

const PLANS: &[Plan] = &[
    Plan {
        name: "agent-on-storage",
        agent: "agent",
        plug: "checkpointer",
        exports: &[],
        imports: &[TYPES, "langgraph:checkpoint/storage@"],
    },
    Plan {
        name: "agent-on-kusto",
        agent: "agent",
        plug: "checkpointer-kusto",
        // Its host sets the cluster through `connection`, whose errors are those of `checkpointer`.
        exports: &[CHECKPOINTER, "langgraph:checkpoint-kusto/connection@0.1.0"],
        imports: &[
            TYPES,
            "langgraph:checkpoint-kusto/connection-types@",
            "wasi:clocks/",
            "wasi:http/",
            "wasi:io/",
            "wasi:random/random@",
        ],
    },
    Plan {
        name: "http-agent-on-storage",
        agent: "http-agent",
        plug: "checkpointer",
        exports: &[],
        imports: &[
            TYPES,
            "langgraph:checkpoint/storage@",
            "wasi:clocks/wall-clock@",
            "wasi:http/types@",
            "wasi:io/",
            "wasi:random/random@",
        ],
    },
];

/// Prints the imports and exports of the compositions.
pub(crate) fn print(workspace: &Workspace) -> Result<()> {
    for plan in PLANS {
        println!("{} {}", plan.name, World::decode(&fs::read(file(workspace, plan.name))?)?);
    }
    Ok(())
}

/// Composes the components that are built.
pub(crate) fn compose(workspace: &Workspace) -> Result<()> {
    for plan in PLANS {
        let agent = file(workspace, plan.agent);
        let bytes = composed(&agent, &file(workspace, plan.plug), plan.exports)
            .with_context(|| format!("cannot compose {}", plan.name))?;
        World::decode(&bytes)?.require_imports(plan.imports).context(plan.name)?;
        write_if_changed(&file(workspace, plan.name), &bytes)?;
    }
    Ok(())
}

fn file(workspace: &Workspace, name: &str) -> PathBuf {
    workspace.path("target/components").join(name).with_extension("wasm")
}

/// The socket with the plug's `checkpointer`. Imports of both appear once in the composition.
fn composed(socket: &Path, plug: &Path, exports: &[&str]) -> Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    let package = Package::from_file("plug", None, plug, graph.types_mut())?;
    let plug = graph.register_package(package)?;
    let package = Package::from_file("socket", None, socket, graph.types_mut())?;
    let socket_package = graph.register_package(package)?;
    let plug = graph.instantiate(plug);
    let socket = graph.instantiate(socket_package);
    let checkpointer = graph.alias_instance_export(plug, CHECKPOINTER)?;
    graph.set_instantiation_argument(socket, CHECKPOINTER, checkpointer)?;
    let names: Vec<String> =
        graph.types()[graph[socket_package].ty()].exports.keys().cloned().collect();
    for name in names {
        let export = graph.alias_instance_export(socket, &name)?;
        graph.export(export, name)?;
    }
    for name in exports {
        let export = graph.alias_instance_export(plug, name)?;
        graph.export(export, *name)?;
    }
    Ok(graph.encode(EncodeOptions::default())?)
}
