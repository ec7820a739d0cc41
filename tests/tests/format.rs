//! Stored format 1 is what docs/format.md says, and data stored in it can always be read.

use std::path::{Path, PathBuf};

use langgraph_checkpoint_guest::{Call, ChannelValue, Id, List, NewValue, Outcome, Payload};
use langgraph_checkpoint_tests::{caller::Caller, native::Native, transcript};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::{Value, json};

/// The checkpoint and the write of the examples in docs/format.md.
fn example() -> Native {
    let mut native = Native::in_memory();
    let long = "a message of more than 128 bytes is a chunk of its own; ".repeat(3);
    native
        .call(transcript::call(&json!({
            "name": "put",
            "config": { "thread_id": "thread-1" },
            "checkpoint": {
                "id": "1ef4f797-8335-6428-8001-8a1503f9b875",
                "v": 4,
                "ts": "2024-04-19T17:19:07.952Z",
                "channel_values": { "count": 1, "messages": ["hi", long] },
                "channel_versions": { "count": 2, "messages": 3 },
                "versions_seen": {},
            },
            "metadata": { "source": "loop", "step": 1, "parents": {} },
            "new_versions": ["count", "messages"],
        })))
        .unwrap();
    native
        .call(transcript::call(&json!({
            "name": "put_writes",
            "config": {
                "thread_id": "thread-1",
                "checkpoint_id": "1ef4f797-8335-6428-8001-8a1503f9b875",
            },
            "writes": [["count", 2]],
            "task_id": "task-1",
        })))
        .unwrap();
    native
}

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/format.md");
    std::fs::read_to_string(path).unwrap()
}

/// What is in a fenced block of docs/format.md.
fn block(info: &str) -> String {
    let page = page();
    let (_, rest) = page.split_once(&format!("```{info}\n")).expect("docs/format.md has the block");
    rest.split_once("```").unwrap().0.to_owned()
}

/// The bytes of the examples: what comes before two spaces in each line of the fenced blocks
/// `text envelope`, `text write` and `text chunk`.
fn documented(name: &str) -> Vec<u8> {
    let hex: String = block(&format!("text {name}"))
        .lines()
        .filter_map(|line| line.split("  ").next())
        .flat_map(|bytes| bytes.chars().filter(|c| !c.is_whitespace()))
        .collect();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn stored(native: &Native, sql: &str) -> Vec<u8> {
    native.connection().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_documented_bytes_are_the_stored_bytes() {
    let native = example();
    for (block, sql) in [
        ("envelope", "SELECT envelope FROM lg_checkpoints"),
        ("write", "SELECT envelope FROM lg_writes"),
        ("chunk", "SELECT hash FROM lg_chunks"),
    ] {
        assert_eq!(hex(&documented(block)), hex(&stored(&native, sql)), "{block}");
    }
}

#[test]
fn the_documented_columns_are_the_stored_columns() {
    let native = example();
    for (name, view) in [("checkpoint", "lg_checkpoints"), ("pending-write", "lg_writes")] {
        let columns: serde_json::Map<String, Value> =
            serde_json::from_str(&block(&format!("json {name}"))).unwrap();
        for (column, documented) in columns {
            let sql = format!("SELECT {column} FROM {view} JOIN lg_threads USING (thread_key)");
            let stored = native.connection().query_row(&sql, [], |row| {
                Ok(match row.get_ref(0)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(number) => number.into(),
                    other => other.as_str()?.into(),
                })
            });
            assert_eq!(stored.unwrap(), documented, "{name} {column}");
        }
    }
}

#[test]
fn the_documented_text_is_the_stored_chunk() {
    let text = "a message of more than 128 bytes is a chunk of its own; ";
    assert!(page().contains(&format!("three times\n`{text}`")));
    let stored = stored(&example(), "SELECT data FROM lg_chunks");
    assert_eq!(stored, format!("\"{}\"", text.repeat(3)).into_bytes());
}

#[test]
fn the_documented_bytes_decode_to_the_documented_checkpoint() {
    let mut native = example();
    let update = "UPDATE lg_records SET envelope = ?1 WHERE task_id = ''";
    native.connection().execute(update, [documented("envelope")]).unwrap();
    let get = json!({ "name": "get_tuple", "config": { "thread_id": "thread-1" } });
    let outcome = native.call(transcript::call(&get)).unwrap();
    let tuple = transcript::gives(Ok(vec![outcome]));
    let checkpoint = &tuple["tuple"]["checkpoint"];
    assert_eq!(checkpoint["channel_values"]["count"], 1);
    assert_eq!(checkpoint["channel_values"]["messages"][0], "hi");
    assert_eq!(checkpoint["channel_versions"], json!({ "count": 2, "messages": 3 }));
}

/// A database by an earlier version of this format's writer, and its expected contents. To add one,
/// name a folder that does not exist and run with `BLESS=1`; existing fixtures are never rewritten.
#[test]
fn every_stored_fixture_reads_as_it_did() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/v1");
    let database = folder.join("checkpoints.sqlite");
    if std::env::var_os("BLESS").is_some() && !folder.exists() {
        make(&folder);
    }
    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().join("checkpoints.sqlite");
    std::fs::copy(database, &path).unwrap();
    let mut native = Native::new(Connection::open(path).unwrap()).unwrap();
    let expected: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json")).unwrap())
            .unwrap();
    assert_eq!(contents(&mut native), expected);
}

/// Every tuple of every thread, and the histories of `messages`.
fn contents(native: &mut Native) -> Value {
    let mut outcomes = Vec::new();
    let mut list = List::default();
    loop {
        let outcome = native.call(Call::List(list.clone())).unwrap();
        let Outcome::Page(page) = &outcome else { panic!("a list gives pages") };
        list.resume = page.next.clone();
        outcomes.push(outcome);
        if list.resume.is_none() {
            break;
        }
    }
    let mut threads: Vec<String> = outcomes
        .iter()
        .flat_map(|outcome| match outcome {
            Outcome::Page(page) => page.tuples.as_slice(),
            _ => &[],
        })
        .map(|tuple| tuple.thread_id.clone())
        .collect();
    threads.sort();
    threads.dedup();
    let histories: Vec<Value> = threads
        .iter()
        .map(|thread| {
            let mut call = langgraph_checkpoint_guest::DeltaChannelHistory::default();
            call.config.thread_id = Id::Text(thread.clone());
            call.channels = vec!["messages".to_owned()];
            let outcome = native.call(Call::DeltaChannelHistory(call)).unwrap();
            transcript::gives(Ok(vec![outcome]))
        })
        .collect();
    json!({ "list": transcript::gives(Ok(outcomes)), "histories": histories })
}

/// A list of 300 texts and a map of 40 lists, as MessagePack.
fn packed_values() -> [ChannelValue<NewValue>; 2] {
    let (mut list, mut map) = (Vec::new(), Vec::new());
    rmp::encode::write_array_len(&mut list, 300).unwrap();
    for at in 0..300 {
        rmp::encode::write_str(&mut list, &format!("{at} ").repeat(50)).unwrap();
    }
    rmp::encode::write_map_len(&mut map, 40).unwrap();
    for key in 0..40 {
        rmp::encode::write_str(&mut map, &format!("key {key}")).unwrap();
        rmp::encode::write_array_len(&mut map, 100).unwrap();
        (0..100).for_each(|at| drop(rmp::encode::write_sint(&mut map, at * key)));
    }
    [("packed list", list), ("packed map", map)].map(|(channel, bytes)| ChannelValue {
        channel: channel.to_owned(),
        value: Payload { kind: "msgpack".to_owned(), bytes }.into(),
    })
}

/// Makes a small database with a bit of everything.
fn make(folder: &PathBuf) {
    std::fs::create_dir_all(folder).unwrap();
    let connection = Connection::open(folder.join("checkpoints.sqlite")).unwrap();
    let mut native = Native::new(connection).unwrap();
    for (name, transcript) in transcript::all() {
        if ["bad_input", "growing_state"].contains(&name.as_str()) {
            continue;
        }
        for step in &transcript.steps {
            let mut call = step.call.clone();
            let writes = call["name"] == "put" || call["name"] == "put_writes";
            if !writes {
                continue;
            }
            // Each transcript has its own threads.
            let thread = format!("{name}: {}", call["config"]["thread_id"]);
            call["config"]["thread_id"] = thread.into();
            native.call(transcript::call(&call)).unwrap();
        }
    }
    let long: Vec<Value> =
        (0..60).map(|at| json!({ "content": format!("{at} ").repeat(60) })).collect();
    let put = json!({
        "name": "put",
        "config": { "thread_id": "a long list" },
        "checkpoint": {
            "id": "1ef4f797-8335-6428-8001-8a1503f9b875", "v": 4, "ts": "",
            "channel_values": { "messages": long, "text": "0123456789".repeat(2000) },
            "channel_versions": {},
        },
        "metadata": {}, "new_versions": [],
    });
    let Call::Put(mut put) = transcript::call(&put) else { panic!("it is a put") };
    put.checkpoint.channel_values.extend(packed_values());
    native.call(Call::Put(put)).unwrap();
    let expected = serde_json::to_string_pretty(&contents(&mut native)).unwrap() + "\n";
    std::fs::write(folder.join("expected.json"), expected).unwrap();
}
