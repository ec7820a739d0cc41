//! What errors say, alone and with their causes.

mod support;

use langgraph_checkpoint_host::{
    Checkpointer, Config, Error, Id, Planner, SqliteOptions, SqliteStorage, StorageError,
    StorageErrorKind,
};
use rusqlite::Connection;
use support::{json, open, put};

/// What a printer of error chains shows: the error's text and those of its causes.
fn chain(error: &Error) -> Vec<String> {
    let first: &dyn std::error::Error = error;
    std::iter::successors(Some(first), |error| (*error).source()).map(ToString::to_string).collect()
}

fn assert_said_once(error: &Error) {
    let chain = chain(error);
    for (at, text) in chain.iter().enumerate() {
        for cause in &chain[at + 1..] {
            assert!(!text.contains(cause.as_str()), "{text:?} has its cause in it: {chain:#?}");
        }
    }
}

/// Errors of SQLite, as callers see them.
async fn of_sqlite() -> Vec<Error> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("checkpoints.db");
    let open_at = |path: std::path::PathBuf, options: SqliteOptions| {
        Checkpointer::open_sqlite(Planner::native(), path, options)
    };
    let options = SqliteOptions::default();
    let now = SqliteOptions { busy_deadline: std::time::Duration::ZERO, ..options.clone() };
    let checkpointer = open_at(path.clone(), now.clone()).await.unwrap();
    checkpointer.put(put("t", None, "c1", "[1]")).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let busy = checkpointer.put(put("t", None, "c2", "[1]")).await.unwrap_err();
    other.execute_batch("ROLLBACK").unwrap();
    let read_only = SqliteOptions { read_only: true, ..options.clone() };
    let reader = open_at(path.clone(), read_only).await.unwrap();
    let read_only = reader.put(put("t", None, "c2", "[1]")).await.unwrap_err();
    other.execute_batch("DROP TABLE lg_records").unwrap();
    let failed = checkpointer.put(put("t", None, "c2", "[1]")).await.unwrap_err();
    std::fs::write(directory.path().join("text"), "no database ".repeat(100)).unwrap();
    let no_database = open_at(directory.path().join("text"), options.clone()).await.unwrap_err();
    let nowhere = open_at(directory.path().join("no/such/c.db"), options).await.unwrap_err();
    vec![busy, read_only, failed, no_database, nowhere]
}

#[tokio::test]
async fn a_chain_of_causes_says_everything_once() {
    let mut errors = of_sqlite().await;
    let codes: Vec<_> = errors.iter().map(|error| error.code().to_owned()).collect();
    assert_eq!(
        codes,
        [
            "storage-busy",
            "storage-read-only",
            "storage-failed",
            "storage-not-a-database",
            "storage-unreachable",
        ]
    );
    assert!(errors.iter().all(|error| chain(error).len() > 1), "{errors:#?}");
    for kind in [
        StorageErrorKind::Closed,
        StorageErrorKind::Damaged,
        StorageErrorKind::Full,
        StorageErrorKind::Quota,
        StorageErrorKind::Refused,
        StorageErrorKind::Replaced,
        StorageErrorKind::Timeout,
        StorageErrorKind::TooLarge,
    ] {
        let cause = std::io::Error::other("the cause");
        errors.push(StorageError::new(kind, "what was wrong").with_source(cause).into());
    }
    let checkpointer = open(Planner::native(), ":memory:").await;
    let number = Config { thread_id: Id::Number(0.5), ..Config::default() };
    errors.push(checkpointer.get_tuple(number).await.unwrap_err());
    let mut no_json = put("t", None, "c1", "[1]");
    no_json.checkpoint.id = "".into();
    no_json.metadata = json("");
    errors.push(checkpointer.put(no_json).await.unwrap_err());
    #[cfg(feature = "component")]
    errors.extend(of_components().await);
    for error in &errors {
        assert_said_once(error);
    }
}

#[cfg(feature = "component")]
async fn of_components() -> Vec<Error> {
    use langgraph_checkpoint_host::Limits;

    let mut errors = vec![
        Planner::from_bytes(b"no component", Limits::default()).unwrap_err(),
        Planner::from_file("no/such/planner.wasm", Limits::default()).unwrap_err(),
    ];
    let bytes = support::component_bytes();
    let default = Limits::default();
    for limits in [
        Limits { memory_bytes_max: 16 << 20, ..default },
        Limits { answer_bytes_max: 1 << 20, ..default },
    ] {
        let planner = Planner::from_bytes(&bytes, limits).unwrap();
        let storage = SqliteStorage::in_memory(&SqliteOptions::default()).unwrap();
        let large: String = (0..1 << 20).map(|n| format!("{n:016}")).collect();
        let large = format!("\"{large}\"");
        let put = Checkpointer::new(planner, storage).put(put("t", None, "c1", &large)).await;
        errors.push(put.unwrap_err());
    }
    errors
}

/// Runs in its own process, whose file descriptors the test uses up.
#[cfg(unix)]
#[test]
fn descriptors_that_run_out_are_named() {
    const CHILD: &str = "CHECKPOINT_TEST_TAKES_ALL_DESCRIPTORS";
    if std::env::var_os(CHILD).is_none() {
        let status = std::process::Command::new("sh")
            .args(["-c", "ulimit -n 64 && exec \"$0\" --exact descriptors_that_run_out_are_named"])
            .arg(std::env::current_exe().unwrap())
            .env(CHILD, "1")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("checkpoints.db");
    let mut taken = Vec::new();
    while let Ok(file) = std::fs::File::open(directory.path()) {
        taken.push(file);
    }
    let open = || SqliteStorage::open(&path, &SqliteOptions::default());
    let error = open().unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Unreachable);
    assert!(error.to_string().contains("no file descriptor is left"), "{error}");
    drop(taken);
    open().unwrap();
}

#[test]
fn the_error_for_a_path_of_a_folder_says_that_a_file_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let error = SqliteStorage::open(folder.path(), &SqliteOptions::default()).unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Unreachable);
    assert!(error.to_string().contains("that the path is a file"), "{error}");
}
