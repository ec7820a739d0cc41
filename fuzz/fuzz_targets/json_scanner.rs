//! The JSON checker agrees with `serde_json`, and the parts that a scanner finds, joined, are its
//! input.

#![no_main]

use langgraph_checkpoint_fuzz::parts::assert_whole;
use langgraph_checkpoint_guest::fuzzing::{entry, is_json, packed_entry, structure};
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use serde_json::Value;

/// The two checkers limit nesting differently; up to this depth neither does.
const OPENED_MAX: usize = 100;

fuzz_target!(|bytes: &[u8]| {
    let opened = bytes.iter().filter(|byte| b"[{".contains(byte)).count();
    let padded = bytes.trim_ascii().len() < bytes.len();
    if opened <= OPENED_MAX && !padded {
        let judged = std::str::from_utf8(bytes)
            .is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
        assert_eq!(is_json(bytes), judged);
    } else {
        is_json(bytes);
    }
    let json = structure("json", bytes);
    if let Some(parts) = &json {
        assert_whole(parts, bytes);
    }
    for parts in [entry(bytes), packed_entry(bytes)].into_iter().flatten() {
        assert_whole(&parts, bytes);
    }
    if let Some(parts) = structure("msgpack", bytes) {
        assert_whole(&parts, bytes);
    }

    // A value without white space is split into as many parts as it has members.
    if let Ok(value) = serde_json::from_slice::<Value>(bytes)
        && value.to_string().as_bytes() == bytes
    {
        let members = match &value {
            Value::Array(elements) => Some(elements.len()),
            Value::Object(entries) => Some(entries.len()),
            _ => None,
        };
        assert_eq!(json.map(|parts| parts.ranges.len()), members);
    }
});
