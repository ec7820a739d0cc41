//! Calls on a Kusto that does not work properly. Its answers are canned, and time passes only when
//! a call waits or sends.

use langgraph_checkpoint_guest::kusto::{KustoOptions, Store, TaskProgress};
use langgraph_checkpoint_guest::{
    Answer, Call, ChannelValue, ChannelVersion, Checkpoint, Config, DeltaChannelHistory, Error,
    GetTuple, HttpAnswer, HttpRequest, HttpResponse, Id, List, Moment, Need, NewWrite, Outcome,
    Payload, Put, PutWrites, Version,
};
use serde_json::{Value, json};

const BEGIN: u64 = 1_795_250_000_000_000;

/// How a call ended, how many requests it sent, and how long it took in milliseconds.
struct Ended {
    result: Result<Outcome, Error>,
    requests: usize,
    milliseconds: u64,
}

/// Runs a call on a store. `answer` gives the answer to a request, and is told how many requests
/// came before.
fn run(call: Call, mut answer: impl FnMut(&HttpRequest, usize) -> HttpAnswer) -> Ended {
    let options = KustoOptions {
        cluster_uri: "https://a.kusto.windows.net".to_owned(),
        database: "db".to_owned(),
        deadline_ms: Some(60_000),
        ..KustoOptions::default()
    };
    let store = Store::open(options).unwrap();
    let (mut now, mut requests) = (BEGIN, 0);
    let ended =
        |result, requests, now| Ended { result, requests, milliseconds: (now - BEGIN) / 1000 };
    let (mut operation, mut progress) = store.start(call, Moment { now, entropy: 7 }).unwrap();
    loop {
        let given = match progress {
            TaskProgress::Done(outcome) => return ended(Ok(outcome), requests, now),
            TaskProgress::Need(Need::Wait(milliseconds)) => {
                now += u64::from(milliseconds) * 1000;
                Answer::Waited
            }
            TaskProgress::Need(Need::Sql(_)) => panic!("a call on Kusto needs no SQL"),
            TaskProgress::Need(Need::Http(request)) => {
                now += 1000;
                requests += 1;
                Answer::Http(answer(&request, requests - 1))
            }
        };
        match operation.advance(given, Moment { now, entropy: now * 3 }) {
            Ok(next) => progress = next,
            Err(error) => return ended(Err(error), requests, now),
        }
    }
}

fn response(status: u16, body: impl Into<Vec<u8>>) -> HttpAnswer {
    HttpAnswer::Response(HttpResponse { status, headers: Vec::new(), body: body.into() })
}

/// The response to a query with these tables.
fn tables(tables: &[(&[&str], Value)]) -> HttpAnswer {
    let mut frames: Vec<Value> = tables
        .iter()
        .map(|(columns, rows)| {
            let columns: Vec<_> =
                columns.iter().map(|name| json!({ "ColumnName": name })).collect();
            json!({ "FrameType": "DataTable", "TableKind": "PrimaryResult",
                    "Columns": columns, "Rows": rows })
        })
        .collect();
    frames.push(json!({ "FrameType": "DataSetCompletion", "HasErrors": false }));
    response(200, Value::Array(frames).to_string())
}

/// The response to a look for tombstones after an ingest, whose table of tombstones has these rows.
fn looked(rows: Value) -> HttpAnswer {
    let shown: &[&str] = &["thread_id", "rev", "rows"];
    let pruned: &[&str] = &["thread_id", "checkpoint_ns", "checkpoint_id", "hidden"];
    tables(&[(&["cut", "rev"], rows), (shown, json!([])), (pruned, json!([]))])
}

fn html() -> HttpAnswer {
    response(200, "<html>Please log in</html>")
}

/// Acknowledges rows, and answers other requests with `answer`.
fn ingesting(request: &HttpRequest, answer: impl FnOnce() -> HttpAnswer) -> HttpAnswer {
    if request.url.contains("/ingest/") { response(200, r#"{"Tables":[]}"#) } else { answer() }
}

fn config() -> Config {
    Config { thread_id: "chat".into(), ..Config::default() }
}

fn reads() -> Vec<Call> {
    let (known, channels) = (Vec::new(), vec!["messages".to_owned()]);
    vec![
        Call::GetTuple(GetTuple { config: config(), known: None }),
        Call::List(List { config: config(), ..List::default() }),
        Call::DeltaChannelHistory(DeltaChannelHistory { config: config(), channels, known }),
    ]
}

fn payload(text: &str) -> Payload {
    Payload { kind: "json".to_owned(), bytes: text.as_bytes().to_vec() }
}

fn put() -> Call {
    let channel = "messages".to_owned();
    let (version, value) = (Version::Number(1.0), payload("[1]").into());
    Call::Put(Put {
        config: config(),
        checkpoint: Checkpoint {
            id: "1".into(),
            v: 4.0,
            ts: "2026-11-21T08:00:00Z".to_owned(),
            channel_versions: vec![ChannelVersion { channel: channel.clone(), version }],
            channel_values: vec![ChannelValue { channel: channel.clone(), value }],
            rest: payload("{}"),
        },
        metadata: payload("{}"),
        new_versions: vec![channel],
        run_id: Id::Absent,
        known: None,
    })
}

fn put_writes() -> Call {
    Call::PutWrites(PutWrites {
        config: Config { checkpoint_id: "1".into(), ..config() },
        writes: vec![NewWrite { channel: "messages".to_owned(), value: payload("[1]") }],
        task_id: "task".into(),
        task_path: String::new(),
    })
}

/// The code of an error that blames the store, and whether something may be stored.
fn blamed(ended: &Ended) -> (&str, bool) {
    match &ended.result {
        Err(Error::Unavailable(store) | Error::Denied(store)) => {
            let says = store.fault.message.contains("some of it may be stored");
            assert_eq!(says, store.maybe_stored, "{store}");
            (&store.fault.code, store.maybe_stored)
        }
        other => panic!("the call ended in {other:?}"),
    }
}

#[test]
fn an_answer_that_lacks_a_table_is_no_empty_thread() {
    for call in reads() {
        let ended = run(call, |_, _| tables(&[]));
        assert_eq!(blamed(&ended), ("unreadable-response", false));
    }
    let ended = run(Call::DeleteThread(config()), |_, _| tables(&[]));
    assert_eq!(blamed(&ended), ("unreadable-response", false), "it has sent no tombstone yet");
    for call in [put(), put_writes()] {
        let ended = run(call, |request, _| ingesting(request, || tables(&[])));
        assert_eq!(blamed(&ended), ("unreadable-response", true));
    }
}

#[test]
fn a_look_for_a_tombstone_that_gives_no_row_acknowledges_nothing() {
    for call in [put(), put_writes()] {
        let none = |request: &HttpRequest, _| ingesting(request, || looked(json!([])));
        assert_eq!(blamed(&run(call, none)), ("unreadable-response", true));
    }
}

#[test]
fn an_unreadable_answer_is_tried_again() {
    let page: Vec<(&[&str], Value)> =
        vec![(&[], json!([])), (&[], json!([])), (&[], json!([])), (&["cut"], json!([[0]]))];
    let get = Call::GetTuple(GetTuple { config: config(), known: None });
    let ended = run(get, |_, before| if before < 2 { html() } else { tables(&page) });
    assert_eq!((ended.result, ended.requests), (Ok(Outcome::Found(None)), 3));
    let unreadable = |request: &HttpRequest, before| match before {
        0 => html(),
        _ => ingesting(request, || looked(json!([[null, null]]))),
    };
    let ended = run(put_writes(), unreadable);
    assert_eq!((ended.result, ended.requests), (Ok(Outcome::WritesStored), 3));
}

#[test]
fn whatever_fails_after_rows_were_sent_says_that_they_may_be_stored() {
    let odd = || looked(json!([["x", "y"]]));
    let refused = || response(400, r#"{"error":{"code":"X","@permanent":true}}"#);
    let failed = || HttpAnswer::Failed("cut off".to_owned());
    let answers: [(&str, &dyn Fn() -> HttpAnswer); 4] = [
        ("unreadable-response", &html),
        ("unexpected-column", &odd),
        ("store-refused", &refused),
        ("store-unreachable", &failed),
    ];
    for (code, answer) in answers {
        for call in [put(), put_writes()] {
            let ended = run(call, |request, _| ingesting(request, answer));
            assert_eq!(blamed(&ended), (code, true));
        }
    }
    let ended = run(put(), |_, _| refused());
    assert_eq!(blamed(&ended), ("store-refused", false), "no row was taken");
    assert_eq!(blamed(&run(put(), |_, _| html())), ("unreadable-response", true));
}

#[test]
fn a_read_that_fails_never_says_that_something_may_be_stored() {
    let partial = r#"[{"FrameType":"DataSetCompletion","HasErrors":true}]"#;
    let answers: [&dyn Fn() -> HttpAnswer; 5] = [
        &|| response(503, ""),
        &|| HttpAnswer::Failed("cut off".to_owned()),
        &|| HttpAnswer::TooLarge,
        &|| response(200, partial),
        &html,
    ];
    for answer in answers {
        for call in reads() {
            assert!(!blamed(&run(call, |_, _| answer())).1);
        }
    }
}

#[test]
fn a_service_that_names_no_pause_is_not_asked_without_one() {
    for named in ["0", "1"] {
        let headers = vec![("Retry-After".to_owned(), named.to_owned())];
        let throttled = HttpResponse { status: 429, headers, body: Vec::new() };
        let call = Call::GetTuple(GetTuple { config: config(), known: None });
        let ended = run(call, |_, _| HttpAnswer::Response(throttled.clone()));
        assert_eq!(blamed(&ended), ("store-throttled", false));
        assert!(ended.requests < 15, "{} requests", ended.requests);
        assert!(ended.milliseconds > 30_000, "it goes on to its deadline");
    }
}
