//! The components: built, checked, and handed to the hosts.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;
use crate::world::World;
use crate::{compose, core_modules, package, process, wasm_target};

/// The target the component is built for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Arguments that leave out the crates which are components and nothing else: natively they do
/// not link, and their tests are those of the guest and of the hosts that load them.
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
];

/// A component that a crate is built into.
struct Kind {
    /// Of its file, and of what is made from it.
    name: &'static str,
    package: &'static str,
    features: &'static [&'static str],
    /// Of cargo: what the compiler aims at.
    profile: &'static str,
    /// What it may import, by how the names begin.
    imports: &'static [&'static str],
}

/// Records and variants, no function: what a component imports of it is words.
pub(crate) const TYPES: &str = "langgraph:checkpoint/types@";

/// In as little time as possible.
const FAST: &str = "component";
/// In as little time as possible where a script engine compiles it.
const SCRIPT: &str = "component-script";
/// In as few bytes as possible: for what is loaded over a network, or waits for one.
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
    package::embed(workspace)?;
    core_modules::take(workspace, &planners)
}

/// Fails when a built component imports what it may not.
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

/// Always below the checkout, wherever cargo builds: the hosts' tests look for it there.
fn path(workspace: &Workspace, kind: &Kind) -> PathBuf {
    workspace.path("target/components").join(kind.name).with_extension("wasm")
}

fn build(workspace: &Workspace, kind: &Kind) -> Result<PathBuf> {
    let mut cargo = process::cargo();
    // Alone, by -p: beside other packages, features they ask for would end up in its bytes.
    cargo
        .current_dir(workspace.root())
        .args(["build", "--quiet", "-p", kind.package])
        .args(["--features", &kind.features.join(",")])
        .args(["--target", TARGET, "--profile", kind.profile])
        .args(["--config", &flags()?]);
    process::run(&mut cargo)?;

    // Cargo gives all kinds of a package this name, and puts the one that was asked for there.
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

/// With SIMD, which every current runtime has, hashing takes a third less time. Panic messages
/// hold the paths of sources; the builder's home folder has no place in a package.
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

/// Leaves the file's time alone where its bytes stay, so that nothing is rebuilt for it.
pub(crate) fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // Renamed into place: a reader sees the old file or the new one.
    let partial = path.with_extension("partial");
    fs::write(&partial, bytes)?;
    fs::rename(&partial, path).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_bytes_are_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made").join("planner.wasm");
        write_if_changed(&path, b"one").unwrap();
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        write_if_changed(&path, b"one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
        write_if_changed(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
    }
}
