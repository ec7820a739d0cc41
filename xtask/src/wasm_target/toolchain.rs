//! The Rust toolchain that builds here, and one target of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process;

/// A download that hangs must not block the build: building from source takes a minute.
const RUSTUP_SECONDS_MAX: u64 = 60;

/// A toolchain and a target for it.
#[derive(Debug)]
pub(super) struct Toolchain {
    sysroot: PathBuf,
    version: String,
    target: String,
}

impl Toolchain {
    /// The toolchain of the `rustc` on the path.
    pub(super) fn at_hand(target: &str) -> Result<Self> {
        let sysroot = process::output(rustc().args(["--print", "sysroot"]))?;
        let about = process::output(rustc().arg("-vV"))?;
        let version = about
            .lines()
            .find_map(|line| line.strip_prefix("release: "))
            .context("`rustc -vV` names no release")?;
        Ok(Self {
            sysroot: PathBuf::from(sysroot.trim_end()),
            version: version.to_owned(),
            target: target.to_owned(),
        })
    }

    /// The release, such as `1.95.0`.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// The target's triple.
    pub(super) fn target(&self) -> &str {
        &self.target
    }

    /// The folder for the target's standard library.
    pub(super) fn rustlib(&self) -> PathBuf {
        self.sysroot.join("lib").join("rustlib").join(&self.target)
    }

    /// Whether a program that needs the standard library compiles.
    pub(super) fn works(&self, scratch: &Path) -> Result<bool> {
        let probe = scratch.join("probe.rs");
        fs::write(&probe, "pub fn f(n: usize) -> Vec<String> { vec![String::new(); n] }\n")?;
        Ok(process::succeeds(
            rustc()
                .args(["--target", &self.target, "--edition", "2024"])
                .args(["--crate-type", "lib", "--emit", "obj", "-o"])
                .arg(scratch.join("probe.o"))
                .arg(probe),
        ))
    }

    /// The standard library's source, if rustup's `rust-src` is installed.
    pub(super) fn own_library(&self) -> Option<PathBuf> {
        let library = self.sysroot.join("lib/rustlib/src/rust/library");
        library.join("sysroot").join("Cargo.toml").is_file().then_some(library)
    }

    /// rustup's name of the toolchain; `None` if rustup did not install it.
    pub(super) fn rustup_name(&self) -> Option<&str> {
        let folder = self.sysroot.parent()?;
        let rustup_s = folder.file_name()? == "toolchains"
            && process::succeeds(Command::new("rustup").arg("--version"));
        self.sysroot.file_name()?.to_str().filter(|_| rustup_s)
    }

    /// `rustup target add`, within a deadline.
    pub(super) fn add_by_rustup(&self, name: &str, scratch: &Path) -> Result<()> {
        let log = scratch.join("rustup.log");
        let mut rustup = Command::new("rustup");
        rustup
            .args(["target", "add", "--toolchain", name, &self.target])
            .env("RUSTUP_MAX_RETRIES", "0")
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(File::create(&log)?);
        let mut child = rustup.spawn().map_err(|error| process::not_started(&rustup, error))?;
        let began = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if began.elapsed() > Duration::from_secs(RUSTUP_SECONDS_MAX) {
                child.kill()?;
                child.wait()?;
                bail!("no end within {RUSTUP_SECONDS_MAX} seconds");
            }
            thread::sleep(Duration::from_millis(100));
        };
        if !status.success() {
            let log = fs::read_to_string(&log)?;
            let line = log.lines().find(|line| line.starts_with("error")).unwrap_or("no reason");
            bail!("{line}");
        }
        Ok(())
    }
}

fn rustc() -> Command {
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    // A probe must not start a download.
    rustc.env("RUSTUP_AUTO_INSTALL", "0");
    rustc
}
