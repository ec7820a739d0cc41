//! Debian's `rust-src`: the standard library's source, in the version of the compiler.
//!
//! apt runs with its own lists, cache and status in a scratch folder, so it neither reads nor
//! changes the machine's package state, and needs no privilege. Only the mirror comes from the
//! machine's configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process;

/// Where Debian keeps its signing keys.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// The releases that carry recent compilers.
const SUITES: &[&str] = &["trixie", "trixie-backports", "forky", "sid"];

/// Downloads the package of exactly this version. Returns its `library` folder.
pub(super) fn library(version: &str, scratch: &Path) -> Result<PathBuf> {
    let configured = configured_sources();
    let mirror = mirror(&configured)
        .context("this machine's apt configuration names no Debian mirror to get rust-src from")?;
    let apt = Apt::new(scratch, &mirror)?;
    println!("looking for rust-src {version} in Debian");
    process::run(&mut apt.command("apt-get", &["-qq", "update"]))?;
    let offered = process::output(&mut apt.command("apt-cache", &["madison", "rust-src"]))?;
    let Some(package) = matching(&offered, version) else {
        bail!("Debian has no rust-src {version}; it has: {}", versions(&offered).join(", "));
    };
    process::run(
        &mut apt.command("apt-get", &["-qq", "download", &format!("rust-src={package}")]),
    )?;
    unpack(scratch)
}

/// apt, confined to a folder.
struct Apt {
    folder: PathBuf,
    options: Vec<String>,
}

impl Apt {
    fn new(scratch: &Path, mirror: &str) -> Result<Self> {
        let folder = scratch.join("apt");
        for name in ["lists/partial", "cache/archives/partial", "parts"] {
            fs::create_dir_all(folder.join(name))?;
        }
        fs::write(folder.join("status"), "")?;
        let sources: String = SUITES
            .iter()
            .map(|suite| format!("deb [signed-by={KEYRING}] {mirror} {suite} main\n"))
            .collect();
        fs::write(folder.join("sources.list"), sources)?;
        let at = |name: &str| folder.join(name).display().to_string();
        let options = vec![
            format!("Dir::Etc::sourcelist={}", at("sources.list")),
            format!("Dir::Etc::sourceparts={}", at("parts")),
            format!("Dir::State={}", folder.display()),
            format!("Dir::State::lists={}", at("lists")),
            format!("Dir::State::status={}", at("status")),
            format!("Dir::Cache={}", at("cache")),
            "Acquire::Languages=none".to_owned(),
            "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false".to_owned(),
            "Acquire::Retries=2".to_owned(),
            // apt's own user cannot access the scratch folder.
            "APT::Sandbox::User=root".to_owned(),
        ];
        Ok(Self { folder, options })
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder);
        for option in &self.options {
            command.args(["-o", option]);
        }
        command.args(arguments);
        command
    }
}

/// Extracts the `library` folder from the downloaded package.
fn unpack(scratch: &Path) -> Result<PathBuf> {
    let package = fs::read_dir(scratch.join("apt"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .context("apt downloaded no package")?;
    let mut open = Command::new("dpkg-deb");
    open.arg("--fsys-tarfile").arg(package).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut archive = open.spawn().map_err(|error| process::not_started(&open, error))?;
    let contents = archive.stdout.take().context("dpkg-deb gives no output")?;
    let mut tar = Command::new("tar");
    tar.arg("-x").arg("-C").arg(scratch).args(["--wildcards", "./usr/src/rustc-*/library"]);
    tar.stdin(contents);
    let unpacked = tar.status().map_err(|error| process::not_started(&tar, error))?;
    if !unpacked.success() || !archive.wait()?.success() {
        bail!("cannot unpack Debian's rust-src");
    }
    fs::read_dir(scratch.join("usr/src"))?
        .filter_map(|entry| Some(entry.ok()?.path().join("library")))
        .find(|library| library.is_dir())
        .context("Debian's rust-src has no `library` folder")
}

/// The texts of the machine's apt sources, in both of apt's formats.
fn configured_sources() -> String {
    let mut paths = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        let mut found: Vec<PathBuf> =
            entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        found.sort();
        paths.extend(found);
    }
    let texts: Vec<String> =
        paths.iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
    texts.join("\n")
}

/// The first address of a Debian archive among the sources.
fn mirror(sources: &str) -> Option<String> {
    sources
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("URIs:") || line.starts_with("deb "))
        .flat_map(str::split_whitespace)
        .find(|word| {
            let address = word.starts_with("http://") || word.starts_with("https://");
            address && word.trim_end_matches('/').ends_with("/debian")
        })
        .map(str::to_owned)
}

/// The versions in the output of `apt-cache madison`.
fn versions(offered: &str) -> Vec<&str> {
    let mut versions: Vec<&str> =
        offered.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim).collect();
    versions.dedup();
    versions
}

/// The version of the package that has this version of Rust.
fn matching<'a>(offered: &'a str, version: &str) -> Option<&'a str> {
    versions(offered)
        .into_iter()
        .find(|package| package.strip_prefix(version).is_some_and(|rest| rest.starts_with('+')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERED: &str = "  rust-src | 1.95.0+dfsg1-1 | http://example.org/debian sid/main all\n\
                           rust-src | 1.85.0+dfsg3-1 | http://example.org/debian trixie/main all\n";

    #[test]
    fn only_the_exact_version_matches() {
        assert_eq!(matching(OFFERED, "1.95.0"), Some("1.95.0+dfsg1-1"));
        assert_eq!(matching(OFFERED, "1.95"), None);
        assert_eq!(matching(OFFERED, "1.96.0"), None);
        assert_eq!(versions(OFFERED), ["1.95.0+dfsg1-1", "1.85.0+dfsg3-1"]);
    }

    #[test]
    fn the_mirror_is_read_from_both_formats() {
        let list = "# deb http://no.example/debian x main\n\
                    deb [arch=amd64] https://one.example/debian/ bookworm main\n";
        let deb822 = "Types: deb\nURIs: http://two.example/debian-security\n\n\
                      Types: deb\nURIs: http://three.example/debian\nSuites: x\n";
        assert_eq!(mirror(list).as_deref(), Some("https://one.example/debian/"));
        assert_eq!(mirror(deb822).as_deref(), Some("http://three.example/debian"));
        assert_eq!(mirror("deb http://archive.example/ubuntu noble main\n"), None);
    }
}
