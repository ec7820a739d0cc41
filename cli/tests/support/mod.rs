//! Runs the program.

use std::path::{Path, PathBuf};
use std::process::Command;

/// How a run of the program ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program to its end. It has no terminal.
pub(crate) fn run(words: &[&str]) -> Ended {
    let mut program = Command::new(env!("CARGO_BIN_EXE_langgraph-checkpoint-wasm"));
    let ended = program.args(words).output().unwrap();
    Ended {
        status: ended.status.code().unwrap(),
        stdout: String::from_utf8(ended.stdout).unwrap(),
        stderr: String::from_utf8(ended.stderr).unwrap(),
    }
}

/// What a command prints that is done.
pub(crate) fn done(words: &[&str]) -> String {
    let ended = run(words);
    assert_eq!((ended.status, ended.stderr.as_str()), (0, ""), "{words:?}");
    ended.stdout
}

/// A file in `tests/fixtures`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name)
}
