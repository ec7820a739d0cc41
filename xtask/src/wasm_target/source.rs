//! Builds a target's standard library as rustc's own bootstrap does, without the compiler.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::toolchain::Toolchain;
use crate::process;

/// Builds from the `library` folder of a Rust source and installs into the toolchain.
pub(super) fn build(toolchain: &Toolchain, library: &Path, scratch: &Path) -> Result<()> {
    if !library.join("sysroot").join("Cargo.toml").is_file() {
        bail!("{} is not the `library` folder of a Rust source", library.display());
    }
    println!("building from {}", library.display());
    // A copy, because cargo writes a lockfile and a configuration beside the source.
    let source = scratch.join("source");
    copy_tree(library, &source).with_context(|| format!("cannot copy {}", library.display()))?;
    use_vendored_crates(&source)?;
    let built = compile(toolchain, &source, scratch)?;
    install(toolchain, &built)
}

/// Debian's source contains the crates that the standard library needs; no registry is used.
fn use_vendored_crates(source: &Path) -> Result<()> {
    let vendor = source.join("vendor");
    if !vendor.is_dir() {
        return Ok(());
    }
    let folder = source.join(".cargo");
    fs::create_dir_all(&folder)?;
    let path = serde_json::to_string(&vendor)?;
    fs::write(
        folder.join("config.toml"),
        format!(
            "[source.crates-io]\nreplace-with = \"vendored\"\n[source.vendored]\n\
             directory = {path}\n"
        ),
    )?;
    Ok(())
}

/// Compiles. Returns the folder of the libraries.
fn compile(toolchain: &Toolchain, source: &Path, scratch: &Path) -> Result<PathBuf> {
    let target_dir = scratch.join("target");
    let log = scratch.join("build.log");
    // With bitcode, without which link-time optimization fails on these libraries. The path of the
    // scratch folder is replaced, because panic messages contain paths: two machines would build
    // different bytes.
    let flags = [
        "-Cembed-bitcode=yes".to_owned(),
        "-Zforce-unstable-if-unmarked".to_owned(),
        "-Cdebuginfo=0".to_owned(),
        format!("--remap-path-prefix={}=/rustc/{}/library", source.display(), toolchain.version()),
    ];
    let mut cargo = process::cargo();
    cargo
        .current_dir(source.join("sysroot"))
        // Debian removes what only the library's own tests need.
        .args(["build", "-Zavoid-dev-deps", "--release", "--target", toolchain.target()])
        .args(["--no-default-features", "--features", "compiler-builtins-mem"])
        .env("RUSTC_BOOTSTRAP", "1")
        .env("__CARGO_DEFAULT_LIB_METADATA", "stablestd")
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TARGET_DIR", &target_dir)
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
        .env("CARGO_PROFILE_RELEASE_PANIC", "abort")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .env_remove("CARGO_BUILD_TARGET")
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTUP_TOOLCHAIN_SOURCE")
        .stdout(File::create(&log)?)
        .stderr(File::options().append(true).open(&log)?);
    if let Err(error) = process::run(&mut cargo) {
        let log = fs::read_to_string(&log)?;
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(30)..].join("\n");
        return Err(error.context(format!("the standard library does not build:\n{tail}")));
    }
    Ok(target_dir.join(toolchain.target()).join("release").join("deps"))
}

/// Puts all libraries where rustc looks for them, in one step.
fn install(toolchain: &Toolchain, built: &Path) -> Result<()> {
    let rustlib = toolchain.rustlib();
    let partial = rustlib.with_extension("partial");
    let cannot_write = || format!("cannot write {}", partial.display());
    if partial.exists() {
        fs::remove_dir_all(&partial).with_context(cannot_write)?;
    }
    let folder = partial.join("lib");
    fs::create_dir_all(&folder).with_context(cannot_write)?;
    let mut count = 0;
    for entry in fs::read_dir(built)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        // `sysroot` only collects the others.
        if name.ends_with(".rlib") && !name.starts_with("libsysroot-") {
            fs::copy(&path, folder.join(name)).with_context(cannot_write)?;
            count += 1;
        }
    }
    if rustlib.exists() {
        fs::remove_dir_all(&rustlib)?;
    }
    fs::rename(&partial, &rustlib)
        .with_context(|| format!("cannot write {}", rustlib.display()))?;
    println!("installed {count} libraries into {}", rustlib.display());
    Ok(())
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if fs::metadata(&path)?.is_dir() {
            copy_tree(&path, &copy)?;
        } else {
            fs::copy(&path, &copy)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_no_rust_source_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let toolchain = Toolchain::at_hand("wasm32-unknown-unknown").unwrap();
        let error = build(&toolchain, folder.path(), folder.path()).unwrap_err();
        assert!(error.to_string().ends_with("`library` folder of a Rust source"), "{error}");
    }

    #[test]
    fn a_copied_tree_has_every_file() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        fs::create_dir_all(from.join("deep/deeper")).unwrap();
        fs::write(from.join("deep/deeper/file"), "text").unwrap();
        copy_tree(&from, &folder.path().join("to")).unwrap();
        let copied = fs::read(folder.path().join("to/deep/deeper/file")).unwrap();
        assert_eq!(copied, b"text");
    }
}
