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

    use langgraph_checkpoint_host::Planner;

    /// Where `cargo xtask component` puts it, and where a source distribution has it.
    const COMPONENT: &str = "../host/components/planner.wasm";

    pub(super) fn compile() -> Result<(), Box<dyn Error>> {
        println!("cargo::rerun-if-changed={COMPONENT}");
        let bytes = match fs::read(COMPONENT) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                println!(
                    "cargo::warning=the planner is not built as a component (`cargo xtask \
                     component` does): the package will run it natively"
                );
                return Ok(());
            }
            read => read?,
        };
        let variable = |name| env::var(name).map_err(|error| format!("{name}: {error}"));
        let compiled = Planner::precompile_for(&bytes, &variable("TARGET")?)?;
        fs::write(PathBuf::from(variable("OUT_DIR")?).join("planner.compiled"), compiled)?;
        println!("cargo::rustc-cfg=compiled");
        Ok(())
    }
}
