//! The component under wasmtime compared with the same guest compiled natively.

#![cfg(feature = "component")]

mod support;

use std::path::Path;

use langgraph_checkpoint_host::{List, Planner};
use rusqlite::Connection;
use rusqlite::types::Value;
use support::{at, config, large, open, put, put_writes};

/// Runs a course of calls. Returns the results of the calls and all rows of all tables.
async fn course(planner: Planner, path: &Path) -> (Vec<String>, Vec<Vec<Value>>) {
    let checkpointer = open(planner, path).await;
    let mut outcomes = Vec::new();
    let mut note = |outcome: String| outcomes.push(outcome);
    note(format!("{:?}", checkpointer.get_tuple(config("t")).await));
    note(format!("{:?}", checkpointer.put(large("t", None, "c1", 3)).await));
    note(format!("{:?}", checkpointer.put_writes(put_writes("t", "c1", "task")).await));
    note(format!("{:?}", checkpointer.put(large("t", Some("c1"), "c2", 200)).await));
    note(format!("{:?}", checkpointer.put(large("t", Some("c2"), "c3", 201)).await));
    note(format!("{:?}", checkpointer.put(put("u", None, "c1", "[]")).await));
    note(format!("{:?}", checkpointer.get_tuple(at("t", "c1")).await));
    note(format!("{:?}", checkpointer.get_tuple(config("t")).await));
    note(format!("{:?}", checkpointer.list(List::default()).try_collect().await));
    let channels = vec!["messages".to_owned()];
    note(format!("{:?}", checkpointer.get_delta_channel_history(config("t"), channels).await));
    note(format!("{:?}", checkpointer.delete_thread(config("u")).await));
    let refused = checkpointer.put(put("", None, "c1", "[]")).await.unwrap_err();
    note(format!("{} {refused}", refused.code()));
    drop(checkpointer);
    (outcomes, rows(path))
}

fn rows(path: &Path) -> Vec<Vec<Value>> {
    let connection = Connection::open(path).unwrap();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut select = connection.prepare(tables).unwrap();
    let tables: Vec<String> =
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut rows = Vec::new();
    for table in tables {
        let mut select = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = select.column_count();
        let mut found = select.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            rows.push((0..columns).map(|column| row.get(column).unwrap()).collect());
        }
    }
    rows
}

#[tokio::test]
async fn the_component_gives_and_stores_what_native_code_does() {
    let directory = tempfile::tempdir().unwrap();
    let native = course(Planner::native(), &directory.path().join("native.db")).await;
    let component = course(support::component(), &directory.path().join("component.db")).await;
    assert_eq!(native.0, component.0);
    assert_eq!(native.1, component.1);
    assert!(native.1.len() > 20, "{} rows", native.1.len());
}
