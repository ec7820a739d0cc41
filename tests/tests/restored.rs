//! A database that is restored to an earlier state under an open checkpointer: the checkpointer's
//! knowledge of later states is out of date.

use langgraph_checkpoint_guest::{
    Call, ChannelValue, ChannelVersion, Checkpoint, Config, GetTuple, Id, KeptElements, NewValue,
    Outcome, Payload, Put, Run, TupleValue, Version,
};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::native::Native;

const TABLES: [&str; 4] = ["lg_threads", "lg_deleted", "lg_records", "lg_chunks"];

/// An element that is a chunk.
fn element(at: usize) -> String {
    format!("\"{}\"", format!("element {at} ").repeat(40))
}

fn list(count: usize) -> Payload {
    let elements: Vec<_> = (0..count).map(element).collect();
    Payload { kind: "json".to_owned(), bytes: format!("[{}]", elements.join(",")).into_bytes() }
}

fn config() -> Config {
    Config { thread_id: "thread-1".into(), ..Config::default() }
}

fn put(native: &mut Native, id: usize, value: NewValue, known: Option<Vec<u8>>) -> Outcome {
    let call = Put {
        config: config(),
        checkpoint: Checkpoint {
            id: format!("{id:06}").into(),
            v: 4.0,
            ts: String::new(),
            channel_versions: vec![ChannelVersion {
                channel: "list".to_owned(),
                version: Version::Number(id as f64),
            }],
            channel_values: vec![ChannelValue { channel: "list".to_owned(), value }],
            rest: Payload { kind: "json".to_owned(), bytes: b"{}".to_vec() },
        },
        metadata: Payload { kind: "json".to_owned(), bytes: b"{}".to_vec() },
        new_versions: vec!["list".to_owned()],
        run_id: Id::Absent,
        known,
    };
    native.call(Call::Put(call)).unwrap()
}

fn known(outcome: Outcome) -> Vec<u8> {
    match outcome {
        Outcome::Stored(stored) => stored.known,
        other => panic!("a put gave {other:?}"),
    }
}

/// The latest value, read without anything known.
fn latest(native: &mut Native) -> Payload {
    match native.call(Call::GetTuple(GetTuple { config: config(), known: None })).unwrap() {
        Outcome::Found(Some(found)) => {
            let value = found.tuple.channel_values.into_iter().next().unwrap();
            match value.value {
                TupleValue::Whole(payload) => payload,
                other => panic!("a getTuple gave {other:?}"),
            }
        }
        other => panic!("a getTuple gave {other:?}"),
    }
}

fn run(native: &Native, statement: &str) {
    native.connection().execute_batch(statement).unwrap();
}

/// A database that was backed up after checkpoint 1 and restored after checkpoint 2, and the known
/// bytes of checkpoint 2.
fn put_back() -> (Native, Vec<u8>) {
    let mut native = Native::in_memory();
    let first = known(put(&mut native, 1, list(3).into(), None));
    for table in TABLES {
        run(&native, &format!("CREATE TEMP TABLE kept_{table} AS SELECT * FROM {table}"));
    }
    let second = known(put(&mut native, 2, list(6).into(), Some(first)));
    for table in TABLES {
        let back = format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}");
        run(&native, &back);
    }
    (native, second)
}

#[test]
fn a_put_of_whole_values_is_stored_with_all_that_was_put_back() {
    let (mut native, second) = put_back();
    known(put(&mut native, 3, list(7).into(), Some(second)));
    assert_eq!(latest(&mut native), list(7));
}

#[test]
fn an_edit_ends_stale_and_stores_no_checkpoint() {
    let (mut native, second) = put_back();
    let runs =
        vec![Run::Kept(KeptElements { first: 0, count: 6 }), Run::Fresh(element(6).into_bytes())];
    let left = match put(&mut native, 3, NewValue::Edited(runs), Some(second)) {
        Outcome::Stale(left) => left,
        other => panic!("an edit gave {other:?}"),
    };
    assert_eq!(latest(&mut native), list(3));
    known(put(&mut native, 3, list(7).into(), Some(left)));
    assert_eq!(latest(&mut native), list(7));
}
