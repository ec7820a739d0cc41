//! Runs the commands in `tests/goldens/cli`, whose README says how, and compares what is printed.
//! The npm package's program has the same goldens (`js/test/entries/goldens.test.ts`).
//!
//! `BLESS=1 cargo test -p langgraph-checkpoint-wasm --test goldens` writes what is printed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/goldens/cli")
}

#[test]
fn every_command_prints_what_its_golden_says() {
    let is_blessing = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(goldens()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        count += 1;
        let expected = fs::read_to_string(&path).unwrap();
        let printed = run_all(&expected);
        if is_blessing {
            fs::write(&path, printed).unwrap();
        } else if printed != expected {
            wrong.push(format!("{}:\n{printed}", path.display()));
        }
    }
    assert!(count > 5);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The commands of a golden, each with what it printed.
fn run_all(golden: &str) -> String {
    let folder = prepared();
    let commands = golden.lines().filter_map(|line| line.strip_prefix("$ "));
    commands.map(|command| run(folder.path(), command)).collect()
}

fn run(folder: &Path, command: &str) -> String {
    let program = env!("CARGO_BIN_EXE_langgraph-checkpoint-wasm");
    let ended = Command::new(program).current_dir(folder).args(words(command)).output().unwrap();
    let stdout = String::from_utf8(ended.stdout).unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    let said: String = stderr.lines().map(|line| format!("! {line}\n")).collect();
    format!("$ {command}\n{stdout}{said}exit {}\n", ended.status.code().unwrap())
}

/// Words with spaces between them; those with a space inside are in single quotes.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut is_quoted) = (vec![String::new()], false);
    for sign in command.chars() {
        match sign {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            _ => words.last_mut().unwrap().push(sign),
        }
    }
    words
}

/// A folder with the files that the commands name.
fn prepared() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let fixtures = goldens().join("../../fixtures");
    for (name, fixture) in [
        ("v1", "v1/checkpoints.sqlite"),
        ("damaged", "v1/checkpoints.sqlite"),
        ("javascript", "stock/javascript-1.0.1.sqlite"),
        ("changed", "stock/javascript-1.0.1.sqlite"),
        ("older", "stock/javascript-1.0.1.sqlite"),
        ("python", "stock/python-3.0.3.sqlite"),
    ] {
        let path = folder.path().join(format!("{name}.db"));
        fs::copy(fixtures.join(fixture), &path).unwrap();
        if let Ok(change) = fs::read_to_string(goldens().join(format!("{name}.sql"))) {
            rusqlite::Connection::open(path).unwrap().execute_batch(&change).unwrap();
        }
    }
    folder
}

/// What the program prints on standard output.
fn printed(words: &[&str]) -> String {
    let program = env!("CARGO_BIN_EXE_langgraph-checkpoint-wasm");
    let ended = Command::new(program).args(words).output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &[][..]), "{words:?}");
    String::from_utf8(ended.stdout).unwrap()
}

/// Compares help with a golden, or writes it there.
fn check(name: &str, shown: &str) {
    let path = goldens().join(name);
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, shown).unwrap();
    } else {
        assert_eq!(shown, fs::read_to_string(path).unwrap());
    }
}

/// The usage of every command.
fn usages() -> String {
    let help = printed(&["--help"]);
    let (shown, _) = help.split_once("\n\n").unwrap();
    let (_, usages) = shown.split_once('\n').unwrap();
    format!("{usages}\n")
}

#[test]
fn the_help_has_the_usage_of_every_command() {
    check("usage.lines", &usages());
    assert_eq!(printed(&["-h"]), printed(&["help"]));
}

#[test]
fn every_command_has_a_help_of_its_own() {
    let usages = usages();
    let names = usages.lines().filter_map(|line| line.strip_prefix("  "));
    let names = names.filter(|line| !line.starts_with(' ')).filter_map(|it| it.split(' ').next());
    let names: Vec<&str> = names.collect();
    assert!(names.len() > 10);
    check("help.lines", &names.iter().map(|name| printed(&[name, "--help"])).collect::<String>());
    for name in names {
        let help = printed(&[name, "--help"]);
        assert_eq!(printed(&[name, "store.db", "--limits", "-h"]), help);
        assert_eq!(printed(&["help", name]), help);
    }
}

#[test]
fn the_program_says_its_version() {
    let version = concat!("langgraph-checkpoint-wasm ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(printed(&["--version"]), version);
    assert_eq!(printed(&["threads", "-V"]), version);
}
