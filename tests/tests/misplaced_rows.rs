//! A damaged index: it returns whole, undamaged rows in the place of others.

use langgraph_checkpoint_guest::{
    Answer, Error, Moment, Need, Outcome, Progress, RowSet, Store, Value as SqlValue,
};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::native::Native;
use langgraph_checkpoint_tests::transcript;
use serde_json::{Value, json};

fn id(step: usize) -> String {
    format!("1ef4f797-8335-6428-8001-{step:012}")
}

/// Two threads of three checkpoints, each with the writes of two tasks.
fn store(v: u64) -> Native {
    let mut native = Native::in_memory();
    for thread in ["one", "two"] {
        for step in 1..4 {
            let parent = (step > 1).then(|| id(step - 1));
            let values = if step == 1 { json!({ "a": [1] }) } else { json!({}) };
            let put = json!({
                "name": "put",
                "config": { "thread_id": thread, "checkpoint_id": parent },
                "checkpoint": {
                    "id": id(step), "v": v, "ts": "", "versions_seen": {},
                    "channel_values": values, "channel_versions": { "a": step },
                },
                "metadata": {}, "new_versions": ["a"],
            });
            native.call(transcript::call(&put)).unwrap();
            for task in ["t1", "t2"] {
                let writes = json!({
                    "name": "put_writes",
                    "config": { "thread_id": thread, "checkpoint_id": id(step) },
                    "writes": [["a", [step]], ["__pregel_tasks", task]], "task_id": task,
                });
                native.call(transcript::call(&writes)).unwrap();
            }
        }
    }
    native
}

/// The outcome of a call if the answer in this round is changed; `None` if there is no such round.
fn outcome(
    native: &mut Native,
    call: &Value,
    round: usize,
    change: &mut dyn FnMut(&mut RowSet),
) -> Option<Result<Outcome, Error>> {
    let (mut operation, mut progress) =
        Store::Sqlite.start(transcript::call(call), Moment::default()).unwrap();
    for at in 0.. {
        let Progress::Need(Need::Sql(batch)) = progress else { return None };
        let mut sets = native.run(&batch);
        if at == round {
            change(&mut sets[0]);
        }
        progress = match operation.advance(Answer::Sql(sets), Moment::default()) {
            Ok(Progress::Done(outcome)) => return (at >= round).then_some(Ok(outcome)),
            Ok(progress) => progress,
            Err(error) => return Some(Err(error)),
        };
    }
    None
}

/// The rows that a call gets in a round.
fn rows(native: &mut Native, call: &Value, round: usize) -> Vec<Vec<SqlValue>> {
    let mut given = Vec::new();
    outcome(native, call, round, &mut |set| given = set.rows.clone());
    given
}

#[test]
fn no_row_of_another_key_and_none_that_comes_twice_is_taken_for_an_answer() {
    let get = |thread: &str, step: usize| {
        let config = json!({ "thread_id": thread, "checkpoint_id": id(step) });
        json!({ "name": "get_tuple", "config": config })
    };
    let list = |thread: &str| json!({ "name": "list", "config": { "thread_id": thread } });
    let history = |thread: &str, step: usize| {
        let config = json!({ "thread_id": thread, "checkpoint_id": id(step) });
        json!({ "name": "get_delta_channel_history", "config": config, "channels": ["a"] })
    };
    // For old checkpoints, the second round reads the sends of their parents.
    for (v, round, call, other) in [
        (4, 0, get("one", 2), get("one", 1)),
        (4, 0, get("one", 2), get("two", 2)),
        (4, 0, list("one"), list("two")),
        (3, 1, get("one", 3), get("one", 2)),
        (3, 1, list("one"), list("two")),
        (4, 0, history("one", 3), history("one", 2)),
    ] {
        let mut native = store(v);
        let foreign = rows(&mut native, &other, round);
        let own = rows(&mut native, &call, round);
        assert!(own.len() > 1 && foreign.len() > 1, "{call}");
        let whole = outcome(&mut native, &call, round, &mut |_| ()).unwrap();
        assert!(whole.is_ok());
        let mut refused = 0;
        for (at, row) in own.iter().chain(&foreign).enumerate() {
            let result = outcome(&mut native, &call, round, &mut |set| {
                set.rows.push(row.clone());
                set.rows.sort_by_key(|row| format!("{:?}", row.first()));
            });
            match result {
                Some(Err(Error::Corrupt(fault))) => {
                    refused += 1;
                    let codes = ["misplaced-row", "unexpected-column", "damaged-row"];
                    assert!(codes.contains(&fault.code.as_str()), "{fault:?}");
                }
                // The same ancestor twice changes nothing in a history.
                result => assert_eq!(result.as_ref(), Some(&whole), "row {at} of {call}, v {v}"),
            }
        }
        assert!(refused > 3, "{refused} of {call}");
    }
}

#[test]
fn a_list_whose_order_is_broken_is_refused() {
    let mut native = store(4);
    let call = json!({ "name": "list", "config": { "thread_id": "one" } });
    let result = outcome(&mut native, &call, 0, &mut |set| set.rows.reverse());
    let Some(Err(Error::Corrupt(fault))) = result else { panic!("{result:?}") };
    assert_eq!(fault.code, "misplaced-row");
}
