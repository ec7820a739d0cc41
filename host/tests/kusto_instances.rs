//! What happens to acknowledged rows if an instance of the component fails or another one reads.
//! Only on the local Kusto, which can be told to show rows late.

#![cfg(feature = "kusto")]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use langgraph_checkpoint_host::{
    Error, KustoCheckpointer, KustoComponent, KustoOptions, Limits, List, Put, Stored,
};
use support::{component_path, config, kusto_component, put};

/// Options for a separate database; `None` without the local Kusto.
fn options(name: &str) -> Option<KustoOptions> {
    let cluster_uri = std::env::var("KUSTO_CLUSTER_URI").ok();
    let Some(cluster_uri) = cluster_uri.filter(|_| std::env::var_os("KUSTO_DATABASE").is_none())
    else {
        eprintln!("skipped: KUSTO_CLUSTER_URI names no local Kusto");
        return None;
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    Some(KustoOptions {
        visibility_timeout: Some(Duration::from_millis(500)),
        ..KustoOptions::new(cluster_uri, format!("{name}_{now}"))
    })
}

fn local(options: &KustoOptions, path: &str, mut body: serde_json::Value) {
    body["database"] = options.database.clone().into();
    let body = body.to_string();
    let host = options.cluster_uri.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    let head = "host: local\r\nconnection: close\r\ncontent-length:";
    write!(stream, "POST /local/{path} HTTP/1.1\r\n{head} {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(" 20"), "{answer}");
}

/// Rows that are acknowledged from now on become visible when they are released.
fn hold_back(options: &KustoOptions) {
    let faults = serde_json::json!({ "faults": [{ "kind": "delayed", "on": "rows" }] });
    local(options, "faults", faults);
}

/// Shows all rows, and stops holding rows back.
fn release(options: &KustoOptions) {
    local(options, "faults", serde_json::json!({ "faults": [] }));
    local(options, "release", serde_json::json!({}));
}

/// A component whose instances have memory only for small puts.
fn small() -> KustoComponent {
    let limits = Limits { memory_bytes_max: 48 << 20, ..Limits::default() };
    let path = component_path().with_file_name("checkpointer-kusto.wasm");
    KustoComponent::from_file(path, limits).unwrap()
}

/// A put that needs more memory.
fn huge(thread: &str) -> Put {
    put(thread, None, "c1", &format!("[\"{}\"]", "x".repeat(40 << 20)))
}

async fn fail_an_instance(checkpointer: &KustoCheckpointer) {
    let error = checkpointer.put(huge("huge")).await.unwrap_err();
    assert_eq!(error.code(), "component-memory-limit");
}

async fn latest(checkpointer: &KustoCheckpointer, thread: &str) -> Result<Option<String>, Error> {
    let found = checkpointer.get_tuple(config(thread)).await?;
    Ok(found.map(|tuple| tuple.checkpoint_id))
}

async fn listed(checkpointer: &KustoCheckpointer) -> Result<Vec<String>, Error> {
    let tuples = checkpointer.list(List::default()).try_collect().await?;
    let mut ids: Vec<_> =
        tuples.iter().map(|tuple| format!("{}/{}", tuple.thread_id, tuple.checkpoint_id)).collect();
    ids.sort();
    Ok(ids)
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.unwrap_err().code().to_owned()
}

#[tokio::test]
async fn rows_that_waited_in_an_instance_that_failed_are_told_of_to_all_whom_they_concern() {
    let Some(options) = options("lost") else { return };
    let options = KustoOptions { batch_size: Some(1000), ..options };
    let checkpointer = KustoCheckpointer::open(small(), options).unwrap();
    for thread in ["a", "b"] {
        checkpointer.put(put(thread, None, "c1", "[1]")).await.unwrap();
    }
    fail_an_instance(&checkpointer).await;
    assert_eq!(latest(&checkpointer, "another").await.unwrap(), None, "it lost nothing");
    assert_eq!(code(latest(&checkpointer, "a").await), "component-rows-lost");
    assert_eq!(latest(&checkpointer, "a").await.unwrap(), None, "it was told");
    assert_eq!(code(checkpointer.put(put("b", None, "c1", "[1]")).await), "component-rows-lost");
    assert_eq!(code(listed(&checkpointer).await), "component-rows-lost");
    assert_eq!(code(checkpointer.flush().await), "component-rows-lost");
    checkpointer.put(put("b", None, "c1", "[1]")).await.unwrap();
    checkpointer.flush().await.unwrap();
    assert_eq!(listed(&checkpointer).await.unwrap(), ["b/c1"]);
    assert_eq!(code(checkpointer.close().await), "component-rows-lost");
}

#[tokio::test]
async fn what_is_ingested_is_not_told_to_be_lost_with_an_instance() {
    let Some(options) = options("kept") else { return };
    let options = KustoOptions { batch_size: Some(1000), ..options };
    let checkpointer = KustoCheckpointer::open(small(), options).unwrap();
    checkpointer.put(put("a", None, "c1", "[1]")).await.unwrap();
    checkpointer.flush().await.unwrap();
    fail_an_instance(&checkpointer).await;
    assert_eq!(latest(&checkpointer, "a").await.unwrap().as_deref(), Some("c1"));
    checkpointer.close().await.unwrap();
}

#[tokio::test]
async fn an_instance_that_takes_over_reads_what_was_acknowledged_or_is_stale() {
    let Some(options) = options("over") else { return };
    let options = KustoOptions { instances: Some(1), ..options };
    let checkpointer = KustoCheckpointer::open(small(), options.clone()).unwrap();
    checkpointer.put(put("a", None, "c1", "[1]")).await.unwrap();
    hold_back(&options);
    checkpointer.put(put("a", Some("c1"), "c2", "[2]")).await.unwrap();
    assert_eq!(latest(&checkpointer, "a").await.unwrap().as_deref(), Some("c2"));
    for _ in 0..2 {
        fail_an_instance(&checkpointer).await;
        assert_eq!(code(latest(&checkpointer, "a").await), "store-stale");
    }
    assert_eq!(latest(&checkpointer, "another").await.unwrap(), None);
    release(&options);
    assert_eq!(latest(&checkpointer, "a").await.unwrap().as_deref(), Some("c2"));
}

#[tokio::test]
async fn a_list_of_all_threads_has_what_every_instance_acknowledged_or_is_stale() {
    let Some(options) = options("all") else { return };
    let checkpointer = KustoCheckpointer::open(kusto_component(), options.clone()).unwrap();
    for n in 0..4 {
        checkpointer.put(put(&format!("t{n}"), None, "c1", "[1]")).await.unwrap();
    }
    let first = ["t0/c1", "t1/c1", "t2/c1", "t3/c1"];
    assert_eq!(listed(&checkpointer).await.unwrap(), first);
    hold_back(&options);
    for n in 0..4 {
        checkpointer.put(put(&format!("t{n}"), Some("c1"), "c2", "[2]")).await.unwrap();
    }
    assert_eq!(code(listed(&checkpointer).await), "store-stale");
    release(&options);
    assert_eq!(listed(&checkpointer).await.unwrap().len(), 8);
    hold_back(&options);
    checkpointer.delete_thread(config("t0")).await.unwrap();
    assert_eq!(code(listed(&checkpointer).await), "store-stale");
    release(&options);
    let left = ["t1/c1", "t1/c2", "t2/c1", "t2/c2", "t3/c1", "t3/c2"];
    assert_eq!(listed(&checkpointer).await.unwrap(), left);
}

/// Whether a request is complete.
fn is_whole(request: &[u8]) -> bool {
    let Some(head) = request.windows(4).position(|end| end == b"\r\n\r\n") else { return false };
    let text = String::from_utf8_lossy(&request[..head]).to_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    match length.and_then(|length| length.trim().parse::<usize>().ok()) {
        Some(length) => request.len() >= head + 4 + length,
        None => request.ends_with(b"0\r\n\r\n"),
    }
}

/// A cluster that accepts rows, and answers a query with more than a small instance can hold.
fn overflowing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = Vec::new();
            let mut buffer = [0; 65536];
            while !is_whole(&request) {
                match stream.read(&mut buffer) {
                    Ok(count) if count > 0 => request.extend_from_slice(&buffer[..count]),
                    _ => break,
                }
            }
            let takes = request.starts_with(b"POST /v1/rest/ingest");
            let body = if takes { "{\"Tables\":[]}".to_owned() } else { "x".repeat(60 << 20) };
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length:";
            // The connection breaks when the instance fails.
            let _ = write!(stream, "{head} {}\r\n\r\n{body}", body.len());
        }
    });
    uri
}

#[tokio::test]
async fn an_instance_that_fails_after_a_request_of_a_write_leaves_its_effect_unknown() {
    let stored = |error| match error {
        Error::Component(error) => (error.kind().code(), error.stored()),
        other => panic!("{other:?}"),
    };
    let options = KustoOptions::new(overflowing(), "db");
    let checkpointer = KustoCheckpointer::open(small(), options).unwrap();
    let error = checkpointer.put(put("a", None, "c1", "[1]")).await.unwrap_err();
    assert_eq!(stored(error), ("component-memory-limit", Stored::Unknown));
    let error = checkpointer.get_tuple(config("a")).await.unwrap_err();
    assert_eq!(stored(error), ("component-memory-limit", Stored::Nothing), "of a read");
    let error = checkpointer.put(huge("huge")).await.unwrap_err();
    assert_eq!(stored(error), ("component-memory-limit", Stored::Nothing), "before any request");
}
