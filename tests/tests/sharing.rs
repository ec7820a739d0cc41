//! A checkpoint costs what changed: counted in rows and bytes, never in time.

use langgraph_checkpoint_guest::{
    Call, ChannelValue, ChannelVersion, Checkpoint, Config, GetTuple, Id, KeptElements, List,
    NewValue, NewWrite, Outcome, Payload, Put, PutWrites, Run, TupleValue, Version,
};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::native::Native;

fn message(at: usize) -> String {
    format!("{{\"content\":\"{}\",\"id\":\"message-{at}\"}}", format!("word {at} ").repeat(60))
}

fn list(messages: impl Iterator<Item = usize>) -> Payload {
    let messages: Vec<_> = messages.map(message).collect();
    Payload { kind: "json".to_owned(), bytes: format!("[{}]", messages.join(",")).into_bytes() }
}

/// The same messages as a MessagePack array.
fn packed(messages: impl Iterator<Item = usize>) -> Payload {
    let elements: Vec<_> = messages.map(packed_message).collect();
    let mut bytes = Vec::new();
    rmp::encode::write_array_len(&mut bytes, elements.len() as u32).unwrap();
    bytes.extend(elements.concat());
    Payload { kind: "msgpack".to_owned(), bytes }
}

fn packed_message(at: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    rmp::encode::write_str(&mut bytes, &message(at)).unwrap();
    bytes
}

/// A MessagePack map of as many files, in which each has its own version.
fn packed_files(versions: &[usize]) -> Payload {
    let mut bytes = Vec::new();
    rmp::encode::write_map_len(&mut bytes, versions.len() as u32).unwrap();
    for (at, version) in versions.iter().enumerate() {
        rmp::encode::write_str(&mut bytes, &format!("file-{at}")).unwrap();
        rmp::encode::write_str(&mut bytes, &message(1000 * at + version)).unwrap();
    }
    Payload { kind: "msgpack".to_owned(), bytes }
}

/// The bytes of the channel of the latest checkpoint.
fn latest(native: &mut Native) -> Vec<u8> {
    let config = Config { thread_id: "thread-1".into(), ..Config::default() };
    match native.call(Call::GetTuple(GetTuple { config, known: None })).unwrap() {
        Outcome::Found(Some(found)) => match &found.tuple.channel_values[0].value {
            TupleValue::Whole(payload) => payload.bytes.clone(),
            other => panic!("a value came as {other:?}"),
        },
        other => panic!("a get gave {other:?}"),
    }
}

fn put(
    native: &mut Native,
    number: usize,
    value: impl Into<NewValue>,
    known: Option<Vec<u8>>,
) -> Vec<u8> {
    let call = Put {
        config: Config { thread_id: "thread-1".into(), ..Config::default() },
        checkpoint: Checkpoint {
            id: format!("{number:08}").into(),
            v: 4.0,
            ts: String::new(),
            channel_versions: vec![ChannelVersion {
                channel: "messages".to_owned(),
                version: Version::Number(number as f64),
            }],
            channel_values: vec![ChannelValue {
                channel: "messages".to_owned(),
                value: value.into(),
            }],
            rest: Payload { kind: "json".to_owned(), bytes: b"{}".to_vec() },
        },
        metadata: Payload { kind: "json".to_owned(), bytes: b"{}".to_vec() },
        new_versions: vec!["messages".to_owned()],
        run_id: Id::Absent,
        known,
    };
    match native.call(Call::Put(call)).unwrap() {
        Outcome::Stored(stored) => stored.known,
        other => panic!("a put gave {other:?}"),
    }
}

/// Rows and bytes of the chunks.
fn chunks(native: &Native) -> (i64, i64) {
    let sql = "SELECT count(*), total(length(data)) FROM lg_chunks";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, f64>(1)? as i64));
    native.connection().query_row(sql, [], row).unwrap()
}

#[test]
fn an_append_to_a_long_list_stores_the_new_elements_and_a_few_nodes() {
    let mut native = Native::in_memory();
    put(&mut native, 1, list(0..2000), None);
    for step in 1..=20 {
        let before = chunks(&native);
        put(&mut native, step + 1, list(0..2000 + 2 * step), None);
        let after = chunks(&native);
        assert!(after.0 - before.0 <= 2 + 6, "{} rows for two elements", after.0 - before.0);
        let bytes = after.1 - before.1 - 2 * message(2000).len() as i64;
        assert!(bytes < 4096, "{bytes} bytes beside two elements");
    }
}

#[test]
fn what_is_cut_off_put_in_or_changed_in_a_long_list_stores_only_what_is_near() {
    let mut native = Native::in_memory();
    put(&mut native, 1, list(0..2000), None);
    let edits: [(&str, Payload); 4] = [
        ("the first elements are cut off", list(7..2000)),
        ("an element is put in", list((0..1000).chain([9999]).chain(1000..2000))),
        ("an element is changed", list((0..500).chain([8888]).chain(501..2000))),
        ("the last elements are cut off", list(0..1500)),
    ];
    for (number, (what, value)) in edits.into_iter().enumerate() {
        let before = chunks(&native);
        put(&mut native, number + 2, value, None);
        let after = chunks(&native);
        assert!(after.0 - before.0 < 40, "{what}: {} rows", after.0 - before.0);
    }
}

#[test]
fn storage_of_a_growing_chat_is_linear_in_its_steps() {
    let bytes_after = |steps: usize| {
        let mut native = Native::in_memory();
        let mut known = None;
        for step in 1..=steps {
            known = Some(put(&mut native, step, list(0..2 * step), known));
        }
        let pages = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let row = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
        native.connection().query_row(pages, [], row).unwrap() as f64
    };
    let (short, long) = (bytes_after(100), bytes_after(400));
    let exponent = (long / short).ln() / 4_f64.ln();
    assert!(exponent < 1.1, "bytes grow with the steps to the power of {exponent:.2}");
}

#[test]
fn a_write_and_the_checkpoint_it_ends_up_in_share_their_elements() {
    let mut native = Native::in_memory();
    put(&mut native, 1, list(0..100), None);
    native
        .call(Call::PutWrites(PutWrites {
            config: Config {
                thread_id: "thread-1".into(),
                checkpoint_id: "00000001".into(),
                ..Config::default()
            },
            writes: vec![NewWrite { channel: "messages".to_owned(), value: list(100..102) }],
            task_id: "task-1".into(),
            task_path: String::new(),
        }))
        .unwrap();
    let before = chunks(&native);
    put(&mut native, 2, list(0..102), None);
    let after = chunks(&native);
    assert!(after.1 - before.1 < 1024, "{} bytes of nodes", after.1 - before.1);
}

#[test]
fn a_put_that_knows_what_is_stored_sends_only_what_is_new_in_one_round() {
    let sent = |knows: bool| {
        let mut native = Native::in_memory();
        let known = put(&mut native, 1, list(0..2000), None);
        (native.rounds, native.bound_bytes) = (0, 0);
        put(&mut native, 2, list(0..2002), knows.then_some(known));
        assert_eq!(native.rounds, 1);
        native.bound_bytes
    };
    let two = 2 * message(2000).len();
    assert!(sent(true) < two + 4096, "two elements, a few nodes, the checkpoint");
    assert!(sent(false) > 1000 * two, "without knowledge every chunk is sent");
}

/// How many bytes an edit of a list of 2,000 messages sends, and in how many rounds.
fn edited(runs: Vec<Run>) -> (usize, usize) {
    let mut native = Native::in_memory();
    let known = put(&mut native, 1, list(0..2000), None);
    (native.rounds, native.bound_bytes) = (0, 0);
    put(&mut native, 2, NewValue::Edited(runs), Some(known));
    (native.rounds, native.bound_bytes)
}

#[test]
fn an_append_said_as_an_edit_needs_one_round_and_sends_only_what_is_new() {
    let fresh = format!("{},{}", message(2000), message(2001)).into_bytes();
    let new = fresh.len();
    let (rounds, bytes) =
        edited(vec![Run::Kept(KeptElements { first: 0, count: 2000 }), Run::Fresh(fresh)]);
    assert_eq!(rounds, 1);
    assert!(bytes < new + 4096, "{bytes} bytes for {new} new ones");
}

#[test]
fn an_edit_in_the_middle_reads_nodes_and_sends_only_what_is_new() {
    let fresh = message(5000).into_bytes();
    let new = fresh.len();
    let (rounds, bytes) = edited(vec![
        Run::Kept(KeptElements { first: 0, count: 1000 }),
        Run::Fresh(fresh),
        Run::Kept(KeptElements { first: 1001, count: 999 }),
    ]);
    assert!(rounds <= 5, "{rounds} rounds");
    // The hashes of the nodes to read, and the nodes on the way to the edit.
    assert!(bytes < new + 16 * 1024, "{bytes} bytes for {new} new ones");
}

#[test]
fn an_edit_that_leaves_little_of_a_list_stores_what_the_whole_value_does() {
    let list = |texts: &[String]| Payload {
        kind: "json".to_owned(),
        bytes: format!("[{}]", texts.join(",")).into_bytes(),
    };
    let rows = |native: &Native| {
        let sql = "SELECT checkpoint_id, envelope FROM lg_checkpoints ORDER BY checkpoint_id";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let mut rows = native.connection().prepare(sql).unwrap();
        rows.query_map([], row).unwrap().collect::<Result<Vec<(String, Vec<u8>)>, _>>().unwrap()
    };
    // Some of these lists have a node among their first elements, and most have none.
    for (kind, count) in (0..60).flat_map(|kind| [4, 8, 12, 16].map(|count| (kind, count))) {
        let mut texts: Vec<_> = (0..20).map(|at| format!("\"{kind}-{at}\"")).collect();
        texts.push(message(0));
        let fresh = ["\"new\"".to_owned(), "7".to_owned()];
        let whole = [&texts[..count], &fresh].concat();
        let runs = vec![
            Run::Kept(KeptElements { first: 0, count: count as u32 }),
            Run::Fresh(fresh.join(",").into_bytes()),
        ];
        let [mut edited, mut put_whole] = [Native::in_memory(), Native::in_memory()];
        let known = put(&mut edited, 1, list(&texts), None);
        put(&mut edited, 2, NewValue::Edited(runs), Some(known));
        let known = put(&mut put_whole, 1, list(&texts), None);
        put(&mut put_whole, 2, list(&whole), Some(known));
        assert_eq!(rows(&edited), rows(&put_whole), "{count} of list {kind}");
    }
}

#[test]
fn a_messagepack_list_grows_by_what_is_new_whole_or_as_an_edit() {
    for as_edit in [false, true] {
        let mut native = Native::in_memory();
        let mut known = put(&mut native, 1, packed(0..2000), None);
        for step in 1..=20 {
            let (count, before) = (2000 + 2 * step, chunks(&native));
            let whole = packed(0..count);
            let fresh: Vec<_> = (count - 2..count).flat_map(packed_message).collect();
            let runs = vec![
                Run::Kept(KeptElements { first: 0, count: count as u32 - 2 }),
                Run::Fresh(fresh.clone()),
            ];
            let value = if as_edit { NewValue::Edited(runs) } else { whole.clone().into() };
            known = put(&mut native, step + 1, value, Some(known));
            let after = chunks(&native);
            assert!(after.0 - before.0 <= 2 + 6, "{} rows for two elements", after.0 - before.0);
            let bytes = after.1 - before.1 - fresh.len() as i64;
            assert!(bytes < 4096, "{bytes} bytes beside two elements");
            assert_eq!(latest(&mut native), whole.bytes, "{count} elements");
        }
    }
}

#[test]
fn a_messagepack_map_stores_the_entry_that_changed() {
    let mut native = Native::in_memory();
    let mut versions = vec![0; 400];
    put(&mut native, 1, packed_files(&versions), None);
    for changed in [0, 17, 399] {
        versions[changed] += 1;
        let before = chunks(&native);
        put(&mut native, changed + 2, packed_files(&versions), None);
        let after = chunks(&native);
        assert!(after.0 - before.0 <= 6, "{} rows for one entry", after.0 - before.0);
        assert_eq!(latest(&mut native), packed_files(&versions).bytes);
    }
}

#[test]
fn a_messagepack_list_with_a_longer_header_than_it_needs_comes_back_unchanged() {
    let mut native = Native::in_memory();
    let mut bytes = vec![0xdd, 0, 0, 0, 40];
    bytes.extend((0..40).flat_map(packed_message));
    put(&mut native, 1, Payload { kind: "msgpack".to_owned(), bytes: bytes.clone() }, None);
    assert_eq!(latest(&mut native), bytes);
}

#[test]
fn a_page_of_lists_that_share_nodes_in_two_serializations_has_each_as_it_was() {
    // A digit is the same byte in JSON text and, as the number 48 to 57, in MessagePack.
    let digits: Vec<u8> = (0..2000_u32).map(|at| b'0' + (at * at / 7 % 10) as u8).collect();
    let texts: Vec<_> = digits.iter().map(|digit| char::from(*digit).to_string()).collect();
    let json = format!("[{}]", texts.join(",")).into_bytes();
    let mut packed = Vec::new();
    rmp::encode::write_array_len(&mut packed, digits.len() as u32).unwrap();
    packed.extend(&digits);
    let mut native = Native::in_memory();
    let values = [("json", json), ("msgpack", packed)];
    for (number, (kind, bytes)) in values.iter().enumerate() {
        let payload = Payload { kind: (*kind).to_owned(), bytes: bytes.clone() };
        put(&mut native, number + 1, payload, None);
    }
    let config = Config { thread_id: "thread-1".into(), ..Config::default() };
    let list = List { config, ..List::default() };
    let Outcome::Page(page) = native.call(Call::List(list)).unwrap() else { panic!("no page") };
    for (tuple, (kind, bytes)) in page.tuples.iter().zip(values.iter().rev()) {
        let TupleValue::Shared(value) = &tuple.channel_values[0].value else {
            panic!("not shared")
        };
        let spans = value.spans.iter();
        let joined: Vec<u8> = spans
            .flat_map(|span| &page.shared[span.begin as usize..span.end as usize])
            .copied()
            .collect();
        assert!(joined == *bytes, "the list as {kind}");
    }
}

#[test]
fn no_chunk_is_larger_than_sixteen_kilobytes() {
    let mut native = Native::in_memory();
    let text = |length: usize| (0..length).map(|at| char::from(b'a' + (at * at % 23) as u8));
    let large = format!("{{\"a\":[\"{}\"],\"b\":\"c\"}}", text(3_000_000).collect::<String>());
    put(&mut native, 1, Payload { kind: "json".to_owned(), bytes: large.into_bytes() }, None);
    let bytes = text(2_000_000).collect::<String>().into_bytes();
    put(&mut native, 2, Payload { kind: "bytes".to_owned(), bytes }, None);
    let numbers: Vec<_> = (0..100_000).map(|at| at.to_string()).collect();
    let numbers = format!("[{}]", numbers.join(",")).into_bytes();
    put(&mut native, 3, Payload { kind: "json".to_owned(), bytes: numbers }, None);
    let row = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
    for sql in [
        "SELECT max(length(data)) FROM lg_chunks",
        "SELECT max(length(envelope)) FROM lg_checkpoints",
    ] {
        let longest = native.connection().query_row(sql, [], row).unwrap();
        assert!(longest <= 16 * 1024, "{sql}: {longest}");
    }
}
