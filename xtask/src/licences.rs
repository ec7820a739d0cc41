//! Checks the part of `deny.toml` that needs no other tool: licences, bans, and the sources of
//! crates.

use std::fs;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use spdx::{Expression, Licensee, ParseMode};

use crate::process;
use crate::workspace::Workspace;

/// The part of `deny.toml` that is read here; cargo-deny reads the rest.
#[derive(Deserialize)]
struct Policy {
    licenses: Licences,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

/// The part of `cargo metadata` that is read here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    /// `None` for the packages of this workspace.
    source: Option<String>,
}

/// Checks every dependency against the policy.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let text = fs::read_to_string(workspace.path("deny.toml")).context("cannot read deny.toml")?;
    let policy: Policy = toml::from_str(&text).context("cannot read deny.toml")?;
    let about = process::output(process::cargo().args(["-vV"]))?;
    let host = about
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("`cargo -vV` names no host")?;
    let metadata = process::output(
        process::cargo()
            .current_dir(workspace.root())
            // Only of this platform: the packages of others are not installed here.
            .args(["metadata", "--format-version", "1", "--filter-platform", host]),
    )?;
    let metadata: Metadata = serde_json::from_str(&metadata)?;
    let complaints = complaints(&policy, &metadata.packages)?;
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    println!("{} packages keep to deny.toml", metadata.packages.len());
    Ok(())
}

fn complaints(policy: &Policy, packages: &[Package]) -> Result<Vec<String>> {
    let mut allowed = Vec::new();
    for licence in &policy.licenses.allow {
        let licensee = Licensee::parse(licence);
        allowed.push(licensee.with_context(|| format!("deny.toml: `{licence}` is no licence"))?);
    }
    let mut complaints = Vec::new();
    for package in packages {
        let Some(source) = &package.source else {
            continue;
        };
        let mut complain = |what: String| {
            complaints.push(format!("{} {}: {what}", package.name, package.version));
        };
        let of_a_known_registry = source
            .strip_prefix("registry+")
            .is_some_and(|registry| policy.sources.allow_registry.iter().any(|a| a == registry));
        if !of_a_known_registry {
            complain(format!("comes from {source}"));
        }
        if let Some(ban) = policy.bans.deny.iter().find(|ban| ban.name == package.name) {
            complain(format!("is banned: {}", ban.reason));
        }
        match &package.license {
            Some(licence) if is_allowed(licence, &allowed) => {}
            Some(licence) => complain(format!("the licence {licence} is not allowed")),
            None => complain("names no licence".to_owned()),
        }
    }
    Ok(complaints)
}

fn is_allowed(licence: &str, allowed: &[Licensee]) -> bool {
    // Lax, because older crates write `MIT/Apache-2.0`.
    Expression::parse_mode(licence, ParseMode::LAX).is_ok_and(|expression| {
        expression.evaluate(|asked| allowed.iter().any(|licensee| licensee.satisfies(asked)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"
        [licenses]
        allow = ["MIT", "Apache-2.0 WITH LLVM-exception"]
        [bans]
        deny = [{ crate = "banned", reason = "there is a better one" }]
        [sources]
        allow-registry = ["https://registry.example/index"]
    "#;

    fn complaints_about(name: &str, license: Option<&str>, source: Option<&str>) -> Vec<String> {
        let package = Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            source: source.map(str::to_owned),
        };
        complaints(&toml::from_str(POLICY).unwrap(), &[package]).unwrap()
    }

    const KNOWN: Option<&str> = Some("registry+https://registry.example/index");

    #[test]
    fn one_allowed_choice_is_enough() {
        for licence in
            ["MIT", "MIT/GPL-3.0", "GPL-3.0-only OR MIT", "Apache-2.0 WITH LLVM-exception"]
        {
            assert_eq!(complaints_about("a", Some(licence), KNOWN), [""; 0], "{licence}");
        }
    }

    #[test]
    fn an_unknown_or_missing_licence_is_reported() {
        for licence in [Some("GPL-3.0-only"), Some("MIT AND GPL-3.0-only"), Some("?"), None] {
            assert_eq!(complaints_about("a", licence, KNOWN).len(), 1, "{licence:?}");
        }
    }

    #[test]
    fn a_ban_is_reported_with_its_reason() {
        let complaints = complaints_about("banned", Some("MIT"), KNOWN);
        assert_eq!(complaints, ["banned 1.0.0: is banned: there is a better one"]);
    }

    #[test]
    fn another_source_is_reported_and_the_workspace_s_own_packages_are_not() {
        let git = Some("git+https://git.example/a");
        let complaints = complaints_about("a", Some("MIT"), git);
        assert_eq!(complaints, ["a 1.0.0: comes from git+https://git.example/a"]);
        assert_eq!(complaints_about("a", None, None), [""; 0]);
    }
}
