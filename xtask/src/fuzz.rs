//! Runs the fuzz targets on the stored inputs: those that cover much code, and those that once
//! found a defect. Fuzzing itself is not a step; fuzz/README.md says how.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// Builds every target and runs it on each of its inputs.
pub(crate) fn replay(workspace: &Workspace) -> Result<()> {
    let folder = workspace.path("fuzz");
    process::run(
        process::cargo()
            .current_dir(&folder)
            .args(["build", "--quiet", "--locked", "--bins", "--target-dir"])
            .arg(workspace.target()),
    )?;
    for target in targets(&folder)? {
        let mut inputs = files(&folder.join("corpus").join(&target))?;
        if inputs.is_empty() {
            bail!("fuzz/corpus/{target} holds no input");
        }
        inputs.extend(files(&folder.join("crashers").join(&target))?);
        let program = workspace.target().join("debug").join(&target);
        // Pass the files, each of which is run once; a folder would start fuzzing.
        let ran = Command::new(&program).arg("-timeout=60").args(&inputs).output();
        let ran = ran.with_context(|| format!("cannot start {}", program.display()))?;
        if !ran.status.success() {
            // The output is long, and only useful after a failure.
            eprintln!("{}", String::from_utf8_lossy(&ran.stderr));
            bail!("fuzz target {target} fails on a kept input ({})", ran.status);
        }
        println!("{target}: {} inputs", inputs.len());
    }
    Ok(())
}

/// The names of the targets, in order.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let name = |path: PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
    let targets = files(&folder.join("fuzz_targets"))?;
    Ok(targets.into_iter().filter_map(name).collect())
}

/// The files of a folder, in order; none if the folder does not exist.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    let mut files: Vec<_> = entries.into_iter().filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_a_program_with_inputs() {
        let folder = Workspace::locate().unwrap().path("fuzz");
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let targets = targets(&folder).unwrap();
        assert_eq!(targets.len(), manifest.matches("[[bin]]").count());
        for target in targets {
            assert!(manifest.contains(&format!("name = \"{target}\"")), "{target}");
            assert!(!files(&folder.join("corpus").join(&target)).unwrap().is_empty(), "{target}");
        }
    }
}
