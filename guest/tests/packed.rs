//! The planner's calls as bytes: what is no call is refused, texts are numbered once, and an
//! operation is kept for as long as it goes on.

use langgraph_checkpoint_guest::packed::Packed;
use proptest::prelude::*;
use rmp::Marker;
use serde::Serialize;

const NEED: u8 = 0;
const REFUSAL: u8 = 2;

fn bytes(value: impl Serialize) -> Vec<u8> {
    rmp_serde::to_vec(&value).unwrap()
}

/// `delete-thread`, of this thread.
fn deletion(thread_id: &str) -> Vec<u8> {
    bytes((5.0, (thread_id, (), (), ())))
}

/// `get-tuple`, of this thread.
fn reading(thread_id: &str) -> Vec<u8> {
    bytes((1.0, (thread_id, (), (), ()), ()))
}

/// Which of the three things an answer is.
fn case(answer: &[u8]) -> u8 {
    answer[1]
}

/// The number of the operation that needs its batch answered.
fn operation(answer: &[u8]) -> u32 {
    assert_eq!(case(answer), NEED);
    let mut rest = &answer[2..];
    rmp::decode::read_int(&mut rest).unwrap()
}

fn contains(answer: &[u8], text: &str) -> bool {
    answer.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn a_statement_s_text_crosses_once() {
    let mut packed = Packed::default();
    let first = packed.start(&deletion("one"));
    let second = packed.start(&deletion("two"));
    assert!(contains(&first, "DELETE FROM lg_threads"));
    assert!(!contains(&second, "DELETE"));
    assert!(contains(&second, "two"));
    assert!(contains(&packed.start(&reading("one")), "SELECT"));
}

#[test]
fn an_operation_ends_with_its_outcome() {
    let mut packed = Packed::default();
    let started = operation(&packed.start(&reading("nobody")));
    let no_rows: [[(); 0]; 1] = [[]];
    let found = packed.advance(started, &bytes(no_rows));
    // The end, which is the outcome `found` without a checkpoint.
    assert_eq!(found, bytes((1_u8, (1_u8,))));
    let again = packed.advance(started, &bytes(no_rows));
    assert_eq!(case(&again), REFUSAL);
    assert!(contains(&again, "ended-operation"));
}

#[test]
fn an_operation_that_was_ended_is_forgotten() {
    let mut packed = Packed::default();
    let started = operation(&packed.start(&deletion("one")));
    packed.end(started);
    packed.end(started);
    assert_eq!(case(&packed.advance(started, &bytes([(); 0]))), REFUSAL);
}

#[test]
fn operations_under_way_do_not_meet() {
    let mut packed = Packed::default();
    let one = operation(&packed.start(&reading("one")));
    let two = operation(&packed.start(&reading("two")));
    assert_ne!(one, two);
    let nothing: [[(); 0]; 0] = [];
    assert!(contains(&packed.advance(one, &bytes(nothing)), "wrong-row-sets"));
    let no_rows: [[(); 0]; 1] = [[]];
    assert_eq!(packed.advance(two, &bytes(no_rows)), bytes((1_u8, (1_u8,))));
}

#[test]
fn text_with_a_byte_order_mark_is_marked() {
    let mut packed = Packed::default();
    let marked = format!("\u{feff}{}", "x".repeat(300));
    let answer = packed.start(&deletion(&marked));
    let at = answer.windows(3).position(|window| window == "\u{feff}".as_bytes()).unwrap();
    // Extension type 1, of 303 bytes.
    assert_eq!(answer[at - 4..at], [Marker::Ext16.to_u8(), 1, 47, 1]);
}

#[test]
fn a_call_cut_short_is_refused() {
    let whole = reading("thread");
    for end in 0..whole.len() {
        let refused = Packed::default().start(&whole[..end]);
        assert_eq!(case(&refused), REFUSAL, "{end}");
        assert!(contains(&refused, "malformed-bytes"), "{end}");
    }
}

#[test]
fn what_is_no_whole_number_is_no_count() {
    for count in [0.5, -1.0, f64::NAN, 4_294_967_296.0] {
        assert!(contains(&Packed::default().start(&bytes((count,))), "malformed-bytes"));
    }
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(call: Vec<u8>, row_sets: Vec<u8>) {
        let mut packed = Packed::default();
        prop_assert_eq!(case(&packed.start(&call)), REFUSAL);
        let started = operation(&packed.start(&reading("one")));
        packed.advance(started, &row_sets);
    }
}
