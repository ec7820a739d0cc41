//! The guest on a Kusto: the local one that `cargo xtask test` starts, or the cluster that the
//! environment names. Without either, the tests print so and do nothing.

#[path = "kusto/copies.rs"]
mod copies;
#[path = "kusto/deletions.rs"]
mod deletions;
#[path = "kusto/histories.rs"]
mod histories;
#[path = "kusto/lifecycle.rs"]
mod lifecycle;
#[path = "kusto/searches.rs"]
mod searches;

use std::time::{SystemTime, UNIX_EPOCH};

use langgraph_checkpoint_guest::kusto::{IngestMode, KustoOptions};
use langgraph_checkpoint_guest::{
    Call, ChannelValue, ChannelVersion, Checkpoint, CheckpointTuple, Config, GetTuple, Id, List,
    NewWrite, Outcome, Payload, Put, PutWrites, Version,
};
use langgraph_checkpoint_tests::caller::{self, Caller, Known};
use langgraph_checkpoint_tests::editor::Editor;
use langgraph_checkpoint_tests::kusto::Kusto;
use langgraph_checkpoint_tests::transcript;

const DAY: i64 = 86_400_000_000;

/// Options for a separate database; `None` without a Kusto.
fn options(name: &str) -> Option<KustoOptions> {
    let Ok(cluster_uri) = std::env::var("KUSTO_CLUSTER_URI") else {
        eprintln!("skipped: KUSTO_CLUSTER_URI names no cluster");
        return None;
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let database = std::env::var("KUSTO_DATABASE").unwrap_or_else(|_| format!("{name}_{now}"));
    Some(KustoOptions { cluster_uri, database, ..KustoOptions::default() })
}

fn open(options: KustoOptions) -> Kusto {
    Kusto::open(options, std::env::var("KUSTO_ACCESS_TOKEN").ok()).unwrap()
}

/// Sends a request to the local Kusto's own endpoints. Returns whether it is a local Kusto.
fn local(options: &KustoOptions, path: &str, body: &str) -> bool {
    if std::env::var_os("KUSTO_DATABASE").is_some() {
        eprintln!("skipped: a cluster shows rows when it does");
        return false;
    }
    let url = format!("{}/local/{path}", options.cluster_uri.trim_end_matches('/'));
    let database = &options.database;
    let body = format!("{{\"database\":\"{database}\"{body}}}");
    ureq::post(&url).send(body.as_bytes()).unwrap();
    true
}

/// Runs a command on the local Kusto. Returns whether it is one.
fn run(options: &KustoOptions, command: &str) -> bool {
    if std::env::var_os("KUSTO_DATABASE").is_some() {
        eprintln!("skipped: nobody removes rows of a cluster");
        return false;
    }
    let url = format!("{}/v1/rest/mgmt", options.cluster_uri.trim_end_matches('/'));
    let body = serde_json::json!({ "db": options.database, "csl": command });
    ureq::post(&url).send(body.to_string().as_bytes()).unwrap();
    true
}

/// How many rows a query of the local Kusto returns; `None` on a cluster.
fn rows(options: &KustoOptions, query: &str) -> Option<u64> {
    std::env::var_os("KUSTO_DATABASE").is_none().then_some(())?;
    let url = format!("{}/v1/rest/query", options.cluster_uri.trim_end_matches('/'));
    let body = serde_json::json!({ "db": options.database, "csl": format!("{query} | count") });
    let mut response = ureq::post(&url).send(body.to_string().as_bytes()).unwrap();
    let text = response.body_mut().read_to_string().unwrap();
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    answer["Tables"][0]["Rows"][0][0].as_u64()
}

/// Rows that are acknowledged from now on become visible when they are released.
const HELD_BACK: &str = r#","faults":[{"kind":"delayed","on":"rows"}]"#;

fn ids(kusto: &mut Kusto, thread_id: &str) -> Vec<String> {
    let list = List { config: config(thread_id), ..List::default() };
    let Ok(Outcome::Page(page)) = kusto.call(Call::List(list)) else { panic!("a page") };
    page.tuples.into_iter().map(|tuple| tuple.checkpoint_id).collect()
}

fn config(thread_id: &str) -> Config {
    Config { thread_id: thread_id.into(), ..Config::default() }
}

fn json(text: impl Into<String>) -> Payload {
    Payload { kind: "json".to_owned(), bytes: text.into().into_bytes() }
}

fn message(at: usize) -> String {
    format!("{{\"content\":\"{}\",\"id\":\"message-{at}\"}}", format!("word {at} ").repeat(60))
}

fn chat(messages: usize) -> Payload {
    let messages: Vec<_> = (0..messages).map(message).collect();
    json(format!("[{}]", messages.join(",")))
}

fn checkpoint(thread_id: &str, number: usize, value: Payload) -> Call {
    let channel = "messages".to_owned();
    let version = Version::Number(number as f64);
    Call::Put(Put {
        config: config(thread_id),
        checkpoint: Checkpoint {
            id: format!("{number:08}").into(),
            v: 4.0,
            ts: "2026-11-21T08:00:00Z".to_owned(),
            channel_versions: vec![ChannelVersion { channel: channel.clone(), version }],
            channel_values: vec![ChannelValue { channel: channel.clone(), value: value.into() }],
            rest: json("{}"),
        },
        metadata: json(format!("{{\"source\":\"loop\",\"step\":{number}}}")),
        new_versions: vec![channel],
        run_id: Id::Absent,
        known: None,
    })
}

fn found(outcome: Outcome) -> Option<CheckpointTuple> {
    match outcome {
        Outcome::Found(found) => found.map(|found| found.tuple.resolve(&[]).unwrap()),
        other => panic!("a get gave {other:?}"),
    }
}

fn latest(kusto: &mut Kusto, thread_id: &str) -> Option<CheckpointTuple> {
    let get = GetTuple { config: config(thread_id), known: None };
    found(kusto.call(Call::GetTuple(get)).unwrap())
}

/// What a step gives on Kusto.
fn expected(step: &transcript::Step) -> serde_json::Value {
    transcript::keeping_chunks(step, transcript::expand(&step.gives, "#"))
}

#[test]
fn every_transcript_gives_the_outcomes_of_sqlite() {
    for (name, transcript) in transcript::all() {
        for known in [Known::Forgotten, Known::Carried, Known::Edited] {
            let Some(options) = options("transcript") else { return };
            let outcomes = caller::run(&mut open(options), &transcript, known);
            for (index, (step, outcome)) in transcript.steps.iter().zip(&outcomes).enumerate() {
                let expected = expected(step);
                let outcome = transcript::keeping_chunks(step, outcome.clone());
                assert_eq!(outcome, expected, "{name}, {known:?}, step {index}: {}", step.call);
            }
        }
    }
}

#[test]
fn write_behind_and_inline_give_the_same_outcomes() {
    for (name, transcript) in transcript::all() {
        let Some(behind) = options("behind") else { return };
        let inline = KustoOptions { ingest_mode: IngestMode::Inline, ..behind.clone() };
        let inline = KustoOptions { database: format!("{}i", behind.database), ..inline };
        let behind = KustoOptions { batch_size: Some(1000), ..behind };
        for options in [behind, inline] {
            let outcomes = caller::run(&mut open(options), &transcript, Known::Edited);
            for (index, (step, outcome)) in transcript.steps.iter().zip(&outcomes).enumerate() {
                let expected = expected(step);
                let outcome = transcript::keeping_chunks(step, outcome.clone());
                assert_eq!(outcome, expected, "{name}, step {index}: {}", step.call);
            }
        }
    }
}

#[test]
fn a_superstep_takes_three_requests_and_sends_what_changed() {
    let Some(options) = options("superstep") else { return };
    let mut kusto = open(options);
    let mut editor = Editor::default();
    let mut bytes = Vec::new();
    // LangGraph reads a thread before it continues it.
    assert!(latest(&mut kusto, "chat").is_none());
    for step in 1..=60 {
        (kusto.requests, kusto.sent_bytes) = (0, 0);
        let writes = PutWrites {
            config: Config { checkpoint_id: format!("{:08}", step - 1).into(), ..config("chat") },
            writes: vec![NewWrite { channel: "messages".to_owned(), value: json(message(step)) }],
            task_id: "task".into(),
            task_path: String::new(),
        };
        kusto.call(Call::PutWrites(writes)).unwrap();
        editor.call(&mut kusto, checkpoint("chat", step, chat(step))).unwrap();
        assert!(kusto.requests <= 3, "step {step} took {} requests", kusto.requests);
        bytes.push(kusto.sent_bytes);
    }
    let (early, late): (usize, usize) = (bytes[5..15].iter().sum(), bytes[50..60].iter().sum());
    assert!(late < early * 2, "early {early} bytes, late {late}");
    kusto.requests = 0;
    assert_eq!(latest(&mut kusto, "chat").unwrap().channel_values[0].value, chat(60));
    assert_eq!(kusto.requests, 1, "a get takes one request");
}

/// The writes of a step and the put after them.
fn superstep(thread_id: &str, step: usize) -> Vec<Call> {
    let written = json(format!("[{}]", message(step - 1)));
    let writes = PutWrites {
        config: Config { checkpoint_id: format!("{:08}", step - 1).into(), ..config(thread_id) },
        writes: vec![NewWrite { channel: "messages".to_owned(), value: written }],
        task_id: "task".into(),
        task_path: String::new(),
    };
    vec![Call::PutWrites(writes), checkpoint(thread_id, step, chat(step))]
}

#[test]
fn writes_and_a_put_made_at_once_are_two_requests_and_send_a_message_once() {
    let Some(options) = options("together") else { return };
    let mut kusto = open(options.clone());
    for backwards in [false, true] {
        let thread_id = if backwards { "backwards" } else { "chat" };
        for step in 1..=5 {
            let mut calls = superstep(thread_id, step);
            if backwards {
                calls.reverse();
            }
            (kusto.requests, kusto.sent_bytes) = (0, 0);
            assert!(kusto.together(calls).iter().all(Result::is_ok));
            assert_eq!(kusto.requests, 2, "an ingest, and a look for a tombstone");
        }
        let chunks =
            format!("CheckpointLog | where ['kind'] == 'chunk' and thread_id == '{thread_id}'");
        let distinct = rows(&options, &format!("{chunks} | distinct hash"));
        assert!(distinct.is_none_or(|distinct| distinct >= 5));
        assert_eq!(rows(&options, &chunks), distinct, "each message once");
        for mut store in [open(options.clone()), open(options.clone())] {
            assert_eq!(ids(&mut store, thread_id).len(), 5);
            let tuple = latest(&mut store, thread_id).unwrap();
            assert_eq!(tuple.channel_values[0].value, chat(5));
        }
    }
}

#[test]
fn calls_made_at_once_see_those_before_them_and_fail_each_on_its_own() {
    let Some(options) = options("each") else { return };
    let mut kusto = open(options.clone());
    let Call::Put(put) = checkpoint("chat", 2, chat(2)) else { panic!("a put") };
    let without_names = Put { new_versions: Vec::new(), ..put.clone() };
    let nowhere = Put { config: Config::default(), ..put };
    let ended = kusto.together(vec![
        checkpoint("chat", 1, chat(1)),
        Call::Put(nowhere),
        Call::Put(without_names),
    ]);
    assert!(ended[0].is_ok() && ended[2].is_ok());
    assert_eq!(ended[1].as_ref().unwrap_err().code(), "missing-thread-id");
    let tuple = latest(&mut open(options), "chat").unwrap();
    assert_eq!(tuple.channel_values[0].value, chat(2), "the first put's channel was seen");
}

#[test]
fn calls_made_at_once_on_a_thread_deleted_elsewhere_are_put_whole() {
    let Some(options) = options("deleted_at_once") else { return };
    let (mut one, mut other) = (open(options.clone()), open(options));
    assert!(one.together(superstep("chat", 1)).iter().all(Result::is_ok));
    other.ahead = DAY;
    other.call(Call::DeleteThread(config("chat"))).unwrap();
    assert!(one.together(superstep("chat", 2)).iter().all(Result::is_ok));
    for store in [&mut one, &mut other] {
        assert_eq!(ids(store, "chat"), ["00000002"]);
        assert_eq!(latest(store, "chat").unwrap().channel_values[0].value, chat(2));
    }
}

#[test]
fn another_process_reads_what_was_acknowledged() {
    let Some(options) = options("other") else { return };
    let (mut writer, mut reader) = (open(options.clone()), open(options));
    for step in [1, 2, 40, 41] {
        writer.call(checkpoint("chat", step, chat(step))).unwrap();
        reader.requests = 0;
        let tuple = latest(&mut reader, "chat").unwrap();
        assert_eq!(tuple.channel_values[0].value, chat(step));
        assert_eq!(reader.requests, 1, "a cold get takes one request");
    }
}

#[test]
fn what_was_acknowledged_is_read_for_ever_whatever_the_store_shows() {
    let Some(options) = options("late") else { return };
    for batch_size in [None, Some(1000)] {
        let options = KustoOptions {
            database: format!("{}{}", options.database, batch_size.unwrap_or(1)),
            batch_size,
            ..options.clone()
        };
        let mut kusto = open(options.clone());
        let mut editor = Editor::default();
        editor.call(&mut kusto, checkpoint("chat", 1, chat(1))).unwrap();
        kusto.flush().unwrap();
        if !local(&options, "faults", HELD_BACK) {
            return;
        }
        editor.call(&mut kusto, checkpoint("chat", 2, chat(2))).unwrap();
        kusto.flush().unwrap();
        for seconds in [0, 11, 25, 3_600, 86_400] {
            kusto.ahead = seconds * 1_000_000;
            assert_eq!(latest(&mut kusto, "chat").unwrap().checkpoint_id, "00000002");
            assert_eq!(ids(&mut kusto, "chat"), ["00000002", "00000001"]);
        }
        // A put after that keeps the earlier messages.
        editor.call(&mut kusto, checkpoint("chat", 3, chat(3))).unwrap();
        kusto.flush().unwrap();
        assert_eq!(latest(&mut kusto, "chat").unwrap().channel_values[0].value, chat(3));
        let mut other = open(options.clone());
        assert_eq!(ids(&mut other, "chat"), ["00000001"], "others see what shows");
        local(&options, "release", "");
        for store in [&mut kusto, &mut other] {
            assert_eq!(ids(store, "chat"), ["00000003", "00000002", "00000001"]);
            assert_eq!(latest(store, "chat").unwrap().channel_values[0].value, chat(3));
        }
    }
}

#[test]
fn parts_that_do_not_show_are_late_within_the_deadline_and_gone_after_ten_minutes() {
    let Some(options) = options("parts") else { return };
    let options = KustoOptions { deadline_ms: Some(4_000), ..options };
    open(options.clone()).call(checkpoint("chat", 1, chat(3))).unwrap();
    let chunks = "CheckpointLog | where ['kind'] == 'chunk'";
    if !run(&options, &format!(".delete table CheckpointLog records <| {chunks}")) {
        return;
    }
    let mut kusto = open(options);
    kusto.is_virtual = true;
    let code = |kusto: &mut Kusto| {
        let (begin, call) = (kusto.ahead, GetTuple { config: config("chat"), known: None });
        let error = kusto.call(Call::GetTuple(call)).unwrap_err();
        assert!(kusto.ahead - begin <= 4_000_000, "{} of 4 s", kusto.ahead - begin);
        error.fault().code.clone()
    };
    assert_eq!(code(&mut kusto), "store-stale");
    kusto.ahead = 11 * 60 * 1_000_000;
    assert_eq!(code(&mut kusto), "missing-chunk");
}

#[test]
fn writes_of_a_call_that_do_not_show_are_late_and_gone_after_ten_minutes() {
    let Some(options) = options("calls") else { return };
    let options = KustoOptions { deadline_ms: Some(4_000), ..options };
    let mut writer = open(options.clone());
    writer.call(checkpoint("chat", 1, chat(3))).unwrap();
    let id = latest(&mut writer, "chat").unwrap().checkpoint_id;
    let write = |channel: &str| NewWrite { channel: channel.to_owned(), value: chat(1) };
    let writes = PutWrites {
        config: Config { checkpoint_id: id.into(), ..config("chat") },
        writes: vec![write("a"), write("b")],
        task_id: "task".into(),
        task_path: String::new(),
    };
    writer.call(Call::PutWrites(writes)).unwrap();
    let second = "CheckpointLog | where ['kind'] == 'write' and idx == 1";
    if !run(&options, &format!(".delete table CheckpointLog records <| {second}")) {
        return;
    }
    let mut kusto = open(options);
    kusto.is_virtual = true;
    let code = |kusto: &mut Kusto| {
        let call = GetTuple { config: config("chat"), known: None };
        kusto.call(Call::GetTuple(call)).unwrap_err().fault().code.clone()
    };
    assert_eq!(code(&mut kusto), "store-stale");
    kusto.ahead = 11 * 60 * 1_000_000;
    assert_eq!(code(&mut kusto), "missing-write");
}

#[test]
fn what_waits_in_write_behind_shows_to_others_after_a_flush() {
    let Some(options) = options("flush") else { return };
    let behind = KustoOptions { batch_size: Some(1000), ..options.clone() };
    let (mut writer, mut reader) = (open(behind), open(options));
    writer.call(checkpoint("chat", 1, chat(3))).unwrap();
    assert_eq!(writer.requests, 0, "it is acknowledged at once");
    assert_eq!(latest(&mut writer, "chat").unwrap().channel_values[0].value, chat(3));
    assert!(latest(&mut reader, "chat").is_none());
    assert!(writer.flush_due().is_some());
    writer.requests = 0;
    writer.flush().unwrap();
    assert_eq!(writer.requests, 2, "an ingest, and a look for tombstones");
    assert_eq!(writer.flush_due(), None);
    assert_eq!(latest(&mut reader, "chat").unwrap().channel_values[0].value, chat(3));
}

#[test]
fn chunks_are_sent_again_before_the_table_drops_them() {
    let Some(options) = options("retention") else { return };
    let options = KustoOptions { retention_days: Some(10), ..options };
    let mut kusto = open(options);
    let mut editor = Editor::default();
    let mut sent = |kusto: &mut Kusto, step: usize| {
        kusto.sent_bytes = 0;
        editor.call(kusto, checkpoint("chat", step, chat(200))).unwrap();
        kusto.sent_bytes
    };
    let whole = sent(&mut kusto, 1);
    assert!(sent(&mut kusto, 2) < whole / 3, "it refers to what is there");
    kusto.ahead = 4 * DAY;
    assert!(sent(&mut kusto, 3) < whole / 3, "four of ten days are no age");
    kusto.ahead = 6 * DAY;
    assert!(sent(&mut kusto, 4) * 10 > whole * 9, "at half of them all is sent again");
    kusto.ahead = 10 * DAY;
    assert!(sent(&mut kusto, 5) < whole / 3, "from then on it is young again");
}

#[test]
fn a_thread_deleted_elsewhere_is_put_whole_even_by_a_clock_that_lags() {
    let Some(options) = options("deleted") else { return };
    let (mut one, mut other) = (open(options.clone()), open(options));
    let mut editor = Editor::default();
    editor.call(&mut one, checkpoint("chat", 1, chat(50))).unwrap();
    other.ahead = DAY;
    other.call(Call::DeleteThread(config("chat"))).unwrap();
    assert!(latest(&mut other, "chat").is_none());
    // The deletion's time is a day ahead of this store's, and this store has not read the thread
    // since.
    editor.call(&mut one, checkpoint("chat", 2, chat(51))).unwrap();
    for store in [&mut one, &mut other] {
        assert_eq!(latest(store, "chat").unwrap().channel_values[0].value, chat(51));
        let all = store.call(Call::List(List { config: config("chat"), ..List::default() }));
        let Ok(Outcome::Page(page)) = all else { panic!("a list gives a page") };
        assert_eq!(page.tuples.len(), 1, "what was deleted does not come back");
    }
}

#[test]
fn an_administrator_removes_the_rows_and_a_later_put_is_whole() {
    let Some(options) = options("admin") else { return };
    let admin = KustoOptions { admin: true, ..options.clone() };
    let (mut one, mut other) = (open(options), open(admin));
    let mut editor = Editor::default();
    editor.call(&mut one, checkpoint("chat", 1, chat(50))).unwrap();
    other.call(checkpoint("neighbour", 1, chat(5))).unwrap();
    other.call(Call::DeleteThread(config("chat"))).unwrap();
    assert!(latest(&mut one, "chat").is_none());
    editor.call(&mut one, checkpoint("chat", 2, chat(51))).unwrap();
    assert_eq!(latest(&mut other, "chat").unwrap().channel_values[0].value, chat(51));
    assert_eq!(latest(&mut other, "neighbour").unwrap().channel_values[0].value, chat(5));
}

#[test]
fn large_and_binary_values_come_back_as_they_went_in() {
    let Some(options) = options("large") else { return };
    let mut kusto = open(options.clone());
    let bytes = |length: usize| {
        let mut state = 1_u32;
        let next = move |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        Payload { kind: "bytes".to_owned(), bytes: (0..length).map(next).collect() }
    };
    let text = |length: usize| json(format!("\"{}\"", "\u{e9}\u{2028}x\\n".repeat(length / 8)));
    let values = [bytes(1_500_000), bytes(5_000_000), text(1_500_000), text(5_000_000), bytes(200)];
    for (number, value) in values.into_iter().enumerate() {
        kusto.call(checkpoint("large", number, value.clone())).unwrap();
        let tuple = latest(&mut open(options.clone()), "large").unwrap();
        assert!(tuple.channel_values[0].value == value, "value {number} differs");
    }
}

#[test]
fn metadata_over_a_megabyte_is_kept_and_found() {
    let Some(options) = options("metadata") else { return };
    let mut kusto = open(options.clone());
    let metadata = json(format!(
        "{{\"source\":\"loop\",\"step\":7,\"note\":\"{}\"}}",
        "\u{1f600} long ".repeat(200_000)
    ));
    let Call::Put(put) = checkpoint("chat", 1, chat(1)) else { panic!("it is a put") };
    kusto.call(Call::Put(Put { metadata: metadata.clone(), ..put })).unwrap();
    let mut other = open(options);
    assert!(latest(&mut other, "chat").unwrap().metadata == metadata);
    let filter = vec![langgraph_checkpoint_guest::MetadataFilter {
        key: "step".to_owned(),
        json: "7".to_owned(),
    }];
    let list = List { config: config("chat"), filter, ..List::default() };
    let Ok(Outcome::Page(page)) = other.call(Call::List(list)) else { panic!("it is a page") };
    assert_eq!(page.tuples.len(), 1);
}

#[test]
fn a_hostile_thread_id_is_itself_and_no_other() {
    let Some(options) = options("hostile") else { return };
    let mut kusto = open(KustoOptions { admin: true, ..options });
    let ids = [
        "plain",
        "a\" or 1 == 1 //",
        "a' or '1'=='1",
        "\\\" | take 0; .drop table CheckpointLog //",
        "\u{2028}\n\r\t\u{85}",
        "\"]) | union (CheckpointLog",
        "h\"x\"",
        "@'x'",
        "```x```",
        "dynamic([1])",
        "$.a[\"b\"]",
        "*",
        "%",
    ];
    for (number, id) in ids.iter().enumerate() {
        kusto.call(checkpoint(id, number, chat(number + 1))).unwrap();
    }
    for (number, id) in ids.iter().enumerate() {
        let list = List { config: config(id), ..List::default() };
        let Ok(Outcome::Page(page)) = kusto.call(Call::List(list)) else { panic!("a page") };
        assert_eq!(page.tuples.len(), 1, "{id:?}");
        assert_eq!(page.tuples[0].checkpoint_id, format!("{number:08}"), "{id:?}");
    }
    for (number, id) in ids.iter().enumerate().skip(1) {
        kusto.call(Call::DeleteThread(config(id))).unwrap();
        let Ok(Outcome::Page(page)) = kusto.call(Call::List(List::default())) else {
            panic!("a page")
        };
        assert_eq!(page.tuples.len(), ids.len() - number, "deleted {id:?} and nothing else");
    }
    assert!(latest(&mut kusto, "plain").is_some());
}
