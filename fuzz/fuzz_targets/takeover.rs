//! A stock checkpoint is taken apart or refused, whatever its bytes are. Each value of a JSON
//! object is the one that `serde_json` finds, and what is refused later is bad input.

#![no_main]

use langgraph_checkpoint_guest::takeover::{StockRows, takeover};
use langgraph_checkpoint_guest::{Call, Moment, NewValue, Put, RowSet, Store, Value};
use libfuzzer_sys::fuzz_target;
use serde_json::Value as Json;

/// Neither UTF-8 nor MessagePack has this byte.
const BETWEEN_PARTS: u8 = 0xc1;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let kind = ["json", "msgpack", "msgpack+aes", "other"][usize::from(first & 3)];
    let mut parts = rest.split(|byte| *byte == BETWEEN_PARTS);
    let mut next = || parts.next().unwrap_or_default().to_vec();
    let (checkpoint, metadata) = (next(), next());
    let row = vec![
        if first & 4 == 0 { Value::Null } else { Value::Text("parent".to_owned()) },
        Value::Text(kind.to_owned()),
        Value::Blob(checkpoint.clone()),
        Value::Blob(metadata),
    ];
    let beside = usize::from(first >> 3 & 3);
    let values = (0..beside).map(|_| vec![text(next()), text(next()), Value::Blob(next())]);
    let values = RowSet { rows: values.collect() };
    let written = usize::from(first >> 5);
    let writes = (0..written).map(|_| {
        let idx = next().first().map_or(0, |byte| i64::from(*byte) - 8);
        let task = vec![text(next()), text(next()), Value::Integer(idx)];
        [task, vec![text(next()), text(next()), Value::Blob(next())]].concat()
    });
    let writes = RowSet { rows: writes.collect() };
    let stock = StockRows {
        thread_id: "5.0".to_owned(),
        checkpoint_ns: String::new(),
        checkpoint_id: "id".to_owned(),
        checkpoint: RowSet { rows: vec![row] },
        writes,
        values,
    };
    let Ok(taken) = takeover(&stock) else { return };
    let count: usize = taken.writes.iter().map(|call| call.writes.len()).sum();
    assert!(count >= taken.writes.len(), "a task without writes");
    for call in taken.writes {
        start(Call::PutWrites(call));
    }
    let put = taken.put.expect("a row of a checkpoint");
    if kind == "json" && beside == 0 {
        assert_same(&checkpoint, &put);
    }
    start(Call::Put(put));
});

fn text(bytes: Vec<u8>) -> Value {
    Value::Text(String::from_utf8_lossy(&bytes).into_owned())
}

fn start(call: Call) {
    if let Err(error) = Store::Sqlite.start(call, Moment::default()) {
        assert!(!error.code().is_empty(), "{error:?}");
    }
}

/// Asserts that each value is the one that another parser finds.
fn assert_same(checkpoint: &[u8], put: &Put) {
    let Ok(Json::Object(object)) = serde_json::from_slice(checkpoint) else { return };
    let Some(Json::Object(channels)) = object.get("channel_values") else { return };
    let values = &put.checkpoint.channel_values;
    assert_eq!(values.len(), channels.len());
    for entry in values {
        let NewValue::Whole(payload) = &entry.value else { panic!("{entry:?}") };
        let value: Json = serde_json::from_slice(&payload.bytes).expect("a value of JSON");
        assert_eq!(Some(&value), channels.get(&entry.channel), "{}", entry.channel);
    }
}
