//! `verify` reads everything, and names what is damaged.

use langgraph_checkpoint_guest::{Call, NewWrite, Outcome, PutWrites, Verified, Verify};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::native::Native;

use super::{New, THREAD, config, json, messages};

fn verified(native: &mut Native, thread: Option<&str>) -> (Verified, Vec<(String, String)>) {
    let mut call = Verify { thread: thread.map(Into::into).unwrap_or_default(), resume: None };
    let mut problems = Vec::new();
    loop {
        let Outcome::Verified(found) = native.call(Call::Verify(call.clone())).unwrap() else {
            panic!("another outcome");
        };
        let named = found.problems.iter().map(|found| (found.code.clone(), found.message.clone()));
        problems.extend(named);
        call.resume.clone_from(&found.next);
        if found.next.is_none() {
            return (found, problems);
        }
    }
}

fn filled() -> Native {
    let mut native = Native::in_memory();
    for thread in [THREAD, "other"] {
        for id in 1..=12 {
            native.call(New { thread, ..New::of(id) }.call()).unwrap();
        }
    }
    let write = |value| NewWrite { channel: "messages".to_owned(), value: json(value) };
    let writes = PutWrites {
        config: config(THREAD, "", Some(3)),
        writes: vec![write("1"), write(&messages(1)), write("3")],
        task_id: "task".into(),
        task_path: String::new(),
    };
    native.call(Call::PutWrites(writes)).unwrap();
    native
}

#[test]
fn a_store_without_damage_has_no_problems_and_everything_is_counted() {
    let mut native = filled();
    let (found, problems) = verified(&mut native, None);
    assert_eq!(problems, []);
    assert_eq!((found.threads, found.checkpoints, found.writes), (2, 24, 3));
    let count = "SELECT count(*) FROM lg_chunks";
    let chunks: i64 = native.connection().query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(found.chunks, chunks.unsigned_abs(), "nothing is left unread");
    let (found, _) = verified(&mut native, Some("other"));
    assert_eq!((found.threads, found.checkpoints), (1, 12));
    assert_eq!(verified(&mut native, Some("nobody")).0.threads, 0);
}

#[test]
fn each_damage_is_named_with_its_checkpoint() {
    let of = "thread_key = (SELECT thread_key FROM lg_threads WHERE thread_id = 'thread-1')";
    let newest = "checkpoint_id = '000012' AND task_id = ''";
    let record = |change: &str| format!("UPDATE lg_records SET {change} WHERE {of} AND {newest}");
    let one = format!("rowid = (SELECT max(rowid) FROM lg_chunks WHERE {of})");
    let cases = [
        (format!("DELETE FROM lg_chunks WHERE {one}"), "missing-chunk"),
        (format!("UPDATE lg_chunks SET data = x'00' WHERE {one}"), "damaged-chunk"),
        (record("envelope = zeroblob(20)"), "damaged-envelope"),
        (record("metadata = '{\"a\":1}'"), "damaged-envelope"),
        (record("parent_checkpoint_id = '000001'"), "damaged-envelope"),
        (record("created_at = NULL"), "unexpected-column"),
        (format!("DELETE FROM lg_records WHERE {of} AND idx = 1"), "missing-write"),
        (format!("UPDATE lg_records SET channel = 'x' WHERE {of} AND idx = 2"), "damaged-envelope"),
    ];
    for (damage, code) in cases {
        let mut native = filled();
        assert_eq!(native.connection().execute(&damage, []).unwrap(), 1, "{damage}");
        let (found, problems) = verified(&mut native, None);
        assert_eq!(problems.len(), 1, "{damage}: {problems:?}");
        let (named, message) = &problems[0];
        assert_eq!(named, code, "{damage}: {message}");
        assert!(
            code == "unexpected-column" || message.contains(THREAD),
            "{message} names no checkpoint"
        );
        assert_eq!(found.threads, 2, "the other thread is read too");
    }
}

#[test]
fn a_thread_that_is_pruned_meanwhile_is_not_damaged() {
    use langgraph_checkpoint_guest::{Answer, Keep, Moment, Need, Progress, Store};

    for at in 0..8 {
        let mut native = filled();
        let branch = New { parent: Some(2), ..New::of(11) };
        let branch = New { channels: vec![("other", 1.0, Some(messages(60)))], ..branch };
        native.call(branch.call()).unwrap();
        let call = Call::Verify(Verify { thread: THREAD.into(), resume: None });
        let (mut operation, mut progress) = Store::Sqlite.start(call, Moment::default()).unwrap();
        let mut rounds = 0;
        while let Progress::Need(Need::Sql(batch)) = &progress {
            if rounds == at {
                super::run(&mut native, super::prune(Keep::Latest));
            }
            rounds += 1;
            let sets = native.run(batch);
            progress = operation.advance(Answer::Sql(sets), Moment::default()).unwrap();
        }
        let Progress::Done(Outcome::Verified(found)) = progress else { panic!() };
        assert_eq!(found.problems, [], "pruned at round {at}");
    }
}
