//! The JavaScript package's generated files. The package enters the wire planners with bytes, so it
//! needs only their core modules.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::files::write_if_changed;
use crate::workspace::Workspace;
use crate::world;

/// Each component, and the name of its core module in the package.
const CORES: &[(&str, &str)] = &[
    ("wire-planner", "planner.core.wasm"),
    ("wire-planner-postgres", "planner-postgres.core.wasm"),
    ("wire-planner-kusto", "planner-kusto.core.wasm"),
];

/// Makes `js/generated/`.
pub(crate) fn take(workspace: &Workspace, components: &[PathBuf]) -> Result<()> {
    let generated = workspace.js().join("generated");
    for (name, core) in CORES {
        let component =
            components.iter().find(|path| path.file_stem().is_some_and(|it| it == *name));
        let component = component.with_context(|| format!("{name} was not built"))?;
        let bytes = fs::read(component)?;
        let module = world::core_module(&bytes)
            .with_context(|| format!("cannot take {} apart", component.display()))?;
        write_if_changed(&generated.join(core), module)?;
    }
    Ok(())
}
