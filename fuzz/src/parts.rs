//! Checks every split must pass.

use langgraph_checkpoint_guest::fuzzing::Parts;

/// Panics unless no part is empty and the joined parts are the bytes.
pub fn assert_whole(parts: &Parts, bytes: &[u8]) {
    let mut joined = parts.opening.clone();
    for (index, range) in parts.ranges.iter().enumerate() {
        assert!(!range.is_empty(), "part {index} is empty");
        if index > 0 {
            joined.extend_from_slice(parts.separator);
        }
        joined.extend_from_slice(&bytes[range.clone()]);
    }
    joined.extend_from_slice(parts.closing);
    assert!(joined == bytes, "the parts are not the value");
}
