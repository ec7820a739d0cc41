//! Threads that are deleted, and perhaps created again, between any two rounds of a read: the read
//! gives everything that a thread had at one time, or nothing, and never an error.

use langgraph_checkpoint_guest::{
    Answer, Batch, CheckpointTuple, Moment, Need, Outcome, Progress, Statement, Store,
};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::native::Native;
use langgraph_checkpoint_tests::transcript;
use serde_json::{Value, json};

/// A thread without chunks, one with many levels of chunks, and one whose sends are stored with the
/// parent.
const THREADS: [&str; 3] = ["inline", "deep", "old"];

/// Before which round of the read a thread is deleted, and whether it is created again at once.
#[derive(Clone, Copy, Debug)]
struct Deletion {
    thread: &'static str,
    round: usize,
    again: bool,
}

fn id(step: usize) -> String {
    format!("1ef4f797-8335-6428-8001-{step:012}")
}

/// Creates a thread of two checkpoints; `word` tells its versions apart.
fn make(native: &mut Native, thread: &str, word: &str) {
    let long = "a text that is long enough to be a chunk of its own, ".repeat(4);
    let count = if thread == "deep" { 160 } else { 0 };
    let v = if thread == "old" { 3 } else { 4 };
    for step in 1..3 {
        let messages = json!({ "$times": [count, format!("{word} # {long}")] });
        let values = if step == 1 { json!({ "messages": messages }) } else { json!({}) };
        let parent = (step > 1).then(|| id(step - 1));
        run(
            native,
            &json!({
                "name": "put",
                "config": { "thread_id": thread, "checkpoint_id": parent },
                "checkpoint": {
                    "id": id(step), "v": v, "ts": "", "versions_seen": {},
                    "channel_values": values,
                    "channel_versions": { "messages": step },
                },
                "metadata": { "word": word }, "new_versions": ["messages"],
            }),
        );
        let text = if thread == "inline" { word.to_owned() } else { format!("{word} {long}") };
        run(
            native,
            &json!({
                "name": "put_writes",
                "config": { "thread_id": thread, "checkpoint_id": id(step) },
                "writes": [["messages", [text]], ["__pregel_tasks", text]], "task_id": "task",
            }),
        );
    }
}

fn run(native: &mut Native, call: &Value) -> Outcome {
    native.call(transcript::call(call)).unwrap()
}

fn whole() -> Native {
    let mut native = Native::in_memory();
    for thread in THREADS {
        make(&mut native, thread, "first");
    }
    native
}

/// Runs a call with deletions between its rounds. Returns the outcome and the number of rounds.
fn interleaved(native: &mut Native, call: &Value, deletions: &[Deletion]) -> (Outcome, usize) {
    let (mut operation, mut progress) =
        Store::Sqlite.start(transcript::call(call), Moment::default()).unwrap();
    let mut round = 0;
    loop {
        let batch = match progress {
            Progress::Done(outcome) => return (outcome, round),
            Progress::Need(Need::Sql(batch)) => batch,
            Progress::Need(other) => panic!("{other:?}"),
        };
        for deletion in deletions.iter().filter(|deletion| deletion.round == round) {
            let config = json!({ "thread_id": deletion.thread });
            run(native, &json!({ "name": "delete_thread", "config": config }));
            if deletion.again {
                make(native, deletion.thread, "second");
            }
        }
        progress = operation.advance(Answer::Sql(native.run(&batch)), Moment::default()).unwrap();
        round += 1;
    }
}

/// All combinations of deletions in this many rounds.
fn all_deletions(threads: &[&'static str], rounds: usize) -> Vec<Vec<Deletion>> {
    let mut all = vec![Vec::new()];
    for thread in threads {
        let with = |before: &Vec<Deletion>| {
            let one = |at: usize| {
                let deletion = Deletion { thread, round: at / 2, again: at % 2 == 1 };
                [before.as_slice(), &[deletion]].concat()
            };
            std::iter::once(before.clone()).chain((0..rounds * 2).map(one)).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(with).collect();
    }
    all
}

fn tuples(outcome: Outcome) -> Vec<CheckpointTuple> {
    match outcome {
        Outcome::Page(page) => transcript::tuples(page),
        Outcome::Found(found) => {
            found.into_iter().map(|found| found.tuple.resolve(&[]).unwrap()).collect()
        }
        other => panic!("a read gave {other:?}"),
    }
}

/// Every tuple that may be returned: those of the first and of the second versions.
fn possible() -> Vec<CheckpointTuple> {
    let mut native = whole();
    let list = json!({ "name": "list", "config": {} });
    let mut possible = tuples(run(&mut native, &list));
    for thread in THREADS {
        let config = json!({ "thread_id": thread });
        run(&mut native, &json!({ "name": "delete_thread", "config": config }));
        make(&mut native, thread, "second");
    }
    possible.extend(tuples(run(&mut native, &list)));
    possible
}

#[test]
fn a_page_has_all_of_each_thread_that_is_there() {
    let possible = possible();
    let list = json!({ "name": "list", "config": {} });
    let (outcome, rounds) = interleaved(&mut whole(), &list, &[]);
    assert_eq!(tuples(outcome).len(), 6);
    assert!(rounds >= 4, "a page, sends, and levels of chunks");
    // Every pair of threads, in every order.
    let pairs = [[0, 1], [0, 2], [1, 2]].map(|pair| pair.map(|at| THREADS[at]));
    for deletions in pairs.iter().flat_map(|pair| all_deletions(pair, rounds + 1)) {
        let (outcome, _) = interleaved(&mut whole(), &list, &deletions);
        let given = tuples(outcome);
        assert!(given.iter().all(|tuple| possible.contains(tuple)), "{deletions:?}");
        for thread in THREADS {
            let of_thread = given.iter().filter(|tuple| tuple.thread_id == thread).count();
            let is_deleted = deletions.iter().any(|deletion| deletion.thread == thread);
            assert!(of_thread == 2 || (is_deleted && of_thread == 0), "{thread}: {deletions:?}");
        }
    }
}

#[test]
fn a_page_that_lost_tuples_is_followed_by_the_next_one() {
    let list = json!({ "name": "list", "config": {}, "limit": 2 });
    let mut native = whole();
    let deletions =
        THREADS.iter().skip(1).map(|thread| Deletion { thread, round: 1, again: false });
    let deletions: Vec<_> = deletions.collect();
    let (outcome, _) = interleaved(&mut native, &list, &deletions);
    let mut given = Vec::new();
    let mut next = match &outcome {
        Outcome::Page(page) => page.next.clone(),
        other => panic!("a list gave {other:?}"),
    };
    given.extend(tuples(outcome));
    while let Some(resume) = next.take() {
        let langgraph_checkpoint_guest::Call::List(mut call) = transcript::call(&list) else {
            panic!("it is a list")
        };
        call.resume = Some(resume);
        let outcome = native.call(langgraph_checkpoint_guest::Call::List(call)).unwrap();
        if let Outcome::Page(page) = &outcome {
            next.clone_from(&page.next);
        }
        given.extend(tuples(outcome));
    }
    let given: Vec<_> =
        given.iter().map(|tuple| (tuple.thread_id.clone(), tuple.checkpoint_id.clone())).collect();
    assert_eq!(given, [("inline".to_owned(), id(2)), ("inline".to_owned(), id(1))]);
}

#[test]
fn a_tuple_is_all_that_was_there_at_one_time() {
    let possible = possible();
    for thread in THREADS {
        let get = json!({ "name": "get_tuple", "config": { "thread_id": thread } });
        let (_, rounds) = interleaved(&mut whole(), &get, &[]);
        for deletions in all_deletions(&[thread], rounds + 1) {
            let (outcome, _) = interleaved(&mut whole(), &get, &deletions);
            let given = tuples(outcome);
            assert!(given.iter().all(|tuple| possible.contains(tuple)), "{deletions:?}");
            let is_deleted = deletions.iter().any(|deletion| !deletion.again);
            assert!(given.len() == 1 || is_deleted, "{thread}: {deletions:?}");
        }
    }
}

#[test]
fn a_history_is_all_that_was_there_at_one_time() {
    for thread in THREADS {
        let call = json!({
            "name": "get_delta_channel_history",
            "config": { "thread_id": thread }, "channels": ["messages"],
        });
        let (first, rounds) = interleaved(&mut whole(), &call, &[]);
        let mut native = whole();
        let config = json!({ "thread_id": thread });
        let delete = json!({ "name": "delete_thread", "config": config });
        run(&mut native, &delete);
        let none = run(&mut native, &call);
        make(&mut native, thread, "second");
        let second = run(&mut native, &call);
        assert!(first != second && first != none);
        for deletions in all_deletions(&[thread], rounds + 1) {
            let (outcome, _) = interleaved(&mut whole(), &call, &deletions);
            let again = deletions.iter().all(|deletion| deletion.again);
            let fits = outcome == first || outcome == if again { &second } else { &none }.clone();
            assert!(fits, "{thread}: {deletions:?}");
        }
    }
}

#[test]
fn a_thread_deleted_under_every_attempt_is_no_damage() {
    let get = json!({ "name": "get_tuple", "config": { "thread_id": "deep" } });
    let mut native = whole();
    let (mut operation, mut progress) =
        Store::Sqlite.start(transcript::call(&get), Moment::default()).unwrap();
    let error = loop {
        let Progress::Need(Need::Sql(Batch { statements, .. })) = &progress else {
            panic!("it never ends")
        };
        let is_page = |statement: &Statement| statement.text.contains("generation");
        let pages = statements.iter().any(is_page);
        let Progress::Need(Need::Sql(batch)) = &progress else { panic!("it never ends") };
        let sets = native.run(batch);
        if pages {
            let config = json!({ "thread_id": "deep" });
            run(&mut native, &json!({ "name": "delete_thread", "config": config }));
            make(&mut native, "deep", "again");
        }
        match operation.advance(Answer::Sql(sets), Moment::default()) {
            Ok(next) => progress = next,
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), "thread-in-use");
    assert!(matches!(error, langgraph_checkpoint_guest::Error::Unavailable(_)));
}
