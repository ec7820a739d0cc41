//! Files of SQLite: what the commands leave of them, and what they say of others.

#![allow(dead_code, reason = "no test uses all of the support")]

mod support;

use std::fs;

use support::{done, fixture, run};

/// A thread with forks.
const THREAD: &str = "copied_fork: \"thread-1\"";

#[test]
fn commands_that_read_change_no_byte_of_the_file_and_leave_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = path.to_str().unwrap();
    fs::copy(fixture("v1/checkpoints.sqlite"), &path).unwrap();
    let before = fs::read(&path).unwrap();
    for words in [
        ["threads", store].as_slice(),
        &["history", store, THREAD],
        &["show", store, THREAD],
        &["du", store],
        &["verify", store],
        &["prune", store, THREAD, "--dry-run"],
        &["expire", store, "--idle-for", "30d", "--dry-run"],
        &["delete", store, THREAD, "--dry-run"],
    ] {
        done(words);
    }
    assert!(fs::read(&path).unwrap() == before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn an_import_only_reads_its_source() {
    let folder = tempfile::tempdir().unwrap();
    let [source, target] = ["old.db", "new.db"].map(|name| folder.path().join(name));
    fs::copy(fixture("stock/python-3.0.3.sqlite"), &source).unwrap();
    let before = fs::read(&source).unwrap();
    let (old, new) = (source.to_str().unwrap(), target.to_str().unwrap());
    done(&["import", old, new, "--dry-run"]);
    assert!(!target.exists());
    done(&["import", old, new, "--verify"]);
    assert!(fs::read(&source).unwrap() == before);
}

#[test]
fn an_import_that_was_interrupted_is_completed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.db");
    let target = path.to_str().unwrap();
    let stock = fixture("stock/javascript-1.0.1.sqlite");
    let import = ["import", stock.to_str().unwrap(), target, "--verify", "--json"];
    done(&import);
    let whole = done(&["threads", target, "--json"]);
    // Its last checkpoint is stored last: what an interrupted import left has a thread without it.
    let connection = rusqlite::Connection::open(&path).unwrap();
    let newest = "DELETE FROM lg_records WHERE thread_key = 1 AND checkpoint_id = \
         (SELECT max(checkpoint_id) FROM lg_records WHERE thread_key = 1)";
    assert!(connection.execute(newest, []).unwrap() > 0);
    drop(connection);
    assert_ne!(done(&["threads", target, "--json"]), whole);
    let report = done(&import);
    assert!(report.contains(r#""imported":1,"present":2,"conflicting":0"#), "{report}");
    assert_eq!(done(&["threads", target, "--json"]), whole);
}

#[test]
fn a_file_that_is_no_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text.db");
    fs::write(&path, "This is text and no database. ".repeat(100)).unwrap();
    let ended = run(&["threads", path.to_str().unwrap()]);
    assert_eq!((ended.status, ended.stdout.as_str()), (3, ""));
    assert!(ended.stderr.starts_with("storage-not-a-database: "), "{}", ended.stderr);
    assert!(ended.stderr.contains("text.db"), "{}", ended.stderr);
}

#[test]
fn unknown_options_and_missing_values_are_wrong_usage() {
    for (words, why) in [
        (["threads", "a.db", "--limits", "3"].as_slice(), "--limits"),
        (&["threads", "a.db", "--limit"], "--limit"),
        (&["show", "a.db", "thread", "--ns=a", "--ns=b"], "--ns"),
        (&["du", "a.db", "-x"], "-x"),
    ] {
        let ended = run(words);
        assert_eq!((ended.status, ended.stdout.as_str()), (2, ""), "{words:?}");
        let (line, usage) = ended.stderr.split_once("\n\n").unwrap();
        assert!(line.contains(why) && usage.starts_with("usage: "), "{}", ended.stderr);
    }
}
