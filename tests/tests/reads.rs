//! Conditions that save SQLite work must not change results.

use langgraph_checkpoint_guest::{
    Call, Checkpoint, Config, DeltaChannelHistory, Id, List, MetadataFilter, NewWrite, Outcome,
    Payload, Put, PutWrites,
};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::native::Native;

fn json(text: &str) -> Payload {
    Payload { kind: "json".to_owned(), bytes: text.as_bytes().to_vec() }
}

fn config(id: Option<&str>) -> Config {
    let checkpoint_id = id.map(Into::into).unwrap_or_default();
    Config { thread_id: "thread-1".into(), checkpoint_id, ..Config::default() }
}

fn put(native: &mut Native, id: &str, parent: Option<&str>, metadata: &str) {
    let call = Put {
        config: config(parent),
        checkpoint: Checkpoint {
            id: id.into(),
            v: 4.0,
            ts: String::new(),
            channel_versions: Vec::new(),
            channel_values: Vec::new(),
            rest: json("{}"),
        },
        metadata: json(metadata),
        new_versions: Vec::new(),
        run_id: Id::Absent,
        known: None,
    };
    native.call(Call::Put(call)).unwrap();
}

fn found(native: &mut Native, config: Config, filter: &str) -> Vec<String> {
    let filter = vec![MetadataFilter { key: "user".to_owned(), json: filter.to_owned() }];
    match native.call(Call::List(List { config, filter, ..List::default() })).unwrap() {
        Outcome::Page(page) => page.tuples.into_iter().map(|tuple| tuple.checkpoint_id).collect(),
        other => panic!("a list gave {other:?}"),
    }
}

#[test]
fn a_filter_finds_text_however_it_is_escaped() {
    let mut native = Native::in_memory();
    put(&mut native, "1", None, r#"{"user":"alice"}"#);
    put(&mut native, "2", None, r#"{"user":"\u0061lice"}"#);
    put(&mut native, "3", None, r#"{"us\u0065r":"alice"}"#);
    put(&mut native, "4", None, r#"{"name":"alice","user":"bob"}"#);
    put(&mut native, "5", None, r#"{ "user" : "alice" }"#);
    for config in [config(None), Config::default()] {
        for filter in [r#""alice""#, r#""\u0061lice""#] {
            assert_eq!(found(&mut native, config.clone(), filter), ["5", "3", "2", "1"]);
        }
    }
}

#[test]
fn a_list_with_a_limit_beyond_any_count_goes_on_to_its_end() {
    let mut native = Native::in_memory();
    for id in 10..90 {
        put(&mut native, &id.to_string(), None, "{}");
    }
    for limit in [f64::INFINITY, f64::MAX, 1e19] {
        let (mut ids, mut resume) = (Vec::new(), None);
        loop {
            let list = List { config: config(None), limit: Some(limit), ..List::default() };
            let list = List { resume, ..list };
            let Outcome::Page(page) = native.call(Call::List(list)).unwrap() else { panic!() };
            ids.extend(page.tuples.into_iter().map(|tuple| tuple.checkpoint_id));
            resume = page.next;
            if resume.is_none() {
                break;
            }
        }
        let all: Vec<_> = (10..90).rev().map(|id| id.to_string()).collect();
        assert_eq!(ids, all, "{limit}");
    }
}

#[test]
fn a_filter_finds_zero_whatever_its_sign() {
    let mut native = Native::in_memory();
    let negative = r#"{"lc":2,"type":"number","value":"-0"}"#;
    let zeros = ["0", "-0", "0.0", "-0.0", "0e0", negative];
    for (id, zero) in zeros.iter().enumerate() {
        put(&mut native, &id.to_string(), None, &format!(r#"{{"user":{zero}}}"#));
    }
    put(&mut native, "9", None, r#"{"user":"0"}"#);
    for filter in zeros {
        assert_eq!(found(&mut native, config(None), filter), ["5", "4", "3", "2", "1", "0"]);
    }
}

#[test]
fn a_walk_into_a_long_circle_of_parents_passes_each_ancestor_once() {
    for (lead, circle) in [(0, 1), (0, 7), (1, 1), (3, 5), (9, 4), (6, 40)] {
        let mut native = Native::in_memory();
        let count = lead + circle;
        let id = |at: usize| format!("{:03}", 900 - at);
        for at in 0..count {
            let parent = id(if at + 1 == count { lead } else { at + 1 });
            put(&mut native, &id(at), Some(&parent), "{}");
            let value = json(&at.to_string());
            let call = PutWrites {
                config: config(Some(&id(at))),
                writes: vec![NewWrite { channel: "messages".to_owned(), value }],
                task_id: "task".into(),
                task_path: String::new(),
            };
            native.call(Call::PutWrites(call)).unwrap();
        }
        put(&mut native, "999", Some(&id(0)), "{}");
        let channels = vec!["messages".to_owned()];
        let call = DeltaChannelHistory { config: config(None), channels, known: Vec::new() };
        let outcome = native.call(Call::DeltaChannelHistory(call)).unwrap();
        let Outcome::History(histories) = outcome else { panic!("{outcome:?}") };
        let passed = histories[0].writes.iter().map(|write| write.value.bytes.clone());
        let expected = (0..count).rev().map(|at| at.to_string().into_bytes());
        assert!(passed.eq(expected), "a circle of {circle} after {lead}");
    }
}
