//! Makes a Wasm target usable with the toolchain at hand.
//!
//! Tries three ways, in this order: the target works already; rustup installs it; its standard
//! library is built from the Rust source of the same version. The last does not need rustup's
//! download server: if the toolchain has no source, Debian has a package of it.

mod debian;
mod source;
mod toolchain;

use anyhow::{Context, Result, bail};

use toolchain::Toolchain;

/// Set it to `source` to avoid rustup's download server.
const FROM: &str = "WASM_STD_FROM";
/// The `library` folder of the Rust source to build from.
const LIBRARY: &str = "RUST_LIBRARY_SRC";

/// Makes sure that crates can be built for the target.
pub(crate) fn ensure(target: &str) -> Result<()> {
    let toolchain = Toolchain::at_hand(target)?;
    let scratch = tempfile::Builder::new().prefix("wasm-target").tempdir()?;
    if toolchain.works(scratch.path())? {
        return Ok(());
    }
    let from_source = std::env::var_os(FROM).is_some_and(|from| from == "source");
    if !from_source && let Some(name) = toolchain.rustup_name() {
        println!("the target {target} is missing: asking rustup for it");
        match toolchain.add_by_rustup(name, scratch.path()) {
            Ok(()) if toolchain.works(scratch.path())? => return Ok(()),
            Ok(()) => println!("rustup installed {target}, and rustc still cannot use it"),
            Err(error) => println!("rustup could not install {target}: {error:#}"),
        }
    }
    println!("building the standard library of {target} from source, once for this toolchain");
    let advice = || {
        format!(
            "the Rust target {target} is missing and could not be made; do one of these and run \
             again: `rustup target add {target}`, or `rustup component add rust-src`, or set \
             {LIBRARY} to the `library` folder of the source of Rust {}",
            toolchain.version()
        )
    };
    let library = match std::env::var_os(LIBRARY) {
        Some(folder) => folder.into(),
        None => match toolchain.own_library() {
            Some(library) => library,
            None => debian::library(toolchain.version(), scratch.path()).with_context(advice)?,
        },
    };
    source::build(&toolchain, &library, scratch.path()).with_context(advice)?;
    if !toolchain.works(scratch.path())? {
        bail!("the standard library built from {} does not load", library.display());
    }
    Ok(())
}
