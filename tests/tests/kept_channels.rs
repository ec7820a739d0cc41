//! Which values a put stores: a channel that is not named as new is left out only if it cannot have
//! been stored before.

use langgraph_checkpoint_guest::{
    Call, ChannelValue, ChannelVersion, Checkpoint, Config, GetTuple, Id, Moment, Need, NewValue,
    Outcome, Payload, Progress, Put, Store, Value, Version,
};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::native::Native;
use rusqlite::StatementStatus;

const CHANNELS: [&str; 2] = ["x", "y"];

/// A put of both channels, each with a version.
fn put(id: usize, parent: Option<usize>, new: &[&str], known: Option<Vec<u8>>) -> Put {
    let value = |channel: &&str| ChannelValue {
        channel: (*channel).to_owned(),
        value: json(&id.to_string()).into(),
    };
    let version = |channel: &&str| ChannelVersion {
        channel: (*channel).to_owned(),
        version: Version::Number(1.0),
    };
    Put {
        config: config(parent),
        checkpoint: Checkpoint {
            id: name(id).into(),
            v: 4.0,
            ts: String::new(),
            channel_versions: CHANNELS.iter().map(version).collect(),
            channel_values: CHANNELS.iter().map(value).collect(),
            rest: json("{}"),
        },
        metadata: json("{}"),
        new_versions: new.iter().map(|channel| (*channel).to_owned()).collect(),
        run_id: Id::Absent,
        known,
    }
}

fn json(text: &str) -> Payload {
    Payload { kind: "json".to_owned(), bytes: text.as_bytes().to_vec() }
}

fn name(id: usize) -> String {
    format!("{id:06}")
}

fn config(id: Option<usize>) -> Config {
    let checkpoint_id = id.map(|id| name(id).into()).unwrap_or_default();
    Config { thread_id: "thread-1".into(), checkpoint_id, ..Config::default() }
}

fn store(native: &mut Native, put: Put) -> Vec<u8> {
    match native.call(Call::Put(put)).unwrap() {
        Outcome::Stored(stored) => stored.known,
        other => panic!("a put gave {other:?}"),
    }
}

/// The channels of the latest checkpoint.
fn channels(native: &mut Native) -> Vec<String> {
    let call = GetTuple { config: config(None), known: None };
    match native.call(Call::GetTuple(call)).unwrap() {
        Outcome::Found(Some(found)) => {
            found.tuple.channel_values.into_iter().map(|entry| entry.channel).collect()
        }
        other => panic!("a getTuple gave {other:?}"),
    }
}

#[test]
fn a_put_to_a_thread_that_was_deleted_meanwhile_stores_every_channel() {
    for (parent, carries) in [(None, true), (Some(1), true), (Some(1), false)] {
        let mut native = Native::in_memory();
        let known = store(&mut native, put(1, None, &CHANNELS, None));
        native.call(Call::DeleteThread(config(None))).unwrap();
        store(&mut native, put(2, parent, &["y"], carries.then_some(known)));
        assert_eq!(channels(&mut native), CHANNELS, "{parent:?}, {carries}");
    }
}

/// The same values, as edits of the known ones.
fn edited(mut put: Put) -> Put {
    for entry in &mut put.checkpoint.channel_values {
        entry.value = NewValue::Unchanged;
    }
    put
}

#[test]
fn an_edit_that_ends_stale_leaves_what_its_repetition_needs_to_store_every_channel() {
    let mut native = Native::in_memory();
    let known = store(&mut native, put(1, None, &CHANNELS, None));
    native.call(Call::DeleteThread(config(None))).unwrap();
    let left = match native.call(Call::Put(edited(put(2, None, &["y"], Some(known))))).unwrap() {
        Outcome::Stale(left) => left,
        other => panic!("the edit gave {other:?}"),
    };
    store(&mut native, put(2, None, &["y"], Some(left)));
    assert_eq!(channels(&mut native), CHANNELS);
}

#[test]
fn a_put_with_a_parent_stores_every_value_in_one_round() {
    let mut native = Native::in_memory();
    native.rounds = 0;
    store(&mut native, put(2, Some(1), &[], None));
    assert_eq!(native.rounds, 1);
    assert_eq!(channels(&mut native), CHANNELS);
}

#[test]
fn a_copy_of_a_checkpoint_without_a_parent_has_its_values() {
    for between in [0, 1, 40] {
        let mut native = Native::in_memory();
        store(&mut native, put(1, None, &CHANNELS, None));
        for id in 2..2 + between {
            let mut later = put(id, Some(id - 1), &[], None);
            later.checkpoint.channel_values.clear();
            store(&mut native, later);
        }
        store(&mut native, put(900, None, &[], None));
        assert_eq!(channels(&mut native), CHANNELS, "{between}");
    }
}

/// How many steps of SQLite's virtual machine the query for the channels takes.
fn steps(native: &Native) -> i32 {
    let (_, progress) =
        Store::Sqlite.start(Call::Put(put(900_000, None, &[], None)), Moment::default()).unwrap();
    let Progress::Need(Need::Sql(batch)) = progress else { panic!("it asks") };
    let [statement] = batch.statements.as_slice() else { panic!("it asks once") };
    let [parameters] = statement.parameters.as_slice() else { panic!("it asks once") };
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        other => panic!("{other:?} is bound"),
    };
    let mut prepared = native.connection().prepare(&statement.text).unwrap();
    let mut rows = prepared.query(rusqlite::params_from_iter(parameters.iter().map(text))).unwrap();
    while rows.next().unwrap().is_some() {}
    drop(rows);
    prepared.get_status(StatementStatus::VmStep)
}

#[test]
fn the_question_for_a_channel_costs_the_same_in_a_thread_of_any_length() {
    let mut native = Native::in_memory();
    let mut counted = Vec::new();
    for id in 0..2_000 {
        if [20, 200, 1_999].contains(&id) {
            counted.push(steps(&native));
        }
        let mut next = put(id, None, &[], None);
        next.checkpoint.channel_values.clear();
        store(&mut native, next);
    }
    assert!(counted[0] > 0);
    assert!(counted.iter().all(|steps| *steps == counted[0]), "{counted:?}");
}
