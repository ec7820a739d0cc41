//! What each call sends to Kusto, for people to read. `tests/goldens/kusto/NAME.txt` has its
//! requests in order; `NAME.N.kql` has the text of each query and command exactly as it is sent,
//! which Microsoft's own parser checks (`tests/kusto-language`).
//!
//! The responses here are almost empty; the transcripts show what calls return from a real store.
//! After a change run with `BLESS=1` and read the diff.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use langgraph_checkpoint_guest::kusto::{IngestMode, KustoOptions, Store, Task, TaskProgress};
use langgraph_checkpoint_guest::{
    Answer, Call, HttpAnswer, HttpRequest, HttpResponse, List, MetadataFilter, Moment, Need,
};
use langgraph_checkpoint_tests::transcript;
use serde_json::{Value, json};

#[test]
fn every_call_sends_the_requests_of_its_golden_files() {
    let mut files = BTreeMap::new();
    for (name, call, options) in calls() {
        show(&name, call, options, &mut files);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/goldens/kusto");
    if std::env::var_os("BLESS").is_some() {
        for old in std::fs::read_dir(&folder).unwrap() {
            let path = old.unwrap().path();
            if !path.ends_with(LITERALS) {
                std::fs::remove_file(path).unwrap();
            }
        }
        for (name, text) in &files {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    for (name, text) in &files {
        let golden = folder.join(name);
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        let golden = golden.display();
        assert!(*text == expected, "{golden} differs; run with BLESS=1 and read the diff:\n{text}");
    }
    let names = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    let stored = std::fs::read_dir(&folder).unwrap().map(names);
    for name in stored {
        let known = name == LITERALS || files.contains_key(name.to_str().unwrap());
        assert!(known, "{name:?} is the golden of no call");
    }
}

/// The literals, which `literal.rs` tests.
const LITERALS: &str = "literals.jsonl";

fn options() -> KustoOptions {
    KustoOptions {
        cluster_uri: "https://name.region.kusto.windows.net".to_owned(),
        database: "langgraph".to_owned(),
        ..KustoOptions::default()
    }
}

/// The calls of SQLite's goldens, and those that only Kusto has.
fn calls() -> Vec<(String, Call, KustoOptions)> {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/goldens/sqlite");
    let mut calls = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let call = match file["call"]["name"].as_str() {
            Some("setup") => Call::Setup,
            _ => transcript::call(&file["call"]),
        };
        if name == "delete_thread" || name == "put_first" {
            let call = call.clone();
            let options = KustoOptions {
                ingest_mode: IngestMode::Inline,
                admin: name == "delete_thread",
                table: Some("Other_Log".to_owned()),
                ..options()
            };
            calls.push((format!("{name}_inline"), call, options));
        }
        if name == "put_first" {
            // A batch so small that the put itself flushes.
            let options = KustoOptions { batch_size: Some(2), ..options() };
            calls.push((format!("{name}_behind"), call.clone(), options));
        }
        calls.push((name, call, options()));
    }
    let filter = |key: &str, json: &str| MetadataFilter { key: key.into(), json: json.into() };
    let filter = vec![
        filter("source", "\"loop\""),
        filter("step", "3"),
        filter("run_id", "\"run-1\""),
        filter("user.\"id\"", "\"a\\\"; .drop table T //\""),
        filter("tries", "1.5"),
        filter("done", "true"),
        filter("error", "null"),
        filter("tags", "[1]"),
    ];
    let list = List { filter, limit: Some(10.0), ..List::default() };
    let admin = KustoOptions { admin: true, ..options() };
    calls.push(("setup_admin".to_owned(), Call::Setup, admin));
    calls.push(("list_by_metadata".to_owned(), Call::List(list), options()));
    calls.sort_by(|a, b| a.0.cmp(&b.0));
    calls
}

fn show(name: &str, call: Call, options: KustoOptions, files: &mut BTreeMap<String, String>) {
    let store = Store::open(options).unwrap();
    let mut now = 1_795_250_000_000_000;
    let mut moment = || {
        now += 1_000;
        Moment { now, entropy: now * 3 }
    };
    let mut shown = String::new();
    let mut texts = 0;
    let (mut operation, mut progress): (Task, _) = match store.start(call, moment()) {
        Ok(started) => started,
        Err(error) => {
            // A call that Kusto does not have sends nothing.
            files.insert(format!("{name}.txt"), format!("ends in {}\n", error.code()));
            return;
        }
    };
    while let TaskProgress::Need(need) = progress {
        let Need::Http(request) = need else {
            panic!("{name} waits, though nothing is refused: {shown}")
        };
        let text = show_request(&mut shown, &request);
        if let Some(text) = &text {
            texts += 1;
            files.insert(format!("{name}.{texts}.kql"), format!("{text}\n"));
        }
        let body = response(&request, text.as_deref().unwrap_or_default()).to_string();
        let response = HttpResponse { status: 200, headers: Vec::new(), body: body.into_bytes() };
        let answer = Answer::Http(HttpAnswer::Response(response));
        progress = match operation.advance(answer, moment()) {
            Ok(progress) => progress,
            Err(error) => {
                // A setup that finds a column missing ends here.
                writeln!(shown, "ends in {}", error.code()).unwrap();
                break;
            }
        };
    }
    files.insert(format!("{name}.txt"), shown);
}

/// Shows a request, and returns the text of the query or command in it.
fn show_request(shown: &mut String, request: &HttpRequest) -> Option<String> {
    writeln!(shown, "{} {}", request.method, request.url).unwrap();
    for (name, value) in &request.headers {
        writeln!(shown, "{name}: {value}").unwrap();
    }
    writeln!(shown, "token: {:?}", request.authorization).unwrap();
    let packed = request.headers.iter().any(|(name, _)| name == "content-encoding");
    let mut body = String::new();
    if packed {
        flate2::read::GzDecoder::new(request.body.as_slice()).read_to_string(&mut body).unwrap();
        writeln!(shown, "\n{body}").unwrap();
        return None;
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let text = body["csl"].as_str().unwrap().to_owned();
    writeln!(shown, "\n{text}\n").unwrap();
    if let Some(parameters) = body["properties"]["Parameters"].as_object() {
        for (name, value) in parameters {
            writeln!(shown, "{name} = {value}").unwrap();
        }
        writeln!(shown, "options: {}\n", body["properties"]["Options"]).unwrap();
    }
    Some(text)
}

/// The response of a store without rows, as far as the next request depends on it.
fn response(request: &HttpRequest, text: &str) -> Value {
    if !request.url.ends_with("/v2/rest/query") {
        return json!({ "Tables": [{
            "Columns": [{ "ColumnName": "Name" }, { "ColumnName": "Policy" }],
            "Rows": [
                ["lg_json_v1", "{}"],
                ["lg_json_v2", "{}"],
                ["Other_Log_LatestCheckpoints", ""],
            ],
        }] });
    }
    let name = text.split(' ').nth(2).unwrap_or_default();
    let mut frames = match name {
        "cut" | "newest" => vec![table(&["cut", "rev"], json!([[null, null]]))],
        "newer" => vec![table(&["rows"], json!([[0]]))],
        "chain" => vec![
            table(
                &["checkpoint_id", "parent_checkpoint_id", "channels", "rev", "row_id", "hidden"],
                json!([
                    ["3", "2", "[]", 3, "c", null],
                    ["2", "1", "[]", 2, "b", null],
                    ["1", "", "[]", 1, "a", null]
                ]),
            ),
            table(&["cut"], json!([[0]])),
        ],
        "page" | "members" => (0..3).map(|_| table(&[], json!([]))).collect(),
        "setup" => vec![table(
            &["ColumnName", "ColumnType", "format"],
            json!(COLUMNS.map(|(name, kind)| json!([name, kind, 1]))),
        )],
        "extent" | "records" | "totals" | "threads" | "find" => about_threads(name, request, text),
        _ => vec![table(&[], json!([]))],
    };
    if name == "page" && text.contains("print cut") {
        frames.push(table(&["cut"], json!([[0]])));
    }
    if text.contains("p_sent") {
        frames.push(table(&["thread_id", "rev", "rows"], json!([])));
        frames.push(table(&["thread_id", "checkpoint_ns", "checkpoint_id", "hidden"], json!([])));
    }
    frames.push(json!({ "FrameType": "DataSetCompletion", "HasErrors": false }));
    Value::Array(frames)
}

/// The tables that a query about whole threads returns.
fn about_threads(name: &str, request: &HttpRequest, text: &str) -> Vec<Value> {
    match name {
        // Every thread but the target of a copy has one write.
        "extent" => {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let thread = body["properties"]["Parameters"]["p_thread"].as_str().unwrap();
            let writes = u64::from(thread != "\"thread-2\"");
            let columns = ["checkpoints", "writes", "newest", "rev", "cut"];
            vec![table(&columns, json!([[0, writes, "", 1, 0]]))]
        }
        "records" => {
            // Only its outline is asked for: its envelope is none.
            let is_outline = text.contains("idx desc");
            let one = |row: Value| if is_outline { json!([row]) } else { json!([]) };
            let keys = ["checkpoint_ns", "checkpoint_id", "task_id", "idx"];
            vec![
                table(&keys, one(json!(["", "1", "task", 0]))),
                table(&[], json!([])),
                table(
                    &WRITE,
                    one(json!([
                        "thread-1",
                        "",
                        "1",
                        "task",
                        "",
                        0,
                        "x",
                        [],
                        "text",
                        "",
                        0,
                        1,
                        1,
                        "a",
                        0
                    ])),
                ),
                table(&["cut"], json!([[0]])),
            ]
        }
        "totals" => (0..4).map(|_| table(&[], json!([]))).collect(),
        "threads" => (0..3).map(|_| table(&[], json!([]))).collect(),
        _ => vec![table(&["thread_id"], json!([["thread-1"]]))],
    }
}

fn table(columns: &[&str], rows: Value) -> Value {
    let columns: Vec<_> = columns.iter().map(|name| json!({ "ColumnName": name })).collect();
    json!({
        "FrameType": "DataTable", "TableKind": "PrimaryResult", "Columns": columns, "Rows": rows,
    })
}

/// The columns of a write in a response.
const WRITE: [&str; 15] = [
    "thread_id",
    "checkpoint_ns",
    "checkpoint_id",
    "task_id",
    "task_path",
    "idx",
    "channel",
    "refs",
    "encoding",
    "data",
    "part",
    "parts",
    "rev",
    "row_id",
    "cut",
];

/// The columns of the table that `provision.kql` makes.
const COLUMNS: [(&str, &str); 25] = [
    ("kind", "string"),
    ("thread_id", "string"),
    ("checkpoint_ns", "string"),
    ("checkpoint_id", "string"),
    ("parent_checkpoint_id", "string"),
    ("task_id", "string"),
    ("task_path", "string"),
    ("idx", "long"),
    ("channel", "string"),
    ("hash", "string"),
    ("refs", "dynamic"),
    ("channels", "dynamic"),
    ("metadata", "dynamic"),
    ("source", "string"),
    ("step", "long"),
    ("run_id", "string"),
    ("state", "dynamic"),
    ("encoding", "string"),
    ("data", "string"),
    ("part", "int"),
    ("parts", "int"),
    ("created_at", "datetime"),
    ("rev", "long"),
    ("row_id", "string"),
    ("format", "int"),
];
