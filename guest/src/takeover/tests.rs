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

mod back {
    use super::super::export::stock_rows;
    use super::*;
    use crate::contract::call::{ChannelValue, ChannelVersion};
    use crate::contract::lifecycle::Language;
    use crate::contract::outcome::{CheckpointTuple, Exported, PlacedWrite};

    /// What is stored of a checkpoint that was taken over.
    fn exported(put: Put, writes: Vec<PlacedWrite>) -> Exported {
        let value = |ChannelValue { channel, value }| match value {
            NewValue::Whole(value) => ChannelValue { channel, value },
            other => panic!("{other:?}"),
        };
        let checkpoint = CheckpointTuple {
            thread_id: "t".to_owned(),
            checkpoint_ns: "child:1".to_owned(),
            checkpoint_id: "1f".to_owned(),
            parent_checkpoint_id: Some("1e".to_owned()),
            v: put.checkpoint.v,
            ts: put.checkpoint.ts,
            channel_versions: put.checkpoint.channel_versions,
            channel_values: put.checkpoint.channel_values.into_iter().map(value).collect(),
            rest: put.checkpoint.rest,
            metadata: put.metadata,
            pending_writes: Vec::new(),
            pending_sends: None,
        };
        Exported {
            thread_id: "t".to_owned(),
            checkpoint_ns: "child:1".to_owned(),
            checkpoint_id: "1f".to_owned(),
            checkpoint: Some(checkpoint),
            writes,
            next: Vec::new(),
        }
    }

    fn layout(language: Language, has_values_beside: bool) -> Layout {
        Layout { language, has_values_beside }
    }

    const FILE_JS: Layout = Layout { language: Language::JavaScript, has_values_beside: false };
    const FILE_PYTHON: Layout = Layout { language: Language::Python, has_values_beside: false };

    #[test]
    fn a_checkpoint_is_put_together_as_it_was_taken_apart() {
        let packed = msgpack(&serde_json::from_str(JSON).unwrap());
        for (kind, bytes, layout) in
            [("json", JSON.as_bytes(), FILE_JS), ("msgpack", &packed, FILE_PYTHON)]
        {
            let before = put(kind, bytes);
            let rows = stock_rows(layout, &exported(before.clone(), Vec::new()));
            assert_eq!((rows.notes, rows.problems), (vec![], vec![]));
            let row = rows.checkpoint.unwrap();
            let [_, _, _, parent, kind, Value::Blob(checkpoint), metadata] = row.as_slice() else {
                panic!("{row:?}")
            };
            assert_eq!((parent, metadata), (&text("1e"), &blob(br#"{"step": 1}"#)));
            let Value::Text(kind) = kind else { panic!("{kind:?}") };
            assert_eq!(put(kind, checkpoint), before);
        }
    }

    #[test]
    fn values_of_postgresql_are_beside_their_checkpoint_by_channel_and_version() {
        let rows = stock_rows(
            layout(Language::JavaScript, true),
            &exported(put("json", JSON.as_bytes()), Vec::new()),
        );
        let of = |row: &Vec<Value>| row[2..].to_vec();
        let values: Vec<_> = rows.values.iter().map(of).collect();
        let first = [text("a"), text("3"), text("json"), blob(br#"[1, {"b":"}"}]"#)];
        assert_eq!(values[0], first);
        assert_eq!(values[1][..2], [text("b\"\u{e9}"), text("00.5")]);
        let Some([.., Value::Text(checkpoint), _]) = rows.checkpoint.as_deref() else { panic!() };
        let checkpoint: serde_json::Value = serde_json::from_str(checkpoint).unwrap();
        let mut expected: serde_json::Value = serde_json::from_str(JSON).unwrap();
        expected["id"] = "1f".into();
        expected.as_object_mut().unwrap().remove("channel_values");
        assert_eq!(checkpoint, expected);
    }

    #[test]
    fn fields_of_python_go_from_one_encoding_to_the_other() {
        let fields = serde_json::json!({
            "v": 4, "ts": "", "channel_versions": {"a": "01.5"},
            "channel_values": {"a": "text", "b": null},
            "versions_seen": {"n": {"a": "01.5"}}, "updated_channels": ["a"],
            "more": [1, -0.5, true],
        });
        let stored = put("json", fields.to_string().as_bytes());
        let rows = stock_rows(FILE_PYTHON, &exported(stored, Vec::new()));
        assert_eq!(rows.problems, []);
        assert_eq!(rows.notes[0].code, "scalars-as-msgpack");
        let Some([.., Value::Blob(packed), _]) = rows.checkpoint.as_deref() else { panic!() };
        let mut found: serde_json::Value = rmp_serde::from_slice(packed).unwrap();
        found.as_object_mut().unwrap().remove("id");
        assert_eq!(found, fields);

        let stored = put("msgpack", packed);
        let rows = stock_rows(layout(Language::Python, true), &exported(stored, Vec::new()));
        let Some([.., Value::Text(json), _]) = rows.checkpoint.as_deref() else { panic!() };
        let mut found: serde_json::Value = serde_json::from_str(json).unwrap();
        found.as_object_mut().unwrap().remove("id");
        found["channel_values"] = fields["channel_values"].clone();
        assert_eq!(found, fields);
        assert_eq!(rows.values[0][4..], [text("msgpack"), blob(b"\xa4text")]);
        assert_eq!(rows.notes[0].code, "value-without-version");
    }

    #[test]
    fn a_checkpoint_that_is_left_out_has_no_notes() {
        let fields = r#"{"v": 4, "ts": "", "channel_versions": {"a": "01", "b": "01"},
            "channel_values": {"a": "text", "b": ["list"]}}"#;
        let stored = put("json", fields.as_bytes());
        let rows = stock_rows(FILE_PYTHON, &exported(stored, Vec::new()));
        assert_eq!(rows.problems[0].code, "unfit-value");
        assert_eq!((rows.checkpoint, rows.notes), (None, vec![]));
    }

    /// The codes of what has no row.
    fn problems(layout: Layout, kind: &str, value: &str) -> Vec<&'static str> {
        let put = put("json", br#"{"v": 4, "ts": "", "channel_versions": {"a": 1}}"#);
        let value = Payload { kind: kind.to_owned(), bytes: value.as_bytes().to_vec() };
        let write = PlacedWrite {
            task_id: "task".to_owned(),
            task_path: String::new(),
            idx: 0,
            channel: "a".to_owned(),
            value: value.clone(),
        };
        let mut exported = exported(put, vec![write]);
        let checkpoint = exported.checkpoint.as_mut().unwrap();
        checkpoint.channel_values = vec![ChannelValue { channel: "a".to_owned(), value }];
        if layout.language == Language::Python {
            checkpoint.rest.kind = "msgpack".to_owned();
            checkpoint.rest.bytes = b"\x80".to_vec();
            let version = Version::Text("1".to_owned());
            checkpoint.channel_versions = vec![ChannelVersion { channel: "a".to_owned(), version }];
        }
        stock_rows(layout, &exported).problems.iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn values_have_a_place_or_are_named() {
        use Language::{JavaScript, Python};
        for (language, beside, kind, value, expected) in [
            (JavaScript, false, "json", "1", vec![]),
            (JavaScript, false, "bytes", "ab", vec![]),
            (JavaScript, false, "msgpack", "\u{1}", vec!["unfit-value", "unfit-write"]),
            (JavaScript, false, "json+aes", "secret", vec!["unfit-value"]),
            (JavaScript, true, "json+aes", "secret", vec![]),
            (JavaScript, true, "msgpack", "\u{1}", vec!["unfit-value", "unfit-write"]),
            (Python, false, "msgpack", "\u{1}", vec![]),
            (Python, false, "null", "", vec![]),
            (Python, false, "bytes", "ab", vec![]),
            (Python, false, "json", "[1]", vec!["unfit-value", "unfit-write"]),
            (Python, false, "msgpack+aes", "secret", vec!["unfit-value"]),
            (Python, true, "msgpack+aes", "secret", vec![]),
            (Python, true, "json", "[1]", vec!["unfit-value", "unfit-write"]),
        ] {
            let found = problems(layout(language, beside), kind, value);
            assert_eq!(found, expected, "{kind} in {language:?}, beside: {beside}");
        }
    }
}
