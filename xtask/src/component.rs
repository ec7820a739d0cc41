//! Builds the components, checks them, and puts them where the hosts look for them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::files::write_if_changed;
use crate::workspace::Workspace;
use crate::world::{TYPES, World};
use crate::{compose, core_modules, embed, process, wasm_target};

/// The target that the components are built for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// The extension module of Python, which only links into an interpreter. Its component would be
/// compiled by another compiler than the hosts' tests have.
pub(crate) const EXTENSION: &str = "langgraph-checkpoint-python";

/// Arguments that exclude the crates which are not programs: those that are only components are
/// tested through the guest and the hosts that load them, the extension through Python.
pub(crate) const WITHOUT: &[&str] = &[
    "--exclude",
    "example-agent",
    "--exclude",
    "example-http-agent",
    "--exclude",
    "langgraph-checkpoint-checkpointer*",
    "--exclude",
    "langgraph-checkpoint-wire-planner",
    "--exclude",
    "langgraph-checkpoint-planner",
    "--exclude",
    EXTENSION,
];

/// All that the host has. The steps that build it agree on this: with other features, wasmtime
/// would be built again.
pub(crate) const WITH_POSTGRES: [&str; 2] = ["--features", "langgraph-checkpoint-host/postgres"];

/// A component that a crate is built into.
struct Kind {
    /// The name of its file, and of files made from it.
    name: &'static str,
    package: &'static str,
    features: &'static [&'static str],
    /// The cargo profile, which decides what is optimized.
    profile: &'static str,
    /// The prefixes of the imports that it may have.
    imports: &'static [&'static str],
}

/// Optimized for speed.
const FAST: &str = "component";
/// Optimized for speed in a script engine's compiler.
const SCRIPT: &str = "component-script";
/// Optimized for size: for components that are loaded over a network, or mostly wait for one.
const SMALL: &str = "component-small";

/// The pure components. The JavaScript package is made from all but the first.
const PLANNERS: &[Kind] = &[
    Kind {
        name: "planner",
        package: "langgraph-checkpoint-planner",
        features: &[],
        profile: FAST,
        imports: &[TYPES, "langgraph:checkpoint-planner/planner-types@"],
    },
    Kind {
        name: "wire-planner",
        package: "langgraph-checkpoint-wire-planner",
        features: &[],
        profile: SCRIPT,
        imports: &[],
    },
    Kind {
        name: "wire-planner-postgres",
        package: "langgraph-checkpoint-wire-planner",
        features: &["postgres"],
        profile: SCRIPT,
        imports: &[],
    },
    Kind {
        name: "wire-planner-kusto",
        package: "langgraph-checkpoint-wire-planner",
        features: &["kusto"],
        profile: SMALL,
        imports: &[],
    },
];

/// The components that are composed with one another.
const COMPOSED: &[Kind] = &[
    Kind {
        name: "checkpointer",
        package: "langgraph-checkpoint-checkpointer",
        features: &[],
        profile: SMALL,
        imports: &[TYPES, "langgraph:checkpoint/storage@"],
    },
    Kind {
        name: "checkpointer-kusto",
        package: "langgraph-checkpoint-checkpointer-kusto",
        features: &[],
        profile: SMALL,
        imports: &[
            TYPES,
            "langgraph:checkpoint-kusto/connection-types@",
            "wasi:clocks/",
            "wasi:http/",
            "wasi:io/",
            "wasi:random/random@",
        ],
    },
    Kind {
        name: "agent",
        package: "example-agent",
        features: &[],
        profile: SMALL,
        imports: &[TYPES, "langgraph:checkpoint/checkpointer@"],
    },
    Kind {
        name: "http-agent",
        package: "example-http-agent",
        features: &[],
        profile: SMALL,
        imports: &[
            TYPES,
            "langgraph:checkpoint/checkpointer@",
            "wasi:clocks/wall-clock@",
            "wasi:http/types@",
            "wasi:io/",
            "wasi:random/random@",
        ],
    },
];

/// Makes `target/components/*.wasm` and `js/generated/`; cheap when nothing changed.
pub(crate) fn prepare(workspace: &Workspace) -> Result<()> {
    wasm_target::ensure(TARGET)?;
    for kind in COMPOSED {
        build(workspace, kind)?;
    }
    compose::compose(workspace)?;
    let planners = PLANNERS.iter().map(|kind| build(workspace, kind));
    let planners = planners.collect::<Result<Vec<_>>>()?;
    embed::embed(workspace)?;
    core_modules::take(workspace, &planners)
}

/// Fails if a built component imports anything that it may not.
pub(crate) fn check_imports(workspace: &Workspace) -> Result<()> {
    for kind in PLANNERS.iter().chain(COMPOSED) {
        let world = world(&path(workspace, kind))?;
        world.require_imports(kind.imports).context(kind.name)?;
        println!("{} {world}", kind.name);
    }
    Ok(())
}

fn world(component: &Path) -> Result<World> {
    let bytes = fs::read(component).with_context(|| {
        format!("{} is missing: run `cargo xtask component`", component.display())
    })?;
    World::decode(&bytes).with_context(|| format!("cannot read {}", component.display()))
}

/// The path is always inside the checkout, wherever cargo builds, because the hosts' tests look for
/// it there.
fn path(workspace: &Workspace, kind: &Kind) -> PathBuf {
    workspace.path("target/components").join(kind.name).with_extension("wasm")
}

fn build(workspace: &Workspace, kind: &Kind) -> Result<PathBuf> {
    let mut cargo = process::cargo();
    // Build it alone, with -p: otherwise features that other packages enable would change its
    // bytes.
    cargo
        .current_dir(workspace.root())
        .args(["build", "--quiet", "-p", kind.package])
        .args(["--features", &kind.features.join(",")])
        .args(["--target", TARGET, "--profile", kind.profile])
        .args(["--config", &flags()?]);
    process::run(&mut cargo)?;

    // Cargo uses this name for every kind of a package; the last one built is there.
    let file = kind.package.replace('-', "_");
    let built =
        workspace.target().join(TARGET).join(kind.profile).join(file).with_extension("wasm");
    let bytes =
        fs::read(&built).with_context(|| format!("cargo did not make {}", built.display()))?;
    let world = World::decode(&bytes)?;
    world.require_imports(kind.imports).context(kind.name)?;
    println!("{} {world}", kind.name);

    let component = path(workspace, kind);
    write_if_changed(&component, &bytes)?;
    Ok(component)
}

/// SIMD, which every current runtime has, makes hashing take a third less time. Panic messages
/// contain paths of sources; the builder's home folder must not be in a package.
fn flags() -> Result<String> {
    let home = match std::env::var_os("CARGO_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => std::env::home_dir().context("this user has no home folder")?.join(".cargo"),
    };
    let sources = home.join("registry").join("src");
    let Some(sources) = sources.to_str() else {
        bail!("the path of cargo's home folder is not UTF-8; set CARGO_HOME to one that is");
    };
    let flag = serde_json::to_string(&format!("--remap-path-prefix={sources}=/crates"))?;
    // A string of JSON is a basic string of TOML.
    Ok(format!("target.{TARGET}.rustflags=[{flag}, \"-Ctarget-feature=+simd128\"]"))
}
