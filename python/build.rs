//! Compiles the planner's component for the target. Without the component, or without the feature
//! `component`, the extension runs the planner natively.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(compiled)");
    #[cfg(feature = "component")]
    component::compile()?;
    Ok(())
}

#[cfg(feature = "component")]
mod component {
    use std::error::Error;
    use std::path::PathBuf;
    use std::{env, fs, io};

    use langgraph_checkpoint_host::{KustoComponent, Planner};

    /// Where `cargo xtask component` puts them, and where a source distribution has them.
    const COMPONENTS: &str = "../host/components";

    pub(super) fn compile() -> Result<(), Box<dyn Error>> {
        let (Some(planner), Some(kusto)) = (read("planner")?, read("checkpointer-kusto")?) else {
            println!(
                "cargo::warning=the components are not built (`cargo xtask component` builds \
                 them): the package will run the planner natively, and have no Kusto"
            );
            return Ok(());
        };
        let target = variable("TARGET")?;
        write("planner", &Planner::precompile_for(&planner, &target)?)?;
        write("checkpointer-kusto", &KustoComponent::precompile_for(&kusto, &target)?)?;
        println!("cargo::rustc-cfg=compiled");
        Ok(())
    }

    /// A component's bytes; `None` if it is not built.
    fn read(name: &str) -> io::Result<Option<Vec<u8>>> {
        let path = PathBuf::from(COMPONENTS).join(name).with_extension("wasm");
        println!("cargo::rerun-if-changed={}", path.display());
        match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    fn write(name: &str, compiled: &[u8]) -> Result<(), Box<dyn Error>> {
        let folder = PathBuf::from(variable("OUT_DIR")?);
        Ok(fs::write(folder.join(name).with_extension("compiled"), compiled)?)
    }

    fn variable(name: &str) -> Result<String, String> {
        env::var(name).map_err(|error| format!("{name}: {error}"))
    }
}
