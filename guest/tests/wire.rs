//! The planner's calls as bytes: what is no call is refused, texts are numbered once, and an
//! operation is kept for as long as it goes on.

use langgraph_checkpoint_guest::wire::Wire;
use proptest::prelude::*;
use rmp::Marker;
use serde::Serialize;

const NEED: u8 = 0;
const REFUSAL: u8 = 2;
const LAST: u8 = 3;

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

/// Begins one call; gives where it stands.
fn start(packed: &mut Packed, call: &[u8]) -> Vec<u8> {
    let mut list = packed.start(&[call]);
    // A list of one.
    assert_eq!(list.remove(0), 0x91);
    list
}

/// Which of the four things an answer is.
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
    let first = start(&mut packed, &deletion("one"));
    let second = start(&mut packed, &deletion("two"));
    assert!(contains(&first, "DELETE FROM lg_threads"));
    assert!(!contains(&second, "DELETE"));
    assert!(contains(&second, "two"));
    assert!(contains(&start(&mut packed, &reading("one")), "SELECT"));
}

#[test]
fn an_operation_ends_with_its_outcome() {
    let mut packed = Packed::default();
    let started = operation(&start(&mut packed, &reading("nobody")));
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
    let started = operation(&start(&mut packed, &reading("one")));
    packed.end(started);
    packed.end(started);
    assert_eq!(case(&packed.advance(started, &bytes([(); 0]))), REFUSAL);
}

#[test]
fn a_batch_that_decides_nothing_comes_with_the_outcome() {
    let mut packed = Packed::default();
    let answer = start(&mut packed, &deletion("one"));
    assert_eq!(case(&answer), LAST);
    // The outcome is `deleted`, and no operation is left to advance.
    assert!(answer.ends_with(&bytes((6_u8,))));
    assert_eq!(operation(&start(&mut packed, &reading("one"))), 1);
}

#[test]
fn operations_under_way_do_not_meet() {
    let mut packed = Packed::default();
    let one = operation(&start(&mut packed, &reading("one")));
    let two = operation(&start(&mut packed, &reading("two")));
    assert_ne!(one, two);
    let nothing: [[(); 0]; 0] = [];
    assert!(contains(&packed.advance(one, &bytes(nothing)), "wrong-row-sets"));
    let no_rows: [[(); 0]; 1] = [[]];
    assert_eq!(packed.advance(two, &bytes(no_rows)), bytes((1_u8, (1_u8,))));
}

#[test]
fn calls_that_begin_together_are_answered_in_their_order() {
    let calls = [deletion("one"), bytes((0.5,)), deletion("two")];
    let mut apart = Packed::default();
    let answers = calls.iter().flat_map(|call| start(&mut apart, call));
    let expected: Vec<u8> = std::iter::once(0x93).chain(answers).collect();
    let together = Packed::default().start(&calls);
    assert_eq!(together, expected);
}

#[test]
fn text_with_a_byte_order_mark_is_marked() {
    let mut packed = Packed::default();
    let marked = format!("\u{feff}{}", "x".repeat(300));
    let answer = start(&mut packed, &deletion(&marked));
    let at = answer.windows(3).position(|window| window == "\u{feff}".as_bytes()).unwrap();
    // Extension type 1, of 303 bytes.
    assert_eq!(answer[at - 4..at], [Marker::Ext16.to_u8(), 1, 47, 1]);
}

#[test]
fn a_call_cut_short_is_refused() {
    let whole = reading("thread");
    for end in 0..whole.len() {
        let refused = start(&mut Packed::default(), &whole[..end]);
        assert_eq!(case(&refused), REFUSAL, "{end}");
        assert!(contains(&refused, "malformed-bytes"), "{end}");
    }
}

#[test]
fn what_is_no_whole_number_is_no_count() {
    for count in [0.5, -1.0, f64::NAN, 4_294_967_296.0] {
        assert!(contains(&start(&mut Packed::default(), &bytes((count,))), "malformed-bytes"));
    }
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(call: Vec<u8>, row_sets: Vec<u8>) {
        let mut packed = Packed::default();
        prop_assert_eq!(case(&start(&mut packed, &call)), REFUSAL);
        let started = operation(&start(&mut packed, &reading("one")));
        packed.advance(started, &row_sets);
    }
}
