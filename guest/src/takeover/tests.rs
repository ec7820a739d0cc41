use super::*;
use crate::contract::call::{NewValue, Payload, Put, Version};
use crate::contract::statement::Value;

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn blob(bytes: &[u8]) -> Value {
    Value::Blob(bytes.to_vec())
}

fn stock(kind: &str, checkpoint: &[u8]) -> StockRows {
    let row = vec![text("1e"), text(kind), blob(checkpoint), blob(br#"{"step": 1}"#)];
    StockRows {
        thread_id: "t".to_owned(),
        checkpoint_ns: "child:1".to_owned(),
        checkpoint_id: "1f".to_owned(),
        checkpoint: RowSet { rows: vec![row] },
        ..StockRows::default()
    }
}

/// The put of a checkpoint.
fn put(kind: &str, checkpoint: &[u8]) -> Put {
    takeover(&stock(kind, checkpoint)).unwrap().put.unwrap()
}

fn code(kind: &str, checkpoint: &[u8]) -> String {
    takeover(&stock(kind, checkpoint)).unwrap_err().code().to_owned()
}

/// The channels, each with its type and bytes.
fn values(put: &Put) -> Vec<(&str, &str, &[u8])> {
    let values = put.checkpoint.channel_values.iter();
    values
        .map(|entry| match &entry.value {
            NewValue::Whole(Payload { kind, bytes }) => (&*entry.channel, &**kind, &**bytes),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn versions(put: &Put) -> Vec<(&str, Version)> {
    let versions = put.checkpoint.channel_versions.iter();
    versions.map(|entry| (&*entry.channel, entry.version.clone())).collect()
}

const JSON: &str = concat!(
    r#"{"v":4,"ts":"2026-01-01T00:00:00.000Z","id":"other","#,
    r#""channel_values":{"a":[1, {"b":"}"}],"b\"\u00e9":{"lc":2,"type":"undefined"}},"#,
    r#""channel_versions":{"a":3,"b\"\u00e9":"00.5"},"versions_seen":{"n":{"a":2}},"more":[]}"#,
);

#[test]
fn each_value_is_a_slice_of_the_stored_json() {
    let put = put("json", JSON.as_bytes());
    let expected: [(&str, &str, &[u8]); 2] = [
        ("a", "json", br#"[1, {"b":"}"}]"#),
        ("b\"\u{e9}", "json", br#"{"lc":2,"type":"undefined"}"#),
    ];
    assert_eq!(values(&put), expected);
    let (three, half) = (Version::Number(3.0), Version::Text("00.5".to_owned()));
    assert_eq!(versions(&put), [("a", three), ("b\"\u{e9}", half)]);
    assert_eq!(put.checkpoint.rest.bytes, br#"{"versions_seen":{"n":{"a":2}},"more":[]}"#);
    assert_eq!(put.checkpoint.ts, "2026-01-01T00:00:00.000Z");
    assert_eq!(put.metadata.bytes, br#"{"step": 1}"#);
    assert_eq!(put.new_versions, ["a", "b\"\u{e9}"]);
}

#[test]
fn the_columns_say_which_checkpoint_it_is() {
    let put = put("json", JSON.as_bytes());
    assert_eq!(put.checkpoint.id, "1f".into());
    assert_eq!(put.config.checkpoint_id, "1e".into());
    assert_eq!(put.config.checkpoint_ns, "child:1".into());
}

#[test]
fn json_with_white_space_between_its_parts_is_read_too() {
    let spaced = JSON.replace("\":", "\": ").replace(",\"", ", \"");
    let put = put("json", spaced.as_bytes());
    assert_eq!(values(&put).len(), 2);
    assert_eq!(put.checkpoint.v, 4.0);
    assert_eq!(put.checkpoint.rest.bytes, br#"{"versions_seen":{"n": {"a": 2}},"more":[]}"#);
}

fn msgpack(value: &serde_json::Value) -> Vec<u8> {
    rmp_serde::to_vec(value).unwrap()
}

#[test]
fn each_value_is_a_slice_of_the_stored_messagepack() {
    let mut checkpoint: serde_json::Value = serde_json::from_str(JSON).unwrap();
    let list: Vec<u32> = (0..70_000).collect();
    checkpoint["channel_values"]["list"] = list.into();
    let put = put("msgpack", &msgpack(&checkpoint));
    let of = |name: &str| msgpack(&checkpoint["channel_values"][name]);
    for (name, kind, bytes) in values(&put) {
        assert_eq!((kind, bytes), ("msgpack", &*of(name)), "{name}");
    }
    assert_eq!(values(&put).len(), 3);
    assert_eq!(versions(&put)[0], ("a", Version::Number(3.0)));
    let rest: serde_json::Value = rmp_serde::from_slice(&put.checkpoint.rest.bytes).unwrap();
    assert_eq!(rest, serde_json::json!({"versions_seen": {"n": {"a": 2}}, "more": []}));
    assert_eq!(put.checkpoint.rest.kind, "msgpack");
    assert_eq!(put.metadata.kind, "json");
}

#[test]
fn nodes_that_have_seen_nothing_are_added() {
    let least = serde_json::json!({"v": 1, "ts": "", "channel_values": null});
    let [json, packed] = [("json", least.to_string().into_bytes()), ("msgpack", msgpack(&least))]
        .map(|(kind, bytes)| put(kind, &bytes).checkpoint.rest.bytes);
    assert_eq!(json, br#"{"versions_seen":{}}"#);
    let rest: serde_json::Value = rmp_serde::from_slice(&packed).unwrap();
    assert_eq!(rest, serde_json::json!({"versions_seen": {}}));
}

#[test]
fn what_cannot_be_taken_apart_is_refused() {
    assert_eq!(code("msgpack+aes", b"secret"), "encrypted-stock-checkpoint");
    assert_eq!(code("pickle", b"\x80\x04"), "unreadable-stock-checkpoint");
    assert_eq!(code("json", b"[]"), "unreadable-stock-checkpoint");
    assert_eq!(code("json", br#"{"ts":"","v":"4"}"#), "unreadable-stock-checkpoint");
    let bool_version = br#"{"v":4,"ts":"","channel_versions":{"a":true}}"#;
    assert_eq!(code("json", bool_version), "unreadable-stock-checkpoint");
    let twice = br#"{"v":4,"ts":"","channel_values":{"a":1,"\u0061":2}}"#;
    assert_eq!(code("json", twice), "unreadable-stock-checkpoint");
}

#[test]
fn bytes_that_end_early_are_refused() {
    let packed = msgpack(&serde_json::from_str(JSON).unwrap());
    for (kind, bytes) in [("json", JSON.as_bytes()), ("msgpack", &packed)] {
        for end in 0..bytes.len() {
            assert_eq!(code(kind, &bytes[..end]), "unreadable-stock-checkpoint", "{end}");
        }
    }
}

#[test]
fn bytes_of_which_one_is_damaged_are_taken_apart_or_refused() {
    let packed = msgpack(&serde_json::from_str(JSON).unwrap());
    for (kind, bytes) in [("json", JSON.as_bytes()), ("msgpack", &packed)] {
        for at in 0..bytes.len() {
            for byte in [0, b'"', b'\\', b'{', b'}', 0x80, 0xc1, 0xd9, 0xdf, 0xff] {
                let mut damaged = bytes.to_vec();
                damaged[at] = byte;
                if let Err(error) = takeover(&stock(kind, &damaged)) {
                    assert_eq!(error.code(), "unreadable-stock-checkpoint", "{byte} at {at}");
                }
            }
        }
    }
}

#[test]
fn a_value_beside_the_checkpoint_wins_over_one_inside() {
    let checkpoint = br#"{"v": 4, "ts": "", "channel_values": {"a": true, "n": 5}}"#;
    let mut stock = stock("json", checkpoint);
    let beside = [("a", "msgpack", b"\x91\x01".as_slice()), ("gone", "empty", b"")];
    let row = |(channel, kind, bytes)| vec![text(channel), text(kind), blob(bytes)];
    stock.values.rows = beside.map(row).to_vec();
    let put = takeover(&stock).unwrap().put.unwrap();
    let expected: [(&str, &str, &[u8]); 2] = [("n", "json", b"5"), ("a", "msgpack", b"\x91\x01")];
    assert_eq!(values(&put), expected);
}

#[test]
fn a_checkpoint_that_is_not_stored_has_no_put() {
    let taken = takeover(&StockRows { checkpoint: RowSet::default(), ..stock("json", b"") });
    assert_eq!(taken.unwrap().put, None);
}

#[test]
fn a_thread_whose_id_was_bound_as_a_double_is_noted() {
    for (id, noted) in [("5.0", true), ("-5.0", true), ("5", false), ("v1.0", false), (".0", false)]
    {
        let rows = StockRows { thread_id: id.to_owned(), ..StockRows::default() };
        let notes = takeover(&rows).unwrap().notes;
        assert_eq!(notes.iter().any(|note| note.code == "numeric-thread-id"), noted, "{id}");
    }
}

/// The writes of one task as its call has them, and the codes of what was found. A value is the
/// place in the stock database.
fn taken(writes: &[(i64, &str)]) -> (Vec<(String, String)>, Vec<&'static str>) {
    let row = |(idx, channel): &(i64, &str)| {
        let value = blob(idx.to_string().as_bytes());
        let idx = Value::Integer(*idx);
        vec![text("task"), text("~path"), idx, text(channel), text("json"), value]
    };
    let rows = RowSet { rows: writes.iter().map(row).collect() };
    let taken = takeover(&StockRows { writes: rows, ..StockRows::default() }).unwrap();
    let [call] = taken.writes.as_slice() else { panic!("{taken:?}") };
    assert_eq!(call.task_path, "~path");
    let of = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let made = call.writes.iter().map(|write| (write.channel.clone(), of(&write.value.bytes)));
    (made.collect(), taken.notes.iter().map(|note| note.code).collect())
}

/// The same as `channel=value` texts.
fn made(writes: &[(i64, &str)]) -> (String, Vec<&'static str>) {
    let (made, codes) = taken(writes);
    let texts: Vec<_> = made.into_iter().map(|(channel, of)| format!("{channel}={of}")).collect();
    (texts.join(" "), codes)
}

#[test]
fn writes_stay_at_their_places() {
    assert_eq!(made(&[(0, "a"), (1, "b")]), ("a=0 b=1".to_owned(), vec![]));
    let resumed = [(-4, "__resume__"), (2, "xs")];
    let fills = "__resume__=-4 __resume__=-4 xs=2";
    assert_eq!(made(&resumed), (fills.to_owned(), vec![]));
    let both = [(-4, "__resume__"), (-3, "__interrupt__"), (1, "xs")];
    let fills = "__resume__=-4 xs=1 __interrupt__=-3";
    assert_eq!(made(&both), (fills.to_owned(), vec![]));
}

#[test]
fn a_special_write_that_was_stored_by_its_position_gets_its_own_place() {
    let (calls, codes) = made(&[(0, "xs"), (1, "__error__"), (2, "ys")]);
    assert_eq!(calls, "xs=0 __error__=1 ys=2");
    assert_eq!(codes, ["positional-special-writes"]);
}

#[test]
fn of_several_special_writes_to_one_channel_the_newest_stays() {
    let (calls, codes) = made(&[(0, "__interrupt__"), (1, "__interrupt__")]);
    assert_eq!(calls, "__interrupt__=1");
    assert_eq!(codes, ["positional-special-writes", "repeated-special-writes"]);
    let (calls, _) = made(&[(-3, "__interrupt__"), (0, "__interrupt__")]);
    assert_eq!(calls, "__interrupt__=-3");
}

#[test]
fn writes_whose_places_cannot_be_reached_keep_their_order() {
    let (calls, codes) = made(&[(-9, "later"), (1, "a"), (3, "b"), (1 << 40, "c")]);
    assert_eq!(calls, "a=1 b=3 later=-9 c=1099511627776");
    assert_eq!(codes, ["moved-writes"]);
}
