//! Files of SQLite: what the commands leave of them, and what they say of others.

#![allow(dead_code, reason = "no test uses all of the support")]

mod support;

use std::fs;
use std::path::Path;

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
        &["diff", store, THREAD, "1ef4f797-8335-6428-8001-000000000002"],
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
fn a_dry_run_of_an_import_reports_what_the_import_does_and_leaves_the_target_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = ["old.db", "new.db"].map(|name| folder.path().join(name));
    let [source, target] = [&old, &new].map(|path| path.to_str().unwrap());
    fs::copy(fixture("stock/javascript-1.0.1.sqlite"), &old).unwrap();
    done(&["import", source, target]);
    let connection = rusqlite::Connection::open(&new).unwrap();
    let of = |table: &str, id: &str| {
        format!(
            "DELETE FROM {table} WHERE thread_key = \
             (SELECT thread_key FROM lg_threads WHERE thread_id = '{id}')"
        )
    };
    // One thread is missing, one has lost its newest checkpoint.
    connection.execute_batch(&of("lg_records", "done")).unwrap();
    connection.execute_batch(&of("lg_threads", "done")).unwrap();
    let newest = "AND checkpoint_id = (SELECT max(checkpoint_id) FROM lg_records r \
         JOIN lg_threads USING (thread_key) WHERE thread_id = 'failed')";
    connection.execute_batch(&(of("lg_records", "failed") + newest)).unwrap();
    drop(connection);
    // Ids that no store accepts.
    let connection = rusqlite::Connection::open(&old).unwrap();
    let long = "x".repeat(2_000);
    for text in [
        "UPDATE checkpoints SET checkpoint_id = ?1 WHERE checkpoint_id = \
         (SELECT min(checkpoint_id) FROM checkpoints WHERE thread_id = 'done')",
        "INSERT INTO checkpoints SELECT ?1, checkpoint_ns, checkpoint_id, parent_checkpoint_id, \
         type, checkpoint, metadata FROM checkpoints WHERE thread_id = 'waiting'",
    ] {
        assert!(connection.execute(text, [&long]).unwrap() > 0);
    }
    drop(connection);
    let before = fs::read(&new).unwrap();
    let dry = run(&["import", source, target, "--json", "--dry-run"]);
    assert!(fs::read(&new).unwrap() == before);
    let real = run(&["import", source, target, "--json"]);
    assert!(dry.stdout.contains(r#""imported":2,"present":1"#), "{dry:?}");
    assert!(dry.stdout.contains("oversized-id"), "{dry:?}");
    assert_eq!((dry.status, real.status), (1, 1));
    assert_eq!(dry.stdout.replace(r#""dryRun":true"#, r#""dryRun":false"#), real.stdout);
    assert!(fs::read(&new).unwrap() != before);
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

/// A store with what a stock database had, and its path.
fn imported(folder: &Path, stock: &str) -> String {
    let own = folder.join("own.db").to_str().unwrap().to_owned();
    done(&["import", fixture(stock).to_str().unwrap(), &own]);
    own
}

/// The rows of stock tables, as text. Some tables have another column for a task's path.
fn rows(path: &Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut rows = Vec::new();
    for (table, key, more) in [
        ("checkpoints", "checkpoint_id", "parent_checkpoint_id, type, checkpoint, metadata"),
        ("writes", "checkpoint_id, task_id, idx", "channel, type, value"),
    ] {
        let key = format!("thread_id, checkpoint_ns, {key}");
        let text = format!("SELECT {key}, {more} FROM {table} ORDER BY {key}");
        let mut statement = connection.prepare(&text).unwrap();
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            let values = (0..columns).map(|at| row.get::<_, rusqlite::types::Value>(at).unwrap());
            Ok(format!("{table}: {:?}", values.collect::<Vec<_>>()))
        };
        rows.extend(statement.query_map([], row).unwrap().map(Result::unwrap));
    }
    assert!(rows.len() > 50);
    rows
}

#[test]
fn an_export_stores_the_writes_byte_by_byte_and_only_reads_its_source() {
    let folder = tempfile::tempdir().unwrap();
    let stock = "stock/python-3.0.3.sqlite";
    let own = imported(folder.path(), stock);
    let before = fs::read(&own).unwrap();
    let target = folder.path().join("back.db");
    done(&["export", &own, target.to_str().unwrap(), "--layout", "python"]);
    let writes = |path: &Path| {
        let rows = rows(path).into_iter().filter(|row| row.starts_with("writes: "));
        rows.collect::<Vec<_>>()
    };
    assert_eq!(writes(&target).len(), 44);
    assert!(writes(&target) == writes(&fixture(stock)));
    assert!(fs::read(&own).unwrap() == before);
}

#[test]
fn an_export_that_was_interrupted_anywhere_is_completed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let own = imported(folder.path(), "stock/javascript-1.0.1.sqlite");
    let target = folder.path().join("back.db");
    let export = ["export", &own, target.to_str().unwrap()];
    done(&export);
    let whole = rows(&target);
    for keep in [0, 1, 5, 11] {
        let connection = rusqlite::Connection::open(&target).unwrap();
        let text = format!(
            "DELETE FROM checkpoints WHERE rowid > {keep}; DELETE FROM writes WHERE rowid > {}",
            2 * keep
        );
        connection.execute_batch(&text).unwrap();
        drop(connection);
        done(&export);
        assert!(rows(&target) == whole, "after {keep} checkpoints");
    }
}

#[test]
fn a_thread_that_went_on_in_the_target_of_an_export_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let own = imported(folder.path(), "stock/javascript-1.0.1.sqlite");
    let target = folder.path().join("back.db");
    let export = ["export", &own, target.to_str().unwrap(), "--json"];
    done(&export);
    let connection = rusqlite::Connection::open(&target).unwrap();
    let newer = "INSERT INTO checkpoints SELECT thread_id, checkpoint_ns, 'f' || checkpoint_id, \
         checkpoint_id, type, checkpoint, metadata FROM checkpoints WHERE thread_id = 'done'";
    assert!(connection.execute(newer, []).unwrap() > 0);
    let here = rows(&target);
    let report = done(&export);
    assert!(report.contains(r#""exported":0,"present":3,"conflicting":0"#), "{report}");
    assert!(rows(&target) == here);
    let other = "UPDATE checkpoints SET metadata = '{}' WHERE thread_id = 'done'";
    assert!(connection.execute(other, []).unwrap() > 0);
    let report = run(&export);
    assert_eq!(report.status, 1);
    assert!(report.stdout.contains(r#""exported":0,"present":2,"conflicting":1"#), "{report:?}");
}

#[test]
fn other_writes_of_a_checkpoint_in_the_target_are_a_conflict_only_if_it_is_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let own = imported(folder.path(), "stock/javascript-1.0.1.sqlite");
    let target = folder.path().join("back.db");
    let export = ["export", &own, target.to_str().unwrap(), "--json", "--thread", "waiting"];
    done(&export);
    let connection = rusqlite::Connection::open(&target).unwrap();
    let newest = "checkpoint_id = (SELECT max(checkpoint_id) FROM checkpoints)";
    let writes = format!("UPDATE writes SET value = '0' WHERE NOT {newest}");
    assert!(connection.execute(&writes, []).unwrap() > 0);
    assert!(done(&export).contains(r#""exported":0,"present":1,"conflicting":0"#));
    let gone = format!("DELETE FROM checkpoints WHERE {newest}");
    assert_eq!(connection.execute(&gone, []).unwrap(), 1);
    assert!(done(&export).contains(r#""exported":1,"present":0,"conflicting":0"#));
    let writes = format!("UPDATE writes SET value = '0' WHERE {newest}");
    assert!(connection.execute(&writes, []).unwrap() > 0);
    let report = run(&export);
    assert_eq!(report.status, 1);
    assert!(report.stdout.contains(r#""exported":0,"present":0,"conflicting":1"#), "{report:?}");
}

#[test]
fn a_file_of_lines_has_what_goes_to_the_standard_output_and_nothing_stays_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let own = imported(folder.path(), "stock/python-3.0.3.sqlite");
    let target = folder.path().join("threads.jsonl");
    done(&["export", &own, target.to_str().unwrap(), "--jsonl"]);
    let shown = run(&["export", &own, "-", "--jsonl"]);
    assert_eq!((shown.status, shown.stdout), (0, fs::read_to_string(&target).unwrap()));
    let partial = folder.path().join("threads.jsonl.partial");
    assert!(!partial.exists());
    // What cannot be completed leaves the file that is there.
    fs::create_dir(&partial).unwrap();
    let refused = run(&["export", &own, target.to_str().unwrap(), "--jsonl", "--yes"]);
    assert_eq!((refused.status, refused.stdout.as_str()), (3, ""));
    assert!(refused.stderr.starts_with("TARGET cannot be written: "), "{}", refused.stderr);
    assert!(target.exists());
}

#[test]
fn verify_names_a_page_whose_rows_have_vanished() {
    let folder = tempfile::tempdir().unwrap();
    for (index, said) in [
        ("lg_records", "table lg_records has 129 rows, and its index has "),
        ("lg_chunks", "table lg_chunks has 549 rows, and its index has "),
    ] {
        let path = folder.path().join(index);
        let store = path.to_str().unwrap();
        fs::copy(fixture("v1/checkpoints.sqlite"), &path).unwrap();
        done(&["verify", store]);
        lose_entries(&path, &format!("sqlite_autoindex_{index}_1"));
        let ended = run(&["verify", store]);
        assert_eq!((ended.status, ended.stderr.as_str()), (1, ""));
        for said in [said, "SQLite finds in the file: "] {
            let said = format!("damaged-file: {said}");
            assert!(ended.stdout.contains(&said), "{}", ended.stdout);
        }
        // Of a thread alone, the file is not checked.
        let of_one = run(&["verify", store, "put_and_get: \"thread-1\""]);
        assert!(!of_one.stdout.contains("damaged-file"), "{}", of_one.stdout);
    }
}

/// Overwrites the last leaf of an index, so that it has its first entry alone.
fn lose_entries(path: &Path, index: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let find = "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_schema \
         WHERE name = ?1";
    let row = |row: &rusqlite::Row<'_>| Ok([row.get::<_, u32>(0)?, row.get(1)?]);
    let [root, size] = connection.query_row(find, [index], row).unwrap().map(|it| it as usize);
    drop(connection);
    let mut bytes = fs::read(path).unwrap();
    let header = &bytes[(root - 1) * size..];
    assert_eq!(header[0], 2, "the root is no leaf");
    let leaf = u32::from_be_bytes(header[8..12].try_into().unwrap()) as usize;
    let page = &mut bytes[(leaf - 1) * size..];
    assert!(page[0] == 10 && page[4] > 1, "it is a leaf with entries");
    page[3..5].copy_from_slice(&[0, 1]);
    fs::write(path, bytes).unwrap();
}

#[test]
fn lines_replace_no_file_of_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let own = imported(folder.path(), "stock/python-3.0.3.sqlite");
    let [link, log] = ["link", "log"].map(|name| folder.path().join(name));
    fs::hard_link(&own, &link).unwrap();
    fs::write(&log, b"\x37\x7f\x06\x82 and more").unwrap();
    for target in [Path::new(&own), &link, &log, folder.path()] {
        let before = fs::read(target).ok();
        let refused = run(&["export", &own, target.to_str().unwrap(), "--jsonl", "--yes"]);
        assert_eq!((refused.status, refused.stdout.as_str()), (2, ""), "{target:?}");
        assert!(refused.stderr.starts_with("TARGET is "), "{}", refused.stderr);
        assert!(fs::read(target).ok() == before, "{target:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn a_failure_names_which_of_two_files_it_is_about() {
    let folder = tempfile::tempdir().unwrap();
    let own = imported(folder.path(), "stock/python-3.0.3.sqlite");
    let path = folder.path().join("view.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("CREATE VIEW checkpoints AS SELECT 1 AS thread_id").unwrap();
    drop(connection);
    let target = path.to_str().unwrap();
    let failed = run(&["export", &own, target, "--layout", "python"]);
    assert_eq!(failed.status, 3);
    assert!(failed.stderr.starts_with(&format!("storage-failed: {target}: ")), "{failed:?}");
    assert_eq!(failed.stderr.matches(target).count(), 1);
}

#[test]
fn an_empty_file_is_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.db");
    fs::write(&path, "").unwrap();
    let refused = run(&["threads", path.to_str().unwrap()]);
    assert_eq!(refused.status, 2);
    assert!(refused.stderr.contains("empty.db has no store of this package"), "{refused:?}");
}

#[cfg(unix)]
#[test]
fn an_argument_that_is_no_text_is_wrong_usage() {
    use std::os::unix::ffi::OsStrExt;

    let program = env!("CARGO_BIN_EXE_langgraph-checkpoint-wasm");
    let path = std::ffi::OsStr::from_bytes(b"\xff.db");
    let ended = std::process::Command::new(program).arg("threads").arg(path).output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.stderr.starts_with(b"an argument is no text in UTF-8\ntry: "));
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
fn characters_that_a_terminal_would_obey_are_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    let [path, target] = ["store.db", "back.db"].map(|name| folder.path().join(name));
    let store = path.to_str().unwrap();
    fs::copy(fixture("v1/checkpoints.sqlite"), &path).unwrap();
    let thread = "red \u{1b}[31m \u{9b}31m thread \u{202e}\u{2066}";
    done(&["copy", store, "a long list", thread]);
    assert!(done(&["threads", store]).contains("red \u{b7}[31m \u{b7}31m thread \u{b7}\u{b7}"));
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute("UPDATE lg_chunks SET data = zeroblob(length(data))", []).unwrap();
    drop(connection);
    for words in [
        ["threads", store].as_slice(),
        &["threads", store, "--json"],
        &["show", store, thread],
        &["diff", store, thread, "\u{9b}"],
        &["verify", store],
        &["verify", store, "--json"],
        &["du", store, "\u{9b}"],
        &["export", store, target.to_str().unwrap()],
        &["export", store, target.to_str().unwrap(), "--json"],
        &["\u{9b}"],
    ] {
        let ended = run(words);
        let said = ended.stdout + &ended.stderr;
        let is_plain = !said.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{2066}']);
        assert!(said.len() > 10 && is_plain, "{words:?}: {said:?}");
    }
}
