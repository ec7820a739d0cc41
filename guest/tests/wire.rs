//! The planner's calls as bytes: malformed calls are refused, each text is sent once, and an
//! operation is kept until it ends. For Kusto: every kind of need, answer and question.

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

/// A `delete-thread` of this thread.
fn deletion(thread_id: &str) -> Vec<u8> {
    bytes((5.0, (thread_id, (), (), ())))
}

/// A `get-tuple` of this thread.
fn reading(thread_id: &str) -> Vec<u8> {
    bytes((1.0, (thread_id, (), (), ()), ()))
}

/// The number of the store: the first number given.
const STORE: u32 = 1;

/// A `Wire` with a store of SQLite.
fn opened() -> Wire {
    let mut wire = Wire::default();
    assert_eq!(wire.open(&bytes((0.0,))), bytes((0, STORE)));
    wire
}

/// An answer with row sets.
fn row_sets(sets: impl Serialize) -> Vec<u8> {
    bytes((0.0, sets))
}

/// Starts one call and returns its state.
fn start(wire: &mut Wire, call: &[u8]) -> Vec<u8> {
    wire.start(STORE, call, &[])
}

/// The position of a state's case.
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
    let mut wire = opened();
    let first = start(&mut wire, &deletion("one"));
    let second = start(&mut wire, &deletion("two"));
    assert!(contains(&first, "DELETE FROM lg_threads"));
    assert!(!contains(&second, "DELETE"));
    assert!(contains(&second, "two"));
    assert!(contains(&start(&mut wire, &reading("one")), "SELECT"));
}

#[test]
fn a_store_of_postgresql_has_the_schema_in_its_statements() {
    let mut wire = Wire::default();
    assert_eq!(wire.open(&bytes((2.0, "my \"agents\""))), bytes((0, STORE)));
    let started = start(&mut wire, &deletion("one"));
    assert_eq!(case(&started), NEED);
    assert!(contains(&started, "DELETE FROM \"my \"\"agents\"\"\".lg_threads"));
    for name in ["", "a\0b", &"x".repeat(64)] {
        let refused = wire.open(&bytes((2.0, name)));
        assert_eq!(case(&refused), REFUSAL);
        assert!(contains(&refused, "invalid-schema"));
    }
    let together = start(&mut wire, &bytes((64.0, [(5.0, ("one", (), (), ()))])));
    assert!(contains(&together, "no-joint-calls"));
}

#[test]
fn an_operation_ends_with_its_outcome() {
    let mut wire = opened();
    let started = operation(&start(&mut wire, &reading("nobody")));
    let no_rows: [[(); 0]; 1] = [[]];
    let found = wire.advance(started, &row_sets(no_rows), &[]);
    // The end, with the outcome `found` without a checkpoint.
    assert_eq!(found, bytes((1_u8, (1_u8,))));
    let again = wire.advance(started, &row_sets(no_rows), &[]);
    assert_eq!(case(&again), REFUSAL);
    assert!(contains(&again, "ended-operation"));
}

#[test]
fn an_operation_that_was_ended_is_forgotten() {
    let mut wire = opened();
    let started = operation(&start(&mut wire, &reading("one")));
    wire.end(started);
    wire.end(started);
    assert_eq!(case(&wire.advance(started, &row_sets([(); 0]), &[])), REFUSAL);
}

#[test]
fn a_batch_that_decides_nothing_comes_with_the_outcome() {
    let mut wire = opened();
    let answer = start(&mut wire, &bytes(writing("one")));
    assert_eq!(case(&answer), LAST);
    // The outcome is `writes-stored`, and no operation is left to advance.
    assert!(answer.ends_with(&bytes((5_u8,))));
    assert_eq!(operation(&start(&mut wire, &reading("one"))), STORE + 1);
}

#[test]
fn operations_under_way_do_not_meet() {
    let mut wire = opened();
    let one = operation(&start(&mut wire, &reading("one")));
    let two = operation(&start(&mut wire, &reading("two")));
    assert_ne!(one, two);
    let nothing: [[(); 0]; 0] = [];
    assert!(contains(&wire.advance(one, &row_sets(nothing), &[]), "wrong-row-sets"));
    let no_rows: [[(); 0]; 1] = [[]];
    assert_eq!(wire.advance(two, &row_sets(no_rows), &[]), bytes((1_u8, (1_u8,))));
}

#[test]
fn text_with_a_byte_order_mark_is_marked() {
    let mut wire = opened();
    let marked = format!("\u{feff}{}", "x".repeat(300));
    let answer = start(&mut wire, &deletion(&marked));
    let at = answer.windows(3).position(|window| window == "\u{feff}".as_bytes()).unwrap();
    // Extension type 1, of 303 bytes.
    assert_eq!(answer[at - 4..at], [Marker::Ext16.to_u8(), 1, 47, 1]);
}

#[test]
fn a_call_cut_short_is_refused() {
    let whole = reading("thread");
    for end in 0..whole.len() {
        let refused = start(&mut opened(), &whole[..end]);
        assert_eq!(case(&refused), REFUSAL, "{end}");
        assert!(contains(&refused, "malformed-bytes"), "{end}");
    }
}

#[test]
fn what_is_no_whole_number_is_no_count() {
    for count in [0.5, -1.0, f64::NAN, 4_294_967_296.0] {
        assert!(contains(&start(&mut opened(), &bytes((count,))), "malformed-bytes"));
    }
}

/// A moment: microseconds since 1970, and random bits.
fn moment(now: u64) -> Vec<u8> {
    bytes((now, 7_u64 << 60))
}

/// A `Wire` with a store on Kusto that lets this many rows wait.
fn opened_on_kusto(batch_size: f64) -> Wire {
    let mut wire = Wire::default();
    let uri = "https://name.region.kusto.windows.net";
    let nothing: [&str; 0] = [];
    let options =
        (1.0, uri, "db", "Log", 0.0, batch_size, (), 9_000.0, (), (), false, nothing, true);
    assert_eq!(wire.open(&bytes(options)), bytes((0, STORE)));
    wire
}

const BEGIN: u64 = 1_795_250_000_000_000;
const REQUEST: u8 = 4;
const WAIT: u8 = 5;
const ALL_DONE: u8 = 6;

/// Starts one call on Kusto and returns its state.
fn start_on_kusto(wire: &mut Wire, call: &[u8]) -> Vec<u8> {
    wire.start(STORE, call, &moment(BEGIN))
}

/// The number of the operation that needs a request sent, or time to pass.
fn running(state: &[u8]) -> u32 {
    rmp::decode::read_int(&mut &state[2..]).unwrap()
}

/// A `put-writes` of this thread.
fn writing(thread_id: &str) -> impl Serialize {
    let value = ("json", serde_bytes::Bytes::new(b"1"));
    (4.0, (thread_id, (), "checkpoint", ()), [("channel", value)], "task", "")
}

#[test]
fn a_call_on_kusto_sends_waits_and_is_refused_by_its_deadline() {
    let mut wire = opened_on_kusto(1.0);
    let mut state = start_on_kusto(&mut wire, &reading("one"));
    let mut now = BEGIN;
    let mut cases = Vec::new();
    while case(&state) != REFUSAL {
        cases.push(case(&state));
        let answer = match case(&state) {
            REQUEST => {
                assert!(contains(&state, "https://name.region.kusto.windows.net/v2/rest/query"));
                bytes((2.0, "no route"))
            }
            _ => bytes((4.0,)),
        };
        now += 1_000_000;
        state = wire.advance(running(&state), &answer, &moment(now));
    }
    assert_eq!(cases[..4], [REQUEST, WAIT, REQUEST, WAIT]);
    assert!(contains(&state, "store-unreachable") && contains(&state, "no route"));
}

#[test]
fn an_answer_of_another_case_than_the_need_is_refused() {
    let mut wire = opened_on_kusto(1.0);
    let state = start_on_kusto(&mut wire, &reading("one"));
    let no_rows: [[(); 0]; 1] = [[]];
    let refused = wire.advance(running(&state), &row_sets(no_rows), &moment(BEGIN));
    assert!(contains(&refused, "wrong-answer"));
    let mut wire = opened();
    let started = operation(&start(&mut wire, &reading("one")));
    assert!(contains(&wire.advance(started, &bytes((4.0,)), &[]), "wrong-answer"));
}

#[test]
fn what_waits_is_told_and_lost_with_its_store() {
    let mut wire = opened_on_kusto(100.0);
    let nothing: [(); 0] = [];
    let idle = bytes((0, (), (0, 0, 0), nothing, ()));
    assert_eq!(wire.status(STORE), idle);
    let stored = start_on_kusto(&mut wire, &bytes(writing("one")));
    assert_eq!(stored, bytes((1, (5,))));
    let due = BEGIN + 30_000_000;
    assert_eq!(wire.status(STORE), bytes((0, due as f64, (0, 1, 1), nothing, ())));
    let flush = start_on_kusto(&mut wire, &bytes((7.0,)));
    assert!(case(&flush) == REQUEST && contains(&flush, "/v1/rest/ingest/db/Log"));
    wire.close(STORE);
    assert!(contains(&wire.status(STORE), "unknown-store"));
    assert!(contains(&start_on_kusto(&mut wire, &reading("one")), "unknown-store"));
}

#[test]
fn calls_made_together_are_one_ingest_and_end_together() {
    let mut wire = opened_on_kusto(1.0);
    let calls = bytes((64.0, [writing("one"), writing("one")]));
    let state = start_on_kusto(&mut wire, &calls);
    assert!(case(&state) == REQUEST && contains(&state, "/v1/rest/ingest/db/Log"));
    let response = (200.0, [(); 0], serde_bytes::Bytes::new(b"{}"));
    let mut state = wire.advance(running(&state), &bytes((1.0, response)), &moment(BEGIN + 1));
    let mut now = BEGIN;
    while case(&state) != ALL_DONE {
        // Requests after the ingest get no response until the deadline.
        assert!(!contains(&state, "/v1/rest/ingest"));
        let answer = if case(&state) == WAIT { bytes((4.0,)) } else { bytes((2.0, "")) };
        now += 1_000_000;
        state = wire.advance(running(&state), &answer, &moment(now));
    }
    // The list has two ends.
    assert_eq!(state[2], 0x92);
    let alone = opened().start(STORE, &calls, &[]);
    assert!(contains(&alone, "no-joint-calls"));
}

#[test]
fn calls_of_another_instance_are_awaited() {
    let wire = opened_on_kusto(1.0);
    assert_eq!(wire.await_shown(STORE, &bytes([("one", BEGIN, 2.0)])), bytes((0,)));
    let told = wire.status(STORE);
    assert!(contains(&told, "one"), "{told:?}");
    assert!(contains(&wire.await_shown(9, &bytes([(); 0])), "unknown-store"));
}

#[test]
fn questions_about_a_login_are_answered() {
    let wire = Wire::default();
    let uri = "https://name.region.kusto.windows.net";
    let text = format!("Data Source={uri};Initial Catalog=db;Fed=true;User Token=abc");
    assert_eq!(wire.login(&bytes((0.0, text))), bytes((0, uri, "db", ("abc",))));
    let request = wire.login(&bytes((1.0, "tenant", "app", "key", uri, ())));
    assert!(contains(&request, "https://login.microsoftonline.com/tenant/oauth2/v2.0/token"));
    let body = r#"{"token_type":"Bearer","access_token":"abc","expires_in":60}"#;
    let response = (200.0, [(); 0], serde_bytes::Bytes::new(body.as_bytes()));
    let token = wire.login(&bytes((2.0, response, (BEGIN, 0_u64))));
    assert_eq!(token, bytes((0, "abc", (BEGIN + 60_000_000) as f64)));
    assert!(contains(
        &wire.login(&bytes((0.0, "https://a.kusto.windows.net;two"))),
        "invalid-connection-string"
    ));
    assert!(contains(&wire.login(&bytes((3.0,))), "malformed-bytes"));
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(call: Vec<u8>, answer: Vec<u8>, at: Vec<u8>) {
        let mut wire = opened();
        prop_assert_eq!(case(&start(&mut wire, &call)), REFUSAL);
        let started = operation(&start(&mut wire, &reading("one")));
        wire.advance(started, &answer, &at);
        wire.open(&answer);
        wire.await_shown(STORE, &answer);
        wire.login(&answer);
    }
}
