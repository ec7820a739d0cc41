//! Rows that were changed behind the guest's back: a checkpoint that cannot be read whole gives a
//! typed error that says where, never a checkpoint with a part missing.

use langgraph_checkpoint_guest::{Call, Error, Id, Moment, Outcome, Store};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::native::Native;
use langgraph_checkpoint_tests::transcript;
use serde_json::{Value, json};

const ID: &str = "1ef4f797-8335-6428-8001-000000000001";

/// A thread with one checkpoint whose list has chunks and nodes, and a large write.
fn stored() -> Native {
    let mut native = Native::in_memory();
    let messages = json!({ "$times": [200, { "content": "message # ".repeat(30) }] });
    native
        .call(transcript::call(&json!({
            "name": "put",
            "config": { "thread_id": "thread-1" },
            "checkpoint": {
                "id": ID, "v": 4, "ts": "2024-04-19T17:19:01.000Z",
                "channel_values": { "small": 1, "messages": messages },
                "channel_versions": { "small": 1, "messages": 1 },
                "versions_seen": {},
            },
            "metadata": { "source": "loop", "step": 0 },
            "new_versions": ["small", "messages"],
        })))
        .unwrap();
    native
        .call(transcript::call(&json!({
            "name": "put_writes",
            "config": { "thread_id": "thread-1", "checkpoint_id": ID },
            "writes": [["answer", { "$text": [100, "a long answer "] }]],
            "task_id": "task-1",
        })))
        .unwrap();
    native
}

fn get(native: &mut Native) -> Result<Outcome, Error> {
    native.call(transcript::call(&get_tuple()))
}

fn get_tuple() -> Value {
    json!({ "name": "get_tuple", "config": { "thread_id": "thread-1" } })
}

fn execute(native: &Native, sql: &str) {
    assert!(native.connection().execute(sql, []).unwrap() > 0, "{sql} changed no row");
}

#[test]
fn an_untouched_store_reads_whole() {
    assert!(matches!(get(&mut stored()), Ok(Outcome::Found(Some(_)))));
}

#[test]
fn every_deleted_chunk_is_an_error_that_names_thread_checkpoint_and_channel() {
    let keys: Vec<i64> = {
        let native = stored();
        let mut statement = native.connection().prepare("SELECT rowid FROM lg_chunks").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert!(keys.len() > 200, "elements and nodes are chunks");
    for key in keys {
        let mut native = stored();
        execute(&native, &format!("DELETE FROM lg_chunks WHERE rowid = {key}"));
        let error = get(&mut native).unwrap_err();
        assert!(matches!(error, Error::Corrupt(_)), "{error:?}");
        assert_eq!(error.code(), "missing-chunk");
        let message = error.to_string();
        assert!(message.contains("thread-1") && message.contains(ID), "{message}");
        assert!(
            message.contains("channel messages") || message.contains("channel answer"),
            "{message}"
        );
        assert!(!message.contains("a long answer"), "no value in {message}");
    }
}

#[test]
fn a_list_and_a_history_fail_as_a_get_does() {
    let mut native = stored();
    native
        .call(transcript::call(&json!({
            "name": "put",
            "config": { "thread_id": "thread-1", "checkpoint_id": ID },
            "checkpoint": {
                "id": "2", "v": 4, "ts": "", "channel_values": {}, "channel_versions": {},
            },
            "metadata": {}, "new_versions": [],
        })))
        .unwrap();
    execute(&native, "DELETE FROM lg_chunks");
    let list = json!({ "name": "list", "config": { "thread_id": "thread-1" } });
    assert_eq!(native.call(transcript::call(&list)).unwrap_err().code(), "missing-chunk");
    let history = json!({
        "name": "get_delta_channel_history",
        "config": { "thread_id": "thread-1" },
        "channels": ["messages"],
    });
    assert_eq!(native.call(transcript::call(&history)).unwrap_err().code(), "missing-chunk");
}

#[test]
fn every_changed_byte_of_a_chunk_is_an_error() {
    for (at, code) in [(1, "damaged-chunk"), (60, "damaged-chunk")] {
        let mut native = stored();
        let sql = format!(
            "UPDATE lg_chunks SET data = CAST(substr(data, 1, {at} - 1) || x'ff' || \
             substr(data, {at} + 1) AS BLOB)"
        );
        execute(&native, &sql);
        assert_eq!(get(&mut native).unwrap_err().code(), code);
    }
}

#[test]
fn every_changed_byte_of_a_checkpoints_envelope_is_an_error() {
    let length: i64 = stored()
        .connection()
        .query_row("SELECT length(envelope) FROM lg_checkpoints", [], |row| row.get(0))
        .unwrap();
    for at in 1..=length {
        let mut native = stored();
        let sql = format!(
            "UPDATE lg_records SET envelope = CAST(substr(envelope, 1, {at} - 1) || \
             CASE substr(envelope, {at}, 1) WHEN x'00' THEN x'01' ELSE x'00' END || \
             substr(envelope, {at} + 1) AS BLOB) WHERE task_id = ''"
        );
        execute(&native, &sql);
        let error = get(&mut native).unwrap_err();
        assert_eq!(error.code(), "damaged-envelope", "byte {at} of {length}");
    }
}

#[test]
fn changed_columns_beside_an_envelope_are_errors() {
    for sql in [
        "UPDATE lg_records SET parent_checkpoint_id = '' WHERE task_id = ''",
        "UPDATE lg_records SET created_at = 'now' WHERE task_id = ''",
        "UPDATE lg_records SET metadata = '{\"source\":\"fork\",\"step\":0}' WHERE task_id = ''",
        "UPDATE lg_records SET channel = 'other' WHERE task_id <> ''",
        "UPDATE lg_records SET task_path = 'other' WHERE task_id <> ''",
        "UPDATE lg_records SET idx = 7 WHERE task_id <> ''",
        "UPDATE lg_records SET envelope = x'' WHERE task_id <> ''",
        "UPDATE lg_records SET envelope = x'91' WHERE task_id = ''",
    ] {
        let mut native = stored();
        execute(&native, sql);
        assert_eq!(get(&mut native).unwrap_err().code(), "damaged-envelope", "{sql}");
    }
}

#[test]
fn columns_of_another_type_are_errors() {
    for sql in [
        "UPDATE lg_records SET envelope = 'text' WHERE task_id = ''",
        "UPDATE lg_records SET created_at = x'00' WHERE task_id = ''",
        "UPDATE lg_records SET envelope = 5 WHERE task_id <> ''",
        "UPDATE lg_chunks SET data = 'text'",
    ] {
        let mut native = stored();
        execute(&native, sql);
        assert_eq!(get(&mut native).unwrap_err().code(), "unexpected-column", "{sql}");
    }
}

#[test]
fn an_envelope_of_a_newer_format_is_refused() {
    for which in ["task_id = ''", "task_id <> ''"] {
        let mut native = stored();
        let sql = format!(
            "UPDATE lg_records SET envelope = CAST(substr(envelope, 1, 1) || x'02' || \
             substr(envelope, 3) AS BLOB) WHERE {which}"
        );
        execute(&native, &sql);
        let error = get(&mut native).unwrap_err();
        assert!(matches!(error, Error::UnsupportedFormat(_)), "{error:?}");
        assert_eq!(error.code(), "newer-format");
    }
}

#[test]
fn a_store_of_a_newer_format_is_refused_at_setup() {
    let mut native = stored();
    execute(&native, "UPDATE lg_format SET format = 2");
    let error = native.call(Call::Setup).unwrap_err();
    assert!(matches!(error, Error::UnsupportedFormat(_)), "{error:?}");
    assert!(error.to_string().contains("format 2"), "{error}");
}

#[test]
fn a_format_below_1_is_damage() {
    for format in ["0", "-1"] {
        let mut native = stored();
        execute(&native, &format!("UPDATE lg_format SET format = {format}"));
        let error = native.call(Call::Setup).unwrap_err();
        assert_eq!(error.code(), "damaged-format");
    }
}

#[test]
fn a_thread_deleted_between_two_rounds_is_no_damage() {
    use langgraph_checkpoint_guest::{Answer, Need, Progress};

    let mut native = stored();
    let (mut operation, progress) =
        Store::Sqlite.start(transcript::call(&get_tuple()), Moment::default()).unwrap();
    let Progress::Need(Need::Sql(batch)) = progress else { panic!("a get reads") };
    let sets = native.run(&batch);
    let mut progress = operation.advance(Answer::Sql(sets), Moment::default()).unwrap();
    let delete = json!({ "name": "delete_thread", "config": { "thread_id": "thread-1" } });
    native.call(transcript::call(&delete)).unwrap();
    loop {
        match progress {
            Progress::Done(outcome) => {
                assert_eq!(outcome, Outcome::Found(None));
                break;
            }
            Progress::Need(Need::Sql(batch)) => {
                let sets = native.run(&batch);
                progress = operation.advance(Answer::Sql(sets), Moment::default()).unwrap();
            }
            Progress::Need(other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_put_that_knows_a_deleted_thread_stores_everything_again() {
    let mut native = stored();
    let Ok(Outcome::Found(Some(found))) = get(&mut native) else { panic!("it is stored") };
    let tuple = found.tuple.resolve(&[]).unwrap();
    for recreate in [false, true] {
        let delete = json!({ "name": "delete_thread", "config": { "thread_id": "thread-1" } });
        native.call(transcript::call(&delete)).unwrap();
        if recreate {
            let writes = json!({
                "name": "put_writes",
                "config": { "thread_id": "thread-1", "checkpoint_id": "1" },
                "writes": [["a", 1]], "task_id": "t",
            });
            native.call(transcript::call(&writes)).unwrap();
        }
        let put = langgraph_checkpoint_guest::Put {
            config: langgraph_checkpoint_guest::Config {
                thread_id: "thread-1".into(),
                ..Default::default()
            },
            checkpoint: langgraph_checkpoint_guest::Checkpoint {
                id: "2".into(),
                v: 4.0,
                ts: String::new(),
                channel_versions: tuple.channel_versions.clone(),
                channel_values: tuple
                    .channel_values
                    .iter()
                    .map(|entry| langgraph_checkpoint_guest::ChannelValue {
                        channel: entry.channel.clone(),
                        value: entry.value.clone().into(),
                    })
                    .collect(),
                rest: tuple.rest.clone(),
            },
            metadata: tuple.metadata.clone(),
            new_versions: vec!["messages".to_owned(), "small".to_owned()],
            run_id: Id::Absent,
            known: Some(found.known.clone()),
        };
        native.call(Call::Put(put)).unwrap();
        let Ok(Outcome::Found(Some(again))) = get(&mut native) else { panic!("it is stored") };
        assert_eq!(again.tuple.resolve(&[]).unwrap().channel_values, tuple.channel_values);
    }
}

#[test]
fn the_key_of_a_deleted_thread_is_not_given_again() {
    let mut native = stored();
    let mut greatest = key(&native, "thread-1");
    for (deleted, made) in [("thread-1", "thread-2"), ("thread-2", "thread-1"), ("none", "x")] {
        let delete = json!({ "name": "delete_thread", "config": { "thread_id": deleted } });
        for _ in 0..2 {
            native.call(transcript::call(&delete)).unwrap();
        }
        let writes = json!({
            "name": "put_writes",
            "config": { "thread_id": made, "checkpoint_id": ID },
            "writes": [["a", 1]], "task_id": "t",
        });
        native.call(transcript::call(&writes)).unwrap();
        let made = key(&native, made);
        assert!(made > greatest, "{made} after {greatest}");
        greatest = made;
    }
}

fn key(native: &Native, thread_id: &str) -> i64 {
    let sql = "SELECT thread_key FROM lg_threads WHERE thread_id = ?1";
    native.connection().query_row(sql, [thread_id], |row| row.get(0)).unwrap()
}
