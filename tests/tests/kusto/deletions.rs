//! Threads that another process deletes while rows wait or writes are made.

use super::*;

/// Options for write-behind, and for a store without it that removes rows.
fn behind_and_admin(name: &str) -> Option<(KustoOptions, KustoOptions)> {
    let options = options(name)?;
    let behind = KustoOptions { batch_size: Some(1000), ..options.clone() };
    Some((behind, KustoOptions { admin: true, ..options }))
}

fn delete(kusto: &mut Kusto, thread_id: &str) {
    kusto.call(Call::DeleteThread(config(thread_id))).unwrap();
}

fn write(thread_id: &str, checkpoint_id: &str) -> Call {
    Call::PutWrites(PutWrites {
        config: Config { checkpoint_id: checkpoint_id.into(), ..config(thread_id) },
        writes: vec![NewWrite { channel: "messages".to_owned(), value: chat(2) }],
        task_id: "task".into(),
        task_path: String::new(),
    })
}

fn pending(kusto: &mut Kusto, thread_id: &str) -> usize {
    latest(kusto, thread_id).unwrap().pending_writes.len()
}

#[test]
fn what_waits_is_stored_whole_though_an_administrator_removed_what_it_relies_on() {
    let Some((behind, admin)) = behind_and_admin("behind_admin") else { return };
    let (mut one, mut other) = (open(behind), open(admin.clone()));
    let mut editor = Editor::default();
    editor.call(&mut one, checkpoint("chat", 1, chat(50))).unwrap();
    one.flush().unwrap();
    for step in [2, 3] {
        editor.call(&mut one, checkpoint("chat", step, chat(50 + step))).unwrap();
    }
    delete(&mut other, "chat");
    one.flush().unwrap();
    for store in [&mut one, &mut other, &mut open(admin.clone())] {
        assert_eq!(latest(store, "chat").unwrap().channel_values[0].value, chat(53));
        assert_eq!(ids(store, "chat"), ["00000003", "00000002"]);
    }
    // A put after that relies on what is stored.
    editor.call(&mut one, checkpoint("chat", 4, chat(54))).unwrap();
    one.flush().unwrap();
    let mut third = open(admin);
    assert_eq!(latest(&mut third, "chat").unwrap().channel_values[0].value, chat(54));
}

#[test]
fn a_thread_is_flushed_in_parts_however_often_it_is_deleted() {
    let Some((behind, admin)) = behind_and_admin("behind_often") else { return };
    let (mut one, mut other) = (open(behind), open(admin.clone()));
    let mut editor = Editor::default();
    for step in 1..=6 {
        editor.call(&mut one, checkpoint("chat", step, chat(30 + step))).unwrap();
        if step % 2 == 0 {
            one.flush().unwrap();
        }
        if step % 3 == 0 {
            delete(&mut other, "chat");
        }
    }
    one.flush().unwrap();
    editor.call(&mut one, checkpoint("chat", 7, chat(37))).unwrap();
    one.flush().unwrap();
    for store in [&mut one, &mut open(admin)] {
        assert_eq!(latest(store, "chat").unwrap().channel_values[0].value, chat(37));
        let list = List { config: config("chat"), ..List::default() };
        let Ok(Outcome::Page(page)) = store.call(Call::List(list)) else { panic!("a page") };
        for tuple in page.tuples {
            let number: usize = tuple.checkpoint_id.parse().unwrap();
            assert!(number >= 3, "checkpoint {number} was deleted for all to see");
        }
    }
}

#[test]
fn what_waits_outlives_a_deletion_by_a_clock_ahead() {
    let Some((behind, admin)) = behind_and_admin("behind_ahead") else { return };
    let (mut one, mut other) = (open(behind), open(admin.clone()));
    other.ahead = DAY;
    delete(&mut other, "chat");
    one.call(checkpoint("chat", 1, chat(3))).unwrap();
    one.call(write("chat", "00000001")).unwrap();
    // Its own reads see it before the flush, and learn of the deletion.
    assert_eq!((ids(&mut one, "chat").len(), pending(&mut one, "chat")), (1, 1));
    one.flush().unwrap();
    for store in [&mut one, &mut other, &mut open(admin)] {
        assert_eq!(latest(store, "chat").unwrap().channel_values[0].value, chat(3));
        assert_eq!(pending(store, "chat"), 1);
    }
}

#[test]
fn a_flush_brings_back_nothing_that_its_own_store_deleted() {
    let Some((behind, admin)) = behind_and_admin("behind_own") else { return };
    let (mut one, mut other) = (open(behind), open(admin));
    one.call(checkpoint("chat", 1, chat(3))).unwrap();
    one.flush().unwrap();
    one.call(checkpoint("chat", 2, chat(4))).unwrap();
    one.call(checkpoint("neighbour", 1, chat(3))).unwrap();
    delete(&mut one, "chat");
    one.flush().unwrap();
    for store in [&mut one, &mut other] {
        assert!(latest(store, "chat").is_none());
        assert_eq!(ids(store, "neighbour"), ["00000001"]);
    }
}

#[test]
fn writes_made_with_a_put_outlive_a_deletion_by_a_clock_ahead() {
    let Some(options) = options("ahead_at_once") else { return };
    let (mut one, mut other) = (open(options.clone()), open(options.clone()));
    one.call(checkpoint("chat", 8, chat(8))).unwrap();
    other.ahead = 60_000_000;
    delete(&mut other, "chat");
    let calls = vec![checkpoint("chat", 9, chat(9)), write("chat", "00000009")];
    assert!(one.together(calls).iter().all(Result::is_ok));
    for store in [&mut one, &mut other, &mut open(options)] {
        assert_eq!((ids(store, "chat").len(), pending(store, "chat")), (1, 1));
    }
}

#[test]
fn writes_of_a_store_that_never_looked_outlive_a_deletion_by_a_clock_ahead() {
    let Some(options) = options("ahead_alone") else { return };
    let (mut one, mut other) = (open(options.clone()), open(options.clone()));
    other.ahead = 60_000_000;
    delete(&mut other, "chat");
    other.call(checkpoint("chat", 9, chat(9))).unwrap();
    one.requests = 0;
    one.call(write("chat", "00000009")).unwrap();
    assert_eq!(one.requests, 4, "an ingest and a look, and both again");
    one.requests = 0;
    one.call(write("chat", "00000009")).unwrap();
    assert_eq!(one.requests, 1, "it knows the deletion");
    for store in [&mut one, &mut other, &mut open(options)] {
        assert_eq!(pending(store, "chat"), 1);
    }
}
