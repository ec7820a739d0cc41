//! A page of a list ends early if it has many bytes, so that states that can be read can also be
//! listed.

use langgraph_checkpoint_guest::{
    Call, ChannelValue, ChannelVersion, Checkpoint, CheckpointTuple, Config, Id, List, NewWrite,
    Outcome, Payload, Put, PutWrites, TupleValue, Version,
};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::native::Native;

const MIB: usize = 1 << 20;

/// The most bytes of a page, unless it has only one tuple.
const PAGE_BYTES_MAX: usize = 8 * MIB;

fn config() -> Config {
    Config { thread_id: "thread-1".into(), ..Config::default() }
}

fn json(text: String) -> Payload {
    Payload { kind: "json".to_owned(), bytes: text.into_bytes() }
}

/// A text that shares nothing with that of another seed.
fn text(seed: usize, bytes: usize) -> String {
    let mut state = seed as u64 + 1;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        char::from(b'a' + ((state >> 33) % 26) as u8)
    };
    (0..bytes).map(|_| letter()).collect()
}

/// One element: a text, cut by its content.
fn image(seed: usize, bytes: usize) -> Payload {
    json(format!("\"{}\"", text(seed, bytes)))
}

/// A list whose spine is a chunk.
fn messages(numbers: impl Iterator<Item = usize>) -> Payload {
    let messages: Vec<_> = numbers.map(|number| format!("\"{}\"", text(number, 1000))).collect();
    json(format!("[{}]", messages.join(",")))
}

fn put(native: &mut Native, number: usize, value: Payload) {
    let channel = "channel".to_owned();
    let call = Put {
        config: config(),
        checkpoint: Checkpoint {
            id: format!("{number:08}").into(),
            v: 4.0,
            ts: String::new(),
            channel_versions: vec![ChannelVersion {
                channel: channel.clone(),
                version: Version::Number(number as f64),
            }],
            channel_values: vec![ChannelValue { channel: channel.clone(), value: value.into() }],
            rest: json("{}".to_owned()),
        },
        metadata: json("{}".to_owned()),
        new_versions: vec![channel],
        run_id: Id::Absent,
        known: None,
    };
    assert!(matches!(native.call(Call::Put(call)), Ok(Outcome::Stored(_))));
}

/// Returns how many tuples each page has. Checks that they are the newest ones, each once, in
/// order.
fn pages(native: &mut Native, count: usize, limit: Option<usize>) -> Vec<usize> {
    let mut list =
        List { config: config(), limit: limit.map(|limit| limit as f64), ..List::default() };
    let (mut pages, mut ids) = (Vec::new(), Vec::new());
    loop {
        let Ok(Outcome::Page(page)) = native.call(Call::List(list.clone())) else {
            panic!("a list gave no page");
        };
        let bytes = page.shared.len() + page.tuples.iter().map(own_bytes).sum::<usize>();
        assert!(page.tuples.len() == 1 || bytes <= PAGE_BYTES_MAX, "{bytes}");
        pages.push(page.tuples.len());
        ids.extend(page.tuples.into_iter().map(|tuple| tuple.checkpoint_id));
        let Some(next) = page.next else { break };
        list.resume = Some(next);
    }
    let wanted = (0..count).rev().take(limit.unwrap_or(count));
    assert_eq!(ids, wanted.map(|number| format!("{number:08}")).collect::<Vec<_>>());
    pages
}

fn own_bytes(tuple: &CheckpointTuple<TupleValue>) -> usize {
    tuple.pending_writes.iter().map(|write| write.value.bytes.len()).sum()
}

#[test]
fn a_page_of_large_states_ends_early_and_the_next_goes_on() {
    let mut native = Native::in_memory();
    for number in 0..5 {
        put(&mut native, number, image(number, 3 * MIB));
    }
    assert_eq!(pages(&mut native, 5, None), [2, 2, 1]);
    assert_eq!(pages(&mut native, 5, Some(4)), [2, 2]);
    assert_eq!(pages(&mut native, 5, Some(3)), [2, 1]);
    assert_eq!(pages(&mut native, 5, Some(1)), [1]);
}

#[test]
fn a_state_larger_than_a_page_is_one_of_its_own() {
    let mut native = Native::in_memory();
    put(&mut native, 0, image(0, 100));
    put(&mut native, 1, image(1, 9 * MIB));
    put(&mut native, 2, image(2, 100));
    assert_eq!(pages(&mut native, 3, None), [1, 1, 1]);
}

#[test]
fn what_states_have_in_common_counts_once() {
    let mut native = Native::in_memory();
    for number in 0..6 {
        put(&mut native, number, messages(0..3_000 + number));
    }
    assert_eq!(pages(&mut native, 6, None), [6]);
}

#[test]
fn what_is_below_a_long_spine_counts() {
    let mut native = Native::in_memory();
    for number in 0..4 {
        put(&mut native, number, messages(number * 10_000..number * 10_000 + 3_000));
    }
    assert_eq!(pages(&mut native, 4, None), [2, 2]);
}

#[test]
fn pending_writes_count() {
    let mut native = Native::in_memory();
    for number in 0..3 {
        put(&mut native, number, image(number, 100));
        let value = image(10 + number, 5 * MIB);
        let writes = vec![NewWrite { channel: "channel".to_owned(), value }];
        let call = PutWrites {
            config: Config { checkpoint_id: format!("{number:08}").as_str().into(), ..config() },
            task_id: "task".into(),
            task_path: String::new(),
            writes,
        };
        native.call(Call::PutWrites(call)).unwrap();
    }
    assert_eq!(pages(&mut native, 3, None), [1, 1, 1]);
}
