//! Calls on a store that shows rows late. The store has a few canned answers, and time passes only
//! when a call waits or sends.

use serde_json::{Value as Json, json};

use crate::contract::call::{Call, Config, GetTuple};
use crate::contract::error::Error;
use crate::contract::http::{HttpAnswer, HttpResponse, Moment};
use crate::contract::outcome::Outcome;
use crate::contract::progress::{Answer, Need};
use crate::stores::kusto::row::{CHECKPOINT, LogRow};
use crate::stores::kusto::{KustoOptions, Store, TaskProgress};

const BEGIN: u64 = 1_795_250_000_000_000;

/// A store with rows of two threads that are too large to keep, those of `chat` sent last.
fn store() -> Store {
    let options = KustoOptions {
        cluster_uri: "https://a.kusto.windows.net".to_owned(),
        database: "db".to_owned(),
        ..KustoOptions::default()
    };
    let store = Store::open(options).unwrap();
    for thread_id in ["other", "chat"] {
        let mut memory = store.memory.borrow_mut();
        let rev = memory.clock.next(Moment { now: BEGIN, entropy: 0 });
        let row = LogRow::new(CHECKPOINT, thread_id, rev, thread_id.to_owned(), 0);
        memory.lay(vec![LogRow { data: "x".repeat(33 << 20), ..row }], None);
    }
    store
}

/// Reads the latest checkpoint of a thread. The sent rows show after `shows_after` requests.
/// Returns how the call ended, the names of its queries, and how long it took in milliseconds.
fn get(
    store: &Store,
    thread_id: &str,
    shows_after: usize,
) -> (Result<Outcome, Error>, Vec<String>, u64) {
    let config = Config { thread_id: thread_id.into(), ..Config::default() };
    let mut now = BEGIN;
    let call = Call::GetTuple(GetTuple { config, known: None });
    let (mut operation, mut progress) = store.start(call, Moment { now, entropy: 0 }).unwrap();
    let mut asked = Vec::new();
    loop {
        let answer = match progress {
            TaskProgress::Done(outcome) => return (Ok(outcome), asked, (now - BEGIN) / 1000),
            TaskProgress::Need(Need::Sql(_)) => panic!("a call on Kusto needs no SQL"),
            TaskProgress::Need(Need::Wait(milliseconds)) => {
                now += u64::from(milliseconds) * 1000;
                Answer::Waited
            }
            TaskProgress::Need(Need::Http(request)) => {
                let body: Json = serde_json::from_slice(&request.body).unwrap();
                let shows = asked.len() >= shows_after;
                let (name, answer) = response(&body, thread_id, shows);
                asked.push(name);
                now += 1000;
                answer
            }
        };
        match operation.advance(answer, Moment { now, entropy: 0 }) {
            Ok(next) => progress = next,
            Err(error) => return (Err(error), asked, (now - BEGIN) / 1000),
        }
    }
}

/// The name of a query, and its answer: no rows, except that sent rows show if `shows`.
fn response(body: &Json, thread_id: &str, shows: bool) -> (String, Answer) {
    let text = body["csl"].as_str().unwrap();
    let name = text.split(' ').nth(2).unwrap().to_owned();
    let table = |columns: &[&str], rows: Json| {
        let columns: Vec<_> = columns.iter().map(|name| json!({ "ColumnName": name })).collect();
        json!({ "FrameType": "DataTable", "TableKind": "PrimaryResult",
                "Columns": columns, "Rows": rows })
    };
    let mut frames = match name.as_str() {
        "cut" => vec![table(&["cut", "rev"], json!([[null, null]]))],
        // The checkpoints, writes and chunks of a page, and its thread's cut.
        _ => (0..4).map(|_| table(&[], json!([]))).collect(),
    };
    if text.contains("p_sent") {
        let revs = body["properties"]["Parameters"]["p_sent"].as_str().unwrap();
        let revs = revs.trim_start_matches("dynamic([").trim_end_matches("])").split(',');
        let rows: Vec<_> = revs
            .filter(|_| shows)
            .map(|rev| json!([thread_id, rev.parse::<i64>().unwrap(), 1]))
            .collect();
        frames.push(table(&["thread_id", "rev", "rows"], json!(rows)));
        let pruned = ["thread_id", "checkpoint_ns", "checkpoint_id", "hidden"];
        frames.push(table(&pruned, json!([])));
    }
    frames.push(json!({ "FrameType": "DataSetCompletion", "HasErrors": false }));
    let body = Json::Array(frames).to_string().into_bytes();
    let response = HttpResponse { status: 200, headers: Vec::new(), body };
    (name, Answer::Http(HttpAnswer::Response(response)))
}

#[test]
fn what_could_not_be_kept_is_waited_for_and_then_the_store_is_stale() {
    let (ended, asked, took) = get(&store(), "other", usize::MAX);
    let Err(Error::Unavailable(error)) = ended else { panic!("it is not to be read") };
    assert_eq!((error.fault.code.as_str(), error.maybe_stored), ("store-stale", false));
    assert!(asked.iter().all(|name| name == "cut"), "{asked:?}");
    assert!((40_000..60_000).contains(&took), "{took}");
}

#[test]
fn what_could_not_be_kept_is_read_when_it_shows_and_needs_no_look_any_more() {
    let store = store();
    let (ended, asked, _) = get(&store, "other", 2);
    assert!(ended.is_ok());
    assert_eq!(asked, ["cut", "cut", "cut", "page"]);
    assert_eq!(get(&store, "other", 0).1, ["page"]);
}

#[test]
fn other_threads_are_read_at_once() {
    let store = store();
    assert_eq!(get(&store, "third", usize::MAX).1, ["page"]);
}
