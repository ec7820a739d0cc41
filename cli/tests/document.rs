//! The session in docs/command-line.md prints what it shows there.
//!
//! `BLESS=1 cargo test -p langgraph-checkpoint-wasm --test document` writes what is printed.

use std::fs;
use std::path::Path;
use std::process::Command;

const FENCES: [&str; 2] = ["```text\n", "```\n"];
const PROMPT: &str = "$ langgraph-checkpoint-wasm ";

#[test]
fn the_session_of_the_document_prints_what_it_shows() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let document = tests.join("docs/command-line.md");
    let text = fs::read_to_string(&document).unwrap();
    let (before, rest) = text.split_once(FENCES[0]).unwrap();
    let (shown, after) = rest.split_once(FENCES[1]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let stock = tests.join("tests/fixtures/stock/javascript-1.0.1.sqlite");
    fs::copy(stock, folder.path().join("old.db")).unwrap();
    let mut printed = String::new();
    for words in shown.lines().filter_map(|line| line.strip_prefix(PROMPT)) {
        let mut program = Command::new(env!("CARGO_BIN_EXE_langgraph-checkpoint-wasm"));
        let ended = program.current_dir(folder.path()).args(words.split(' ')).output().unwrap();
        assert!(ended.status.success(), "{words}");
        printed += &format!("{PROMPT}{words}\n{}", String::from_utf8(ended.stdout).unwrap());
    }
    assert!(printed.lines().count() > 10);
    if std::env::var_os("BLESS").is_some() {
        let [begin, end] = FENCES;
        fs::write(document, format!("{before}{begin}{printed}{end}{after}")).unwrap();
    } else {
        assert_eq!(printed, shown);
    }
}

#[test]
fn the_document_names_every_command_and_option() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/command-line.md");
    let moving = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/moving.md");
    let text = fs::read_to_string(document).unwrap() + &fs::read_to_string(moving).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_langgraph-checkpoint-wasm"));
    let help = String::from_utf8(program.arg("--help").output().unwrap().stdout).unwrap();
    let is_command = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    let commands: Vec<&str> = help.lines().filter(is_command).collect();
    assert!(commands.len() > 10);
    for command in commands {
        let name = command.trim_start().split(' ').next().unwrap();
        assert!(text.contains(&format!("| `{name} ")), "{name}");
    }
    let options = help.split(|sign: char| !sign.is_alphanumeric() && sign != '-');
    for option in options.filter(|word| word.starts_with("--")) {
        assert!(text.contains(option), "{option}");
    }
}
